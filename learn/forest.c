/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/forest.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <math.h>

/* As many draws as there are rows that take part, each row any number of
 * times. `rows` has room for all of them. */
static void draw_rows(const struct dataset *data, const uint32_t *copies,
    struct rng *rng, uint32_t *rows, uint32_t *ret_copies)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < data->n_rows; i++) {
		ret_copies[i] = 0;
		if (!copies || copies[i])
			rows[n++] = i;
	}
	for (uint32_t i = 0; i < n; i++)
		ret_copies[rows[rng_below(rng, n)]]++;
}

static int fit_trees(struct tree_fitter *fitter, const uint32_t *copies,
    const struct forest_params *params, uint64_t seed, struct forest *forest)
{
	const struct dataset *data = tree_fitter_data(fitter);
	struct tree_params p = params->tree;
	uint32_t *rows = memory_array(data->n_rows, sizeof *rows);
	uint32_t *drawn = memory_array(data->n_rows, sizeof *drawn);
	struct rng seeds;
	int err = 0;

	if (params->n_trees > 1 && !p.features_per_split)
		p.features_per_split = (uint32_t)sqrt(data->n_features);
	rng_seed(&seeds, seed);
	while (!err && forest->n_trees < params->n_trees) {
		const uint32_t *take = copies;
		struct rng rng;

		/* Each has its own, so that a forest of more trees begins
		 * with those of a smaller one. */
		rng_seed(&rng, rng_u64(&seeds));
		if (params->n_trees > 1) {
			draw_rows(data, copies, &rng, rows, drawn);
			take = drawn;
		}
		err = tree_fit(
		    fitter, take, &p, &rng, &forest->trees[forest->n_trees]);
		forest->n_trees += !err;
	}
	free(rows);
	free(drawn);
	return err;
}

int forest_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct forest_params *params, uint64_t seed, struct forest *ret)
{
	struct forest forest = {
	    .n_features = tree_fitter_data(fitter)->n_features,
	    .n_classes = tree_fitter_classes(fitter)};
	int err;

	br_assert(params->n_trees > 0 && params->n_trees <= FOREST_TREES_MAX);
	forest.trees = memory_array(params->n_trees, sizeof *forest.trees);
	err = fit_trees(fitter, copies, params, seed, &forest);
	if (err)
		forest_fini(&forest);
	else
		*ret = forest;
	return err;
}

void forest_fini(struct forest *forest)
{
	for (uint32_t i = 0; i < forest->n_trees; i++)
		tree_fini(&forest->trees[i]);
	free(forest->trees);
	*forest = (struct forest){0};
}

uint32_t forest_leaves(const struct forest *forest)
{
	uint32_t n = 0;

	for (uint32_t t = 0; t < forest->n_trees; t++)
		n += tree_leaves(&forest->trees[t]);
	return n;
}

void forest_parts(const struct tree *tree, uint32_t leaf, uint16_t *ret_parts)
{
	for (uint32_t c = 0; c < tree->n_classes; c++)
		ret_parts[c] =
		    (uint16_t)(tree_shares(tree, leaf)[c] * TREE_SURE + 0.5);
}

uint32_t forest_classify(const struct forest *forest, const int32_t *features)
{
	uint32_t sums[DATASET_CLASSES_MAX] = {0}, best = 0;
	uint16_t parts[DATASET_CLASSES_MAX];

	if (forest->n_trees == 1)
		return tree_classify(&forest->trees[0], features);
	for (uint32_t t = 0; t < forest->n_trees; t++) {
		const struct tree *tree = &forest->trees[t];

		forest_parts(tree, tree_find(tree, features), parts);
		for (uint32_t c = 0; c < forest->n_classes; c++)
			sums[c] += parts[c];
	}
	for (uint32_t c = 1; c < forest->n_classes; c++) {
		if (sums[c] > sums[best])
			best = c;
	}
	return best << 16 | sums[best] / forest->n_trees;
}

void forest_importance(const struct forest *forest, double *ret)
{
	for (uint32_t f = 0; f < forest->n_features; f++)
		ret[f] = 0;
	for (uint32_t t = 0; t < forest->n_trees; t++)
		tree_add_importance(&forest->trees[t], ret);
	for (uint32_t f = 0; f < forest->n_features; f++)
		ret[f] /= forest->n_trees;
}
