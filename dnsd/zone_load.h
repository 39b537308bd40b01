/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A zone of the configuration, from all that it is made of: its file, the
 * records of the configuration, its resources with their targets; signed when
 * it has a key. All that is wrong with any of them comes in one report.
 *
 *     zones.NAME.file ──────┐
 *     zones.NAME.records ───┼──> zone_builder ──> sign_zone ──> struct zone
 *     zones.NAME.resources ─┘                        ^
 *     zones.NAME.dnssec.key ─────────────────────────┘
 *
 * Thread:  the clerk's: it reads files, and signs on helper threads.
 * Memory:  the zone is the caller's (zone_unref). Its resources point into
 *          `pops`, which has to live as long; of the configuration nothing is
 *          kept.
 * Errors:  to the report; NULL when it has some.
 */
#include "base/clock.h"
#include "conf/conf.h"
#include "dnsd/zone.h"
#include "dnsd/zone_report.h"
#include "fleet/pop.h"

struct zone_load_input {
	const struct conf_zone *conf;
	const char *conf_file; /* for the report */
	const struct pops *pops;
	uint32_t seed; /* of the set that the zone is for */
	struct wall now; /* for signatures */
	uint32_t threads; /* that may sign; at least 1 */
	/* Where answers of a resource that name this POP first are counted:
	 * resource_counter(). NULL: nowhere. */
	uint32_t (*counter_of)(
	    const uint8_t *apex, const char *resource, const char *pop);
};

/* *ret_includes: its file included others. */
struct zone *zone_load(const struct zone_load_input *input,
    struct zone_report *report, bool *ret_includes);
/* The same zone with signatures of now, by the key of its configuration; files
 * of the zone are not read. */
struct zone *zone_resign(const struct zone_load_input *input, struct zone *zone,
    struct zone_report *report);
