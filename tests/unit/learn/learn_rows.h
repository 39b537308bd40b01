/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows for the tests of learn/: known ones and random ones.
 *
 * Thread:  the main thread of a test program.
 */
#include <check.h>

#include "base/rng.h"
#include "learn/dataset.h"
#include "learn/tree.h"

/* One row of one feature, n times, each a group of its own. */
static inline void rows_add1(
    struct dataset *data, int32_t value, uint32_t label, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(
		    dataset_add(data, &value, label, 1, data->n_rows), 0);
}

static inline void rows_add2(
    struct dataset *data, int32_t x, int32_t y, uint32_t label)
{
	int32_t values[2] = {x, y};

	ck_assert_int_eq(dataset_add(data, values, label, 1, data->n_rows), 0);
}

/* Four features below `range`; the class follows from two of them, but for one
 * row in `noise`. Weights 1 and 2. Groups of ten rows each. */
static inline void rows_random(struct dataset *data, uint64_t seed, uint32_t n,
    uint32_t range, uint32_t n_classes, uint32_t noise)
{
	struct rng rng;

	rng_seed(&rng, seed);
	dataset_init(data, 4);
	for (uint32_t i = 0; i < n; i++) {
		int32_t values[4];
		uint32_t label;

		for (uint32_t f = 0; f < 4; f++)
			values[f] = (int32_t)rng_below(&rng, range) -
				    (int32_t)range / 2;
		label = (uint32_t)(values[1] > 0) +
			2 * (uint32_t)(values[2] > values[1] / 2);
		if (rng_below(&rng, noise) == 0)
			label = rng_below(&rng, n_classes);
		ck_assert_int_eq(dataset_add(data, values, label % n_classes,
				     1 + rng_below(&rng, 2), i / 10),
		    0);
	}
}

static inline bool tree_same(const struct tree *a, const struct tree *b)
{
	if (a->n_nodes != b->n_nodes || a->n_classes != b->n_classes)
		return false;
	for (uint32_t i = 0; i < a->n_nodes; i++) {
		const struct tree_node *x = &a->nodes[i], *y = &b->nodes[i];

		if (x->feature != y->feature || x->threshold != y->threshold ||
		    x->right != y->right || x->class != y->class ||
		    x->n_rows != y->n_rows)
			return false;
		for (uint32_t c = 0; c < a->n_classes; c++) {
			if (tree_shares(a, i)[c] != tree_shares(b, i)[c])
				return false;
		}
	}
	return true;
}
