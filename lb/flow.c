/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow.h"

#include "base/assert.h"
#include "fleet/outlier.h"
#include "io/sock.h"
#include "lb/flow_log.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/front.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/proxy_out.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* How much later than it could a server may hear of a connection whose client
 * was expected to speak at once but does not. */
#define FLOW_ACK_WAIT_MS 10
/* How often is looked whether the rest of an answer has arrived. */
#define FLOW_UNSENT_LOOK_MS 10
/* Before a server that has just failed is tried again. */
#define FLOW_RETRY_PAUSE_MS 100

static void flow_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

const struct op_class flow_class = {
    .magic = FLOW_MAGIC,
    .name = "flow",
    .on_complete = flow_on_complete,
};

static struct server_metrics *flow_server_metrics(const struct flow *flow)
{
	return &flow->server->row->metrics[flow->worker->index];
}

static void flow_arm_ms(struct flow *flow, uint64_t ms)
{
	struct worker *worker = flow->worker;

	timer_arm(&worker->wheel, &flow->timer,
	    mono_add_ms(worker_now(worker), (int64_t)ms));
}

static void flow_on_timer(struct timer *timer, struct mono now)
{
	struct flow *flow = br_container_of(timer, struct flow, timer);

	(void)now;
	br_assert(flow->op.magic == FLOW_MAGIC);
	br_assert(flow_states[flow->state].on_timer);
	flow_states[flow->state].on_timer(flow);
}

/* The server failed this flow, which outlier detection wants to know. */
static void flow_blame_server(const struct flow *flow, int error)
{
	counter_inc(&flow_server_metrics(flow)->failures);
	outlier_failed(flow->upstream->pool, flow->server->row, error);
}

/* -- accepted ---------------------------------------------------------- */

void flow_client_set(struct flow_client *ret, const struct addr *addr)
{
	ret->family = (uint8_t)addr->sa.sa_family;
	ret->port = addr_port(addr);
	if (addr->sa.sa_family == AF_INET)
		memcpy(ret->ip, &addr->in.sin_addr, 4);
	else if (addr->sa.sa_family == AF_INET6)
		memcpy(ret->ip, &addr->in6.sin6_addr, 16);
}

void flow_client_addr(const struct flow_client *client, struct addr *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->sa.sa_family = client->family;
	switch (client->family) {
	case AF_INET:
		memcpy(&ret->in.sin_addr, client->ip, 4);
		ret->in.sin_port = htons(client->port);
		ret->length = sizeof ret->in;
		break;
	case AF_INET6:
		memcpy(&ret->in6.sin6_addr, client->ip, 16);
		ret->in6.sin6_port = htons(client->port);
		ret->length = sizeof ret->in6;
		break;
	case AF_UNIX:
		ret->length = sizeof ret->sa.sa_family;
		break;
	default:
		break;
	}
}

/* The address is asked for now because a reset connection has none. */
static void flow_note_client(struct flow *flow)
{
	struct addr addr;

	if (!sock_peer(flow->client_fd, &addr))
		flow_client_set(&flow->client, &addr);
}

int flow_accept(struct worker *worker, struct listener *listener, int client_fd)
{
	struct flow *flow = slab_new(&worker->flow_slab);

	if (!flow)
		return -ENOMEM;
	memset(flow, 0, sizeof *flow);
	flow->op.magic = FLOW_MAGIC;
	flow->op.class = &flow_class;
	timer_init(&flow->timer, flow_on_timer);
	list_node_init(&flow->link);
	list_node_init(&flow->queue_link);
	direction_init(&flow->up, true);
	direction_init(&flow->down, false);
	flow->worker = worker;
	flow->listener = listener;
	if (listener->fronted && !side_new(flow)) {
		slab_free(&worker->flow_slab, flow);
		return -ENOMEM;
	}
	flow->id = worker->next_flow_id;
	worker->next_flow_id += worker->shared->limits.n_workers;
	flow->client_fd = client_fd;
	flow->server_fd = -1;
	flow->accepted_at = flow->active_at = worker_now(worker);
	if (listener->needs_client ||
	    atomic_load_explicit(
		&worker->shared->log_access, memory_order_relaxed))
		flow_note_client(flow);
	listener_pin(listener, worker);
	list_push_back(&worker->flows, &flow->link);
	counter_inc(&worker->metrics->flows_started);
	counter_inc(&worker->metrics->flows_open);
	if (listener->fronted) {
		front_begin(flow);
		return 0;
	}
	flow_route(flow, listener->upstream);
	flow_enter(flow, FLOW_CHOOSING);
	return 0;
}

void flow_route(struct flow *flow, struct upstream *upstream)
{
	flow->upstream = upstream;
	upstream_pin(upstream, flow->worker);
}

/* -- choosing and queueing --------------------------------------------- */

static void flow_take_server(struct flow *flow, struct server *server)
{
	struct worker *worker = flow->worker;

	flow->server = flow->last_server = server;
	if (!flow->chosen_at.ns)
		flow->chosen_at = worker_now(worker);
	flow_enter(flow, FLOW_CONNECTING);
}

void flow_choose(struct flow *flow)
{
	struct upstream *upstream = flow->upstream;
	const struct upstream_worker *mine =
	    &upstream->workers[flow->worker->index];
	struct server *server;
	int err = BR_E_LIMIT;

	/* Nobody overtakes those who wait. */
	if (upstream_wants_client(upstream) && !flow->client.family)
		flow_note_client(flow);
	if (!mine->queued)
		err = upstream_choose(upstream, flow->worker, &flow->client,
		    flow->tried, flow->n_tried, &server);
	if (!err) {
		flow_take_server(flow, server);
		return;
	}
	flow->error = err;
	if (flow->n_tried)
		flow_enter(flow, FLOW_RETRY_WAIT);
	else
		flow_enter(flow, FLOW_QUEUED);
}

void flow_queue(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct upstream *upstream = flow->upstream;

	if (upstream_enqueue(upstream, worker, flow)) {
		bool none = flow->error == BR_E_NO_SERVER;

		counter_inc(none ? &worker->metrics->no_server
				 : &worker->metrics->queue_refused);
		flow_fail(flow, none ? 'S' : 'P', none ? 'C' : 'Q',
		    none ? BR_E_NO_SERVER : BR_E_QUEUE_FULL);
		return;
	}
	counter_inc(&worker->metrics->queued);
	/* Only a reset is watched for: a client that has ended its sending
	 * side may well wait for an answer. The watch stays armed after it has
	 * told of that end. */
	ring_poll_many(
	    &worker->ring, &flow->op, FLOW_TAG_WATCH, flow->client_fd, 0);
	flow_arm_ms(flow, upstream->pool->queue_timeout_ms);
	/* A slot may have come free between our look and our queueing. */
	upstream_wake(upstream, worker);
}

void flow_dequeued(struct flow *flow, struct server *server)
{
	struct worker *worker = flow->worker;

	br_assert(flow->state == FLOW_QUEUED);
	timer_disarm(&worker->wheel, &flow->timer);
	ring_cancel(&worker->ring, &flow->op, FLOW_TAG_WATCH);
	flow->error = 0;
	flow_take_server(flow, server);
}

void flow_queue_timed_out(struct flow *flow)
{
	counter_inc(&flow->worker->metrics->queue_timeouts);
	flow_fail(flow, 's', 'Q', -ETIMEDOUT);
}

void flow_wait_to_retry(struct flow *flow)
{
	flow->n_tried = 0;
	flow_arm_ms(flow, FLOW_RETRY_PAUSE_MS);
}

void flow_retry(struct flow *flow)
{
	flow_enter(flow, FLOW_CHOOSING);
}

/* -- connecting -------------------------------------------------------- */

static void flow_release_server(struct flow *flow)
{
	struct server *server = flow->server;

	flow->server = NULL;
	if (server)
		upstream_release(flow->upstream, flow->worker, server);
}

static bool flow_is_local_error(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM ||
	       error == -ENOBUFS || error == -EADDRNOTAVAIL;
}

static char flow_connect_end(int error)
{
	if (flow_is_local_error(error))
		return 'R';
	return error == -ETIMEDOUT ? 's' : 'S';
}

static void flow_count_connect_error(struct flow *flow, int error)
{
	struct server_metrics *metrics = flow_server_metrics(flow);

	/* What we lack ourselves says nothing about the server. */
	if (flow_is_local_error(error)) {
		counter_inc(&flow->worker->metrics->connect_shortages);
		return;
	}
	counter_inc(&flow->worker->metrics->connect_errors);
	counter_inc(error == -ETIMEDOUT ? &metrics->connect_timeouts
					: &metrics->connect_errors);
}

/* No client byte has gone out: another server may serve this flow. */
void flow_server_failed(struct flow *flow, int error)
{
	struct worker *worker = flow->worker;

	flow_count_connect_error(flow, error);
	if (!flow_is_local_error(error))
		flow_blame_server(flow, error);
	timer_disarm(&worker->wheel, &flow->timer);
	if (flow->server_fd >= 0)
		ring_close(&worker->ring, flow->server_fd);
	flow->server_fd = -1;
	if (flow->retries >= flow->upstream->pool->connect_retries) {
		flow_fail(flow, flow_connect_end(error), 'C', error);
		return;
	}
	counter_inc(&worker->metrics->retries);
	if (!flow_is_local_error(error))
		counter_inc(&flow_server_metrics(flow)->retries);
	flow->retries++;
	if (flow->n_tried < UPSTREAM_TRIED_MAX)
		flow->tried[flow->n_tried++] = flow->server->index;
	if (flow->n_failed < flow->n_tried)
		flow->n_failed = flow->n_tried & 15u;
	flow_release_server(flow);
	/* What we lack ourselves, another server does not give us. */
	flow_enter(
	    flow, flow_is_local_error(error) ? FLOW_RETRY_WAIT : FLOW_CHOOSING);
}

void flow_note_first(struct flow *flow, bool client)
{
	struct upstream_worker *mine =
	    &flow->upstream->workers[flow->worker->index];

	if (!client)
		mine->client_first = 0;
	else if (mine->client_first < UPSTREAM_CLIENT_FIRST)
		mine->client_first++;
}

void flow_send_ack(struct flow *flow)
{
	flow->ack_waits = false;
	(void)sock_ack_now(flow->server_fd);
}

/* Where clients have spoken first for long, the handshake's last packet goes
 * with the request: one packet and one wake-up of the server less. A server
 * that is to speak first must not wait for it. */
static bool flow_delay_ack(const struct flow *flow)
{
	const struct upstream_worker *mine =
	    &flow->upstream->workers[flow->worker->index];

	return mine->client_first == UPSTREAM_CLIENT_FIRST &&
	       !addr_is_unix(&flow->server->addr) &&
	       !sock_delay_ack(flow->server_fd);
}

void flow_connect(struct flow *flow)
{
	struct worker *worker = flow->worker;
	const struct pool *pool = flow->upstream->pool;
	const struct server *server = flow->server;
	int fd = sock_stream(&server->addr, &pool->source);

	counter_inc(&worker->metrics->connects);
	flow->error = 0;
	if (fd < 0) {
		flow_server_failed(flow, fd);
		return;
	}
	flow->server_fd = fd;
	flow->ack_waits = flow_delay_ack(flow);
	ring_connect(&worker->ring, &flow->op, FLOW_TAG_CONNECT, fd,
	    &server->addr.sa, server->addr.length);
	flow_arm_ms(flow, pool->connect_timeout_ms);
}

/* The verdict comes with the completion; it may still be a success. */
void flow_connect_timed_out(struct flow *flow)
{
	flow->error = -ETIMEDOUT;
	ring_cancel(&flow->worker->ring, &flow->op, FLOW_TAG_CONNECT);
}

static void flow_on_connected(struct flow *flow, int32_t res)
{
	const struct upstream *upstream = flow->upstream;

	if (res) {
		flow_server_failed(flow, flow->error ? flow->error : res);
		return;
	}
	if (upstream->pool->proxy_out && !proxy_out_say(flow))
		return;
	if (!upstream->tls)
		flow_enter(flow, FLOW_ESTABLISHED);
	else if (side_new(flow))
		flow_enter(flow, FLOW_TLS_CONNECT);
	else
		flow_fail_now(flow, 'R', -ENOMEM);
}

/* -- established ------------------------------------------------------- */

/* What was read before there was a server is the first that it gets. */
static bool flow_hand_first(struct flow *flow)
{
	struct side *side = flow->side;
	struct direction *d = &flow->up;
	const struct first *first = side->first;
	const uint8_t *bytes;
	uint32_t n;
	bool good;

	if (!first)
		return true;
	bytes = first->bytes + first->start;
	n = first->end - first->start;
	direction_count(flow, d, n);
	good = tls_sink(flow, d) ? tls_seal(flow, d, bytes, n)
				 : relay_park(flow, d, bytes, n);
	if (good)
		side_drop_first(flow);
	return good;
}

static void flow_start_directions(struct flow *flow)
{
	const struct side *side = flow->side;

	if (side) {
		flow->up.tls = flow->down.tls =
		    side->client_tls || side->server_tls;
		if (!flow_hand_first(flow))
			return;
	}
	direction_start(flow, &flow->up);
	if (flow->state == FLOW_ESTABLISHED)
		direction_start(flow, &flow->down);
}

void flow_establish(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct mono now = worker_now(worker);

	flow->error = 0;
	flow->connected_at = flow->active_at = now;
	counter_inc(&flow_server_metrics(flow)->flows);
	histogram_add_ns(&worker->metrics->queue_time,
	    mono_diff_ns(flow->chosen_at, flow->accepted_at));
	histogram_add_ns(
	    &worker->metrics->connect_time, mono_diff_ns(now, flow->chosen_at));
	flow_arm_ms(flow, flow->listener->idle_ms);
	if (flow->ack_waits)
		flow_review_by(flow, mono_add_ms(now, FLOW_ACK_WAIT_MS));
	flow_start_directions(flow);
}

void flow_review_by(struct flow *flow, struct mono deadline)
{
	if (!timer_armed(&flow->timer) ||
	    deadline.ns / TIMER_TICK_NS < flow->timer.deadline_tick)
		timer_arm(&flow->worker->wheel, &flow->timer, deadline);
}

static uint64_t flow_idle_limit_ms(const struct flow *flow)
{
	const struct listener *listener = flow->listener;
	bool half = flow->up.fin_passed || flow->down.fin_passed;

	if (half && listener->half_closed_ms < listener->idle_ms)
		return listener->half_closed_ms;
	return listener->idle_ms;
}

/* Whose turn it was: a side that does not take what we hold for it, else the
 * server that owes its first answer, else the client. */
static char flow_idle_culprit(const struct flow *flow)
{
	if (!direction_drained(&flow->down))
		return 'c';
	if (!direction_drained(&flow->up))
		return 's';
	return flow->up.bytes && !flow->down.bytes ? 's' : 'c';
}

/* The whole answer of a broken server went out: a reset would take back what
 * the client has not acknowledged, so it waits for that. */
static void flow_end_broken(struct flow *flow)
{
	struct worker *worker = flow->worker;

	if (sock_unsent(flow->client_fd) && !sock_has_error(flow->client_fd))
		flow_review_by(
		    flow, mono_add_ms(worker_now(worker), FLOW_UNSENT_LOOK_MS));
	else
		flow_fail(flow, 'S', 'D', flow->error);
}

/* The timer is armed for the earliest possible deadline and looks again, so
 * that traffic costs one assignment and no timer work. */
void flow_review(struct flow *flow)
{
	struct mono now = worker_now(flow->worker);
	struct mono due =
	    mono_add_ms(flow->active_at, (int64_t)flow_idle_limit_ms(flow));
	int64_t up, down;

	if (flow->ack_waits)
		flow_send_ack(flow);
	if (flow->server_broken && flow->down.fin_passed) {
		flow_end_broken(flow);
		if (flow->state == FLOW_CLOSING || now.ns < due.ns)
			return;
	}
	if (now.ns >= due.ns) {
		counter_inc(&flow->worker->metrics->idle_timeouts);
		flow_fail(flow, flow_idle_culprit(flow), 'D', -ETIMEDOUT);
		return;
	}
	up = direction_review(flow, &flow->up);
	down = direction_review(flow, &flow->down);
	if (up < due.ns)
		due.ns = up;
	if (down < due.ns)
		due.ns = down;
	timer_arm(&flow->worker->wheel, &flow->timer, due);
}

void flow_server_broke(struct flow *flow, int error)
{
	if (flow->server_broken)
		return;
	flow->server_broken = true;
	flow->error = error;
	direction_abandon(flow, &flow->up);
	if (flow->down.fin_passed)
		flow_end_broken(flow);
}

void flow_direction_done(struct flow *flow)
{
	struct worker *worker = flow->worker;

	if (flow->server_broken) {
		flow_end_broken(flow);
		return;
	}
	if (flow->up.fin_passed && flow->down.fin_passed) {
		outlier_answered(flow->server->row);
		flow->end_by = flow->end_phase = '-';
		flow_enter(flow, FLOW_CLOSING);
		return;
	}
	flow_review_by(flow,
	    mono_add_ms(worker_now(worker), (int64_t)flow_idle_limit_ms(flow)));
}

void flow_count_bytes(struct flow *flow, bool up, uint32_t n)
{
	uint32_t worker = flow->worker->index;
	struct listener_metrics *listener =
	    &flow->listener->row->metrics[worker];
	struct server_metrics *server = &flow->server->row->metrics[worker];

	counter_add(up ? &listener->bytes_in : &listener->bytes_out, n);
	counter_add(up ? &server->bytes_to : &server->bytes_from, n);
}

/* -- the end ----------------------------------------------------------- */

void flow_fail(struct flow *flow, char by, char phase, int error)
{
	struct worker *worker = flow->worker;

	if (flow->state == FLOW_CLOSING)
		return;
	if (flow->state == FLOW_QUEUED && list_linked(&flow->queue_link))
		upstream_dequeue(flow->upstream, worker, flow);
	else if (flow->state == FLOW_TLS_ACCEPT)
		list_remove(&flow->queue_link); /* of worker.shaking */
	flow->end_by = by;
	flow->end_phase = phase;
	flow->error = error;
	flow->reset_client = flow->reset_server = true;
	if (phase == 'D' && (by == 'C' || by == 'S'))
		counter_inc(&worker->metrics->resets_passed);
	if (phase == 'D' && by == 'S')
		counter_inc(&flow_server_metrics(flow)->resets);
	/* What comes after the answer has begun may be the client's doing. */
	if (phase == 'D' && (by == 's' || (by == 'S' && !flow->down.bytes)))
		flow_blame_server(flow, error);
	flow_enter(flow, FLOW_CLOSING);
}

void flow_kill(struct flow *flow, int error)
{
	flow_fail_now(flow, 'K', error);
}

void flow_fail_now(struct flow *flow, char by, int error)
{
	flow_fail(flow, by, flow_states[flow->state].phase, error);
}

static void flow_when_quiet(struct flow *flow)
{
	if (!flow->op.in_flight && !list_linked(&flow->queue_link))
		list_push_back(&flow->worker->closing, &flow->queue_link);
}

void flow_close(struct flow *flow)
{
	struct worker *worker = flow->worker;

	timer_disarm(&worker->wheel, &flow->timer);
	list_remove(&flow->up.wait_link);
	list_remove(&flow->down.wait_link);
	if (flow->op.in_flight) {
		ring_cancel_fd(&worker->ring, flow->client_fd);
		if (flow->server_fd >= 0)
			ring_cancel_fd(&worker->ring, flow->server_fd);
		/* Inline sends report success only at the end of a turn. */
		ring_hurry(&worker->ring);
	}
	flow_when_quiet(flow);
}

static void flow_close_fd(struct worker *worker, int fd, bool reset)
{
	if (fd < 0)
		return;
	if (reset)
		(void)sock_set_reset_on_close(fd);
	ring_close(&worker->ring, fd);
}

static void flow_account(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct listener_metrics *listener =
	    &flow->listener->row->metrics[worker->index];
	struct flow_record record;

	counter_inc(&listener->closed);
	histogram_add_ns(&worker->metrics->flow_time,
	    mono_diff_ns(worker_now(worker), flow->accepted_at));
	if (!atomic_load_explicit(
		&worker->shared->log_access, memory_order_relaxed))
		return;
	flow_record_fill(&record, flow);
	if (!flow_log_put(worker->log, &record))
		counter_inc(&worker->metrics->log_dropped);
}

void flow_finish(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct listener *listener = flow->listener;
	struct upstream *upstream = flow->upstream;

	br_assert(flow->state == FLOW_CLOSING && !flow->op.in_flight);
	direction_release(flow, &flow->up);
	direction_release(flow, &flow->down);
	flow_account(flow);
	side_free(flow);
	flow_close_fd(worker, flow->client_fd, flow->reset_client);
	flow_close_fd(worker, flow->server_fd, flow->reset_server);
	flow_release_server(flow);
	list_remove(&flow->link);
	flow->op.magic = 0;
	slab_free(&worker->flow_slab, flow);
	shared_give(&worker->shared->connections);
	shared_give(&listener->row->connections);
	counter_inc(&worker->metrics->flows_ended);
	counter_sub(&worker->metrics->flows_open, 1);
	listener_unpin(listener, worker);
	if (upstream)
		upstream_unpin(upstream, worker);
	acceptor_slot_freed(worker);
}

/* -- completions ------------------------------------------------------- */

static void flow_on_closing(struct flow *flow, struct op_result result)
{
	if (result.flags & OP_BUFFER)
		ring_buffer_return(&flow->worker->ring, result.buffer);
	flow_when_quiet(flow);
}

static void flow_on_watch(struct flow *flow, int32_t res)
{
	/* Cancelled, or too late to matter: receives will tell. A poll of the
	 * ring reports POLLRDHUP unasked: a client that has sent its request
	 * and ended its side still wants the answer. */
	if (flow->state == FLOW_QUEUED && res > 0 &&
	    (res & (POLLERR | POLLHUP)))
		flow_fail(flow, 'C', 'Q', -ECONNRESET);
}

/* Before it is established, a flow may have a receive from the client and
 * sends of its handshakes under way. */
static void flow_on_early(
    struct flow *flow, unsigned tag, struct op_result result)
{
	switch ((enum flow_tag)tag) {
	case FLOW_TAG_CONNECT:
		flow_on_connected(flow, result.res);
		break;
	case FLOW_TAG_WATCH:
		flow_on_watch(flow, result.res);
		break;
	case FLOW_TAG_RECV_UP:
		front_on_receive(flow, result);
		break;
	case FLOW_TAG_SEND_DOWN:
		if (relay_sent(flow, &flow->down, result.res))
			(void)relay_send(flow, &flow->down);
		break;
	case FLOW_TAG_RECV_DOWN:
		tls_connect_on_receive(flow, result);
		break;
	case FLOW_TAG_SEND_UP:
		tls_connect_on_sent(flow, result);
		break;
	default:
		br_assert(false);
	}
}

void flow_resume(struct flow *flow, struct direction *d)
{
	if (flow->state == FLOW_ESTABLISHED)
		direction_resume(flow, d);
	else if (d->up)
		front_receive(flow);
	else
		tls_connect_resume(flow);
}

static void flow_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct flow *flow = br_container_of(owner, struct flow, op);

	br_assert(flow->state < FLOW_N_STATES);
	br_assert(flow_states[flow->state].in_flight & (1u << tag));
	if (flow->state == FLOW_CLOSING) {
		flow_on_closing(flow, result);
		return;
	}
	if (flow->state != FLOW_ESTABLISHED) {
		flow_on_early(flow, tag, result);
		return;
	}
	switch ((enum flow_tag)tag) {
	case FLOW_TAG_CONNECT:
		br_assert(false);
		break;
	case FLOW_TAG_WATCH: /* cancelled: receives will tell */
		break;
	case FLOW_TAG_RECV_UP:
		direction_on_receive(flow, &flow->up, result);
		break;
	case FLOW_TAG_RECV_DOWN:
		direction_on_receive(flow, &flow->down, result);
		break;
	case FLOW_TAG_SEND_UP:
		direction_on_sent(flow, &flow->up, result);
		break;
	case FLOW_TAG_SEND_DOWN:
		direction_on_sent(flow, &flow->down, result);
		break;
	case FLOW_TAG_POLL_IN_UP:
		direction_on_poll(flow, &flow->up, false, result);
		break;
	case FLOW_TAG_POLL_IN_DOWN:
		direction_on_poll(flow, &flow->down, false, result);
		break;
	case FLOW_TAG_POLL_OUT_UP:
		direction_on_poll(flow, &flow->up, true, result);
		break;
	case FLOW_TAG_POLL_OUT_DOWN:
		direction_on_poll(flow, &flow->down, true, result);
		break;
	}
}

struct flow *flow_of_direction(struct direction *d)
{
	return d->up ? br_container_of(d, struct flow, up)
		     : br_container_of(d, struct flow, down);
}
