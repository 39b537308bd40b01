/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Lines of recorded CSV into a dataset. The header names the columns:
 *
 *     class     the label, a name; needed
 *     weight    a number from ROW_WEIGHT_MIN to ROW_WEIGHT_MAX; 1 without it
 *     group     a name; without it each row is a group of its own
 *     _NAME     ignored: times, numbers of flows
 *     others    features, whole numbers of 32 bits, in the header's order
 *
 * Several files may follow each other, each with its header: they name the
 * same features, in any order, and have a group each or none.
 *
 * Thread:  the owner.
 * Memory:  row_reader_init() .. row_reader_fini(), which frees dataset and
 *          names; lines are rewritten and not kept.
 * Errors:  a negative code, and `error` says what is wrong in words. Nothing
 *          of the line is taken then.
 * Limits:  as below, and those of the dataset. Names consist of printable
 *          ASCII without blanks and quotes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "learn/dataset.h"

#define ROW_COLUMNS_MAX (DATASET_FEATURES_MAX + 64)
#define ROW_LINE_BYTES_MAX (128u << 10)
#define ROW_NAME_BYTES_MAX 64
#define ROW_GROUP_BYTES_MAX 255
/* Far from where sums of weights lose what they add up. */
#define ROW_WEIGHT_MIN 1e-9
#define ROW_WEIGHT_MAX 1e9

struct arena;
struct strmap;

struct row_reader {
	struct dataset data; /* once there is a header */
	const char **feature_names; /* data.n_features */
	uint32_t n_classes;
	const char *class_names[DATASET_CLASSES_MAX];
	char error[256];
	/* The rest is the reader's own. */
	struct arena *arena;
	struct strmap *classes, *groups;
	const char *group_by; /* NULL: "group" */
	uint32_t group_bytes; /* of it, that count; 0: all */
	bool has_header, has_group;
	uint32_t n_columns; /* of the present file */
	int32_t *columns; /* what each is: a feature, or one of the others */
	int32_t *values;
	char **fields;
};

void row_reader_init(struct row_reader *reader);
/* Before any line: another column, one whose name begins with _, says the group
 * by its first n_bytes; 0: by all of it. `column` lives as long as the reader. */
void row_reader_group_by(
    struct row_reader *reader, const char *column, uint32_t n_bytes);
void row_reader_fini(struct row_reader *reader);
/* Numbers a class before any row does, for whoever has an order of them. */
int row_reader_class(struct row_reader *reader, const char *name,
    uint32_t *ret_label) BR_MUST_CHECK;
/* Numbers the classes anew, by name: what is learned then does not depend on
 * which came first. */
void row_reader_sort_classes(struct row_reader *reader);
/* Lines without their end, with room for one byte more. The first of each
 * file is its header. */
int row_reader_header(
    struct row_reader *reader, char *line, size_t length) BR_MUST_CHECK;
int row_reader_row(
    struct row_reader *reader, char *line, size_t length) BR_MUST_CHECK;
