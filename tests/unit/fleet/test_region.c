/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/region.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <string.h>

enum { EU, US, AS, ISP };
#define GEO REGION_FROM_GEO
#define ASN REGION_FROM_ASN
#define CONFIG REGION_FROM_CONFIG

static struct region_entry entries[64];
static uint32_t n_entries;

static void add(const char *text, uint16_t region, enum region_source source)
{
	struct region_entry *e = &entries[n_entries++];

	ck_assert_int_eq(prefix_parse(&e->prefix, text), 0);
	e->region = region;
	e->source = (uint8_t)source;
}

static struct region_map *built(void)
{
	struct region_map *map = NULL;
	struct region_clash clash;

	ck_assert_int_eq(region_map_new(entries, n_entries, &map, &clash), 0);
	n_entries = 0;
	return map;
}

static void expect(const struct region_map *map, const char *text,
    uint32_t region, unsigned depth)
{
	struct region_found found;
	struct prefix p;

	ck_assert_int_eq(prefix_parse(&p, text), 0);
	found = region_find(map, &p);
	ck_assert_uint_eq(found.region, region);
	ck_assert_uint_eq(found.depth, depth);
}

START_TEST(test_equal)
{
	struct region_map *one, *same, *other;

	add("10.0.0.0/8", EU, GEO);
	add("2001:db8::/32", US, GEO);
	one = built();
	/* By another way, but the same for every address. */
	add("2001:db8::/32", US, GEO);
	add("10.0.0.0/8", EU, CONFIG);
	add("10.1.0.0/16", ISP, ASN);
	same = built();
	add("10.0.0.0/8", EU, GEO);
	add("2001:db8::/32", EU, GEO);
	other = built();
	ck_assert(region_map_equal(one, one));
	ck_assert(region_map_equal(one, same));
	ck_assert(!region_map_equal(one, other));
	ck_assert(!region_map_equal(one, NULL));
	ck_assert(!region_map_equal(NULL, one));
	ck_assert(region_map_equal(NULL, NULL));
	region_map_free(one);
	region_map_free(same);
	region_map_free(other);
}
END_TEST

START_TEST(test_nothing_is_one_leaf)
{
	struct region_map *map = built();

	expect(map, "192.0.2.0/24", REGION_NONE, 0);
	expect(map, "2001:db8::/56", REGION_NONE, 0);
	ck_assert_uint_gt(region_map_bytes(map), 0);
	region_map_free(map);
	region_map_free(NULL);
}
END_TEST

START_TEST(test_longest_of_one_source_wins)
{
	struct region_map *map;

	add("10.1.0.0/16", US, CONFIG);
	add("10.0.0.0/8", EU, CONFIG);
	add("10.1.2.0/24", EU, CONFIG);
	add("2001:db8::/32", AS, CONFIG);
	add("2001:db8::/32", AS, CONFIG); /* said twice */
	map = built();
	expect(map, "10.1.2.0/24", EU, 24);
	expect(map, "10.1.3.0/24", US, 24);
	expect(map, "10.1.128.0/24", US, 17);
	expect(map, "10.2.0.0/24", EU, 15);
	expect(map, "11.2.0.0/24", REGION_NONE, 8);
	expect(map, "2001:db8::/56", AS, 32);
	region_map_free(map);
}
END_TEST

START_TEST(test_stronger_source_wins_over_all_within)
{
	struct region_map *map;

	add("10.0.0.0/8", US, GEO);
	add("10.1.4.0/24", AS, GEO);
	add("10.1.0.0/16", ISP, ASN);
	add("10.1.5.0/24", ISP, ASN);
	add("10.1.5.128/25", AS, GEO);
	add("10.1.6.0/24", EU, CONFIG);
	add("10.1.6.0/24", ISP, ASN); /* equal: overridden, no clash */
	add("10.1.6.0/25", US, ASN);
	add("10.9.0.0/16", EU, GEO);
	map = built();
	expect(map, "10.1.4.0/24", ISP, 23);
	expect(map, "10.1.5.128/25", ISP, 23);
	expect(map, "10.1.6.0/25", EU, 24);
	expect(map, "10.1.7.0/24", ISP, 24);
	expect(map, "10.9.0.0/24", EU, 16);
	expect(map, "10.2.0.0/24", US, 15);
	region_map_free(map);
}
END_TEST

START_TEST(test_clash_names_both)
{
	struct region_map *map = NULL;
	struct region_clash clash;

	add("10.0.0.0/8", EU, CONFIG);
	add("10.1.0.0/16", AS, CONFIG);
	add("10.0.0.0/8", EU, GEO);
	add("10.1.0.0/16", US, CONFIG);
	ck_assert_int_eq(
	    region_map_new(entries, n_entries, &map, &clash), -EEXIST);
	ck_assert_ptr_null(map);
	ck_assert_uint_eq(clash.first, US);
	ck_assert_uint_eq(clash.second, AS);
	ck_assert_uint_eq(clash.prefix.bits, 16);
	ck_assert_uint_eq(clash.prefix.bytes[1], 1);
	ck_assert_int_eq(
	    region_map_new(entries, REGION_PREFIXES_MAX + 1, &map, &clash),
	    -E2BIG);
	n_entries = 0;
}
END_TEST

/* The strongest source that covers an address, and of it the longest. */
static uint32_t expected(const struct prefix *at)
{
	uint32_t region = REGION_NONE;
	int best = -1;

	for (uint32_t i = 0; i < n_entries; i++) {
		const struct region_entry *e = &entries[i];
		int rank = e->source * 1000 + e->prefix.bits;

		if (!prefix_covers(&e->prefix, at) || rank <= best)
			continue;
		best = rank;
		region = e->region;
	}
	return region;
}

START_TEST(test_agrees_with_looking_at_each)
{
	struct region_map *map = NULL;
	struct region_clash clash;
	struct rng rng;

	rng_seed(&rng, (uint64_t)_i);
	for (n_entries = 0; n_entries < BR_COUNT(entries); n_entries++) {
		struct prefix p = {.family = AF_INET, .bits = 32};

		for (int i = 0; i < 4; i++)
			p.bytes[i] = (uint8_t)(rng_below(&rng, 3) * 0x55);
		prefix_cut(&p, (uint8_t)rng_below(&rng, 32));
		entries[n_entries] = (struct region_entry){p,
		    (uint16_t)rng_below(&rng, 3), (uint8_t)rng_below(&rng, 3)};
	}
	while (region_map_new(entries, n_entries, &map, &clash)) {
		/* Drops the later of the two and tries again. */
		uint32_t i = n_entries;

		while (entries[--i].region != clash.second ||
		       entries[i].prefix.bits != clash.prefix.bits ||
		       !prefix_covers(&clash.prefix, &entries[i].prefix))
			;
		entries[i] = entries[--n_entries];
	}
	for (int i = 0; i < 500; i++) {
		struct prefix p = {.family = AF_INET, .bits = 32};

		for (int j = 0; j < 4; j++)
			p.bytes[j] = (uint8_t)(rng_below(&rng, 3) * 0x55);
		ck_assert_uint_eq(region_find(map, &p).region, expected(&p));
	}
	region_map_free(map);
	n_entries = 0;
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("region");

	tcase_add_test(tcase, test_nothing_is_one_leaf);
	tcase_add_test(tcase, test_equal);
	tcase_add_test(tcase, test_longest_of_one_source_wins);
	tcase_add_test(tcase, test_stronger_source_wins_over_all_within);
	tcase_add_test(tcase, test_clash_names_both);
	tcase_add_loop_test(tcase, test_agrees_with_looking_at_each, 0, 20);
	return check_main(tcase);
}
