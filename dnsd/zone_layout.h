/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Collected records, laid out as a zone: nodes in canonical order with empty
 * non-terminals between them, each name followed by its rrsets. Inside of
 * zone_builder only; what concerns one rrset (order, doubles, TTLs, size) is
 * said here, all else by zone_check.
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  the zone is the caller's, also with errors; `ret_owners` is freed
 *          by it. Out of memory ends the process.
 * Errors:  to the report; NULL when there is nothing to look at.
 */
#include "dnsd/zone.h"
#include "dnsd/zone_collect.h"
#include "dnsd/zone_report.h"

struct zone_layout_input {
	const uint8_t *apex;
	const struct zone_collect *collect;
	const struct zone_dynamic *resources; /* by zone_owner.resource */
	uint32_t n_resources;
	struct zone_report *report;
};

/* ret_owners: by node the owner in the collection, ZONE_COLLECT_NONE for an
 * empty non-terminal. */
struct zone *zone_layout(
    const struct zone_layout_input *input, uint32_t **ret_owners);
