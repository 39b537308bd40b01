/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train.h"

#include <dlfcn.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "learn/confusion.h"
#include "learn/feature_names.h"
#include "learn/memory.h"
#include "profiler/model.h"
#include "profiler/model_abi.h"
#include "profiler/model_file.h"
#include "tools/braid_train_report.h"

/* `braid-train eval`: asks a compiled model about rows whose class is known. */

static const char usage[] =
    "usage: braid-train eval --model builtin|FILE.so FILE.csv ...\n"
    "\n"
    "  --model builtin   the model that comes with Braid\n"
    "  --model FILE.so   a model made by braid-train fit --so; its code is "
    "run\n";

/* What is asked. */
struct asked {
	const struct braid_model *abi;
	void *object; /* NULL: built in */
	int fd; /* of its copy; with an object only */
	char why[256];
};

static int ask_file(const char *path, struct asked *ret)
{
	struct model_why why = {ret->why, sizeof ret->why};
	uint64_t hash;
	int err = model_file_open_any(path, &why, &ret->fd, &hash);

	if (err)
		return err;
	err = model_object_open(&ret->fd, &why, &ret->object, &ret->abi);
	if (err)
		close(ret->fd);
	return err;
}

static int ask_builtin(struct asked *ret)
{
	struct model model;
	int err = model_builtin(&model, ret->why, sizeof ret->why);

	if (!err)
		ret->abi = model.abi;
	return err;
}

/* Of any features and classes: what it was trained on is for the rows to say. */
static int check_model(struct asked *asked)
{
	struct model_why why = {asked->why, sizeof asked->why};
	const struct braid_model *abi = asked->abi;

	if (abi->magic == BRAID_MODEL_MAGIC && abi->abi != BRAID_MODEL_ABI)
		return model_refuse(&why,
		    "a model of ABI %" PRIu32 ", but this is %d", abi->abi,
		    BRAID_MODEL_ABI);
	if (abi->magic != BRAID_MODEL_MAGIC || !abi->classify ||
	    !abi->classes || !abi->name || !abi->n_classes ||
	    abi->n_classes > DATASET_CLASSES_MAX)
		return model_refuse(&why, "its braid_model is no model");
	return 0;
}

static void let_go(struct asked *asked)
{
	if (!asked->object)
		return;
	dlclose(asked->object);
	close(asked->fd);
}

/* False when it is no model that can be asked; the reason is said. */
static bool open_model(const char *path, struct asked *ret)
{
	int err;

	*ret = (struct asked){.fd = -1};
	err = strcmp(path, "builtin") ? ask_file(path, ret) : ask_builtin(ret);
	if (!err) {
		err = check_model(ret);
		if (err)
			let_go(ret);
	}
	if (err)
		fprintf(stderr, "braid-train: %s: %s\n", path,
		    ret->why[0] ? ret->why : br_strerror(err));
	return !err;
}

static int check_features(
    const struct braid_model *model, const struct row_reader *rows)
{
	if (model->n_features == rows->data.n_features &&
	    model->features_hash ==
		feature_names_hash(rows->feature_names, rows->data.n_features))
		return TRAIN_OK;
	fprintf(stderr,
	    "braid-train: the columns are not the %" PRIu32
	    " features of the model, in their order\n",
	    model->n_features);
	return TRAIN_DATA;
}

static void score(const struct braid_model *model,
    const struct row_reader *rows, struct strbuf *text)
{
	const struct dataset *data = &rows->data;
	int32_t *features = memory_array(data->n_features, sizeof *features);
	double confidence = 0, all = 0;
	struct confusion confusion;

	/* Classes that the model does not know stand behind its own. */
	confusion_init(&confusion, rows->n_classes);
	for (uint32_t i = 0; i < data->n_rows; i++) {
		uint32_t answer;

		dataset_row(data, i, features);
		answer = model->classify(features);
		confusion_add(&confusion, data->labels[i], answer >> 16,
		    data->weights[i]);
		confidence += data->weights[i] * (answer & 0xffff);
		all += data->weights[i];
	}
	strbuf_addf(text, "Model %s, %" PRIu32 " rows, mean confidence %.4f.\n",
	    model->name, data->n_rows, confidence / all / BRAID_MODEL_SURE);
	train_report_confusion(&confusion, rows->class_names, text);
	confusion_fini(&confusion);
	free(features);
}

static int eval(const struct braid_model *model, char *const *paths, uint32_t n)
{
	struct row_reader rows;
	struct strbuf text;
	uint32_t label;
	int code = TRAIN_OK;

	row_reader_init(&rows);
	strbuf_init(&text);
	for (uint32_t c = 0; !code && c < model->n_classes; c++) {
		if (row_reader_class(&rows, model->classes[c], &label)) {
			fprintf(
			    stderr, "braid-train: the model: %s\n", rows.error);
			code = TRAIN_DATA;
		}
	}
	if (!code)
		code = train_read_files(&rows, paths, n);
	if (!code)
		code = check_features(model, &rows);
	if (!code) {
		score(model, &rows, &text);
		fputs(text.text, stdout);
	}
	strbuf_fini(&text);
	row_reader_fini(&rows);
	return code;
}

int train_eval_main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"model", required_argument, NULL, 'm'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	const char *path = NULL;
	struct asked asked;
	int option, code;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return TRAIN_OK;
		}
		if (option != 'm') {
			fputs(usage, stderr);
			return TRAIN_USAGE;
		}
		path = optarg;
	}
	if (!path || optind == argc) {
		fputs(usage, stderr);
		return TRAIN_USAGE;
	}
	if (!open_model(path, &asked))
		return TRAIN_NO_INPUT;
	code = eval(asked.abi, argv + optind, (uint32_t)(argc - optind));
	let_go(&asked);
	return code;
}
