/* SPDX-License-Identifier: Apache-2.0 */
/* What only the clock tells: lanes that are silent, slow, or whose server is
 * drained; a client that waits. */
#include "base/assert.h"
#include "io/sock.h"
#include "lb/flow_steps.h"
#include "lb/shard_engine.h"
#include "lb/upstream.h"

#include <errno.h>

/* How often is looked: with several lanes, with one, and while the client
 * takes nothing. */
#define TICK_MANY_NS (20 * NS_PER_MS)
#define TICK_ONE_NS (50 * NS_PER_MS)
#define TICK_FULL_NS (200 * NS_PER_MS)
/* A lane is silent after this, or so many of its usual gaps; one that nobody
 * waits for yet after the second. */
#define SILENT_NS (400 * NS_PER_MS)
#define SILENT_GAPS 4
#define SILENT_LATER_NS (1500 * NS_PER_MS)
/* Each silence in a row is taken for the servers' way, and doubles both. */
#define SILENCES_MAX 8u
/* The pace of a lane is measured over this. */
#define PACE_NS (600 * NS_PER_MS)
/* It is slow when its piece takes longer than this, and so many times longer
 * than another would need. */
#define SLOW_NS (2 * NS_PER_S)
#define SLOW_TIMES 4
/* A server that is drained goes on for so long with what it has begun. */
#define DRAIN_NS (250 * NS_PER_MS)
#define STALL_NS (250 * NS_PER_MS)

static struct shard_lane *watch_lane(const struct shard_conn *conn)
{
	return &conn->shard->plan.lanes[conn->lane];
}

static bool watch_is_turn(const struct shard_conn *conn)
{
	return watch_lane(conn)->next == conn->shard->plan.next_out;
}

/* -- silence ----------------------------------------------------------- */

/* Whether bytes of it could come: it is owed some, and has room for them. */
static bool watch_expects(const struct shard_conn *conn, uint64_t waiting)
{
	const struct shard_lane *lane = watch_lane(conn);

	if (lane->arrived >= lane->to)
		return false;
	if (watch_is_turn(conn))
		return !waiting;
	return waiting < lane->buffer_bytes - lane->buffer_bytes / 4;
}

static void watch_progress(
    struct shard_conn *conn, uint64_t waiting, struct mono now)
{
	const struct shard_lane *lane = watch_lane(conn);
	int64_t gap = now.ns - conn->seen_ns;

	if (lane->arrived <= conn->seen) {
		if (!watch_expects(conn, waiting))
			conn->seen_ns = now.ns;
		return;
	}
	conn->gap_ns -= conn->gap_ns / 8;
	if (gap > conn->gap_ns)
		conn->gap_ns = gap;
	conn->seen = lane->arrived;
	conn->seen_ns = now.ns;
}

static int64_t watch_patience_ns(const struct shard_conn *conn)
{
	uint32_t silences = conn->shard->silences;
	int64_t ns = watch_is_turn(conn) ? SILENT_NS : SILENT_LATER_NS;

	if (ns < SILENT_GAPS * conn->gap_ns)
		ns = SILENT_GAPS * conn->gap_ns;
	return ns << (silences < SILENCES_MAX ? silences : SILENCES_MAX);
}

static bool watch_is_silent(const struct shard_conn *conn, struct mono now)
{
	return now.ns - conn->seen_ns >= watch_patience_ns(conn);
}

/* -- slowness ---------------------------------------------------------- */

/* What a lane can bring here, also one that is gone. */
static uint64_t watch_best_rate(struct shard_flow *shard)
{
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		uint64_t rate;

		if (!shard->lanes[i])
			continue;
		rate = shard_plan_rate(&shard->plan, i);
		if (rate > shard->best_rate)
			shard->best_rate = rate;
	}
	return shard->best_rate;
}

static int64_t watch_time_ns(uint64_t bytes, uint64_t rate)
{
	__uint128_t ns =
	    rate ? (__uint128_t)bytes * NS_PER_S / rate : INT64_MAX / 8;

	return ns < INT64_MAX / 8 ? (int64_t)ns : INT64_MAX / 8;
}

/* The others wait for it, although one of them would be done long before. */
static bool watch_is_slow(struct shard_conn *conn, struct mono now)
{
	const struct shard_lane *lane = watch_lane(conn);
	int64_t took = now.ns - conn->window_ns, mine, theirs;
	uint64_t came = lane->arrived - conn->window_seen;

	if (!watch_is_turn(conn) || !conn->shard->waits_ns ||
	    !conn->window_ns || took < PACE_NS) {
		if (conn->window_ns && took < PACE_NS)
			return false;
		conn->window_ns = now.ns;
		conn->window_seen = lane->arrived;
		return false;
	}
	conn->window_ns = now.ns;
	conn->window_seen = lane->arrived;
	mine = watch_time_ns(lane->to - lane->arrived,
	    (uint64_t)((__uint128_t)came * NS_PER_S / (uint64_t)took));
	theirs = watch_time_ns(
	    lane->to - lane->arrived, watch_best_rate(conn->shard));
	return mine > SLOW_NS && mine / SLOW_TIMES > theirs;
}

/* -- drains ------------------------------------------------------------ */

static void watch_drains(struct shard_flow *shard)
{
	struct upstream *upstream = shard->flow->upstream;
	uint32_t generation = pool_generation(upstream->pool);

	if (generation == shard->generation)
		return;
	shard->generation = generation;
	LIST_FOREACH (node, &shard->conns) {
		struct shard_conn *conn =
		    br_container_of(node, struct shard_conn, link);

		conn->drained = !upstream_may_choose(
		    upstream, shard->flow->worker, conn->server);
	}
}

/* Where another can go on, what would take long ends soon. */
static bool watch_leave(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;
	struct shard_lane *lane = watch_lane(conn);
	uint64_t rate = shard_plan_rate(&shard->plan, conn->lane), at;

	if (!conn->drained || conn->step != SHARD_BODY || lane->closes)
		return false;
	at = lane->arrived + SHARD_PIECE_MIN +
	     (uint64_t)((__uint128_t)rate * DRAIN_NS / NS_PER_S);
	if (at >= lane->to)
		return false;
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (shard->lanes[i] && !shard->lanes[i]->drained) {
			shard_lane_stop(conn, at, SHARD_CAUSE_drained);
			return true;
		}
	}
	return false;
}

/* -- all of it --------------------------------------------------------- */

static void watch_asked(struct shard_conn *conn, struct mono now)
{
	uint64_t waiting = shard_conn_waiting(conn);

	shard_plan_arrived(&conn->shard->plan, conn->lane, waiting, now);
	watch_progress(conn, waiting, now);
	if (watch_leave(conn))
		return;
	if (watch_expects(conn, waiting) && watch_is_silent(conn, now))
		shard_lane_failed(conn, SHARD_CAUSE_silent);
	else if (watch_is_slow(conn, now))
		shard_lane_failed(conn, SHARD_CAUSE_slow);
}

static void watch_conn(struct shard_conn *conn, struct mono now)
{
	if (conn->step == SHARD_CONNECTING) {
		if (now.ns >= conn->connect_by_ns)
			shard_lane_failed(conn, SHARD_CAUSE_silent);
		return;
	}
	/* A part of a head is no progress: who says no more is silent. */
	if (conn->look_later && !watch_is_silent(conn, now)) {
		shard_conn_look(conn);
		return;
	}
	if (watch_lane(conn)->state == SHARD_LANE_ASKED)
		watch_asked(conn, now);
}

/* What has arrived counts, not what has left: a lane's first piece waits for
 * its turn. And a trial is of a lane that brings something. */
static void watch_demand(struct shard_flow *shard, struct mono now)
{
	uint64_t bytes = shard->plan.next_out - shard->plan.first;
	uint32_t bring = 0;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		const struct shard_lane *lane = &shard->plan.lanes[i];

		if (lane->state == SHARD_LANE_ASKED)
			bytes += lane->arrived - lane->next;
		bring += shard_plan_rate(&shard->plan, i) > 0;
	}
	if (bytes > shard->demand.bytes)
		shard_demand_moved(&shard->demand, bytes - shard->demand.bytes);
	if (bring < shard->demand.lanes &&
	    shard->plan.n_lanes + shard->n_connecting >= shard->demand.lanes)
		shard_demand_hold(&shard->demand, now);
	(void)shard_demand_review(&shard->demand, now);
}

void shard_watch(struct shard_flow *shard, struct mono now)
{
	watch_drains(shard);
	LIST_FOREACH_SAFE (node, following, &shard->conns) {
		watch_conn(br_container_of(node, struct shard_conn, link), now);
		if (shard->over)
			return;
	}
	(void)watch_best_rate(shard);
	watch_demand(shard, now);
	if (shard->waits_ns && !shard->stall_counted &&
	    now.ns - shard->waits_ns >= STALL_NS) {
		shard->stall_counted = true;
		shard->n_stalls++;
		counter_inc(&shard->flow->worker->metrics->shard.stalls);
	}
}

void shard_arm(struct shard_flow *shard)
{
	struct worker *worker = shard->flow->worker;
	bool full = shard->demand.client == SHARD_CLIENT_FULL;
	int64_t ns = shard->n_conns > 1 ? TICK_MANY_NS : TICK_ONE_NS;

	timer_arm(&worker->wheel, &shard->timer,
	    mono_add_ns(worker_now(worker), full ? TICK_FULL_NS : ns));
}
