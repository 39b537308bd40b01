/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include "base/assert.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRBUF_ROOM_MIN 64

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf){0};
}

void strbuf_fini(struct strbuf *sb)
{
	free(sb->text);
	strbuf_init(sb);
}

void strbuf_clear(struct strbuf *sb)
{
	sb->length = 0;
	if (sb->text)
		sb->text[0] = '\0';
}

/* Room for `more` bytes and the terminator. */
static void reserve(struct strbuf *sb, size_t more)
{
	size_t need, room;

	br_assert(more < SIZE_MAX / 4 && sb->length < SIZE_MAX / 4);
	need = sb->length + more + 1;
	if (need <= sb->room)
		return;
	room = sb->room ? sb->room * 2 : STRBUF_ROOM_MIN;
	if (room < need)
		room = need;
	char *text = realloc(sb->text, room);
	if (!text)
		br_out_of_memory("a text buffer", room);
	sb->text = text;
	sb->room = room;
}

void strbuf_add(struct strbuf *sb, const char *bytes, size_t length)
{
	reserve(sb, length);
	if (length)
		memcpy(sb->text + sb->length, bytes, length);
	sb->length += length;
	sb->text[sb->length] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addv(struct strbuf *sb, const char *format, va_list args)
{
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	br_assert(length >= 0);
	reserve(sb, (size_t)length);
	(void)vsnprintf(
	    sb->text + sb->length, (size_t)length + 1, format, args);
	sb->length += (size_t)length;
}

void strbuf_addf(struct strbuf *sb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_addv(sb, format, args);
	va_end(args);
}

char *strbuf_take(struct strbuf *sb)
{
	char *text;

	reserve(sb, 0);
	text = sb->text;
	text[sb->length] = '\0';
	strbuf_init(sb);
	return text;
}
