/* SPDX-License-Identifier: Apache-2.0 */
/* From the choice of a server to a connection to it: choosing, waiting in the
 * queue, connecting, trying elsewhere. */
#include "base/assert.h"
#include "io/sock.h"
#include "lb/client_source.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/path.h"
#include "lb/proxy_out.h"
#include "lb/side.h"
#include "lb/worker.h"

#include <errno.h>
#include <poll.h>

/* Before a server that has just failed is tried again. */
#define FLOW_RETRY_PAUSE_MS 100

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

void flow_on_watch(struct flow *flow, int32_t res)
{
	/* Cancelled, or too late to matter: receives will tell. A poll of the
	 * ring reports POLLRDHUP unasked: a client that has sent its request
	 * and ended its side still wants the answer. */
	if (flow->state == FLOW_QUEUED && res > 0 &&
	    (res & (POLLERR | POLLHUP)))
		flow_fail(flow, 'C', 'Q', -ECONNRESET);
}

/* -- connecting -------------------------------------------------------- */

bool flow_is_local_error(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM ||
	       error == -ENOBUFS || error == -EADDRNOTAVAIL;
}

static bool flow_is_timeout(int error)
{
	return error == -ETIMEDOUT || error == BR_E_TLS_SLOW;
}

static char flow_connect_end(int error)
{
	if (flow_is_local_error(error))
		return 'R';
	return flow_is_timeout(error) ? 's' : 'S';
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
	counter_inc(flow_is_timeout(error) ? &metrics->connect_timeouts
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

int flow_open_server(const struct flow *flow, const struct server *server)
{
	const struct pool *pool = flow->upstream->pool;
	const struct addr *to = &server->addr;
	struct addr source;
	int err;

	if (!pool->source_client)
		return sock_stream(to, &pool->source);
	err = client_source(&flow->client, to->sa.sa_family, &source);
	return err ? err : sock_stream_as(to, &source);
}

static void flow_open_failed(struct flow *flow, int error)
{
	if (!flow->upstream->pool->source_client ||
	    flow_is_local_error(error)) {
		flow_server_failed(flow, error);
	} else if (!flow->client.family) {
		/* It was gone before it was asked for its address. */
		flow_fail(flow, 'C', 'C', -ECONNRESET);
	} else {
		/* No server is to blame, and none would do better. */
		counter_inc(&flow->worker->metrics->source_refused);
		flow_fail(flow, 'P', 'C', error);
	}
}

void flow_connect(struct flow *flow)
{
	struct worker *worker = flow->worker;
	const struct pool *pool = flow->upstream->pool;
	const struct server *server = flow->server;
	int fd = flow_open_server(flow, server);

	counter_inc(&worker->metrics->connects);
	flow->error = 0;
	if (fd < 0) {
		flow_open_failed(flow, fd);
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

void flow_on_connected(struct flow *flow, int32_t res)
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
