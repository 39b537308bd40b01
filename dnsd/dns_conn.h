/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One connection of DNS over TCP; see dns_tcp.h for what it does.
 *
 *      IDLE ── receive: queries ──> answered ── all sent ──> IDLE
 *        │                             │ full, or a transfer goes on
 *        │                             v
 *        │                           BUSY ── poll: room ──> sends on, and
 *        v                             v                    what was read before
 *      CLOSING <───────────────────────┘    cancelled; freed when nothing is in
 *                                           flight
 *
 * In IDLE a receive is in flight, in BUSY a poll, in CLOSING what is left of
 * either: never two operations.
 *
 * Thread:  the worker.
 * Memory:  of the server's slabs: a connection, an input while part of a query
 *          or queries behind a full socket are kept, an output while answers
 *          wait for room.
 * Limits:  dns_server_options.tcp_max.
 */
#include "dnsd/dns_server_state.h"
#include "dnsd/dns_tcp.h"

/* What is gathered before a send, and the message that goes beyond it. */
#define DNS_CONN_GATHER_BYTES 16384u
#define DNS_CONN_OUT_BYTES (DNS_CONN_GATHER_BYTES + 2 + DNS_MESSAGE_MAX)
/* Connections beyond tcp_max that are already closing. */
#define DNS_CONN_CLOSING_MAX 256u

int dns_conn_init_memory(struct dns_server *server) BR_MUST_CHECK;
void dns_conn_fini_memory(struct dns_server *server);
/* Takes over an accepted socket; closes it where there is no place. */
void dns_conn_open(struct dns_server *server, int fd);
