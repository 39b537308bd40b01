/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A client and a server session back to back, with two wires between them
 * that hand out at most `feed` bytes a call and take at most `chunk`.
 *
 *     client ──out── to_server ──in──> server
 *            <──in── to_client ──out──
 *
 * Thread:  one.
 * Memory:  struct pair is large: make it static.
 */
#include <stdbool.h>

#include "io/tls_context.h"
#include "io/tls_session.h"

#include "base/assert.h"

#define PAIR_WIRE_BYTES (1u << 20)
#define PAIR_ROUNDS_MAX 4000000u

struct wire {
	uint8_t bytes[PAIR_WIRE_BYTES];
	size_t start, end;
};

struct pair {
	struct tls_session client, server;
	struct wire to_client, to_server;
	size_t feed, chunk;
	enum tls_status client_status, server_status;
};

static inline struct tls_in wire_in(const struct wire *wire, size_t feed)
{
	size_t n = wire->end - wire->start;

	return (struct tls_in){wire->bytes + wire->start,
	    wire->bytes + wire->start + (n < feed ? n : feed)};
}

static inline void wire_took(struct wire *wire, const struct tls_in *in)
{
	wire->start = (size_t)(in->at - wire->bytes);
	if (wire->start == wire->end)
		wire->start = wire->end = 0;
}

static inline struct tls_out wire_out(struct wire *wire, size_t chunk)
{
	br_assert(PAIR_WIRE_BYTES - wire->end >= chunk);
	return (struct tls_out){
	    wire->bytes + wire->end, wire->bytes + wire->end + chunk};
}

static inline void wire_got(struct wire *wire, const struct tls_out *out)
{
	wire->end = (size_t)(out->at - wire->bytes);
}

/* One step of one side; true when bytes moved. */
static inline bool pair_step(struct pair *pair, bool server)
{
	struct tls_session *s = server ? &pair->server : &pair->client;
	struct wire *from = server ? &pair->to_server : &pair->to_client;
	struct wire *to = server ? &pair->to_client : &pair->to_server;
	enum tls_status *status =
	    server ? &pair->server_status : &pair->client_status;
	struct tls_in in = wire_in(from, pair->feed);
	struct tls_out out = wire_out(to, pair->chunk);
	const uint8_t *in_at = in.at, *out_at = out.at;

	if (*status == TLS_FAILED)
		(void)tls_session_flush(s, &out);
	else
		*status = tls_session_handshake(s, &in, &out);
	if (*status == TLS_WANT_INPUT)
		br_assert(in.at == in.end);
	wire_got(to, &out);
	if (in.at != in_at)
		wire_took(from, &in);
	return in.at != in_at || out.at != out_at;
}

/* Until both are done or nothing moves; whether both are done. */
static inline bool pair_handshake(struct pair *pair)
{
	bool moved = true;

	pair->client_status = pair->server_status = TLS_WANT_INPUT;
	for (uint32_t i = 0; moved && i < PAIR_ROUNDS_MAX; i++) {
		moved = pair_step(pair, false);
		moved |= pair_step(pair, true);
	}
	return pair->client_status == TLS_DONE &&
	       pair->server_status == TLS_DONE;
}

static inline void pair_open(struct pair *pair, struct tls_context *client,
    struct tls_context *server, const struct tls_peer *peer, size_t feed,
    size_t chunk)
{
	pair->to_client.start = pair->to_client.end = 0;
	pair->to_server.start = pair->to_server.end = 0;
	pair->feed = feed;
	pair->chunk = chunk;
	br_assert(!tls_session_init_client(&pair->client, client, peer));
	br_assert(!tls_session_init_server(&pair->server, server));
}

static inline void pair_close(struct pair *pair)
{
	tls_session_fini(&pair->client);
	tls_session_fini(&pair->server);
}

/* Sends `length` bytes one way and reads them on the other side into ret;
 * how many arrived. Stops when a side fails. */
static inline size_t pair_send(struct pair *pair, bool to_server,
    const uint8_t *bytes, size_t length, uint8_t *ret)
{
	struct tls_session *from = to_server ? &pair->client : &pair->server;
	struct tls_session *to = to_server ? &pair->server : &pair->client;
	struct wire *wire = to_server ? &pair->to_server : &pair->to_client;
	struct wire *back = to_server ? &pair->to_client : &pair->to_server;
	size_t sent = 0, received = 0, n;

	for (uint32_t i = 0; received < length && i < PAIR_ROUNDS_MAX; i++) {
		struct tls_out out = wire_out(wire, pair->chunk);
		enum tls_status status = tls_session_write(
		    from, &out, bytes + sent, length - sent, &n);
		struct tls_in in;

		sent += n;
		wire_got(wire, &out);
		if (status == TLS_FAILED)
			break;
		in = wire_in(wire, pair->feed);
		out = wire_out(back, pair->chunk);
		status = tls_session_read(
		    to, &in, &out, ret + received, length - received, &n);
		received += n;
		wire_took(wire, &in);
		wire_got(back, &out);
		if (status == TLS_FAILED)
			break;
		/* The sender may get key updates. */
		in = wire_in(back, pair->feed);
		out = wire_out(wire, pair->chunk);
		(void)tls_session_read(from, &in, &out, &(uint8_t){0}, 1, &n);
		br_assert(n == 0);
		wire_took(back, &in);
		wire_got(wire, &out);
	}
	return received;
}
