/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/arena.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

START_TEST(test_equal_bytes_equal_hash)
{
	char a[64], b[64];

	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	for (size_t i = 0; i < sizeof(a); i++) {
		ck_assert_uint_eq(hash_bytes(a, i, 5), hash_bytes(b, i, 5));
		/* Alignment does not matter. */
		ck_assert_uint_eq(
		    hash_bytes(a, i, 5), hash_bytes(b + (sizeof(b) - i), i, 5));
	}
}
END_TEST

/* Each length, each flipped bit and each seed gives another value. */
START_TEST(test_all_input_counts)
{
	unsigned char text[48];
	uint64_t base;

	memset(text, 0, sizeof(text));
	for (size_t length = 0; length <= sizeof(text); length++) {
		base = hash_bytes(text, length, 1);
		ck_assert_uint_ne(base, hash_bytes(text, length, 2));
		if (length)
			ck_assert_uint_ne(
			    base, hash_bytes(text, length - 1, 1));
		for (size_t bit = 0; bit < length * 8; bit++) {
			text[bit / 8] ^= (unsigned char)(1 << bit % 8);
			ck_assert_uint_ne(base, hash_bytes(text, length, 1));
			text[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
}
END_TEST

/* Consecutive numbers spread evenly over the low and over the high bits. */
START_TEST(test_numbers_spread)
{
	uint32_t low[64] = {0}, high[64] = {0};

	for (uint64_t i = 0; i < 64000; i++) {
		uint64_t h = hash_u64(i, 9);

		low[h & 63]++;
		high[h >> 58]++;
	}
	for (int i = 0; i < 64; i++) {
		ck_assert_uint_gt(low[i], 800);
		ck_assert_uint_lt(low[i], 1200);
		ck_assert_uint_gt(high[i], 800);
		ck_assert_uint_lt(high[i], 1200);
	}
	ck_assert_uint_ne(hash_u64(0, 1), hash_u64(0, 2));
}
END_TEST

START_TEST(test_strmap)
{
	struct arena *arena = arena_new();
	struct strmap *map = strmap_new(arena);
	int a, b;

	ck_assert_ptr_null(strmap_get(map, "a"));
	ck_assert_ptr_null(strmap_put(map, "a", &a));
	ck_assert_ptr_eq(strmap_put(map, "a", &b), &a);
	ck_assert_ptr_null(strmap_put(map, "", &a));
	ck_assert_ptr_eq(strmap_get(map, "a"), &b);
	ck_assert_ptr_eq(strmap_get(map, ""), &a);
	ck_assert_uint_eq(strmap_count(map), 2);
	arena_free(arena);
}
END_TEST

START_TEST(test_strmap_with_many_keys)
{
	enum { KEYS = 60000 };
	struct arena *arena = arena_new();
	struct strmap *map = strmap_new(arena);
	char **keys = arena_alloc(arena, KEYS * sizeof(*keys));

	for (int i = 0; i < KEYS; i++) {
		keys[i] = arena_printf(arena, "servers.s%d", i);
		ck_assert_ptr_null(strmap_put(map, keys[i], keys[i]));
	}
	ck_assert_uint_eq(strmap_count(map), KEYS);
	for (int i = 0; i < KEYS; i++) {
		/* By text, not by address. */
		char *same = arena_strdup(arena, keys[i]);

		ck_assert_ptr_eq(strmap_get(map, same), keys[i]);
	}
	ck_assert_ptr_null(strmap_get(map, "servers.s60000"));
	arena_free(arena);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("hash");

	tcase_add_test(tcase, test_equal_bytes_equal_hash);
	tcase_add_test(tcase, test_all_input_counts);
	tcase_add_test(tcase, test_numbers_spread);
	tcase_add_test(tcase, test_strmap);
	tcase_add_test(tcase, test_strmap_with_many_keys);
	return check_main(tcase);
}
