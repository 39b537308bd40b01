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
 *   source weighted rendezvous hashing of the client's address
 *   maglev a table look-up of the client's address
 *   first  the first that is not full
 *
 * Who is in the view, and with which weight and limit, says fleet/shares. The
 * reserve (servers of other zones) stands behind the view proper and is asked
 * when nobody there is eligible.
 *
 *      view: | s3 | s0 | s1 |  s7 | s9 |
 *            '----- n ------''reserve-'
 *
 * Pure but for the slot counts it reads: randomness and time are parameters.
 *
 * Thread:  the worker that owns the struct balance.
 * Memory:  balance_init() allocates arrays for all servers of the pool (boot
 *          and reload, never per flow).
 * Cost:    rr, p2c O(log n); maglev O(1); least, source O(n); first O(full).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "fleet/shares.h"

struct balance;
struct balance_table;

/* Who must not be picked this time, for whom, and when. */
struct balance_ask {
	const uint32_t *tried; /* server indices */
	uint32_t n_tried;
	uint64_t key; /* of the client, balance_key(); source, maglev */
	int64_t now_ns; /* monotonic */
};

#define BALANCE_NONE UINT32_MAX

struct balance_ops {
	const char *name;
	/* State of its own, beside the view; NULL: none. */
	int (*init)(struct balance *b);
	void (*fini)(struct balance *b);
	/* The view changed. */
	void (*rebuild)(struct balance *b);
	/* A place in the view, or BALANCE_NONE when no server is eligible. */
	uint32_t (*pick)(
	    struct balance *b, const struct balance_ask *ask, struct rng *rng);
};

/* A server that may get new flows now. */
struct balance_entry {
	struct server *server;
	uint32_t weight; /* > 0, times balance.scale */
	uint32_t limit; /* of connections; 0: none */
	uint32_t sum; /* of the weights up to and with this one */
};

struct balance {
	const struct balance_ops *ops;
	const struct pool *pool;
	uint32_t generation; /* of the pool when the view was built */
	bool built;
	int64_t next_ns; /* when the view is to be built again anyway */
	uint32_t scale;
	uint32_t n, n_reserve; /* entries in view */
	struct balance_entry *view;
	struct share *shares; /* [pool->n_servers], while building */
	const struct balance_table *table; /* of the pool; source, maglev */
	union {
		/* Virtual time of each server's next turn, by its index, and a
		 * heap of view places ordered by it. */
		struct {
			uint64_t *finish;
			uint32_t *heap;
			uint64_t now;
		} rr;
		struct maglev *maglev;
	};
};

extern const struct balance_ops balance_rr, balance_least, balance_p2c,
    balance_source, balance_maglev, balance_first;

/* Whether it asks for a key, and so for a table. */
bool balance_keyed(enum conf_balance balance);
/* `table` is the pool's, which outlives it; NULL when not keyed. */
int balance_init(struct balance *b, const struct pool *pool,
    const struct balance_table *table) BR_MUST_CHECK;
void balance_fini(struct balance *b);
/* A server for a new flow, until the next call, or NULL when none is
 * eligible: *ret_full says whether there are usable ones that are only full.
 * The slot is not taken. */
const struct balance_entry *balance_pick(struct balance *b,
    const struct balance_ask *ask, struct rng *rng, bool *ret_full);
/* Whether new flows may go there now, full or not: also to a server that is
 * down, where the pool fails open. Looks through all servers. */
bool balance_may_pick(
    struct balance *b, const struct server *server, int64_t now_ns);

/* Not tried, and below its max_connections. */
static inline bool balance_eligible(
    const struct balance_entry *entry, const struct balance_ask *ask)
{
	const struct server *server = entry->server;

	for (uint32_t i = 0; i < ask->n_tried; i++)
		if (ask->tried[i] == server->index)
			return false;
	return !entry->limit || board_slots_used(server->row) < entry->limit;
}
/* Whether a has less load for its weight than b. */
static inline bool balance_lighter(
    const struct balance_entry *a, const struct balance_entry *b)
{
	uint64_t load_a = (uint64_t)board_slots_used(a->server->row) + 1;
	uint64_t load_b = (uint64_t)board_slots_used(b->server->row) + 1;

	return load_a * b->weight < load_b * a->weight;
}

/* Of the `n` places from `from` on: the eligible one with the least load for
 * its weight, and the one to which the key belongs. */
uint32_t balance_lightest(const struct balance *b, uint32_t from, uint32_t n,
    const struct balance_ask *ask, struct rng *rng);
/* What decides there, divided by the weight: exponential, the least wins. */
double balance_draw(uint64_t key, uint64_t seed);
uint32_t balance_rendezvous(const struct balance *b, uint32_t from, uint32_t n,
    const struct balance_ask *ask);
