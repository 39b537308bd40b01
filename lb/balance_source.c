/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weighted rendezvous hashing: of all servers the one whose draw for this
 * client wins. Server i draws an exponential with rate weight, -ln(u)/w, u
 * from the hash of (client, server's name); the least wins, which is i with
 * probability w_i / sum. D. Thaler and C. Ravishankar, "Using name-based
 * mappings to increase hit rates", 1998; weights as in J. Resch, "New hashing
 * algorithms for data storage", 2015.
 *
 * A server that leaves, fills up or loses weight moves its own clients only,
 * each to its next best, and they come back with it; one that gains weight
 * draws clients only to itself. Also for slow start, step by step.
 *
 * Since -ln(u) >= 1 - u, most logarithms need not be taken: only of those few
 * whose bound is below the best so far.
 */
#include "lb/balance.h"

#include "base/hash.h"
#include "lb/balance_table.h"

#include <math.h>

/* Uniform in (0, 1). */
static double source_uniform(uint64_t key, uint64_t seed)
{
	return ((double)(hash_u64(key, seed) >> 11) + 0.5) * 0x1p-53;
}

double balance_draw(uint64_t key, uint64_t seed)
{
	return -log(source_uniform(key, seed));
}

uint32_t balance_rendezvous(const struct balance *b, uint32_t from, uint32_t n,
    const struct balance_ask *ask)
{
	uint32_t best = BALANCE_NONE;
	double least = HUGE_VAL;

	for (uint32_t i = from; i < from + n; i++) {
		const struct balance_entry *entry = &b->view[i];
		uint64_t seed = b->table->seeds[entry->server->index];
		double u = source_uniform(ask->key, seed);

		if ((1 - u) >= least * entry->weight)
			continue;
		u = -log(u) / entry->weight;
		if (u >= least || !balance_eligible(entry, ask))
			continue;
		least = u;
		best = i;
	}
	return best;
}

static uint32_t source_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	(void)rng;
	return balance_rendezvous(b, 0, b->n, ask);
}

const struct balance_ops balance_source = {
    .name = "source",
    .pick = source_pick,
};
