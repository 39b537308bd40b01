/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Heads made of heads, where one download is asked in pieces: the client's
 * request with another Range, and the answer to a piece as the answer to the
 * whole. All other fields pass as they came, in their order.
 *
 *     GET /a HTTP/1.1            GET /a HTTP/1.1
 *     Host: x              ──>   Host: x
 *     Connection: x-hop          Range: bytes=0-65535
 *     X-Hop: 1                   If-Range: "etag"
 *
 *     HTTP/1.1 206 ...           HTTP/1.1 200 OK
 *     ETag: "etag"         ──>   ETag: "etag"
 *     Content-Range: ...         Content-Length: 1000000
 *     Content-Length: 65536             Accept-Ranges: bytes
 *
 * Many servers say Accept-Ranges only of a whole: it is said where a part has
 * shown it.
 *
 * Left out of both: what belongs to one connection, Connection and all that it
 * names (RFC 9110 7.6.1). Of a request: conditions, Range, Expect. Of an
 * answer: what is only true of the part (RFC 9530 4 for Content-Digest).
 *
 * The heads must be whole and have none of the shapes that make a message
 * unclear (http1_body.h).
 *
 * Thread:  any; pure.
 * Memory:  the caller's room.
 * Errors:  false: no room.
 */
#include "base/cursor.h"
#include "io/http1_range.h"

struct http1_piece {
	uint64_t first, last; /* inclusive, as on the wire */
	/* Of If-Range: an entity tag or a date as it came; length 0: none. */
	const char *validator;
	uint32_t validator_bytes;
};

/* What the client is to be told. */
struct http1_whole {
	uint64_t first, last, total;
	bool partial; /* the client itself asked for a range: 206 */
	bool close; /* its connection ends behind the answer */
};

bool http1_edit_request(const struct http1_head *head, const void *bytes,
    const struct http1_piece *piece, struct cursor_out *out) BR_MUST_CHECK;
bool http1_edit_answer(const struct http1_head *head, const void *bytes,
    const struct http1_whole *whole, struct cursor_out *out) BR_MUST_CHECK;
