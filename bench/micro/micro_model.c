/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/strbuf.h"
#include "learn/emit.h"
#include "profiler/features.h"
#include "profiler/model.h"
#include "profiler/model_abi.h"
#include "tools/braid_train.h"
#include "tools/braid_train_cc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * One classification: by compiled models, as the profiler asks them, and by
 * the same models as they were learned, as validation does. They are learned
 * and compiled here, from rows with noise, so that the trees are large. And by
 * the model that comes with Braid.
 */

#define FEATURES 40
#define CLASSES 8
#define ROWS_LEARNED 20000
/* Asked in order; more than branch predictors remember. */
#define ROWS_ASKED 65536
#define DEPTH 10

struct bench {
	struct forest forest;
	void *object;
	const struct braid_model *model;
	int32_t *rows;
};

/* A class draws its own means and spreads, so that features overlap. */
static void draw_row(struct rng *rng, uint32_t class, int32_t *ret)
{
	for (uint32_t f = 0; f < FEATURES; f++) {
		uint32_t mean = (class * (2 * f + 3) % CLASSES) * 1000;
		uint32_t value = mean;

		/* Four draws: near enough to a bell. */
		for (uint32_t i = 0; i < 4; i++)
			value += rng_below(rng, 3000);
		ret[f] = (int32_t)value;
	}
}

static struct forest learn(uint32_t n_trees)
{
	struct forest_params params = {
	    .n_trees = n_trees,
	    .tree = {.depth_max = DEPTH, .min_leaf = 2},
	};
	struct tree_fitter *fitter;
	struct dataset data;
	struct forest forest;
	struct rng rng;

	rng_seed(&rng, 1);
	dataset_init(&data, FEATURES);
	for (uint32_t i = 0; i < ROWS_LEARNED; i++) {
		int32_t row[FEATURES];
		uint32_t class = rng_below(&rng, CLASSES);

		draw_row(&rng, class, row);
		/* What is called by a wrong name makes leaves of its own. */
		if (rng_below(&rng, 5) == 0)
			class = rng_below(&rng, CLASSES);
		br_assert(!dataset_add(&data, row, class, 1, i));
	}
	fitter = tree_fitter_new(&data, CLASSES);
	br_assert(!forest_fit(fitter, NULL, &params, 1, &forest));
	tree_fitter_free(fitter);
	dataset_fini(&data);
	return forest;
}

static void compile(struct bench *b)
{
	static const char *const classes[CLASSES] = {
	    "a", "b", "c", "d", "e", "f", "g", "h"};
	char folder[] = "/tmp/braid-micro-XXXXXX", path[64];
	const char *features[FEATURES];
	struct emit_model model = {
	    .forest = &b->forest,
	    .feature_names = features,
	    .class_names = classes,
	    .name = "bench",
	    .preamble = model_abi_text,
	    .symbol = "braid_model",
	};
	struct strbuf text;

	for (uint32_t f = 0; f < FEATURES; f++)
		features[f] = "x";
	strbuf_init(&text);
	emit_c(&model, &text);
	br_assert(mkdtemp(folder));
	br_assert(snprintf(path, sizeof path, "%s/model.so", folder) <
		  (int)sizeof path);
	br_assert(!train_compile(text.text, text.length, path));
	b->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	br_assert(b->object);
	b->model = dlsym(b->object, "braid_model");
	br_assert(b->model);
	br_assert(!unlink(path) && !rmdir(folder));
	strbuf_fini(&text);
}

static void *bench_open(uint32_t n_trees)
{
	struct bench *b = micro_alloc(1, sizeof *b);
	struct rng rng;

	b->forest = learn(n_trees);
	compile(b);
	b->rows = micro_alloc(ROWS_ASKED, FEATURES * sizeof(int32_t));
	rng_seed(&rng, 2);
	for (uint32_t i = 0; i < ROWS_ASKED; i++) {
		int32_t *row = b->rows + (size_t)i * FEATURES;

		draw_row(&rng, rng_below(&rng, CLASSES), row);
		br_assert(b->model->classify(row) ==
			  forest_classify(&b->forest, row));
	}
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	forest_fini(&b->forest);
	dlclose(b->object);
	free(b->rows);
	free(b);
}

/* -- the built-in model ------------------------------------------------- */

/* Numbers of all sizes in its features: no flow is like that, so no branch is
 * easier to foresee than a real one's. */
static void *builtin_open(uint32_t size)
{
	struct bench *b = micro_alloc(1, sizeof *b);
	struct model model;
	char why[200];
	struct rng rng;

	(void)size;
	br_assert(!model_builtin(&model, why, sizeof why));
	b->model = model.abi;
	b->rows = micro_alloc(ROWS_ASKED, N_FEATURES * sizeof(int32_t));
	rng_seed(&rng, 2);
	for (size_t i = 0; i < (size_t)ROWS_ASKED * N_FEATURES; i++)
		b->rows[i] =
		    (int32_t)rng_below(&rng, 1u << (1 + rng_below(&rng, 20)));
	return b;
}

static void builtin_close(void *state)
{
	struct bench *b = state;

	free(b->rows);
	free(b);
}

static void run_builtin(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++)
		micro_use(b->model->classify(
		    b->rows + (i % ROWS_ASKED) * N_FEATURES));
}

static void run_compiled(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++)
		micro_use(
		    b->model->classify(b->rows + (i % ROWS_ASKED) * FEATURES));
}

static void run_walked(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++)
		micro_use(forest_classify(
		    &b->forest, b->rows + (i % ROWS_ASKED) * FEATURES));
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "model: " what, .open = bench_open, .run = run_it,     \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("compiled tree, depth 10", run_compiled, 1),
    CASE("the same tree, walked", run_walked, 1),
    CASE("compiled forest of 20", run_compiled, 20),
    CASE("the same forest, walked", run_walked, 20),
    {.name = "model: built in",
	.open = builtin_open,
	.run = run_builtin,
	.close = builtin_close},
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
