/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_conn.h"

#include "base/assert.h"
#include "fleet/outlier.h"
#include "io/http1_edit.h"
#include "io/sock.h"
#include "lb/flow_steps.h"
#include "lb/http_flow.h"
#include "lb/proxy_out.h"
#include "lb/shard_engine.h"
#include "lb/shard_room.h"
#include "lb/upstream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum conn_tag { CONN_CONNECT, CONN_READ, CONN_WATCH, CONN_WRITE };

/* Heads before the final one (RFC 9110 15.2) in a row. */
#define INTERIM_MAX 8

static void conn_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class conn_class = {
    .magic = SHARD_CONN_MAGIC,
    .name = "shard connection",
    .on_complete = conn_on_complete,
};

/* -- lifetime ---------------------------------------------------------- */

static struct shard_conn *conn_new(struct shard_flow *shard)
{
	struct worker *worker = shard->flow->worker;
	struct shard_conn *conn = slab_new(&worker->shard_conn_slab);

	if (!conn)
		return NULL;
	memset(conn, 0, sizeof *conn);
	conn->op.magic = SHARD_CONN_MAGIC;
	conn->op.class = &conn_class;
	conn->worker = worker;
	conn->upstream = shard->flow->upstream;
	conn->shard = shard;
	conn->fd = -1;
	conn->lane = SHARD_LANE_NOT;
	conn->opened_ns = worker_now(worker).ns;
	upstream_pin(conn->upstream, worker);
	list_push_back(&shard->conns, &conn->link);
	shard->n_conns++;
	return conn;
}

static void conn_free(struct shard_conn *conn)
{
	struct worker *worker = conn->worker;

	br_assert(!conn->op.in_flight && !conn->shard);
	if (conn->fd >= 0)
		ring_close(&worker->ring, conn->fd);
	if (conn->kernel_bytes)
		shard_room_give_kernel(worker, conn->kernel_bytes);
	if (!conn->own)
		shard_room_give_connection(worker);
	if (conn->server)
		upstream_release(conn->upstream, worker, conn->server);
	upstream_unpin(conn->upstream, worker);
	conn->op.magic = 0;
	slab_free(&worker->shard_conn_slab, conn);
}

static void conn_leave(struct shard_conn *conn)
{
	struct shard_flow *shard = conn->shard;

	list_remove(&conn->link);
	shard->n_conns--;
	if (conn->step == SHARD_CONNECTING)
		shard->n_connecting--;
	if (conn->lane != SHARD_LANE_NOT)
		shard->lanes[conn->lane] = NULL;
	shard->kernel_bytes -= conn->kernel_bytes;
	conn->shard = NULL;
}

void shard_conn_drop(struct shard_conn *conn)
{
	conn_leave(conn);
	if (!conn->op.in_flight) {
		if (!conn->held)
			conn_free(conn);
		return;
	}
	ring_cancel_fd(&conn->worker->ring, conn->fd);
	ring_hurry(&conn->worker->ring);
}

bool shard_conn_give_back(struct shard_conn *conn)
{
	struct flow *flow = conn->shard->flow;

	br_assert(conn->step == SHARD_IDLE);
	if (conn->op.in_flight) {
		ring_cancel_fd(&conn->worker->ring, conn->fd);
		ring_hurry(&conn->worker->ring);
		return false;
	}
	br_assert(flow->server_fd < 0 && !flow->server);
	flow->server_fd = conn->fd;
	flow->server = flow->last_server = conn->server;
	/* It is another socket than the one that had it. */
	flow->up.nodelay_set = false;
	conn->fd = -1;
	conn->server = NULL;
	conn_leave(conn);
	if (!conn->held)
		conn_free(conn);
	return true;
}

/* -- opening ----------------------------------------------------------- */

static bool conn_count_kernel(struct shard_conn *conn)
{
	uint32_t granted = sock_receive_room(conn->fd);

	if (!shard_room_take_kernel(conn->worker, granted))
		return false;
	conn->kernel_bytes = granted;
	conn->shard->kernel_bytes += granted;
	return true;
}

struct shard_conn *shard_conn_adopt(struct shard_flow *shard)
{
	struct flow *flow = shard->flow;
	struct shard_conn *conn = conn_new(shard);

	if (!conn)
		return NULL;
	conn->own = true;
	conn->fd = flow->server_fd;
	conn->server = flow->server;
	flow->server_fd = -1;
	flow->server = NULL;
	conn->requests = 1;
	conn->server_closes = shard->order.close;
	conn->asked_from = shard->order.first;
	conn->asked_to = shard->order.home_to;
	if (conn->asked_to > conn->asked_from)
		conn->body_left = conn->asked_to - conn->asked_from;
	conn->step = conn->body_left ? SHARD_BODY : SHARD_IDLE;
	/* It is there already, with whatever it takes. */
	(void)conn_count_kernel(conn);
	return conn;
}

/* Twice a piece: one that waits, and what is under way of the next. */
static void conn_ask_room(struct shard_conn *conn)
{
	uint64_t piece = conn->shard->plan.piece_max;

	if (!addr_is_unix(&conn->server->addr))
		(void)sock_set_receive_room(conn->fd, (uint32_t)(2 * piece));
}

/* Whether one takes the place of home, which is gone: limits are for what a
 * download has beside the connection that each flow has. */
static bool conn_may_own(const struct shard_flow *shard)
{
	LIST_FOREACH (node, &shard->conns) {
		if (br_container_of(node, struct shard_conn, link)->own)
			return false;
	}
	return true;
}

static struct shard_conn *conn_take_room(struct shard_flow *shard)
{
	struct worker *worker = shard->flow->worker;
	bool own = conn_may_own(shard);
	struct shard_conn *conn;

	if (!own && !shard_room_take_connection(worker))
		return NULL;
	conn = conn_new(shard);
	if (conn)
		conn->own = own;
	else if (!own)
		shard_room_give_connection(worker);
	return conn;
}

int shard_conn_open(struct shard_flow *shard, struct server *server)
{
	struct worker *worker = shard->flow->worker;
	struct upstream *upstream = shard->flow->upstream;
	struct shard_conn *conn = conn_take_room(shard);
	int fd;

	if (!conn) {
		upstream_release(upstream, worker, server);
		return BR_E_LIMIT;
	}
	conn->server = server;
	shard->n_connecting++;
	counter_inc(&worker->metrics->connects);
	fd = flow_open_server(shard->flow, server);
	if (fd < 0) {
		shard_conn_drop(conn);
		return fd;
	}
	conn->fd = fd;
	conn_ask_room(conn);
	if (!conn_count_kernel(conn) && !conn->own) {
		shard_conn_drop(conn);
		return BR_E_LIMIT;
	}
	conn->connect_by_ns =
	    conn->opened_ns +
	    (int64_t)upstream->pool->connect_timeout_ms * NS_PER_MS;
	ring_connect(&worker->ring, &conn->op, CONN_CONNECT, fd,
	    &server->addr.sa, server->addr.length);
	return 0;
}

static void conn_connected(struct shard_conn *conn, int32_t res)
{
	struct worker *worker = conn->worker;
	struct server_metrics *metrics =
	    &conn->server->row->metrics[worker->index];

	if (!res) {
		conn->shard->n_connecting--;
		conn->step = SHARD_IDLE;
		shard_lane_opened(conn);
		return;
	}
	if (flow_is_local_error(res)) {
		counter_inc(&worker->metrics->connect_shortages);
	} else {
		counter_inc(&worker->metrics->connect_errors);
		counter_inc(res == -ETIMEDOUT || res == -ECANCELED
				? &metrics->connect_timeouts
				: &metrics->connect_errors);
		counter_inc(&metrics->failures);
		outlier_failed(conn->upstream->pool, conn->server->row, res);
	}
	shard_lane_failed(conn, SHARD_CAUSE_dead);
}

/* -- asking ------------------------------------------------------------ */

static bool conn_build_request(
    const struct shard_conn *conn, struct cursor_out *out)
{
	const struct shard_flow *shard = conn->shard;
	const struct shard_order *order = &shard->order;
	const struct http_flow *http = http_of(shard->flow);
	const struct http1_piece piece = {
	    .first = conn->asked_from,
	    .last = conn->asked_to - 1,
	    .validator = order->validator,
	    .validator_bytes = order->validator_bytes,
	};

	if (conn->requests == 1 && conn->upstream->pool->proxy_out) {
		uint8_t header[PROXY_V2_BYTES_MAX];
		uint32_t n = proxy_out_build(shard->flow, header);

		cursor_put(out, header, n);
	}
	return http1_edit_request(&http->request, http->bytes, &piece, out);
}

/* Made anew for each try, so that nothing of it has to be kept; nearly always
 * it goes out in one. */
static void conn_write(struct shard_conn *conn)
{
	struct worker *worker = conn->worker;
	struct cursor_out out =
	    cursor_out_of(worker->scratch, WORKER_SCRATCH_BYTES);
	struct iovec part;
	int64_t sent;

	if (!conn_build_request(conn, &out)) {
		shard_give_up(conn->shard, -ENOBUFS);
		return;
	}
	part.iov_base = out.base + conn->request_sent;
	part.iov_len = cursor_out_length(&out) - conn->request_sent;
	sent = sock_send_vector(conn->fd, &part, 1, false);
	if (sent < 0 && sent != -EAGAIN) {
		shard_lane_failed(conn, SHARD_CAUSE_dead);
		return;
	}
	if (sent > 0)
		conn->request_sent += (uint32_t)sent;
	if (sent == (int64_t)part.iov_len) {
		counter_add(&conn->server->row->metrics[worker->index].bytes_to,
		    conn->request_sent);
		conn->step = SHARD_ASKED;
		shard_conn_wait(conn);
		return;
	}
	conn->writing = true;
	ring_poll(&worker->ring, &conn->op, CONN_WRITE, conn->fd, POLLOUT);
}

void shard_conn_ask(struct shard_conn *conn, struct shard_range piece)
{
	br_assert(conn->step == SHARD_IDLE && !conn->body_left);
	conn->step = SHARD_ASKING;
	conn->requests++;
	conn->request_sent = 0;
	conn->asked_from = piece.from;
	conn->asked_to = piece.to;
	conn->seen = piece.from;
	conn->seen_ns = worker_now(conn->worker).ns;
	conn->window_ns = 0;
	if (!conn->watching) {
		conn->watching = true;
		ring_poll(
		    &conn->worker->ring, &conn->op, CONN_WATCH, conn->fd, 0);
	}
	conn_write(conn);
}

/* -- reading ----------------------------------------------------------- */

void shard_conn_wait(struct shard_conn *conn)
{
	if (conn->reading)
		return;
	conn->reading = true;
	ring_poll(&conn->worker->ring, &conn->op, CONN_READ, conn->fd,
	    POLLIN | POLLRDHUP);
}

uint64_t shard_conn_waiting(const struct shard_conn *conn)
{
	uint64_t n;

	if (conn->step != SHARD_BODY)
		return 0;
	n = sock_waiting(conn->fd);
	return n < conn->body_left ? n : conn->body_left;
}

static void conn_judge(struct shard_conn *conn, const struct http1_head *head)
{
	struct shard_flow *shard = conn->shard;
	struct shard_lane *lane = &shard->plan.lanes[conn->lane];
	uint64_t to;

	switch (shard_judge_piece(&shard->order, conn->asked_from,
	    conn->asked_to, head, conn->worker->scratch, &to)) {
	case SHARD_PIECE_GOOD:
		break;
	case SHARD_PIECE_REFUSED:
		shard_lane_failed(conn, SHARD_CAUSE_refused);
		return;
	case SHARD_PIECE_OTHER:
		shard_lane_failed(conn, SHARD_CAUSE_entity);
		return;
	}
	outlier_answered(conn->server->row);
	shard->proven = true;
	conn->step = SHARD_BODY;
	conn->body_left = head->content_length;
	conn->server_closes = head->shapes & HTTP1_CLOSE;
	if (to < lane->to)
		shard_plan_shorten(&shard->plan, conn->lane, to, false);
}

/* So many bytes that are there, to where they have been looked at. */
static bool conn_take(const struct shard_conn *conn, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes;) {
		int64_t n = sock_receive(
		    conn->fd, conn->worker->scratch + at, bytes - at);

		if (n <= 0)
			return false;
		at += (uint32_t)n;
	}
	return true;
}

/* One head, if it is whole: taken, and in the worker's scratch. */
static bool conn_take_head(struct shard_conn *conn, struct http1_head *ret)
{
	char *scratch = conn->worker->scratch;
	int64_t n = sock_look(conn->fd, scratch, SHARD_HEAD_MAX);
	enum http1_result result;

	if (n == -EAGAIN || n == -EINTR) {
		shard_conn_wait(conn);
		return false;
	}
	if (n <= 0) {
		shard_lane_failed(conn, SHARD_CAUSE_dead);
		return false;
	}
	http1_head_start(ret, true);
	result = http1_head_read(ret, scratch, (size_t)n);
	if (result == HTTP1_DONE && conn_take(conn, ret->bytes))
		return true;
	if (result == HTTP1_MALFORMED ||
	    (result == HTTP1_MORE && n == SHARD_HEAD_MAX))
		shard_lane_failed(conn, SHARD_CAUSE_entity);
	else if (result == HTTP1_DONE || conn->ended)
		shard_lane_failed(conn, SHARD_CAUSE_dead);
	else
		/* Readiness would be told again and again. */
		conn->look_later = true;
	return false;
}

static void conn_read_head(struct shard_conn *conn)
{
	struct http1_head head;

	for (unsigned i = 0; i < INTERIM_MAX; i++) {
		if (!conn_take_head(conn, &head))
			return;
		if (head.status >= 200 || head.status == 101) {
			conn_judge(conn, &head);
			return;
		}
	}
	shard_lane_failed(conn, SHARD_CAUSE_entity);
}

void shard_conn_look(struct shard_conn *conn)
{
	if (!conn->look_later)
		return;
	conn->look_later = false;
	conn_read_head(conn);
}

/* The server has ended or reset the connection. What came before is still
 * there; whether it is all, its count says. */
static void conn_ended(struct shard_conn *conn)
{
	conn->ended = true;
	if (conn->step == SHARD_ASKED)
		conn_read_head(conn);
	else if (conn->step == SHARD_ASKING)
		shard_lane_failed(conn, SHARD_CAUSE_dead);
	/* The above may have given it up. */
	if (conn->shard && conn->step == SHARD_BODY &&
	    shard_conn_waiting(conn) < conn->body_left)
		shard_lane_failed(conn, SHARD_CAUSE_dead);
}

static void conn_on_event(
    struct shard_conn *conn, enum conn_tag tag, int32_t res)
{
	switch (tag) {
	case CONN_CONNECT:
		conn_connected(conn, res);
		break;
	case CONN_READ:
		conn->reading = false;
		if (conn->step == SHARD_ASKED)
			conn_read_head(conn);
		break;
	case CONN_WATCH:
		conn->watching = false;
		if (res > 0)
			conn_ended(conn);
		break;
	case CONN_WRITE:
		conn->writing = false;
		if (conn->step == SHARD_ASKING)
			conn_write(conn);
		break;
	}
}

static void conn_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct shard_conn *conn = br_container_of(owner, struct shard_conn, op);
	struct shard_flow *shard = conn->shard;

	conn->held = true;
	if (shard) {
		conn_on_event(conn, (enum conn_tag)tag, result.res);
		shard_run(shard);
	}
	conn->held = false;
	if (!conn->shard && !conn->op.in_flight)
		conn_free(conn);
}
