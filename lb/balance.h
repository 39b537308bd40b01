/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Load balancing algorithms behind one table. Each worker keeps its own state
 * over its own view of the usable servers; load is read from the shared slot
 * counts, so the algorithms agree over workers without talking.
 *
 *   rr     smooth weighted round robin, by virtual finish times in a heap
 *   least  fewest connections for its weight
 *   p2c    the better of two drawn by weight
 *
 * Pure but for the slot counts it reads: randomness is a parameter.
 *
 * Thread:  the worker that owns the struct balance.
 * Memory:  balance_init() allocates arrays for all servers of the pool (boot
 *          and reload, never per flow).
 * Cost:    rr O(log n), p2c O(log n), least O(n).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "fleet/pool.h"

struct balance;

/* Who must not be picked this time. */
struct balance_ask {
	const uint32_t *tried; /* server indices */
	uint32_t n_tried;
};

#define BALANCE_NONE UINT32_MAX

struct balance_ops {
	const char *name;
	/* The view changed. */
	void (*rebuild)(struct balance *b);
	/* A place in the view, or BALANCE_NONE when no server is eligible. */
	uint32_t (*pick)(
	    struct balance *b, const struct balance_ask *ask, struct rng *rng);
};

/* A server that may get new flows now. */
struct balance_entry {
	struct server *server;
	uint32_t weight; /* > 0 */
	uint32_t sum; /* of the weights up to and with this one */
};

struct balance {
	const struct balance_ops *ops;
	const struct pool *pool;
	uint32_t generation; /* of the pool when the view was built */
	bool built;
	uint32_t n; /* entries in view */
	struct balance_entry *view;
	/* rr: virtual time of each server's next turn, and a heap of view
	 * places ordered by it. */
	uint64_t *finish; /* [pool->n_servers], by server index */
	uint32_t *heap;
	uint64_t virtual_now;
};

extern const struct balance_ops balance_rr, balance_least, balance_p2c;

int balance_init(struct balance *b, const struct pool *pool) BR_MUST_CHECK;
void balance_fini(struct balance *b);
/* A server for a new flow, or NULL when none is eligible: *ret_full says
 * whether there are usable ones that are only full. The slot is not taken. */
struct server *balance_pick(struct balance *b, const struct balance_ask *ask,
    struct rng *rng, bool *ret_full);

/* Not tried, and below its max_connections. */
static inline bool balance_eligible(
    const struct balance_entry *entry, const struct balance_ask *ask)
{
	const struct server *server = entry->server;

	for (uint32_t i = 0; i < ask->n_tried; i++)
		if (ask->tried[i] == server->index)
			return false;
	return !server->max_connections ||
	       board_slots_used(server->row) < server->max_connections;
}
/* Whether a has less load for its weight than b. */
static inline bool balance_lighter(
    const struct balance_entry *a, const struct balance_entry *b)
{
	uint64_t load_a = (uint64_t)board_slots_used(a->server->row) + 1;
	uint64_t load_b = (uint64_t)board_slots_used(b->server->row) + 1;

	return load_a * b->weight < load_b * a->weight;
}
