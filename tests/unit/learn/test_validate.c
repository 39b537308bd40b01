/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/validate.h"

#include <errno.h>
#include <math.h>

#include "learn/alpha.h"
#include "learn/folds.h"
#include "learn/prune.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

/* Groups that give themselves away: their number is a feature, and the class
 * is drawn by group. Whoever tears groups apart believes to be right always;
 * on groups not seen nobody can be. */
START_TEST(test_groups_that_were_not_seen)
{
	struct train_params params = {
	    .forest.n_trees = 1, .n_folds = 5, .seed = 3};
	struct tree_fitter *fitter;
	struct validation result;
	struct dataset data;
	struct rng rng;

	rng_seed(&rng, 11);
	dataset_init(&data, 1);
	for (uint32_t g = 0; g < 100; g++) {
		uint32_t label = rng_below(&rng, 2);
		int32_t value = (int32_t)rng_below(&rng, 1000000);

		for (uint32_t i = 0; i < 20; i++)
			ck_assert_int_eq(
			    dataset_add(&data, &value, label, 1, g), 0);
	}
	fitter = tree_fitter_new(&data, 2);
	ck_assert_int_eq(validate_run(fitter, &params, &result), 0);
	ck_assert_uint_eq(result.n_folds, 5);
	ck_assert_double_lt(confusion_accuracy(&result.confusion), 0.75);
	validate_fini(&result);
	/* The same rows, each for itself. */
	for (uint32_t i = 0; i < data.n_rows; i++)
		data.groups[i] = i;
	data.n_groups = data.n_rows;
	ck_assert_int_eq(validate_run(fitter, &params, &result), 0);
	ck_assert_double_gt(confusion_accuracy(&result.confusion), 0.99);
	validate_fini(&result);
	tree_fitter_free(fitter);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_folds_add_up)
{
	struct train_params params = {
	    .forest.n_trees = 3, .n_folds = 4, .seed = 1, .balance = true};
	struct tree_fitter *fitter;
	struct validation a, b;
	struct dataset data;
	uint32_t rows = 0;

	rows_random(&data, 2, 600, 100, 3, 6);
	fitter = tree_fitter_new(&data, 3);
	ck_assert_int_eq(validate_run(fitter, &params, &a), 0);
	ck_assert_int_eq(validate_run(fitter, &params, &b), 0);
	for (uint32_t f = 0; f < 4; f++) {
		rows += a.folds[f].n_rows;
		ck_assert_double_eq(a.folds[f].accuracy, b.folds[f].accuracy);
		ck_assert_double_gt(a.folds[f].accuracy, 0.7);
		ck_assert_uint_gt(a.folds[f].leaves, 6);
	}
	ck_assert_uint_eq(rows, 600);
	validate_fini(&a);
	validate_fini(&b);
	tree_fitter_free(fitter);
	dataset_fini(&data);
}
END_TEST

/* The choice by its definition: a walk for each price. */
static double choose_slowly(struct tree_fitter *fitter,
    const struct tree_params *params, uint32_t n_folds, uint64_t seed)
{
	const struct dataset *data = tree_fitter_data(fitter);
	uint32_t folds[400], train[400], n;
	double *steps, least = INFINITY, best = 0, all = 0, errors[400] = {0};
	uint32_t n_steps;
	struct tree tree;
	struct rng rng;

	rng_seed(&rng, seed);
	ck_assert_int_eq(folds_deal(data, NULL, n_folds, &rng, folds, &n), 0);
	ck_assert_int_eq(tree_fit(fitter, NULL, params, &rng, &tree), 0);
	prune_price(&tree);
	n_steps = prune_steps(&tree, &steps);
	ck_assert_uint_lt(n_steps, 400);
	tree_fini(&tree);
	for (uint32_t k = 0; k + 1 < n_steps; k++)
		steps[k] = sqrt(steps[k] * steps[k + 1]);
	for (uint32_t i = 0; i < data->n_rows; i++)
		all += data->weights[i];
	for (uint32_t f = 0; f < n; f++) {
		folds_train(data, NULL, folds, f, train);
		ck_assert_int_eq(
		    tree_fit(fitter, train, params, &rng, &tree), 0);
		prune_price(&tree);
		for (uint32_t i = 0; i < data->n_rows; i++) {
			int32_t row[4];

			if (folds[i] != f)
				continue;
			dataset_row(data, i, row);
			for (uint32_t k = 0; k < n_steps; k++) {
				uint32_t at = prune_find(&tree, steps[k], row);

				if (tree.nodes[at].class != data->labels[i])
					errors[k] += data->weights[i] / all;
			}
		}
		tree_fini(&tree);
	}
	for (uint32_t k = 0; k < n_steps; k++)
		least = fmin(least, errors[k]);
	for (uint32_t k = 0; k < n_steps; k++) {
		if (errors[k] <=
		    least + sqrt(least * (1 - least) / data->n_rows) + 1e-12)
			best = steps[k];
	}
	free(steps);
	return best;
}

START_TEST(test_the_price_that_is_chosen)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct tree_params params = {.min_leaf = 2};
		struct tree_fitter *fitter;
		struct dataset data;
		double alpha;

		rows_random(&data, seed, 400, 60, 3, 4);
		fitter = tree_fitter_new(&data, 3);
		ck_assert_int_eq(
		    alpha_choose(fitter, NULL, &params, 5, seed, &alpha), 0);
		ck_assert_double_eq(
		    alpha, choose_slowly(fitter, &params, 5, seed));
		ck_assert_double_gt(alpha, 0);
		tree_fitter_free(fitter);
		dataset_fini(&data);
	}
}
END_TEST

/* A third of the labels are noise; what is left should be what makes them. */
START_TEST(test_pruning_finds_the_rule)
{
	struct train_params params = {.forest.n_trees = 1,
	    .n_folds = 5,
	    .seed = 1,
	    .prune = TRAIN_PRUNE_CHOOSE};
	struct dataset data, fresh;
	struct tree_fitter *fitter;
	struct confusion full, pruned;
	struct forest forest;
	uint32_t leaves;
	double alpha;

	rows_random(&data, 21, 3000, 1000, 4, 3);
	rows_random(&fresh, 22, 3000, 1000, 4, 1000000);
	confusion_init(&full, 4);
	confusion_init(&pruned, 4);
	fitter = tree_fitter_new(&data, 4);
	ck_assert_int_eq(train_fit(fitter, NULL, &params, &forest, &alpha), 0);
	ck_assert_double_gt(alpha, 0);
	validate_model(&forest, &fresh, &pruned);
	leaves = forest_leaves(&forest);
	forest_fini(&forest);
	params.prune = TRAIN_PRUNE_NOT;
	ck_assert_int_eq(train_fit(fitter, NULL, &params, &forest, &alpha), 0);
	ck_assert_double_eq(alpha, 0);
	validate_model(&forest, &fresh, &full);
	ck_assert_uint_lt(leaves * 10, forest_leaves(&forest));
	ck_assert_double_gt(
	    confusion_accuracy(&pruned), confusion_accuracy(&full) + 0.1);
	ck_assert_double_gt(confusion_accuracy(&pruned), 0.95);
	forest_fini(&forest);
	confusion_fini(&full);
	confusion_fini(&pruned);
	tree_fitter_free(fitter);
	dataset_fini(&data);
	dataset_fini(&fresh);
}
END_TEST

START_TEST(test_one_group_cannot_be_validated)
{
	struct train_params params = {
	    .forest.n_trees = 1, .n_folds = 5, .prune = TRAIN_PRUNE_CHOOSE};
	struct tree_fitter *fitter;
	struct validation result;
	struct forest forest;
	struct dataset data;
	double alpha = 5;

	dataset_init(&data, 1);
	for (int32_t i = 0; i < 10; i++)
		ck_assert_int_eq(
		    dataset_add(&data, &i, (uint32_t)i % 2, 1, 0), 0);
	fitter = tree_fitter_new(&data, 2);
	ck_assert_int_eq(validate_run(fitter, &params, &result), -ERANGE);
	ck_assert_int_eq(
	    train_fit(fitter, NULL, &params, &forest, &alpha), -ERANGE);
	ck_assert_double_eq(alpha, 5);
	tree_fitter_free(fitter);
	dataset_fini(&data);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("validate");

	tcase_add_test(tcase, test_groups_that_were_not_seen);
	tcase_add_test(tcase, test_folds_add_up);
	tcase_add_test(tcase, test_the_price_that_is_chosen);
	tcase_add_test(tcase, test_pruning_finds_the_rule);
	tcase_add_test(tcase, test_one_group_cannot_be_validated);
	return check_main(tcase);
}
