/* SPDX-License-Identifier: Apache-2.0 */
/* http mode, towards the client: heads and bodies of answers. */
#include "lb/http_parts.h"

#include "base/assert.h"
#include "fleet/outlier.h"
#include "io/http1_range.h"
#include "lb/path.h"
#include "lb/shard_flow.h"

#include <string.h>
#include <strings.h>

struct look {
	const uint8_t *bytes;
	uint32_t length, at;
	struct http_pass *pass;
};

void http_answer_reset(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	http1_head_start(&http->answer, true);
	http_chunk_free(flow, &http->answer_head);
	http->answer_step = HTTP_ANSWER_NONE;
	http->answer_begun = http->survives = false;
	digest_free(http->digest);
	http->digest = NULL;
}

static bool http_look_opaque(struct flow *flow, struct look *look)
{
	look->pass->end = look->at = look->length;
	return http_make_opaque(flow);
}

/* Nobody asked for it: whatever it is, no client shall take it for the answer
 * to what it asks next. */
static bool http_take_excess(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);

	/* The server speaks first: no HTTP, or an error before any request. */
	if (!http->n_requests && http->answer_step == HTTP_ANSWER_NONE)
		return http_look_opaque(flow, look);
	look->at = look->length;
	/* Behind the piece that home was asked for: others go on. */
	if (http->answer_step == HTTP_ANSWER_BODY) {
		http->todo |= HTTP_TO_DROP;
		return true;
	}
	http->excess = http->last = true;
	counter_inc(&flow->worker->metrics->http_excess);
	direction_pause(flow, &flow->down);
	if (http->answer_step == HTTP_ANSWER_NONE) {
		http->request_step = HTTP_REQUEST_OVER;
		http->todo |= HTTP_TO_FINISH;
	}
	return true;
}

/* -- heads ------------------------------------------------------------- */

static bool http_offers_bound(const uint8_t *bytes, struct http1_span value)
{
	const char *text = (const char *)bytes + value.at;

	return (value.length >= 4 && !strncasecmp(text, "NTLM", 4)) ||
	       (value.length >= 9 && !strncasecmp(text, "Negotiate", 9));
}

/* RFC 4559: what follows is bound to this connection. */
static bool http_answer_binds(
    const struct http1_head *head, const uint8_t *bytes)
{
	static const char name_text[] = "www-authenticate";
	struct http1_span name, value;
	uint32_t at = head->fields_at;

	if (head->status != 401 && head->status != 407)
		return false;
	while (http1_field_next(head, bytes, &at, &name, &value)) {
		if (name.length == sizeof name_text - 1 &&
		    !strncasecmp((const char *)bytes + name.at, name_text,
			sizeof name_text - 1) &&
		    http_offers_bound(bytes, value))
			return true;
	}
	return false;
}

static bool http_answer_is_opaque(const struct http1_head *head,
    enum http1_framing framing, const uint8_t *bytes)
{
	return !head->minor || framing == HTTP1_UNCLEAR ||
	       framing == HTTP1_TUNNEL || framing == HTTP1_UNTIL_CLOSE ||
	       http_answer_binds(head, bytes);
}

/* Of an edited request the head was kept: as it is, or as the client is to see
 * it. What is in place may pass where it lies. */
static bool http_pass_head(
    struct flow *flow, struct look *look, const uint8_t *head, bool edit)
{
	struct http_flow *http = http_of(flow);
	uint8_t edited[CHUNK_ROOM];
	struct cursor_out out = cursor_out_of(edited, sizeof edited);

	if (!http->edited) {
		look->pass->end = look->at;
		return true;
	}
	look->pass->start = look->pass->end = look->at;
	if (!edit)
		return http_emit(flow, &flow->down, head, http->answer.bytes);
	if (!shard_edit_answer(flow, &http->order, &http->answer, head, &out)) {
		flow_fail_now(flow, 'R', BR_E_LIMIT);
		return false;
	}
	return http_emit(
	    flow, &flow->down, edited, (uint32_t)cursor_out_length(&out));
}

/* RFC 9110 15.2: any number of them comes before the answer. */
static bool http_interim(
    struct flow *flow, struct look *look, const uint8_t *head)
{
	struct http_flow *http = http_of(flow);

	if (!http_pass_head(flow, look, head, false))
		return false;
	http1_head_start(&http->answer, true);
	http_chunk_free(flow, &http->answer_head);
	return true;
}

static bool http_ask_again(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);

	look->pass->start = look->pass->end = look->at = look->length;
	http_answer_reset(flow);
	http->answer_step = HTTP_ANSWER_HEAD;
	http->edited = http->sent = false;
	http->once = true;
	http->todo |= HTTP_TO_DROP | HTTP_TO_OPEN;
	direction_pause(flow, &flow->down);
	return true;
}

void http_answer_whole(struct flow *flow)
{
	struct http_flow *http = http_of(flow);

	if (http->request_step == HTTP_REQUEST_WAIT)
		http_answered(flow);
	else
		http->answer_step = HTTP_ANSWER_DONE;
}

static bool http_answer_body_begin(struct flow *flow, struct look *look,
    const uint8_t *head, enum http1_framing framing)
{
	struct http_flow *http = http_of(flow);
	enum shard_worth worth = SHARD_NOT;
	bool injected;

	http->bar =
	    framing == HTTP1_BY_CHUNKS ? SHARD_BAR_length : SHARD_BAR_NONE;
	if ((framing == HTTP1_BY_LENGTH || http->edited) &&
	    http->request_step == HTTP_REQUEST_WAIT)
		worth =
		    shard_judge_answer(flow, &http->answer, head, &http->order);
	if (worth == SHARD_ASK_AGAIN)
		return http_ask_again(flow, look);
	injected = worth != SHARD_NOT && http->order.injected;
	if (!injected && http_answer_is_opaque(&http->answer, framing, head))
		return http_pass_head(flow, look, head, false) &&
		       http_look_opaque(flow, look);
	if (!http_pass_head(flow, look, head, injected))
		return false;
	/* Not for the length of a body that may take hours. */
	http_chunk_free(flow, &http->answer_head);
	http1_body_start(&http->down_body, &http->answer, framing);
	if (injected)
		http->down_body.left = http->order.end - http->order.first;
	http->answer_step = HTTP_ANSWER_BODY;
	if (http->answer.shapes & HTTP1_CLOSE && !injected)
		http->last = true;
	http->survives = worth != SHARD_NOT;
	if (worth == SHARD_SPLIT) {
		http->todo |= HTTP_TO_SHARD;
		direction_pause(flow, &flow->down);
	}
	if (http->down_body.done)
		http_answer_whole(flow);
	return true;
}

/* The head is whole, and [.., look->at) ends with it. */
static bool http_answer_begin(
    struct flow *flow, struct look *look, const uint8_t *head)
{
	struct http_flow *http = http_of(flow);
	enum http1_framing framing = http1_framing(
	    &http->answer, http1_asked(&http->request, http->bytes));

	if (framing == HTTP1_NO_BODY && http->answer.status < 200)
		return http_interim(flow, look, head);
	return http_answer_body_begin(flow, look, head, framing);
}

/* Copies of a head that comes in parts; false: no room. */
static bool http_answer_gather(
    struct flow *flow, const uint8_t *bytes, uint32_t length)
{
	struct http_flow *http = http_of(flow);
	struct chunk *chunk = http->answer_head;

	if (!chunk)
		chunk = http->answer_head = http_chunk_new(flow);
	if (!chunk || length > CHUNK_ROOM - chunk->end)
		return false;
	memcpy(chunk->data + chunk->end, bytes, length);
	chunk->end += length;
	return true;
}

/* What is no head that we can read, or have room for. Of an edited request the
 * bytes were kept; the client asked for something else. */
static bool http_answer_unread(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);

	if (http->edited)
		return http_ask_again(flow, look);
	return http_look_opaque(flow, look);
}

/* What does not even begin like one is not waited for. */
static enum http1_result http_read_answer(
    struct http1_head *head, const uint8_t *bytes, uint32_t length)
{
	static const char begin[] = "HTTP/1.";
	uint32_t n = length < sizeof begin - 1 ? length : sizeof begin - 1;

	return memcmp(bytes, begin, n) ? HTTP1_MALFORMED
				       : http1_head_read(head, bytes, length);
}

static bool http_answer_head(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	const uint8_t *bytes = look->bytes + look->at;
	uint32_t left = look->length - look->at, before = 0;
	enum http1_result result;

	if (!http->answer_begun) {
		http->first_byte_at = worker_now(flow->worker);
		outlier_answered(flow->server->row);
	}
	http->answer_begun = true;
	if (http->answer_head) {
		before = http->answer_head->end;
		/* More than a head may have come: its end is looked for. */
		if (left > CHUNK_ROOM - before)
			left = CHUNK_ROOM - before;
		if (!left || !http_answer_gather(flow, bytes, left))
			return http_answer_unread(flow, look);
		bytes = (const uint8_t *)http->answer_head->data;
	}
	result = http_read_answer(&http->answer, bytes, before + left);
	if (result == HTTP1_MALFORMED)
		return http_answer_unread(flow, look);
	if (result == HTTP1_DONE) {
		look->at += http->answer.bytes - before;
		return http_answer_begin(flow, look, bytes);
	}
	if (!http->answer_head && !http_answer_gather(flow, bytes, left))
		return http_answer_unread(flow, look);
	look->at += left;
	look->pass->end = look->at;
	if (http->edited)
		look->pass->start = look->at;
	return true;
}

/* -- bodies ------------------------------------------------------------ */

/* What home was asked for ends before the answer does. */
static uint64_t http_home_room(const struct http_flow *http)
{
	const struct shard_order *order = &http->order;

	if (!http->survives || !order->injected)
		return UINT64_MAX;
	return order->home_to - order->first - http->down_body.data;
}

static bool http_answer_body(struct flow *flow, struct look *look)
{
	struct http_flow *http = http_of(flow);
	uint32_t left = look->length - look->at;
	uint64_t room = http_home_room(http);
	enum http1_result result;
	size_t taken;

	if (!room)
		return http_take_excess(flow, look);
	if (left > room)
		left = (uint32_t)room;
	result = http1_body_take(
	    &http->down_body, look->bytes + look->at, left, &taken);
	if (http->digest)
		digest_add(http->digest, look->bytes + look->at, taken);
	look->at += (uint32_t)taken;
	look->pass->end = look->at;
	if (result == HTTP1_MALFORMED)
		return http_look_opaque(flow, look);
	if (result == HTTP1_DONE)
		http_answer_whole(flow);
	return true;
}

bool http_answer_see(struct flow *flow, const uint8_t *bytes, uint32_t length,
    struct http_pass *ret)
{
	struct http_flow *http = http_of(flow);
	struct look look = {bytes, length, 0, ret};
	bool good = true;

	*ret = (struct http_pass){0, 0};
	/* Given up already. */
	if (http->todo & HTTP_TO_DROP || http->excess)
		return true;
	/* It took no more, but answers; it is given up behind that. What was
	 * asked as a piece is asked of another instead. */
	if (http->lost && http->edited && !http->survives)
		return http_ask_again(flow, &look);
	if (http->lost && !http->survives &&
	    http->answer_step != HTTP_ANSWER_NONE) {
		int error = http->lost_error;

		/* Not lost before all that it has said is. */
		http->lost = false;
		good = http_look_opaque(flow, &look);
		flow_server_broke(flow, error);
		return good && flow->state != FLOW_CLOSING;
	}
	while (good && look.at < length && flow->down.framed) {
		if (http->todo & HTTP_TO_DROP || http->excess)
			break;
		if (http->answer_step == HTTP_ANSWER_HEAD)
			good = http_answer_head(flow, &look);
		else if (http->answer_step == HTTP_ANSWER_BODY)
			good = http_answer_body(flow, &look);
		else
			good = http_take_excess(flow, &look);
	}
	return good;
}
