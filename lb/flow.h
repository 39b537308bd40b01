/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One client connection from accept to the end, over a table of states:
 *
 *   accepted -> (proxy_header) -> (tls_accept) -> (first_bytes) ─┐
 *                                                                v
 *   established <- (tls_connect) <- connecting <────────────── choosing
 *        │                           │ failed: another server   ^ │
 *        v                           └────> retry_wait ─────────┘ v
 *     closing -> (freed)                  (when none is left)   queued
 *
 * Those in brackets come only where the listener or pool asks for them
 * (front.h, tls_end.h).
 *
 * flow_enter() is the only code that changes the state; the table
 * (flow_state.c) says what may follow, which operations may be in flight and
 * which timeout rules. docs/generated/states.md is printed from it.
 *
 * A connect is retried on another server only until the first client byte has
 * been handed to a server: reading from the client starts in established, so
 * that holds by construction. Only http mode comes back from there, between
 * two requests or with one that may be repeated (http_flow.h).
 *
 * Thread:  the worker that accepted it.
 * Memory:  from the worker's slab; freed when its last operation completed.
 * Limits:  sizeof(struct flow) <= 448.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/timer.h"
#include "io/op.h"
#include "lb/direction.h"
#include "lb/upstream.h"

struct listener;
struct side;
struct flow_profile;

#define FLOW_MAGIC 0xb1a1df10

#define FLOW_STATE_LIST(X)                                                     \
	X(ACCEPTED, "accepted")                                                \
	X(PROXY_HEADER, "proxy_header")                                        \
	X(TLS_ACCEPT, "tls_accept")                                            \
	X(FIRST_BYTES, "first_bytes")                                          \
	X(CHOOSING, "choosing")                                                \
	X(QUEUED, "queued")                                                    \
	X(CONNECTING, "connecting")                                            \
	X(TLS_CONNECT, "tls_connect")                                          \
	X(RETRY_WAIT, "retry_wait")                                            \
	X(ESTABLISHED, "established")                                          \
	X(CLOSING, "closing")

enum flow_state {
#define X(name, text) FLOW_##name,
	FLOW_STATE_LIST(X)
#undef X
	    FLOW_N_STATES
};

/* Operation tags. */
enum flow_tag {
	FLOW_TAG_CONNECT,
	FLOW_TAG_WATCH, /* poll for the client's hang-up while queued */
	FLOW_TAG_RECV_UP,
	FLOW_TAG_RECV_DOWN,
	FLOW_TAG_SEND_UP,
	FLOW_TAG_SEND_DOWN,
	FLOW_TAG_POLL_IN_UP,
	FLOW_TAG_POLL_IN_DOWN,
	FLOW_TAG_POLL_OUT_UP,
	FLOW_TAG_POLL_OUT_DOWN,
};

/*
 * Who ended the flow and in which phase, two letters as operators know them
 * from HAProxy's TCP logs. "--" is a normal end.
 */
#define FLOW_END_LIST(X)                                                       \
	X('-', "ended normally")                                               \
	X('C', "the client aborted")                                           \
	X('S', "the server aborted or refused")                                \
	X('P', "Braid refused: a limit or rule")                               \
	X('R', "a resource of Braid was exhausted")                            \
	X('K', "killed: drain deadline or operator")                           \
	X('c', "timeout waiting for the client")                               \
	X('s', "timeout waiting for the server")

#define FLOW_PHASE_LIST(X)                                                     \
	X('-', "after the connection was established and ended")               \
	X('P', "reading the PROXY header")                                     \
	X('T', "in the TLS handshake with the client")                         \
	X('F', "waiting for the first bytes that routing needs")               \
	X('Q', "in the queue, waiting for a connection slot")                  \
	X('C', "connecting to the server, its TLS handshake included")         \
	X('D', "data phase")

/* Compact client address: 16 bytes of IP, family and port. */
struct flow_client {
	uint8_t ip[16];
	uint16_t port; /* host order */
	uint8_t family; /* AF_INET, AF_INET6, AF_UNIX, 0 unknown */
};

struct flow {
	struct op_owner op;
	struct timer timer;
	struct list_node link; /* worker.flows */
	struct list_node queue_link; /* upstream queue */
	struct worker *worker;
	struct listener *listener;
	struct upstream *upstream; /* pinned; NULL before the route is known */
	struct side *side; /* NULL: a plain flow */
	struct flow_profile *profile; /* NULL: none; flow_profile.h */
	const struct bulk_rule *bulk_rule; /* since the route is known */
	struct server *server; /* slot held while not NULL */
	uint64_t id;
	int client_fd, server_fd; /* -1: none */
	uint8_t state; /* enum flow_state */
	char end_by, end_phase; /* 0: not ended */
	uint8_t n_tried, retries;
	bool reset_client : 1, reset_server : 1; /* close with a reset */
	bool ack_waits : 1; /* the server's handshake, for the first bytes */
	/* The server has reset (`error`); its answer is still on its way. */
	bool server_broken : 1;
	/* Entries of tried[] that are set: n_tried starts anew when all have
	 * failed, the log names them all the same. */
	uint8_t n_failed : 4;
	bool unprofiled : 1; /* no room for a profile, or begun without */
	uint32_t source_slot; /* of per_source, or SOURCE_UNTRACKED */
	uint32_t tried[UPSTREAM_TRIED_MAX];
	struct server *last_server; /* of the last attempt, for the log */
	int32_t error; /* -errno that ended it, or 0 */
	struct flow_client client;
	/* chosen_at: the first server; retries count as connecting. */
	struct mono accepted_at, chosen_at, connected_at, first_byte_at;
	struct mono active_at; /* last byte either way */
	struct direction up, down;
} __attribute__((aligned(64)));

static_assert(sizeof(struct flow) <= 448, "design section 3");
static_assert(UPSTREAM_TRIED_MAX < 16, "n_failed");

extern const struct op_class flow_class;

/* Takes the descriptor and the connection slots already counted for it. On
 * -ENOMEM, and when the guard refuses it (guard.h), the caller keeps both. */
int flow_accept(struct worker *worker, struct listener *listener,
    int client_fd) BR_MUST_CHECK;
/* A server with its slot taken was found for a queued flow. */
void flow_dequeued(struct flow *flow, struct server *server);
/* Ends it abnormally: both sides are closed with a reset. `by` and `phase`
 * are the termination code; the first cause wins. */
void flow_fail(struct flow *flow, char by, char phase, int error);
/* Ends it from outside, whatever its state: code K. */
void flow_kill(struct flow *flow, int error);
/* The first bytes of the flow came from the client, or from the server. */
void flow_note_first(struct flow *flow, bool client);
/* Has the server hear of the connection, and leaves delayed ACKs. */
void flow_send_ack(struct flow *flow);
/* The server's side has failed: what it sent before is still passed on, then
 * the flow ends with a reset. */
void flow_server_broke(struct flow *flow, int error);
/* A connect or handshake with the server failed: elsewhere, or the end. */
void flow_server_failed(struct flow *flow, int error);
/* A direction starved of ring buffers may go on. */
void flow_resume(struct flow *flow, struct direction *d);
/* The address as it is kept in a flow, and back. */
void flow_client_set(struct flow_client *ret, const struct addr *addr);
void flow_client_addr(const struct flow_client *client, struct addr *ret);
/* Adds received bytes to the listener's and the server's counters. */
void flow_count_bytes(struct flow *flow, bool up, uint32_t n);
/* The same with the phase that its state stands for. */
void flow_fail_now(struct flow *flow, char by, int error);
/* The upstream that serves it is known. */
void flow_route(struct flow *flow, struct upstream *upstream);
/* Frees a closing flow with nothing in flight (end of the turn). */
void flow_finish(struct flow *flow);
/* One direction has passed its end on; ends the flow when both have. */
void flow_direction_done(struct flow *flow);

/* Has the directions reviewed at `deadline` at the latest. */
void flow_review_by(struct flow *flow, struct mono deadline);

static inline int flow_source_fd(
    const struct flow *flow, const struct direction *d)
{
	return d->up ? flow->client_fd : flow->server_fd;
}
static inline int flow_sink_fd(
    const struct flow *flow, const struct direction *d)
{
	return d->up ? flow->server_fd : flow->client_fd;
}
struct flow *flow_of_direction(struct direction *d);
