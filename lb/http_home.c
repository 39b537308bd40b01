/* SPDX-License-Identifier: Apache-2.0 */
/* http mode: the connection to the server, which may come and go between two
 * requests, and the engine of range shards in its place. */
#include "lb/http_parts.h"

#include "base/assert.h"
#include "io/pipe.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/path.h"
#include "lb/shard_flow.h"
#include "lb/tls_end.h"

#include <string.h>

bool http_has_home(const struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	return flow->server_fd >= 0 && !(http->todo & HTTP_TO_DROP) &&
	       !http->lost;
}

/* -- losing it --------------------------------------------------------- */

static bool http_is_safe(const struct http_flow *http)
{
	const struct http1_head *head = &http->request;
	const uint8_t *method = http->bytes + head->method.at;

	return (head->method.length == 3 && !memcmp(method, "GET", 3)) ||
	       (head->method.length == 4 && !memcmp(method, "HEAD", 4));
}

/* The client has heard nothing of an answer: the head of one that was asked as
 * a piece is kept until it is whole. */
static bool http_is_unheard(const struct http_flow *http)
{
	return http->answer_step == HTTP_ANSWER_HEAD &&
	       (!http->answer_begun || http->edited);
}

/* RFC 9110 9.2.2, and only where no byte of an answer has come. On a
 * connection that was used before, the server has mostly just closed it: that
 * is no failure, and costs no attempt. */
static bool http_may_replay(const struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	return http->request_step == HTTP_REQUEST_WAIT &&
	       http_is_unheard(http) && http->sent &&
	       http->up_body.framing == HTTP1_NO_BODY && http_is_safe(http) &&
	       (http->n_sent > 1 ||
		   flow->retries < flow->upstream->pool->connect_retries);
}

/* Nothing was asked that is not answered. */
static bool http_is_idle(const struct http_flow *http)
{
	return http->n_requests && http->answer_step == HTTP_ANSWER_NONE &&
	       http->request_step == HTTP_REQUEST_HEAD;
}

static bool http_may_continue(const struct http_flow *http)
{
	return http->answer_step == HTTP_ANSWER_BODY && http->survives;
}

bool http_server_lost(struct flow *flow, int error)
{
	struct http_flow *http = http_of(flow);

	if (!http || !flow->down.framed)
		return false;
	if (http->lost || http->todo & HTTP_TO_DROP ||
	    http->request_step == HTTP_REQUEST_OVER)
		return true;
	if (!http_is_idle(http) && !http_may_replay(flow) &&
	    !http_may_continue(http)) {
		if (flow->server_fd >= 0)
			flow->up.framed = flow->down.framed = false;
		return false;
	}
	http->lost = true;
	http->lost_error = error;
	return true;
}

static void http_blame(struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	if (http->n_sent > 1)
		return;
	flow_blame_server(flow, http->lost ? http->lost_error : BR_E_CLOSED);
	counter_inc(&flow_server_metrics(flow)->retries);
	flow->retries++;
	if (flow->n_tried < UPSTREAM_TRIED_MAX)
		flow->tried[flow->n_tried++] = flow->server->index;
	if (flow->n_failed < flow->n_tried)
		flow->n_failed = flow->n_tried & 15u;
}

static void http_replay(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	counter_inc(&flow->worker->metrics->http_replays);
	http_blame(flow);
	http_answer_reset(flow);
	http->answer_step = HTTP_ANSWER_HEAD;
	http->sent = http->edited = false;
	http->todo |= HTTP_TO_DROP | HTTP_TO_OPEN;
}

/* The client hears an end that it did not expect. What it says behind the
 * request is for nobody: the server would see it with a hole before it. */
static bool http_end_early(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	flow->down.framed = false;
	if (http->request_step == HTTP_REQUEST_WAIT) {
		http->request_step = HTTP_REQUEST_OVER;
		http_drop_held(flow);
		direction_unpause(&flow->up);
		http->todo |= HTTP_TO_GO_UP;
	} else if (!http_let_go(flow)) {
		return false;
	}
	if (http->lost)
		flow_server_broke(flow, http->lost_error);
	return true;
}

bool http_server_ended(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (http->todo & HTTP_TO_DROP)
		return false;
	if (http_is_idle(http)) {
		http->todo |= HTTP_TO_DROP;
		return false;
	}
	if (http->request_step == HTTP_REQUEST_OVER) {
		flow->down.framed = false;
		return true;
	}
	if (http_may_replay(flow)) {
		http_replay(flow);
		return false;
	}
	if (http_may_continue(http)) {
		http->todo |= HTTP_TO_DROP | HTTP_TO_SHARD;
		return false;
	}
	return http_end_early(flow);
}

bool http_drops_send(const struct flow *flow, const struct direction *d)
{
	const struct http_flow *http = http_of(flow);

	return d->up && d->framed && (http->lost || http->todo & HTTP_TO_DROP);
}

static void http_forget_server(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct side *side = flow->side;
	struct direction *up = &flow->up, *down = &flow->down;

	relay_release(flow, up);
	list_remove(&down->wait_link);
	if (side->server_tls)
		tls_session_fini(&side->server);
	side->server_tls = false;
	if (flow->server_fd >= 0)
		ring_close(&flow->worker->ring, flow->server_fd);
	flow->server_fd = -1;
	up->sent_before = up->nodelay_set = up->ktls = up->end_said = false;
	up->sink_full = false;
	flow->ack_waits = false;
	down->eof = down->more_to_read = false;
	down->mode = DIR_IDLE;
	http->lost = http->dropping = false;
	http->n_sent = 0;
	flow_release_server(flow);
}

bool http_drop_home(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct direction *up = &flow->up, *down = &flow->down;
	struct ring *ring = &flow->worker->ring;

	direction_pause(flow, down);
	/* What it has said before is still on its way to the client. */
	if (down->pipe && down->pipe->bytes)
		return false;
	if (flow->server_fd >= 0 &&
	    (up->sending || up->poll_out || down->reading || down->poll_in)) {
		if (!http->dropping)
			ring_cancel_fd(ring, flow->server_fd);
		http->dropping = true;
		ring_hurry(ring);
		return false;
	}
	http->todo &= (uint8_t)~HTTP_TO_DROP;
	http_forget_server(flow);
	return true;
}

/* -- finding another --------------------------------------------------- */

void http_seek_home(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	/* One that is lost may not have said so in all ways yet. */
	if (flow->server_fd >= 0)
		http->todo |= HTTP_TO_DROP;
	http->todo |= HTTP_TO_OPEN;
}

bool http_open_home(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	direction_pause(flow, &flow->up);
	/* One that stays armed would bring more than can be held. */
	if (flow->up.reading && flow->up.mode != DIR_ONESHOT)
		return false;
	http->todo &= (uint8_t)~HTTP_TO_OPEN;
	counter_inc(&flow->worker->metrics->http_reopened);
	flow->chosen_at = (struct mono){0};
	flow_enter(flow, FLOW_CHOOSING);
	return true;
}

bool http_reopened(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	direction_unpause(&flow->down);
	if (http->opaque)
		return http_let_go(flow);
	if (!http_request_send(flow))
		return false;
	http->todo |= HTTP_TO_FEED;
	return true;
}

/* -- shards ------------------------------------------------------------ */

bool http_begin_shards(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct direction *down = &flow->down;
	struct shard_order order = http->order;
	int err;

	if (down->reading || down->poll_in || down->poll_out ||
	    !direction_drained(down)) {
		if (down->sending && !down->sink_full)
			ring_hurry(&flow->worker->ring);
		return false;
	}
	http->todo &= (uint8_t)~HTTP_TO_SHARD;
	splice_release(flow, down);
	order.first += http->down_body.data;
	down->mode = DIR_SHARD;
	err = shard_begin(flow, &order);
	if (!err)
		return true;
	down->mode = DIR_ONESHOT;
	if (flow->server_fd < 0 || order.injected) {
		flow_fail(flow, flow->server_fd < 0 ? 'S' : 'R', 'D', err);
		return true;
	}
	http->bar = SHARD_BAR_limit;
	direction_unpause(down);
	http->todo |= HTTP_TO_GO_DOWN;
	return true;
}

void http_shards_done(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct direction *down = &flow->down;

	br_assert(down->mode == DIR_SHARD);
	down->mode = flow->server_fd >= 0 ? DIR_ONESHOT : DIR_IDLE;
	http->n_sent = 2;
	if (flow->server_fd >= 0)
		direction_unpause(down);
	http->down_body.done = true;
	http_answered(flow);
	http->todo |= HTTP_TO_GO_DOWN;
	http_turn(flow);
}
