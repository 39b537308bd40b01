/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/diff.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "conf/diff_dns.h"
#include "conf/schema_equal.h"

#include <string.h>

#define DIFF_NONE UINT32_MAX

static void diff_restart_keys(
    const struct conf *before, const struct conf *after, struct conf_diff *ret)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next_below(NULL, row))) {
		if (!row->restart || schema_value_equal(row, before, after))
			continue;
		br_assert(ret->n_restart_keys < BR_COUNT(ret->restart_keys));
		ret->restart_keys[ret->n_restart_keys++] = row->path;
	}
}

/* Who may ask belongs to the address that is asked: without the block in the
 * file it stays open until the restart, and not for everybody. */
static void diff_keep_agent(const struct conf *before, struct conf *after)
{
	const struct conf_prefixes *from = &before->agent.allow;
	struct prefix *at;

	if (addr_equal(&before->agent.listen, &after->agent.listen))
		return;
	at = arena_alloc(after->arena, (from->n + 1) * sizeof *at);
	if (from->n)
		memcpy(at, from->at, from->n * sizeof *at);
	after->agent.allow = (struct conf_prefixes){.n = from->n, .at = at};
}

void conf_keep_running(const struct conf *before, struct conf *after)
{
	const struct schema_row *row = NULL;

	diff_keep_agent(before, after);
	while ((row = schema_next_below(NULL, row)))
		if (row->restart)
			schema_value_copy(row, after, before, after->arena);
}

/* All that stays by name is compared by place: what was carried over counts
 * on the order of its servers too. */
static bool diff_servers_same(
    const struct conf_pool *before, const struct conf_pool *after)
{
	const struct schema_row *row = schema_find("pools.*.servers.*");

	/* Which servers are near follows from global.zone too. */
	if (before->n_servers != after->n_servers ||
	    before->zoned != after->zoned)
		return false;
	for (uint32_t i = 0; i < before->n_servers; i++)
		if (strcmp(conf_server_instance(&before->servers[i]),
			conf_server_instance(&after->servers[i])) ||
		    before->servers[i].local != after->servers[i].local ||
		    !schema_entry_equal(
			row, &before->servers[i], &after->servers[i]))
			return false;
	return true;
}

/* Counts by name how the servers of a pool differ. */
static void diff_count_servers(const struct conf_pool *before,
    const struct conf_pool *after, struct arena *arena, struct conf_diff *ret)
{
	const struct schema_row *row = schema_find("pools.*.servers.*");
	struct strmap *names = strmap_new(arena);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < before->n_servers; i++)
		strmap_put(names, conf_server_instance(&before->servers[i]),
		    &before->servers[i]);
	for (uint32_t i = 0; i < after->n_servers; i++) {
		const struct conf_server *old =
		    strmap_get(names, conf_server_instance(&after->servers[i]));

		if (!old) {
			ret->servers_added++;
			continue;
		}
		kept++;
		if (!schema_entry_equal(row, old, &after->servers[i]))
			ret->servers_changed++;
	}
	ret->servers_removed += before->n_servers - kept;
}

static bool diff_scripts_same(
    const struct conf_health *a, const struct conf_health *b)
{
	const struct schema_row *row = schema_find("pools.*.health.script.*");

	if (a->n_steps != b->n_steps)
		return false;
	for (uint32_t i = 0; i < a->n_steps; i++)
		if (!schema_entry_equal(row, &a->steps[i], &b->steps[i]))
			return false;
	return true;
}

static void diff_pools(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret)
{
	const struct schema_row *row = schema_find("pools.*");
	struct strmap *names = strmap_new(arena);
	bool *kept = arena_alloc(arena, before->n_pools * sizeof(*kept) + 1);

	for (uint32_t i = 0; i < before->n_pools; i++)
		strmap_put(names, before->pools[i].name, &before->pools[i]);
	for (uint32_t i = 0; i < after->n_pools; i++) {
		const struct conf_pool *pool = &after->pools[i];
		const struct conf_pool *old = strmap_get(names, pool->name);

		ret->pool_before[i] = DIFF_NONE;
		ret->pools[i] = CONF_ADDED;
		if (!old) {
			ret->servers_added += pool->n_servers;
			continue;
		}
		ret->pool_before[i] = (uint32_t)(old - before->pools);
		kept[ret->pool_before[i]] = true;
		ret->pools[i] = CONF_SAME;
		if (diff_servers_same(old, pool) &&
		    diff_scripts_same(&old->health, &pool->health) &&
		    schema_entry_equal(row, old, pool))
			continue;
		ret->pools[i] = CONF_CHANGED;
		diff_count_servers(old, pool, arena, ret);
	}
	for (uint32_t i = 0; i < before->n_pools; i++) {
		if (kept[i])
			continue;
		ret->pools_removed[ret->n_pools_removed++] = i;
		ret->servers_removed += before->pools[i].n_servers;
	}
}

static bool diff_certificates_same(
    const struct conf_listener_tls *a, const struct conf_listener_tls *b)
{
	const struct schema_row *row =
	    schema_find("listeners.*.tls.certificates.*");

	if (a->n_certificates != b->n_certificates)
		return false;
	for (uint32_t i = 0; i < a->n_certificates; i++)
		if (!schema_entry_equal(
			row, &a->certificates[i], &b->certificates[i]))
			return false;
	return true;
}

static bool diff_routes_same(const struct conf *before,
    const struct conf_listener *a, const struct conf *after,
    const struct conf_listener *b)
{
	const struct schema_row *row = schema_find("listeners.*.routes.*");

	if (a->n_routes != b->n_routes)
		return false;
	for (uint32_t i = 0; i < a->n_routes; i++)
		if (strcmp(before->pools[a->routes[i].pool].name,
			after->pools[b->routes[i].pool].name) != 0 ||
		    !schema_entry_equal(row, &a->routes[i], &b->routes[i]))
			return false;
	return true;
}

static bool diff_listener_same(const struct conf *before,
    const struct conf_listener *a, const struct conf *after,
    const struct conf_listener *b)
{
	return strcmp(before->pools[a->pool].name,
		   after->pools[b->pool].name) == 0 &&
	       diff_routes_same(before, a, after, b) &&
	       diff_certificates_same(&a->tls, &b->tls) &&
	       schema_entry_equal(schema_find("listeners.*"), a, b);
}

static void diff_listeners(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret)
{
	struct strmap *names = strmap_new(arena);
	bool *kept =
	    arena_alloc(arena, before->n_listeners * sizeof(*kept) + 1);

	for (uint32_t i = 0; i < before->n_listeners; i++)
		strmap_put(
		    names, before->listeners[i].name, &before->listeners[i]);
	for (uint32_t i = 0; i < after->n_listeners; i++) {
		const struct conf_listener *listener = &after->listeners[i];
		const struct conf_listener *old =
		    strmap_get(names, listener->name);

		ret->listener_before[i] = DIFF_NONE;
		ret->listeners[i] = CONF_ADDED;
		if (!old)
			continue;
		ret->listener_before[i] = (uint32_t)(old - before->listeners);
		kept[ret->listener_before[i]] = true;
		ret->listeners[i] =
		    diff_listener_same(before, old, after, listener)
			? CONF_SAME
			: CONF_CHANGED;
	}
	for (uint32_t i = 0; i < before->n_listeners; i++)
		if (!kept[i])
			ret->listeners_removed[ret->n_listeners_removed++] = i;
}

void conf_diff(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret)
{
	size_t word = sizeof(uint32_t);

	*ret = (struct conf_diff){
	    .listeners = arena_alloc(
		arena, after->n_listeners * sizeof(enum conf_change) + 1),
	    .pools = arena_alloc(
		arena, after->n_pools * sizeof(enum conf_change) + 1),
	    .listener_before =
		arena_alloc(arena, after->n_listeners * word + 1),
	    .pool_before = arena_alloc(arena, after->n_pools * word + 1),
	    .listeners_removed =
		arena_alloc(arena, before->n_listeners * word + 1),
	    .pools_removed = arena_alloc(arena, before->n_pools * word + 1),
	};
	diff_restart_keys(before, after, ret);
	diff_listeners(before, after, arena, ret);
	diff_pools(before, after, arena, ret);
	diff_dns(before, after, arena, ret);
}
