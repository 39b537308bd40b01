/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "learn/csv.h"
#include "learn/emit.h"
#include "learn/validate.h"
#include "tools/braid_train_cc.h"
#include "tools/braid_train_report.h"

/* `braid-train fit`: rows -> test -> model -> report, C, shared object. */

#define DEPTH_DEFAULT 16
#define MIN_LEAF_DEFAULT 5
#define FOLDS_DEFAULT 5
#define BUILTIN_SYMBOL "model_default"

struct fit_options {
	struct train_params params;
	bool validate, builtin;
	const char *name, *source, *object, *report;
	char *group_by; /* NULL: as the rows say */
	uint32_t group_bytes;
};

static const char usage[] =
    "usage: braid-train fit [OPTION ...] FILE.csv ...\n"
    "\n"
    "  --trees N         a forest of N trees (1: one tree)\n"
    "  --depth N         at most N questions in a row (16)\n"
    "  --min-leaf N      at least N rows in a leaf (5)\n"
    "  --features N      N features drawn for each split (all; forests: root)\n"
    "  --criterion NAME  gini (default) or entropy\n"
    "  --balance         each class weighs the same\n"
    "  --prune WHAT      auto: chosen by validation; or the price of a leaf\n"
    "  --folds K         parts of the validation (5); 0: none\n"
    "  --group-by COLUMN parts keep rows of one COLUMN together, such as\n"
    "                    _network, or _time:10, its first 10 bytes (group)\n"
    "  --seed S          of all draws (1)\n"
    "  --name NAME       of the model (default)\n"
    "  -o FILE.c         write the model as C\n"
    "  --so FILE.so      compile it by cc\n"
    "  --report FILE     write what is printed to a file, too\n"
    "  --builtin         -o: as profiler/model_default.c of Braid's source\n"
    "\n"
    "The columns of FILE.csv are features, whole numbers of 32 bits, but for\n"
    "class (the label), weight, group, and those whose name begins with _.\n";

enum {
	OPTION_TREES = 256,
	OPTION_DEPTH,
	OPTION_MIN_LEAF,
	OPTION_FEATURES,
	OPTION_CRITERION,
	OPTION_BALANCE,
	OPTION_PRUNE,
	OPTION_FOLDS,
	OPTION_GROUP_BY,
	OPTION_SEED,
	OPTION_NAME,
	OPTION_SO,
	OPTION_REPORT,
	OPTION_BUILTIN,
};

static const struct option names[] = {
    {"trees", required_argument, NULL, OPTION_TREES},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"min-leaf", required_argument, NULL, OPTION_MIN_LEAF},
    {"features", required_argument, NULL, OPTION_FEATURES},
    {"criterion", required_argument, NULL, OPTION_CRITERION},
    {"balance", no_argument, NULL, OPTION_BALANCE},
    {"prune", required_argument, NULL, OPTION_PRUNE},
    {"folds", required_argument, NULL, OPTION_FOLDS},
    {"group-by", required_argument, NULL, OPTION_GROUP_BY},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"name", required_argument, NULL, OPTION_NAME},
    {"so", required_argument, NULL, OPTION_SO},
    {"report", required_argument, NULL, OPTION_REPORT},
    {"builtin", no_argument, NULL, OPTION_BUILTIN},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_number(int option, const char *text, struct train_params *p)
{
	uint64_t n = 0;
	int code = 0;

	switch (option) {
	case OPTION_TREES:
		code =
		    train_option_number("trees", text, 1, FOREST_TREES_MAX, &n);
		p->forest.n_trees = (uint32_t)n;
		break;
	case OPTION_DEPTH:
		code =
		    train_option_number("depth", text, 1, TREE_DEPTH_MAX, &n);
		p->forest.tree.depth_max = (uint32_t)n;
		break;
	case OPTION_MIN_LEAF:
		code = train_option_number(
		    "min-leaf", text, 1, DATASET_ROWS_MAX, &n);
		p->forest.tree.min_leaf = (uint32_t)n;
		break;
	case OPTION_FEATURES:
		code = train_option_number(
		    "features", text, 1, DATASET_FEATURES_MAX, &n);
		p->forest.tree.features_per_split = (uint32_t)n;
		break;
	case OPTION_FOLDS:
		code = train_option_number(
		    "folds", text, 0, VALIDATE_FOLDS_MAX, &n);
		if (!code && n == 1) {
			fprintf(stderr,
			    "braid-train: --folds takes 0 or 2 and more\n");
			code = TRAIN_USAGE;
		}
		p->n_folds = (uint32_t)n;
		break;
	default:
		code =
		    train_option_number("seed", text, 0, UINT64_MAX, &p->seed);
	}
	return code;
}

static int take_criterion(const char *text, struct train_params *p)
{
	if (!strcmp(text, "gini"))
		p->forest.tree.criterion = TREE_GINI;
	else if (!strcmp(text, "entropy"))
		p->forest.tree.criterion = TREE_ENTROPY;
	else {
		fprintf(stderr,
		    "braid-train: --criterion takes gini or "
		    "entropy, not \"%s\"\n",
		    text);
		return TRAIN_USAGE;
	}
	return 0;
}

static int take_prune(const char *text, struct train_params *p)
{
	if (!strcmp(text, "auto")) {
		p->prune = TRAIN_PRUNE_CHOOSE;
		return 0;
	}
	p->prune = TRAIN_PRUNE_AT;
	if (!csv_number(text, &p->alpha) && p->alpha >= 0)
		return 0;
	fprintf(stderr,
	    "braid-train: --prune takes auto or a price from 0, not \"%s\"\n",
	    text);
	return TRAIN_USAGE;
}

/* COLUMN or COLUMN:BYTES. Features stay what they are: a model without one of
 * them would be of no use to braidd. */
static int take_group(char *text, struct fit_options *o)
{
	char *colon = strrchr(text, ':');
	uint64_t n = 0;

	if (colon) {
		*colon = '\0';
		if (train_option_number("group-by COLUMN:", colon + 1, 1,
			ROW_GROUP_BYTES_MAX, &n))
			return TRAIN_USAGE;
	}
	o->group_bytes = (uint32_t)n;
	o->group_by = text;
	if (text[0] == '_')
		return 0;
	fprintf(stderr,
	    "braid-train: --group-by takes a column whose name begins with _, "
	    "not \"%s\"\n",
	    text);
	return TRAIN_USAGE;
}

/* An exit status, or -1 to go on. */
static int take_option(int option, struct fit_options *o)
{
	int code = 0;

	switch (option) {
	case OPTION_CRITERION:
		code = take_criterion(optarg, &o->params);
		break;
	case OPTION_BALANCE:
		o->params.balance = true;
		break;
	case OPTION_PRUNE:
		code = take_prune(optarg, &o->params);
		break;
	case OPTION_GROUP_BY:
		code = take_group(optarg, o);
		break;
	case OPTION_NAME:
		o->name = optarg;
		break;
	case 'o':
		o->source = optarg;
		break;
	case OPTION_SO:
		o->object = optarg;
		break;
	case OPTION_REPORT:
		o->report = optarg;
		break;
	case OPTION_BUILTIN:
		o->builtin = true;
		break;
	case 'h':
		fputs(usage, stdout);
		return TRAIN_OK;
	case '?':
		fputs(usage, stderr);
		return TRAIN_USAGE;
	default:
		code = take_number(option, optarg, &o->params);
	}
	return code ? code : -1;
}

static int check_options(struct fit_options *o, bool has_files)
{
	const char *wrong = NULL;

	o->validate = o->params.n_folds > 0;
	if (!has_files)
		wrong = "fit needs a file of rows";
	else if (o->params.prune != TRAIN_PRUNE_NOT &&
		 o->params.forest.n_trees > 1)
		wrong = "--prune is for one tree; a forest's trees are not "
			"pruned";
	else if (o->params.prune == TRAIN_PRUNE_CHOOSE && !o->validate)
		wrong = "--prune auto chooses by validation: it needs --folds";
	else if (o->builtin && (!o->source || o->object))
		wrong = "--builtin needs -o, and makes no shared object";
	if (!wrong)
		return TRAIN_OK;
	fprintf(stderr, "braid-train: %s\n", wrong);
	return TRAIN_USAGE;
}

static int check_outputs(
    const struct fit_options *o, char *const *inputs, uint32_t n)
{
	int code = TRAIN_OK;

	if (o->source)
		code = train_check_output("-o", o->source, false, inputs, n);
	if (!code && o->object)
		code = train_check_output("--so", o->object, true, inputs, n);
	if (!code && o->report)
		code =
		    train_check_output("--report", o->report, false, inputs, n);
	return code;
}

static int write_model(const struct fit_options *o,
    const struct row_reader *rows, const struct forest *forest)
{
	struct emit_model model = {
	    .forest = forest,
	    .feature_names = rows->feature_names,
	    .class_names = rows->class_names,
	    .name = o->name,
	    .symbol = o->builtin ? BUILTIN_SYMBOL : "braid_model",
	};
	struct strbuf preamble, text;
	int code = TRAIN_OK;

	strbuf_init(&preamble);
	strbuf_init(&text);
	if (o->builtin)
		strbuf_adds(
		    &preamble, "/* SPDX-License-Identifier: Apache-2.0 */\n");
	strbuf_addf(&preamble,
	    "/* Made by braid-train; do not edit. */\n"
	    "/* clang-format off */\n%s",
	    o->builtin ? "#include \"profiler/model_abi.h\"\n\n"
			 "extern const struct braid_model " BUILTIN_SYMBOL ";\n"
		       : model_abi_text);
	model.preamble = preamble.text;
	emit_c(&model, &text);
	if (o->source)
		code = train_write_file(o->source, text.text, text.length);
	if (!code && o->object)
		code = train_compile(text.text, text.length, o->object);
	strbuf_fini(&preamble);
	strbuf_fini(&text);
	return code;
}

static int report_model(const struct fit_options *o,
    const struct row_reader *rows, const struct validation *validation,
    const struct forest *forest, double alpha)
{
	struct confusion seen;
	struct train_report report = {
	    .name = o->name,
	    .rows = rows,
	    .params = &o->params,
	    .validation = validation,
	    .forest = forest,
	    .alpha = alpha,
	    .seen = &seen,
	};
	struct strbuf text;
	int code = TRAIN_OK;

	confusion_init(&seen, rows->n_classes);
	validate_model(forest, &rows->data, &seen);
	strbuf_init(&text);
	train_report_add(&report, &text);
	fputs(text.text, stdout);
	if (o->report)
		code = train_write_file(o->report, text.text, text.length);
	strbuf_fini(&text);
	confusion_fini(&seen);
	return code;
}

static int say_data_error(int err, const struct row_reader *rows)
{
	if (err == -ERANGE)
		fprintf(stderr,
		    "braid-train: too few groups of rows to leave one out for "
		    "a test: there %s %u, it needs 2, with --prune auto 3. "
		    "braidd writes a flow's listener as its group; "
		    "--group-by _network or _time:10 (the day) makes others, "
		    "and --folds 0 goes without figures of rows not seen\n",
		    rows->data.n_groups == 1 ? "is" : "are",
		    rows->data.n_groups);
	else
		fprintf(stderr, "braid-train: %s\n", br_strerror(err));
	return TRAIN_DATA;
}

static int fit(const struct fit_options *o, const struct row_reader *rows)
{
	struct tree_fitter *fitter =
	    tree_fitter_new(&rows->data, rows->n_classes);
	struct validation validation = {0};
	struct forest forest = {0};
	double alpha = 0;
	int code, err = 0;

	if (o->validate)
		err = validate_run(fitter, &o->params, &validation);
	if (!err)
		err = train_fit(fitter, NULL, &o->params, &forest, &alpha);
	tree_fitter_free(fitter);
	if (err) {
		code = say_data_error(err, rows);
	} else {
		code = report_model(
		    o, rows, o->validate ? &validation : NULL, &forest, alpha);
		if (!code && (o->source || o->object))
			code = write_model(o, rows, &forest);
	}
	validate_fini(&validation);
	forest_fini(&forest);
	return code;
}

int train_fit_main(int argc, char **argv)
{
	struct fit_options o = {
	    .params = {.forest = {.n_trees = 1,
			   .tree = {.depth_max = DEPTH_DEFAULT,
			       .min_leaf = MIN_LEAF_DEFAULT}},
		.n_folds = FOLDS_DEFAULT,
		.seed = 1},
	    .name = "default",
	};
	struct row_reader rows;
	int option, code;

	while ((option = getopt_long(argc, argv, "o:h", names, NULL)) != -1) {
		code = take_option(option, &o);
		if (code >= 0)
			return code;
	}
	code = check_options(&o, optind < argc);
	if (code)
		return code;
	code = check_outputs(&o, argv + optind, (uint32_t)(argc - optind));
	if (code)
		return code;
	row_reader_init(&rows);
	if (o.group_by)
		row_reader_group_by(&rows, o.group_by, o.group_bytes);
	code =
	    train_read_files(&rows, argv + optind, (uint32_t)(argc - optind));
	if (!code) {
		row_reader_sort_classes(&rows);
		code = fit(&o, &rows);
	}
	row_reader_fini(&rows);
	return code;
}
