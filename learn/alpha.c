/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/alpha.h"

#include "learn/folds.h"
#include "learn/memory.h"
#include "learn/prune.h"

#include <math.h>

/* Errors of all prices at once: a row's class changes only where the price
 * passes that of a node on its path, so each row writes a few differences. */
struct prices {
	uint32_t n;
	double *at; /* ascending */
	double *errors; /* differences of weight, n + 1 */
	double weight;
	uint32_t n_rows;
};

/* The first price that is at least `alpha`: from there on the node is a
 * leaf. */
static uint32_t first_from(const struct prices *prices, double alpha)
{
	uint32_t low = 0, high = prices->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (prices->at[middle] < alpha)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void test_row(struct prices *prices, const struct tree *tree,
    const int32_t *features, uint32_t label, double weight)
{
	uint32_t at = 0, end = prices->n;

	/* From the root down: it answers for the highest prices. */
	for (;;) {
		const struct tree_node *node = &tree->nodes[at];
		bool leaf = tree_is_leaf(tree, at);
		uint32_t from = leaf ? 0 : first_from(prices, node->alpha);

		if (from < end) {
			if (node->class != label) {
				prices->errors[from] += weight;
				prices->errors[end] -= weight;
			}
			end = from;
		}
		if (leaf || !end)
			break;
		at = tree_next(tree, at, features);
	}
	prices->weight += weight;
	prices->n_rows++;
}

static int test_fold(struct tree_fitter *fitter, const uint32_t *train,
    const struct tree_params *params, struct rng *rng, const uint32_t *folds,
    uint32_t fold, struct prices *prices)
{
	const struct dataset *data = tree_fitter_data(fitter);
	int32_t *features = memory_array(data->n_features, sizeof *features);
	struct tree tree;
	int err = tree_fit(fitter, train, params, rng, &tree);

	if (err) {
		free(features);
		return err;
	}
	prune_price(&tree);
	for (uint32_t i = 0; i < data->n_rows; i++) {
		double weight = data->weights[i];

		if (folds[i] != fold)
			continue;
		if (params->class_weights)
			weight *= params->class_weights[data->labels[i]];
		dataset_row(data, i, features);
		test_row(prices, &tree, features, data->labels[i], weight);
	}
	tree_fini(&tree);
	free(features);
	return 0;
}

/* The highest price whose error is within one standard error of the least. */
static double cheapest(const struct prices *prices)
{
	double least = INFINITY, sum = 0, limit, alpha = 0;

	for (uint32_t i = 0; i < prices->n; i++) {
		sum += prices->errors[i];
		least = fmin(least, fmax(0, sum / prices->weight));
	}
	limit = least + sqrt(least * (1 - fmin(1, least)) / prices->n_rows);
	sum = 0;
	for (uint32_t i = 0; i < prices->n; i++) {
		sum += prices->errors[i];
		/* The tolerance is for the order of additions. */
		if (sum / prices->weight <= limit + 1e-12)
			alpha = prices->at[i];
	}
	return alpha;
}

/* Prices to try: those of the tree of all rows. */
static int find_prices(struct tree_fitter *fitter, const uint32_t *copies,
    const struct tree_params *params, struct rng *rng, struct prices *ret)
{
	struct tree tree;
	int err = tree_fit(fitter, copies, params, rng, &tree);

	if (err)
		return err;
	prune_price(&tree);
	ret->n = prune_steps(&tree, &ret->at);
	for (uint32_t i = 0; i + 1 < ret->n; i++)
		ret->at[i] = sqrt(ret->at[i] * ret->at[i + 1]);
	ret->errors = memory_array(ret->n + 1, sizeof *ret->errors);
	tree_fini(&tree);
	return 0;
}

int alpha_choose(struct tree_fitter *fitter, const uint32_t *copies,
    const struct tree_params *params, uint32_t n_folds, uint64_t seed,
    double *ret_alpha)
{
	const struct dataset *data = tree_fitter_data(fitter);
	uint32_t *folds = memory_array(data->n_rows, sizeof *folds);
	uint32_t *train = memory_array(data->n_rows, sizeof *train);
	struct prices prices = {0};
	uint32_t n = 0;
	struct rng rng;
	int err;

	rng_seed(&rng, seed);
	err = folds_deal(data, copies, n_folds, &rng, folds, &n);
	if (!err)
		err = find_prices(fitter, copies, params, &rng, &prices);
	for (uint32_t f = 0; !err && f < n; f++) {
		folds_train(data, copies, folds, f, train);
		err = test_fold(fitter, train, params, &rng, folds, f, &prices);
	}
	if (!err)
		*ret_alpha = cheapest(&prices);
	free(prices.at);
	free(prices.errors);
	free(folds);
	free(train);
	return err;
}
