/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_train_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "learn/feature_names.h"
#include "learn/memory.h"

/* Features that explain less than this are not listed. */
#define IMPORTANCE_LEAST 0.0005

/* A bar would begin a new column. */
static void add_cell(struct strbuf *text, const char *name)
{
	for (const char *c = name; *c; c++)
		strbuf_addf(text, *c == '|' ? "\\%c" : "%c", *c);
}

static void add_classes(const struct confusion *confusion,
    const char *const *class_names, struct strbuf *text)
{
	strbuf_adds(text, "| class | rows | precision | recall | F1 |\n"
			  "|---|---:|---:|---:|---:|\n");
	for (uint32_t c = 0; c < confusion->n_classes; c++) {
		struct confusion_score score = confusion_score(confusion, c);

		strbuf_adds(text, "| ");
		add_cell(text, class_names[c]);
		strbuf_addf(text, " | %.10g | %.3f | %.3f | %.3f |\n",
		    score.actual, score.precision, score.recall, score.f1);
	}
}

static void add_matrix(const struct confusion *confusion,
    const char *const *class_names, struct strbuf *text)
{
	strbuf_adds(text, "| is, said to be |");
	for (uint32_t c = 0; c < confusion->n_classes; c++) {
		strbuf_addc(text, ' ');
		add_cell(text, class_names[c]);
		strbuf_adds(text, " |");
	}
	strbuf_adds(text, "\n|---|");
	for (uint32_t c = 0; c < confusion->n_classes; c++)
		strbuf_adds(text, "---:|");
	strbuf_addc(text, '\n');
	for (uint32_t a = 0; a < confusion->n_classes; a++) {
		strbuf_adds(text, "| ");
		add_cell(text, class_names[a]);
		for (uint32_t s = 0; s < confusion->n_classes; s++)
			strbuf_addf(text, " | %.10g",
			    confusion_weight(confusion, a, s));
		strbuf_adds(text, " |\n");
	}
}

void train_report_confusion(const struct confusion *confusion,
    const char *const *class_names, struct strbuf *text)
{
	strbuf_addf(text, "Accuracy %.4f, macro-F1 %.4f.\n\n",
	    confusion_accuracy(confusion), confusion_macro_f1(confusion));
	add_classes(confusion, class_names, text);
	strbuf_addc(text, '\n');
	add_matrix(confusion, class_names, text);
}

static void add_params(const struct train_params *params, struct strbuf *text)
{
	const struct tree_params *tree = &params->forest.tree;

	strbuf_addf(text,
	    "Fitted with: trees %" PRIu32 ", criterion %s, depth %" PRIu32
	    ", min-leaf %" PRIu32 ", %s, ",
	    params->forest.n_trees,
	    tree->criterion == TREE_ENTROPY ? "entropy" : "gini",
	    tree->depth_max, tree->min_leaf,
	    params->balance ? "classes balanced" : "classes as they come");
	if (tree->features_per_split)
		strbuf_addf(text, "%" PRIu32 " features a split, ",
		    tree->features_per_split);
	switch (params->prune) {
	case TRAIN_PRUNE_NOT:
		strbuf_adds(text, "not pruned, ");
		break;
	case TRAIN_PRUNE_AT:
		strbuf_addf(text, "pruned at %.10g, ", params->alpha);
		break;
	case TRAIN_PRUNE_CHOOSE:
		strbuf_adds(text, "pruned by validation, ");
		break;
	}
	strbuf_addf(text, "seed %" PRIu64 ".\n", params->seed);
}

static void add_validation(const struct validation *validation,
    const char *const *class_names, struct strbuf *text)
{
	strbuf_addf(text,
	    "\n## On groups that were not seen\n\n"
	    "Cross-validation in %" PRIu32
	    " parts; no group is in two of them, and each part was\n"
	    "asked about by a model, with all its choices, of the others.\n\n",
	    validation->n_folds);
	train_report_confusion(&validation->confusion, class_names, text);
	strbuf_adds(text, "\n| part | rows | accuracy | macro-F1 | leaves |\n"
			  "|---|---:|---:|---:|---:|\n");
	for (uint32_t f = 0; f < validation->n_folds; f++) {
		const struct validate_fold *fold = &validation->folds[f];

		strbuf_addf(text,
		    "| %" PRIu32 " | %" PRIu32 " | %.4f | %.4f | %" PRIu32
		    " |\n",
		    f + 1, fold->n_rows, fold->accuracy, fold->macro_f1,
		    fold->leaves);
	}
}

struct ranked {
	uint32_t feature;
	double importance;
};

static int most_important(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->importance != y->importance)
		return x->importance > y->importance ? -1 : 1;
	return x->feature < y->feature ? -1 : 1;
}

static void add_importance(const struct forest *forest,
    const char *const *feature_names, struct strbuf *text)
{
	uint32_t n = forest->n_features;
	struct ranked *ranked = memory_array(n, sizeof *ranked);
	double *importance = memory_array(n, sizeof *importance);

	forest_importance(forest, importance);
	for (uint32_t f = 0; f < n; f++)
		ranked[f] = (struct ranked){f, importance[f]};
	qsort(ranked, n, sizeof *ranked, most_important);
	strbuf_adds(text, "\n| feature | importance |\n|---|---:|\n");
	for (uint32_t i = 0; i < n; i++) {
		if (ranked[i].importance < IMPORTANCE_LEAST)
			break;
		strbuf_adds(text, "| ");
		add_cell(text, feature_names[ranked[i].feature]);
		strbuf_addf(text, " | %.3f |\n", ranked[i].importance);
	}
	free(ranked);
	free(importance);
}

static void add_model(const struct train_report *report, struct strbuf *text)
{
	const struct forest *forest = report->forest;
	uint32_t depth = 0;

	for (uint32_t t = 0; t < forest->n_trees; t++) {
		uint32_t d = tree_depth(&forest->trees[t]);

		depth = d > depth ? d : depth;
	}
	strbuf_addf(text,
	    "\n## The model\n\nOf all rows: %" PRIu32 " tree%s, %" PRIu32
	    " leaves, depth %" PRIu32,
	    forest->n_trees, forest->n_trees == 1 ? "" : "s",
	    forest_leaves(forest), depth);
	if (report->params->prune != TRAIN_PRUNE_NOT)
		strbuf_addf(text, ", pruned at %.4g", report->alpha);
	strbuf_addf(text,
	    ". On the rows it\nlearned from: accuracy %.4f, macro-F1 %.4f. "
	    "Features %016" PRIx64 ".\n",
	    confusion_accuracy(report->seen), confusion_macro_f1(report->seen),
	    feature_names_hash(
		report->rows->feature_names, forest->n_features));
}

void train_report_add(const struct train_report *report, struct strbuf *text)
{
	const struct row_reader *rows = report->rows;

	strbuf_addf(text,
	    "# Training report of %s\n\n%" PRIu32 " rows in %" PRIu32
	    " groups, %" PRIu32 " classes, %" PRIu32 " features.\n",
	    report->name, rows->data.n_rows, rows->data.n_groups,
	    rows->n_classes, rows->data.n_features);
	add_params(report->params, text);
	if (report->validation)
		add_validation(report->validation, rows->class_names, text);
	add_model(report, text);
	add_importance(report->forest, rows->feature_names, text);
}
