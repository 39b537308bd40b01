/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/emit.h"

#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "learn/feature_names.h"
#include "profiler/model_abi.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/learn/learn_rows.h"

static const char *const features[] = {"up_bytes", "*/ \\", "f?\?/", "\"q\""};
static const char *const classes[] = {"web", "b\"u\\l\nk", "?\?=", "rpc"};

static struct forest fit(uint64_t seed, uint32_t n_trees, uint32_t depth_max)
{
	struct forest_params params = {
	    .n_trees = n_trees, .tree.depth_max = depth_max};
	struct tree_fitter *fitter;
	struct dataset data;
	struct forest forest;
	int32_t extreme[4] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MAX};

	rows_random(&data, seed, 600, 1000, 4, 3);
	ck_assert_int_eq(dataset_add(&data, extreme, 0, 1, 0), 0);
	for (uint32_t f = 0; f < 3; f++)
		extreme[f]++;
	extreme[3]--;
	ck_assert_int_eq(dataset_add(&data, extreme, 1, 1, 0), 0);
	fitter = tree_fitter_new(&data, 4);
	ck_assert_int_eq(forest_fit(fitter, NULL, &params, seed, &forest), 0);
	tree_fitter_free(fitter);
	dataset_fini(&data);
	return forest;
}

static void emit(const struct forest *forest, struct strbuf *text)
{
	struct emit_model model = {
	    .forest = forest,
	    .feature_names = features,
	    .class_names = classes,
	    .name = "a \"test\"",
	    .preamble = "#include \"profiler/model_abi.h\"\n",
	    .symbol = "braid_model",
	};

	strbuf_init(text);
	emit_c(&model, text);
}

/* The compiler reads the text from stdin; its wait status. */
static int compile(const struct strbuf *text, const char *object)
{
	char *arguments[] = {"cc", "-std=c17", "-O1", "-fPIC", "-shared",
	    "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic",
	    "-Werror", "-I", getenv("BRAID_SOURCE"), "-x", "c", "-", "-o",
	    (char *)object, NULL};
	extern char **environ;
	posix_spawn_file_actions_t actions;
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	ck_assert_int_eq(
	    posix_spawnp(&pid, "cc", &actions, NULL, arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	for (size_t at = 0; at < text->length;) {
		ssize_t n = write(fds[1], text->text + at, text->length - at);

		ck_assert_int_gt(n, 0);
		at += (size_t)n;
	}
	close(fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void compare(
    const struct forest *forest, const struct braid_model *model)
{
	struct rng rng;

	rng_seed(&rng, 77);
	for (uint32_t i = 0; i < 20000; i++) {
		int32_t row[4];

		for (uint32_t f = 0; f < 4; f++) {
			row[f] = (int32_t)rng_below(&rng, 1200) - 600;
			if (rng_below(&rng, 50) == 0)
				row[f] =
				    (int32_t)(INT32_MIN +
					      (int64_t)(rng_u64(&rng) % 2));
			if (rng_below(&rng, 50) == 0)
				row[f] = INT32_MAX;
		}
		ck_assert_uint_eq(
		    model->classify(row), forest_classify(forest, row));
	}
}

static void check_compiled(const struct forest *forest, bool from_least)
{
	char folder[] = "/tmp/braid-emit-XXXXXX", object[64];
	const struct braid_model *model;
	struct strbuf text;
	void *opened;
	int status;

	emit(forest, &text);
	ck_assert(!from_least || strstr(text.text, "INT32_MIN"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(object, sizeof object, "%s/model.so", folder);
	status = compile(&text, object);
	opened = dlopen(object, RTLD_NOW | RTLD_LOCAL);
	/* Before anything can fail. */
	unlink(object);
	rmdir(folder);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(opened, "%s", dlerror());
	model = dlsym(opened, "braid_model");
	ck_assert_ptr_nonnull(model);
	ck_assert_uint_eq(model->magic, BRAID_MODEL_MAGIC);
	ck_assert_uint_eq(model->abi, BRAID_MODEL_ABI);
	ck_assert_uint_eq(
	    model->features_hash, feature_names_hash(features, 4));
	ck_assert_uint_eq(model->n_features, 4);
	ck_assert_uint_eq(model->n_classes, 4);
	ck_assert_str_eq(model->name, "a \"test\"");
	for (uint32_t c = 0; c < 4; c++)
		ck_assert_str_eq(model->classes[c], classes[c]);
	compare(forest, model);
	dlclose(opened);
	strbuf_fini(&text);
}

START_TEST(test_compiled_answers_the_same)
{
	static const struct {
		uint32_t n_trees, depth_max;
	} cases[] = {{1, 0}, {1, 1}, {7, 0}, {20, 4}};

	for (uint32_t i = 0; i < BR_COUNT(cases); i++) {
		struct forest forest =
		    fit(i, cases[i].n_trees, cases[i].depth_max);

		check_compiled(&forest, cases[i].depth_max == 0);
		forest_fini(&forest);
	}
}
END_TEST

/* Nothing to ask: a leaf alone. */
START_TEST(test_a_leaf_alone)
{
	struct forest forest = fit(1, 1, 1);

	forest.trees[0].n_nodes = 1;
	forest.trees[0].nodes[0].feature = TREE_LEAF;
	check_compiled(&forest, false);
	forest_fini(&forest);
}
END_TEST

START_TEST(test_the_same_text)
{
	for (uint32_t n_trees = 1; n_trees < 20; n_trees += 18) {
		struct forest a = fit(3, n_trees, 0), b = fit(3, n_trees, 0);
		struct strbuf one, two;

		emit(&a, &one);
		emit(&b, &two);
		ck_assert_str_eq(one.text, two.text);
		strbuf_fini(&one);
		strbuf_fini(&two);
		forest_fini(&a);
		forest_fini(&b);
	}
}
END_TEST

/* One feature, n rows at 10 and m at 20. */
static void check_order(uint32_t n, uint32_t m, const char *wanted)
{
	struct forest_params params = {.n_trees = 1};
	struct forest forest;
	struct emit_model model = {
	    .forest = &forest,
	    .feature_names = features,
	    .class_names = classes,
	    .name = "m",
	    .preamble = "",
	    .symbol = "x",
	};
	struct tree_fitter *fitter;
	struct dataset data;
	struct strbuf text;

	dataset_init(&data, 1);
	rows_add1(&data, 10, 0, n);
	rows_add1(&data, 20, 1, m);
	fitter = tree_fitter_new(&data, 2);
	ck_assert_int_eq(forest_fit(fitter, NULL, &params, 1, &forest), 0);
	strbuf_init(&text);
	emit_c(&model, &text);
	ck_assert_ptr_nonnull(strstr(text.text, wanted));
	strbuf_fini(&text);
	forest_fini(&forest);
	tree_fitter_free(fitter);
	dataset_fini(&data);
}

/* Confidences: 7/8 and 4/5. */
START_TEST(test_the_likely_side_comes_first)
{
	check_order(3, 6,
	    "{\n if (f[0] > 15) {\n  return 1u << 16 | 8750u;\n }\n"
	    " return 0u << 16 | 8000u;\n}\n");
	check_order(6, 3,
	    "{\n if (f[0] <= 15) {\n  return 0u << 16 | 8750u;\n }\n"
	    " return 1u << 16 | 8000u;\n}\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("emit");

	tcase_add_test(tcase, test_compiled_answers_the_same);
	tcase_add_test(tcase, test_a_leaf_alone);
	tcase_add_test(tcase, test_the_same_text);
	tcase_add_test(tcase, test_the_likely_side_comes_first);
	return check_main(tcase);
}
