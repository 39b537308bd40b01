/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * http mode: a flow whose messages are delimited both ways, so that what one
 * request asks for may be fetched from several servers, and a server that is
 * lost between two requests, or before the first byte of an answer, is
 * replaced without the client's noticing.
 *
 *      client ── up ───> framer: one request at a time ──> server (home)
 *             <─ down ── framer: its answer             <──
 *
 *      request:  HEAD ──> (BODY) ──> WAIT ──> HEAD ...     OVER
 *      answer:   NONE ──> HEAD ──> (BODY) ──> (DONE) ──> NONE ...
 *
 * It is a tap on the two directions of a flow (`framed`): what they receive is
 * shown to it, and of most of it the tap says "goes on as it is" (struct
 * http_pass), so nothing is copied but the head of the request, which is kept
 * until its answer is whole. What a client sends behind a request is held back,
 * and the client not read, until it is that request's turn.
 *
 * The framing decides nothing that two readers could see differently: a head or
 * a body of such a shape, a tunnel, HTTP/1.0 and authentication that belongs
 * to a connection make the flow opaque for good: all bytes that were held go
 * on in their order, and the flow is a plain relay on the same connection.
 *
 * The ends of both directions are its decision while the flow is framed
 * (http_on_end): a client's end is passed on when its last request has been
 * answered, a server's only where it ends a message or cannot be made up for.
 *
 *      http_flow.c     begin, turns, opaque, accounts
 *      http_request.c  up: heads, bodies, what is held
 *      http_answer.c   down
 *      http_home.c     the connection to the server: lost, reopened, replayed
 *
 * Thread:  the flow's worker.
 * Memory:  a slab of the worker; side->http until the flow ends. Request heads
 *          that do not fit in it, and what is held, are in chunks of
 *          limits.parked_total.
 * Errors:  false: the flow has ended (path.h).
 * Limits:  a head has CHUNK_ROOM bytes at most; a longer one is opaque.
 */
#include "io/http1_body.h"
#include "lb/flow.h"
#include "lb/shard_judge.h"
#include "lb/side.h"

struct chunk;
struct flow_record;

/* Most heads fit; together with the rest a page. */
#define HTTP_HEAD_ROOM 3072u
/* Known bytes that are worth a pipe. */
#define HTTP_SPLICE_LEAST (256u << 10)

enum http_request_step {
	HTTP_REQUEST_HEAD, /* between two, or in a head */
	HTTP_REQUEST_BODY,
	HTTP_REQUEST_WAIT, /* it is whole: what comes is held */
	HTTP_REQUEST_OVER, /* the last has been answered: nothing is passed */
};

enum http_answer_step {
	HTTP_ANSWER_NONE, /* nothing was asked */
	HTTP_ANSWER_HEAD,
	HTTP_ANSWER_BODY,
	HTTP_ANSWER_DONE, /* before its request was whole */
};

/* What waits for a moment at which nothing else is under way. */
#define HTTP_TO_FEED 0x01u /* what is held may be looked at */
#define HTTP_TO_GO_UP 0x02u /* something was put behind what is unsent */
#define HTTP_TO_GO_DOWN 0x04u
#define HTTP_TO_DROP 0x08u /* the server's connection is of no use */
#define HTTP_TO_OPEN 0x10u /* one is needed */
#define HTTP_TO_SHARD 0x20u /* the body is for the engine */
#define HTTP_TO_FINISH 0x40u /* that was the last answer */

struct http_flow {
	struct digest *digest; /* of the answer's body so far; NULL: none */
	/* -- the request in force, or the next -- */
	const uint8_t *bytes; /* its head, as it came: [0, request_bytes) */
	uint32_t gathered; /* of it, so far */
	uint32_t request_bytes; /* 0: not whole yet */
	uint8_t request_step, answer_step;
	uint8_t todo; /* HTTP_TO_... */
	bool edited : 1; /* another head was sent: asked as a piece */
	bool sent : 1; /* a server was given it */
	bool answer_begun : 1; /* a byte of an answer has come */
	bool survives : 1; /* order holds: the body can be continued */
	bool last : 1; /* the client's connection ends behind the answer */
	bool excess : 1; /* the server has sent more than was asked */
	bool lost : 1; /* its connection has broken, with lost_error */
	bool once : 1; /* no piece is asked: the answer was of no use */
	bool opaque : 1; /* for good */
	bool dropping : 1; /* what is in flight towards it was cancelled */
	int32_t lost_error;
	uint32_t n_requests; /* answered to their ends */
	uint32_t n_sent; /* of them, and the one in force, to this server */
	struct http1_head request, answer;
	struct http1_body up_body, down_body;
	struct shard_order order;
	struct chunk *long_head; /* of `bytes`, where the room is too small */
	struct chunk *answer_head; /* of one that came in parts */
	struct chunk *held_first, *held_last; /* behind the request */
	/* -- its account -- */
	struct mono began_at, sent_at, first_byte_at, answered_at;
	uint64_t down_before; /* flow's count when it began */
	uint32_t n_shards, n_pieces, n_migrations; /* by the engine */
	enum shard_bar bar; /* why its answer is not split */
	uint8_t room[HTTP_HEAD_ROOM];
};

/* [start, end) of the bytes shown go on as they are. */
struct http_pass {
	uint32_t start, end;
};

/* NULL: a flow that never was in http mode. */
static inline struct http_flow *http_of(const struct flow *flow)
{
	return flow->side ? flow->side->http : NULL;
}

/* -- for the directions ------------------------------------------------ */

/* There is a server: the first, or another. What is to be said to it is put
 * behind what is unsent. */
bool http_establish(struct flow *flow);
/* Bytes from the source of a framed direction. What was held back, or is to
 * go before them, has been queued. */
bool http_see(struct flow *flow, struct direction *d, const void *bytes,
    uint32_t length, struct http_pass *ret);
/* The same where they are not in a ring buffer: what goes on is copied. */
bool http_relay(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length);
/* Copies behind what is unsent of d; http_turn() has them sent. */
bool http_emit(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length);
/* How many of the next bytes of d may pass unseen. */
uint64_t http_unseen(const struct flow *flow, const struct direction *d);
/* They have. */
void http_skip(struct flow *flow, struct direction *d, uint32_t n);
/* The source of d has ended; all before it is sent, and nothing is armed.
 * True: its end is passed on. */
bool http_on_end(struct flow *flow, struct direction *d);
/* The server's side has failed. True: that can be made up for. */
bool http_server_lost(struct flow *flow, int error);
/* After each event of a flow in http mode: what waited for its end. */
void http_settle(struct flow *flow);
static inline void http_turn(struct flow *flow)
{
	const struct http_flow *http = http_of(flow);

	if (http && http->todo)
		http_settle(flow);
}
/* A send towards a server that is lost has ended. */
bool http_drops_send(const struct flow *flow, const struct direction *d);
/* A request waits for its answer. */
bool http_awaits(const struct flow *flow);

/* -- for the engine ---------------------------------------------------- */

/* The whole body has left. A clean idle connection may be in flow->server_fd
 * and flow->server. */
void http_shards_done(struct flow *flow);

/* -- the end ----------------------------------------------------------- */

/* No request is in force of a flow that has answered some: its end is no
 * event of its own. */
bool http_is_between(const struct flow *flow);
/* A request's end, into the access log. */
void http_account(struct flow *flow);
/* Into the record of a flow that ends: the request that was not answered to its
 * end, if there is one. */
void http_record_end(const struct flow *flow, struct flow_record *ret);
void http_free(struct flow *flow);
