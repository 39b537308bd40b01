/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What facts about POPs make of the weights of one resource: the board's part
 * of a policy. The rules and their order stand in policy.h.
 *
 *               up    draining   fails open          all drained
 *      pop1     yes               weight              -
 *      pop2     no                weight              -
 *      pop3     yes   yes         only if none is up  weight
 *
 * Thread:  any (pure).
 * Memory:  the caller's.
 * Errors:  none: an answer needs a POP, so `ret` is all 0 only when `base` is.
 */
#include "dnsd/draw.h"
#include "fleet/pop.h"

struct policy_weights {
	uint32_t n;
	const struct pop *pop[DRAW_POPS_MAX];
	const struct pop_facts *facts[DRAW_POPS_MAX];
	const uint32_t *configured; /* what is healthy is measured by it */
	const uint32_t *base; /* the same, or a forecast's */
	struct wall now;
	/* The result. */
	uint64_t ret[DRAW_POPS_MAX];
	bool any; /* one of them is over 0 */
	bool fails_open;
};

void policy_weights_now(struct policy_weights *w);
