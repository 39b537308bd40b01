/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A pool as flows use it: picks a server with a free connection slot, or
 * keeps the flow in a bounded first-in-first-out queue until one is free.
 *
 *      flow ──upstream_choose──> balance over usable servers ──> slot taken
 *                 │ all full                                       │
 *                 └──> queue (per worker, bounded over all) <──────┘ released:
 *                          oldest waiting worker is woken by mailbox
 *
 * Thread:  upstream_new/free: control or boot. The rest: the calling worker,
 *          which touches only its own struct upstream_worker and shared words.
 * Memory:  flows pin the upstream by a per-worker count; control frees a
 *          retired one when all pins are zero (upstream_pinned()).
 */
#include "base/list.h"
#include "fleet/pool.h"
#include "lb/balance.h"
#include "lb/worker.h"

struct flow;
struct flow_client;
struct balance_table;
struct tls_context;
struct tls_peer;
struct tls_resume;

/* After so many flows it is taken for the protocol's way. */
#define UPSTREAM_CLIENT_FIRST 64u

/* What a server has brought to a sharded download lately, of so many servers:
 * where the next download's guesses begin. */
#define UPSTREAM_RATES 16u
struct upstream_rate {
	uint32_t server; /* its index */
	uint32_t kib_s; /* 0: unknown */
};

struct upstream_worker {
	struct list_node waiting_link; /* in worker.waiting while queued > 0 */
	struct list queue; /* struct flow.queue_link, oldest first */
	uint32_t queued;
	bool waking; /* upstream_wake() is on the stack */
	struct upstream *upstream;
	struct counter pins;
	int64_t oldest_ns; /* shared: arrival of the oldest, INT64_MAX: none */
	struct balance balance;
	/* Flows in a row whose client spoke first, UPSTREAM_CLIENT_FIRST at
	 * most. */
	uint32_t client_first;
	/* What the last sharded downloads were worth; 0: unknown. */
	uint32_t shard_lanes;
	struct upstream_rate rates[UPSTREAM_RATES]; /* by server */
	struct tls_resume *resume; /* [n_servers], of a pool with TLS */
} __attribute__((aligned(64)));

struct upstream {
	struct pool *pool;
	uint32_t n_workers;
	uint32_t references; /* plans that hold it; control's */
	uint32_t queued; /* over all workers; atomic */
	struct balance_table *table; /* of keyed algorithms, else NULL */
	struct upstream_worker *workers;
	/* Towards servers that speak TLS: a context a worker, owned; NULL:
	 * plain. */
	struct tls_context **tls;
	char *tls_name; /* asked for and verified; NULL: the address */
};

/* Takes over `pool`; NULL on lack of memory. */
struct upstream *upstream_new(struct pool *pool, uint32_t n_workers);
/* The pool is handed back to the caller through upstream->pool first. */
void upstream_free(struct upstream *upstream);
/* Whether any worker still has flows that use it. */
bool upstream_pinned(const struct upstream *upstream);

void upstream_pin(struct upstream *upstream, const struct worker *worker);
void upstream_unpin(struct upstream *upstream, const struct worker *worker);

/* Servers a flow has tried already (indices into pool->servers). */
#define UPSTREAM_TRIED_MAX 4

/* 0 and a server whose slot is taken; BR_E_LIMIT when usable servers are all
 * full; BR_E_NO_SERVER when none may be used. Servers in `tried` are not
 * picked. `client` may be NULL: unknown. */
int upstream_choose(struct upstream *upstream, struct worker *worker,
    const struct flow_client *client, const uint32_t *tried, uint32_t n_tried,
    struct server **ret) BR_MUST_CHECK;
/* Whether it could be chosen, were no server full. */
bool upstream_may_choose(struct upstream *upstream, const struct worker *worker,
    const struct server *server);
/* Whether the choice, or the address towards the server, depends on the
 * client. */
bool upstream_wants_client(const struct upstream *upstream);
/* Gives the slot back and wakes who waited longest for it. */
void upstream_release(
    struct upstream *upstream, struct worker *worker, struct server *server);

/* Puts the flow at the end of the queue, or BR_E_QUEUE_FULL. */
int upstream_enqueue(struct upstream *upstream, struct worker *worker,
    struct flow *flow) BR_MUST_CHECK;
void upstream_dequeue(
    struct upstream *upstream, struct worker *worker, struct flow *flow);
/* From here on servers are spoken to by TLS; before the upstream is used.
 * Takes over the contexts [n_workers], also when it fails, and copies the
 * name. 0 or -ENOMEM. */
int upstream_set_tls(struct upstream *upstream, struct tls_context **contexts,
    const char *name) BR_MUST_CHECK;
/* What a connection to that server is to be; texts are valid for the call
 * that follows (they may lie in the worker's scratch). */
void upstream_tls_peer(struct upstream *upstream, const struct worker *worker,
    const struct server *server, struct tls_peer *ret);
/* Serves as many waiting flows of this worker as can get a slot. */
void upstream_wake(struct upstream *upstream, struct worker *worker);
