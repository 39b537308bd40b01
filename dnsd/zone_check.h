/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What must not be in a zone, and what had better not be: of a zone that is
 * laid out, everything that takes more than one rrset to see. Refused is what
 * named-checkzone refuses, and where a server could not answer by the
 * standards; the rest is warned of.
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  borrows all; nothing is kept.
 * Errors:  to the report.
 */
#include "dnsd/zone.h"
#include "dnsd/zone_collect.h"
#include "dnsd/zone_report.h"

struct zone_check_input {
	const struct zone *zone;
	const struct zone_collect *collect;
	const uint32_t *owners; /* by node, as zone_layout() gives them */
	const struct zone_resource *resources;
	struct zone_report *report;
	/* Records were refused before: what is missing may be among them, and
	 * is not complained of. */
	bool is_partial;
};

void zone_check(const struct zone_check_input *input);
