/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Either end of a flow when it speaks TLS: the handshakes, and the bytes
 * afterwards. One session serves both directions of its end:
 *
 *               client end                       server end
 *      up    ── tls_open (decrypt) ──> chunks ── tls_seal (encrypt) ──>
 *      down <── tls_seal ──────────── chunks <── tls_open ─────────────
 *
 * Whatever a session has to say (handshake, tickets, key updates, alerts)
 * goes into the parked chunks of the direction that leads to that end, in
 * order with the data. Ring buffers go back at once.
 *
 * close_notify is the end of the stream; its end without one is a reset.
 *
 * Handshakes cost a signature each, so a worker does TLS_HANDSHAKES_A_TURN
 * steps of them and leaves the rest to the next turn: flows that are
 * established do not wait behind a flood of new ones.
 *
 * Thread:  the flow's worker.
 * Errors:  as path.h: what fails has ended the flow.
 */
#include "lb/side.h"

#define TLS_HANDSHAKES_A_TURN 32

/* -- with the client: state tls_accept --------------------------------- */

void tls_accept(struct flow *flow);
void tls_accept_go_on(struct flow *flow);
void tls_accept_timed_out(struct flow *flow);
/* The client has ended or reset the connection. */
void tls_accept_lost(struct flow *flow, int error);
/* Those that a turn had no room for, oldest first. */
void tls_accept_deferred(struct worker *worker);

/* -- with the server: state tls_connect -------------------------------- */

void tls_connect(struct flow *flow);
void tls_connect_on_receive(struct flow *flow, struct op_result result);
/* A send towards the server ended; also after a failure, when the last
 * operation on its descriptor has. */
void tls_connect_on_sent(struct flow *flow, struct op_result result);
void tls_connect_timed_out(struct flow *flow);
/* The connection has ended, with BR_E_CLOSED or an errno: elsewhere, or the
 * end, once nothing is in flight on the descriptor. */
void tls_connect_lost(struct flow *flow, int error);
/* There are ring buffers again. */
void tls_connect_resume(struct flow *flow);

/* -- data, in established ---------------------------------------------- */

/* Ciphertext or plaintext from the source of d, through both ends' sessions,
 * into the chunks of d. False: the flow has ended. */
bool tls_take(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length);
/* The same for what a handshake has left of a receive. */
bool tls_open(struct flow *flow, struct direction *d, struct tls_in *in);
/* Plaintext for the sink of d. */
bool tls_seal(
    struct flow *flow, struct direction *d, const void *plain, size_t length);
/* The source's transport has ended: false when that was no orderly end. */
bool tls_ended(struct flow *flow, struct direction *d);
/* Says close_notify to the sink of d, once. */
bool tls_say_end(struct flow *flow, struct direction *d);

/* Of that end, or NULL when it is plain, also because the kernel encrypts. */
static inline struct tls_session *tls_source(
    struct flow *flow, const struct direction *d)
{
	struct side *side = flow->side;

	if (!side)
		return NULL;
	if (d->up)
		return side->client_tls ? &side->client : NULL;
	return side->server_tls ? &side->server : NULL;
}

static inline struct tls_session *tls_sink(
    struct flow *flow, const struct direction *d)
{
	struct side *side = flow->side;

	if (!side)
		return NULL;
	if (d->up)
		return side->server_tls && !d->ktls ? &side->server : NULL;
	return side->client_tls && !d->ktls ? &side->client : NULL;
}
