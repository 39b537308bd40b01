/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The whole procedure from rows to a model: weights of classes, fit, and for a
 * single tree the choice of what to prune. It is one function so that
 * cross-validation tests all of it, not just its last step.
 *
 * Thread:  one at a time for a fitter.
 * Memory:  forest_fini() the model.
 * Errors:  as tree_fit(); -ERANGE when pruning is to be chosen and the rows
 *          are of one group.
 */
#include "learn/forest.h"

enum train_prune { TRAIN_PRUNE_NOT, TRAIN_PRUNE_AT, TRAIN_PRUNE_CHOOSE };

struct train_params {
	struct forest_params forest; /* its class_weights are not read */
	bool balance; /* each class weighs the same */
	enum train_prune prune; /* of a single tree only */
	double alpha; /* TRAIN_PRUNE_AT */
	uint32_t n_folds; /* TRAIN_PRUNE_CHOOSE, and validate_run() */
	uint64_t seed;
};

/* Of the rows with copies (NULL: all). *ret_alpha is what was pruned at, 0 if
 * nothing was. */
int train_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct train_params *params, struct forest *ret,
    double *ret_alpha) BR_MUST_CHECK;
