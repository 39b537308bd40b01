/* SPDX-License-Identifier: Apache-2.0 */
/* http mode, towards the server: heads and bodies of requests, and what waits
 * behind the one that is answered. */
#include "lb/http_parts.h"

#include "base/assert.h"
#include "lb/path.h"
#include "lb/shard_flow.h"
#include "lb/tls_end.h"

#include <string.h>
#include <strings.h>

/* Longer ones there are none, nor that many empty lines before one. */
#define HTTP_METHOD_MAX 64u

/* Of one call of http_request_see(). */
struct look {
	const uint8_t *bytes;
	uint32_t length, at;
	struct http_pass *pass;
};

/* -- what is held ------------------------------------------------------ */

struct chunk *http_chunk_new(struct flow *flow)
{
	return relay_chunk_new(flow->worker);
}

void http_chunk_free(struct flow *flow, struct chunk **chunk)
{
	if (*chunk)
		relay_chunk_free(flow->worker, *chunk);
	*chunk = NULL;
}

static void http_drop_first_held(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct chunk *first = http->held_first;

	http->held_first = first->next;
	if (!http->held_first)
		http->held_last = NULL;
	relay_chunk_free(flow->worker, first);
}

void http_drop_held(struct flow *flow)
{
	while (http_of(flow)->held_first)
		http_drop_first_held(flow);
}

static bool http_hold_room(struct flow *flow)
{
	struct http_flow *http = http_of(flow);
	struct chunk *chunk;

	if (http->held_last && http->held_last->end < CHUNK_ROOM)
		return true;
	chunk = http_chunk_new(flow);
	if (!chunk) {
		counter_inc(&flow->worker->metrics->parked_full);
		flow_fail_now(flow, 'R', BR_E_LIMIT);
		return false;
	}
	if (http->held_last)
		http->held_last->next = chunk;
	else
		http->held_first = chunk;
	http->held_last = chunk;
	return true;
}

bool http_hold(struct flow *flow, const uint8_t *bytes, uint32_t length)
{
	struct http_flow *http = http_of(flow);

	while (length) {
		struct chunk *chunk;
		uint32_t n;

		if (!http_hold_room(flow))
			return false;
		chunk = http->held_last;
		n = CHUNK_ROOM - chunk->end;
		if (n > length)
			n = length;
		memcpy(chunk->data + chunk->end, bytes, n);
		chunk->end += n;
		bytes += n;
		length -= n;
	}
	if (http->held_first)
		direction_pause(flow, &flow->up);
	return true;
}

bool http_feed(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	while (http->held_first) {
		struct chunk *chunk = http->held_first;
		uint8_t *bytes = (uint8_t *)chunk->data + chunk->start;
		struct http_pass pass = {0, chunk->end - chunk->start};
		uint32_t used = pass.end;

		if (flow->up.framed &&
		    !http_request_see(flow, bytes, used, &pass, &used))
			return false;
		if (!http_emit(flow, &flow->up, bytes + pass.start,
			pass.end - pass.start))
			return false;
		chunk->start += used;
		if (chunk->start < chunk->end)
			return true;
		http_drop_first_held(flow);
	}
	direction_unpause(&flow->up);
	return true;
}

/* -- heads ------------------------------------------------------------- */

void http_request_reset(struct http_flow *http)
{
	http1_head_start(&http->request, false);
	http->request_step = HTTP_REQUEST_HEAD;
	http->bytes = http->room;
	http->gathered = http->request_bytes = 0;
	http->sent = http->edited = http->once = false;
}

/* Copies behind what is there of the head: how many bytes. 0: the head is too
 * long, or there is no memory for it. */
static uint32_t http_gather(
    struct flow *flow, const uint8_t *bytes, uint32_t length)
{
	struct http_flow *http = http_of(flow);
	uint32_t room = http->long_head ? CHUNK_ROOM : HTTP_HEAD_ROOM;
	uint8_t *to = http->room;

	if (http->gathered + length > room && !http->long_head) {
		http->long_head = http_chunk_new(flow);
		if (!http->long_head)
			return 0;
		memcpy(http->long_head->data, http->room, http->gathered);
		room = CHUNK_ROOM;
	}
	if (http->long_head)
		to = (uint8_t *)http->long_head->data;
	if (length > room - http->gathered)
		length = room - http->gathered;
	memcpy(to + http->gathered, bytes, length);
	http->bytes = to;
	http->gathered += length;
	return length;
}

/* The rest passes as it is, behind what was kept. */
static bool http_look_opaque(struct flow *flow, struct look *look)
{
	if (!http_make_opaque(flow))
		return false;
	/* There is no server yet that could be given it. */
	if (flow->up.framed)
		return true;
	look->pass->end = look->length;
	look->at = look->length;
	return true;
}

/* RFC 4559: the credentials hold for the connection, not for the request, so
 * what comes later must use the same one. */
static bool http_is_bound(const struct http1_head *head, const uint8_t *bytes)
{
	struct http1_span span = head->known[HTTP1_AUTHORIZATION];
	const char *value = (const char *)bytes + span.at;

	return (span.length >= 4 && !strncasecmp(value, "NTLM", 4)) ||
	       (span.length >= 9 && !strncasecmp(value, "Negotiate", 9));
}

static bool http_request_is_opaque(
    const struct http1_head *head, const uint8_t *bytes)
{
	return !head->minor ||
	       http1_framing(head, HTTP1_ASKED_OTHER) == HTTP1_UNCLEAR ||
	       http1_asked(head, bytes) == HTTP1_ASKED_CONNECT ||
	       http_is_bound(head, bytes);
}

/* What passes of this look goes as a copy, so that copies may follow it: the
 * rest of a body whose answer came before it, with the next request behind. */
static bool http_look_emit(struct flow *flow, struct look *look)
{
	struct http_pass *pass = look->pass;
	uint32_t start = pass->start, n = pass->end - start;

	pass->start = pass->end = look->at;
	return http_emit(flow, &flow->up, look->bytes + start, n);
}

/* A head that is asked as a piece is another one. */
static bool http_request_edit(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	uint8_t head[CHUNK_ROOM];
	struct cursor_out out = cursor_out_of(head, sizeof head);

	if (http->once || flow->upstream->tls ||
	    !shard_edit_request(flow, &out))
		return true;
	http->edited = true;
	if (look && !http_look_emit(flow, look))
		return false;
	return http_emit(
	    flow, &flow->up, head, (uint32_t)cursor_out_length(&out));
}

static void http_note_sent(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http->sent = true;
	http->n_sent++;
	http->sent_at = worker_now(flow->worker);
}

bool http_request_send(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http_note_sent(flow);
	if (!http_request_edit(flow, NULL))
		return false;
	return http->edited ||
	       http_emit(flow, &flow->up, http->bytes, http->request_bytes);
}

/* In one piece as it came, and where it lies: nothing is copied. */
static bool http_send_in_place(struct flow *flow, struct look *look)
{
	http_note_sent(flow);
	if (!http_request_edit(flow, look))
		return false;
	look->pass->end = look->at;
	return true;
}

/* Behind this look's bytes that pass already, copies would come too early. */
static bool http_send_copy(struct flow *flow, struct look *look)
{
	br_assert(look->pass->start == look->pass->end);
	look->pass->start = look->pass->end = look->at;
	return http_request_send(flow);
}

/* A request's head is whole: [.., look->at) ends with it. */
static bool http_request_begin(
    struct flow *flow, struct look *look, bool in_place)
{
	struct http_flow *http = http_of(flow);
	enum http1_framing framing =
	    http1_framing(&http->request, HTTP1_ASKED_OTHER);

	http->request_bytes = http->gathered;
	http1_body_start(&http->up_body, &http->request, framing);
	http->request_step =
	    http->up_body.done ? HTTP_REQUEST_WAIT : HTTP_REQUEST_BODY;
	http->last = http->request.shapes & HTTP1_CLOSE;
	http_answer_reset(flow);
	http->answer_step = HTTP_ANSWER_HEAD;
	if (!http_has_home(flow)) {
		http_seek_home(flow);
		return true;
	}
	return in_place ? http_send_in_place(flow, look)
			: http_send_copy(flow, look);
}

static void http_note_begin(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http->began_at = worker_now(flow->worker);
	http->down_before = flow->down.bytes;
	http->n_shards = http->n_pieces = http->n_migrations = 0;
	http->bar = SHARD_BAR_NONE;
}

/* A first line that is not whole is waited for only while it may become one:
 * a client of another protocol may wait for an answer before it ends it. */
static enum http1_result http_read_request(
    struct http1_head *head, const uint8_t *bytes, uint32_t length)
{
	enum http1_result result = http1_head_read(head, bytes, length);

	if (result != HTTP1_MORE || head->line_read)
		return result;
	for (uint32_t i = 0; i < length && bytes[i] != ' '; i++) {
		uint8_t c = bytes[i];

		/* Empty lines may come before it (RFC 9112 2.2). */
		if (i == HTTP_METHOD_MAX ||
		    ((c < '!' || c > '~') && c != '\r' && c != '\n'))
			return HTTP1_MALFORMED;
	}
	return HTTP1_MORE;
}

static bool http_head_in_place(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	const uint8_t *bytes = look->bytes + look->at;
	uint32_t left = look->length - look->at;
	enum http1_result result;

	http_note_begin(flow);
	result = http_read_request(&http->request, bytes, left);
	if (result == HTTP1_MALFORMED ||
	    (result == HTTP1_DONE &&
		http_request_is_opaque(&http->request, bytes)))
		return http_look_opaque(flow, look);
	if (result == HTTP1_DONE)
		left = http->request.bytes;
	if (left > CHUNK_ROOM || http_gather(flow, bytes, left) < left) {
		http->gathered = 0;
		return http_look_opaque(flow, look);
	}
	look->at += left;
	return result == HTTP1_MORE || http_request_begin(flow, look, true);
}

static bool http_head_gathered(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	uint32_t before = http->gathered;
	uint32_t n =
	    http_gather(flow, look->bytes + look->at, look->length - look->at);
	enum http1_result result = HTTP1_MALFORMED;

	if (n)
		result = http_read_request(
		    &http->request, http->bytes, http->gathered);
	if (result == HTTP1_MALFORMED ||
	    (result == HTTP1_DONE &&
		http_request_is_opaque(&http->request, http->bytes))) {
		look->at += n;
		look->pass->start = look->pass->end = look->at;
		return http_look_opaque(flow, look);
	}
	if (result == HTTP1_DONE) {
		n = http->request.bytes - before;
		http->gathered = http->request.bytes;
	}
	look->at += n;
	return result == HTTP1_MORE || http_request_begin(flow, look, false);
}

/* -- bodies ------------------------------------------------------------ */

void http_request_whole(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http->request_step = HTTP_REQUEST_WAIT;
	if (http->answer_step == HTTP_ANSWER_DONE)
		http_answered(flow);
}

static bool http_request_body(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	size_t taken;
	enum http1_result result = http1_body_take(&http->up_body,
	    look->bytes + look->at, look->length - look->at, &taken);

	look->at += (uint32_t)taken;
	look->pass->end = look->at;
	if (result == HTTP1_MALFORMED)
		return http_look_opaque(flow, look);
	if (result == HTTP1_DONE)
		http_request_whole(flow);
	return true;
}

/* Whether what comes next may be looked at. */
static bool http_looks_on(const struct http_flow *http)
{
	switch ((enum http_request_step)http->request_step) {
	case HTTP_REQUEST_HEAD:
	case HTTP_REQUEST_OVER:
		return true;
	case HTTP_REQUEST_BODY:
		return http->sent;
	case HTTP_REQUEST_WAIT:
		break;
	}
	return false;
}

bool http_request_see(struct flow *flow, const uint8_t *bytes, uint32_t length,
    struct http_pass *ret, uint32_t *ret_used)
{
	struct http_flow *http = http_of(flow);
	struct look look = {bytes, length, 0, ret};
	bool good = true;

	*ret = (struct http_pass){0, 0};
	while (good && look.at < length && flow->up.framed && !http->opaque &&
	       http_looks_on(http)) {
		if (http->request_step == HTTP_REQUEST_OVER)
			look.at = length;
		else if (http->request_step == HTTP_REQUEST_BODY)
			good = http_request_body(flow, &look);
		else if (http->gathered)
			good = http_head_gathered(flow, &look);
		else
			good = http_head_in_place(flow, &look);
	}
	*ret_used = look.at;
	return good;
}
