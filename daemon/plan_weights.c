/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/hash.h"
#include "daemon/plan.h"
#include "daemon/plan_index.h"

#include <stdlib.h>

/* A server keeps its board row as long as pool, name and address are the
 * same, so the row says which server of the new pool is which of the old. */
struct sought {
	const struct pool *pool;
	const struct board_row *row;
};

static bool row_matches(const void *context, uint32_t place)
{
	const struct sought *sought = context;

	return sought->pool->servers[place].row == sought->row;
}

static uint64_t row_hash(const struct board_row *row)
{
	return hash_u64((uint64_t)(uintptr_t)row, 0);
}

static uint32_t compare_pools(
    const struct pool *before, const struct pool *after, struct board_row **ret)
{
	struct plan_index index;
	uint32_t n = 0;

	plan_index_init(&index, before->n_servers);
	for (uint32_t i = 0; i < before->n_servers; i++)
		plan_index_add(&index, row_hash(before->servers[i].row), i);
	for (uint32_t i = 0; i < after->n_servers; i++) {
		struct board_row *row = after->servers[i].row;
		struct sought sought = {.pool = before, .row = row};
		uint32_t place = plan_index_find(
		    &index, row_hash(row), row_matches, &sought);

		if (place != PLAN_INDEX_NONE &&
		    before->servers[place].weight != after->servers[i].weight)
			ret[n++] = row;
	}
	plan_index_fini(&index);
	return n;
}

uint32_t plan_reweighted(const struct plan *before, const struct plan *after,
    const struct conf_diff *diff, struct board_row ***ret)
{
	uint32_t n = 0, most = 0;
	struct board_row **rows;

	for (uint32_t i = 0; i < after->n_upstreams; i++)
		if (diff->pools[i] == CONF_CHANGED)
			most += after->upstreams[i]->pool->n_servers;
	rows = malloc((most + 1) * sizeof(struct board_row *));
	if (!rows)
		br_out_of_memory("changed weights", most * sizeof(void *));
	for (uint32_t i = 0; i < after->n_upstreams; i++) {
		const struct upstream *old;

		if (diff->pools[i] != CONF_CHANGED)
			continue;
		old = before->upstreams[diff->pool_before[i]];
		n += compare_pools(
		    old->pool, after->upstreams[i]->pool, rows + n);
	}
	*ret = rows;
	return n;
}
