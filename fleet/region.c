/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/region.h"

#include "base/arena.h"
#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct region_map {
	struct arena *arena;
	struct prefix_map *map;
};

/* By address, the outer before the inner, the stronger source before the
 * weaker, so that who overrides comes before what it overrides. */
static int compare(const void *a, const void *b)
{
	const struct region_entry *x = a, *y = b;
	int order = x->prefix.family - y->prefix.family;

	if (!order)
		order = memcmp(
		    x->prefix.bytes, y->prefix.bytes, sizeof x->prefix.bytes);
	if (!order)
		order = x->prefix.bits - y->prefix.bits;
	if (!order)
		order = y->source - x->source;
	return order ? order : x->region - y->region;
}

static bool is_same(const struct prefix *a, const struct prefix *b)
{
	return a->bits == b->bits && prefix_covers(a, b);
}

/* The outermost prefix of each source that covers what comes now. Whatever
 * else of the source covers it lies within that one. */
struct covers {
	const struct prefix *of[REGION_SOURCES];
};

static bool covers_it(const struct prefix *outer, const struct prefix *p)
{
	return outer && prefix_covers(outer, p);
}

static bool is_overridden(
    const struct covers *covers, const struct region_entry *e)
{
	for (int source = e->source + 1; source < REGION_SOURCES; source++)
		if (covers_it(covers->of[source], &e->prefix))
			return true;
	return false;
}

/* Drops what is overridden and what is said twice; -EEXIST for what is said
 * in two ways. */
static int keep_strongest(const struct region_entry *sorted, uint32_t n,
    struct prefix_entry *ret, uint32_t *ret_n, struct region_clash *ret_clash)
{
	struct covers covers = {0};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct region_entry *e = &sorted[i], *before = e - 1;

		if (i && before->source == e->source &&
		    before->region != e->region &&
		    is_same(&before->prefix, &e->prefix)) {
			*ret_clash = (struct region_clash){
			    e->prefix, before->region, e->region};
			return -EEXIST;
		}
		if (!covers_it(covers.of[e->source], &e->prefix))
			covers.of[e->source] = &e->prefix;
		if (!is_overridden(&covers, e))
			ret[kept++] =
			    (struct prefix_entry){e->prefix, e->region};
	}
	*ret_n = kept;
	return 0;
}

int region_map_new(const struct region_entry *entries, uint32_t n,
    struct region_map **ret, struct region_clash *ret_clash)
{
	struct arena *scratch, *arena;
	struct region_entry *sorted;
	struct prefix_entry *kept;
	struct region_map *map;
	uint32_t n_kept;
	int rc;

	if (n > REGION_PREFIXES_MAX)
		return -E2BIG;
	scratch = arena_new();
	sorted = arena_alloc(scratch, (n + 1) * sizeof *sorted);
	kept = arena_alloc(scratch, (n + 1) * sizeof *kept);
	for (uint32_t i = 0; i < n; i++) {
		br_assert(entries[i].region < REGIONS_MAX &&
			  entries[i].source < REGION_SOURCES);
		sorted[i] = entries[i];
	}
	qsort(sorted, n, sizeof *sorted, compare);
	rc = keep_strongest(sorted, n, kept, &n_kept, ret_clash);
	if (!rc) {
		arena = arena_new();
		map = arena_alloc(arena, sizeof *map);
		map->arena = arena;
		map->map = prefix_map_new(arena, kept, n_kept, PREFIX_LONGEST);
		*ret = map;
	}
	arena_free(scratch);
	return rc;
}

void region_map_free(struct region_map *map)
{
	if (map)
		arena_free(map->arena);
}

struct region_found region_find(
    const struct region_map *map, const struct prefix *p)
{
	struct prefix_leaf leaf = prefix_map_leaf(map->map, p);

	return (struct region_found){leaf.value, leaf.depth};
}

bool region_map_equal(const struct region_map *a, const struct region_map *b)
{
	if (!a || !b)
		return a == b;
	return prefix_map_equal(a->map, b->map);
}

size_t region_map_bytes(const struct region_map *map)
{
	return arena_bytes(map->arena);
}
