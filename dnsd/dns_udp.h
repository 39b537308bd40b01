/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * DNS over UDP: one socket of one worker. What waits in it is received,
 * answered and sent in batches; nothing ever waits for a full socket.
 *
 *      bind "0.0.0.0:53"   dns_udp fd      dns_udp fd      SO_REUSEPORT
 *                             │ worker 0      │ worker 1
 *
 *      poll ──> receive 64 ──> answer each, rrl ──> send 64 ─┐
 *        ^                                                   │ more, within
 *        └────────────── turn of the ring <──────────────────┘ the budget
 *
 * A turn answers DNS_UDP_TURN_MAX queries of a socket at most, so that flows
 * on the same ring get theirs.
 *
 * An answer leaves from the address that was asked (RFC 1035 section 4.2.1,
 * RFC 2181 section 4.1), also where the socket is bound to the wildcard.
 *
 * Thread:  dns_udp_new() and _free(): control or boot; the rest: the worker.
 * Errors:  none that reach a caller: what fails is counted.
 * Limits:  DNS_UDP_QUERY_MAX bytes of a query are read, no more can be sent
 *          to a server that says it takes 1232 (RFC 6891 section 6.2.3).
 */
#include <stdbool.h>

#include "base/addr.h"
#include "dnsd/dns_server.h"

#define DNS_UDP_QUERY_MAX 2048u
#define DNS_UDP_TURN_MAX 256u
/* A socket's queue in the kernel. The usual one holds 277 small datagrams: less
 * than come while a worker does something else for a millisecond. */
#define DNS_UDP_QUEUE_BYTES (4u << 20)

struct dns_udp;

/* Takes over the descriptor, of datagram_open(). NULL on lack of memory: it
 * is then still the caller's. */
struct dns_udp *dns_udp_new(int fd);
void dns_udp_free(struct dns_udp *udp);
int dns_udp_fd(const struct dns_udp *udp);
void dns_udp_start(struct dns_udp *udp, struct dns_server *server);
/* Answers what has arrived and closes the socket; dns_udp_done() some turns
 * later. Nothing happens to one that is stopped, or was never started. */
void dns_udp_stop(struct dns_udp *udp);
/* Never started, or nothing is in flight any more. */
bool dns_udp_done(const struct dns_udp *udp);
