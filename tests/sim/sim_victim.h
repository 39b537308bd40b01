/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The n-th allocation, ring operation or system call fails, for programs that
 * run one scenario again and again until it no longer reaches n.
 *
 * Thread:  the test's only one.
 */
#include "tests/sim/sim.h"

enum victim { ALLOCATION, OPERATION, CALL, N_VICTIMS };

/* 0: none. */
static inline void victim_arm(enum victim victim, uint32_t n)
{
	fake.fail_op = victim == OPERATION ? n : 0;
	fake.fail_call = victim == CALL ? n : 0;
	slab_fail_nth(victim == ALLOCATION ? n : 0);
}

/* Whether the n-th has come; before it is disarmed. */
static inline bool victim_reached(
    struct sim *sim, enum victim victim, uint32_t n)
{
	if (victim != ALLOCATION)
		return fake.has_failed;
	/* The slab does not tell; but a countdown that still runs makes one of
	 * the next n calls fail here. */
	for (uint32_t i = 0; i < n; i++) {
		void *probe = slab_new(&sim->worker->flow_slab);

		if (!probe)
			return false;
		slab_free(&sim->worker->flow_slab, probe);
	}
	return true;
}
