/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Smooth weighted round robin as earliest-deadline-first: each server's next
 * turn is a virtual finish time that advances by 1/weight; the earliest is
 * served. A heap keeps it O(log n) for pools of thousands.
 *
 * A server starts part of a step in, each at another part: so 5:1:1 gives
 * a a a b a c a and not a run of five between b c and b c, and equal weights
 * give plain turns in file order.
 */
#include "lb/balance.h"

#include <errno.h>
#include <stdlib.h>

#define RR_STEP (UINT64_C(1) << 32)

static int rr_init(struct balance *b)
{
	size_t n = (size_t)b->pool->n_servers + 1;

	b->rr.finish = calloc(n, sizeof *b->rr.finish);
	b->rr.heap = calloc(n, sizeof *b->rr.heap);
	return b->rr.finish && b->rr.heap ? 0 : -ENOMEM;
}

static void rr_fini(struct balance *b)
{
	free(b->rr.finish);
	free(b->rr.heap);
}

/* The unit of time does not depend on the scale, which may change. */
static uint64_t rr_step(
    const struct balance *b, const struct balance_entry *entry)
{
	return RR_STEP * b->scale / entry->weight;
}

static bool rr_before(const struct balance *b, uint32_t a, uint32_t c)
{
	uint64_t at_a = b->rr.finish[b->view[a].server->index];
	uint64_t at_c = b->rr.finish[b->view[c].server->index];

	return at_a != at_c ? at_a < at_c : a < c;
}

static void rr_sift_down(struct balance *b, uint32_t at, uint32_t n)
{
	for (;;) {
		uint32_t child = 2 * at + 1, place;

		if (child >= n)
			return;
		if (child + 1 < n &&
		    rr_before(b, b->rr.heap[child + 1], b->rr.heap[child]))
			child++;
		if (!rr_before(b, b->rr.heap[child], b->rr.heap[at]))
			return;
		place = b->rr.heap[at];
		b->rr.heap[at] = b->rr.heap[child];
		b->rr.heap[child] = place;
		at = child;
	}
}

static void rr_heapify(struct balance *b)
{
	for (uint32_t i = b->n / 2; i-- > 0;)
		rr_sift_down(b, i, b->n);
}

/* Servers that stayed keep their place in the order, but one whose weight
 * grew (slow start) does not wait for longer than its new step; those that
 * are new or were away start within a step from now, not with the turns they
 * missed. */
static void rr_rebuild(struct balance *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t *finish = &b->rr.finish[b->view[i].server->index];
		uint64_t step = rr_step(b, &b->view[i]);

		if (!*finish || *finish < b->rr.now)
			*finish = b->rr.now +
				  step * (2 * (uint64_t)i + 1) / (2 * b->n);
		else if (*finish > b->rr.now + step)
			*finish = b->rr.now + step;
		b->rr.heap[i] = i;
	}
	rr_heapify(b);
}

/* The earliest eligible server. The heap orders only its top, so when that
 * one is full or was tried the rest is searched. */
static uint32_t rr_find(const struct balance *b, const struct balance_ask *ask)
{
	uint32_t best = BALANCE_NONE;

	for (uint32_t i = 0; i < b->n; i++) {
		if (best != BALANCE_NONE &&
		    !rr_before(b, b->rr.heap[i], b->rr.heap[best]))
			continue;
		if (!balance_eligible(&b->view[b->rr.heap[i]], ask))
			continue;
		best = i;
		if (i == 0)
			break;
	}
	return best;
}

static uint32_t rr_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	uint32_t at = rr_find(b, ask), place;
	uint64_t *finish;

	(void)rng;
	if (at == BALANCE_NONE)
		return BALANCE_NONE;
	place = b->rr.heap[at];
	finish = &b->rr.finish[b->view[place].server->index];
	if (*finish > b->rr.now)
		b->rr.now = *finish;
	else
		*finish = b->rr.now; /* it was full: no catching up */
	*finish += rr_step(b, &b->view[place]);
	rr_sift_down(b, at, b->n);
	return place;
}

const struct balance_ops balance_rr = {
    .name = "rr",
    .init = rr_init,
    .fini = rr_fini,
    .rebuild = rr_rebuild,
    .pick = rr_pick,
};
