/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"

struct report_line {
	struct conf_pos pos;
	uint32_t number; /* keeps the order of lines about one place */
	const char *text;
};

void report_init(struct report *report, const char *file, struct arena *scratch,
    struct conf_errors *errors)
{
	*report =
	    (struct report){.file = file, .scratch = scratch, .errors = errors};
}

static void report_keep(
    struct report *report, struct conf_pos pos, const char *text)
{
	if (report->n_lines == report->room) {
		uint32_t room = report->room ? report->room * 2 : 16;

		report->lines = arena_grow(report->scratch, report->lines,
		    report->room * sizeof(*report->lines),
		    room * sizeof(*report->lines));
		report->room = room;
	}
	report->lines[report->n_lines] = (struct report_line){
	    .pos = pos, .number = report->n_lines, .text = text};
	report->n_lines++;
}

static void report_add(struct report *report, struct conf_pos pos,
    const char *path, const char *kind, const char *format, va_list args)
{
	struct strbuf sb;
	/* A message is short but for the names and values in it, which are
	 * shortened where they are quoted. */
	char text[REPORT_TEXT_MAX];

	strbuf_init(&sb);
	(void)vsnprintf(text, sizeof(text), format, args);
	strbuf_addf(&sb, "%s:%u:%u: %s%s%s%s", report->file, pos.line,
	    pos.column, kind, path, *path ? ": " : "", text);
	report_keep(report, pos,
	    arena_strndup(report->errors->arena, sb.text, sb.length));
	strbuf_fini(&sb);
}

bool report_is_full(const struct report *report)
{
	return report->n_errors >= CONF_ERRORS_SHOWN_MAX;
}

void report_error(struct report *report, struct conf_pos pos, const char *path,
    const char *format, ...)
{
	va_list args;

	bool full = report_is_full(report);

	report->n_errors++;
	if (full)
		return;
	va_start(args, format);
	report_add(report, pos, path, "", format, args);
	va_end(args);
}

void report_warning(struct report *report, struct conf_pos pos,
    const char *path, const char *format, ...)
{
	va_list args;

	if (report->n_warnings++ >= CONF_ERRORS_SHOWN_MAX)
		return;
	va_start(args, format);
	report_add(report, pos, path, "warning: ", format, args);
	va_end(args);
}

void report_forget(struct report *report, uint32_t n_lines)
{
	report->n_errors -= report->n_lines - n_lines;
	report->n_lines = n_lines;
}

static int report_compare(const void *a, const void *b)
{
	const struct report_line *x = a, *y = b;

	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	if (x->pos.column != y->pos.column)
		return x->pos.column < y->pos.column ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Says how many lines were left out; behind everything else. */
static void report_rest(struct report *report, uint32_t n, const char *what)
{
	struct conf_pos last = {UINT32_MAX, 0};

	if (n <= CONF_ERRORS_SHOWN_MAX)
		return;
	report_keep(report, last,
	    arena_printf(report->errors->arena, "%s: %u more %s not shown",
		report->file, n - CONF_ERRORS_SHOWN_MAX, what));
}

static uint32_t report_shown(uint32_t n)
{
	return n <= CONF_ERRORS_SHOWN_MAX ? n : CONF_ERRORS_SHOWN_MAX + 1;
}

void report_finish(struct report *report)
{
	struct conf_errors *errors = report->errors;

	report_rest(report, report->n_errors, "errors");
	report_rest(report, report->n_warnings, "warnings");
	if (report->n_lines)
		qsort(report->lines, report->n_lines, sizeof(*report->lines),
		    report_compare);
	errors->errors = arena_alloc(errors->arena,
	    (report->n_lines ? report->n_lines : 1) * sizeof(*errors->errors));
	for (uint32_t i = 0; i < report->n_lines; i++)
		errors->errors[i] = (struct conf_error){
		    .pos = report->lines[i].pos,
		    .text = report->lines[i].text,
		};
	errors->n_errors = report->n_lines;
	errors->n_warnings = report_shown(report->n_warnings);
}
