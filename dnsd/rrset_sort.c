/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rrset_sort.h"

#include "dnsd/rdata.h"

#include <stdlib.h>
#include <string.h>

void rrset_sort_fini(struct rrset_sort *sort)
{
	free(sort->items.bytes);
	free(sort->canonical.bytes);
}

static void add(struct rrset_sort *sort, const struct zone_held *held)
{
	size_t item = zone_bytes_add(&sort->items, sizeof(struct rrset_item));
	size_t at = zone_bytes_add(&sort->canonical, held->length);

	memcpy(sort->canonical.bytes + at, zone_held_rdata(held), held->length);
	rdata_make_canonical(
	    held->type, sort->canonical.bytes + at, held->length);
	*(struct rrset_item *)(void *)(sort->items.bytes + item) =
	    (struct rrset_item){
		.held = held, .canonical = (uint32_t)at, .order = sort->n++};
}

/* Where the type stands among those of an owner. */
static uint32_t rank_of(const struct zone_held *held)
{
	if (held->source & ZONE_SOURCE_VARIANT)
		return 0x20000u;
	if (held->type == RR_RRSIG)
		return 0x10000u;
	return held->type == RR_SOA ? 0 : held->type;
}

static int compare_rdata(const struct rrset_sort *sort,
    const struct rrset_item *a, const struct rrset_item *b)
{
	uint16_t a_length = a->held->length, b_length = b->held->length;
	int order = memcmp(sort->canonical.bytes + a->canonical,
	    sort->canonical.bytes + b->canonical,
	    a_length < b_length ? a_length : b_length);

	return order ? order : a_length - b_length;
}

static int compare(const void *a, const void *b, void *context)
{
	const struct rrset_item *x = a, *y = b;
	uint32_t x_rank = rank_of(x->held), y_rank = rank_of(y->held);
	int order;

	if (x_rank != y_rank)
		return x_rank < y_rank ? -1 : 1;
	order = compare_rdata(context, x, y);
	if (order)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

void rrset_sort(
    struct rrset_sort *sort, const struct zone_collect *collect, uint32_t owner)
{
	const struct zone_held *held = NULL;

	sort->items.length = 0;
	sort->canonical.length = 0;
	sort->n = 0;
	while ((held = zone_collect_next(collect, owner, held)))
		add(sort, held);
	if (sort->n > 1)
		qsort_r(sort->items.bytes, sort->n, sizeof(struct rrset_item),
		    compare, sort);
}

bool rrset_sort_equal(const struct rrset_sort *sort, const struct rrset_item *a,
    const struct rrset_item *b)
{
	return !compare_rdata(sort, a, b);
}
