/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/direction.h"

#include "base/assert.h"
#include "fleet/outlier.h"
#include "io/sock.h"
#include "lb/bulk_turn.h"
#include "lb/flow.h"
#include "lb/flow_profile.h"
#include "lb/http_flow.h"
#include "lb/path.h"
#include "lb/shard_flow.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void direction_init(struct direction *d, bool up)
{
	memset(d, 0, sizeof *d);
	d->up = up;
	list_node_init(&d->wait_link);
}

const char *direction_mode_name(unsigned mode)
{
	static const char *const names[] = {
	    [DIR_IDLE] = "idle",
	    [DIR_ONESHOT] = "oneshot",
	    [DIR_MANY] = "many",
	    [DIR_STOPPING] = "stopping",
	    [DIR_SPLICE] = "splice",
	    [DIR_SHARD] = "shard",
	};

	return mode < BR_COUNT(names) ? names[mode] : "?";
}

bool direction_drained(const struct direction *d)
{
	return !d->sending && !d->n_held && !d->parked_first &&
	       (!d->pipe || !d->pipe->bytes);
}

static bool direction_armed(const struct direction *d)
{
	return d->reading || d->poll_in || d->poll_out;
}

/* -- counting ---------------------------------------------------------- */

static bool direction_is_bulk(
    const struct flow *flow, const struct direction *d)
{
	return bulk_is(&d->track, flow->bulk_rule, d->up, d->bytes);
}

void direction_count(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t n)
{
	const struct direction *other = d->up ? &flow->down : &flow->up;
	struct mono now = worker_now(flow->worker);

	flow->active_at = now;
	if (!d->bytes && !other->bytes)
		flow_note_first(flow, d->up);
	if (!d->up && !d->bytes) {
		flow->first_byte_at = now;
		if (flow->server)
			outlier_answered(flow->server->row);
	}
	if (d->mode != DIR_SPLICE &&
	    bulk_window_is_over(&d->track, flow->bulk_rule, now)) {
		d->bulk = direction_is_bulk(flow, d);
		bulk_open_window(&d->track, now);
	}
	if (flow->worker->profiling || flow->profile)
		flow_profile_bytes(flow, d->up, bytes, n);
	d->bytes += n;
	flow_count_bytes(flow, d->up, n);
	/* Once it is spliced only its pace counts (direction_review). */
	if (d->mode == DIR_SPLICE)
		bulk_add(&d->track, n);
	else
		bulk_count(&d->track, flow->bulk_rule, d->up, d->bytes, n);
	if (n > BULK_LARGE_BYTES) {
		d->small_turns = 0;
		return;
	}
	if (!d->bulk)
		flow->worker->small_at = now;
	if (d->small_turns < DIRECTION_SMALL_TURNS)
		d->small_turns++;
}

/* Reading on would only pile up what cannot go out. */
static bool direction_backed_up(const struct direction *d)
{
	return (d->parked_first && d->sink_full) || d->paused ||
	       d->n_held > DIRECTION_HELD_MAX;
}

/* -- reading ----------------------------------------------------------- */

static void direction_receive(struct flow *flow, struct direction *d)
{
	struct ring *ring = &flow->worker->ring;
	unsigned tag = d->up ? FLOW_TAG_RECV_UP : FLOW_TAG_RECV_DOWN;
	int fd = flow_source_fd(flow, d);

	d->reading = true;
	if (d->mode == DIR_MANY)
		ring_recv_many(ring, &flow->op, tag, fd);
	else
		ring_recv(ring, &flow->op, tag, fd, !d->more_to_read);
}

/* Cancels what is armed and stays in STOPPING until it has completed. */
static void direction_stop(
    struct flow *flow, struct direction *d, enum direction_mode next)
{
	struct ring *ring = &flow->worker->ring;

	if (d->mode == DIR_MANY)
		counter_inc(&flow->worker->metrics->many_stops);
	d->mode = DIR_STOPPING;
	d->next_mode = (uint8_t)next;
	if (d->reading)
		ring_cancel(ring, &flow->op,
		    d->up ? FLOW_TAG_RECV_UP : FLOW_TAG_RECV_DOWN);
	if (d->poll_in)
		ring_cancel(ring, &flow->op,
		    d->up ? FLOW_TAG_POLL_IN_UP : FLOW_TAG_POLL_IN_DOWN);
}

void direction_pause(struct flow *flow, struct direction *d)
{
	if (d->paused)
		return;
	d->paused = true;
	if (d->mode == DIR_MANY && d->reading)
		direction_stop(flow, d, DIR_ONESHOT);
	direction_blocked(flow, d);
}

void direction_unpause(struct direction *d)
{
	d->paused = false;
}

static void direction_starve(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	counter_inc(&worker->metrics->starved);
	if (!list_linked(&d->wait_link))
		list_push_back(&worker->starved, &d->wait_link);
}

/* -- splicing ---------------------------------------------------------- */

static void direction_pass_end(struct flow *flow, struct direction *d);
static void direction_go(struct flow *flow, struct direction *d);

static void direction_splice(struct flow *flow, struct direction *d)
{
	switch (splice_run(flow, d, bulk_step_bytes(flow->worker))) {
	case SPLICE_MORE:
		if (bulk_takes_turns(flow->worker))
			bulk_queue(flow->worker, d);
		else
			splice_poll(flow, d, false);
		break;
	case SPLICE_STUCK:
		splice_release(flow, d);
		d->mode = DIR_ONESHOT;
		d->small_turns = 0;
		d->more_to_read = true;
		bulk_open_window(&d->track, worker_now(flow->worker));
		if (!d->paused)
			direction_receive(flow, d);
		break;
	case SPLICE_ENDED:
		splice_release(flow, d);
		direction_pass_end(flow, d);
		break;
	case SPLICE_WAITS:
	case SPLICE_FAILED:
		break;
	}
}

/* From relay, with nothing armed and all sent. */
static bool direction_promote(struct flow *flow, struct direction *d)
{
	struct mono now = worker_now(flow->worker);

	d->bulk = true;
	bulk_open_window(&d->track, now);
	if (!splice_begin(flow, d)) {
		/* The next attempt is not the next read's. */
		flow_forget_advice(flow);
		return false;
	}
	d->mode = DIR_SPLICE;
	flow_review_by(flow, mono_add_ns(now, DIRECTION_SLOW_WINDOW_NS));
	direction_splice(flow, d);
	return true;
}

/* -- what next --------------------------------------------------------- */

/* http mode says what an end is worth. Where it is the flow's, it goes the
 * usual way. */
static void direction_framed_end(struct flow *flow, struct direction *d)
{
	if (d->mode == DIR_SPLICE)
		d->mode = DIR_ONESHOT;
	if (http_on_end(flow, d))
		direction_go(flow, d);
}

static void direction_pass_end(struct flow *flow, struct direction *d)
{
	const struct direction *other = d->up ? &flow->down : &flow->up;

	if (d->framed) {
		direction_framed_end(flow, d);
		return;
	}
	d->mode = DIR_IDLE;
	if (d->ktls && !flow->server_broken && !ktls_end(flow, d))
		return;
	d->fin_passed = true;
	if (flow->server_broken) {
		flow_direction_done(flow);
		return;
	}
	/* The second end is told by close(). A sink that is gone already is
	 * reported by its own receive. */
	if (!other->fin_passed && flow_sink_fd(flow, d) >= 0)
		(void)sock_shutdown_write(flow_sink_fd(flow, d));
	flow_direction_done(flow);
}

/* Of a framed direction only what is known to be data. */
static bool direction_may_splice(
    const struct flow *flow, const struct direction *d)
{
	return !d->framed || http_unseen(flow, d) >= HTTP_SPLICE_LEAST;
}

/* Leaves STOPPING once the last completion is in and all is sent. */
static void direction_stopped(struct flow *flow, struct direction *d)
{
	d->mode = d->next_mode;
	d->small_turns = 0;
	if (d->mode == DIR_SPLICE) {
		d->mode = DIR_ONESHOT;
		if (!d->paused && direction_may_splice(flow, d) &&
		    direction_promote(flow, d))
			return;
	}
	splice_release(flow, d);
	d->bulk = false;
	if (!d->paused)
		direction_receive(flow, d);
}

/* Arms a receive, or changes the mode instead. */
static void direction_read_next(struct flow *flow, struct direction *d)
{
	if (direction_is_bulk(flow, d) && direction_may_splice(flow, d) &&
	    (!d->tls || ktls_wanted(flow, d))) {
		if (!direction_drained(d)) {
			ring_hurry(&flow->worker->ring);
			return;
		}
		if (d->tls)
			ktls_begin(flow, d);
		if (!d->tls && direction_promote(flow, d))
			return;
	}
	if (d->mode == DIR_ONESHOT && d->small_turns >= DIRECTION_SMALL_TURNS) {
		d->mode = DIR_MANY;
		counter_inc(&flow->worker->metrics->many_starts);
	}
	direction_receive(flow, d);
}

/* Reads on in relay. */
static void direction_read_on(struct flow *flow, struct direction *d)
{
	if (d->reading) {
		/* Multishot is for small turns: bulk and slow sinks leave. */
		if (d->mode == DIR_MANY && direction_is_bulk(flow, d))
			direction_stop(
			    flow, d, d->tls ? DIR_ONESHOT : DIR_SPLICE);
		else if (d->mode == DIR_MANY && direction_backed_up(d))
			direction_stop(flow, d, DIR_ONESHOT);
		return;
	}
	if (direction_backed_up(d) || list_linked(&d->wait_link))
		return;
	if ((d->bulk || direction_is_bulk(flow, d)) &&
	    bulk_takes_turns(flow->worker))
		bulk_queue(flow->worker, d);
	else
		direction_read_next(flow, d);
}

/* What one receive may bring, TLS with what lies behind it. */
static uint32_t direction_step_bytes(
    const struct flow *flow, const struct direction *d)
{
	uint32_t bytes = flow->worker->ring.buffer_bytes;

	return d->tls ? bytes + (DIRECTION_MORE_BYTES << d->bulk_step) : bytes;
}

/* It may have found its sink full since it asked for a turn. */
void direction_take_turn(struct flow *flow, struct direction *d)
{
	if (d->mode == DIR_SPLICE) {
		direction_splice(flow, d);
	} else if (!direction_backed_up(d)) {
		bulk_charge(flow->worker, direction_step_bytes(flow, d));
		direction_read_next(flow, d);
	}
	http_turn(flow);
}

/* Something waits behind an inline send, which ends no wait. */
static bool direction_behind_send(const struct direction *d)
{
	if (!d->sending)
		return false;
	if (!d->parked_send)
		return d->n_held > 1 || d->parked_first;
	return !d->sink_full &&
	       (d->parked_first->next ||
		   d->parked_first->end >
		       d->parked_first->start + d->send_length);
}

/* The end of the source, or of a mode, once all before it is sent. */
static void direction_end_mode(struct flow *flow, struct direction *d)
{
	if (!direction_drained(d)) {
		if (d->sending && !d->sink_full)
			ring_hurry(&flow->worker->ring);
	} else if (direction_armed(d)) {
		/* close_notify ends a receive that goes on. */
		if (d->eof && (d->mode == DIR_MANY || d->mode == DIR_ONESHOT))
			direction_stop(flow, d, DIR_ONESHOT);
	} else if (d->eof) {
		direction_pass_end(flow, d);
	} else {
		direction_stopped(flow, d);
	}
}

/* What a server sent before it broke must not look complete. */
static bool direction_say_end(struct flow *flow, struct direction *d)
{
	if (d->end_said || flow->server_broken || !tls_sink(flow, d))
		return true;
	d->end_said = true;
	return tls_say_end(flow, d);
}

/* The pump of relay: send what is there, then see what comes next. */
static void direction_go(struct flow *flow, struct direction *d)
{
	if (d->eof && d->tls && !d->framed && !direction_say_end(flow, d))
		return;
	if (!relay_send(flow, d))
		return;
	if (d->mode == DIR_SHARD) {
		shard_sink_sent(flow);
		return;
	}
	if (d->eof || d->mode == DIR_STOPPING) {
		direction_end_mode(flow, d);
		return;
	}
	if (direction_behind_send(d))
		ring_hurry(&flow->worker->ring);
	/* It goes on by its polls. */
	if (d->mode != DIR_SPLICE)
		direction_read_on(flow, d);
}

/* -- events ------------------------------------------------------------ */

/* What http mode lets pass; most often all of it, from where it lies. */
static bool direction_take_framed(
    struct flow *flow, struct direction *d, uint16_t buffer, uint32_t length)
{
	struct ring *ring = &flow->worker->ring;
	const char *bytes = ring_buffer(ring, buffer);
	struct http_pass pass;
	bool good;

	direction_count(flow, d, bytes, length);
	good = http_see(flow, d, bytes, length, &pass);
	if (good && !pass.start && pass.end)
		return relay_take(flow, d, buffer, pass.end);
	good = good &&
	       http_emit(flow, d, bytes + pass.start, pass.end - pass.start);
	ring_buffer_return(ring, buffer);
	return good;
}

/* Bytes in a ring buffer, by the path of the flow. */
static bool direction_take(
    struct flow *flow, struct direction *d, uint16_t buffer, uint32_t length)
{
	struct ring *ring = &flow->worker->ring;
	bool good;

	if (!d->tls && d->framed)
		return direction_take_framed(flow, d, buffer, length);
	if (!d->tls) {
		direction_count(
		    flow, d, ring_buffer(&flow->worker->ring, buffer), length);
		return relay_take(flow, d, buffer, length);
	}
	good = tls_take(flow, d, ring_buffer(ring, buffer), length);
	ring_buffer_return(ring, buffer);
	return good;
}

/* A receive that took less than its buffer and still hears of more has, as far
 * as bytes can tell, met the end. Known now it goes out in one packet with the
 * last bytes, and costs neither a receive nor a turn. The look may take an
 * error away from the receive that would have told of it: 0 or that error. */
static int direction_look_for_end(
    struct flow *flow, struct direction *d, uint32_t received)
{
	int found;

	/* Where TLS is spoken, close_notify is the end. */
	if (d->tls || d->reading || d->mode != DIR_ONESHOT ||
	    !d->more_to_read || received >= flow->worker->ring.buffer_bytes)
		return 0;
	found = sock_peek(flow_source_fd(flow, d));
	d->eof = found == 0;
	return found < 0 && found != -EAGAIN ? found : 0;
}

/* What came before an error is still sent before the reset. */
static void direction_source_failed(
    struct flow *flow, struct direction *d, int error)
{
	if (d->up) {
		if (relay_send(flow, d))
			flow_fail_now(flow, 'C', error);
		return;
	}
	flow_server_broke(flow, error);
	d->eof = true;
	direction_go(flow, d);
}

/* A PROXY header that waits shares a packet with the client's first bytes
 * where they are there already, as they mostly are. */
static bool direction_join_header(struct flow *flow, struct direction *d)
{
	struct chunk *chunk = d->parked_last;
	int64_t n;

	if (!chunk || d->tls || d->bytes || d->reading || d->framed)
		return true;
	n = sock_receive(flow_source_fd(flow, d), chunk->data + chunk->end,
	    CHUNK_ROOM - chunk->end);
	if (n < 0 && n != -EAGAIN) {
		direction_source_failed(flow, d, (int)n);
		return false;
	}
	if (n > 0) {
		direction_count(flow, d, chunk->data + chunk->end, (uint32_t)n);
		chunk->end += (uint32_t)n;
		counter_add(&flow->worker->metrics->bytes_relayed, (uint64_t)n);
	}
	return true;
}

void direction_start(struct flow *flow, struct direction *d)
{
	d->mode = DIR_ONESHOT;
	bulk_open_window(&d->track, worker_now(flow->worker));
	if (direction_join_header(flow, d))
		direction_go(flow, d);
}

static_assert(DIRECTION_MORE_BYTES << DIRECTION_BULK_STEPS == WORKER_BULK_BYTES,
    "the last step fills the room");

/* TLS in bulk: a full buffer with more behind it. What is there goes with it,
 * so that several records share a turn and a send. 0, the source's error, or
 * -ECANCELED: the flow has ended, or this direction. */
static int direction_take_more(
    struct flow *flow, struct direction *d, uint32_t received)
{
	struct worker *worker = flow->worker;
	uint32_t room = DIRECTION_MORE_BYTES << d->bulk_step;
	int64_t n;

	if (!d->tls || d->reading || d->eof || d->mode != DIR_ONESHOT ||
	    !d->more_to_read || received < worker->ring.buffer_bytes ||
	    direction_backed_up(d) || worker_parked_is_scarce(worker))
		return 0;
	n = sock_receive(flow_source_fd(flow, d), worker->bulk, room);
	/* The end is for the next receive to find. */
	if (n <= 0)
		return n == -EAGAIN ? 0 : (int)n;
	d->more_to_read = n == room;
	if (d->more_to_read && d->bulk_step < DIRECTION_BULK_STEPS)
		d->bulk_step++;
	return tls_take(flow, d, worker->bulk, (uint32_t)n) ? 0 : -ECANCELED;
}

static void direction_drop(
    struct flow *flow, const struct direction *d, struct op_result result)
{
	if (result.flags & OP_BUFFER)
		ring_buffer_return(&flow->worker->ring, result.buffer);
	if (d->up && result.res < 0 && result.res != -ECANCELED &&
	    result.res != -ENOBUFS)
		flow_fail_now(flow, 'C', result.res);
}

void direction_on_receive(
    struct flow *flow, struct direction *d, struct op_result result)
{
	int err = 0;

	br_assert(d->reading);
	if (!(result.flags & OP_MORE))
		d->reading = false;
	d->more_to_read = result.flags & OP_NONEMPTY;
	if (d->abandoned) {
		direction_drop(flow, d, result);
		return;
	}
	if (result.res > 0) {
		br_assert(result.flags & OP_BUFFER);
		if (!direction_take(
			flow, d, result.buffer, (uint32_t)result.res))
			return;
		err = direction_take_more(flow, d, (uint32_t)result.res);
		if (err == -ECANCELED)
			return;
		if (!err)
			err = direction_look_for_end(
			    flow, d, (uint32_t)result.res);
		if (err) {
			direction_source_failed(flow, d, err);
			return;
		}
	} else if (result.flags & OP_BUFFER) {
		ring_buffer_return(&flow->worker->ring, result.buffer);
	}
	switch (result.res) {
	case 0:
		if (d->tls && !tls_ended(flow, d))
			return;
		d->eof = true;
		break;
	case -ENOBUFS:
		/* Who is stopping asks again if it needs one: it must not be
		 * resumed from the list in another mode. */
		if (d->mode != DIR_STOPPING)
			direction_starve(flow, d);
		break;
	case -ECANCELED: /* we are stopping */
	case -EINTR:
	case -EAGAIN:
		break;
	default:
		if (result.res > 0)
			break;
		direction_source_failed(flow, d, result.res);
		return;
	}
	direction_go(flow, d);
}

void direction_on_sent(
    struct flow *flow, struct direction *d, struct op_result result)
{
	if (d->abandoned) {
		relay_last_sent(flow, d, result.res);
		relay_release(flow, d);
		return;
	}
	if (d->framed && http_drops_send(flow, d)) {
		relay_last_sent(flow, d, result.res);
		relay_release(flow, d);
		return;
	}
	if (relay_sent(flow, d, result.res))
		direction_go(flow, d);
}

void direction_on_poll(
    struct flow *flow, struct direction *d, bool out, struct op_result result)
{
	br_assert(out ? d->poll_out : d->poll_in);
	if (out)
		d->poll_out = false;
	else
		d->poll_in = false;
	if (d->abandoned)
		return;
	if (d->mode == DIR_STOPPING) {
		direction_go(flow, d);
		return;
	}
	if (result.res < 0 && result.res != -ECANCELED) {
		flow_fail_now(flow, d->up != out ? 'C' : 'S', result.res);
		return;
	}
	if (bulk_takes_turns(flow->worker))
		bulk_queue(flow->worker, d);
	else
		direction_splice(flow, d);
}

void direction_resume(struct flow *flow, struct direction *d)
{
	direction_go(flow, d);
}

static bool direction_is_blocked(const struct direction *d)
{
	return !d->abandoned &&
	       (d->parked_first || d->poll_out || (d->paused && d->up));
}

/* Only the client is looked after: what a server sent before its reset is
 * passed on in any case, and its reset is found when that is done. */
void direction_blocked(struct flow *flow, const struct direction *d)
{
	if (d->up)
		flow_review_by(flow, mono_add_ns(worker_now(flow->worker),
					 DIRECTION_BLOCKED_LOOK_NS));
}

/* Its end waits for acknowledgements (ktls_end). */
static bool direction_is_ending(const struct direction *d)
{
	return d->ktls && d->eof && d->mode == DIR_IDLE && !d->fin_passed &&
	       !d->abandoned;
}

int64_t direction_review(struct flow *flow, struct direction *d)
{
	struct mono now = worker_now(flow->worker);
	int64_t due;

	if (direction_is_ending(d)) {
		direction_pass_end(flow, d);
		return direction_is_ending(d)
			   ? mono_add_ns(now, DIRECTION_ENDING_LOOK_NS).ns
			   : now.ns;
	}
	if (direction_is_blocked(d)) {
		if (d->up && sock_has_error(flow->client_fd))
			flow_fail(flow, 'C', 'D', -ECONNRESET);
		return now.ns + DIRECTION_BLOCKED_LOOK_NS;
	}
	if (d->mode != DIR_SPLICE)
		return INT64_MAX;
	due = d->track.window_start_ns + DIRECTION_SLOW_WINDOW_NS;
	if (now.ns < due)
		return due;
	if (d->track.bytes <
		DIRECTION_SLOW_BPS *
		    (uint64_t)(DIRECTION_SLOW_WINDOW_NS / NS_PER_S) &&
	    d->poll_in) {
		counter_inc(&flow->worker->metrics->demotions);
		flow_forget_advice(flow);
		direction_stop(flow, d, DIR_ONESHOT);
		return INT64_MAX;
	}
	bulk_open_window(&d->track, now);
	return now.ns + DIRECTION_SLOW_WINDOW_NS;
}

/* What a send in flight still reads is released when that has completed. */
void direction_abandon(struct flow *flow, struct direction *d)
{
	struct ring *ring = &flow->worker->ring;

	if (d->fin_passed || d->abandoned)
		return;
	d->abandoned = true;
	d->mode = DIR_IDLE;
	list_remove(&d->wait_link);
	if (d->reading)
		ring_cancel(ring, &flow->op,
		    d->up ? FLOW_TAG_RECV_UP : FLOW_TAG_RECV_DOWN);
	if (d->poll_in)
		ring_cancel(ring, &flow->op,
		    d->up ? FLOW_TAG_POLL_IN_UP : FLOW_TAG_POLL_IN_DOWN);
	if (d->poll_out)
		ring_cancel(ring, &flow->op,
		    d->up ? FLOW_TAG_POLL_OUT_UP : FLOW_TAG_POLL_OUT_DOWN);
	if (!d->sending)
		relay_release(flow, d);
	splice_release(flow, d);
}

void direction_release(struct flow *flow, struct direction *d)
{
	/* The flow has nothing in flight, so neither have we. */
	d->reading = d->poll_in = d->poll_out = d->sending = false;
	list_remove(&d->wait_link);
	relay_release(flow, d);
	splice_release(flow, d);
}
