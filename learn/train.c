/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/train.h"

#include "base/assert.h"
#include "learn/alpha.h"
#include "learn/memory.h"
#include "learn/prune.h"

static int fit_weighted(struct tree_fitter *fitter, const uint32_t *copies,
    const struct train_params *params, const double *class_weights,
    struct forest *forest, double *alpha)
{
	struct forest_params p = params->forest;
	struct tree cut;
	int err = 0;

	p.tree.class_weights = class_weights;
	*alpha = params->prune == TRAIN_PRUNE_AT ? params->alpha : 0;
	if (params->prune == TRAIN_PRUNE_CHOOSE)
		err = alpha_choose(fitter, copies, &p.tree, params->n_folds,
		    params->seed, alpha);
	if (err)
		return err;
	err = forest_fit(fitter, copies, &p, params->seed, forest);
	if (err || params->prune == TRAIN_PRUNE_NOT)
		return err;
	prune_price(&forest->trees[0]);
	prune_cut(&forest->trees[0], *alpha, &cut);
	tree_fini(&forest->trees[0]);
	forest->trees[0] = cut;
	return 0;
}

int train_fit(struct tree_fitter *fitter, const uint32_t *copies,
    const struct train_params *params, struct forest *ret, double *ret_alpha)
{
	uint32_t n_classes = tree_fitter_classes(fitter);
	double *weights = NULL, alpha = 0;
	struct forest forest;
	int err;

	br_assert(
	    params->prune == TRAIN_PRUNE_NOT || params->forest.n_trees == 1);
	if (params->balance) {
		weights = memory_array(n_classes, sizeof *weights);
		tree_balance(
		    tree_fitter_data(fitter), copies, n_classes, weights);
	}
	err = fit_weighted(fitter, copies, params, weights, &forest, &alpha);
	free(weights);
	if (err)
		return err;
	*ret = forest;
	*ret_alpha = alpha;
	return 0;
}
