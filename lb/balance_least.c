/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Least connections: the eligible server with the fewest open connections for
 * its weight. The scan starts at a random place, so that equals share alike
 * and workers that look at the same moment do not all pick the same one.
 */
#include "lb/balance.h"

static uint32_t least_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	uint32_t best = BALANCE_NONE;
	uint32_t place = rng_below(rng, b->n);

	for (uint32_t i = 0; i < b->n; i++) {
		const struct balance_entry *entry = &b->view[place];

		if (balance_eligible(entry, ask) &&
		    (best == BALANCE_NONE ||
			balance_lighter(entry, &b->view[best])))
			best = place;
		if (++place == b->n)
			place = 0;
	}
	return best;
}

const struct balance_ops balance_least = {
    .name = "least",
    .pick = least_pick,
};
