/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from the lane whose turn it is to the client: through a pipe, or where
 * the client's end encrypts in user space, through our memory. */
#include "base/assert.h"
#include "io/pipe.h"
#include "io/sock.h"
#include "lb/bulk_turn.h"
#include "lb/flow_profile.h"
#include "lb/http_flow.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/shard_engine.h"
#include "lb/tls_end.h"

#include <errno.h>
#include <poll.h>

/* Fills of the pipe in a row: what other flows wait for is bounded. */
#define STEPS_MAX 4
/* What is sealed at a time. */
#define COPY_BYTES (64u << 10)

/* -- counting ---------------------------------------------------------- */

static void move_count(struct shard_conn *conn, const void *bytes, uint32_t n)
{
	struct shard_flow *shard = conn->shard;
	struct flow *flow = shard->flow;
	struct worker *worker = flow->worker;

	flow->active_at = worker_now(worker);
	flow->down.bytes += n;
	counter_add(&flow->listener->row->metrics[worker->index].bytes_out, n);
	counter_add(&conn->server->row->metrics[worker->index].bytes_from, n);
	counter_add(bytes ? &worker->metrics->bytes_relayed
			  : &worker->metrics->bytes_spliced,
	    n);
	if (worker->profiling || flow->profile)
		flow_profile_bytes(flow, false, bytes, n);
	counter_add(&worker->metrics->shard.bytes_moved, n);
	http1_body_skip(&http_of(flow)->down_body, n);
	bulk_charge(worker, n);
}

/* n bytes have been taken from the lane, and will leave. True: its piece is
 * done. */
static bool move_take(struct shard_conn *conn, const void *bytes, uint32_t n)
{
	struct shard_flow *shard = conn->shard;
	struct shard_record *record = shard_record(shard, conn->server);

	br_assert(n <= conn->body_left);
	conn->offered = false;
	move_count(conn, bytes, n);
	conn->body_left -= n;
	shard->attempts = shard->silences = 0;
	if (record)
		record->failures = 0;
	if (!shard_plan_moved(
		&shard->plan, conn->lane, n, worker_now(shard->flow->worker)))
		return false;
	shard_lane_done(conn);
	return true;
}

/* -- what the client is like ------------------------------------------- */

static void move_client(struct shard_flow *shard, enum shard_client client)
{
	struct mono now = worker_now(shard->flow->worker);

	if (client != SHARD_CLIENT_WAITS) {
		shard->waits_ns = 0;
		shard->stall_counted = false;
	} else if (!shard->waits_ns) {
		shard->waits_ns = now.ns;
	}
	if (shard->demand.client != client)
		shard_demand_client(&shard->demand, client, now);
}

static void move_wait_for_client(struct shard_flow *shard)
{
	move_client(shard, SHARD_CLIENT_FULL);
	if (shard->sink_full)
		return;
	shard->sink_full = true;
	ring_poll(&shard->flow->worker->ring, &shard->op, SHARD_TAG_WRITABLE,
	    shard->flow->client_fd, POLLOUT);
}

void shard_on_writable(struct shard_flow *shard, int32_t res)
{
	(void)res; /* an error is met by the next send */
	shard->sink_full = false;
}

/* -- through a pipe ---------------------------------------------------- */

/* False: the client takes no more now, or the flow has ended. */
static bool move_drain(struct shard_flow *shard)
{
	struct flow *flow = shard->flow;

	while (shard->pipe->bytes) {
		int64_t n = pipe_drain(shard->pipe, flow->client_fd);

		if (n == -EAGAIN) {
			move_wait_for_client(shard);
			return false;
		}
		if (n <= 0 && n != -EINTR) {
			flow_fail_now(flow, 'C', n ? (int)n : -EPIPE);
			return false;
		}
		flow->active_at = worker_now(flow->worker);
		move_client(shard, SHARD_CLIENT_TAKES);
	}
	return true;
}

enum move { MOVE_ON, MOVE_WAITS, MOVE_DONE /* a piece, or a lane */ };

/* The lane brings nothing now, or never again. */
static enum move move_none(struct shard_conn *conn, int64_t n)
{
	if (n == -EINTR)
		return MOVE_ON;
	/* Some may have come since it was asked. */
	if (n == -EAGAIN && !conn->offered && sock_peek(conn->fd) > 0) {
		conn->offered = true;
		return MOVE_ON;
	}
	/* Bytes that splice(2) does not take (urgent data) are no answer. */
	if (n != -EAGAIN || conn->offered) {
		shard_lane_failed(conn, SHARD_CAUSE_dead);
		return MOVE_DONE;
	}
	move_client(conn->shard, SHARD_CLIENT_WAITS);
	shard_conn_wait(conn);
	return MOVE_WAITS;
}

/* How much of it may leave. Until somebody else is known to have the same,
 * home keeps something back of what was given to others, and so is not left:
 * where all others have something else it has to go on alone. */
static uint64_t move_left(const struct shard_conn *conn)
{
	const struct shard_plan *plan = &conn->shard->plan;
	uint64_t left = shard_plan_left(plan, conn->lane);

	if (conn->shard->proven || !shard_plan_is_cut(plan, conn->lane))
		return left;
	return left > SHARD_PIECE_MIN / 2 ? left - SHARD_PIECE_MIN / 2 : 0;
}

static uint32_t move_most(const struct shard_conn *conn, uint32_t room)
{
	uint64_t left = move_left(conn);

	return left < room ? (uint32_t)left : room;
}

static enum move move_by_pipe(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;
	uint32_t asked = move_most(conn, shard->pipe->capacity_bytes);
	int64_t n = pipe_fill(shard->pipe, conn->fd, asked);
	bool done;

	if (n <= 0)
		return move_none(conn, n);
	done = move_take(conn, NULL, (uint32_t)n);
	if (!move_drain(shard))
		return MOVE_WAITS;
	if (done)
		return MOVE_DONE;
	if (n == asked)
		return MOVE_ON;
	/* Mostly it would be empty: to wait lets more come together. */
	move_client(shard, SHARD_CLIENT_WAITS);
	shard_conn_wait(conn);
	return MOVE_WAITS;
}

/* -- through our memory ------------------------------------------------ */

/* False: the sink has not taken what it was given, or the flow has ended. */
static bool move_flush(struct shard_flow *shard)
{
	struct flow *flow = shard->flow;
	struct direction *d = &flow->down;

	if (!relay_send(flow, d))
		return false;
	if (direction_drained(d)) {
		move_client(shard, SHARD_CLIENT_TAKES);
		return true;
	}
	/* shard_sink_sent() goes on. */
	if (d->sink_full)
		move_client(shard, SHARD_CLIENT_FULL);
	else
		ring_hurry(&flow->worker->ring);
	return false;
}

/* The last bytes stay here until the whole is what it was said to be. */
static bool move_verify(struct shard_flow *shard, const void *bytes, uint32_t n)
{
	struct digest *digest = http_of(shard->flow)->digest;

	if (!shard->order.digested)
		return true;
	digest_add(digest, bytes, n);
	if (!shard_plan_done(&shard->plan) ||
	    digest_matches(digest, shard->order.digest))
		return true;
	shard_give_up(shard, BR_E_DIGEST);
	return false;
}

static enum move move_by_copy(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;
	struct flow *flow = shard->flow;
	struct direction *d = &flow->down;
	const char *bytes = flow->worker->bulk;
	uint32_t asked = move_most(conn, COPY_BYTES);
	int64_t n = sock_receive(conn->fd, flow->worker->bulk, asked);
	bool done, good;

	if (n <= 0)
		return move_none(conn, n);
	done = move_take(conn, bytes, (uint32_t)n);
	if (!move_verify(shard, bytes, (uint32_t)n))
		return MOVE_WAITS;
	good = tls_sink(flow, d) ? tls_seal(flow, d, bytes, (size_t)n)
				 : relay_hand(flow, d, bytes, (uint32_t)n);
	if (!good || !move_flush(shard))
		return MOVE_WAITS;
	return done ? MOVE_DONE : MOVE_ON;
}

/* -- the lane whose turn it is ----------------------------------------- */

bool shard_moved_all(const struct shard_flow *shard)
{
	return (!shard->pipe || !shard->pipe->bytes) &&
	       direction_drained(&shard->flow->down);
}

static bool move_clear(struct shard_flow *shard)
{
	return shard->pipe ? move_drain(shard) : move_flush(shard);
}

static struct shard_conn *move_conn(const struct shard_flow *shard)
{
	int lane = shard_plan_turn(&shard->plan);

	return lane < 0 ? NULL : shard->lanes[lane];
}

bool shard_move(struct shard_flow *shard)
{
	if (shard->sink_full || !move_clear(shard))
		return false;
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		struct shard_conn *conn = move_conn(shard);
		enum move outcome;

		if (!conn || conn->step != SHARD_BODY || !move_left(conn)) {
			if (!shard_plan_done(&shard->plan))
				move_client(shard, SHARD_CLIENT_WAITS);
			return false;
		}
		outcome = shard->pipe ? move_by_pipe(conn) : move_by_copy(conn);
		if (shard->over || outcome == MOVE_WAITS)
			return false;
		if (outcome == MOVE_DONE)
			return true;
	}
	/* The rest is for the next turn: it is told at once. */
	if (move_conn(shard))
		shard_conn_wait(move_conn(shard));
	return false;
}
