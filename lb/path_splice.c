/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/path.h"

#include "base/assert.h"
#include "io/pipe.h"
#include "io/sock.h"
#include "lb/bulk_turn.h"
#include "lb/flow.h"
#include "lb/http_flow.h"
#include "lb/worker.h"

#include <errno.h>
#include <poll.h>

bool splice_begin(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	if (pipe_borrow(&worker->pipes, &d->pipe)) {
		counter_inc(&worker->metrics->splice_no_pipe);
		return false;
	}
	counter_inc(&worker->metrics->promotions);
	counter_inc(&worker->metrics->flows_splicing);
	counter_set(&worker->metrics->pipes, worker->pipes.made);
	d->spliced = true;
	return true;
}

void splice_release(struct flow *flow, struct direction *d)
{
	struct worker *worker = flow->worker;

	if (!d->pipe)
		return;
	pipe_return(&worker->pipes, d->pipe);
	d->pipe = NULL;
	counter_sub(&worker->metrics->flows_splicing, 1);
	counter_set(&worker->metrics->pipes, worker->pipes.made);
}

void splice_poll(struct flow *flow, struct direction *d, bool out)
{
	struct ring *ring = &flow->worker->ring;

	if (out) {
		d->poll_out = true;
		ring_poll(ring, &flow->op,
		    d->up ? FLOW_TAG_POLL_OUT_UP : FLOW_TAG_POLL_OUT_DOWN,
		    flow_sink_fd(flow, d), POLLOUT);
		direction_blocked(flow, d);
	} else {
		d->poll_in = true;
		ring_poll(ring, &flow->op,
		    d->up ? FLOW_TAG_POLL_IN_UP : FLOW_TAG_POLL_IN_DOWN,
		    flow_source_fd(flow, d), POLLIN | POLLRDHUP);
	}
}

static void splice_failed(struct flow *flow, bool at_client, int64_t error)
{
	if (at_client)
		flow_fail_now(flow, 'C', (int)error);
	else
		flow_server_broke(flow, (int)error);
}

/* Empties the pipe into the sink. */
static enum splice_outcome splice_drain(struct flow *flow, struct direction *d)
{
	while (d->pipe->bytes) {
		int64_t n = pipe_drain(d->pipe, flow_sink_fd(flow, d));

		if (n == -EAGAIN) {
			splice_poll(flow, d, true);
			return SPLICE_WAITS;
		}
		if (n <= 0 && n != -EINTR) {
			splice_failed(flow, !d->up, n ? n : -EPIPE);
			return SPLICE_FAILED;
		}
		bulk_charge(flow->worker, n > 0 ? (uint64_t)n : 0);
		flow->active_at = worker_now(flow->worker);
	}
	return d->eof ? SPLICE_ENDED : SPLICE_MORE;
}

/*
 * One fill, one drain, one poll: a second try at the source mostly finds it
 * empty and only costs a call, while waiting lets more come together. A pipe
 * that still holds something is topped up first, so that a sink which has
 * just made room gets as much as it can take. Whether EAGAIN means an empty
 * source or a full pipe does not matter here: what is in the pipe decides.
 * Where all that was asked for came, there is mostly more.
 */
enum splice_outcome splice_run(
    struct flow *flow, struct direction *d, uint32_t most)
{
	struct pipe *pipe = d->pipe;
	int fd = flow_source_fd(flow, d);
	enum splice_outcome outcome;
	uint32_t asked;
	int64_t n = -EAGAIN;

	if (most > pipe->capacity_bytes)
		most = pipe->capacity_bytes;
	asked = pipe->bytes < most ? most - pipe->bytes : 0;
	if (d->framed && asked > http_unseen(flow, d))
		asked = (uint32_t)http_unseen(flow, d);
	/* What follows has to be seen. */
	if (d->framed && !asked && !pipe->bytes && !d->eof)
		return SPLICE_STUCK;
	if (!d->eof && asked)
		n = pipe_fill(pipe, fd, asked);
	/* At a mark of urgent data splice(2) stops for good, with EAGAIN or
	 * as at the end of the stream, although bytes follow: what it is, a
	 * receive knows. With bytes in the pipe it is asked when they are
	 * gone. */
	if (!d->eof && !pipe->bytes && (n == 0 || n == -EAGAIN)) {
		n = sock_peek(fd);
		if (n > 0)
			return SPLICE_STUCK;
		d->eof = n == 0;
	}
	if (n < 0 && n != -EAGAIN && n != -EINTR) {
		splice_failed(flow, d->up, n);
		if (d->up)
			return SPLICE_FAILED;
		/* What the server sent before is in the pipe. */
		d->eof = true;
	}
	if (n > 0) {
		direction_count(flow, d, NULL, (uint32_t)n);
		if (d->framed)
			http_skip(flow, d, (uint32_t)n);
		counter_add(&flow->worker->metrics->bytes_spliced, (uint64_t)n);
	}
	outcome = splice_drain(flow, d);
	if (outcome == SPLICE_MORE && d->framed && !http_unseen(flow, d))
		return SPLICE_STUCK;
	if (outcome != SPLICE_MORE || n == asked)
		return outcome;
	splice_poll(flow, d, false);
	return SPLICE_WAITS;
}
