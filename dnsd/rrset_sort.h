/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The records of one owner in the order in which a zone has them: SOA first,
 * then by type, RRSIGs behind all others, and by canonical
 * rdata (RFC 4034 section 6.3).
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  valid until the next rrset_sort() or rrset_sort_fini(). Out of
 *          memory ends the process.
 */
#include "dnsd/zone_collect.h"

struct rrset_item {
	const struct zone_held *held;
	uint32_t canonical; /* offset */
	uint32_t order; /* in which they came */
};

struct rrset_sort {
	struct zone_bytes items, canonical;
	uint32_t n;
};

void rrset_sort_fini(struct rrset_sort *sort);
/* All records of the owner, variants' signatures last. */
void rrset_sort(struct rrset_sort *sort, const struct zone_collect *collect,
    uint32_t owner);

static inline const struct rrset_item *rrset_sort_at(
    const struct rrset_sort *sort, uint32_t index)
{
	return (const struct rrset_item *)(const void *)sort->items.bytes +
	       index;
}

/* Whether both are the same record in canonical form (RFC 2181 section 5). */
bool rrset_sort_equal(const struct rrset_sort *sort, const struct rrset_item *a,
    const struct rrset_item *b);
