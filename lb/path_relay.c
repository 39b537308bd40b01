/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/path.h"

#include "base/assert.h"
#include "io/sock.h"
#include "lb/flow.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>
#include <string.h>

/* More than a full queue: what a multishot receive delivered in the turn in
 * which it was stopped comes on top. */
#define RELAY_PARTS_MAX 32

/* -- parked chunks ----------------------------------------------------- */

struct chunk *relay_chunk_new(struct worker *worker)
{
	struct chunk *chunk;

	if (!worker_take_parked(worker, CHUNK_BYTES))
		return NULL;
	chunk = slab_new(&worker->chunk_slab);
	if (!chunk) {
		worker_give_parked(worker, CHUNK_BYTES);
		return NULL;
	}
	chunk->next = NULL;
	chunk->start = chunk->end = 0;
	return chunk;
}

void relay_chunk_free(struct worker *worker, struct chunk *chunk)
{
	slab_free(&worker->chunk_slab, chunk);
	worker_give_parked(worker, CHUNK_BYTES);
}

static void relay_drop_chunk(struct worker *worker, struct direction *d)
{
	struct chunk *chunk = d->parked_first;

	d->parked_first = chunk->next;
	if (!d->parked_first) {
		d->parked_last = NULL;
		d->sink_full = false;
	}
	relay_chunk_free(worker, chunk);
}

struct chunk *relay_tail(struct flow *flow, struct direction *d, uint32_t least)
{
	struct worker *worker = flow->worker;
	struct chunk *chunk = d->parked_last;

	if (chunk && CHUNK_ROOM - chunk->end >= least)
		return chunk;
	chunk = relay_chunk_new(worker);
	if (!chunk) {
		counter_inc(&worker->metrics->parked_full);
		flow_fail_now(flow, 'R', -ENOMEM);
		return NULL;
	}
	if (d->parked_last)
		d->parked_last->next = chunk;
	else
		d->parked_first = chunk;
	d->parked_last = chunk;
	return chunk;
}

bool relay_park(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length)
{
	const char *at = bytes;

	while (length) {
		struct chunk *chunk = relay_tail(flow, d, 1);
		uint32_t room, n;

		if (!chunk)
			return false;
		room = CHUNK_ROOM - chunk->end;
		n = length < room ? length : room;
		memcpy(chunk->data + chunk->end, at, n);
		chunk->end += n;
		at += n;
		length -= n;
	}
	return true;
}

/* -- the queue of ring buffers ----------------------------------------- */

static void relay_push(
    struct worker *worker, struct direction *d, uint16_t buffer, uint32_t end)
{
	worker->held[buffer] =
	    (struct held){.start = 0, .end = end, .next = HELD_NONE};
	if (d->n_held)
		worker->held[d->held_last].next = buffer;
	else
		d->held_first = buffer;
	d->held_last = buffer;
	d->n_held++;
}

static void relay_pop(struct worker *worker, struct direction *d)
{
	uint16_t buffer = d->held_first;

	d->held_first = worker->held[buffer].next;
	d->n_held--;
	ring_buffer_return(&worker->ring, buffer);
}

/* Drops the first `sent` bytes of the queue. */
static void relay_consume(
    struct worker *worker, struct direction *d, uint64_t sent)
{
	while (sent) {
		struct held *held = &worker->held[d->held_first];
		uint32_t length = held->end - held->start;

		br_assert(d->n_held > 0);
		if (sent < length) {
			held->start += (uint32_t)sent;
			return;
		}
		sent -= length;
		relay_pop(worker, d);
	}
}

static bool relay_park_held(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	while (d->n_held) {
		const struct held *held = &worker->held[d->held_first];
		const char *data = ring_buffer(&worker->ring, d->held_first);

		if (!relay_park(
			flow, d, data + held->start, held->end - held->start))
			return false;
		relay_pop(worker, d);
	}
	return true;
}

/* The sink is full: the ring buffers must not wait for it. Chunks that lay
 * behind them still do. */
static bool relay_park_queue(struct flow *flow, struct direction *d)
{
	struct chunk *behind = d->parked_first, *last = d->parked_last;
	bool good;

	counter_inc(&flow->worker->metrics->parks);
	d->sink_full = true;
	d->parked_first = d->parked_last = NULL;
	good = relay_park_held(flow, d);
	if (behind) {
		if (d->parked_last)
			d->parked_last->next = behind;
		else
			d->parked_first = behind;
		d->parked_last = last;
	}
	if (good)
		direction_blocked(flow, d);
	return good;
}

bool relay_take(
    struct flow *flow, struct direction *d, uint16_t buffer, uint32_t length)
{
	struct worker *worker = flow->worker;
	bool good;

	counter_add(&worker->metrics->bytes_relayed, length);
	if (!d->parked_first) {
		relay_push(worker, d, buffer, length);
		return true;
	}
	good = relay_park(flow, d, ring_buffer(&worker->ring, buffer), length);
	ring_buffer_return(&worker->ring, buffer);
	return good;
}

/* -- sending ----------------------------------------------------------- */

static unsigned relay_tag(const struct direction *d)
{
	return d->up ? FLOW_TAG_SEND_UP : FLOW_TAG_SEND_DOWN;
}

static bool relay_sink_failed(
    struct flow *flow, const struct direction *d, int error)
{
	if (flow->state == FLOW_TLS_CONNECT && d->up)
		tls_connect_lost(flow, error);
	else if (d->up)
		flow_server_broke(flow, error);
	else
		flow_fail_now(flow, 'C', error);
	return false;
}

/* The sink takes no more: what is in chunks waits for room. */
static void relay_fill_sink(struct flow *flow, struct direction *d)
{
	counter_inc(&flow->worker->metrics->parks);
	d->sink_full = true;
	d->bulk_step = 0;
	if (flow->state == FLOW_ESTABLISHED)
		direction_blocked(flow, d);
}

/* Waits for room only where the sink has said that it has none. */
static void relay_send_parked(struct flow *flow, struct direction *d)
{
	struct chunk *chunk = d->parked_first;
	struct ring *ring = &flow->worker->ring;
	const char *bytes = chunk->data + chunk->start;
	int fd = flow_sink_fd(flow, d);

	d->sending = d->parked_send = true;
	d->send_length = chunk->end - chunk->start;
	if (d->ktls)
		ring_send_some(
		    ring, &flow->op, relay_tag(d), fd, bytes, d->send_length);
	else if (d->sink_full)
		ring_send_wait(
		    ring, &flow->op, relay_tag(d), fd, bytes, d->send_length);
	else
		ring_send_now(
		    ring, &flow->op, relay_tag(d), fd, bytes, d->send_length);
}

static uint32_t relay_gather_parked(
    const struct direction *d, struct iovec *parts)
{
	uint32_t n = 0;

	for (struct chunk *chunk = d->parked_first;
	     chunk && n < RELAY_PARTS_MAX; chunk = chunk->next) {
		parts[n].iov_base = chunk->data + chunk->start;
		parts[n++].iov_len = chunk->end - chunk->start;
	}
	return n;
}

static void relay_consume_parked(
    struct worker *worker, struct direction *d, uint64_t sent)
{
	while (d->parked_first) {
		struct chunk *chunk = d->parked_first;
		uint32_t length = chunk->end - chunk->start;

		if (sent < length) {
			chunk->start += (uint32_t)sent;
			return;
		}
		sent -= length;
		relay_drop_chunk(worker, d);
	}
}

/* What is sent now shares its packet with the end behind it. Nothing else may
 * wait so: the kernel would hold it back for 200 ms. */
static bool relay_end_follows(
    const struct flow *flow, const struct direction *d)
{
	return d->eof && !d->ktls && !d->framed &&
	       flow->state == FLOW_ESTABLISHED && !flow->server_broken;
}

/* Several chunks that wait for nothing go out in one call; so do the last
 * bytes, as in relay_send_many(). A socket that encrypts does not take what the
 * ring's inline sends ask for (sock_ktls_keys). */
static bool relay_send_chunks(struct flow *flow, struct direction *d)
{
	bool with_ack = d->up && flow->ack_waits;

	while (d->parked_first && !d->sink_full &&
	       (d->parked_first->next || d->eof || with_ack || d->ktls)) {
		struct iovec parts[RELAY_PARTS_MAX];
		uint32_t n = relay_gather_parked(d, parts);
		int64_t sent = sock_send_vector(flow_sink_fd(flow, d), parts, n,
		    relay_end_follows(flow, d));

		if (sent < 0 && sent != -EAGAIN)
			return relay_sink_failed(flow, d, (int)sent);
		if (sent > 0)
			relay_consume_parked(flow->worker, d, (uint64_t)sent);
		if (sent < 0 || (d->parked_first && n < RELAY_PARTS_MAX)) {
			relay_fill_sink(flow, d);
		}
	}
	return true;
}

void relay_send_last(struct flow *flow, struct direction *d)
{
	struct iovec parts[RELAY_PARTS_MAX];
	uint32_t n = relay_gather_parked(d, parts);

	d->last_waits = d->sending && d->parked_send && !d->sink_full;
	if (n && !d->sending)
		(void)sock_send_vector(flow_sink_fd(flow, d), parts, n, false);
}

void relay_last_sent(struct flow *flow, struct direction *d, int32_t res)
{
	bool go_on =
	    d->last_waits && res > 0 && (uint32_t)res == d->send_length;

	d->sending = d->last_waits = false;
	if (!go_on)
		return;
	relay_consume_parked(flow->worker, d, d->send_length);
	relay_send_last(flow, d);
}

static void relay_send_one(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;
	const struct held *held = &worker->held[d->held_first];

	d->sending = true;
	d->parked_send = false;
	d->send_length = held->end - held->start;
	ring_send_now(&worker->ring, &flow->op, relay_tag(d),
	    flow_sink_fd(flow, d),
	    ring_buffer(&worker->ring, d->held_first) + held->start,
	    d->send_length);
}

static uint32_t relay_gather(const struct worker *worker,
    const struct direction *d, struct iovec *parts, uint64_t *ret_total)
{
	uint16_t buffer = d->held_first;
	uint32_t n = 0;

	*ret_total = 0;
	for (; n < d->n_held && n < RELAY_PARTS_MAX; n++) {
		const struct held *held = &worker->held[buffer];

		parts[n].iov_base =
		    ring_buffer(&worker->ring, buffer) + held->start;
		parts[n].iov_len = held->end - held->start;
		*ret_total += parts[n].iov_len;
		buffer = held->next;
	}
	return n;
}

/* Several buffers go out in one call of its own: through the ring each would
 * have to wait for the one before it. So do the last bytes, so that the end
 * follows at once and shares their packet. */
static bool relay_send_many(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	while (d->n_held) {
		struct iovec parts[RELAY_PARTS_MAX];
		uint64_t total;
		uint32_t n = relay_gather(worker, d, parts, &total);
		int64_t sent = sock_send_vector(flow_sink_fd(flow, d), parts, n,
		    relay_end_follows(flow, d));

		if (sent < 0 && sent != -EAGAIN)
			return relay_sink_failed(flow, d, (int)sent);
		if (sent > 0)
			relay_consume(worker, d, (uint64_t)sent);
		if (sent < (int64_t)total)
			return relay_park_queue(flow, d);
	}
	return true;
}

/* A server's socket needs TCP_NODELAY only from its second send on: the first
 * has nothing unacknowledged before it, and many flows never send twice. */
static void relay_set_nodelay(struct flow *flow, struct direction *d)
{
	if (!d->up || d->nodelay_set)
		return;
	if (!d->sent_before) {
		d->sent_before = true;
		return;
	}
	d->nodelay_set = true;
	if (!addr_is_unix(&flow->server->addr))
		(void)sock_set_nodelay(flow->server_fd);
}

/* The handshake's ACK goes with the first bytes, so they leave at once. Only
 * that one ACK is to wait: a server that writes in small pieces without
 * TCP_NODELAY would wait for every later one. */
static bool relay_send_with_ack(struct flow *flow, struct direction *d)
{
	bool good = relay_send_many(flow, d);

	flow_send_ack(flow);
	return good;
}

bool relay_send(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	if (d->sending)
		return true;
	/* A chunk that was taken for output and got none. */
	while (
	    d->parked_first && d->parked_first->start == d->parked_first->end)
		relay_drop_chunk(worker, d);
	if (!d->parked_first && !d->n_held)
		return true;
	relay_set_nodelay(flow, d);
	/* Ring buffers lie before chunks. */
	if (d->up && flow->ack_waits && d->n_held &&
	    !relay_send_with_ack(flow, d))
		return false;
	if ((d->n_held > 1 || d->eof || d->ktls || d->parked_first) &&
	    !relay_send_many(flow, d))
		return false;
	if (d->n_held) {
		relay_send_one(flow, d);
		return true;
	}
	if (!relay_send_chunks(flow, d))
		return false;
	if (d->up && flow->ack_waits)
		flow_send_ack(flow);
	if (d->parked_first)
		relay_send_parked(flow, d);
	return true;
}

bool relay_hand(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length)
{
	struct iovec part = {(void *)(uintptr_t)bytes, length};
	int64_t sent;

	if (d->parked_first || d->n_held)
		return relay_park(flow, d, bytes, length);
	relay_set_nodelay(flow, d);
	sent = sock_send_vector(
	    flow_sink_fd(flow, d), &part, 1, relay_end_follows(flow, d));
	if (d->up && flow->ack_waits)
		flow_send_ack(flow);
	if (sent < 0 && sent != -EAGAIN)
		return relay_sink_failed(flow, d, (int)sent);
	if (sent < 0)
		sent = 0;
	if (sent == length)
		return true;
	if (!relay_park(
		flow, d, (const char *)bytes + sent, length - (uint32_t)sent))
		return false;
	relay_fill_sink(flow, d);
	return true;
}

static void relay_parked_sent(
    struct flow *flow, struct direction *d, uint32_t sent)
{
	struct chunk *chunk = d->parked_first;

	/* A slow reader is active when it reads. An inline send was at the
	 * receive before it; its success may be reported much later, and must
	 * not put an idle timeout off. */
	if (sent && d->sink_full)
		flow->active_at = worker_now(flow->worker);
	chunk->start += sent;
	br_assert(chunk->start <= chunk->end);
	if (sent < d->send_length && !d->sink_full) {
		relay_fill_sink(flow, d);
	}
	if (chunk->start == chunk->end)
		relay_drop_chunk(flow->worker, d);
}

bool relay_sent(struct flow *flow, struct direction *d, int32_t res)
{
	uint32_t sent = res > 0 ? (uint32_t)res : 0;

	br_assert(d->sending && sent <= d->send_length);
	d->sending = false;
	if (res < 0 && res != -EAGAIN && res != -EINTR)
		return relay_sink_failed(flow, d, res);
	if (d->parked_send) {
		relay_parked_sent(flow, d, sent);
		return true;
	}
	relay_consume(flow->worker, d, sent);
	if (sent < d->send_length)
		return relay_park_queue(flow, d);
	return true;
}

void relay_release(struct flow *flow, struct direction *d)
{
	while (d->n_held)
		relay_pop(flow->worker, d);
	while (d->parked_first)
		relay_drop_chunk(flow->worker, d);
}
