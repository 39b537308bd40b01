/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/validate.h"

#include "base/assert.h"
#include "learn/folds.h"
#include "learn/memory.h"

/* Which rows to ask about: those of a fold, or all (NULL). */
static uint32_t ask(const struct forest *forest, const struct dataset *data,
    const uint32_t *folds, uint32_t fold, struct confusion *confusion)
{
	int32_t *features = memory_array(data->n_features, sizeof *features);
	uint32_t n = 0;

	for (uint32_t i = 0; i < data->n_rows; i++) {
		if (folds && folds[i] != fold)
			continue;
		dataset_row(data, i, features);
		confusion_add(confusion, data->labels[i],
		    forest_classify(forest, features) >> 16, data->weights[i]);
		n++;
	}
	free(features);
	return n;
}

void validate_model(const struct forest *forest, const struct dataset *data,
    struct confusion *ret_add)
{
	(void)ask(forest, data, NULL, 0, ret_add);
}

static void add_all(struct confusion *to, const struct confusion *from)
{
	for (uint32_t a = 0; a < to->n_classes; a++) {
		for (uint32_t s = 0; s < to->n_classes; s++)
			confusion_add(to, a, s, confusion_weight(from, a, s));
	}
}

static int run_fold(struct tree_fitter *fitter,
    const struct train_params *params, const uint32_t *folds, uint32_t fold,
    uint32_t *train, struct validation *to)
{
	const struct dataset *data = tree_fitter_data(fitter);
	struct validate_fold *result = &to->folds[fold];
	struct confusion confusion;
	struct forest forest;
	int err;

	folds_train(data, NULL, folds, fold, train);
	err = train_fit(fitter, train, params, &forest, &result->alpha);
	if (err)
		return err;
	confusion_init(&confusion, to->confusion.n_classes);
	result->n_rows = ask(&forest, data, folds, fold, &confusion);
	result->accuracy = confusion_accuracy(&confusion);
	result->macro_f1 = confusion_macro_f1(&confusion);
	result->leaves = forest_leaves(&forest);
	add_all(&to->confusion, &confusion);
	confusion_fini(&confusion);
	forest_fini(&forest);
	return 0;
}

int validate_run(struct tree_fitter *fitter, const struct train_params *params,
    struct validation *ret)
{
	const struct dataset *data = tree_fitter_data(fitter);
	uint32_t *folds = memory_array(data->n_rows, sizeof *folds);
	uint32_t *train = memory_array(data->n_rows, sizeof *train);
	struct validation result = {0};
	struct rng rng;
	int err;

	br_assert(params->n_folds <= VALIDATE_FOLDS_MAX);
	rng_seed(&rng, params->seed);
	confusion_init(&result.confusion, tree_fitter_classes(fitter));
	err = folds_deal(
	    data, NULL, params->n_folds, &rng, folds, &result.n_folds);
	for (uint32_t f = 0; !err && f < result.n_folds; f++)
		err = run_fold(fitter, params, folds, f, train, &result);
	free(folds);
	free(train);
	if (err)
		validate_fini(&result);
	else
		*ret = result;
	return err;
}

void validate_fini(struct validation *validation)
{
	confusion_fini(&validation->confusion);
}
