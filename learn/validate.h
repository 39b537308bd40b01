/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cross-validation by groups: how good a model of this kind is on groups it
 * has not seen. Each part is left out once; the procedure runs on the rest,
 * with all its choices, and is asked about the part.
 *
 * Thread:  one at a time for a fitter.
 * Memory:  confusion_fini() the result; the folds' scores are the caller's.
 * Errors:  as train_fit() and folds_deal().
 * Limits:  VALIDATE_FOLDS_MAX parts.
 */
#include "learn/confusion.h"
#include "learn/train.h"

#define VALIDATE_FOLDS_MAX 100

struct validate_fold {
	uint32_t n_rows; /* left out */
	double accuracy, macro_f1;
	double alpha;
	uint32_t leaves; /* of all trees */
};

struct validation {
	struct confusion confusion; /* of all parts together */
	uint32_t n_folds;
	struct validate_fold folds[VALIDATE_FOLDS_MAX];
};

/* 2 <= params->n_folds <= VALIDATE_FOLDS_MAX. */
int validate_run(struct tree_fitter *fitter, const struct train_params *params,
    struct validation *ret) BR_MUST_CHECK;
void validate_fini(struct validation *validation);
/* Asks a model about all rows. */
void validate_model(const struct forest *forest, const struct dataset *data,
    struct confusion *ret_add);
