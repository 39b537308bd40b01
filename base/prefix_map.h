/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which of many prefixes an address lies in: allow and deny lists, trusted
 * sources, routes. Prefixes nest or are disjoint, so they flatten into sorted
 * ranges that do not overlap, and a look-up is one binary search over an array.
 *
 *      10.0.0.0/8  = 5   |-----------------------------|
 *      10.1.0.0/16 = 7         |-------|
 *      ranges            |--5--|---7---|-------5-------|---none---
 *
 * Thread:  built by one; any may read it afterwards.
 * Memory:  all of it in the caller's arena: at most 2 n + 2 ranges of 24 bytes
 *          for n prefixes. The entries are not kept.
 * Limits:  no own; building takes n log n.
 */
#include "base/prefix.h"

struct arena;
struct prefix_map;

/* What an address that no prefix covers has; not a value to store. */
#define PREFIX_NONE UINT32_MAX

struct prefix_entry {
	struct prefix prefix;
	uint32_t value;
};

enum prefix_rule {
	PREFIX_LONGEST, /* the value of the longest prefix that covers it */
	PREFIX_LOWEST, /* the lowest value of all that cover it: first in file
			* order, when values are positions in the file */
};

/* Equal prefixes have the lower of their values under either rule. Never NULL;
 * an empty map covers nothing. */
struct prefix_map *prefix_map_new(struct arena *arena,
    const struct prefix_entry *entries, uint32_t n, enum prefix_rule rule);
/* PREFIX_NONE also for unix addresses and for none. */
uint32_t prefix_map_find(const struct prefix_map *map, const struct addr *a);
