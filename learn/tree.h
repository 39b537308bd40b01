/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A decision tree as it was learned, and what it says about a row. Each inner
 * node sends rows with `feature <= threshold` to the left.
 *
 *     nodes in preorder:   0 ── 1 ── 2        the left child of node i
 *                           \    \            is node i + 1
 *                            4    3
 *
 * Thread:  readers once it is complete.
 * Memory:  tree_fini() frees. tree_fit() and prune_cut() make trees.
 * Units:   weights are sums over the training rows, with class weights;
 *          answers as in the model ABI: class << 16 | confidence in 1/10000.
 * Limits:  TREE_DEPTH_MAX, so that compilers can nest what is emitted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_DEPTH_MAX 64
#define TREE_SURE 10000
#define TREE_LEAF (-1)

struct tree_node {
	int32_t feature; /* TREE_LEAF: none */
	int32_t threshold;
	uint32_t right;
	uint32_t class; /* of most weight; the lowest of equals */
	uint32_t n_rows;
	double weight, impurity;
	/* The price of a leaf at which this subtree is no longer worth it
	 * (learn/prune.h). Infinite until it was computed, and in leaves. */
	double alpha;
};

struct tree {
	uint32_t n_features, n_classes, n_nodes, room;
	struct tree_node *nodes;
	double *shares; /* n_classes a node: part of the weight, sum 1 */
};

void tree_init(struct tree *tree, uint32_t n_features, uint32_t n_classes);
void tree_fini(struct tree *tree);
/* A new node behind the others, a leaf, and its index. */
uint32_t tree_add(struct tree *tree);

static inline bool tree_is_leaf(const struct tree *tree, uint32_t node)
{
	return tree->nodes[node].feature == TREE_LEAF;
}
static inline double *tree_shares(const struct tree *tree, uint32_t node)
{
	return tree->shares + (size_t)node * tree->n_classes;
}
/* The child to which an inner node sends a row. */
static inline uint32_t tree_next(
    const struct tree *tree, uint32_t node, const int32_t *features)
{
	const struct tree_node *n = &tree->nodes[node];

	return features[n->feature] <= n->threshold ? node + 1 : n->right;
}
/* The leaf that a row falls into. */
uint32_t tree_find(const struct tree *tree, const int32_t *features);
/* The answer of a leaf. Its confidence is the class's share after one more row
 * of each class (Laplace), so that a leaf of two rows is not certain. */
uint32_t tree_leaf_answer(const struct tree *tree, uint32_t leaf);
uint32_t tree_classify(const struct tree *tree, const int32_t *features);

uint32_t tree_depth(const struct tree *tree); /* 0: a single leaf */
uint32_t tree_leaves(const struct tree *tree);
/* Adds to each feature its part of what all splits won of impurity: n_features
 * numbers, sum 1, or 0 when nothing was won. */
void tree_add_importance(const struct tree *tree, double *sums);
