/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefix_map.h"

#include "base/arena.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

#define ENTRIES_MAX 4096

static struct arena *arena;
static struct prefix_entry entries[ENTRIES_MAX];
static uint32_t n_entries;

static void start(void)
{
	arena = arena_new();
	n_entries = 0;
}

static void add(const char *text, uint32_t value)
{
	ck_assert_int_eq(prefix_parse(&entries[n_entries].prefix, text), 0);
	entries[n_entries++].value = value;
}

static uint32_t find(const struct prefix_map *map, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return prefix_map_find(map, &a);
}

START_TEST(test_empty)
{
	struct prefix_map *map;
	struct addr none = {0}, path;

	start();
	map = prefix_map_new(arena, NULL, 0, PREFIX_LONGEST);
	ck_assert_uint_eq(find(map, "192.0.2.1"), PREFIX_NONE);
	ck_assert_uint_eq(find(map, "::1"), PREFIX_NONE);
	add("0.0.0.0/0", 1);
	add("::/0", 2);
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	ck_assert_uint_eq(prefix_map_find(map, &none), PREFIX_NONE);
	ck_assert_int_eq(addr_parse(&path, "unix:/x"), 0);
	ck_assert_uint_eq(prefix_map_find(map, &path), PREFIX_NONE);
	ck_assert_uint_eq(find(map, "0.0.0.0"), 1);
	ck_assert_uint_eq(find(map, "255.255.255.255"), 1);
	ck_assert_uint_eq(find(map, "::ffff:1.2.3.4"), 1);
	ck_assert_uint_eq(find(map, "::"), 2);
	ck_assert_uint_eq(
	    find(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2);
	arena_free(arena);
}
END_TEST

static struct prefix_map *map_of(const char *text, uint32_t value)
{
	n_entries = 0;
	if (text)
		add(text, value);
	return prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
}

START_TEST(test_equal)
{
	/* Beyond /64, too, which is kept in another way. */
	const struct prefix_map *maps[7];

	start();
	maps[0] = map_of(NULL, 0);
	maps[1] = map_of("10.0.0.0/8", 1);
	maps[2] = map_of("10.0.0.0/8", 2);
	maps[3] = map_of("10.0.0.0/9", 1);
	maps[4] = map_of("2001:db8::/64", 1);
	maps[5] = map_of("2001:db8::/96", 1);
	maps[6] = map_of("2001:db8::/97", 1);
	for (uint32_t i = 0; i < 7; i++)
		for (uint32_t j = 0; j < 7; j++)
			ck_assert_int_eq(
			    prefix_map_equal(maps[i], maps[j]), i == j);
	ck_assert(
	    prefix_map_equal(maps[6], map_of("2001:db8:0:0:0:0::/97", 1)));
	arena_free(arena);
}
END_TEST

START_TEST(test_rules)
{
	struct prefix_map *longest, *lowest;

	start();
	add("10.0.0.0/8", 5);
	add("10.1.0.0/16", 7);
	add("10.1.2.0/24", 3);
	add("10.1.2.3", 9);
	add("10.1.2.3/32", 8);
	add("10.2.0.0/16", 4);
	longest = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	lowest = prefix_map_new(arena, entries, n_entries, PREFIX_LOWEST);
	ck_assert_uint_eq(find(longest, "9.255.255.255"), PREFIX_NONE);
	ck_assert_uint_eq(find(longest, "10.0.0.0"), 5);
	ck_assert_uint_eq(find(longest, "10.1.0.0"), 7);
	ck_assert_uint_eq(find(longest, "10.1.2.2"), 3);
	ck_assert_uint_eq(find(longest, "10.1.2.3"), 8);
	ck_assert_uint_eq(find(longest, "10.1.2.4"), 3);
	ck_assert_uint_eq(find(longest, "10.1.3.0"), 7);
	ck_assert_uint_eq(find(longest, "10.2.0.0"), 4);
	ck_assert_uint_eq(find(longest, "10.3.0.0"), 5);
	ck_assert_uint_eq(find(longest, "11.0.0.0"), PREFIX_NONE);
	ck_assert_uint_eq(find(lowest, "10.1.0.0"), 5);
	ck_assert_uint_eq(find(lowest, "10.1.2.3"), 3);
	ck_assert_uint_eq(find(lowest, "10.1.3.0"), 5);
	ck_assert_uint_eq(find(lowest, "10.2.0.0"), 4);
	arena_free(arena);
}
END_TEST

/* All of 129 lengths at once. */
START_TEST(test_deepest_nest)
{
	struct prefix_map *map;

	start();
	for (unsigned bits = 0; bits <= 128; bits++) {
		add("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0);
		entries[bits].value = bits;
		prefix_cut(&entries[bits].prefix, (uint8_t)bits);
	}
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	ck_assert_uint_eq(
	    find(map, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 128);
	ck_assert_uint_eq(
	    find(map, "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"), 127);
	ck_assert_uint_eq(find(map, "2001:db8::"), 32);
	ck_assert_uint_eq(find(map, "::"), 2);
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LOWEST);
	ck_assert_uint_eq(
	    find(map, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	arena_free(arena);
}
END_TEST

static uint32_t expected(const struct prefix *at, enum prefix_rule rule)
{
	uint32_t value = PREFIX_NONE;
	int bits = -1;

	for (uint32_t i = 0; i < n_entries; i++) {
		const struct prefix_entry *e = &entries[i];

		if (!prefix_covers(&e->prefix, at))
			continue;
		if (rule == PREFIX_LONGEST && e->prefix.bits != bits) {
			if (e->prefix.bits < bits)
				continue;
			bits = e->prefix.bits;
			value = e->value;
		}
		value = e->value < value ? e->value : value;
	}
	return value;
}

static struct prefix random_prefix(struct rng *rng, uint8_t family)
{
	struct prefix p = {
	    .family = family, .bits = family == AF_INET ? 32 : 128};

	/* Few different bytes, so that many nest. */
	for (unsigned i = 0; i < p.bits / 8u; i++)
		p.bytes[i] = (uint8_t)(rng_below(rng, 3) * 0x55);
	if (family == AF_INET6)
		p.bytes[0] = 0x20;
	return p;
}

START_TEST(test_agrees_with_looking_at_each)
{
	uint8_t family = _i % 2 ? AF_INET : AF_INET6;
	struct prefix_map *maps[2];
	struct rng rng;

	start();
	rng_seed(&rng, (uint64_t)_i);
	for (; n_entries < 400; n_entries++) {
		struct prefix p = random_prefix(&rng, family);

		prefix_cut(&p, (uint8_t)rng_below(&rng, p.bits + 1u));
		entries[n_entries] =
		    (struct prefix_entry){p, rng_below(&rng, 100)};
	}
	maps[0] = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	maps[1] = prefix_map_new(arena, entries, n_entries, PREFIX_LOWEST);
	for (int i = 0; i < 1000; i++) {
		struct prefix p = random_prefix(&rng, family);
		struct addr a = {.length = sizeof(a.in6)};

		if (family == AF_INET) {
			a.in.sin_family = AF_INET;
			memcpy(&a.in.sin_addr, p.bytes, 4);
		} else {
			a.in6.sin6_family = AF_INET6;
			memcpy(&a.in6.sin6_addr, p.bytes, 16);
		}
		ck_assert_uint_eq(
		    prefix_map_find(maps[0], &a), expected(&p, PREFIX_LONGEST));
		ck_assert_uint_eq(
		    prefix_map_find(maps[1], &a), expected(&p, PREFIX_LOWEST));
	}
	arena_free(arena);
}
END_TEST

/* -- leaves ------------------------------------------------------------ */

static struct prefix_leaf leaf_of(
    const struct prefix_map *map, const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(&p, text), 0);
	return prefix_map_leaf(map, &p);
}

static void expect_leaf(const struct prefix_map *map, const char *text,
    uint32_t value, unsigned depth)
{
	struct prefix_leaf leaf = leaf_of(map, text);

	ck_assert_uint_eq(leaf.value, value);
	ck_assert_uint_eq(leaf.depth, depth);
}

START_TEST(test_leaves)
{
	struct prefix_map *map;

	start();
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	expect_leaf(map, "10.0.0.0", PREFIX_NONE, 0);
	expect_leaf(map, "2001:db8::", PREFIX_NONE, 0);
	add("10.0.0.0/8", 1);
	add("10.1.0.0/16", 2);
	/* Neighbours of one value are one: 10.2.0.0/15 in effect. */
	add("10.2.0.0/16", 3);
	add("10.3.0.0/16", 3);
	add("2001:db8::/32", 4);
	add("2001:db8:0:0:1::/80", 5);
	add("ffff::/16", 6);
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	expect_leaf(map, "10.0.0.0/24", 1, 16);
	expect_leaf(map, "10.1.2.0/24", 2, 16);
	expect_leaf(map, "10.2.2.0/24", 3, 15);
	expect_leaf(map, "10.3.255.255", 3, 15);
	expect_leaf(map, "10.4.0.0", 1, 14);
	expect_leaf(map, "10.128.0.0", 1, 9);
	expect_leaf(map, "11.0.0.0", PREFIX_NONE, 8);
	expect_leaf(map, "192.0.2.0", PREFIX_NONE, 1);
	expect_leaf(map, "0.0.0.0", PREFIX_NONE, 5);
	expect_leaf(map, "2001:db8::", 4, 80);
	expect_leaf(map, "2001:db8:0:0:1::", 5, 80);
	expect_leaf(map, "2001:db8:8000::/56", 4, 33);
	expect_leaf(map, "ffff:1::", 6, 16);
	expect_leaf(map, "::", PREFIX_NONE, 3);
	arena_free(arena);
}
END_TEST

START_TEST(test_leaves_at_both_ends)
{
	struct prefix_map *map;

	start();
	add("0.0.0.0/32", 1);
	add("255.255.255.255/32", 2);
	add("::/128", 3);
	add("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 4);
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	expect_leaf(map, "0.0.0.0", 1, 32);
	expect_leaf(map, "0.0.0.1", PREFIX_NONE, 32);
	expect_leaf(map, "0.0.0.2", PREFIX_NONE, 31);
	expect_leaf(map, "255.255.255.255", 2, 32);
	expect_leaf(map, "::", 3, 128);
	expect_leaf(map, "::2", PREFIX_NONE, 127);
	expect_leaf(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4, 128);
	arena_free(arena);
	/* The same value everywhere is one leaf, however it is written. */
	start();
	add("0.0.0.0/0", 7);
	add("10.0.0.0/8", 7);
	add("0.0.0.0/1", 7);
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	expect_leaf(map, "10.0.0.0", 7, 0);
	arena_free(arena);
}
END_TEST

static bool is_zero_behind(const struct prefix *p, uint8_t bits)
{
	struct prefix cut = *p;

	prefix_cut(&cut, bits);
	return !memcmp(cut.bytes, p->bytes, sizeof cut.bytes);
}

/* Whether all of p's first `bits` bits have the value: it can change only
 * where an entry begins or behind one's end, which for the tree of prefixes
 * is where a sibling begins. */
static bool is_uniform(const struct prefix *p, uint8_t bits, uint32_t value)
{
	struct prefix block = *p;

	prefix_cut(&block, bits);
	block.bits = bits;
	for (uint32_t i = 0; i < n_entries; i++) {
		const struct prefix *e = &entries[i].prefix;
		struct prefix at = *e;
		uint8_t full = e->family == AF_INET ? 32 : 128;

		if (!prefix_covers(&block, e))
			continue;
		at.bits = full;
		if (expected(&at, PREFIX_LONGEST) != value)
			return false;
		/* Every sibling on the way from the block down to it. */
		for (uint8_t b = bits; b < e->bits; b++) {
			at = *e;
			prefix_cut(&at, (uint8_t)(b + 1));
			at.bytes[b / 8] ^= (uint8_t)(0x80 >> b % 8);
			at.bits = full;
			ck_assert(is_zero_behind(&at, (uint8_t)(b + 1)));
			if (expected(&at, PREFIX_LONGEST) != value)
				return false;
		}
	}
	return true;
}

START_TEST(test_leaves_agree_with_looking_at_all)
{
	uint8_t family = _i % 2 ? AF_INET : AF_INET6;
	struct prefix_map *map;
	struct rng rng;

	start();
	rng_seed(&rng, (uint64_t)_i);
	for (; n_entries < 40; n_entries++) {
		struct prefix p = random_prefix(&rng, family);

		prefix_cut(&p, (uint8_t)rng_below(&rng, p.bits / 2u));
		entries[n_entries] =
		    (struct prefix_entry){p, rng_below(&rng, 3)};
	}
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	for (int i = 0; i < 100; i++) {
		struct prefix p = random_prefix(&rng, family);
		struct prefix_leaf leaf = prefix_map_leaf(map, &p);

		ck_assert_uint_eq(leaf.value, expected(&p, PREFIX_LONGEST));
		ck_assert(is_uniform(&p, leaf.depth, leaf.value));
		ck_assert(
		    !leaf.depth ||
		    !is_uniform(&p, (uint8_t)(leaf.depth - 1), leaf.value));
	}
	arena_free(arena);
}
END_TEST

/* With the table over the first 16 bits. */
START_TEST(test_large)
{
	uint8_t family = _i % 2 ? AF_INET : AF_INET6;
	struct prefix_map *map;
	struct rng rng;

	start();
	rng_seed(&rng, (uint64_t)_i);
	for (; n_entries < 3000; n_entries++) {
		struct prefix p = {.family = family, .bits = 40};

		for (int i = 0; i < 5; i++)
			p.bytes[i] = (uint8_t)rng_below(&rng, i ? 256 : 4);
		if (family == AF_INET) {
			p.bits = 24;
			p.bytes[3] = p.bytes[4] = 0;
		}
		prefix_cut(&p, (uint8_t)(p.bits - rng_below(&rng, 16)));
		entries[n_entries] = (struct prefix_entry){p, n_entries};
	}
	map = prefix_map_new(arena, entries, n_entries, PREFIX_LONGEST);
	for (int i = 0; i < 3000; i++) {
		struct prefix p = entries[rng_below(&rng, n_entries)].prefix;

		p.bits = family == AF_INET ? 32 : 128;
		p.bytes[rng_below(&rng, 4)] ^= (uint8_t)rng_below(&rng, 3);
		ck_assert_uint_eq(prefix_map_leaf(map, &p).value,
		    expected(&p, PREFIX_LONGEST));
	}
	arena_free(arena);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("prefix_map");

	tcase_add_test(tcase, test_empty);
	tcase_add_test(tcase, test_equal);
	tcase_add_test(tcase, test_rules);
	tcase_add_test(tcase, test_deepest_nest);
	tcase_add_loop_test(tcase, test_agrees_with_looking_at_each, 0, 8);
	tcase_add_test(tcase, test_leaves);
	tcase_add_test(tcase, test_leaves_at_both_ends);
	tcase_add_loop_test(tcase, test_leaves_agree_with_looking_at_all, 0, 8);
	tcase_add_loop_test(tcase, test_large, 0, 4);
	return check_main(tcase);
}
