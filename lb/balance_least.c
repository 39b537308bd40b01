/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Least connections: the eligible server with the fewest open connections for
 * its weight. The scan starts at a random place, so that equals share alike
 * and workers that look at the same moment do not all pick the same one.
 */
#include "lb/balance.h"

uint32_t balance_lightest(const struct balance *b, uint32_t from, uint32_t n,
    const struct balance_ask *ask, struct rng *rng)
{
	uint32_t best = BALANCE_NONE;
	uint32_t at = rng_below(rng, n);

	for (uint32_t i = 0; i < n; i++) {
		const struct balance_entry *entry = &b->view[from + at];

		if (balance_eligible(entry, ask) &&
		    (best == BALANCE_NONE ||
			balance_lighter(entry, &b->view[best])))
			best = from + at;
		if (++at == n)
			at = 0;
	}
	return best;
}

static uint32_t least_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	return balance_lightest(b, 0, b->n, ask, rng);
}

const struct balance_ops balance_least = {
    .name = "least",
    .pick = least_pick,
};
