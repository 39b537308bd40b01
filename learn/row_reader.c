/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/row_reader.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "learn/csv.h"
#include "learn/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a column is, if no feature. */
enum {
	COLUMN_IGNORED = -1,
	COLUMN_CLASS = -2,
	COLUMN_WEIGHT = -3,
	COLUMN_GROUP = -4
};

static __attribute__((format(printf, 3, 4))) int fail(
    struct row_reader *reader, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reader->error, sizeof reader->error, format, args);
	va_end(args);
	/* What came from a file must not steer a terminal. */
	for (char *c = reader->error; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return err;
}

void row_reader_init(struct row_reader *reader)
{
	*reader = (struct row_reader){.arena = arena_new()};
	reader->classes = strmap_new(reader->arena);
	reader->groups = strmap_new(reader->arena);
	reader->columns = memory_array(ROW_COLUMNS_MAX, sizeof(int32_t));
	reader->fields = memory_array(ROW_COLUMNS_MAX, sizeof(char *));
	reader->values = memory_array(DATASET_FEATURES_MAX, sizeof(int32_t));
}

void row_reader_fini(struct row_reader *reader)
{
	if (reader->has_header)
		dataset_fini(&reader->data);
	arena_free(reader->arena);
	free(reader->feature_names);
	free(reader->columns);
	free(reader->fields);
	free(reader->values);
	*reader = (struct row_reader){0};
}

void row_reader_group_by(
    struct row_reader *reader, const char *column, uint32_t n_bytes)
{
	br_assert(!reader->has_header && column[0] == '_');
	reader->group_by = column;
	reader->group_bytes = n_bytes;
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	if (!length || length > ROW_NAME_BYTES_MAX)
		return false;
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	}
	return true;
}

/* Names become numbers in the order in which they come; the map holds one
 * more than the number, since it knows no NULL. */
static bool find_number(
    const struct strmap *map, const char *name, uint32_t *ret)
{
	uintptr_t number = (uintptr_t)strmap_get(map, name);

	*ret = (uint32_t)number - 1;
	return number != 0;
}

static uint32_t number_name(
    struct row_reader *reader, struct strmap *map, const char **name)
{
	uint32_t number = (uint32_t)strmap_count(map);

	*name = arena_strdup(reader->arena, *name);
	strmap_put(map, *name, (void *)((uintptr_t)number + 1));
	return number;
}

int row_reader_class(
    struct row_reader *reader, const char *name, uint32_t *ret_label)
{
	if (find_number(reader->classes, name, ret_label))
		return 0;
	if (!is_name(name))
		return fail(reader, BR_E_SYNTAX,
		    "the class \"%s\" is no name: 1 to %d printable characters "
		    "without blanks",
		    name, ROW_NAME_BYTES_MAX);
	if (reader->n_classes == DATASET_CLASSES_MAX)
		return fail(reader, BR_E_LIMIT, "more than %d classes",
		    DATASET_CLASSES_MAX);
	*ret_label = number_name(reader, reader->classes, &name);
	reader->class_names[reader->n_classes++] = name;
	return 0;
}

static int find_group(
    struct row_reader *reader, const char *name, uint32_t *ret_group)
{
	if (find_number(reader->groups, name, ret_group))
		return 0;
	if (!*name || strlen(name) > ROW_GROUP_BYTES_MAX)
		return fail(reader, BR_E_SYNTAX,
		    "the group is empty or longer than %d bytes",
		    ROW_GROUP_BYTES_MAX);
	*ret_group = number_name(reader, reader->groups, &name);
	return 0;
}

static int32_t kind_of(const struct row_reader *reader, const char *name)
{
	if (reader->group_by && !strcmp(name, reader->group_by))
		return COLUMN_GROUP;
	if (name[0] == '_')
		return COLUMN_IGNORED;
	if (!strcmp(name, "class"))
		return COLUMN_CLASS;
	if (!strcmp(name, "weight"))
		return COLUMN_WEIGHT;
	if (!strcmp(name, "group"))
		return reader->group_by ? COLUMN_IGNORED : COLUMN_GROUP;
	return 0;
}

/* Of fields, which are the header's: numbers features in their order. */
static int number_columns(
    struct row_reader *reader, uint32_t n, uint32_t *ret_features)
{
	bool has_class = false, has_group = !reader->group_by;

	*ret_features = 0;
	for (uint32_t i = 0; i < n; i++) {
		const char *name = reader->fields[i];

		if (!is_name(name))
			return fail(reader, BR_E_SYNTAX,
			    "column %u: \"%s\" is no name: 1 to %d printable "
			    "characters without blanks",
			    i + 1, name, ROW_NAME_BYTES_MAX);
		for (uint32_t j = 0; j < i; j++) {
			if (!strcmp(name, reader->fields[j]))
				return fail(reader, BR_E_SYNTAX,
				    "two columns are called \"%s\"", name);
		}
		reader->columns[i] = kind_of(reader, name);
		has_class |= reader->columns[i] == COLUMN_CLASS;
		has_group |= reader->columns[i] == COLUMN_GROUP;
		if (reader->columns[i] == 0)
			reader->columns[i] = (int32_t)(*ret_features)++;
	}
	if (!has_class)
		return fail(reader, BR_E_SYNTAX, "no column \"class\"");
	if (!has_group)
		return fail(reader, BR_E_SYNTAX, "no column \"%s\" to group by",
		    reader->group_by);
	if (!*ret_features)
		return fail(reader, BR_E_SYNTAX, "no column is a feature");
	if (*ret_features > DATASET_FEATURES_MAX)
		return fail(reader, BR_E_LIMIT, "more than %d features",
		    DATASET_FEATURES_MAX);
	return 0;
}

static bool has_column(
    const struct row_reader *reader, uint32_t n, int32_t column)
{
	for (uint32_t i = 0; i < n; i++) {
		if (reader->columns[i] == column)
			return true;
	}
	return false;
}

static void take_header(
    struct row_reader *reader, uint32_t n, uint32_t n_features)
{
	dataset_init(&reader->data, n_features);
	reader->feature_names =
	    memory_array(n_features, sizeof *reader->feature_names);
	for (uint32_t i = 0; i < n; i++) {
		if (reader->columns[i] >= 0)
			reader->feature_names[reader->columns[i]] =
			    arena_strdup(reader->arena, reader->fields[i]);
	}
	reader->has_group = has_column(reader, n, COLUMN_GROUP);
	reader->has_header = true;
}

static bool find_feature(
    const struct row_reader *reader, const char *name, int32_t *ret)
{
	for (uint32_t f = 0; f < reader->data.n_features; f++) {
		if (!strcmp(reader->feature_names[f], name)) {
			*ret = (int32_t)f;
			return true;
		}
	}
	return false;
}

/* A later file's columns are those of the first, wherever they stand. */
static int match_header(
    struct row_reader *reader, uint32_t n, uint32_t n_features)
{
	for (uint32_t i = 0; i < n; i++) {
		if (reader->columns[i] >= 0 &&
		    !find_feature(
			reader, reader->fields[i], &reader->columns[i]))
			return fail(reader, BR_E_SYNTAX,
			    "the first file has no feature \"%s\"",
			    reader->fields[i]);
	}
	for (uint32_t f = 0; f < reader->data.n_features; f++) {
		if (!has_column(reader, n, (int32_t)f))
			return fail(reader, BR_E_SYNTAX,
			    "no column \"%s\", which the first file has",
			    reader->feature_names[f]);
	}
	br_assert(n_features == reader->data.n_features);
	if (has_column(reader, n, COLUMN_GROUP) != reader->has_group)
		return fail(reader, BR_E_SYNTAX,
		    "%s column \"group\", unlike the first file",
		    reader->has_group ? "no" : "a");
	return 0;
}

static int split(
    struct row_reader *reader, char *line, size_t length, uint32_t *ret_n)
{
	int err;

	if (length && line[length - 1] == '\r')
		length--;
	err = csv_split(line, length, reader->fields, ROW_COLUMNS_MAX, ret_n);
	if (err == BR_E_LIMIT)
		return fail(
		    reader, err, "more than %d columns", ROW_COLUMNS_MAX);
	if (err)
		return fail(
		    reader, err, "a quote at a wrong place, or a byte of 0");
	return 0;
}

int row_reader_header(struct row_reader *reader, char *line, size_t length)
{
	uint32_t n, n_features;
	int err;

	csv_skip_mark(&line, &length);
	err = split(reader, line, length, &n);
	if (!err)
		err = number_columns(reader, n, &n_features);
	if (err)
		return err;
	if (!reader->has_header)
		take_header(reader, n, n_features);
	else
		err = match_header(reader, n, n_features);
	reader->n_columns = err ? 0 : n;
	return err;
}

struct row {
	const char *class, *group;
	double weight;
};

static int read_field(struct row_reader *reader, uint32_t i, struct row *row)
{
	char *field = reader->fields[i];
	int err;

	switch (reader->columns[i]) {
	case COLUMN_IGNORED:
		return 0;
	case COLUMN_CLASS:
		row->class = field;
		return 0;
	case COLUMN_GROUP:
		if (reader->group_bytes && strlen(field) > reader->group_bytes)
			field[reader->group_bytes] = '\0';
		row->group = field;
		return 0;
	case COLUMN_WEIGHT:
		err = csv_number(field, &row->weight);
		if (!err && !(row->weight >= ROW_WEIGHT_MIN &&
				row->weight <= ROW_WEIGHT_MAX))
			err = -ERANGE;
		if (err)
			return fail(reader, err,
			    "the weight \"%s\" is no number from %g to %g",
			    field, ROW_WEIGHT_MIN, ROW_WEIGHT_MAX);
		return 0;
	default:
		err = csv_int32(field, &reader->values[reader->columns[i]]);
		if (err)
			return fail(reader, err,
			    "%s: \"%s\" is no whole number%s",
			    reader->feature_names[reader->columns[i]], field,
			    err == -ERANGE ? " of 32 bits" : "");
		return 0;
	}
}

int row_reader_row(struct row_reader *reader, char *line, size_t length)
{
	struct row row = {.weight = 1};
	uint32_t n, label, group = reader->data.n_rows;
	int err = split(reader, line, length, &n);

	br_assert(reader->n_columns > 0);
	if (err)
		return err;
	if (n != reader->n_columns)
		return fail(reader, BR_E_SYNTAX,
		    "%u columns, but the header has %u", n, reader->n_columns);
	for (uint32_t i = 0; i < n; i++) {
		err = read_field(reader, i, &row);
		if (err)
			return err;
	}
	if (reader->data.n_rows == DATASET_ROWS_MAX)
		return fail(reader, BR_E_LIMIT, "more than %u rows",
		    (unsigned)DATASET_ROWS_MAX);
	err = row_reader_class(reader, row.class, &label);
	if (!err && row.group)
		err = find_group(reader, row.group, &group);
	if (err)
		return err;
	return dataset_add(
	    &reader->data, reader->values, label, row.weight, group);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void row_reader_sort_classes(struct row_reader *reader)
{
	uint32_t now[DATASET_CLASSES_MAX] = {0}, before;

	qsort(reader->class_names, reader->n_classes,
	    sizeof *reader->class_names, by_name);
	for (uint32_t c = 0; c < reader->n_classes; c++) {
		const char *name = reader->class_names[c];

		br_assert(find_number(reader->classes, name, &before));
		now[before] = c;
		strmap_put(reader->classes, name, (void *)((uintptr_t)c + 1));
	}
	for (uint32_t i = 0; i < reader->data.n_rows; i++)
		reader->data.labels[i] = now[reader->data.labels[i]];
}
