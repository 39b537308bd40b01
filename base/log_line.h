/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One line of a log, field by field, in the format in force (log_configure()).
 * For lines of which there are many: nothing is rendered and read back, as
 * log_compose() has to.
 *
 *     log_line_begin(&line, room, LOG_LINE_MAX, now, "info", "flow");
 *     log_line_text(&line, "server", server->name);
 *     log_line_number(&line, "bytes_in", n);
 *     length = log_line_end(&line);
 *
 *     ts=2026-01-02T03:04:05.678Z level=info msg="flow" server=a bytes_in=5
 *     {"ts":"2026-...","level":"info","msg":"flow","server":"a","bytes_in":5}
 *
 * Text is quoted and escaped where it needs it, so no value can break a line;
 * in JSON it is always a string, also when it looks like a number.
 *
 * Thread:  one at a time.
 * Memory:  the caller's room, at least LOG_LINE_MIN; the line is not
 *          terminated. Keys and values are copied at once.
 * Limits:  a field that does not fit ends the line: it and all behind it are
 *          left out (quoted text is cut at a character), and the line is whole
 *          all the same.
 */
#include "base/log.h"

struct log_line {
	char *text;
	int length, room;
	int tail; /* kept free for what must still be closed */
	bool json;
	bool full; /* a field did not fit */
};

/* `level` may be NULL. */
void log_line_begin(struct log_line *line, char *ret, int room, struct wall now,
    const char *level, const char *message);
void log_line_text(struct log_line *line, const char *key, const char *value);
void log_line_text_n(
    struct log_line *line, const char *key, const char *value, size_t length);
void log_line_number(struct log_line *line, const char *key, uint64_t v);
/* Milliseconds with three decimals, rounded; "-" when it is negative. */
void log_line_ms(struct log_line *line, const char *key, int64_t ns);
/* Closes it with its newline and returns its length. */
int log_line_end(struct log_line *line);
