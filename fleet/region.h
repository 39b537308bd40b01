/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where clients are: which region an address lies in, and how many of its
 * bits decided that. Configured prefixes and those of databases are merged
 * into leaves that do not overlap.
 *
 *      configured  10.1.0.0/16 = eu        |---eu---|
 *      ASN         10.1.4.0/24 = isp           |x|         within: overridden
 *      geo         10.0.0.0/8  = us   |---us---|    |---us---|
 *      leaves                         |---us---|---eu---|---us---|
 *
 * Of one source the longest prefix wins. Between sources the stronger wins
 * over all that lies within: what an operator wrote over both databases, and
 * the number of a network over the place where it is thought to be.
 *
 * Thread:  built by the clerk; any may read afterwards.
 * Memory:  region_map_new() allocates; the map is freed in one piece and
 *          keeps nothing of the entries or names.
 * Errors:  -EEXIST: the same prefix of the same source in two regions, named
 *          in ret_clash; -E2BIG: more than REGION_PREFIXES_MAX prefixes.
 * Limits:  REGIONS_MAX regions; at most 24 bytes a prefix (40 for IPv6 beyond
 *          /64).
 */
#include "base/prefix_map.h"

#define REGIONS_MAX 1024u
#define REGION_PREFIXES_MAX (16u << 20)
/* The address lies in none: a region of its own to all who decide by it. */
#define REGION_NONE PREFIX_NONE

/* The later overrides the earlier. */
enum region_source {
	REGION_FROM_GEO,
	REGION_FROM_ASN,
	REGION_FROM_CONFIG,
	REGION_SOURCES
};

struct region_entry {
	struct prefix prefix;
	uint16_t region; /* index, below REGIONS_MAX */
	uint8_t source; /* enum region_source */
};

/* Two entries of one source that say different things of one prefix. */
struct region_clash {
	struct prefix prefix;
	uint16_t first, second; /* regions */
};

struct region_map;

int region_map_new(const struct region_entry *entries, uint32_t n,
    struct region_map **ret, struct region_clash *ret_clash) BR_MUST_CHECK;
void region_map_free(struct region_map *map);

struct region_found {
	uint32_t region; /* or REGION_NONE */
	/* The shortest prefix of the address in which all are of this region:
	 * what a scope may say (RFC 7871 section 7.2.1). */
	uint8_t depth;
};

/* The region of the first address of `p`. */
struct region_found region_find(
    const struct region_map *map, const struct prefix *p);
/* Every address is of the same region; NULL is equal to NULL only. */
bool region_map_equal(const struct region_map *a, const struct region_map *b);
size_t region_map_bytes(const struct region_map *map);
