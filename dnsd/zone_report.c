/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_report.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void zone_report_init(struct zone_report *report)
{
	memset(report, 0, sizeof *report);
}

void zone_report_fini(struct zone_report *report)
{
	arena_free(report->arena);
	memset(report, 0, sizeof *report);
}

/* Warnings, however many, never keep an error from being told. */
static bool is_kept(struct zone_report *report, enum zone_severity severity)
{
	uint32_t before =
	    severity == ZONE_ERROR ? report->n_errors++ : report->n_warnings++;

	return before < ZONE_REPORT_MAX;
}

static void append(
    struct zone_report *report, enum zone_severity severity, const char *text)
{
	if (!report->arena)
		report->arena = arena_new();
	if (report->n_problems == report->room) {
		size_t bytes = report->room * sizeof *report->problems;

		report->room = report->room ? 2 * report->room : 16;
		report->problems = arena_grow(report->arena, report->problems,
		    bytes, report->room * sizeof *report->problems);
	}
	report->problems[report->n_problems++] = (struct zone_problem){
	    .severity = severity,
	    .text = arena_strdup(report->arena, text),
	};
}

void zone_report_add(struct zone_report *report, enum zone_severity severity,
    const struct dns_place *place, const char *format, ...)
{
	struct strbuf text;
	va_list args;
	char *rest;

	if (!is_kept(report, severity))
		return;
	strbuf_init(&text);
	if (place && place->file && place->line)
		strbuf_addf(&text, "%s:%u: ", place->file, place->line);
	else if (place && place->file)
		strbuf_addf(&text, "%s: ", place->file);
	va_start(args, format);
	if (vasprintf(&rest, format, args) < 0)
		br_out_of_memory("a problem of a zone", 0);
	va_end(args);
	strbuf_adds(&text, rest);
	append(report, severity, strbuf_text(&text));
	free(rest);
	strbuf_fini(&text);
}
