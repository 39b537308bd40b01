/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is learned from: rows of whole numbers, each with the class it belongs
 * to, a weight, and the group it came with. Rows of one group are alike (the
 * same workload, the same day), so tests must never tear one apart.
 *
 *     row    columns[0] .. columns[n_features - 1]   label  weight  group
 *
 * Thread:  one writer; readers once all rows are in.
 * Memory:  dataset_init() .. dataset_fini(); values are copied, column by
 *          column, since that is how a fit reads them.
 * Errors:  BR_E_LIMIT beyond a limit, -EINVAL for a weight that is none; out
 *          of memory ends the process.
 * Limits:  as below. Columns, classes and groups are numbered from 0.
 */
#include <stdint.h>

#include "base/error.h"

#define DATASET_FEATURES_MAX 1024
#define DATASET_CLASSES_MAX 256
#define DATASET_ROWS_MAX (UINT32_C(1) << 30)

struct dataset {
	uint32_t n_features, n_rows, room;
	/* One more than the highest label and group seen. */
	uint32_t n_classes, n_groups;
	int32_t **columns;
	uint32_t *labels, *groups;
	double *weights;
};

/* 1 <= n_features <= DATASET_FEATURES_MAX. */
void dataset_init(struct dataset *data, uint32_t n_features);
void dataset_fini(struct dataset *data);
/* n_features values; the weight is finite and above 0. */
int dataset_add(struct dataset *data, const int32_t *values, uint32_t label,
    double weight, uint32_t group) BR_MUST_CHECK;
/* The values of a row, n_features of them. */
void dataset_row(const struct dataset *data, uint32_t row, int32_t *ret_values);
