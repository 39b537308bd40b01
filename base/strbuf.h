/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A growing text buffer, always terminated.
 *
 * Thread:  one at a time; not for workers (it calls realloc).
 * Memory:  strbuf_fini() frees; strbuf_take() hands the text to the caller,
 *          who frees it.
 * Errors:  out of memory ends the process with a message.
 */
#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *text; /* NULL only before the first append */
	size_t length, room;
};

void strbuf_init(struct strbuf *sb);
void strbuf_fini(struct strbuf *sb);
void strbuf_clear(struct strbuf *sb);
void strbuf_add(struct strbuf *sb, const char *bytes, size_t length);
void strbuf_adds(struct strbuf *sb, const char *text);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_addv(struct strbuf *sb, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
char *strbuf_take(struct strbuf *sb);
/* Never NULL. */
static inline const char *strbuf_text(const struct strbuf *sb)
{
	return sb->text ? sb->text : "";
}
