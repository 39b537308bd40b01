/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where an HTTP/1 message ends: how its body is delimited, and a reader that
 * follows the body without changing or keeping a byte of it (RFC 9112
 * sections 6 and 7).
 *
 *     head ──> http1_framing() ──> none | length | chunks | close | tunnel
 *                                       │         or unclear
 *                                       v
 *     bytes ──> http1_body_take() ──> how many of them are this message's
 *
 * UNCLEAR is what two readers could delimit differently, which is how requests
 * are smuggled: such a message is never taken apart. The caller passes it, and
 * all behind it, as opaque bytes, or refuses it.
 *
 * Most of a body need not be seen: http1_body_opaque() says how many of the
 * next bytes are nothing but data, and http1_body_skip() that so many went by
 * another way (splice).
 *
 * Thread:  one at a time.
 * Memory:  the caller's; nothing is allocated.
 * Units:   bytes.
 * Errors:  MALFORMED in chunks; nothing after it can be delimited.
 * Limits:  HTTP1_CHUNK_LINE_MAX for a line that gives a chunk's size, with its
 *          extensions; HTTP1_TRAILERS_MAX for all trailers.
 */
#include "io/http1_head.h"

#define HTTP1_CHUNK_LINE_MAX 1024u
#define HTTP1_TRAILERS_MAX 16384u

enum http1_framing {
	HTTP1_NO_BODY,
	HTTP1_BY_LENGTH,
	HTTP1_BY_CHUNKS,
	HTTP1_UNTIL_CLOSE, /* an answer's: its end is the connection's */
	HTTP1_TUNNEL, /* what follows is no HTTP */
	HTTP1_UNCLEAR,
};

/* What of its request decides how an answer is delimited. */
enum http1_asked { HTTP1_ASKED_OTHER, HTTP1_ASKED_HEAD, HTTP1_ASKED_CONNECT };

struct http1_body {
	uint64_t left; /* bytes of data until the next thing to be read */
	uint64_t data; /* bytes of data that have passed */
	uint32_t line; /* length of the line that is read, or of all trailers */
	uint8_t framing; /* enum http1_framing */
	uint8_t step; /* of chunks, the reader's own */
	bool done;
};

/* What a request asks. */
enum http1_asked http1_asked(const struct http1_head *head, const void *bytes);
/* How the body behind a whole head is delimited; `asked` is of an answer. */
enum http1_framing http1_framing(
    const struct http1_head *head, enum http1_asked asked);
/* TUNNEL and UNCLEAR have no body that could be followed. */
void http1_body_start(struct http1_body *body, const struct http1_head *head,
    enum http1_framing framing);
/* Reads on: *ret_taken bytes are of this message. Less than `length` of them
 * only with DONE, or with MALFORMED, where they are those before the error. */
enum http1_result http1_body_take(struct http1_body *body, const void *bytes,
    size_t length, size_t *ret_taken) BR_MUST_CHECK;
/* How many of the next bytes are data whatever they are; UINT64_MAX: all until
 * the connection's end. */
uint64_t http1_body_opaque(const struct http1_body *body);
/* So many of those have passed unseen. */
void http1_body_skip(struct http1_body *body, uint64_t n);
/* The source has ended. True: the message is whole. */
bool http1_body_close(struct http1_body *body) BR_MUST_CHECK;
