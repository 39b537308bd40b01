/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Collects what is wrong with a file and puts it into file order at the end.
 *
 * Thread:  one at a time.
 * Memory:  texts live in the arena of the struct conf_errors; the list while
 *          it grows in the scratch arena.
 * Limits:  CONF_ERRORS_SHOWN_MAX errors and as many warnings are kept, the
 *          rest is counted and said in one line.
 */
#include "base/arena.h"
#include "conf/conf.h"

#define REPORT_TEXT_MAX 1024

struct report_line;

struct report {
	const char *file;
	struct arena *scratch;
	struct conf_errors *errors;
	struct report_line *lines;
	uint32_t n_lines, room;
	uint32_t n_errors, n_warnings; /* all, also those not kept */
};

void report_init(struct report *report, const char *file, struct arena *scratch,
    struct conf_errors *errors);
/* No further error will be kept: making its text is a waste. */
bool report_is_full(const struct report *report);
/* `path` is the key that the message is about, "" for the file as a whole. */
void report_error(struct report *report, struct conf_pos pos, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void report_warning(struct report *report, struct conf_pos pos,
    const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Drops all but the first n_lines lines, which are errors. */
void report_forget(struct report *report, uint32_t n_lines);
/* Sorts and hands over to the struct conf_errors. */
void report_finish(struct report *report);
