/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/balance.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct balance_ops *const balance_kinds[] = {
    [CONF_BALANCE_RR] = &balance_rr,
    [CONF_BALANCE_LEAST] = &balance_least,
    [CONF_BALANCE_P2C] = &balance_p2c,
    [CONF_BALANCE_MAGLEV] = &balance_maglev,
    [CONF_BALANCE_SOURCE] = &balance_source,
    [CONF_BALANCE_FIRST] = &balance_first,
};

bool balance_keyed(enum conf_balance balance)
{
	return balance == CONF_BALANCE_MAGLEV || balance == CONF_BALANCE_SOURCE;
}

int balance_init(struct balance *b, const struct pool *pool,
    const struct balance_table *table)
{
	size_t n = pool->n_servers ? pool->n_servers : 1;

	memset(b, 0, sizeof *b);
	br_assert((size_t)pool->balance < BR_COUNT(balance_kinds));
	br_assert(table || !balance_keyed(pool->balance));
	b->ops = balance_kinds[pool->balance];
	b->pool = pool;
	b->table = table;
	b->view = calloc(n, sizeof *b->view);
	b->shares = calloc(n, sizeof *b->shares);
	if (b->view && b->shares && (!b->ops->init || !b->ops->init(b)))
		return 0;
	balance_fini(b);
	return -ENOMEM;
}

void balance_fini(struct balance *b)
{
	if (b->ops && b->ops->fini)
		b->ops->fini(b);
	free(b->view);
	free(b->shares);
	memset(b, 0, sizeof *b);
}

static void balance_add(struct balance *b, uint32_t server, uint32_t *sum)
{
	const struct share *share = &b->shares[server];

	/* The reserve is never drawn by weight. */
	if (!share->reserve)
		*sum += share->weight;
	b->view[b->n + b->n_reserve] = (struct balance_entry){
	    .server = &b->pool->servers[server],
	    .weight = share->weight,
	    .limit = share->limit,
	    .sum = *sum,
	};
	if (share->reserve)
		b->n_reserve++;
	else
		b->n++;
}

/* The own zone first, then others that have a share, then the reserve. */
static bool balance_is_turn(
    const struct pool *pool, const struct share *share, uint32_t i, int turn)
{
	bool near = pool->servers[i].local || !pool->zoned;

	if (!share->weight)
		return false;
	return turn == (share->reserve ? 2 : near ? 0 : 1);
}

static void balance_build(struct balance *b, int64_t now_ns)
{
	const struct pool *pool = b->pool;
	struct shares_summary summary;
	uint32_t sum = 0;

	shares_now(pool, now_ns, b->shares, &summary);
	b->n = b->n_reserve = 0;
	b->scale = summary.scale;
	b->next_ns = summary.next_ns;
	for (int turn = 0; turn < (pool->zoned ? 3 : 1); turn++)
		for (uint32_t i = 0; i < pool->n_servers; i++)
			if (balance_is_turn(pool, &b->shares[i], i, turn))
				balance_add(b, i, &sum);
	if (b->ops->rebuild)
		b->ops->rebuild(b);
	b->built = true;
}

static uint32_t balance_pick_reserve(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	if (balance_keyed(b->pool->balance))
		return balance_rendezvous(b, b->n, b->n_reserve, ask);
	return balance_lightest(b, b->n, b->n_reserve, ask, rng);
}

static void balance_refresh(struct balance *b, int64_t now_ns)
{
	uint32_t generation = pool_generation(b->pool);

	if (b->built && generation == b->generation && now_ns < b->next_ns)
		return;
	/* Read before the facts: a change while we build them makes the next
	 * pick build again. */
	b->generation = generation;
	balance_build(b, now_ns);
}

bool balance_may_pick(
    struct balance *b, const struct server *server, int64_t now_ns)
{
	balance_refresh(b, now_ns);
	for (uint32_t i = 0; i < b->n + b->n_reserve; i++)
		if (b->view[i].server == server)
			return true;
	return false;
}

const struct balance_entry *balance_pick(struct balance *b,
    const struct balance_ask *ask, struct rng *rng, bool *ret_full)
{
	uint32_t place = BALANCE_NONE;

	balance_refresh(b, ask->now_ns);
	if (b->n)
		place = b->ops->pick(b, ask, rng);
	if (place == BALANCE_NONE && b->n_reserve)
		place = balance_pick_reserve(b, ask, rng);
	if (place != BALANCE_NONE)
		return &b->view[place];
	*ret_full = b->n + b->n_reserve > ask->n_tried;
	return NULL;
}
