/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/forest.h"

#include <stdlib.h>

#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

static struct forest fit(
    const struct dataset *data, uint32_t n_trees, uint64_t seed)
{
	struct tree_fitter *fitter = tree_fitter_new(data, data->n_classes);
	struct forest_params params = {.n_trees = n_trees};
	struct forest forest;

	ck_assert_int_eq(forest_fit(fitter, NULL, &params, seed, &forest), 0);
	tree_fitter_free(fitter);
	return forest;
}

START_TEST(test_a_seed_is_a_forest)
{
	struct forest a, b, other;
	struct dataset data;

	rows_random(&data, 3, 400, 100, 3, 5);
	a = fit(&data, 5, 17);
	b = fit(&data, 9, 17);
	other = fit(&data, 5, 18);
	for (uint32_t t = 0; t < 5; t++) {
		ck_assert(tree_same(&a.trees[t], &b.trees[t]));
		ck_assert(!tree_same(&a.trees[t], &other.trees[t]));
		ck_assert(!tree_same(&a.trees[t], &a.trees[(t + 1) % 5]));
	}
	forest_fini(&a);
	forest_fini(&b);
	forest_fini(&other);
	dataset_fini(&data);
}
END_TEST

/* With all features in each split, only the rows make trees differ. */
START_TEST(test_each_tree_draws_its_rows)
{
	struct forest_params params = {
	    .n_trees = 2, .tree.features_per_split = 4};
	struct tree_fitter *fitter;
	struct dataset data;
	struct forest forest;
	uint32_t copies[400];

	rows_random(&data, 8, 400, 100, 3, 5);
	fitter = tree_fitter_new(&data, 3);
	/* Of rows that take part, as many draws as there are of them. */
	for (uint32_t i = 0; i < 400; i++)
		copies[i] = i >= 100;
	ck_assert_int_eq(forest_fit(fitter, copies, &params, 1, &forest), 0);
	ck_assert(!tree_same(&forest.trees[0], &forest.trees[1]));
	ck_assert_uint_eq(forest.trees[0].nodes[0].n_rows, 300);
	ck_assert_uint_eq(forest.trees[1].nodes[0].n_rows, 300);
	forest_fini(&forest);
	tree_fitter_free(fitter);
	dataset_fini(&data);
}
END_TEST

static double right_of(const struct forest *forest, const struct dataset *data)
{
	uint32_t right = 0;
	int32_t row[4];

	for (uint32_t i = 0; i < data->n_rows; i++) {
		dataset_row(data, i, row);
		right += forest_classify(forest, row) >> 16 == data->labels[i];
	}
	return (double)right / data->n_rows;
}

/* What trees learn of noise differs, so together they err less. */
START_TEST(test_a_forest_errs_less_than_a_tree)
{
	struct dataset data, fresh;
	struct forest one, many;

	rows_random(&data, 4, 1000, 1000, 4, 3);
	rows_random(&fresh, 5, 1000, 1000, 4, 1000000);
	one = fit(&data, 1, 1);
	many = fit(&data, 40, 1);
	ck_assert_double_gt(right_of(&one, &data), 0.99);
	ck_assert_double_gt(
	    right_of(&many, &fresh), right_of(&one, &fresh) + 0.05);
	forest_fini(&one);
	forest_fini(&many);
	dataset_fini(&data);
	dataset_fini(&fresh);
}
END_TEST

START_TEST(test_the_answer_is_the_mean)
{
	int32_t row[4] = {1, -3, 20, 7};
	double importance[4], sum = 0;
	struct dataset data;
	struct forest forest;
	uint32_t sums[3] = {0}, best = 0;

	rows_random(&data, 6, 300, 100, 3, 3);
	forest = fit(&data, 7, 2);
	for (uint32_t t = 0; t < 7; t++) {
		struct tree *tree = &forest.trees[t];
		uint16_t parts[3];

		forest_parts(tree, tree_find(tree, row), parts);
		ck_assert_int_le(
		    abs(parts[0] + parts[1] + parts[2] - 10000), 1);
		for (uint32_t c = 0; c < 3; c++)
			sums[c] += parts[c];
	}
	for (uint32_t c = 1; c < 3; c++)
		best = sums[c] > sums[best] ? c : best;
	ck_assert_uint_eq(
	    forest_classify(&forest, row), best << 16 | sums[best] / 7);
	forest_importance(&forest, importance);
	for (uint32_t f = 0; f < 4; f++)
		sum += importance[f];
	ck_assert_double_eq_tol(sum, 1, 1e-9);
	ck_assert_double_gt(importance[2], importance[0]);
	forest_fini(&forest);
	dataset_fini(&data);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("forest");

	tcase_add_test(tcase, test_a_seed_is_a_forest);
	tcase_add_test(tcase, test_each_tree_draws_its_rows);
	tcase_add_test(tcase, test_a_forest_errs_less_than_a_tree);
	tcase_add_test(tcase, test_the_answer_is_the_mean);
	return check_main(tcase);
}
