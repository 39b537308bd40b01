/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which of many prefixes an address lies in: allow and deny lists, trusted
 * sources, routes, regions. Prefixes nest or are disjoint, so they flatten into
 * sorted ranges that do not overlap, and a look-up is one binary search over an
 * array. In a large map a table over the first 16 bits says where to search.
 *
 *      10.0.0.0/8  = 5   |-----------------------------|
 *      10.1.0.0/16 = 7         |-------|
 *      ranges            |--5--|---7---|-------5-------|---none---
 *
 * Thread:  built by one; any may read it afterwards.
 * Memory:  all of it in the caller's arena: at most 2 n + 2 ranges of 12 bytes
 *          (20 where prefixes are longer than 64 bits) for n prefixes, and
 *          256 KiB a family once it has PREFIX_MAP_TABLE_MIN ranges. The
 *          entries are not kept.
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

/* Ranges of a family from which on it has a table. */
#define PREFIX_MAP_TABLE_MIN 1024u

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
/* Both say the same of every address; neighbours of one value that are one
 * range here and two there make a difference, too. */
bool prefix_map_equal(const struct prefix_map *a, const struct prefix_map *b);

/* What an address has, and the shortest length of a prefix around it in which
 * every address has the same: its leaf in a trie of such prefixes, which do
 * not overlap (RFC 7871 section 7.2.1 wants that of a scope).
 *
 *      0.0.0.0/0      depth of 10.1.2.3 = 16, of 10.0.0.1 = 16,
 *        10.1.0.0/16  of 10.128.0.0 = 9, of 192.0.2.1 = 1
 */
struct prefix_leaf {
	uint32_t value; /* or PREFIX_NONE, which is a value here, too */
	uint8_t depth;
};

/* The leaf of the first address of `p`. */
struct prefix_leaf prefix_map_leaf(
    const struct prefix_map *map, const struct prefix *p);
