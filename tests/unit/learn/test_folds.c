/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/folds.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

#define ROWS 3000

/* Groups of very different sizes, and each of mostly one class. */
static void make(struct dataset *data, uint64_t seed)
{
	uint32_t group = 0, left = 0;
	struct rng rng;

	rng_seed(&rng, seed);
	dataset_init(data, 1);
	for (uint32_t i = 0; i < ROWS; i++) {
		int32_t value = (int32_t)i;

		if (!left--) {
			group++;
			left = rng_below(&rng, 1 + rng_below(&rng, 200));
		}
		ck_assert_int_eq(
		    dataset_add(data, &value,
			rng_below(&rng, 10) ? group % 3 : 3, 1, group),
		    0);
	}
}

START_TEST(test_no_group_is_torn)
{
	for (uint32_t seed = 0; seed < 20; seed++) {
		uint32_t folds[ROWS], again[ROWS], n, sizes[5] = {0};
		uint32_t of_class[5][4] = {0}, in_all[4] = {0};
		struct dataset data;
		struct rng rng;

		make(&data, seed);
		rng_seed(&rng, seed);
		ck_assert_int_eq(
		    folds_deal(&data, NULL, 5, &rng, folds, &n), 0);
		ck_assert_uint_eq(n, 5);
		for (uint32_t i = 0; i < ROWS; i++) {
			ck_assert_uint_lt(folds[i], 5);
			sizes[folds[i]]++;
			of_class[folds[i]][data.labels[i]]++;
			in_all[data.labels[i]]++;
			if (i && data.groups[i] == data.groups[i - 1])
				ck_assert_uint_eq(folds[i], folds[i - 1]);
		}
		for (uint32_t f = 0; f < 5; f++) {
			/* The largest group has 200 rows. */
			ck_assert_uint_gt(sizes[f], ROWS / 5 - 100);
			ck_assert_uint_lt(sizes[f], ROWS / 5 + 100);
			for (uint32_t c = 0; c < 4; c++)
				ck_assert_uint_gt(
				    of_class[f][c], in_all[c] / 10);
		}
		rng_seed(&rng, seed);
		ck_assert_int_eq(
		    folds_deal(&data, NULL, 5, &rng, again, &n), 0);
		ck_assert_int_eq(memcmp(folds, again, sizeof folds), 0);
		dataset_fini(&data);
	}
}
END_TEST

START_TEST(test_rows_that_take_no_part)
{
	uint32_t folds[ROWS], copies[ROWS], train[ROWS], n;
	struct dataset data;
	struct rng rng;

	make(&data, 1);
	rng_seed(&rng, 1);
	for (uint32_t i = 0; i < ROWS; i++)
		copies[i] = data.groups[i] % 2 ? 2 : 0;
	ck_assert_int_eq(folds_deal(&data, copies, 4, &rng, folds, &n), 0);
	folds_train(&data, copies, folds, 1, train);
	for (uint32_t i = 0; i < ROWS; i++) {
		ck_assert_uint_eq(folds[i] == n, copies[i] == 0);
		ck_assert_uint_eq(train[i], folds[i] == 1 ? 0 : copies[i]);
	}
	dataset_fini(&data);
}
END_TEST

START_TEST(test_few_groups)
{
	uint32_t folds[9], n = 7;
	struct dataset data;
	struct rng rng;

	rng_seed(&rng, 1);
	dataset_init(&data, 1);
	for (int32_t i = 0; i < 6; i++)
		ck_assert_int_eq(dataset_add(&data, &i, 0, 1, 5), 0);
	ck_assert_int_eq(folds_deal(&data, NULL, 3, &rng, folds, &n), -ERANGE);
	ck_assert_uint_eq(n, 7);
	for (int32_t i = 0; i < 3; i++)
		ck_assert_int_eq(dataset_add(&data, &i, 1, 1, 2), 0);
	ck_assert_int_eq(folds_deal(&data, NULL, 3, &rng, folds, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_ne(folds[0], folds[8]);
	dataset_fini(&data);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("folds");

	tcase_add_test(tcase, test_no_group_is_torn);
	tcase_add_test(tcase, test_rows_that_take_no_part);
	tcase_add_test(tcase, test_few_groups);
	return check_main(tcase);
}
