/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/path.h"

#include "base/assert.h"
#include "lb/http_flow.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>

static struct direction *tls_other(struct flow *flow, const struct direction *d)
{
	return d->up ? &flow->down : &flow->up;
}

bool tls_room(
    struct flow *flow, struct direction *d, uint32_t least, struct tls_out *ret)
{
	struct chunk *chunk = relay_tail(flow, d, least);

	if (!chunk)
		return false;
	ret->at = (uint8_t *)chunk->data + chunk->end;
	ret->end = (uint8_t *)chunk->data + CHUNK_ROOM;
	return true;
}

void tls_commit(struct direction *d, const struct tls_out *out)
{
	struct chunk *chunk = d->parked_last;

	if (out->at)
		chunk->end = (uint32_t)(out->at - (uint8_t *)chunk->data);
}

/* The session of an end has failed. Its alert may still reach the peer, if
 * there is room for it at once. What a server sent before is still passed
 * on. Always false. */
static bool tls_broken(struct flow *flow, struct direction *out, bool client,
    const struct tls_session *session)
{
	struct worker_metrics *metrics = flow->worker->metrics;

	flow->side->cause = session->cause;
	counter_inc(client ? &metrics->tls_client_failures[session->cause]
			   : &metrics->tls_server_failures[session->cause]);
	relay_send_last(flow, out);
	if (out->ktls)
		(void)ktls_say_alert(flow, out);
	if (client)
		flow_fail_now(flow, 'C', BR_E_TLS);
	else
		flow_server_broke(flow, BR_E_TLS);
	return false;
}

/* The same, said by the source of d: true when the flow goes on to its end. */
static bool tls_source_broken(struct flow *flow, struct direction *d)
{
	tls_broken(flow, tls_other(flow, d), d->up, tls_source(flow, d));
	d->eof = true;
	return !d->up;
}

/* What the session says without being asked, towards its own end. */
static bool tls_answer(
    struct flow *flow, struct direction *out, struct tls_session *session)
{
	struct tls_out room;
	enum tls_status status = TLS_WANT_OUTPUT;

	if (out->abandoned)
		return true;
	/* What the kernel does not take now goes with the next answer. */
	if (out->ktls)
		(void)ktls_say_alert(flow, out);
	if (tls_session_has_output(session)) {
		while (status == TLS_WANT_OUTPUT) {
			if (!tls_room(flow, out, TLS_OUT_ROOM_MIN, &room))
				return false;
			status = tls_session_flush(session, &room);
			tls_commit(out, &room);
		}
	}
	/* A server that breaks over it ends only its own direction. */
	if (out->parked_first)
		(void)relay_send(flow, out);
	return flow->state != FLOW_CLOSING;
}

/* -- from the source --------------------------------------------------- */

static bool tls_pass(
    struct flow *flow, struct direction *d, const void *plain, uint32_t n)
{
	direction_count(flow, d, plain, n);
	return d->framed ? http_relay(flow, d, plain, n)
			 : tls_seal(flow, d, plain, n);
}

/* One read: into the chunk that is sent, or through the worker's scratch when
 * the sink speaks TLS too, or the bytes have to be looked at. */
static enum tls_status tls_read_some(struct flow *flow, struct direction *d,
    struct tls_in *in, struct tls_out *out)
{
	struct tls_session *session = tls_source(flow, d);
	struct worker *worker = flow->worker;
	enum tls_status status;
	struct chunk *chunk;
	size_t n;

	if (tls_sink(flow, d) || d->framed) {
		status = tls_session_read(session, in, out, worker->scratch,
		    WORKER_SCRATCH_BYTES, &n);
		if (n && !tls_pass(flow, d, worker->scratch, (uint32_t)n))
			return TLS_FAILED;
		return status;
	}
	chunk = relay_tail(flow, d, 1);
	if (!chunk)
		return TLS_FAILED;
	status = tls_session_read(session, in, out, chunk->data + chunk->end,
	    CHUNK_ROOM - chunk->end, &n);
	if (n)
		direction_count(flow, d, chunk->data + chunk->end, (uint32_t)n);
	chunk->end += (uint32_t)n;
	return status;
}

bool tls_open(struct flow *flow, struct direction *d, struct tls_in *in)
{
	struct tls_session *session = tls_source(flow, d);
	struct direction *back = tls_other(flow, d);
	struct tls_out out = {NULL, NULL};

	for (;;) {
		enum tls_status status = tls_read_some(flow, d, in, &out);

		tls_commit(back, &out);
		out = (struct tls_out){NULL, NULL};
		/* The sink has failed under it. */
		if (flow->state == FLOW_CLOSING || d->abandoned)
			return false;
		if (status == TLS_FAILED)
			return tls_source_broken(flow, d);
		if (status == TLS_WANT_OUTPUT) {
			if (!tls_room(flow, back, TLS_OUT_ROOM_MIN, &out))
				return false;
			continue;
		}
		if (status == TLS_CLOSED)
			d->eof = true;
		if (status != TLS_MORE)
			break;
	}
	return tls_answer(flow, back, session);
}

bool tls_take(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length)
{
	struct tls_in in = {bytes, (const uint8_t *)bytes + length};

	/* Nothing counts behind close_notify. */
	if (d->eof)
		return true;
	counter_add(&flow->worker->metrics->bytes_relayed, length);
	if (tls_source(flow, d))
		return tls_open(flow, d, &in);
	return tls_pass(flow, d, bytes, length);
}

bool tls_ended(struct flow *flow, struct direction *d)
{
	struct tls_session *session = tls_source(flow, d);
	struct worker_metrics *metrics = flow->worker->metrics;

	if (!session || d->eof || tls_session_on_eof(session) == TLS_CLOSED)
		return true;
	if (!d->up && !flow->up.fin_passed)
		return tls_source_broken(flow, d);
	/* Many clients never say close_notify, and servers do not to a client
	 * that has ended. The other side gets a reset, since it cannot know
	 * whether it has all; but nothing went wrong that an operator should
	 * look into. */
	counter_inc(d->up ? &metrics->tls_client_failures[session->cause]
			  : &metrics->tls_server_failures[session->cause]);
	if (!d->up) {
		flow_server_broke(flow, BR_E_TLS_TRUNCATED);
		return true;
	}
	flow_fail(flow, '-', '-', BR_E_TLS_TRUNCATED);
	return false;
}

/* -- to the sink ------------------------------------------------------- */

bool tls_seal(
    struct flow *flow, struct direction *d, const void *plain, size_t length)
{
	struct tls_session *session = tls_sink(flow, d);
	uint32_t least = TLS_OUT_ROOM_MIN;
	const char *at = plain;

	while (length) {
		struct tls_out out;
		enum tls_status status;
		size_t taken;

		if (!tls_room(flow, d, least, &out))
			return false;
		status = tls_session_write(session, &out, at, length, &taken);
		tls_commit(d, &out);
		at += taken;
		length -= taken;
		if (status == TLS_FAILED)
			return tls_broken(flow, d, !d->up, session);
		least =
		    status == TLS_WANT_OUTPUT ? CHUNK_ROOM : TLS_OUT_ROOM_MIN;
	}
	return true;
}

bool tls_say_end(struct flow *flow, struct direction *d)
{
	struct tls_session *session = tls_sink(flow, d);
	enum tls_status status = TLS_WANT_OUTPUT;
	uint32_t least = TLS_OUT_ROOM_MIN;

	while (status == TLS_WANT_OUTPUT) {
		struct tls_out out;

		if (!tls_room(flow, d, least, &out))
			return false;
		status = tls_session_close(session, &out);
		tls_commit(d, &out);
		least = CHUNK_ROOM;
	}
	if (status == TLS_FAILED)
		return tls_broken(flow, d, !d->up, session);
	return true;
}
