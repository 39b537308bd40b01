/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/tls_end.h"

#include "base/assert.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/front.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/upstream.h"
#include "lb/worker.h"

#include <errno.h>
#include <string.h>

/* As far as the input goes; what it says is in the chunks of `out`. */
static enum tls_status tls_shake(struct flow *flow, struct direction *out,
    struct tls_session *session, struct tls_in *in)
{
	enum tls_status status = TLS_WANT_OUTPUT;
	uint32_t least = TLS_OUT_ROOM_MIN;

	while (status == TLS_WANT_OUTPUT) {
		struct tls_out room;

		if (!tls_room(flow, out, least, &room))
			return TLS_FAILED;
		status = tls_session_handshake(session, in, &room);
		tls_commit(out, &room);
		least = CHUNK_ROOM;
	}
	return status;
}

/* -- with the client --------------------------------------------------- */

static void tls_note_facts(struct side *side)
{
	struct tls_facts facts;

	tls_session_facts(&side->client, &facts);
	if (facts.name)
		side_set_name(side, facts.name, strlen(facts.name));
	if (facts.alpn)
		side_set_alpn(side, facts.alpn, facts.alpn_length);
}

/* An alert that was said shall arrive: no reset, which would overtake it. */
static void tls_accept_failed(struct flow *flow)
{
	struct side *side = flow->side;

	side->cause = side->client.cause;
	tls_note_facts(side);
	counter_inc(
	    &flow->worker->metrics->tls_client_failures[side->client.cause]);
	relay_send_last(flow, &flow->down);
	if (side->client.cause == TLS_CAUSE_memory)
		flow_fail_now(flow, 'R', -ENOMEM);
	else
		flow_fail_now(flow, 'C', BR_E_TLS);
	flow->reset_client = false;
}

/* What came behind the client's last handshake message is its first data. */
static bool tls_accept_rest(struct flow *flow, struct tls_in *in)
{
	struct worker *worker = flow->worker;
	struct side *side = flow->side;
	struct first *first = side->first;
	enum tls_status status = in->at < in->end ? TLS_MORE : TLS_WANT_INPUT;
	size_t n = 0;

	while (status == TLS_MORE || status == TLS_WANT_OUTPUT) {
		struct tls_out out;
		size_t got;

		if (!tls_room(flow, &flow->down, TLS_OUT_ROOM_MIN, &out))
			return false;
		status = tls_session_read(&side->client, in, &out,
		    worker->scratch + n, WORKER_SCRATCH_BYTES - n, &got);
		tls_commit(&flow->down, &out);
		n += got;
	}
	if (status == TLS_FAILED || !side_charge_first(flow, (uint32_t)n))
		return false;
	flow->up.eof = status == TLS_CLOSED;
	first->start = 0;
	first->end = (uint32_t)n;
	memcpy(first->bytes, worker->scratch, n);
	if (!n)
		side_drop_first(flow);
	return true;
}

static void tls_accept_done(struct flow *flow, struct tls_in *in)
{
	struct worker *worker = flow->worker;
	struct side *side = flow->side;
	struct tls_facts facts;

	timer_disarm(&worker->wheel, &flow->timer);
	side->client_shaken = true;
	tls_session_facts(&side->client, &facts);
	counter_inc(facts.resumed ? &worker->metrics->tls_client_resumed
				  : &worker->metrics->tls_client_handshakes);
	tls_note_facts(side);
	if (!tls_accept_rest(flow, in)) {
		tls_accept_failed(flow);
		return;
	}
	if (relay_send(flow, &flow->down))
		front_next(flow);
}

static void tls_accept_step(struct flow *flow)
{
	struct side *side = flow->side;
	struct first *first = side->first;
	struct tls_in in = {
	    first->bytes + first->start, first->bytes + first->end};
	enum tls_status status =
	    tls_shake(flow, &flow->down, &side->client, &in);

	if (flow->state == FLOW_CLOSING)
		return;
	if (status == TLS_DONE) {
		tls_accept_done(flow, &in);
		return;
	}
	if (status != TLS_WANT_INPUT) {
		tls_accept_failed(flow);
		return;
	}
	first->start = first->end = 0;
	if (relay_send(flow, &flow->down))
		front_receive(flow);
}

void tls_accept_go_on(struct flow *flow)
{
	struct worker *worker = flow->worker;

	if (worker->handshakes_left) {
		worker->handshakes_left--;
		tls_accept_step(flow);
		return;
	}
	list_push_back(&worker->shaking, &flow->queue_link);
	ring_hurry(&worker->ring);
}

void tls_accept_deferred(struct worker *worker)
{
	struct list_node *node;

	worker->handshakes_left = TLS_HANDSHAKES_A_TURN;
	while (worker->handshakes_left &&
	       (node = list_pop_front(&worker->shaking)) != NULL)
		tls_accept_go_on(
		    br_container_of(node, struct flow, queue_link));
	if (!list_empty(&worker->shaking))
		ring_hurry(&worker->ring);
}

void tls_accept(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct listener *listener = flow->listener;
	struct side *side = flow->side;
	int err = tls_session_init_server(
	    &side->client, listener->tls[worker->index]);

	if (err) {
		side->cause = TLS_CAUSE_memory;
		counter_inc(
		    &worker->metrics->tls_client_failures[TLS_CAUSE_memory]);
		flow_fail_now(flow, 'R', BR_E_TLS);
		return;
	}
	side->client_tls = true;
	timer_arm(&worker->wheel, &flow->timer,
	    mono_add_ms(worker_now(worker), (int64_t)listener->handshake_ms));
	if (side->first)
		tls_accept_go_on(flow);
	else
		front_receive(flow);
}

void tls_accept_timed_out(struct flow *flow)
{
	struct worker_metrics *metrics = flow->worker->metrics;

	counter_inc(&metrics->handshake_timeouts);
	counter_inc(&metrics->tls_client_failures[TLS_CAUSE_handshake_slow]);
	flow_fail_now(flow, 'c', -ETIMEDOUT);
}

void tls_accept_lost(struct flow *flow, int error)
{
	counter_inc(&flow->worker->metrics
			 ->tls_client_failures[TLS_CAUSE_handshake_ended]);
	flow_fail_now(flow, 'C', error);
}

/* -- with the server --------------------------------------------------- */

static void tls_connect_receive(struct flow *flow)
{
	flow->down.reading = true;
	ring_recv(&flow->worker->ring, &flow->op, FLOW_TAG_RECV_DOWN,
	    flow->server_fd, true);
}

/* The attempt is over; another server may be tried, once nothing is in flight
 * on this one's descriptor. */
static void tls_connect_over(struct flow *flow)
{
	struct side *side = flow->side;

	if (flow->down.reading || flow->up.sending)
		return;
	relay_release(flow, &flow->up);
	/* The next server has a socket of its own. */
	flow->up.sent_before = flow->up.nodelay_set = false;
	list_remove(&flow->down.wait_link);
	if (side->server_tls)
		tls_session_fini(&side->server);
	side->server_tls = false;
	flow_server_failed(flow, flow->error);
}

static void tls_connect_fail(struct flow *flow, int error)
{
	struct ring *ring = &flow->worker->ring;

	flow->error = error;
	if (flow->down.reading || flow->up.sending) {
		ring_cancel_fd(ring, flow->server_fd);
		ring_hurry(ring);
	}
	tls_connect_over(flow);
}

void tls_connect_lost(struct flow *flow, int error)
{
	/* What we lack ourselves is not the server's end. */
	if (flow_is_local_error(error)) {
		tls_connect_fail(flow, error);
		return;
	}
	counter_inc(&flow->worker->metrics
			 ->tls_server_failures[TLS_CAUSE_handshake_ended]);
	tls_connect_fail(flow, BR_E_TLS_ENDED);
}

static void tls_connect_refused(struct flow *flow)
{
	struct side *side = flow->side;

	side->cause = side->server.cause;
	counter_inc(
	    &flow->worker->metrics->tls_server_failures[side->server.cause]);
	relay_send_last(flow, &flow->up);
	/* What we lack ourselves is not the server's fault. */
	tls_connect_fail(
	    flow, side->server.cause == TLS_CAUSE_memory ? -ENOMEM : BR_E_TLS);
}

static void tls_connect_done(struct flow *flow, struct tls_in *in)
{
	struct worker_metrics *metrics = flow->worker->metrics;
	struct tls_facts facts;

	tls_session_facts(&flow->side->server, &facts);
	counter_inc(facts.resumed ? &metrics->tls_server_resumed
				  : &metrics->tls_server_handshakes);
	flow_enter(flow, FLOW_ESTABLISHED);
	if (flow->state != FLOW_ESTABLISHED || in->at == in->end)
		return;
	if (tls_open(flow, &flow->down, in))
		direction_resume(flow, &flow->down);
}

static void tls_connect_step(struct flow *flow, struct tls_in *in)
{
	struct side *side = flow->side;
	enum tls_status status = tls_shake(flow, &flow->up, &side->server, in);

	if (flow->state == FLOW_CLOSING)
		return;
	if (status == TLS_DONE) {
		tls_connect_done(flow, in);
	} else if (status == TLS_WANT_INPUT) {
		if (relay_send(flow, &flow->up) && !flow->down.reading)
			tls_connect_receive(flow);
	} else {
		tls_connect_refused(flow);
	}
}

void tls_connect(struct flow *flow)
{
	struct upstream *upstream = flow->upstream;
	struct worker *worker = flow->worker;
	struct side *side = flow->side;
	struct tls_in none = {NULL, NULL};
	struct tls_peer peer;
	int err;

	upstream_tls_peer(upstream, worker, flow->server, &peer);
	err = tls_session_init_client(
	    &side->server, upstream->tls[worker->index], &peer);
	if (err) {
		tls_connect_fail(flow, err);
		return;
	}
	side->server_tls = true;
	tls_connect_step(flow, &none);
}

void tls_connect_on_receive(struct flow *flow, struct op_result result)
{
	struct worker *worker = flow->worker;
	struct direction *d = &flow->down;

	br_assert(d->reading);
	d->reading = false;
	if (result.res > 0 && !flow->error) {
		const uint8_t *bytes =
		    (const uint8_t *)ring_buffer(&worker->ring, result.buffer);
		struct tls_in in = {bytes, bytes + result.res};

		tls_connect_step(flow, &in);
	}
	if (result.flags & OP_BUFFER)
		ring_buffer_return(&worker->ring, result.buffer);
	if (flow->state != FLOW_TLS_CONNECT)
		return;
	if (flow->error)
		tls_connect_over(flow);
	else if (result.res == 0)
		tls_connect_lost(flow, BR_E_CLOSED);
	else if (result.res == -ENOBUFS)
		list_push_back(&worker->starved, &d->wait_link);
	else if (result.res == -EINTR || result.res == -EAGAIN)
		tls_connect_receive(flow);
	else if (result.res < 0)
		tls_connect_lost(flow, result.res);
}

void tls_connect_on_sent(struct flow *flow, struct op_result result)
{
	struct direction *d = &flow->up;
	int32_t res = result.res;

	if (!flow->error && (res >= 0 || res == -EAGAIN || res == -EINTR)) {
		if (relay_sent(flow, d, res))
			(void)relay_send(flow, d);
		return;
	}
	relay_last_sent(flow, d, res);
	if (flow->error)
		tls_connect_over(flow);
	else
		tls_connect_lost(flow, res);
}

void tls_connect_resume(struct flow *flow)
{
	if (!flow->error && !flow->down.reading)
		tls_connect_receive(flow);
}

void tls_connect_timed_out(struct flow *flow)
{
	if (flow->error)
		return;
	counter_inc(&flow->worker->metrics
			 ->tls_server_failures[TLS_CAUSE_handshake_slow]);
	tls_connect_fail(flow, BR_E_TLS_SLOW);
}
