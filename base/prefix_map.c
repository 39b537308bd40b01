/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefix_map.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

/* Prefixes that nest, the longest of IPv6 and "all of it" included. */
#define DEPTH_MAX 129

/* An address as a number of 128 bits; IPv4 in the first 32. */
struct number {
	uint64_t high, low;
};

/* From `start` to the next range's start. */
struct range {
	struct number start;
	uint32_t value;
};

/* As they are built. */
struct ranges {
	struct range *range;
	uint32_t n;
};

/* As they are searched: range i starts at high[i], low[i]. */
struct family {
	uint32_t n;
	uint64_t *high;
	uint64_t *low; /* NULL: all 0 */
	uint32_t *value;
	/* The first range whose start has these 16 bits or more in front;
	 * NULL in a small one. */
	uint32_t *table;
};

#define TABLE_SLOTS (1u << 16)

struct prefix_map {
	struct family in, in6;
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
		return (struct number){load_be(p->bytes, 4) << 32, 0};
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
	unsigned host = 128u - p->bits;

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

/* From `start` on it is `value`. Ranges side by side have different values,
 * which a leaf's depth depends on. */
static void emit(struct ranges *out, struct number start, uint32_t value)
{
	uint32_t before;

	if (out->n && !number_compare(out->range[out->n - 1].start, start))
		out->n--;
	before = out->n ? out->range[out->n - 1].value : PREFIX_NONE;
	if (value != before)
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
	/* Nothing comes behind the last address of all. */
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

/* Slot s has the number of ranges that start below it; the last one all. */
static uint32_t *table_of(struct arena *arena, const struct ranges *from)
{
	uint32_t *table =
	    arena_alloc(arena, (TABLE_SLOTS + 1) * sizeof(*table));
	uint32_t i = 0;

	for (uint32_t slot = 0; slot <= TABLE_SLOTS; slot++) {
		while (i < from->n && from->range[i].start.high >> 48 < slot)
			i++;
		table[slot] = i;
	}
	return table;
}

static void family_finish(
    struct arena *arena, struct family *ret, const struct ranges *from)
{
	bool low = false;

	if (!from->n)
		return;
	ret->n = from->n;
	ret->high = arena_alloc(arena, from->n * sizeof(*ret->high));
	ret->value = arena_alloc(arena, from->n * sizeof(*ret->value));
	for (uint32_t i = 0; i < from->n; i++) {
		ret->high[i] = from->range[i].start.high;
		ret->value[i] = from->range[i].value;
		low |= from->range[i].start.low != 0;
	}
	if (low)
		ret->low = arena_alloc(arena, from->n * sizeof(*ret->low));
	for (uint32_t i = 0; low && i < from->n; i++)
		ret->low[i] = from->range[i].start.low;
	if (from->n >= PREFIX_MAP_TABLE_MIN)
		ret->table = table_of(arena, from);
}

struct prefix_map *prefix_map_new(struct arena *arena,
    const struct prefix_entry *entries, uint32_t n, enum prefix_rule rule)
{
	struct prefix_map *map = arena_alloc(arena, sizeof(*map));
	/* What only building needs does not stay. */
	struct arena *scratch = arena_new();
	struct ranges in = {0}, in6 = {0};

	family_build(scratch, &in, entries, n, AF_INET, rule);
	family_build(scratch, &in6, entries, n, AF_INET6, rule);
	family_finish(arena, &map->in, &in);
	family_finish(arena, &map->in6, &in6);
	arena_free(scratch);
	return map;
}

static bool starts_by(const struct family *f, uint32_t i, struct number key)
{
	if (f->high[i] != key.high)
		return f->high[i] < key.high;
	return !f->low || f->low[i] <= key.low;
}

/* Ranges that start at or before the key: the last of them has it. */
static uint32_t count_until(const struct family *f, struct number key)
{
	uint32_t below = 0, above = f->n;

	if (f->table) {
		below = f->table[key.high >> 48];
		above = f->table[(key.high >> 48) + 1];
	}
	while (below < above) {
		uint32_t middle = below + (above - below) / 2;

		if (starts_by(f, middle, key))
			below = middle + 1;
		else
			above = middle;
	}
	return below;
}

static const struct family *family_of(
    const struct prefix_map *map, const struct prefix *p)
{
	return p->family == AF_INET ? &map->in : &map->in6;
}

uint32_t prefix_map_find(const struct prefix_map *map, const struct addr *a)
{
	const struct family *f;
	struct prefix p;
	uint32_t n;

	if (!prefix_of_addr(&p, a))
		return PREFIX_NONE;
	f = family_of(map, &p);
	n = count_until(f, first_of(&p));
	return n ? f->value[n - 1] : PREFIX_NONE;
}

/* Bits that both have in common in front, of two different numbers. */
static uint32_t common_bits(struct number a, struct number b)
{
	if (a.high != b.high)
		return (uint32_t)__builtin_clzll(a.high ^ b.high);
	return 64 + (uint32_t)__builtin_clzll(a.low ^ b.low);
}

static struct number start_of(const struct family *f, uint32_t i)
{
	return (struct number){f->high[i], f->low ? f->low[i] : 0};
}

static struct number one_less(struct number v)
{
	return (struct number){v.high - !v.low, v.low - 1};
}

/* A prefix around the address lies within its range when it reaches neither
 * the last address before it nor the first one behind. */
struct prefix_leaf prefix_map_leaf(
    const struct prefix_map *map, const struct prefix *p)
{
	const struct family *f = family_of(map, p);
	struct number key = first_of(p);
	uint32_t n = count_until(f, key), depth = 0, other;

	if (n && (f->high[n - 1] || start_of(f, n - 1).low))
		depth = 1 + common_bits(key, one_less(start_of(f, n - 1)));
	if (n < f->n) {
		other = 1 + common_bits(key, start_of(f, n));
		depth = other > depth ? other : depth;
	}
	return (struct prefix_leaf){
	    n ? f->value[n - 1] : PREFIX_NONE, (uint8_t)depth};
}

static bool same_numbers(const uint64_t *a, const uint64_t *b, uint32_t n)
{
	if (!a || !b)
		return a == b;
	return !memcmp(a, b, n * sizeof *a);
}

static bool family_equal(const struct family *a, const struct family *b)
{
	if (a->n != b->n || !a->n)
		return a->n == b->n;
	return same_numbers(a->high, b->high, a->n) &&
	       same_numbers(a->low, b->low, a->n) &&
	       !memcmp(a->value, b->value, a->n * sizeof *a->value);
}

bool prefix_map_equal(const struct prefix_map *a, const struct prefix_map *b)
{
	return family_equal(&a->in, &b->in) && family_equal(&a->in6, &b->in6);
}
