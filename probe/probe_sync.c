/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "probe/probe_target.h"

/* The next state of the set, built beside the present one. */
struct next {
	struct arena *arena;
	struct strmap *fails_open; /* pools before that did, by name */
	struct probe_pool *pools;
	struct probe_target **targets;
	uint32_t n_targets, n_started;
};

/* -- targets by row ---------------------------------------------------- */

static uint32_t slot_of(
    const struct board_row *row, bool asks_agent, uint32_t slots)
{
	return (uint32_t)hash_u64((uint64_t)(uintptr_t)row, asks_agent) &
	       (slots - 1);
}

static bool is_of_row(const struct probe_target *target,
    const struct board_row *row, bool asks_agent)
{
	return target->server->row == row && target->asks_agent == asks_agent;
}

struct probe_target *probe_target_of_row(
    const struct probe_set *set, const struct board_row *row, bool asks_agent)
{
	uint32_t slot;

	if (set->by_row_slots == 0)
		return NULL;
	slot = slot_of(row, asks_agent, set->by_row_slots);
	/* At most half of the slots are in use. */
	while (
	    set->by_row[slot] && !is_of_row(set->by_row[slot], row, asks_agent))
		slot = (slot + 1) & (set->by_row_slots - 1);
	return set->by_row[slot];
}

static void index_by_row(struct probe_set *set)
{
	uint32_t slots = 16;

	while (slots < set->n_targets * 2)
		slots *= 2;
	set->by_row = arena_alloc(set->arena, slots * sizeof(*set->by_row));
	set->by_row_slots = slots;
	for (uint32_t i = 0; i < set->n_targets; i++) {
		struct probe_target *target = set->targets[i];
		uint32_t slot =
		    slot_of(target->server->row, target->asks_agent, slots);

		while (set->by_row[slot])
			slot = (slot + 1) & (slots - 1);
		set->by_row[slot] = target;
	}
}

/* -- what stays -------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_bytes(const struct conf_bytes *a, const struct conf_bytes *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->at, b->at, a->n));
}

static bool same_script(
    const struct conf_health *a, const struct conf_health *b)
{
	if (a->n_steps != b->n_steps)
		return false;
	for (uint32_t i = 0; i < a->n_steps; i++) {
		if (!same_bytes(&a->steps[i].send, &b->steps[i].send) ||
		    !same_bytes(&a->steps[i].expect, &b->steps[i].expect))
			return false;
	}
	return true;
}

static bool same_transport(const struct pool *a, const struct pool *b)
{
	return addr_equal(&a->source, &b->source) &&
	       a->proxy_out == b->proxy_out && a->speaks_tls == b->speaks_tls &&
	       same_text(a->tls_name, b->tls_name) &&
	       a->health.tls == b->health.tls;
}

static bool same_agent(const struct pool *a, const struct pool *b)
{
	const struct conf_agent *x = &a->agent, *y = &b->agent;

	return x->port == y->port && x->interval_ms == y->interval_ms &&
	       x->timeout_ms == y->timeout_ms &&
	       same_bytes(&x->send, &y->send) &&
	       addr_equal(&x->address, &y->address) &&
	       addr_equal(&a->source, &b->source);
}

/* Whether a check of the one answers for the other. */
static bool same_check(const struct pool *a, const struct pool *b)
{
	const struct conf_health *x = &a->health, *y = &b->health;

	if (x->type != y->type || x->interval_ms != y->interval_ms ||
	    x->timeout_ms != y->timeout_ms || x->rise != y->rise ||
	    x->fall != y->fall || x->port != y->port ||
	    x->n_status != y->n_status)
		return false;
	for (uint32_t i = 0; i < x->n_status; i++) {
		if (x->status[i].low != y->status[i].low ||
		    x->status[i].high != y->status[i].high)
			return false;
	}
	return same_text(x->path, y->path) && same_text(x->host, y->host) &&
	       same_script(x, y) && same_transport(a, b);
}

static bool same_target(const struct probe_target *target,
    const struct pool *pool, const struct server *server)
{
	const struct pool *before = target->pool->pool;

	if (before == pool)
		return true;
	if (target->asks_agent)
		return same_agent(before, pool);
	return same_check(before, pool) &&
	       addr_equal(&target->server->health_addr, &server->health_addr);
}

static struct probe_target *target_new(struct probe_set *set)
{
	struct probe_target *target = calloc(1, sizeof(*target));

	if (!target) {
		fprintf(stderr, "braid: out of memory (health checks)\n");
		abort();
	}
	timer_init(&target->timer, probe_target_on_timer);
	list_node_init(&target->queued);
	target->set = set;
	target->started = set->now();
	target->verdict.fresh = true;
	target->spread = true;
	return target;
}

/* Nobody checked it until now, or nobody will: an old verdict says nothing. */
static void forget_health(
    struct probe_set *set, struct probe_pool *pool, struct server *server)
{
	struct board_facts facts;

	board_read(server->row, &facts);
	if (facts.health != BOARD_UNKNOWN)
		probe_target_publish(
		    set, pool, server, &facts, BOARD_UNKNOWN, "not checked");
}

/* The target that goes on, or a new one. */
static void sync_target(struct probe_set *set, struct next *next,
    struct probe_pool *pool, struct server *server, bool asks_agent)
{
	struct probe_target *target =
	    probe_target_of_row(set, server->row, asks_agent);

	if (target && !target->kept &&
	    same_target(target, pool->pool, server)) {
		target->kept = true;
		/* Its connection uses what goes with the old pool. */
		if (target->check && target->pool->pool != pool->pool &&
		    probe_target_borrows(target->pool->pool)) {
			probe_target_halt(target);
			probe_target_rest_until(target, set->now());
		}
	} else {
		target = target_new(set);
		target->asks_agent = asks_agent;
		target->verdict.fresh = set->synced;
		next->n_started++;
	}
	target->pool = pool;
	target->server = server;
	next->targets[next->n_targets++] = target;
}

static void sync_server(struct probe_set *set, struct next *next,
    struct probe_pool *pool, struct server *server)
{
	bool checked = pool->pool->health.type != CONF_HEALTH_NONE;

	/* Of its name no address is known: nobody can be asked. */
	if (!server->addr.length)
		return;
	/* What the board knows before the first sync was handed over by the
	 * process that checked until now. */
	if (!checked ||
	    (!probe_target_of_row(set, server->row, false) && set->synced))
		forget_health(set, pool, server);
	if (checked)
		sync_target(set, next, pool, server, false);
	if (pool->pool->agent.port)
		sync_target(set, next, pool, server, true);
	else
		probe_agent_forget(set, pool, server);
}

static void sync_pool(struct probe_set *set, struct next *next,
    struct probe_pool *pool, struct pool *from)
{
	pool->pool = from;
	pool->fails_open = strmap_get(next->fails_open, from->name) != NULL;
	for (uint32_t i = 0; i < from->n_servers; i++)
		sync_server(set, next, pool, &from->servers[i]);
}

static void drop_others(struct probe_set *set)
{
	for (uint32_t i = 0; i < set->n_targets; i++) {
		struct probe_target *target = set->targets[i];

		if (target->kept) {
			target->kept = false;
			continue;
		}
		probe_target_halt(target);
		free(target);
	}
}

/* -- what starts ------------------------------------------------------- */

/* A target that is neither waiting nor at work is a new one. The first time
 * is cut into as many parts as there are new targets; each starts at a random
 * moment of its own part. */
static void start_new(struct probe_set *set, uint32_t n_started)
{
	struct mono now = set->now();
	uint32_t k = 0;

	for (uint32_t i = 0; i < set->n_targets; i++) {
		struct probe_target *target = set->targets[i];
		uint64_t window_ms = probe_target_interval_ms(target);
		uint32_t part_us;

		if (timer_armed(&target->timer) || target->check ||
		    list_linked(&target->queued))
			continue;
		if (window_ms > PROBE_FIRST_MS)
			window_ms = PROBE_FIRST_MS;
		part_us = (uint32_t)(window_ms * 1000 / n_started) + 1;
		probe_target_rest_until(target,
		    mono_add_ns(now,
			((int64_t)part_us * k + rng_below(set->rng, part_us)) *
			    NS_PER_US));
		k++;
	}
}

/* An eighth of the shortest timeout sees a stall of a quarter of it. */
static void set_heartbeat(struct probe_set *set)
{
	int64_t period_ms = 50;

	for (uint32_t i = 0; i < set->n_pools; i++) {
		const struct conf_health *health = &set->pools[i].pool->health;
		int64_t eighth_ms = (int64_t)(health->timeout_ms / 8);

		if (health->type != CONF_HEALTH_NONE && eighth_ms < period_ms)
			period_ms = eighth_ms;
	}
	if (period_ms < 2)
		period_ms = 2;
	lateness_set_period(&set->lateness, period_ms * NS_PER_MS);
}

static void next_init(struct next *next, const struct probe_set *set,
    struct pool *const *pools, uint32_t n_pools)
{
	size_t n_servers = 0;

	for (uint32_t i = 0; i < n_pools; i++)
		n_servers += pools[i]->n_servers;
	*next = (struct next){.arena = arena_new()};
	next->pools = arena_alloc(next->arena, n_pools * sizeof(*next->pools));
	/* Each may have two. */
	next->targets =
	    arena_alloc(next->arena, 2 * n_servers * sizeof(*next->targets));
	next->fails_open = strmap_new(next->arena);
	for (uint32_t i = 0; i < set->n_pools; i++) {
		struct probe_pool *pool = &set->pools[i];

		if (pool->fails_open)
			strmap_put(next->fails_open, pool->pool->name, pool);
	}
}

void probe_set_sync(
    struct probe_set *set, struct pool *const *pools, uint32_t n_pools)
{
	struct arena *before = set->arena;
	struct next next;

	br_assert(!set->stopped || n_pools == 0);
	next_init(&next, set, pools, n_pools);
	for (uint32_t i = 0; i < n_pools; i++)
		sync_pool(set, &next, &next.pools[i], pools[i]);
	drop_others(set);
	set->arena = next.arena;
	set->pools = next.pools;
	set->n_pools = n_pools;
	set->targets = next.targets;
	set->n_targets = next.n_targets;
	index_by_row(set);
	arena_free(before);
	set_heartbeat(set);
	start_new(set, next.n_started);
	for (uint32_t i = 0; i < n_pools; i++)
		probe_target_unsettle(set, &set->pools[i]);
	set->synced = true;
}
