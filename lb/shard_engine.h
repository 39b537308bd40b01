/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine's inside, for its own files only:
 *
 *      shard_flow.c    begin, turns of the engine, the end
 *      shard_lanes.c   how many lanes, to whom, asked for what; their failures
 *      shard_watch.c   by the clock: progress, silence, slowness, drains
 *      shard_conn.c    a lane's connection
 *      shard_move.c    bytes from the lane whose turn it is to the client
 *
 * Events change what they are about and end with shard_run(), the only place
 * where something new is begun.
 *
 * Thread:  the flow's worker.
 */
#include "base/timer.h"
#include "lb/shard_conn.h"
#include "lb/shard_demand.h"
#include "lb/shard_flow.h"
#include "lb/shard_plan.h"
#include "lb/side.h"
#include "lb/worker.h"

#define SHARD_FLOW_MAGIC 0xb1a1d5f0
/* Servers of which a download remembers something bad. */
#define SHARD_SERVERS_MAX 64u
#define SHARD_FAILURES_MAX 3u
/* Pieces from servers without a limit of their own. */
#define SHARD_PIECE_LARGE (4u << 20)
/* What a unix socket holds at least. */
#define SHARD_UNIX_ROOM (96u << 10)

struct shard_record {
	uint32_t server; /* its index */
	uint8_t failures; /* in a row, without a byte */
	bool banned; /* another representation */
	int64_t rests_until_ns; /* others go first; 0: has done nothing */
	uint64_t rate; /* of its last lane; 0: unknown */
};

struct shard_flow {
	struct op_owner op; /* the client's readiness */
	struct timer timer;
	struct flow *flow;
	struct pipe *pipe; /* NULL: through our memory */
	struct list conns;
	struct shard_conn *lanes[SHARD_LANES_MAX]; /* by the plan's number */
	struct shard_order order;
	struct shard_plan plan;
	struct shard_demand demand;
	struct shard_record records[SHARD_SERVERS_MAX];
	uint32_t n_records, n_conns, n_connecting;
	uint32_t generation; /* of the pool, when drains were looked for */
	uint32_t attempts; /* without a byte, in a row */
	uint32_t silences; /* of them, in a row */
	uint32_t n_pieces, n_migrations, n_stalls, lanes_peak;
	int64_t open_again_ns; /* no connection is opened before */
	int64_t
	    waits_ns; /* since when the client waits for us; 0: it does not */
	uint64_t kernel_bytes;
	uint64_t best_rate; /* of any lane, ever */
	bool proven; /* another server than home has the same */
	bool running, over, ending;
	bool sink_full; /* the client's readiness is waited for */
	bool stall_counted;
} __attribute__((aligned(64)));

static inline struct shard_flow *shard_of(const struct flow *flow)
{
	return flow->side ? flow->side->shard : NULL;
}

/* Does all that can be done now. */
void shard_run(struct shard_flow *shard);
/* No server can go on: the flow ends. */
void shard_give_up(struct shard_flow *shard, int error);

/* -- shard_lanes.c -- */

/* Asks idle lanes, opens those that are wanted, drops those that are not. */
void shard_serve(struct shard_flow *shard);
uint32_t shard_lanes_wanted(const struct shard_flow *shard);
/* It is connected: a lane. */
void shard_lane_opened(struct shard_conn *conn);
/* It cannot go on; what it has not brought is asked of others. What has
 * arrived of its piece is still used, but for entity and refused. */
void shard_lane_failed(struct shard_conn *conn, enum shard_cause cause);
/* The same for one that is only to stop behind what has arrived. */
void shard_lane_stop(
    struct shard_conn *conn, uint64_t at, enum shard_cause cause);
/* Its piece has left: it is idle, or was cut. */
void shard_lane_done(struct shard_conn *conn);
/* What is remembered of the server; NULL: no room for more. */
struct shard_record *shard_record(
    struct shard_flow *shard, const struct server *server);

/* -- shard_move.c -- */

/* True: a lane is free, or gone; shard_serve() and again. */
bool shard_move(struct shard_flow *shard);
/* Whether all that left a lane has reached the client's socket. */
bool shard_moved_all(const struct shard_flow *shard);
void shard_on_writable(struct shard_flow *shard, int32_t res);
enum shard_tag { SHARD_TAG_WRITABLE };

/* -- shard_watch.c -- */

void shard_watch(struct shard_flow *shard, struct mono now);
void shard_arm(struct shard_flow *shard);
