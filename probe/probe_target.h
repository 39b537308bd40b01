/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is asked of one server within a probe_set, its health or its agent: a
 * timer, a place in the queue, a check in flight, counts. Internal to probe/.
 *
 *      RESTING ──timer──> QUEUED ──room──> CHECKING ──verdict──> RESTING
 *                  │          (too many in flight)                  ^
 *                  └── in maintenance, or postponed ────────────────┘
 *
 * Thread:  control.
 * Memory:  allocated by probe_sync.c, stable until the target is dropped.
 */
#include "base/arena.h"
#include "base/list.h"
#include "probe/check.h"
#include "probe/lateness.h"
#include "probe/probe_set.h"
#include "probe/verdict.h"

/* A pool of the present sync. */
struct probe_pool {
	struct pool *pool;
	bool fails_open; /* as last reported */
	bool unsettled; /* something changed since */
};

struct probe_target {
	struct timer timer; /* armed while resting */
	struct list_node queued; /* linked while queued */
	struct check *check; /* while checking */
	struct probe_set *set;
	struct probe_pool *pool;
	struct server *server;
	struct verdict verdict;
	struct mono due; /* when it was to start, whatever it waits for since */
	struct mono started; /* the check in flight, or the last one */
	int64_t late_before_ns;
	bool asks_agent; /* and not for its health */
	bool agent_fails; /* the last question, which was said */
	bool in_maintenance; /* when last looked at; not of an agent */
	bool spread; /* the next rest is a random one */
	bool kept; /* by the sync under way */
};

struct probe_set {
	struct ring *ring;
	struct timer_wheel *wheel;
	struct rng *rng;
	struct mono (*now)(void);
	struct probe_hooks hooks;
	struct probe_metrics *metrics;
	struct checker checker;
	struct lateness lateness;
	struct list queue;
	struct timer settle;
	struct mono turn; /* the last in which a timer started a check */
	uint32_t starts_left; /* in it */
	bool stopped, synced;
	/* Of the present sync, all in its arena. */
	struct arena *arena;
	struct probe_pool *pools;
	uint32_t n_pools;
	struct probe_target **targets;
	uint32_t n_targets;
	/* Checks of servers without TLS of their own trust anybody; made when
	 * first needed. */
	struct tls_client *any_client;
	struct tls_context *any_tls;
	char address[INET6_ADDRSTRLEN]; /* of the request being made */
	struct probe_target **by_row; /* open addressing */
	uint32_t by_row_slots; /* a power of two */
};

/* Arms the timer for the next check, at `due`. */
void probe_target_rest_until(struct probe_target *target, struct mono due);
/* Takes it out of timer, queue and check, without a verdict. */
void probe_target_halt(struct probe_target *target);
/* By board row, which stands for (pool, server, address); or NULL. */
struct probe_target *probe_target_of_row(
    const struct probe_set *set, const struct board_row *row, bool asks_agent);
uint64_t probe_target_interval_ms(const struct probe_target *target);
/* The timer's callback of every target. */
void probe_target_on_timer(struct timer *timer, struct mono now);
/* Publishes a health and reports it; `cause` is copied. */
void probe_target_publish(struct probe_set *set, struct probe_pool *pool,
    struct server *server, struct board_facts *facts, enum board_health health,
    const char *cause);
/* The pool's fail-open is judged within PROBE_SETTLE_MS. */
void probe_target_unsettle(struct probe_set *set, struct probe_pool *pool);

/* -- probe_request.c -- */
/* What to check, where and how; 0 or -ENOMEM. Texts in it are valid until the
 * next call. */
int probe_target_request(
    struct probe_target *target, struct check_request *ret) BR_MUST_CHECK;
/* Whether checks of the pool use what only its present object holds. */
bool probe_target_borrows(const struct pool *pool);
void probe_set_free_tls(struct probe_set *set);

/* -- probe_agent.c -- */
/* Takes over what the agent said, or counts that it said nothing. */
void probe_agent_judge(struct probe_target *target, struct mono now,
    const struct check_result *result);
/* There is no agent any more: what it has said does not hold. */
void probe_agent_forget(
    struct probe_set *set, struct probe_pool *pool, struct server *server);
