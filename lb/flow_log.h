/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Access log records on their way from a worker to the clerk: a queue
 * (base/record_queue.h) of which each side uses one end.
 *
 * A record is filled where it will lie, and of one without names only the
 * first cache lines are touched:
 *
 *      worker: flow_log_room() ─> flow_record_fill() ─> record_queue_put()
 *                                 (flow_record_add_request())
 *      clerk:  flow_log_peek() ─> flow_line_compose() ─> record_queue_drop()
 *
 * A flow in http mode (http_flow.h) has a record for each of its requests.
 *
 * Thread:  flow_log_room(), flow_record_...(): the worker; the rest: the
 *          clerk.
 * Memory:  a record points to names and servers of pools and listeners that
 *          the clerk itself frees, after it has emptied the logs.
 */
#include "base/clock.h"
#include "base/record_queue.h"
#include "lb/flow.h"
#include "lb/shard_judge.h"

/* What is kept of names that clients choose; the rest is cut off. */
#define FLOW_RECORD_SNI_MAX 95
#define FLOW_RECORD_ALPN_MAX 15
#define FLOW_RECORD_METHOD_MAX 15
#define FLOW_RECORD_TARGET_MAX 255

struct flow_record {
	uint64_t id;
	struct wall ended_at;
	const struct listener *listener;
	const struct pool *pool; /* NULL: the route was not known yet */
	const struct server *server; /* NULL: none was reached */
	struct flow_client client;
	struct flow_client wanted; /* of transparent listeners; family 0 */
	uint32_t worker;
	int32_t error;
	char end_by, end_phase;
	uint8_t retries;
	uint8_t n_failed; /* servers whose connect failed before */
	uint32_t failed[UPSTREAM_TRIED_MAX]; /* indices in the pool */
	bool spliced_up, spliced_down;
	/* -1: the phase was not reached. */
	int64_t queue_ns, connect_ns, first_byte_ns, total_ns;
	uint64_t bytes_up, bytes_down;
	/* -- of flows with a profile -- */
	bool profiled, pinned; /* pinned: the verdict is the operator's */
	uint8_t class, checkpoint; /* the verdict and where it was made */
	uint8_t first_class;
	uint16_t confidence; /* in 1/10000 */
	/* -- of flows with a side; else 0 -- */
	uint32_t route; /* as side.h; only where the listener has routes */
	bool routed;
	uint8_t cause; /* as side.h, by `error`; 0: not known */
	struct flow_client proxy; /* family 0: none */
	const char *tls; /* version with the client, static; NULL: plain */
	/* -- of one request; else 0 -- */
	uint32_t request; /* its number on the connection, from 1; 0: none */
	uint16_t status; /* 0: no answer */
	uint32_t shards, pieces, migrations;
	uint8_t bar; /* enum shard_bar, of a large answer without shards */
	/* Last, and of most records only their first bytes are written. */
	char alpn[FLOW_RECORD_ALPN_MAX + 1], sni[FLOW_RECORD_SNI_MAX + 1];
	char method[FLOW_RECORD_METHOD_MAX + 1];
	char target[FLOW_RECORD_TARGET_MAX + 1];
};

/* One request of a flow, and its answer as far as it came. */
struct flow_request {
	uint32_t number; /* on its connection, from 1 */
	uint16_t status; /* 0: no answer */
	const char *method, *target; /* not terminated */
	size_t method_bytes, target_bytes;
	uint64_t bytes_up, bytes_down; /* its own, heads included */
	/* Connections to servers at a time at most, ranges asked for, and how
	 * often a range went to another connection; 0: it was not sharded. */
	uint32_t shards, pieces, migrations;
	enum shard_bar bar;
	/* Its first byte came, it was handed to a server, the first byte of the
	 * answer came; ns 0: that did not happen. */
	struct mono begun_at, sent_at, answered_at;
};

/* `records`: a power of two. */
static inline struct record_queue *flow_log_new(uint32_t records)
{
	return record_queue_new(records, sizeof(struct flow_record));
}

/* Where the next record is composed; NULL when full. */
static inline struct flow_record *flow_log_room(struct record_queue *log)
{
	return record_queue_room(log);
}

/* The record that would be taken next, until record_queue_drop();
 * NULL: none. */
static inline const struct flow_record *flow_log_peek(
    const struct record_queue *log)
{
	return record_queue_peek(log);
}

bool flow_log_take(struct record_queue *log, struct flow_record *ret);
/* Fills a record, whatever it held, from a flow that ends now. */
void flow_record_fill(struct flow_record *ret, const struct flow *flow);
/* Makes of such a record the one of a request that ends now: its bytes and
 * times in place of the flow's. */
void flow_record_add_request(struct flow_record *ret, const struct flow *flow,
    const struct flow_request *request);
