/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a flow goes through before a server is chosen, as far as its listener
 * asks for it:
 *
 *      proxy header ──> TLS handshake ──> first bytes ──> route ──> choosing
 *      proxy_protocol   tls (tls_end.h)   routes by name or protocol
 *
 * Bytes are received into ring buffers and gathered in one contiguous struct
 * first, so that no ring buffer waits for a slow client. Nothing waits for
 * bytes that no route needs. What was read beyond the header stays in `first`
 * and is the first that the server gets.
 *
 * A client that sends nothing within the listener's `wait` speaks a protocol
 * in which the server begins: it goes where a rule lists one of these, or
 * "silent", or else to the listener's own pool. Its receive stays armed; what
 * comes while a server is sought is held in `first`.
 *
 * Thread:  the flow's worker.
 * Errors:  what is malformed, too slow or not trusted ends the flow, with the
 *          phase in its termination code; counted by cause.
 */
#include "lb/side.h"

/* After accept, for a listener that is `fronted`. */
void front_begin(struct flow *flow);
/* The next step that is still to be done, or choosing. */
void front_next(struct flow *flow);
/* A receive before the flow is established; also one that ends later than the
 * wait for it. */
void front_on_receive(struct flow *flow, struct op_result result);
/* Arms a receive, unless one is. */
void front_receive(struct flow *flow);

/* Steps of the table of states. */
void front_read_proxy(struct flow *flow);
void front_read_first(struct flow *flow);
void front_timed_out(struct flow *flow);
void front_waited(struct flow *flow);
