/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/dataset.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <errno.h>
#include <math.h>

#define ROWS_FIRST 1024

void dataset_init(struct dataset *data, uint32_t n_features)
{
	br_assert(n_features > 0 && n_features <= DATASET_FEATURES_MAX);
	*data = (struct dataset){.n_features = n_features};
	data->columns = memory_array(n_features, sizeof *data->columns);
}

void dataset_fini(struct dataset *data)
{
	for (uint32_t f = 0; f < data->n_features; f++)
		free(data->columns[f]);
	free(data->columns);
	free(data->labels);
	free(data->groups);
	free(data->weights);
	*data = (struct dataset){0};
}

static void make_room(struct dataset *data)
{
	uint32_t room = data->room ? 2 * data->room : ROWS_FIRST;

	for (uint32_t f = 0; f < data->n_features; f++)
		data->columns[f] =
		    memory_grown(data->columns[f], room, sizeof(int32_t));
	data->labels = memory_grown(data->labels, room, sizeof(uint32_t));
	data->groups = memory_grown(data->groups, room, sizeof(uint32_t));
	data->weights = memory_grown(data->weights, room, sizeof(double));
	data->room = room;
}

int dataset_add(struct dataset *data, const int32_t *values, uint32_t label,
    double weight, uint32_t group)
{
	uint32_t row = data->n_rows;

	if (!(weight > 0) || !isfinite(weight))
		return -EINVAL;
	if (row == DATASET_ROWS_MAX || label >= DATASET_CLASSES_MAX ||
	    group >= DATASET_ROWS_MAX)
		return BR_E_LIMIT;
	if (row == data->room)
		make_room(data);
	for (uint32_t f = 0; f < data->n_features; f++)
		data->columns[f][row] = values[f];
	data->labels[row] = label;
	data->weights[row] = weight;
	data->groups[row] = group;
	data->n_rows++;
	if (label >= data->n_classes)
		data->n_classes = label + 1;
	if (group >= data->n_groups)
		data->n_groups = group + 1;
	return 0;
}

void dataset_row(const struct dataset *data, uint32_t row, int32_t *ret_values)
{
	br_assert(row < data->n_rows);
	for (uint32_t f = 0; f < data->n_features; f++)
		ret_values[f] = data->columns[f][row];
}
