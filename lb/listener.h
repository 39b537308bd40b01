/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Listeners and their accepting sockets. A struct listener is configuration
 * and counters; an acceptor is one socket on one worker. A reload that keeps
 * an address keeps its acceptors and only points them to the new listener, so
 * no queue is lost.
 *
 *      bind "0.0.0.0:80"   acceptor[0] fd   acceptor[1] fd    SO_REUSEPORT
 *                              │ worker 0       │ worker 1
 *                              └──> listener (config, counters) <──┘
 *
 * A multishot accept takes all that waits in the kernel's queue at once, and
 * it stays armed while others fill the limits. So it is armed only under a
 * promise: as many places as its queue is long are set aside, in the process
 * and in the listener, where no other acceptor can take them. What it takes
 * has a place of the promise at worst. Whoever finds no place beside promises
 * has all workers cancel their multishot accepts (WORKER_NARROW), and until
 * there is room again acceptors poll and take no more than there is room for.
 *
 *      max_connections   |####### taken ######|== promised ==|.. free ..|
 *
 * Out of descriptors, memory or connection slots an acceptor pauses (its
 * queue stays in the kernel) and a timer resumes it. Connections that the
 * multishot accept had already delivered are held, not dropped.
 *
 * Thread:  listener_new/free, acceptor_new/free: control or boot; the rest:
 *          the acceptor's worker.
 * Memory:  flows pin the listener by a per-worker count (as upstreams).
 */
#include "conf/conf.h"
#include "fleet/board.h"
#include "io/op.h"
#include "lb/guard.h"
#include "lb/worker.h"

struct upstream;
struct arena;
struct prefix_map;
struct route_table;
struct tls_context;

struct listener {
	const char *name;
	struct upstream *upstream; /* where no route leads */
	/* Something comes before a server is chosen: front.h. */
	bool fronted;
	bool needs_client; /* its address decides something */
	bool guarded; /* before there is a flow */
	bool reads_proxy;
	bool transparent; /* clients may have meant another address */
	struct tls_context **tls; /* [n_workers], owned; NULL: plain */
	/* All that clients can have connected to; length 0: several, ask. */
	struct addr address;
	struct guard guard; /* of the client that a PROXY header names */
	const struct prefix_map *proxy_from; /* NULL: any source */
	const struct route_table *routes; /* NULL: none */
	struct upstream **route_upstreams; /* [n_routes] */
	uint32_t n_routes;
	uint64_t wait_ms, first_bytes_ms, handshake_ms;
	struct arena *arena; /* of the maps and tables above */
	uint32_t max_connections, backlog;
	uint16_t port; /* of the first address; 0: none has one */
	uint64_t idle_ms, half_closed_ms;
	uint32_t references; /* plans that hold it; control's */
	struct board_listener *row;
	struct counter *pins; /* [n_workers] */
	uint32_t in_transit; /* atomic: connections between two workers */
	uint32_t n_workers;
};

enum acceptor_state {
	ACCEPTOR_NEW,
	ACCEPTOR_OPEN, /* multishot accept in flight */
	ACCEPTOR_PAUSED, /* timer armed */
	ACCEPTOR_STOPPING, /* cancel sent; then the queue is emptied */
	ACCEPTOR_CLOSED,
};

#define ACCEPTOR_MAGIC 0xb1a1dacc
/* The kernel may take more than a queue in one go, if clients connect as fast
 * as it accepts; those wait here. */
#define ACCEPTOR_HELD_MAX 1024

struct acceptor {
	struct op_owner op;
	enum acceptor_state state;
	int fd;
	bool
	    shared_fd; /* unix: one socket for all workers, not ours to close */
	bool armed; /* an accept or a poll is in flight */
	bool by_poll; /* ... a poll */
	bool cancelled; /* ... and its cancel was sent */
	struct worker *worker;
	struct listener *listener;
	struct timer timer;
	struct list_node paused_link; /* worker.paused */
	struct list_node eager_link; /* worker.eager */
	uint32_t promised; /* places set aside for its multishot accept */
	/* Accepted while no connection slot was free, oldest first. */
	uint32_t n_held;
	int held[ACCEPTOR_HELD_MAX];
} __attribute__((aligned(64)));

/* `upstreams` are those of the configuration's pools, in its order. Takes
 * references to nothing; `row` is kept by the caller's board. */
struct listener *listener_new(const struct conf_listener *conf,
    struct upstream *const *upstreams, struct board_listener *row,
    uint32_t n_workers);
/* From here on it terminates TLS; takes over the contexts [n_workers]. Before
 * any acceptor uses it. */
void listener_set_tls(struct listener *listener, struct tls_context **contexts);
/* Whether it leads to just these pools. */
bool listener_leads_to(const struct listener *listener,
    const struct conf_listener *conf, struct upstream *const *upstreams);
void listener_free(struct listener *listener);
bool listener_pinned(const struct listener *listener);
void listener_pin(struct listener *listener, const struct worker *worker);
void listener_unpin(struct listener *listener, const struct worker *worker);

struct acceptor *acceptor_new(int fd, bool shared_fd);
void acceptor_free(struct acceptor *acceptor);
/* Starts, or after a reload points it to another listener. */
void acceptor_start(struct acceptor *acceptor, struct worker *worker,
    struct listener *listener);
/* Accepts what is queued, then closes the socket; state CLOSED and nothing in
 * flight when done (some turns later). */
void acceptor_stop(struct acceptor *acceptor);
static inline bool acceptor_done(const struct acceptor *acceptor)
{
	return acceptor->state == ACCEPTOR_CLOSED && !acceptor->op.in_flight &&
	       !acceptor->n_held;
}
/* A connection that another worker has accepted and counted. */
void acceptor_receive(struct worker *worker, struct listener *listener, int fd);
/* Another acceptor finds no place beside promises: those of `row`'s listener,
 * or of all (NULL), are given back. */
void acceptor_narrow(struct worker *worker, const struct board_listener *row);
/* A connection ended: held ones and paused acceptors may go on (called by
 * flows; a paused acceptor otherwise looks again every 20 ms). */
void acceptor_slot_freed(struct worker *worker);
