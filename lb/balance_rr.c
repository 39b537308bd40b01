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

#define RR_STEP (UINT64_C(1) << 32)

static uint64_t rr_step(const struct balance_entry *entry)
{
	return RR_STEP / entry->weight;
}

static bool rr_before(const struct balance *b, uint32_t a, uint32_t c)
{
	uint64_t at_a = b->finish[b->view[a].server->index];
	uint64_t at_c = b->finish[b->view[c].server->index];

	return at_a != at_c ? at_a < at_c : a < c;
}

static void rr_sift_down(struct balance *b, uint32_t at, uint32_t n)
{
	for (;;) {
		uint32_t child = 2 * at + 1, place;

		if (child >= n)
			return;
		if (child + 1 < n &&
		    rr_before(b, b->heap[child + 1], b->heap[child]))
			child++;
		if (!rr_before(b, b->heap[child], b->heap[at]))
			return;
		place = b->heap[at];
		b->heap[at] = b->heap[child];
		b->heap[child] = place;
		at = child;
	}
}

static void rr_heapify(struct balance *b)
{
	for (uint32_t i = b->n / 2; i-- > 0;)
		rr_sift_down(b, i, b->n);
}

/* Servers that stayed keep their place in the order; those that are new or
 * were away start within a step from now, not with the turns they missed. */
static void rr_rebuild(struct balance *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t *finish = &b->finish[b->view[i].server->index];
		uint64_t step = rr_step(&b->view[i]);

		if (!*finish || *finish < b->virtual_now ||
		    *finish > b->virtual_now + step)
			*finish = b->virtual_now +
				  step * (2 * (uint64_t)i + 1) / (2 * b->n);
		b->heap[i] = i;
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
		    !rr_before(b, b->heap[i], b->heap[best]))
			continue;
		if (!balance_eligible(&b->view[b->heap[i]], ask))
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
	place = b->heap[at];
	finish = &b->finish[b->view[place].server->index];
	if (*finish > b->virtual_now)
		b->virtual_now = *finish;
	else
		*finish = b->virtual_now; /* it was full: no catching up */
	*finish += rr_step(&b->view[place]);
	rr_sift_down(b, at, b->n);
	return place;
}

const struct balance_ops balance_rr = {
    .name = "rr",
    .rebuild = rr_rebuild,
    .pick = rr_pick,
};
