/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefix_map.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

/* Prefixes that nest, the longest of IPv6 and "all of it" included. */
#define DEPTH_MAX 129

/* An address as a number: IPv4 in the low 32 bits. */
struct number {
	uint64_t high, low;
};

/* From `start` to the next range's start. */
struct range {
	struct number start;
	uint32_t value;
};

struct ranges {
	struct range *range;
	uint32_t n;
};

struct prefix_map {
	struct ranges in, in6;
};

struct open_prefix {
	struct number last; /* its last address */
	uint32_t value;
};

struct sweep {
	struct ranges *out;
	struct open_prefix open[DEPTH_MAX];
	uint32_t depth;
};

static int number_compare(struct number a, struct number b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	if (a.low != b.low)
		return a.low < b.low ? -1 : 1;
	return 0;
}

static uint64_t load_be(const uint8_t *bytes, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return v;
}

static struct number first_of(const struct prefix *p)
{
	if (p->family == AF_INET)
		return (struct number){0, load_be(p->bytes, 4)};
	return (struct number){load_be(p->bytes, 8), load_be(p->bytes + 8, 8)};
}

/* A number whose low `n` bits are set. */
static uint64_t ones(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static struct number last_of(const struct prefix *p)
{
	struct number v = first_of(p);
	unsigned host = (p->family == AF_INET ? 32u : 128u) - p->bits;

	v.low |= ones(host);
	v.high |= host > 64 ? ones(host - 64) : 0;
	return v;
}

/* By first address, then the outer before the inner, then by value. */
static int entry_compare(const void *a, const void *b)
{
	const struct prefix_entry *x = a, *y = b;
	int order = number_compare(first_of(&x->prefix), first_of(&y->prefix));

	if (order)
		return order;
	if (x->prefix.bits != y->prefix.bits)
		return x->prefix.bits < y->prefix.bits ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

/* From `start` on it is `value`. */
static void emit(struct ranges *out, struct number start, uint32_t value)
{
	struct range *last = out->n ? &out->range[out->n - 1] : NULL;

	if (last && number_compare(last->start, start) == 0) {
		last->value = value;
		return;
	}
	if (last ? last->value == value : value == PREFIX_NONE)
		return;
	out->range[out->n++] = (struct range){start, value};
}

static uint32_t sweep_value(const struct sweep *s)
{
	return s->depth ? s->open[s->depth - 1].value : PREFIX_NONE;
}

static void sweep_close(struct sweep *s)
{
	struct number next = s->open[--s->depth].last;

	next.low++;
	if (!next.low)
		next.high++;
	/* Nothing comes behind the last address of all. IPv4 ends below
	 * 2^32, where a range that nobody looks up does no harm. */
	if (next.high || next.low)
		emit(s->out, next, sweep_value(s));
}

static void sweep_open(
    struct sweep *s, const struct prefix_entry *e, enum prefix_rule rule)
{
	struct number first = first_of(&e->prefix);
	uint32_t value = e->value;

	while (
	    s->depth && number_compare(s->open[s->depth - 1].last, first) < 0)
		sweep_close(s);
	if (rule == PREFIX_LOWEST && sweep_value(s) < value)
		value = sweep_value(s);
	br_assert(s->depth < DEPTH_MAX);
	s->open[s->depth++] = (struct open_prefix){last_of(&e->prefix), value};
	emit(s->out, first, value);
}

static void flatten(struct ranges *ret, const struct prefix_entry *entries,
    uint32_t n, enum prefix_rule rule)
{
	struct sweep s = {.out = ret};

	for (uint32_t i = 0; i < n; i++) {
		/* Of equal prefixes the first has the lowest value. */
		if (i &&
		    prefix_covers(&entries[i - 1].prefix, &entries[i].prefix) &&
		    entries[i - 1].prefix.bits == entries[i].prefix.bits)
			continue;
		sweep_open(&s, &entries[i], rule);
	}
	while (s.depth)
		sweep_close(&s);
}

static void family_build(struct arena *arena, struct ranges *ret,
    const struct prefix_entry *entries, uint32_t n, uint8_t family,
    enum prefix_rule rule)
{
	struct prefix_entry *own = arena_alloc(arena, (n + 1) * sizeof(*own));
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		br_assert(entries[i].value != PREFIX_NONE);
		if (entries[i].prefix.family == family)
			own[count++] = entries[i];
	}
	if (!count)
		return;
	qsort(own, count, sizeof(*own), entry_compare);
	ret->range =
	    arena_alloc(arena, (2 * (size_t)count + 1) * sizeof(*ret->range));
	flatten(ret, own, count, rule);
}

struct prefix_map *prefix_map_new(struct arena *arena,
    const struct prefix_entry *entries, uint32_t n, enum prefix_rule rule)
{
	struct prefix_map *map = arena_alloc(arena, sizeof(*map));
	/* What only building needs does not stay. */
	struct arena *scratch = arena_new();
	struct prefix_map built = {0};

	family_build(scratch, &built.in, entries, n, AF_INET, rule);
	family_build(scratch, &built.in6, entries, n, AF_INET6, rule);
	for (int i = 0; i < 2; i++) {
		const struct ranges *from = i ? &built.in6 : &built.in;
		struct ranges *to = i ? &map->in6 : &map->in;
		size_t bytes = from->n * sizeof(*from->range);

		if (!bytes)
			continue;
		to->range = arena_alloc(arena, bytes);
		to->n = from->n;
		memcpy(to->range, from->range, bytes);
	}
	arena_free(scratch);
	return map;
}

uint32_t prefix_map_find(const struct prefix_map *map, const struct addr *a)
{
	const struct ranges *ranges;
	struct prefix p;
	struct number key;
	uint32_t below = 0, above;

	if (!prefix_of_addr(&p, a))
		return PREFIX_NONE;
	ranges = p.family == AF_INET ? &map->in : &map->in6;
	key = first_of(&p);
	/* The last range that starts at or before the key. */
	above = ranges->n;
	while (below < above) {
		uint32_t middle = below + (above - below) / 2;

		if (number_compare(ranges->range[middle].start, key) <= 0)
			below = middle + 1;
		else
			above = middle;
	}
	return below ? ranges->range[below - 1].value : PREFIX_NONE;
}
