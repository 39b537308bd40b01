/* SPDX-License-Identifier: Apache-2.0 */
/* http mode: its begin and end, what waits for the end of an event, and the
 * taps of both directions. */
#include "lb/http_flow.h"

#include "base/assert.h"
#include "lb/flow_log.h"
#include "lb/flow_steps.h"
#include "lb/http_parts.h"
#include "lb/path.h"
#include "lb/shard_flow.h"
#include "lb/tls_end.h"

#include <string.h>

/* Each of them does something that is left to do: more than all kinds. */
#define HTTP_TURN_STEPS 64u

/* -- begin ------------------------------------------------------------- */

static bool http_begin(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct http_flow *http;

	if (!side_new(flow))
		return false;
	http = slab_new(&worker->http_slab);
	if (!http) {
		counter_inc(&worker->metrics->http_opaque);
		return false;
	}
	memset(http, 0, offsetof(struct http_flow, room));
	flow->side->http = http;
	http_request_reset(http);
	http1_head_start(&http->answer, true);
	return true;
}

/* What was read before there was a server is the first that comes; a header of
 * ours goes before it. */
static bool http_take_first(struct flow *flow)
{
	struct first *first = flow->side->first;
	const uint8_t *bytes;
	uint32_t header, n;
	bool good;

	if (!first)
		return true;
	bytes = first->bytes + first->start;
	header = first->header;
	n = first->end - first->start - header;
	good = http_emit(flow, &flow->up, bytes, header);
	if (good && n) {
		direction_count(flow, &flow->up, bytes + header, n);
		good = http_relay(flow, &flow->up, bytes + header, n);
	}
	side_drop_first(flow);
	return good;
}

bool http_establish(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (!http) {
		if (flow->upstream->pool->shard.range == CONF_SHARD_OFF ||
		    !http_begin(flow))
			return true;
		flow->up.framed = flow->down.framed = true;
		return http_take_first(flow);
	}
	return http_reopened(flow);
}

/* -- bytes ------------------------------------------------------------- */

bool http_emit(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length)
{
	if (!length)
		return true;
	http_of(flow)->todo |= d->up ? HTTP_TO_GO_UP : HTTP_TO_GO_DOWN;
	return tls_sink(flow, d) ? tls_seal(flow, d, bytes, length)
				 : relay_park(flow, d, bytes, length);
}

bool http_see(struct flow *flow, struct direction *d, const void *bytes,
    uint32_t length, struct http_pass *ret)
{
	const struct http_flow *http = http_of(flow);
	const uint8_t *at = bytes;
	uint32_t used = 0;

	if (!d->up)
		return http_answer_see(flow, at, length, ret);
	*ret = (struct http_pass){0, 0};
	if (!http->held_first &&
	    !http_request_see(flow, at, length, ret, &used))
		return false;
	return http_hold(flow, at + used, length - used);
}

bool http_relay(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length)
{
	struct http_pass pass;

	return http_see(flow, d, bytes, length, &pass) &&
	       http_emit(flow, d, (const uint8_t *)bytes + pass.start,
		   pass.end - pass.start);
}

uint64_t http_unseen(const struct flow *flow, const struct direction *d)
{
	const struct http_flow *http = http_of(flow);

	if (d->up)
		return http->request_step == HTTP_REQUEST_BODY && http->sent
			   ? http1_body_opaque(&http->up_body)
			   : 0;
	if (http->answer_step != HTTP_ANSWER_BODY || http->excess ||
	    http->todo & (HTTP_TO_SHARD | HTTP_TO_DROP))
		return 0;
	return http1_body_opaque(&http->down_body);
}

void http_skip(struct flow *flow, struct direction *d, uint32_t n)
{
	struct http_flow *http = http_of(flow);

	if (d->up) {
		http1_body_skip(&http->up_body, n);
		if (http->up_body.done)
			http_request_whole(flow);
	} else {
		http1_body_skip(&http->down_body, n);
		if (http->down_body.done)
			http_answer_whole(flow);
	}
}

/* -- opaque ------------------------------------------------------------ */

/* All that was kept goes on, in its order; what is held is fed last. */
bool http_let_go(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	bool good = http->sent ||
		    http_emit(flow, &flow->up, http->bytes, http->gathered);

	http->sent = true;
	flow->up.framed = flow->down.framed = false;
	direction_unpause(&flow->down);
	http->todo = HTTP_TO_FEED | HTTP_TO_GO_UP | HTTP_TO_GO_DOWN;
	return good;
}

bool http_make_opaque(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (!http->opaque)
		counter_inc(&flow->worker->metrics->http_opaque);
	http->opaque = true;
	if (http_has_home(flow))
		return http_let_go(flow);
	http_seek_home(flow);
	return true;
}

/* -- turns ------------------------------------------------------------- */

/* The next request has all its attempts, and may be asked of all servers. */
static void http_forget_failures(struct flow *flow)
{
	flow->retries = flow->n_tried = 0;
	flow->n_failed = 0;
}

void http_answered(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http->n_requests++;
	http->answered_at = worker_now(flow->worker);
	counter_inc(&flow->worker->metrics->http_requests);
	http_account(flow);
	http_forget_failures(flow);
	http_answer_reset(flow);
	http_chunk_free(flow, &http->long_head);
	http_request_reset(http);
	http->down_before = flow->down.bytes;
	/* All of it came before the engine could begin. */
	if (http->todo & HTTP_TO_SHARD) {
		http->todo &= (uint8_t)~HTTP_TO_SHARD;
		http->todo |= HTTP_TO_GO_DOWN;
		direction_unpause(&flow->down);
	}
	if (http->last || (flow->up.eof && !http->held_first)) {
		http->request_step = HTTP_REQUEST_OVER;
		http->todo |= HTTP_TO_FINISH;
	} else if (http->held_first) {
		http->todo |= HTTP_TO_FEED;
	}
}

/* The client hears the end behind its last answer; what it says from here on
 * is for nobody. */
static void http_finish(struct flow *flow)
{
	http_drop_held(flow);
	direction_unpause(&flow->up);
	direction_unpause(&flow->down);
	/* What still comes in a receive that is cancelled is not passed. */
	flow->down.framed = flow->down.reading;
	flow->down.eof = true;
	if (flow->down.mode == DIR_IDLE)
		flow->down.mode = DIR_ONESHOT;
	direction_resume(flow, &flow->down);
	if (flow->state == FLOW_ESTABLISHED)
		direction_resume(flow, &flow->up);
}

/* False: nothing can be done now. */
static bool http_step(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	uint8_t todo = http->todo;

	if (todo & HTTP_TO_FEED) {
		http->todo &= (uint8_t)~HTTP_TO_FEED;
		if (http_feed(flow))
			http->todo |= HTTP_TO_GO_UP;
	} else if (todo & HTTP_TO_GO_UP) {
		http->todo &= (uint8_t)~HTTP_TO_GO_UP;
		direction_resume(flow, &flow->up);
	} else if (todo & HTTP_TO_GO_DOWN) {
		http->todo &= (uint8_t)~HTTP_TO_GO_DOWN;
		direction_resume(flow, &flow->down);
	} else if (todo & HTTP_TO_FINISH) {
		http->todo &= (uint8_t)~HTTP_TO_FINISH;
		http_finish(flow);
	} else if (todo & HTTP_TO_DROP) {
		return http_drop_home(flow);
	} else if (todo & HTTP_TO_SHARD) {
		return http_begin_shards(flow);
	} else if (todo & HTTP_TO_OPEN) {
		return http_open_home(flow);
	} else {
		return false;
	}
	return true;
}

void http_settle(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	for (unsigned i = 0; i < HTTP_TURN_STEPS && http->todo &&
			     flow->state == FLOW_ESTABLISHED;
	     i++) {
		if (!http_step(flow))
			return;
	}
}

/* -- ends -------------------------------------------------------------- */

/* Both directions are a relay's from here on, with what that does at ends. */
static bool http_pass_end(struct flow *flow)
{
	flow->up.framed = flow->down.framed = false;
	return true;
}

static bool http_client_ended(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (http->held_first || http->todo & HTTP_TO_OPEN)
		return false;
	switch ((enum http_request_step)http->request_step) {
	case HTTP_REQUEST_WAIT:
		return false;
	case HTTP_REQUEST_OVER:
		flow->up.framed = false;
		return true;
	case HTTP_REQUEST_BODY:
		return http_pass_end(flow);
	case HTTP_REQUEST_HEAD:
		break;
	}
	if (http_has_home(flow)) {
		if (!http->gathered)
			return http_pass_end(flow);
		/* A part of a head: the server shall see it. */
		(void)http_make_opaque(flow);
		return false;
	}
	/* There is nobody to tell, and nothing was left unanswered. */
	http->request_step = HTTP_REQUEST_OVER;
	http->todo |= HTTP_TO_FINISH;
	return false;
}

bool http_on_end(struct flow *flow, struct direction *d)
{
	return d->up ? http_client_ended(flow) : http_server_ended(flow);
}

bool http_awaits(const struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	return http && flow->down.framed &&
	       http->request_step == HTTP_REQUEST_WAIT;
}

bool http_is_between(const struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	return http && !http->opaque && http->n_requests &&
	       http->answer_step == HTTP_ANSWER_NONE && !http->gathered;
}

/* The status is the one that the client got. */
static uint16_t http_status(const struct http_flow *http)
{
	if (http->answer_step <= HTTP_ANSWER_HEAD)
		return 0;
	return http->survives && http->order.injected ? 200
						      : http->answer.status;
}

static void http_record(
    const struct flow *flow, uint32_t number, struct flow_record *ret)
{
	const struct http_flow *http = http_of(flow);
	const struct http1_head *head = &http->request;
	struct flow_request request = {.number = number,
	    .status = http_status(http),
	    .method = (const char *)http->bytes + head->method.at,
	    .method_bytes = head->method.length,
	    .target = (const char *)http->bytes + head->target.at,
	    .target_bytes = head->target.length,
	    /* What is behind it may have been received, too. */
	    .bytes_up = head->bytes + http->up_body.data,
	    .bytes_down = flow->down.bytes - http->down_before,
	    .shards = http->n_shards,
	    .pieces = http->n_pieces,
	    .migrations = http->n_migrations,
	    .bar = http->bar,
	    .begun_at = http->began_at};

	if (http->sent)
		request.sent_at = http->sent_at;
	if (http->answer_begun)
		request.answered_at = http->first_byte_at;
	flow_record_add_request(ret, flow, &request);
}

void http_record_end(const struct flow *flow, struct flow_record *ret)
{
	const struct http_flow *http = http_of(flow);

	if (http && !http->opaque && http->request_bytes)
		http_record(flow, http->n_requests + 1, ret);
}

void http_account(struct flow *flow)
{
	const struct http_flow *http = http_of(flow);
	struct worker *worker = flow->worker;
	struct flow_record *record;

	if (!atomic_load_explicit(
		&worker->shared->log_access, memory_order_relaxed))
		return;
	record = flow_log_room(worker->log);
	if (!record) {
		counter_inc(&worker->metrics->log_dropped);
		return;
	}
	flow_record_fill(record, flow);
	record->end_by = record->end_phase = '-';
	record->error = 0;
	http_record(flow, http->n_requests, record);
	record_queue_put(worker->log);
}

void http_free(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (!http)
		return;
	http_drop_held(flow);
	http_chunk_free(flow, &http->long_head);
	http_chunk_free(flow, &http->answer_head);
	digest_free(http->digest);
	slab_free(&flow->worker->http_slab, http);
	flow->side->http = NULL;
}
