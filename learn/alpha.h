/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Chooses at what price to prune a tree by grouped cross-validation (Breiman
 * et al. 1984, section 3.4): between two steps of the tree of all rows the
 * geometric mean stands for what lies between, and of all prices whose error
 * is within one standard error of the least the highest is taken.
 *
 * Thread:  one at a time for a fitter.
 * Errors:  as tree_fit() and folds_deal(); nothing is written then.
 */
#include <stdint.h>

#include "base/error.h"
#include "learn/tree_fit.h"

int alpha_choose(struct tree_fitter *fitter, const uint32_t *copies,
    const struct tree_params *params, uint32_t n_folds, uint64_t seed,
    double *ret_alpha) BR_MUST_CHECK;
