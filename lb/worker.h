/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one worker thread owns: its ring, memory, timers, flows, and the words
 * that it shares with the others.
 *
 *      struct shared (one)          struct worker (one a thread)
 *        connections, parked bytes    ring, buffers, slabs, wheel
 *        mailboxes, settings          flows, starved, waiting
 *
 * Thread:  the worker; `metrics` may be read by any. struct shared: words
 *          by atomics, the rest is constant after boot.
 * Memory:  worker_init() maps everything for the limits; nothing is allocated
 *          per flow or event afterwards.
 * Limits:  struct lb_limits.
 */
#include <stdatomic.h>

#include "base/list.h"
#include "base/mailbox.h"
#include "base/metric.h"
#include "base/rng.h"
#include "base/slab.h"
#include "base/timer.h"
#include "conf/flow_class.h"
#include "io/pipe.h"
#include "io/ring.h"
#include "io/tls.h"
#include "profiler/history.h"
#include "lb/proxy_proto.h"
#include "lb/shard_history.h"
#include "lb/shard_metrics.h"
#include "profiler/client_hello.h"

struct listener;
struct upstream;
struct flow;
struct source_table;
struct profiling;
struct record_queue;

/* One parked chunk takes what a full socket refused: the rest of a send and
 * what was received before reading could stop. */
#define CHUNK_BYTES 16384u
#define CHUNK_ROOM (CHUNK_BYTES - 24u)

/* Plaintext between two TLS ends: a receive and a record. */
#define WORKER_SCRATCH_BYTES (64u << 10)
/* What TLS in bulk reads at a time, at most: see direction.h. */
#define WORKER_BULK_BYTES (256u << 10)

struct chunk {
	struct chunk *next;
	uint32_t start, end; /* unsent bytes are [start, end) of data */
	uint64_t reserved;
	char data[CHUNK_ROOM];
};

#define WORKER_METRIC_LIST(X)                                                  \
	X(flows_started, "Flows accepted")                                     \
	X(flows_ended, "Flows ended")                                          \
	X(connects, "Connects tried towards servers")                          \
	X(connect_errors, "Connects that failed or timed out")                 \
	X(connect_shortages,                                                   \
	    "Connects not made for want of descriptors, ports or memory")      \
	X(retries, "Connects tried again on another server")                   \
	X(queued, "Flows that waited in a pool's queue")                       \
	X(queue_timeouts, "Flows that waited in vain")                         \
	X(queue_refused, "Flows refused because the queue was full or off")    \
	X(no_server, "Flows refused because no server was usable")             \
	X(idle_timeouts, "Flows ended by timeout.idle or half_closed")         \
	X(resets_passed, "Resets passed on from one side to the other")        \
	X(many_starts, "Directions that went to multishot receive")            \
	X(many_stops, "Multishot receives cancelled")                          \
	X(promotions, "Directions promoted to splice")                         \
	X(demotions, "Directions demoted from splice to relay")                \
	X(ktls_directions,                                                     \
	    "Directions of TLS connections that the kernel encrypts")          \
	X(ktls_refused,                                                        \
	    "Directions that it was not given, for want of cipher or kernel")  \
	X(splice_no_pipe, "Promotions refused for want of a pipe")             \
	X(parks, "Sends that a full socket refused in part")                   \
	X(parked_full, "Flows ended because limits.parked_total was reached")  \
	X(starved, "Receives that waited for ring buffers")                    \
	X(bulk_waits, "Turns that left bulk to the next, for small flows")     \
	X(handovers, "Accepted connections handed to another worker")          \
	X(proxy_headers, "PROXY headers read")                                 \
	X(proxy_untrusted, "Connections refused: not from proxy_from")         \
	X(proxy_malformed, "Connections closed: malformed PROXY header")       \
	X(source_refused,                                                      \
	    "Flows ended: no server connected from their client's address")    \
	X(hello_malformed, "Connections closed: malformed TLS ClientHello")    \
	X(first_bytes_timeouts, "Flows ended by timeout.first_bytes")          \
	X(handshake_timeouts, "Flows ended by timeout.handshake")              \
	X(tls_client_handshakes, "Full TLS handshakes with clients")           \
	X(tls_client_resumed, "TLS sessions that clients resumed")             \
	X(tls_server_handshakes, "Full TLS handshakes with servers")           \
	X(tls_server_resumed, "TLS sessions resumed with servers")             \
	X(http_requests, "Requests answered in http mode")                     \
	X(http_opaque, "Flows that left http mode, or found no room for it")   \
	X(http_reopened,                                                       \
	    "Connections to servers made anew between requests of a client")   \
	X(http_replays, "Requests given to another server, unanswered")        \
	X(http_excess, "Servers that sent more than they were asked for")      \
	X(log_dropped, "Access log records lost to a full queue")              \
	X(record_dropped, "Recorded rows lost to a full queue")                \
	X(bytes_relayed, "Bytes moved by relay")                               \
	X(bytes_spliced, "Bytes moved by splice")

struct worker_metrics {
#define X(name, help) struct counter name;
	WORKER_METRIC_LIST(X)
#undef X
	struct counter flows_open; /* gauge */
	struct counter flows_splicing; /* gauge, directions */
	struct counter parked_bytes; /* gauge */
	struct counter pipes; /* gauge */
	struct counter tls_client_failures[TLS_N_CAUSES];
	struct counter tls_server_failures[TLS_N_CAUSES];
	struct counter proxy_causes[PROXY_N_CAUSES];
	struct counter hello_causes[CLIENT_HELLO_N_CAUSES];
	struct counter classes[N_FLOW_CLASSES]; /* of profiled flows, at end */
	struct histogram connect_time, queue_time, flow_time;
	struct shard_metrics shard;
	struct ring_metrics ring;
} __attribute__((aligned(64)));

struct lb_limits {
	uint32_t max_connections; /* in all */
	uint32_t n_workers;
	uint64_t parked_bytes; /* over all workers */
	uint32_t pipes; /* per worker */
	uint32_t pipe_bytes;
	uint32_t buffers, buffer_bytes; /* ring buffers per worker */
	/* Of range shards, over all workers; 0: none. */
	uint32_t sharded_flows, shard_connections;
	uint64_t shard_kernel_bytes;
};

/* Shared by all workers. */
struct lb_shared {
	struct lb_limits limits;
	struct post_office *office; /* members 0..n_workers-1 are workers */
	uint32_t connections; /* atomic */
	uint32_t promised; /* atomic: connections multishot accepts may take */
	uint64_t parked; /* atomic, bytes */
	/* Atomics, of lb/shard_room.h. */
	uint32_t sharded_flows, shard_connections;
	uint64_t shard_kernel; /* bytes */
	struct source_table *sources; /* of per_source, over all listeners */
	_Atomic bool log_access;
	struct worker_metrics *metrics; /* [n_workers] */
};

/* What workers tell each other; daemon/ uses kinds from WORKER_DAEMON on. */
enum worker_message {
	WORKER_WAKE_QUEUE, /* pointer: struct upstream */
	WORKER_HANDOVER, /* number: descriptor, pointer: struct listener */
	WORKER_NARROW, /* pointer: struct board_listener, NULL: all listeners */
	WORKER_DAEMON = 16,
};

/* Received data in a ring buffer that waits to be sent. */
struct held {
	uint32_t start, end;
	uint16_t next;
};
#define HELD_NONE UINT16_MAX

struct worker {
	uint32_t index;
	struct lb_shared *shared;
	struct ring ring;
	struct held *held; /* [buffers] */
	struct timer_wheel wheel;
	struct rng rng;
	struct slab shard_slab, shard_conn_slab;
	struct slab flow_slab, chunk_slab, side_slab, first_slab, http_slab;
	struct slab profile_slab, recorded_slab, kept_slab;
	struct history history;
	struct shard_history shard_history;
	const struct profiling *profiling; /* of the plan; NULL: off */
	/* Of recorded flows, for the clerk, whose owner it is; NULL: none. */
	struct record_queue *records;
	char *scratch; /* WORKER_SCRATCH_BYTES, for the length of one call */
	char *bulk; /* WORKER_BULK_BYTES, likewise */
	struct pipe_pool pipes;
	struct list flows; /* all, newest last */
	struct list starved; /* directions waiting for ring buffers */
	struct list
	    bulk_waiting; /* directions whose next step waits: bulk_turn.h */
	struct list waiting; /* upstream_workers with a queue */
	struct list closing; /* flows whose last operation has completed */
	struct list paused; /* acceptors without room for a connection */
	struct list eager; /* acceptors that hold a promise */
	struct list shaking; /* flows whose TLS handshake waits for its turn */
	uint32_t handshakes_left; /* in this turn */
	/* Bytes of bulk in a turn (BULK_TURN_BYTES; tests choose less), and
	 * what is left of them in this one. */
	uint32_t bulk_turn_bytes, bulk_left;
	struct mono small_at; /* the last small read */
	struct timer waiting_timer;
	struct worker_metrics *metrics;
	struct record_queue *log;
	uint64_t next_flow_id;
};

int worker_init(struct worker *worker, uint32_t index, struct lb_shared *shared,
    struct record_queue *log) BR_MUST_CHECK;
void worker_fini(struct worker *worker);
/* One turn: submit, wait (at most max_wait_ns), complete, timers, starved
 * directions, bulk. Messages are the caller's business. */
void worker_turn(struct worker *worker, int64_t max_wait_ns);
/* Messages of enum worker_message below WORKER_DAEMON. */
void worker_on_message(struct worker *worker, const struct message *message);
/* The time at which this turn's completions were taken over. */
static inline struct mono worker_now(const struct worker *worker)
{
	return worker->ring.now;
}
/* Looks after the queues every few milliseconds while there are any. */
void worker_watch_queues(struct worker *worker);
/* Bytes of limits.parked_total, shared by all workers. */
bool worker_take_parked(struct worker *worker, uint64_t bytes) BR_MUST_CHECK;
/* More than half is in use: nobody should take more than it must. */
bool worker_parked_is_scarce(const struct worker *worker);
void worker_give_parked(struct worker *worker, uint64_t bytes);
/* Resets all flows (deadline of a drain). */
void worker_kill_flows(struct worker *worker);

/* Takes one of `max` places of a shared count (0: no limit). Never above max,
 * and never refused while there is one, as another's add and back-out would
 * do. It is tried again only when another has changed the count. */
static inline bool shared_take(uint32_t *count, uint32_t max)
{
	uint32_t before = __atomic_load_n(count, __ATOMIC_SEQ_CST);

	do {
		if (max && before >= max)
			return false;
	} while (!__atomic_compare_exchange_n(count, &before, before + 1, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

/* The same beside places that are promised. Whoever raises one of the two
 * words reads the other afterwards, so together they never pass max. */
static inline bool shared_take_beside(
    uint32_t *count, const uint32_t *promised, uint32_t max)
{
	uint64_t before = __atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);

	if (!max || before + __atomic_load_n(promised, __ATOMIC_SEQ_CST) < max)
		return true;
	__atomic_fetch_sub(count, 1, __ATOMIC_SEQ_CST);
	return false;
}

/* Promises n places if `spare` more are left beside them. */
static inline bool shared_promise(const uint32_t *count, uint32_t *promised,
    uint32_t n, uint32_t spare, uint32_t max)
{
	uint64_t before = __atomic_fetch_add(promised, n, __ATOMIC_SEQ_CST);

	if (!max ||
	    before + n + spare + __atomic_load_n(count, __ATOMIC_SEQ_CST) <=
		max)
		return true;
	__atomic_fetch_sub(promised, n, __ATOMIC_SEQ_CST);
	return false;
}

static inline void shared_give(uint32_t *count)
{
	__atomic_fetch_sub(count, 1, __ATOMIC_SEQ_CST);
}

static inline uint32_t shared_read(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}
