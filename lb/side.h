/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The part of a flow that only some flows have: what was read before a server
 * was chosen, what a PROXY header or a TLS client said, and the TLS
 * connections of either end.
 *
 *      struct flow ──> struct side ──> struct first   until established
 *                        │   └ names, addresses       for logs, PROXY headers
 *                        └ tls_session x 2            to the end
 *
 * Thread:  the flow's worker.
 * Memory:  two slabs of the worker. What a struct first has written is
 *          counted in pages against limits.parked_total, like parked chunks:
 *          clients that send one byte each must not use up the room of those
 *          that have a lot to wait for. It is freed when its bytes have gone
 *          to the server.
 * Errors:  NULL when the slab or the limit is used up.
 * Limits:  FIRST_ROOM bytes are read before a server is chosen.
 */
#include "io/tls_session.h"
#include "profiler/dpi.h"
#include "lb/flow.h"
#include "lb/proxy_proto.h"

/* Kept free before the first byte: the PROXY header for the server goes
 * there, unless it is a long one. */
#define FIRST_HEAD 256u
/* A header or ClientHello that is not whole, and what one receive may bring
 * behind it. */
#define FIRST_ROOM                                                             \
	(FIRST_HEAD + CLIENT_HELLO_BYTES_MAX + PROXY_V2_BYTES_MAX + 16384u)
#define SIDE_ALPN_MAX 31

struct first {
	uint32_t start, end; /* unread bytes are [start, end) of bytes */
	uint32_t header; /* how many of them are not the client's but ours */
	uint32_t charged; /* bytes of limits.parked_total */
	struct dpi dpi;
	struct client_hello hello;
	uint8_t bytes[FIRST_ROOM];
};

struct shard_flow;

struct side {
	struct first *first; /* NULL: nothing was read yet, or it has gone */
	struct http_flow *http; /* NULL: not in http mode */
	struct shard_flow *shard; /* NULL: its answer is not sharded now */
	bool proxied : 1; /* the PROXY header was read, or none is expected */
	bool hello_read : 1; /* first->hello holds */
	bool client_tls : 1, server_tls : 1; /* the session is in use */
	bool client_shaken : 1; /* its handshake is done */
	uint8_t name_length, alpn_length, unique_id_length;
	/* Of the last failure: enum tls_cause of either end, proxy_cause or
	 * client_hello_cause. */
	uint8_t cause;
	uint32_t unacked[2]; /* kernel TLS, by direction: at the last look */
	uint32_t route; /* position in the file, ROUTE_DEFAULT, or UINT32_MAX */
	/* Whom the client of a trusted proxy wanted; family 0: not said. */
	struct flow_client destination;
	struct flow_client proxy; /* who said so; family 0: nobody */
	/* From the handshake, the ClientHello or the PROXY header. */
	char name[CLIENT_HELLO_NAME_MAX + 1];
	char alpn[SIDE_ALPN_MAX + 1];
	uint8_t unique_id[PROXY_UNIQUE_ID_MAX];
	struct tls_session client, server;
};

/* Of the flow's worker; set in the flow. False: no memory. */
bool side_new(struct flow *flow) BR_MUST_CHECK;
/* The flow's first bytes, made when it has none. NULL: no memory. */
struct first *side_first(struct flow *flow) BR_MUST_CHECK;
/* Room for `end` bytes in it; false: none left. */
bool side_charge_first(struct flow *flow, uint32_t end) BR_MUST_CHECK;
void side_drop_first(struct flow *flow);
/* All of it, when the flow ends. */
void side_free(struct flow *flow);
/* A name of a client as it is kept and logged; cut to what there is room
 * for. */
void side_set_name(struct side *side, const void *name, size_t length);
void side_set_alpn(struct side *side, const void *alpn, size_t length);
