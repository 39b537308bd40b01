/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_body.h"

#include "base/assert.h"

#include <string.h>

/* 15 hexadecimal digits never overflow; no chunk has 2^60 bytes. */
#define CHUNK_SIZE_MAX (UINT64_C(1) << 56)

/* What no two readers may see differently. Repeated equal lengths are legal to
 * merge (RFC 9112 6.3), but we pass heads on as they are. */
#define SHAPES_UNCLEAR                                                         \
	(HTTP1_BARE_LF | HTTP1_FOLDED | HTTP1_LENGTH_AGAIN |                   \
	    HTTP1_LENGTH_AND_CODING)

enum step {
	STEP_SIZE_FIRST, /* its first digit */
	STEP_SIZE,
	STEP_EXTENSION,
	STEP_SIZE_LF,
	STEP_DATA,
	STEP_DATA_CR,
	STEP_DATA_LF,
	STEP_TRAILER_FIRST, /* at the beginning of a line */
	STEP_TRAILER,
	STEP_TRAILER_LF,
	STEP_END_LF,
};

static bool method_is(
    const struct http1_head *head, const void *bytes, const char *name)
{
	size_t length = strlen(name);

	return head->method.length == length &&
	       !memcmp((const char *)bytes + head->method.at, name, length);
}

enum http1_asked http1_asked(const struct http1_head *head, const void *bytes)
{
	if (method_is(head, bytes, "HEAD"))
		return HTTP1_ASKED_HEAD;
	if (method_is(head, bytes, "CONNECT"))
		return HTTP1_ASKED_CONNECT;
	return HTTP1_ASKED_OTHER;
}

/* RFC 9112 6.1: a coding in HTTP/1.0 is a sign of a framing error, and one that
 * is not just "chunked" cannot be followed. */
static bool framing_is_unclear(const struct http1_head *head)
{
	if (head->shapes & SHAPES_UNCLEAR)
		return true;
	return head->shapes & HTTP1_HAS_CODING &&
	       (!(head->shapes & HTTP1_CHUNKED) || !head->minor);
}

/* RFC 9112 6.3, in its order. */
enum http1_framing http1_framing(
    const struct http1_head *head, enum http1_asked asked)
{
	if (framing_is_unclear(head))
		return HTTP1_UNCLEAR;
	if (head->answer) {
		if (head->status == 101)
			return HTTP1_TUNNEL;
		if (asked == HTTP1_ASKED_HEAD || head->status < 200 ||
		    head->status == 204 || head->status == 304)
			return HTTP1_NO_BODY;
		if (asked == HTTP1_ASKED_CONNECT && head->status < 300)
			return HTTP1_TUNNEL;
	}
	if (head->shapes & HTTP1_CHUNKED)
		return HTTP1_BY_CHUNKS;
	if (head->shapes & HTTP1_HAS_LENGTH)
		return head->content_length ? HTTP1_BY_LENGTH : HTTP1_NO_BODY;
	return head->answer ? HTTP1_UNTIL_CLOSE : HTTP1_NO_BODY;
}

void http1_body_start(struct http1_body *body, const struct http1_head *head,
    enum http1_framing framing)
{
	br_assert(framing != HTTP1_TUNNEL && framing != HTTP1_UNCLEAR);
	*body = (struct http1_body){.framing = (uint8_t)framing};
	if (framing == HTTP1_BY_LENGTH)
		body->left = head->content_length;
	body->done = framing == HTTP1_NO_BODY;
}

uint64_t http1_body_opaque(const struct http1_body *body)
{
	if (body->done)
		return 0;
	if (body->framing == HTTP1_UNTIL_CLOSE)
		return UINT64_MAX;
	if (body->framing == HTTP1_BY_CHUNKS && body->step != STEP_DATA)
		return 0;
	return body->left;
}

void http1_body_skip(struct http1_body *body, uint64_t n)
{
	br_assert(n <= http1_body_opaque(body));
	body->data += n;
	if (body->framing == HTTP1_UNTIL_CLOSE)
		return;
	body->left -= n;
	if (body->left)
		return;
	if (body->framing == HTTP1_BY_CHUNKS)
		body->step = STEP_DATA_CR;
	else
		body->done = true;
}

/* --- chunks --- */

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The line of a size is over: data follows, or the trailers do. */
static void chunk_begin(struct http1_body *body)
{
	body->line = 0;
	body->step = body->left ? STEP_DATA : STEP_TRAILER_FIRST;
}

static bool chunk_size(struct http1_body *body, uint8_t c)
{
	int digit = hex_value(c);

	if (++body->line > HTTP1_CHUNK_LINE_MAX)
		return false;
	if (digit >= 0) {
		if (body->left >= CHUNK_SIZE_MAX)
			return false;
		body->left = body->left << 4 | (unsigned)digit;
		body->step = STEP_SIZE;
		return true;
	}
	if (body->step == STEP_SIZE_FIRST)
		return false;
	/* RFC 9112 7.1.1 lets blanks stand before an extension's semicolon. */
	if (c == '\r')
		body->step = STEP_SIZE_LF;
	else if (c == ';' || c == ' ' || c == '\t')
		body->step = STEP_EXTENSION;
	else
		return false;
	return true;
}

/* Extensions mean nothing to us; control characters in them, a bare LF first
 * of all, are where readers differ. */
static bool chunk_extension(struct http1_body *body, uint8_t c)
{
	if (++body->line > HTTP1_CHUNK_LINE_MAX)
		return false;
	if (c == '\r')
		body->step = STEP_SIZE_LF;
	return c == '\r' || c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool trailer(struct http1_body *body, uint8_t c)
{
	if (++body->line > HTTP1_TRAILERS_MAX)
		return false;
	if (c == '\r')
		body->step = body->step == STEP_TRAILER_FIRST ? STEP_END_LF
							      : STEP_TRAILER_LF;
	else
		body->step = STEP_TRAILER;
	return c == '\r' || c == '\t' || (c >= ' ' && c != 0x7f);
}

/* One byte that is no data. */
static bool chunk_byte(struct http1_body *body, uint8_t c)
{
	switch ((enum step)body->step) {
	case STEP_SIZE_FIRST:
	case STEP_SIZE:
		return chunk_size(body, c);
	case STEP_EXTENSION:
		return chunk_extension(body, c);
	case STEP_SIZE_LF:
		chunk_begin(body);
		return c == '\n';
	case STEP_DATA_CR:
		body->step = STEP_DATA_LF;
		return c == '\r';
	case STEP_DATA_LF:
		body->step = STEP_SIZE_FIRST;
		return c == '\n';
	case STEP_TRAILER_FIRST:
	case STEP_TRAILER:
		return trailer(body, c);
	case STEP_TRAILER_LF:
		body->step = STEP_TRAILER_FIRST;
		return c == '\n';
	case STEP_END_LF:
		body->done = c == '\n';
		return body->done;
	case STEP_DATA:
		break;
	}
	return false;
}

static enum http1_result chunks_take(struct http1_body *body,
    const uint8_t *bytes, size_t length, size_t *ret_taken)
{
	size_t n = 0;

	while (n < length && !body->done) {
		if (body->step == STEP_DATA) {
			size_t some = length - n < body->left
					  ? length - n
					  : (size_t)body->left;

			http1_body_skip(body, some);
			n += some;
			continue;
		}
		if (!chunk_byte(body, bytes[n])) {
			*ret_taken = n;
			return HTTP1_MALFORMED;
		}
		n++;
	}
	*ret_taken = n;
	return body->done ? HTTP1_DONE : HTTP1_MORE;
}

enum http1_result http1_body_take(struct http1_body *body, const void *bytes,
    size_t length, size_t *ret_taken)
{
	uint64_t most;

	if (body->framing == HTTP1_BY_CHUNKS)
		return chunks_take(body, bytes, length, ret_taken);
	most = http1_body_opaque(body);
	*ret_taken = length < most ? length : (size_t)most;
	http1_body_skip(body, *ret_taken);
	return body->done ? HTTP1_DONE : HTTP1_MORE;
}

bool http1_body_close(struct http1_body *body)
{
	if (body->framing == HTTP1_UNTIL_CLOSE)
		body->done = true;
	return body->done;
}
