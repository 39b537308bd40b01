/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/balance.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct balance_ops *const balance_table[] = {
    [CONF_BALANCE_RR] = &balance_rr,
    [CONF_BALANCE_LEAST] = &balance_least,
    [CONF_BALANCE_P2C] = &balance_p2c,
};

int balance_init(struct balance *b, const struct pool *pool)
{
	size_t n = pool->n_servers ? pool->n_servers : 1;

	memset(b, 0, sizeof *b);
	br_assert((size_t)pool->balance < BR_COUNT(balance_table));
	b->ops = balance_table[pool->balance];
	b->pool = pool;
	b->view = calloc(n, sizeof *b->view);
	b->finish = calloc(n, sizeof *b->finish);
	b->heap = calloc(n, sizeof *b->heap);
	if (b->view && b->finish && b->heap)
		return 0;
	balance_fini(b);
	return -ENOMEM;
}

void balance_fini(struct balance *b)
{
	free(b->view);
	free(b->finish);
	free(b->heap);
	memset(b, 0, sizeof *b);
}

/* When too much of the pool is down, health is not believed. */
static uint32_t balance_weight(
    const struct server *server, struct board_facts *facts, bool fails_open)
{
	if (fails_open)
		facts->health = BOARD_UP;
	return server_weight_now(server, facts);
}

static void balance_build(struct balance *b)
{
	const struct pool *pool = b->pool;
	bool fails_open = pool_fails_open(pool);
	uint32_t sum = 0;

	b->n = 0;
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		struct board_facts facts;
		uint32_t weight;

		board_read(pool->servers[i].row, &facts);
		weight = balance_weight(&pool->servers[i], &facts, fails_open);
		if (!weight)
			continue;
		sum += weight;
		b->view[b->n++] = (struct balance_entry){
		    .server = &pool->servers[i],
		    .weight = weight,
		    .sum = sum,
		};
	}
	if (b->ops->rebuild)
		b->ops->rebuild(b);
	b->built = true;
}

struct server *balance_pick(struct balance *b, const struct balance_ask *ask,
    struct rng *rng, bool *ret_full)
{
	uint32_t generation = pool_generation(b->pool);
	uint32_t place = BALANCE_NONE;

	if (!b->built || generation != b->generation) {
		/* Read before the facts: a change while we build them makes
		 * the next pick build again. */
		b->generation = generation;
		balance_build(b);
	}
	if (b->n)
		place = b->ops->pick(b, ask, rng);
	if (place != BALANCE_NONE)
		return b->view[place].server;
	*ret_full = b->n > ask->n_tried;
	return NULL;
}
