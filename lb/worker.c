/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/worker.h"

#include "base/assert.h"
#include "lb/bulk_turn.h"
#include "lb/flow.h"
#include "lb/flow_profile.h"
#include "lb/http_flow.h"
#include "lb/listener.h"
#include "lb/shard_engine.h"
#include "lb/side.h"
#include "lb/tls_end.h"
#include "lb/upstream.h"
#include "profiler/hints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often queues are looked after without a wake-up (see
 * upstream_release). */
#define QUEUE_LOOK_MS 5
/* Kinds of flows that a worker remembers (1.5 MiB, touched on use), flows
 * that are recorded at the same time, and those whose first bytes are kept for
 * what may come behind them (16 MiB when all clients dribble). */
#define HISTORY_ENTRIES 65536u
/* Downloads whose size it remembers (256 KiB, likewise). */
#define SHARD_HISTORY_ENTRIES 16384u
#define RECORDED_MAX 4096u
#define KEPT_MAX 4096u
/* Flows that may be sharded beyond the limit at the same time. */
#define SHARD_FORCED_MAX 64u
/* Flow memory touched at boot, so that the first clients do not pay for it. */
#define PREFAULT_FLOWS 64

static void worker_look_at_queues(struct timer *timer, struct mono now)
{
	struct worker *worker =
	    br_container_of(timer, struct worker, waiting_timer);

	(void)now;
	LIST_FOREACH_SAFE (node, following, &worker->waiting) {
		struct upstream_worker *mine =
		    br_container_of(node, struct upstream_worker, waiting_link);

		upstream_wake(mine->upstream, worker);
	}
	worker_watch_queues(worker);
}

void worker_watch_queues(struct worker *worker)
{
	if (list_empty(&worker->waiting) || timer_armed(&worker->waiting_timer))
		return;
	timer_arm(&worker->wheel, &worker->waiting_timer,
	    mono_add_ms(worker_now(worker), QUEUE_LOOK_MS));
}

static int worker_init_profiler(
    struct worker *worker, const struct lb_limits *limits)
{
	int err = slab_init(&worker->profile_slab, "profile",
	    sizeof(struct flow_profile), limits->max_connections);

	if (!err)
		err = slab_init(&worker->recorded_slab, "recorded",
		    sizeof(struct recorded), RECORDED_MAX);
	if (!err)
		err = slab_init(&worker->kept_slab, "first bytes",
		    sizeof(struct hints_kept), KEPT_MAX);
	if (!err)
		err = history_init(
		    &worker->history, HISTORY_ENTRIES, rng_u64(&worker->rng));
	return err;
}

/* Each sharded flow has home beside the connections that are counted, and one
 * that is given up may still be closing. */
static int worker_init_shards(
    struct worker *worker, const struct lb_limits *limits)
{
	uint32_t flows = limits->sharded_flows + SHARD_FORCED_MAX;
	int err = slab_init(&worker->shard_slab, "sharded flow",
	    sizeof(struct shard_flow), flows);

	if (!err)
		err = slab_init(&worker->shard_conn_slab, "shard connection",
		    sizeof(struct shard_conn),
		    limits->shard_connections + 2 * flows);
	return err;
}

static int worker_init_memory(
    struct worker *worker, const struct lb_limits *limits)
{
	uint64_t chunks = limits->parked_bytes / CHUNK_BYTES;
	int err;

	worker->held = calloc(limits->buffers, sizeof *worker->held);
	worker->scratch = malloc(WORKER_SCRATCH_BYTES);
	worker->bulk = malloc(WORKER_BULK_BYTES);
	if (!worker->held || !worker->scratch || !worker->bulk)
		return -ENOMEM;
	err = slab_init(&worker->flow_slab, "flow", sizeof(struct flow),
	    limits->max_connections);
	if (!err)
		err = slab_init(&worker->chunk_slab, "chunk",
		    sizeof(struct chunk), chunks ? (uint32_t)chunks : 1);
	if (!err)
		err = slab_init(&worker->side_slab, "side", sizeof(struct side),
		    limits->max_connections);
	if (!err)
		err = slab_init(&worker->first_slab, "first",
		    sizeof(struct first), limits->max_connections);
	if (!err)
		err = slab_init(&worker->http_slab, "http",
		    sizeof(struct http_flow), limits->max_connections);
	if (!err)
		err = worker_init_shards(worker, limits);
	if (!err)
		err = worker_init_profiler(worker, limits);
	if (!err)
		err = shard_history_init(&worker->shard_history,
		    SHARD_HISTORY_ENTRIES, rng_u64(&worker->rng));
	if (!err)
		err = pipe_pool_init(
		    &worker->pipes, limits->pipes, limits->pipe_bytes);
	if (!err)
		slab_prefault(&worker->flow_slab, PREFAULT_FLOWS);
	return err;
}

int worker_init(struct worker *worker, uint32_t index, struct lb_shared *shared,
    struct record_queue *log)
{
	const struct lb_limits *limits = &shared->limits;
	struct ring_options options = {
	    .buffers = limits->buffers,
	    .buffer_bytes = limits->buffer_bytes,
	};
	int err;

	_Static_assert(sizeof(struct chunk) == CHUNK_BYTES, "whole pages");
	memset(worker, 0, sizeof *worker);
	worker->index = index;
	worker->shared = shared;
	worker->log = log;
	worker->metrics = &shared->metrics[index];
	worker->next_flow_id = index + 1;
	list_init(&worker->flows);
	list_init(&worker->starved);
	list_init(&worker->bulk_waiting);
	list_init(&worker->waiting);
	list_init(&worker->closing);
	list_init(&worker->paused);
	list_init(&worker->eager);
	list_init(&worker->shaking);
	worker->handshakes_left = TLS_HANDSHAKES_A_TURN;
	worker->bulk_turn_bytes = BULK_TURN_BYTES;
	timer_init(&worker->waiting_timer, worker_look_at_queues);
	rng_seed_random(&worker->rng);
	err = ring_init(&worker->ring, &options, &worker->metrics->ring);
	if (err)
		return err;
	timer_wheel_init(&worker->wheel, worker_now(worker));
	err = worker_init_memory(worker, limits);
	if (err)
		worker_fini(worker);
	return err;
}

void worker_fini(struct worker *worker)
{
	ring_fini(&worker->ring);
	if (worker->pipes.pipes)
		pipe_pool_fini(&worker->pipes);
	if (worker->chunk_slab.base)
		slab_fini(&worker->chunk_slab);
	if (worker->first_slab.base)
		slab_fini(&worker->first_slab);
	if (worker->http_slab.base)
		slab_fini(&worker->http_slab);
	if (worker->side_slab.base)
		slab_fini(&worker->side_slab);
	if (worker->flow_slab.base)
		slab_fini(&worker->flow_slab);
	if (worker->shard_slab.base)
		slab_fini(&worker->shard_slab);
	if (worker->shard_conn_slab.base)
		slab_fini(&worker->shard_conn_slab);
	if (worker->profile_slab.base)
		slab_fini(&worker->profile_slab);
	if (worker->recorded_slab.base)
		slab_fini(&worker->recorded_slab);
	if (worker->kept_slab.base)
		slab_fini(&worker->kept_slab);
	history_fini(&worker->history);
	shard_history_fini(&worker->shard_history);
	free(worker->scratch);
	free(worker->bulk);
	free(worker->held);
	memset(worker, 0, sizeof *worker);
}

/* Each may take one buffer; those that come too late starve again. */
static void worker_feed_starved(struct worker *worker)
{
	uint32_t n = worker->ring.buffers_free;
	struct list_node *node;

	while (n-- && (node = list_pop_front(&worker->starved)) != NULL) {
		struct direction *d =
		    br_container_of(node, struct direction, wait_link);

		flow_resume(flow_of_direction(d), d);
	}
}

static void worker_free_closed(struct worker *worker)
{
	struct list_node *node;

	while ((node = list_pop_front(&worker->closing)) != NULL)
		flow_finish(br_container_of(node, struct flow, queue_link));
}

bool worker_take_parked(struct worker *worker, uint64_t bytes)
{
	struct lb_shared *shared = worker->shared;
	uint64_t before = __atomic_load_n(&shared->parked, __ATOMIC_RELAXED);

	/* Not added first and taken back: that is seen above the limit, and
	 * refuses another worker what there is room for. Tried again only when
	 * another has changed it. */
	do {
		if (before + bytes > shared->limits.parked_bytes)
			return false;
	} while (!__atomic_compare_exchange_n(&shared->parked, &before,
	    before + bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	counter_add(&worker->metrics->parked_bytes, bytes);
	return true;
}

bool worker_parked_is_scarce(const struct worker *worker)
{
	const struct lb_shared *shared = worker->shared;

	return __atomic_load_n(&shared->parked, __ATOMIC_RELAXED) >
	       shared->limits.parked_bytes / 2;
}

void worker_give_parked(struct worker *worker, uint64_t bytes)
{
	counter_sub(&worker->metrics->parked_bytes, bytes);
	__atomic_fetch_sub(&worker->shared->parked, bytes, __ATOMIC_RELAXED);
}

void worker_turn(struct worker *worker, int64_t max_wait_ns)
{
	int64_t wait_ns = 0;

	/* The buffers that the starved wait for lie behind inline sends, whose
	 * success ends no wait. */
	if (list_empty(&worker->starved) && list_empty(&worker->bulk_waiting))
		wait_ns = timer_wheel_sleep_ns(
		    &worker->wheel, worker_now(worker), max_wait_ns);
	ring_turn(&worker->ring, wait_ns);
	timer_wheel_advance(&worker->wheel, worker_now(worker));
	if (!list_empty(&worker->starved))
		worker_feed_starved(worker);
	tls_accept_deferred(worker);
	bulk_serve(worker);
	if (!list_empty(&worker->closing))
		worker_free_closed(worker);
}

/* The upstream in a wake-up may be gone by now; one that flows here wait for
 * is not, so it is looked up among those. */
static void worker_wake_queue(struct worker *worker, const void *upstream)
{
	LIST_FOREACH (node, &worker->waiting) {
		struct upstream_worker *mine =
		    br_container_of(node, struct upstream_worker, waiting_link);

		if (mine->upstream == upstream) {
			upstream_wake(mine->upstream, worker);
			return;
		}
	}
}

void worker_on_message(struct worker *worker, const struct message *message)
{
	switch ((enum worker_message)message->kind) {
	case WORKER_WAKE_QUEUE:
		worker_wake_queue(worker, message->pointer);
		break;
	case WORKER_HANDOVER:
		acceptor_receive(
		    worker, message->pointer, (int)message->number);
		break;
	case WORKER_NARROW:
		acceptor_narrow(worker, message->pointer);
		break;
	case WORKER_DAEMON:
		break;
	}
	if (!list_empty(&worker->closing))
		worker_free_closed(worker);
}

void worker_kill_flows(struct worker *worker)
{
	LIST_FOREACH_SAFE (node, following, &worker->flows) {
		flow_kill(
		    br_container_of(node, struct flow, link), BR_E_DRAINED);
	}
	ring_hurry(&worker->ring);
}
