/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * DNS over TCP (RFC 7766): one listening socket of one worker and its
 * connections.
 *
 *      receive ──> frames ──> answer each ──> send ── room ──> receive
 *                    │ part of one               │ full
 *                    └─> kept for the rest       └─> wait until it is sent;
 *                                                    nothing is read
 *
 * Queries of one read are answered in one send, in their order. A connection
 * whose client does not read holds one send's worth of answers and one read's
 * worth of queries, no more.
 *
 * The idle time runs from the last query that came in whole (or the last
 * bytes of an answer that were taken), so that bytes dripped in do not prolong
 * it. At dns.tcp.connections the connection that has been idle for longest is
 * closed for the new one; when none of this worker's is idle, the new one is
 * refused.
 *
 * A client may end its side when it has asked all; it gets its answers first
 * (RFC 7766 section 6.2.3). A frame that holds no query ends the connection:
 * what speaks so is no resolver.
 *
 * Thread:  dns_tcp_new() and _free(): control or boot; the rest: the worker.
 * Errors:  none that reach a caller: what fails is counted.
 * Limits:  DNS_TCP_QUERY_MAX bytes of a query are kept; the rest of a longer
 *          one is skipped, so it is answered as malformed.
 */
#include <stdbool.h>

#include "dnsd/dns_server.h"

#define DNS_TCP_QUERY_MAX 4096u
#define DNS_MESSAGE_MAX 65535u
#define DNS_TCP_DRAIN_MS 2000u

struct dns_tcp;

/* Takes over the descriptor, of sock_listen(). NULL on lack of memory: it is
 * then still the caller's. */
struct dns_tcp *dns_tcp_new(int fd);
void dns_tcp_free(struct dns_tcp *tcp);
int dns_tcp_fd(const struct dns_tcp *tcp);
void dns_tcp_start(struct dns_tcp *tcp, struct dns_server *server);
/* Accepts no more and closes the listening socket. Its connections go on, each
 * until it has been idle for long enough. Nothing happens to one that is
 * stopped, or was never started. */
void dns_tcp_stop(struct dns_tcp *tcp);
/* Never started, or nothing is in flight any more. */
bool dns_tcp_done(const struct dns_tcp *tcp);

/* Closes the server's idle connections and each other one as soon as what it
 * has asked is answered (a drain). One that has a query under way, or has not
 * asked at all yet, gets DNS_TCP_DRAIN_MS for that. */
void dns_tcp_drain(struct dns_server *server);
/* Resets all of them (the end of a drain). */
void dns_tcp_kill(struct dns_server *server);
/* Open ones, those included whose last operation has not completed: 0 before
 * dns_server_free(). */
uint32_t dns_tcp_open(const struct dns_server *server);
