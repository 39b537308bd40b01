/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Health checks of all servers of all pools that have a `health` block, and
 * questions to the agents beside them where there is an `agent` block: when to
 * ask, what a result means, and publishing it on the board.
 *
 *      pools in force ──probe_set_sync()──> one target a server
 *                                               │ staggered, bounded
 *      board rows <── verdict (rise, fall) <── check
 *          │
 *          └── pool_changed(), on_health, on_fail_open
 *
 * Results are discarded, not counted as failures, when this thread itself was
 * late by more than a quarter of the check's timeout while it ran; and a check
 * that cannot start for want of descriptors, memory or room is postponed.
 *
 * Thread:  control, which owns the ring and the wheel.
 * Memory:  the pools of one sync must live until the next sync (or stop) has
 *          returned. Targets are allocated on sync; checks in flight live in
 *          a slab of fixed size.
 * Errors:  out of memory in a sync ends the process with a message.
 * Limits:  PROBE_IN_FLIGHT_MAX checks at once unless set otherwise, whatever
 *          the number of servers.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/metric.h"
#include "base/rng.h"
#include "base/timer.h"
#include "fleet/pool.h"
#include "io/ring.h"

#define PROBE_IN_FLIGHT_MAX 256
/* So many start together, so that a turn stays short. */
#define PROBE_STARTS_A_TURN 64u
/* A new server is checked within this time (or its interval if shorter). */
#define PROBE_FIRST_MS 500

#define PROBE_METRIC_LIST(X)                                                   \
	X(checks, "Health checks that gave a result")                          \
	X(checks_failed, "Of them, those that failed")                         \
	X(late, "Results discarded because this process was late")             \
	X(postponed, "Checks put off for want of descriptors or memory")       \
	X(queued, "Checks that waited because too many were in flight")        \
	X(overdue, "Checks and questions to agents that began later than "     \
		   "they should by more than half their interval")             \
	X(changes, "Changes of a server's health")                             \
	X(agent_checks, "Agents asked")                                        \
	X(agent_failed, "Of them, those without a line that makes sense")      \
	X(agent_unknown, "Words of agents that mean nothing here")

struct probe_metrics {
#define X(name, help) struct counter name;
	PROBE_METRIC_LIST(X)
#undef X
};

struct probe_set;

/* Called on control, from within a turn of its loop; they may log and read
 * but must not call back into the set. */
struct probe_hooks {
	void *context;
	/* `after` is on the board already. */
	void (*on_health)(void *context, const struct pool *pool,
	    const struct server *server, const struct board_facts *before,
	    const struct board_facts *after);
	/* What an agent says has changed; `after` is on the board already. */
	void (*on_agent)(void *context, const struct pool *pool,
	    const struct server *server, const struct board_facts *before,
	    const struct board_facts *after);
	/* An agent was not heard or made no sense; the first time in a row. */
	void (*on_agent_failed)(void *context, const struct pool *pool,
	    const struct server *server, const char *cause);
	/* A pool began (or ceased) to be served as if all were up. Noticed
	 * within PROBE_SETTLE_MS of the change that caused it. */
	void (*on_fail_open)(void *context, const struct pool *pool, bool open);
};

#define PROBE_SETTLE_MS 10

struct probe_options {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct rng *rng;
	uint32_t in_flight_max; /* 0: PROBE_IN_FLIGHT_MAX */
	struct mono (*now)(void); /* NULL: mono_now; tests step their own */
	struct mono (*work_clock)(void); /* likewise */
	struct probe_metrics *metrics; /* outlives the set */
	struct probe_hooks hooks; /* NULL functions are not called */
};

int probe_set_new(
    const struct probe_options *options, struct probe_set **ret) BR_MUST_CHECK;
/* Nothing may be in flight: stop, turn the ring until idle, free. */
void probe_set_free(struct probe_set *set);

/* The pools in force are now these: at boot and after every reload. Targets
 * whose (pool, server, address) and health configuration are as before go on
 * undisturbed, with their rise and fall counts and what is in flight. Others
 * are stopped or started; the first result of a started one decides. A
 * server that is not checked (any more) or is new becomes UNKNOWN, except at
 * the first sync: what the board knows then was handed over by the process
 * that checked before, and counts like a verdict of this one. */
void probe_set_sync(
    struct probe_set *set, struct pool *const *pools, uint32_t n_pools);

/* Call after the operator's part of a server's facts (admin, weight) has been
 * written: a server in maintenance is no longer checked, one that comes back
 * is checked at once, and fail-open is judged anew. */
void probe_set_admin_changed(
    struct probe_set *set, const struct board_row *row);

/* No new checks; those in flight are cancelled without a verdict. */
void probe_set_stop(struct probe_set *set);
bool probe_set_idle(const struct probe_set *set);
uint32_t probe_set_in_flight(const struct probe_set *set);
uint32_t probe_set_targets(const struct probe_set *set);
/* Readable by any thread. */
const struct probe_metrics *probe_set_metrics(const struct probe_set *set);
