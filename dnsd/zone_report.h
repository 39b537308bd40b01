/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is wrong with a zone, all of it: each problem with its file and line,
 * in the words of an operator. A zone with errors is refused as a whole.
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  texts live until zone_report_fini().
 * Limits:  ZONE_REPORT_MAX texts of each severity are kept, all are counted.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "dnsd/dns_record.h"

#define ZONE_REPORT_MAX 200u

enum zone_severity { ZONE_ERROR, ZONE_WARNING };

struct zone_problem {
	enum zone_severity severity;
	const char *text; /* "file:line: what", or "zone example.: what" */
};

struct zone_report {
	struct arena *arena; /* NULL before the first problem */
	struct zone_problem *problems; /* in the order they were found */
	uint32_t n_problems, room;
	uint32_t n_errors, n_warnings; /* those that were not kept included */
};

void zone_report_init(struct zone_report *report);
void zone_report_fini(struct zone_report *report);
/* `place` may be NULL or without a file: then the text stands alone. */
void zone_report_add(struct zone_report *report, enum zone_severity severity,
    const struct dns_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Begins with the owner, and with the type unless it is 0:
 * "zone.txt:7: www.example. A: the TTL ...". */
void zone_report_name(struct zone_report *report, enum zone_severity severity,
    const struct dns_place *place, const uint8_t *owner, uint16_t type,
    const char *format, ...) __attribute__((format(printf, 6, 7)));
/* "file:line", or "an unknown place", for the middle of a sentence; the text
 * lives as long as the report. */
const char *zone_report_place(
    struct zone_report *report, const struct dns_place *place);
/* Adds the errors of another report, not its warnings. */
void zone_report_take_errors(
    struct zone_report *report, const struct zone_report *from);
/* Whether the zone is refused. */
static inline bool zone_report_failed(const struct zone_report *report)
{
	return report->n_errors > 0;
}
