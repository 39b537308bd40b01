/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_report.h"

#include "base/arena.h"
#include "base/strbuf.h"
#include "dnsd/dname.h"
#include "dnsd/rr_type.h"

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

static struct arena *arena_of(struct zone_report *report)
{
	if (!report->arena)
		report->arena = arena_new();
	return report->arena;
}

/* Each severity has room of its own: warnings, however many, never keep an
 * error from being told. */
static bool is_kept(struct zone_report *report, enum zone_severity severity)
{
	uint32_t before =
	    severity == ZONE_ERROR ? report->n_errors++ : report->n_warnings++;

	return before < ZONE_REPORT_MAX;
}

static void keep(
    struct zone_report *report, enum zone_severity severity, const char *text)
{
	if (report->n_problems == report->room) {
		size_t bytes = report->room * sizeof *report->problems;

		report->room = report->room ? 2 * report->room : 16;
		report->problems =
		    arena_grow(arena_of(report), report->problems, bytes,
			report->room * sizeof *report->problems);
	}
	report->problems[report->n_problems++] = (struct zone_problem){
	    .severity = severity,
	    .text = arena_strdup(arena_of(report), text),
	};
}

static void add_place(struct strbuf *text, const struct dns_place *place)
{
	if (place && place->file && place->line)
		strbuf_addf(text, "%s:%u: ", place->file, place->line);
	else if (place && place->file)
		strbuf_addf(text, "%s: ", place->file);
}

void zone_report_add(struct zone_report *report, enum zone_severity severity,
    const struct dns_place *place, const char *format, ...)
{
	struct strbuf text;
	va_list args;

	if (!is_kept(report, severity))
		return;
	strbuf_init(&text);
	add_place(&text, place);
	va_start(args, format);
	strbuf_addv(&text, format, args);
	va_end(args);
	keep(report, severity, strbuf_text(&text));
	strbuf_fini(&text);
}

static void add_owner(struct strbuf *text, const uint8_t *owner, uint16_t type)
{
	char name[DNAME_TEXT_MAX], mnemonic[RR_TEXT_MAX];

	(void)dname_to_text(owner, name);
	strbuf_adds(text, name);
	if (type) {
		(void)rr_type_to_text(type, mnemonic);
		strbuf_addf(text, " %s", mnemonic);
	}
	strbuf_adds(text, ": ");
}

void zone_report_name(struct zone_report *report, enum zone_severity severity,
    const struct dns_place *place, const uint8_t *owner, uint16_t type,
    const char *format, ...)
{
	struct strbuf text;
	va_list args;

	if (!is_kept(report, severity))
		return;
	strbuf_init(&text);
	add_place(&text, place);
	add_owner(&text, owner, type);
	va_start(args, format);
	strbuf_addv(&text, format, args);
	va_end(args);
	keep(report, severity, strbuf_text(&text));
	strbuf_fini(&text);
}

const char *zone_report_place(
    struct zone_report *report, const struct dns_place *place)
{
	if (!place->file)
		return "an unknown place";
	if (!place->line)
		return arena_strdup(arena_of(report), place->file);
	return arena_printf(
	    arena_of(report), "%s:%u", place->file, place->line);
}

void zone_report_take_errors(
    struct zone_report *report, const struct zone_report *from)
{
	for (uint32_t i = 0; i < from->n_problems; i++)
		if (from->problems[i].severity == ZONE_ERROR)
			zone_report_add(report, ZONE_ERROR, NULL, "%s",
			    from->problems[i].text);
}
