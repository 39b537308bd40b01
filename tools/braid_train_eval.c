/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train.h"

#include <dlfcn.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "learn/confusion.h"
#include "learn/feature_names.h"
#include "learn/memory.h"
#include "profiler/model_abi.h"
#include "tools/braid_train_report.h"

/* `braid-train eval`: asks a compiled model about rows whose class is known. */

static const char usage[] =
    "usage: braid-train eval --model FILE.so FILE.csv ...\n"
    "\n"
    "  --model FILE.so   a model made by braid-train fit --so; its code is "
    "run\n";

/* NULL when the file is no model that can be asked; the reason is said. */
static const struct braid_model *open_model(const char *path, void **ret)
{
	const struct braid_model *model;
	struct strbuf name;

	/* A name without a slash would be looked for elsewhere. */
	strbuf_init(&name);
	strbuf_addf(&name, "%s%s", strchr(path, '/') ? "" : "./", path);
	*ret = dlopen(name.text, RTLD_NOW | RTLD_LOCAL);
	strbuf_fini(&name);
	if (!*ret) {
		fprintf(stderr, "braid-train: %s\n", dlerror());
		return NULL;
	}
	model = dlsym(*ret, "braid_model");
	if (model && model->magic == BRAID_MODEL_MAGIC &&
	    model->abi == BRAID_MODEL_ABI && model->n_classes > 0 &&
	    model->n_classes <= DATASET_CLASSES_MAX)
		return model;
	if (model && model->magic == BRAID_MODEL_MAGIC)
		fprintf(stderr,
		    "braid-train: %s: a model of ABI %" PRIu32
		    ", but this is %d\n",
		    path, model->abi, BRAID_MODEL_ABI);
	else
		fprintf(stderr, "braid-train: %s: no model\n", path);
	dlclose(*ret);
	return NULL;
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
	const struct braid_model *model;
	const char *path = NULL;
	int option, code;
	void *opened;

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
	model = open_model(path, &opened);
	if (!model)
		return TRAIN_NO_INPUT;
	code = eval(model, argv + optind, (uint32_t)(argc - optind));
	dlclose(opened);
	return code;
}
