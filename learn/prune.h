/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Minimal cost-complexity pruning (Breiman et al. 1984, chapter 3): a subtree
 * stays while what it wins is worth its leaves at a price of alpha each. With
 * rising alpha the weakest subtree falls first, and the trees are nested.
 *
 *     g(t) = (R(t) - R(T_t)) / (leaves(T_t) - 1)     the weakest has the least
 *
 * R is the share of the whole weight times impurity, as for class probability
 * trees (section 4.6): the confidence of a leaf counts, not its class alone.
 *
 * Thread:  one at a time for a tree.
 * Memory:  the caller frees arrays and trees that are returned.
 * Units:   alpha is a part of the whole weight's impurity, per leaf.
 */
#include <stdint.h>

#include "learn/tree.h"

/* Writes each node's alpha: the price at which it becomes a leaf. */
void prune_price(struct tree *tree);
/* The prices at which a priced tree shrinks, ascending from 0, without
 * duplicates; *ret has n of them. The last one leaves the root. */
uint32_t prune_steps(const struct tree *tree, double **ret);
/* Where a row falls in the tree that is left at this price. */
uint32_t prune_find(
    const struct tree *tree, double alpha, const int32_t *features);
/* A copy of what is left of a priced tree. */
void prune_cut(const struct tree *tree, double alpha, struct tree *ret);
