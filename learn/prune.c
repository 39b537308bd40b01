/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/prune.h"

#include "base/assert.h"
#include "learn/memory.h"

#include <math.h>
#include <string.h>

/* What pricing knows of the subtree below each node as it is now. */
struct below {
	double risk; /* R of its leaves together */
	double own_risk; /* R of the node as a leaf */
	double least; /* of its links that still stand, its own among them */
	uint32_t leaves;
	uint32_t parent;
};

static double link_price(const struct below *b)
{
	return (b->own_risk - b->risk) / (b->leaves - 1);
}

static void find_least(
    const struct tree *tree, struct below *below, uint32_t at)
{
	struct below *b = &below[at];

	b->least =
	    b->leaves == 1
		? INFINITY
		: fmin(link_price(b), fmin(below[at + 1].least,
					  below[tree->nodes[at].right].least));
}

static struct below *measure(const struct tree *tree)
{
	struct below *below = memory_array(tree->n_nodes, sizeof *below);

	for (uint32_t i = tree->n_nodes; i-- > 0;) {
		const struct tree_node *node = &tree->nodes[i];
		struct below *b = &below[i];

		b->own_risk =
		    node->weight * node->impurity / tree->nodes[0].weight;
		if (tree_is_leaf(tree, i)) {
			b->risk = b->own_risk;
			b->leaves = 1;
			b->least = INFINITY;
			continue;
		}
		b->risk = below[i + 1].risk + below[node->right].risk;
		b->leaves = below[i + 1].leaves + below[node->right].leaves;
		below[i + 1].parent = below[node->right].parent = i;
		find_least(tree, below, i);
	}
	return below;
}

/* Makes a leaf of a node, for it and all above. */
static void collapse(const struct tree *tree, struct below *below, uint32_t at)
{
	double won = below[at].own_risk - below[at].risk;
	uint32_t leaves = below[at].leaves - 1;

	for (;; at = below[at].parent) {
		below[at].risk += won;
		below[at].leaves -= leaves;
		find_least(tree, below, at);
		if (at == 0)
			break;
	}
}

/* The weakest of the links that still stand, down the path of those who know
 * of it; of equals the one above, which takes the others with it. */
static uint32_t weakest(const struct tree *tree, const struct below *below)
{
	uint32_t at = 0;

	while (link_price(&below[at]) > below[at].least) {
		uint32_t left = at + 1;

		at = below[left].least <= below[at].least
			 ? left
			 : tree->nodes[at].right;
	}
	return at;
}

void prune_price(struct tree *tree)
{
	struct below *below = measure(tree);
	double alpha = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
		tree->nodes[i].alpha = INFINITY;
	while (below[0].leaves > 1) {
		uint32_t at = weakest(tree, below);

		/* Rounding must not let the sequence fall. */
		alpha = fmax(alpha, link_price(&below[at]));
		tree->nodes[at].alpha = alpha;
		collapse(tree, below, at);
	}
	free(below);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

uint32_t prune_steps(const struct tree *tree, double **ret)
{
	double *steps = memory_array(tree->n_nodes + 1, sizeof *steps);
	uint32_t n = 1, kept = 1;

	for (uint32_t i = 0; i < tree->n_nodes; i++) {
		if (isfinite(tree->nodes[i].alpha))
			steps[n++] = tree->nodes[i].alpha;
	}
	qsort(steps, n, sizeof *steps, by_size);
	for (uint32_t i = 1; i < n; i++) {
		if (steps[i] > steps[kept - 1])
			steps[kept++] = steps[i];
	}
	*ret = steps;
	return kept;
}

static bool stands(const struct tree *tree, uint32_t node, double alpha)
{
	return !tree_is_leaf(tree, node) && tree->nodes[node].alpha > alpha;
}

uint32_t prune_find(
    const struct tree *tree, double alpha, const int32_t *features)
{
	uint32_t at = 0;

	while (stands(tree, at, alpha))
		at = tree_next(tree, at, features);
	return at;
}

/* A node yet to be copied, and whose right child it is. */
struct waiting {
	uint32_t node, parent;
	bool is_right;
};

void prune_cut(const struct tree *tree, double alpha, struct tree *ret)
{
	struct waiting stack[TREE_DEPTH_MAX + 2];
	uint32_t n = 0;

	tree_init(ret, tree->n_features, tree->n_classes);
	stack[n++] = (struct waiting){0};
	while (n > 0) {
		struct waiting w = stack[--n];
		uint32_t at = tree_add(ret);

		ret->nodes[at] = tree->nodes[w.node];
		memcpy(tree_shares(ret, at), tree_shares(tree, w.node),
		    tree->n_classes * sizeof(double));
		if (w.is_right)
			ret->nodes[w.parent].right = at;
		if (!stands(tree, w.node, alpha)) {
			ret->nodes[at].feature = TREE_LEAF;
			ret->nodes[at].alpha = INFINITY;
			continue;
		}
		br_assert(n + 2 <= BR_COUNT(stack));
		stack[n++] =
		    (struct waiting){tree->nodes[w.node].right, at, true};
		stack[n++] = (struct waiting){w.node + 1, at, false};
	}
}
