/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include "tests/unit/base/check_main.h"

/* First outputs of the authors' xoshiro256starstar.c for this state. */
START_TEST(test_reference_values)
{
	struct rng rng = {{1, 2, 3, 4}};

	ck_assert_uint_eq(rng_u64(&rng), 11520);
	ck_assert_uint_eq(rng_u64(&rng), 0);
	ck_assert_uint_eq(rng_u64(&rng), 1509978240);
	ck_assert_uint_eq(rng_u64(&rng), UINT64_C(1215971899390074240));
}
END_TEST

START_TEST(test_seeds)
{
	struct rng a, b, c;

	rng_seed(&a, 0);
	rng_seed(&b, 0);
	rng_seed(&c, 1);
	/* The first output of splitmix64.c for seed 0. */
	ck_assert_uint_eq(a.s[0], UINT64_C(0xe220a8397b1dcdaf));
	ck_assert_uint_eq(rng_u64(&a), rng_u64(&b));
	ck_assert_uint_ne(rng_u64(&a), rng_u64(&c));
	rng_seed_random(&a);
	rng_seed_random(&b);
	ck_assert_uint_ne(rng_u64(&a), rng_u64(&b));
}
END_TEST

START_TEST(test_below_is_uniform)
{
	enum { BOUND = 7, DRAWS = 70000 };
	uint32_t count[BOUND] = {0};
	struct rng rng;

	rng_seed(&rng, 42);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t v = rng_below(&rng, BOUND);

		ck_assert_uint_lt(v, BOUND);
		count[v]++;
	}
	/* Five standard deviations of 93; the seed is fixed anyway. */
	for (int i = 0; i < BOUND; i++) {
		ck_assert_uint_gt(count[i], DRAWS / BOUND - 465);
		ck_assert_uint_lt(count[i], DRAWS / BOUND + 465);
	}
}
END_TEST

/* With 3 * 2^30 a plain multiply would give every third value twice. */
START_TEST(test_below_has_no_bias_for_large_bounds)
{
	const uint32_t bound = 3U << 30;
	uint32_t count[3] = {0};
	struct rng rng;

	rng_seed(&rng, 43);
	for (int i = 0; i < 30000; i++)
		count[rng_below(&rng, bound) % 3]++;
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_gt(count[i], 9500);
		ck_assert_uint_lt(count[i], 10500);
	}
	ck_assert_uint_eq(rng_below(&rng, 1), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("rng");

	tcase_add_test(tcase, test_reference_values);
	tcase_add_test(tcase, test_seeds);
	tcase_add_test(tcase, test_below_is_uniform);
	tcase_add_test(tcase, test_below_has_no_bias_for_large_bounds);
	return check_main(tcase);
}
