/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/prune.h"

#include <math.h>
#include <stdlib.h>

#include "learn/tree_fit.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

static struct tree fit(const struct dataset *data)
{
	struct tree_fitter *fitter = tree_fitter_new(data, data->n_classes);
	struct tree_params params = {0};
	struct tree tree;

	ck_assert_int_eq(tree_fit(fitter, NULL, &params, NULL, &tree), 0);
	tree_fitter_free(fitter);
	prune_price(&tree);
	return tree;
}

/* A A A A | B B B B | A A A A: R(root) is 1 - (8/12)^2 - (4/12)^2 = 4/9, three
 * leaves are pure. The split below it wins 1/3 with one leaf more, but the root
 * only 4/9 with two: it is the weakest, and takes all with it. */
START_TEST(test_the_weakest_link)
{
	struct dataset data;
	struct tree tree;
	double *steps;

	dataset_init(&data, 1);
	rows_add1(&data, 1, 0, 4);
	rows_add1(&data, 2, 1, 4);
	rows_add1(&data, 3, 0, 4);
	tree = fit(&data);
	ck_assert_uint_eq(tree_leaves(&tree), 3);
	ck_assert_uint_eq(prune_steps(&tree, &steps), 2);
	ck_assert_double_eq(steps[0], 0);
	ck_assert_double_eq_tol(steps[1], 2.0 / 9, 1e-12);
	ck_assert_uint_eq(prune_find(&tree, 2.0 / 9 - 1e-9, &(int32_t){2}), 3);
	ck_assert_uint_eq(prune_find(&tree, 2.0 / 9 + 1e-9, &(int32_t){2}), 0);
	free(steps);
	tree_fini(&tree);
	dataset_fini(&data);
}
END_TEST

/* A split that wins nothing, alone, is not worth even a price of 0. */
START_TEST(test_what_wins_nothing_falls_at_once)
{
	struct dataset data;
	struct tree tree, cut;

	dataset_init(&data, 1);
	for (int32_t v = 0; v < 2; v++) {
		rows_add1(&data, v, 0, 2);
		rows_add1(&data, v, 1, 2);
	}
	tree = fit(&data);
	ck_assert_uint_eq(tree_leaves(&tree), 2);
	prune_cut(&tree, 0, &cut);
	ck_assert_uint_eq(cut.n_nodes, 1);
	tree_fini(&tree);
	tree_fini(&cut);
	dataset_fini(&data);
}
END_TEST

/* What a price is about: no tree that can be cut from this one has a lower
 * R + alpha x leaves, and of those with the same the smallest is taken. From
 * the leaves up, a node stays open only if that is cheaper. */
static double cheapest(
    const struct tree *tree, uint32_t at, double alpha, uint32_t *ret_leaves)
{
	double own = tree->nodes[at].weight * tree->nodes[at].impurity /
		     tree->nodes[0].weight;
	uint32_t left_leaves, right_leaves;
	double open;

	*ret_leaves = 1;
	if (tree_is_leaf(tree, at))
		return own + alpha;
	open = cheapest(tree, at + 1, alpha, &left_leaves) +
	       cheapest(tree, tree->nodes[at].right, alpha, &right_leaves);
	if (open > own + alpha - 1e-12)
		return own + alpha;
	*ret_leaves = left_leaves + right_leaves;
	return open;
}

static double price_of(const struct tree *tree, double alpha)
{
	double sum = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++) {
		if (tree_is_leaf(tree, i))
			sum += tree->nodes[i].weight * tree->nodes[i].impurity /
				   tree->nodes[0].weight +
			       alpha;
	}
	return sum;
}

START_TEST(test_each_cut_is_the_cheapest)
{
	for (uint32_t seed = 0; seed < 20; seed++) {
		struct dataset data;
		struct tree tree;
		uint32_t n, before = UINT32_MAX;
		double *steps;

		rows_random(&data, seed, 200, 30, 3, 3);
		tree = fit(&data);
		n = prune_steps(&tree, &steps);
		ck_assert_uint_gt(n, 5);
		for (uint32_t i = 0; i < n; i++) {
			/* In the middle, where rounding has no say. */
			double alpha = i + 1 < n ? (steps[i] + steps[i + 1]) / 2
						 : steps[i] + 1;
			uint32_t leaves;
			double least;
			struct tree cut;
			int32_t row[4];

			if (i + 1 < n && steps[i + 1] - steps[i] < 1e-9)
				continue;
			least = cheapest(&tree, 0, alpha, &leaves);
			prune_cut(&tree, alpha, &cut);
			ck_assert_double_eq_tol(
			    price_of(&cut, alpha), least, 1e-9);
			ck_assert_uint_eq(tree_leaves(&cut), leaves);
			ck_assert_uint_lt(leaves, before);
			before = leaves;
			/* The copy answers as the walk does. */
			for (uint32_t r = 0; r < data.n_rows; r++) {
				uint32_t at, in_cut;

				dataset_row(&data, r, row);
				at = prune_find(&tree, alpha, row);
				in_cut = tree_find(&cut, row);
				ck_assert_uint_eq(tree.nodes[at].n_rows,
				    cut.nodes[in_cut].n_rows);
				ck_assert_uint_eq(tree_leaf_answer(&tree, at),
				    tree_leaf_answer(&cut, in_cut));
			}
			tree_fini(&cut);
		}
		ck_assert_uint_eq(before, 1);
		free(steps);
		tree_fini(&tree);
		dataset_fini(&data);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("prune");

	tcase_add_test(tcase, test_the_weakest_link);
	tcase_add_test(tcase, test_what_wins_nothing_falls_at_once);
	tcase_add_test(tcase, test_each_cut_is_the_cheapest);
	return check_main(tcase);
}
