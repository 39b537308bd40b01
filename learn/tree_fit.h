/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Grows a tree after Breiman, Friedman, Olshen and Stone, "Classification and
 * Regression Trees" (1984), chapter 2: at each node the one split of one
 * feature that wins most purity. Every feature is sorted once; its order is
 * kept while rows go left and right, so a level costs rows x features.
 *
 * Of splits that win the same the one of the lowest feature and threshold is
 * taken, and one that wins nothing is taken when no other does: what a second
 * feature adds to it (XOR) is seen only below.
 *
 * Thread:  one at a time for a fitter.
 * Memory:  a fitter borrows its dataset, which must not change meanwhile;
 *          8 bytes a value beside it.
 * Errors:  -ENODATA when no row takes part; out of memory ends the process.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "learn/dataset.h"
#include "learn/tree.h"

enum tree_criterion { TREE_GINI, TREE_ENTROPY };

struct tree_params {
	enum tree_criterion criterion;
	uint32_t depth_max; /* 0: TREE_DEPTH_MAX */
	uint32_t min_leaf; /* rows, whatever their weight; 0: 1 */
	/* How many features are looked at for each split, drawn anew; 0: all.
	 * Those with one value do not count. */
	uint32_t features_per_split;
	/* A factor for each class's weights, 0 leaves it out; NULL: 1. */
	const double *class_weights;
};

struct tree_fitter;

/* n_classes of the dataset, or more. */
struct tree_fitter *tree_fitter_new(
    const struct dataset *data, uint32_t n_classes);
void tree_fitter_free(struct tree_fitter *fitter);
/* copies: how often each row takes part; NULL: once. The generator is used
 * only with features_per_split and may be NULL else. */
int tree_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct tree_params *params, struct rng *rng,
    struct tree *ret) BR_MUST_CHECK;

/* Weights by which each class of the rows that take part weighs the same and
 * the sum stays: n_classes numbers, 0 for a class without rows. */
void tree_balance(const struct dataset *data, const uint32_t *copies,
    uint32_t n_classes, double *ret_weights);
const struct dataset *tree_fitter_data(const struct tree_fitter *fitter);
uint32_t tree_fitter_classes(const struct tree_fitter *fitter);
