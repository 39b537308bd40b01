/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tree.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <math.h>

#define NODES_FIRST 64

void tree_init(struct tree *tree, uint32_t n_features, uint32_t n_classes)
{
	*tree = (struct tree){.n_features = n_features, .n_classes = n_classes};
}

void tree_fini(struct tree *tree)
{
	free(tree->nodes);
	free(tree->shares);
	*tree = (struct tree){0};
}

uint32_t tree_add(struct tree *tree)
{
	if (tree->n_nodes == tree->room) {
		tree->room = tree->room ? 2 * tree->room : NODES_FIRST;
		tree->nodes =
		    memory_grown(tree->nodes, tree->room, sizeof *tree->nodes);
		tree->shares = memory_grown(tree->shares, tree->room,
		    tree->n_classes * sizeof *tree->shares);
	}
	tree->nodes[tree->n_nodes] =
	    (struct tree_node){.feature = TREE_LEAF, .alpha = INFINITY};
	for (uint32_t c = 0; c < tree->n_classes; c++)
		tree_shares(tree, tree->n_nodes)[c] = 0;
	return tree->n_nodes++;
}

uint32_t tree_find(const struct tree *tree, const int32_t *features)
{
	uint32_t at = 0;

	br_assert(tree->n_nodes > 0);
	while (!tree_is_leaf(tree, at))
		at = tree_next(tree, at, features);
	return at;
}

uint32_t tree_leaf_answer(const struct tree *tree, uint32_t leaf)
{
	const struct tree_node *node = &tree->nodes[leaf];
	double rows = node->n_rows;
	double sure = (tree_shares(tree, leaf)[node->class] * rows + 1) /
		      (rows + tree->n_classes);

	return node->class << 16 | (uint32_t)(sure * TREE_SURE + 0.5);
}

uint32_t tree_classify(const struct tree *tree, const int32_t *features)
{
	return tree_leaf_answer(tree, tree_find(tree, features));
}

/* Parents come before their children, so one pass finds all depths. */
uint32_t tree_depth(const struct tree *tree)
{
	uint32_t *depth = memory_array(tree->n_nodes, sizeof *depth);
	uint32_t most = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++) {
		if (!tree_is_leaf(tree, i)) {
			depth[i + 1] = depth[i] + 1;
			depth[tree->nodes[i].right] = depth[i] + 1;
		}
		if (depth[i] > most)
			most = depth[i];
	}
	free(depth);
	return most;
}

uint32_t tree_leaves(const struct tree *tree)
{
	return (tree->n_nodes + 1) / 2;
}

static double cost(const struct tree *tree, uint32_t node)
{
	return tree->nodes[node].weight * tree->nodes[node].impurity;
}

/* What a split won; not below 0 but for rounding. */
static double won(const struct tree *tree, uint32_t node)
{
	if (tree_is_leaf(tree, node))
		return 0;
	return fmax(0, cost(tree, node) - cost(tree, node + 1) -
			   cost(tree, tree->nodes[node].right));
}

void tree_add_importance(const struct tree *tree, double *sums)
{
	double all = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
		all += won(tree, i);
	if (!(all > 0))
		return;
	for (uint32_t i = 0; i < tree->n_nodes; i++) {
		if (!tree_is_leaf(tree, i))
			sums[tree->nodes[i].feature] += won(tree, i) / all;
	}
}
