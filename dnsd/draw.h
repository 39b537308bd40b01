/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The keyed draw: an order of POPs for one client, such that over all clients
 * each POP stands first as often as its weight says, a change of weights moves
 * only the clients whose share changed, and every node computes the same.
 *
 * Rendezvous by -w / ln(u) (Schindelhauer and Schomaker, "Weighted distributed
 * hash tables", 2005, the logarithmic method): u is a hash of client and POP,
 * uniform in (0, 1]; -log2(u) / w is the time of the first arrival of a Poisson
 * process of rate w (times a constant), and the least of them is POP i's with
 * probability w(i) / sum.
 *
 *      score = -log2(u) * (2^56 / w)      least first
 *
 * All in integers, so that no library's or processor's rounding tells two
 * nodes apart: -log2(u) in steps of 2^-30 from a table of 512 with linear
 * interpolation; it is at most 7e-7 too large, or 0.1 % of itself where that
 * is less, which puts shares off by less than 1e-6.
 *
 * Several at once, for answers without an order, are sampled systematically
 * (Madow 1949): POPs in a row, each as long as its weight, and n points at
 * equal distances. Inclusion is then n * w / sum exactly, where no w exceeds
 * sum / n.
 *
 * Thread:  any (pure).
 * Memory:  the caller's.
 * Limits:  DRAW_POPS_MAX POPs, weights below 2^24.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRAW_POPS_MAX 64u
#define DRAW_WEIGHT_BITS 24u

/* Weights prepared for draws; those of 0 never come first. */
struct draw_weights {
	uint32_t n;
	uint32_t n_positive;
	uint64_t total;
	/* How many draw_set() gives. */
	uint32_t set_size;
	struct draw_weight {
		uint64_t inverse; /* 2^56 / weight; 0 for a weight of 0 */
		uint32_t weight;
		uint32_t domain; /* POPs of one domain are never in one set */
	} pop[];
};

/* Bytes of such weights over n POPs. */
static inline size_t draw_weights_size(uint32_t n)
{
	return sizeof(struct draw_weights) + n * sizeof(struct draw_weight);
}

/*
 * `weights` of any size become smaller ones in the same proportions: divided
 * by what they have in common, then by a power of two, none but 0 becoming 0.
 * So weights in the same proportions give the same draws. A set has at most
 * `set_max` POPs, and fewer when a domain has more than that share of the
 * weight.
 */
void draw_weights_init(struct draw_weights *ret, uint32_t n,
    const uint64_t *weights, const uint32_t *domains, uint32_t set_max);
/* Whether both give the same draws. */
bool draw_weights_equal(
    const struct draw_weights *a, const struct draw_weights *b);

/* ids[w->n]: of the POPs; `key` of the client. The position of the first,
 * 0 when no weight is over 0. */
uint32_t draw_first(
    const struct draw_weights *w, const uint64_t *ids, uint64_t key);
/* The first `n` of the order, POPs of weight 0 left out; how many. */
uint32_t draw_order(const struct draw_weights *w, const uint64_t *ids,
    uint64_t key, uint32_t n, uint8_t *ret);
/* The set. Nodes that list the POPs of one domain in another order may choose
 * another one of it. It has set_size POPs of different domains, each with a probability of
 * set_size * weight / total, in a random order in which each of the set is as
 * likely the first. */
uint32_t draw_set(const struct draw_weights *w, uint64_t key, uint8_t *ret);
/* At most n POPs, each with a weight of its own, such that a client who picks
 * one by these weights takes POP i with probability weight(i) / total: POPs
 * that are surely among n keep their weight, the others share the rest. */
uint32_t draw_split(const struct draw_weights *w, uint64_t key, uint32_t n,
    uint8_t *ret, uint64_t *ret_weights);

/* -log2((v + 1) / 2^64) in units of 2^-30. */
uint64_t draw_log2(uint64_t v);
/* What the order is by: -log2(u) / weight in units of 2^-57. */
#define DRAW_SCORE_BITS 57
uint64_t draw_score(uint64_t id, uint64_t key, uint64_t inverse);
