/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A random forest (Breiman 2001): trees that each saw another draw of the rows
 * and, at each split, another draw of the features. A single tree is a forest
 * of one, so that whoever tests or emits knows only this.
 *
 *     answer = class with the greatest sum of its parts over the trees' leaves
 *     confidence = the mean part;  one tree: as tree_leaf_answer()
 *
 * Thread:  readers once it is complete; fitting as tree_fit.
 * Memory:  forest_fini() frees.
 * Units:   parts of a leaf in 1/TREE_SURE, rounded, so that compiled code
 *          adds up the very same whole numbers.
 * Errors:  as tree_fit().
 * Limits:  FOREST_TREES_MAX.
 */
#include <stdint.h>

#include "learn/tree.h"
#include "learn/tree_fit.h"

#define FOREST_TREES_MAX 1000

struct forest_params {
	/* 1: all rows and features_per_split as given, no draws of rows.
	 * More: features_per_split 0 is the square root of their number. */
	uint32_t n_trees;
	struct tree_params tree;
};

struct forest {
	uint32_t n_trees, n_features, n_classes;
	struct tree *trees;
};

/* Of the rows with copies (NULL: all). The same seed, the same forest. */
int forest_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct forest_params *params, uint64_t seed,
    struct forest *ret) BR_MUST_CHECK;
void forest_fini(struct forest *forest);
uint32_t forest_classify(const struct forest *forest, const int32_t *features);
uint32_t forest_leaves(const struct forest *forest); /* of all trees */
/* n_classes parts of a leaf. */
void forest_parts(const struct tree *tree, uint32_t leaf, uint16_t *ret_parts);
/* n_features numbers, the mean over the trees; sum 1, or 0. */
void forest_importance(const struct forest *forest, double *ret);
