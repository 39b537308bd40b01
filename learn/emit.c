/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/emit.h"

#include "base/hash.h"
#include "learn/feature_names.h"
#include "learn/memory.h"

#include <inttypes.h>
#include <string.h>

/* The parts of all leaves of a forest, each different row once: most leaves
 * are of one class alone, so the table stays in the cache. */
struct parts {
	uint32_t n_classes, n_rows, room;
	uint16_t *rows;
	uint32_t n_slots; /* a power of two */
	uint32_t *slots; /* row + 1, by hash */
};

/* A string literal of any bytes. */
static void add_literal(struct strbuf *text, const char *bytes)
{
	strbuf_addc(text, '"');
	for (const char *c = bytes; *c; c++) {
		/* A question mark could begin a trigraph. */
		if (*c >= ' ' && *c <= '~' && !strchr("\"\\?", *c))
			strbuf_addc(text, *c);
		else
			strbuf_addf(text, "\\%03o", (unsigned char)*c);
	}
	strbuf_addc(text, '"');
}

/* The same within a comment, that nothing may end before its time. */
static void add_remark(struct strbuf *text, const char *bytes)
{
	for (const char *c = bytes; *c; c++)
		strbuf_addc(text,
		    *c > ' ' && *c <= '~' && !strchr("*/\\?", *c) ? *c : '.');
}

static void add_indent(struct strbuf *text, uint32_t depth)
{
	/* One blank a level: a tree is deeper than a screen is wide. */
	for (uint32_t i = 0; i <= depth; i++)
		strbuf_addc(text, ' ');
}

static uint32_t find_parts(struct parts *parts, const uint16_t *row)
{
	size_t bytes = parts->n_classes * sizeof *row;
	uint32_t mask = parts->n_slots - 1;
	uint32_t at = (uint32_t)hash_bytes(row, bytes, 0) & mask;

	for (; parts->slots[at]; at = (at + 1) & mask) {
		uint32_t known = parts->slots[at] - 1;

		if (!memcmp(parts->rows + (size_t)known * parts->n_classes, row,
			bytes))
			return known;
	}
	memcpy(
	    parts->rows + (size_t)parts->n_rows * parts->n_classes, row, bytes);
	parts->slots[at] = ++parts->n_rows;
	return parts->n_rows - 1;
}

static void add_leaf(struct strbuf *text, const struct tree *tree,
    uint32_t leaf, struct parts *parts)
{
	uint16_t row[DATASET_CLASSES_MAX];
	uint32_t answer;

	if (parts) {
		forest_parts(tree, leaf, row);
		strbuf_addf(
		    text, "return %" PRIu32 ";\n", find_parts(parts, row));
		return;
	}
	answer = tree_leaf_answer(tree, leaf);
	strbuf_addf(text, "return %" PRIu32 "u << 16 | %" PRIu32 "u;\n",
	    answer >> 16, answer & 0xffff);
}

static void add_condition(
    struct strbuf *text, const struct tree_node *node, bool left_first)
{
	strbuf_addf(text, "if (f[%" PRId32 "] %s ", node->feature,
	    left_first ? "<=" : ">");
	/* -2147483648 is a minus before a number that is no int. */
	if (node->threshold == INT32_MIN)
		strbuf_adds(text, "INT32_MIN");
	else
		strbuf_addf(text, "%" PRId32, node->threshold);
	strbuf_adds(text, ") {\n");
}

/* Both sides end in a return, so the other one needs no else and no deeper
 * nesting. Recursion as deep as the tree, at most TREE_DEPTH_MAX. */
static void add_node(struct strbuf *text, const struct tree *tree, uint32_t at,
    uint32_t depth, struct parts *parts)
{
	while (!tree_is_leaf(tree, at)) {
		const struct tree_node *node = &tree->nodes[at];
		bool left_first = tree->nodes[at + 1].n_rows >=
				  tree->nodes[node->right].n_rows;

		add_indent(text, depth);
		add_condition(text, node, left_first);
		add_node(text, tree, left_first ? at + 1 : node->right,
		    depth + 1, parts);
		add_indent(text, depth);
		strbuf_adds(text, "}\n");
		at = left_first ? node->right : at + 1;
	}
	add_indent(text, depth);
	add_leaf(text, tree, at, parts);
}

static void add_tree(struct strbuf *text, const struct tree *tree,
    uint32_t number, struct parts *parts)
{
	/* Compilers take long over one function of many trees. */
	strbuf_addf(text,
	    "\n%sstatic uint32_t tree_%" PRIu32 "(const int32_t *f)\n{\n",
	    parts ? "__attribute__((noinline))\n" : "", number);
	if (tree->n_nodes == 1)
		strbuf_adds(text, " (void)f;\n");
	add_node(text, tree, 0, 0, parts);
	strbuf_adds(text, "}\n");
}

static void add_parts(struct strbuf *text, const struct parts *parts)
{
	strbuf_addf(text,
	    "\nstatic const uint16_t parts[%" PRIu32 "][%" PRIu32 "] = {\n",
	    parts->n_rows, parts->n_classes);
	for (uint32_t r = 0; r < parts->n_rows; r++) {
		strbuf_adds(text, " {");
		for (uint32_t c = 0; c < parts->n_classes; c++)
			strbuf_addf(text, "%s%u", c ? ", " : "",
			    (unsigned)
				parts->rows[(size_t)r * parts->n_classes + c]);
		strbuf_adds(text, "},\n");
	}
	strbuf_adds(text, "};\n");
}

static void add_sum(struct strbuf *text, const struct forest *forest)
{
	uint32_t n = forest->n_classes;

	strbuf_addf(text,
	    "\nstatic inline void add(uint32_t *sums, uint32_t leaf)\n{\n"
	    " for (uint32_t c = 0; c < %" PRIu32 "; c++)\n"
	    "  sums[c] += parts[leaf][c];\n}\n"
	    "\nstatic uint32_t classify(const int32_t *f)\n{\n"
	    " uint32_t sums[%" PRIu32 "] = {0}, best = 0;\n\n",
	    n, n);
	for (uint32_t t = 0; t < forest->n_trees; t++)
		strbuf_addf(text, " add(sums, tree_%" PRIu32 "(f));\n", t);
	strbuf_addf(text,
	    " for (uint32_t c = 1; c < %" PRIu32 "; c++) {\n"
	    "  if (sums[c] > sums[best])\n   best = c;\n }\n"
	    " return best << 16 | sums[best] / %" PRIu32 ";\n}\n",
	    n, forest->n_trees);
}

static void add_trees(struct strbuf *text, const struct forest *forest)
{
	struct strbuf trees;
	struct parts parts = {.n_classes = forest->n_classes, .n_slots = 1};

	if (forest->n_trees == 1) {
		add_tree(text, &forest->trees[0], 0, NULL);
		return;
	}
	parts.room = forest_leaves(forest);
	while (parts.n_slots < 2 * parts.room)
		parts.n_slots *= 2;
	parts.rows = memory_array(
	    (size_t)parts.room * parts.n_classes, sizeof *parts.rows);
	parts.slots = memory_array(parts.n_slots, sizeof *parts.slots);
	strbuf_init(&trees);
	for (uint32_t t = 0; t < forest->n_trees; t++)
		add_tree(&trees, &forest->trees[t], t, &parts);
	add_parts(text, &parts);
	strbuf_add(text, strbuf_text(&trees), trees.length);
	add_sum(text, forest);
	strbuf_fini(&trees);
	free(parts.rows);
	free(parts.slots);
}

static void add_names(struct strbuf *text, const struct emit_model *model)
{
	const struct forest *forest = model->forest;

	strbuf_addf(text, "\n/* %" PRIu32 " tree%s, %" PRIu32 " leaves.\n *\n",
	    forest->n_trees, forest->n_trees == 1 ? "" : "s",
	    forest_leaves(forest));
	for (uint32_t f = 0; f < forest->n_features; f++) {
		strbuf_addf(text, " * f[%" PRIu32 "] ", f);
		add_remark(text, model->feature_names[f]);
		strbuf_addc(text, '\n');
	}
	strbuf_addf(text,
	    " */\nstatic const char *const classes[%" PRIu32 "] = {\n",
	    forest->n_classes);
	for (uint32_t c = 0; c < forest->n_classes; c++) {
		strbuf_addc(text, ' ');
		add_literal(text, model->class_names[c]);
		strbuf_adds(text, ",\n");
	}
	strbuf_adds(text, "};\n");
}

void emit_c(const struct emit_model *model, struct strbuf *ret_text)
{
	const struct forest *forest = model->forest;

	strbuf_adds(ret_text, model->preamble);
	add_names(ret_text, model);
	add_trees(ret_text, forest);
	strbuf_addf(ret_text,
	    "\nconst struct braid_model %s = {\n"
	    " .magic = BRAID_MODEL_MAGIC,\n .abi = BRAID_MODEL_ABI,\n"
	    " .features_hash = UINT64_C(0x%016" PRIx64 "),\n"
	    " .n_features = %" PRIu32 ",\n .n_classes = %" PRIu32 ",\n"
	    " .name = ",
	    model->symbol,
	    feature_names_hash(model->feature_names, forest->n_features),
	    forest->n_features, forest->n_classes);
	add_literal(ret_text, model->name);
	strbuf_addf(ret_text, ",\n .classes = classes,\n .classify = %s,\n};\n",
	    forest->n_trees == 1 ? "tree_0" : "classify");
}
