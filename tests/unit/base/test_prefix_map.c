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

int main(void)
{
	TCase *tcase = tcase_create("prefix_map");

	tcase_add_test(tcase, test_empty);
	tcase_add_test(tcase, test_rules);
	tcase_add_test(tcase, test_deepest_nest);
	tcase_add_loop_test(tcase, test_agrees_with_looking_at_each, 0, 8);
	return check_main(tcase);
}
