/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Many names sorted into canonical order (RFC 4034 section 6.1). Each name
 * gets a key whose bytes compare as the names do, so that most comparisons
 * are one of eight bytes:
 *
 *     a.zz.example.   ──>   example 0 zz 0 a 0
 *
 * A zero byte within a label is written 1 1, a one 1 2.
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  the list owns its keys until zone_order_fini(). Out of memory ends
 *          the process.
 * Limits:  2^32 bytes of keys: zone_order_add() gives -EFBIG.
 */
#include "base/error.h"
#include "dnsd/zone_collect.h"

struct zone_ordered {
	uint64_t head; /* of the key, the first byte highest */
	uint32_t key; /* offset: two bytes of length, then the bytes */
	uint32_t what; /* as it was added */
};

struct zone_order {
	struct zone_bytes keys, list;
	uint32_t n;
	uint32_t skip; /* labels all names share; left out of the keys */
};

/* All names are at or below `apex`. */
void zone_order_init(struct zone_order *order, const uint8_t *apex);
void zone_order_fini(struct zone_order *order);
int zone_order_add(
    struct zone_order *order, const uint8_t *name, uint32_t what) BR_MUST_CHECK;
void zone_order_sort(struct zone_order *order);

static inline const struct zone_ordered *zone_order_at(
    const struct zone_order *order, uint32_t index)
{
	return (const struct zone_ordered *)(const void *)order->list.bytes +
	       index;
}
