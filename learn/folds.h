/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Splits rows into parts for cross-validation so that no group is in two of
 * them: rows of one workload or one day are so alike that a test on some of
 * them, after training on the others, would only measure memory.
 *
 * The largest groups are dealt first, each to the part where it adds least to
 * the sum of (rows here / in all)^2, over the classes and once over all rows.
 * That keeps both shares of the classes and sizes alike, as far as the groups
 * allow, and leaves no part empty.
 *
 * Thread:  any.
 * Errors:  -ERANGE with fewer than two groups.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "learn/dataset.h"

/* The part of each row, below *ret_n, which is n_folds or the number of groups
 * if that is less. copies: rows with 0 belong to none and get *ret_n; NULL:
 * all take part. n_folds >= 2. */
int folds_deal(const struct dataset *data, const uint32_t *copies,
    uint32_t n_folds, struct rng *rng, uint32_t *ret_folds,
    uint32_t *ret_n) BR_MUST_CHECK;
/* Copies for a fit: those of all parts but one. */
void folds_train(const struct dataset *data, const uint32_t *copies,
    const uint32_t *folds, uint32_t without, uint32_t *ret_copies);
