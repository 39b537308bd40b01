/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The head of an HTTP/1 message: its first line and its fields, up to the
 * empty line (RFC 9112 sections 2 to 6, RFC 9110 section 5). Nothing is
 * decided here but what is malformed; what a proxy must know before it
 * forwards a message is reported as shapes, and the caller decides.
 *
 *     GET /a?b HTTP/1.1 CRLF          method, target, minor
 *     Host: www.example.com CRLF      known fields as spans, others passed
 *     Range: bytes=0-99 CRLF          over (http1_field_next() walks all)
 *     CRLF                            DONE: `bytes` is the head's length
 *
 * Incremental: call again with more bytes, the same ones in front; a line is
 * read once. While it is MORE, all fields of the lines that were whole hold
 * already.
 *
 * Thread:  one at a time.
 * Memory:  spans are offsets into the caller's bytes, so these may move
 *          between calls. Nothing is allocated.
 * Errors:  MALFORMED: a request is to be answered with 400, an answer not to
 *          be passed on (RFC 9112 5.1, 5.2, 6.3); `cause` says why.
 * Limits:  the caller's: it gives up when a head is too long for it. Offsets
 *          are 32 bits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum http1_result { HTTP1_MORE, HTTP1_DONE, HTTP1_MALFORMED };

/* Shapes: legal or tolerated, and each of them a reason for somebody not to
 * take the message apart. */
#define HTTP1_BARE_LF 0x0001u /* a line ended without CR */
#define HTTP1_FOLDED 0x0002u /* obs-fold, RFC 9112 5.2 */
#define HTTP1_LEADING_LINE 0x0004u /* empty lines before the first */
#define HTTP1_HAS_LENGTH 0x0008u /* content_length holds */
#define HTTP1_LENGTH_AGAIN 0x0010u /* said more than once, always the same */
#define HTTP1_HAS_CODING 0x0020u /* Transfer-Encoding */
#define HTTP1_CHUNKED 0x0040u /* ... which is "chunked" and nothing else */
#define HTTP1_LENGTH_AND_CODING 0x0080u /* RFC 9112 6.3: an attack, mostly */
#define HTTP1_NO_HOST 0x0100u /* of an HTTP/1.1 request */
#define HTTP1_HOST_AGAIN 0x0200u /* several Host fields */
#define HTTP1_KNOWN_AGAIN 0x0400u /* another known field twice: the first */
#define HTTP1_HIGH_BYTES 0x0800u /* obs-text: bytes above 0x7f */
#define HTTP1_CLOSE 0x1000u /* Connection: close */
#define HTTP1_UPGRADES 0x2000u /* Connection: upgrade */

/* Fields whose values are kept. */
#define HTTP1_FIELD_LIST(X)                                                    \
	X(HOST, "host")                                                        \
	X(RANGE, "range")                                                      \
	X(UPGRADE, "upgrade")                                                  \
	X(CONNECTION, "connection")                                            \
	X(CONTENT_TYPE, "content-type")                                        \
	X(CONTENT_LENGTH, "content-length")                                    \
	X(TRANSFER_ENCODING, "transfer-encoding")                              \
	X(EXPECT, "expect")                                                    \
	X(AUTHORIZATION, "authorization")

enum http1_field {
#define X(id, name) HTTP1_##id,
	HTTP1_FIELD_LIST(X)
#undef X
	    HTTP1_FIELD_COUNT
};

#define HTTP1_CAUSE_LIST(X)                                                    \
	X(HTTP1_CAUSE_NONE, "none")                                            \
	X(HTTP1_CAUSE_LINE, "malformed request or status line")                \
	X(HTTP1_CAUSE_VERSION, "not HTTP/1")                                   \
	X(HTTP1_CAUSE_NAME, "malformed field name")                            \
	X(HTTP1_CAUSE_VALUE, "control character in a field")                   \
	X(HTTP1_CAUSE_FOLD, "the first field begins with a blank")             \
	X(HTTP1_CAUSE_LENGTH, "malformed or contradicting Content-Length")

enum http1_cause {
#define X(name, text) name,
	HTTP1_CAUSE_LIST(X)
#undef X
};

/* Length 0: not there, or empty. */
struct http1_span {
	uint32_t at, length;
};

struct http1_head {
	bool answer;
	bool line_read; /* the first line's fields hold */
	uint8_t minor; /* of HTTP/1.minor: 0 or 1 */
	uint8_t cause; /* enum http1_cause */
	uint16_t status; /* of an answer; 0: a request */
	uint16_t shapes; /* HTTP1_... */
	uint32_t bytes; /* read so far; when DONE, the whole head */
	uint32_t fields_at; /* where the fields begin */
	struct http1_span method, target;
	struct http1_span known[HTTP1_FIELD_COUNT];
	uint64_t content_length;
	/* The reader's own. */
	uint32_t scanned;
	uint16_t seen; /* by bit, known fields */
};

void http1_head_start(struct http1_head *head, bool answer);
enum http1_result http1_head_read(
    struct http1_head *head, const void *bytes, size_t length) BR_MUST_CHECK;
const char *http1_cause_text(enum http1_cause cause);
/* Walks the fields of a head: *at starts as head->fields_at. A folded value is
 * given as it stands, with its line breaks. False at the end. */
bool http1_field_next(const struct http1_head *head, const void *bytes,
    uint32_t *at, struct http1_span *ret_name, struct http1_span *ret_value);
/* Whether a comma-separated list, such as Connection or Upgrade, has the token
 * (which is in lower case). */
bool http1_list_has(
    const void *bytes, struct http1_span list, const char *token);
