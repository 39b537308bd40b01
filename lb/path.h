/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The movers below a direction; only direction.c, flow.c and the paths
 * themselves include this.
 *
 *      relay   ring buffers -> one ordered send -> parked chunks when full
 *      tls     ring buffers -> session -> parked chunks -> one ordered send
 *      ktls    relay or splice into a socket that encrypts
 *      splice  socket -> pipe -> socket, never in user space
 *
 * Thread:  the flow's worker.
 * Errors:  a path that fails has ended the flow (flow_fail) and says false;
 *          the flow's memory stays valid until the end of the turn.
 */
#include "lb/direction.h"

struct tls_out;

/* -- relay ------------------------------------------------------------- */

/* A chunk of limits.parked_total; NULL: none. */
struct chunk *relay_chunk_new(struct worker *worker);
void relay_chunk_free(struct worker *worker, struct chunk *chunk);
/* Queues a ring buffer of `length` bytes behind what is unsent. */
bool relay_take(
    struct flow *flow, struct direction *d, uint16_t buffer, uint32_t length);
/* Copies bytes behind what is unsent, in chunks. These lie behind all ring
 * buffers: what is taken after them is copied, too. */
bool relay_park(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length);
/* Sends the first bytes from where the caller has them; only what the sink does
 * not take, or what has chunks before it, is copied behind those. */
bool relay_hand(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t length);
/* The last chunk, with room for at least `least` more bytes; a new one when it
 * has less. NULL: the flow has ended for want of memory. */
struct chunk *relay_tail(
    struct flow *flow, struct direction *d, uint32_t least);
/* Starts sending what is queued, if nothing is being sent. */
bool relay_send(struct flow *flow, struct direction *d);
/* One try to get the chunks out, whatever becomes of them: the flow ends. An
 * inline send reports its success only at the end of a turn: what is behind
 * it goes out then, by relay_last_sent(). */
void relay_send_last(struct flow *flow, struct direction *d);
/* A send ended after the end of the flow, or of that direction, was settled. */
void relay_last_sent(struct flow *flow, struct direction *d, int32_t res);
/* A send ended. */
bool relay_sent(struct flow *flow, struct direction *d, int32_t res);
void relay_release(struct flow *flow, struct direction *d);

/* -- tls: tls_end.h; room for output in the chunks of d ----------------- */

bool tls_room(struct flow *flow, struct direction *d, uint32_t least,
    struct tls_out *ret);
void tls_commit(struct direction *d, const struct tls_out *out);

/* -- kernel TLS: the sink's session gives its keys to the socket --------- */

/* Whether it may be tried. */
bool ktls_wanted(struct flow *flow, const struct direction *d);
/* With nothing armed and all sent: d->ktls on success, else as before. */
void ktls_begin(struct flow *flow, struct direction *d);
/* An alert of the sink's session, as a record: 0 or -errno. */
int ktls_say_alert(struct flow *flow, struct direction *d);
/* close_notify, when it can be said behind all data. False: to be called again
 * in a while (direction_review), or the flow has ended. */
bool ktls_end(struct flow *flow, struct direction *d);

/* -- splice ------------------------------------------------------------ */

/* Takes a pipe; false when there is none (the flow goes on relaying). */
bool splice_begin(struct flow *flow, struct direction *d);
enum splice_outcome {
	SPLICE_WAITS, /* a poll is in flight */
	SPLICE_MORE, /* all that was asked for has passed; nothing is armed */
	SPLICE_STUCK, /* splice(2) cannot go on where a receive can */
	SPLICE_ENDED, /* the source ended and the pipe is empty */
	SPLICE_FAILED, /* the flow has ended */
};
/* With at most `most` bytes in the pipe; the step is charged to bulk's turn. */
enum splice_outcome splice_run(
    struct flow *flow, struct direction *d, uint32_t most);
/* Asks for readiness of the sink (out) or the source. */
void splice_poll(struct flow *flow, struct direction *d, bool out);
void splice_release(struct flow *flow, struct direction *d);
