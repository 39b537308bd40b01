/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First: fills the servers in file order, each up to its max_connections, so
 * that few are busy and the rest may sleep. Weights other than 0 mean
 * nothing. In a pool with zones those of the own zone come first.
 */
#include "lb/balance.h"

static uint32_t first_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	(void)rng;
	for (uint32_t i = 0; i < b->n; i++)
		if (balance_eligible(&b->view[i], ask))
			return i;
	return BALANCE_NONE;
}

const struct balance_ops balance_first = {
    .name = "first",
    .pick = first_pick,
};
