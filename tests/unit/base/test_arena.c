/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <stdbool.h>
#include <string.h>

/* Each byte equals the one before it, and the first is 0. */
static bool all_zero(const char *bytes, size_t length)
{
	return length == 0 ||
	       (bytes[0] == 0 && !memcmp(bytes, bytes + 1, length - 1));
}

START_TEST(test_zeroed_and_aligned)
{
	static const size_t sizes[] = {
	    0, 1, 15, 16, 17, 1000, 4096, 70000, 3000000, 5};
	struct arena *arena = arena_new();
	size_t sum = 0;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < 10; i++) {
			char *p = arena_alloc(arena, sizes[i]);

			ck_assert_uint_eq((uintptr_t)p % 16, 0);
			ck_assert(all_zero(p, sizes[i]));
			memset(p, 0xff, sizes[i]);
			sum += sizes[i];
		}
	}
	ck_assert_uint_ge(arena_bytes(arena), sum);
	ck_assert_uint_le(arena_bytes(arena), sum * 2);
	arena_free(arena);
	arena_free(NULL);
}
END_TEST

START_TEST(test_texts)
{
	struct arena *arena = arena_new();

	ck_assert_str_eq(arena_strdup(arena, "servers"), "servers");
	ck_assert_str_eq(arena_strdup(arena, ""), "");
	ck_assert_str_eq(arena_strndup(arena, "servers", 3), "ser");
	ck_assert_str_eq(arena_printf(arena, "%s-%d", "a", 42), "a-42");
	ck_assert_uint_eq(strlen(arena_printf(arena, "%5000d", 1)), 5000);
	arena_free(arena);
}
END_TEST

START_TEST(test_grow_in_place_and_by_copy)
{
	struct arena *arena = arena_new();
	char *a = arena_alloc(arena, 10), *grown;

	memset(a, 'a', 10);
	ck_assert_ptr_eq(arena_grow(arena, a, 10, 100), a);
	ck_assert_int_eq(a[9], 'a');
	ck_assert_int_eq(a[10], 0);
	(void)arena_alloc(arena, 1);
	memset(a, 'a', 100);
	grown = arena_grow(arena, a, 100, 200);
	ck_assert_ptr_ne(grown, a);
	ck_assert_int_eq(grown[99], 'a');
	ck_assert_int_eq(grown[199], 0);
	ck_assert_ptr_nonnull(arena_grow(arena, NULL, 0, 50));
	/* The last one, beyond the end of its block. */
	grown = arena_grow(arena, arena_strdup(arena, "last"), 5, 100000);
	ck_assert_str_eq(grown, "last");
	memset(grown, 'b', 100000);
	arena_free(arena);
}
END_TEST

/* Several arrays grow in turns; none may disturb another. */
START_TEST(test_arrays_growing_in_turns)
{
	enum { ARRAYS = 7, STEPS = 3000 };
	struct arena *arena = arena_new();
	uint32_t *array[ARRAYS] = {0};
	size_t count[ARRAYS] = {0};
	struct rng rng;

	rng_seed(&rng, 11);
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = rng_below(&rng, ARRAYS);
		size_t more = 1 + rng_below(&rng, 9);

		array[i] = arena_grow(
		    arena, array[i], count[i] * 4, (count[i] + more) * 4);
		for (size_t j = 0; j < more; j++) {
			ck_assert_uint_eq(array[i][count[i]], 0);
			array[i][count[i]++] = i + 1;
		}
	}
	for (uint32_t i = 0; i < ARRAYS; i++) {
		for (size_t j = 0; j < count[i]; j++)
			ck_assert_uint_eq(array[i][j], i + 1);
	}
	arena_free(arena);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("arena");

	tcase_add_test(tcase, test_zeroed_and_aligned);
	tcase_add_test(tcase, test_texts);
	tcase_add_test(tcase, test_grow_in_place_and_by_copy);
	tcase_add_test(tcase, test_arrays_growing_in_turns);
	return check_main(tcase);
}
