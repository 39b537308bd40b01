/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tree_fit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

static struct tree fit(
    const struct dataset *data, const struct tree_params *params)
{
	struct tree_fitter *fitter = tree_fitter_new(data, data->n_classes);
	struct tree tree;
	struct rng rng;

	rng_seed(&rng, 1);
	ck_assert_int_eq(tree_fit(fitter, NULL, params, &rng, &tree), 0);
	tree_fitter_free(fitter);
	return tree;
}

START_TEST(test_one_split)
{
	struct tree_params params = {0};
	struct dataset data;
	struct tree tree;

	dataset_init(&data, 1);
	rows_add1(&data, 10, 0, 2);
	rows_add1(&data, 20, 1, 3);
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree.n_nodes, 3);
	ck_assert_uint_eq(tree_depth(&tree), 1);
	ck_assert_int_eq(tree.nodes[0].feature, 0);
	ck_assert_int_eq(tree.nodes[0].threshold, 15);
	/* 1 - 0.4^2 - 0.6^2 */
	ck_assert_double_eq_tol(tree.nodes[0].impurity, 0.48, 1e-12);
	ck_assert_double_eq(tree.nodes[1].impurity, 0);
	/* (2 + 1) / (2 + 2) and (3 + 1) / (3 + 2) */
	ck_assert_uint_eq(tree_classify(&tree, &(int32_t){15}), 7500);
	ck_assert_uint_eq(tree_classify(&tree, &(int32_t){16}), 1 << 16 | 8000);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_thresholds_of_all_numbers)
{
	static const struct {
		int32_t low, high, threshold;
	} cases[] = {
	    {INT32_MIN, INT32_MAX, -1},
	    {INT32_MIN, INT32_MIN + 1, INT32_MIN},
	    {-5, -2, -4},
	    {-1, 0, -1},
	    {INT32_MAX - 1, INT32_MAX, INT32_MAX - 1},
	};

	for (size_t i = 0; i < BR_COUNT(cases); i++) {
		struct tree_params params = {0};
		struct dataset data;
		struct tree tree;

		dataset_init(&data, 1);
		rows_add1(&data, cases[i].high, 1, 1);
		rows_add1(&data, cases[i].low, 0, 1);
		tree = fit(&data, &params);
		ck_assert_int_eq(tree.nodes[0].threshold, cases[i].threshold);
		ck_assert_uint_eq(tree_classify(&tree, &cases[i].low) >> 16, 0);
		ck_assert_uint_eq(
		    tree_classify(&tree, &cases[i].high) >> 16, 1);
		tree_fini(&tree);
		dataset_fini(&data);
	}
}
END_TEST

/* No first split wins anything, and two are needed. */
START_TEST(test_xor)
{
	struct tree_params params = {0};
	struct dataset data;
	struct tree tree;

	dataset_init(&data, 2);
	for (int32_t x = 0; x < 2; x++) {
		for (int32_t y = 0; y < 2; y++)
			rows_add2(&data, x, y, (uint32_t)(x ^ y));
	}
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree_leaves(&tree), 4);
	for (int32_t x = 0; x < 2; x++) {
		for (int32_t y = 0; y < 2; y++) {
			int32_t row[2] = {x, y};

			ck_assert_uint_eq(
			    tree_classify(&tree, row) >> 16, (uint32_t)(x ^ y));
		}
	}
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_nothing_to_split)
{
	struct tree_params params = {.features_per_split = 1};
	struct dataset data;
	struct tree tree;

	dataset_init(&data, 2);
	rows_add2(&data, 3, 3, 1);
	rows_add2(&data, 3, 3, 0);
	rows_add2(&data, 3, 3, 1);
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree.n_nodes, 1);
	ck_assert_uint_eq(tree.nodes[0].class, 1);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_class_weights)
{
	double weights[2];
	struct tree_params params = {.class_weights = weights};
	struct dataset data;
	struct tree tree;

	dataset_init(&data, 1);
	rows_add1(&data, 1, 0, 6);
	rows_add1(&data, 1, 1, 2);
	tree_balance(&data, NULL, 2, weights);
	ck_assert_double_eq(weights[0], 8.0 / (2 * 6));
	ck_assert_double_eq(weights[1], 8.0 / (2 * 2));
	tree = fit(&data, &params);
	ck_assert_double_eq_tol(tree_shares(&tree, 0)[1], 0.5, 1e-12);
	ck_assert_double_eq_tol(tree.nodes[0].weight, 8, 1e-12);
	tree_fini(&tree);
	weights[1] *= 1.01;
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree.nodes[0].class, 1);
	tree_fini(&tree);
	/* A class of weight 0 is not there. */
	weights[0] = 0;
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree.nodes[0].n_rows, 2);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_limits)
{
	struct tree_params params = {.min_leaf = 7, .depth_max = 3};
	struct dataset data;
	struct tree tree;

	rows_random(&data, 5, 500, 100, 3, 4);
	tree = fit(&data, &params);
	ck_assert_uint_eq(tree_depth(&tree), 3);
	for (uint32_t i = 0; i < tree.n_nodes; i++)
		ck_assert_uint_ge(tree.nodes[i].n_rows, 7);
	tree_fini(&tree);
	params.depth_max = 0;
	tree = fit(&data, &params);
	ck_assert_uint_gt(tree_depth(&tree), 3);
	for (uint32_t i = 0; i < tree.n_nodes; i++)
		ck_assert_uint_ge(tree.nodes[i].n_rows, 7);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

/* The impurity of one side, in weight, straight from its definition. */
static double cost(const struct dataset *data, uint32_t feature,
    int32_t threshold, bool left, bool entropy, uint32_t *ret_rows)
{
	double of_class[4] = {0}, all = 0, sum = 0;

	*ret_rows = 0;
	for (uint32_t i = 0; i < data->n_rows; i++) {
		if ((data->columns[feature][i] <= threshold) != left)
			continue;
		of_class[data->labels[i]] += data->weights[i];
		all += data->weights[i];
		++*ret_rows;
	}
	for (uint32_t c = 0; c < 4; c++) {
		double p = all > 0 ? of_class[c] / all : 0;

		sum += entropy ? (p > 0 ? -p * log2(p) : 0) : p * (1 - p);
	}
	return all * sum;
}

/* Against every split there is. */
START_TEST(test_the_best_split)
{
	for (uint32_t seed = 0; seed < 40; seed++) {
		bool entropy = seed & 1;
		struct tree_params params = {
		    .depth_max = 1,
		    .min_leaf = 1 + seed % 5,
		    .criterion = entropy ? TREE_ENTROPY : TREE_GINI,
		};
		double best = INFINITY;
		uint32_t left, right, feature = 0;
		int32_t threshold = 0;
		struct dataset data;
		struct tree tree;

		rows_random(&data, seed, 60, 12, 4, 3);
		for (uint32_t f = 0; f < 4; f++) {
			for (int32_t t = -6; t < 6; t++) {
				double c =
				    cost(&data, f, t, true, entropy, &left) +
				    cost(&data, f, t, false, entropy, &right);

				if (left >= params.min_leaf &&
				    right >= params.min_leaf &&
				    c < best - 1e-7) {
					best = c;
					feature = f;
					threshold = t;
				}
			}
		}
		tree = fit(&data, &params);
		ck_assert_uint_eq(tree.n_nodes, 3);
		ck_assert_double_eq_tol(
		    tree.nodes[1].weight * tree.nodes[1].impurity +
			tree.nodes[2].weight * tree.nodes[2].impurity,
		    best, 1e-7);
		ck_assert_int_eq(tree.nodes[0].feature, (int32_t)feature);
		/* Values that do not occur leave room on the border. */
		for (uint32_t i = 0; i < data.n_rows; i++) {
			int32_t v = data.columns[feature][i];

			ck_assert(
			    (v <= threshold) == (v <= tree.nodes[0].threshold));
		}
		tree_fini(&tree);
		dataset_fini(&data);
	}
}
END_TEST

/* A row with three copies is three rows; one with none is not there. */
START_TEST(test_copies)
{
	struct tree_params params = {.min_leaf = 2};
	struct tree_fitter *fitter;
	struct dataset data, written;
	uint32_t copies[300];
	struct tree a, b;

	rows_random(&data, 9, 300, 50, 3, 4);
	dataset_init(&written, 4);
	for (uint32_t i = 0; i < 300; i++) {
		int32_t row[4];

		copies[i] = i % 4;
		dataset_row(&data, i, row);
		for (uint32_t n = 0; n < copies[i]; n++)
			ck_assert_int_eq(
			    dataset_add(&written, row, data.labels[i],
				data.weights[i], 0),
			    0);
	}
	fitter = tree_fitter_new(&data, 3);
	ck_assert_int_eq(tree_fit(fitter, copies, &params, NULL, &a), 0);
	b = fit(&written, &params);
	ck_assert(tree_same(&a, &b));
	tree_fini(&a);
	tree_fini(&b);
	memset(copies, 0, sizeof copies);
	ck_assert_int_eq(tree_fit(fitter, copies, &params, NULL, &a), -ENODATA);
	tree_fitter_free(fitter);
	dataset_fini(&data);
	dataset_fini(&written);
}
END_TEST

START_TEST(test_importance)
{
	double importance[2] = {0};
	struct tree_params params = {0};
	struct dataset data;
	struct tree tree;

	dataset_init(&data, 2);
	for (int32_t i = 0; i < 100; i++)
		rows_add2(&data, i % 7, i, i >= 40);
	tree = fit(&data, &params);
	tree_add_importance(&tree, importance);
	ck_assert_double_eq(importance[0], 0);
	ck_assert_double_eq_tol(importance[1], 1, 1e-12);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

START_TEST(test_refused_rows)
{
	int32_t value = 1;
	struct dataset data;

	dataset_init(&data, 1);
	ck_assert_int_eq(dataset_add(&data, &value, 0, 0, 0), -EINVAL);
	ck_assert_int_eq(dataset_add(&data, &value, 0, -1, 0), -EINVAL);
	ck_assert_int_eq(dataset_add(&data, &value, 0, INFINITY, 0), -EINVAL);
	ck_assert_int_eq(dataset_add(&data, &value, 0, NAN, 0), -EINVAL);
	ck_assert_int_eq(
	    dataset_add(&data, &value, DATASET_CLASSES_MAX, 1, 0), BR_E_LIMIT);
	ck_assert_uint_eq(data.n_rows, 0);
	dataset_fini(&data);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("tree_fit");

	tcase_add_test(tcase, test_one_split);
	tcase_add_test(tcase, test_thresholds_of_all_numbers);
	tcase_add_test(tcase, test_xor);
	tcase_add_test(tcase, test_nothing_to_split);
	tcase_add_test(tcase, test_class_weights);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_the_best_split);
	tcase_add_test(tcase, test_copies);
	tcase_add_test(tcase, test_importance);
	tcase_add_test(tcase, test_refused_rows);
	return check_main(tcase);
}
