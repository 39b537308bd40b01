/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Datagram sockets of servers: opening them, and batches that are received,
 * answered and sent with one system call each.
 *
 *      datagram_receive ──> in[i], from[i] ──> out[i], out_length[i]
 *                                                   └──> datagram_send
 *
 * Where a socket is bound to the wildcard, an answer leaves from the address
 * that its question came to.
 *
 * Answers of one length to one peer that follow each other go through the
 * kernel as one packet and are cut at its end (UDP_SEGMENT): forwarders, which
 * ask from few ports, have many in flight; who takes another port for each
 * question gains and loses nothing.
 *
 * Thread:  the owner of the batch; datagram_open() any.
 * Memory:  a batch is allocated once, at boot.
 * Errors:  -errno.
 * Limits:  DATAGRAM_BATCH datagrams a call.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

#define DATAGRAM_BATCH 64u

struct datagram_options {
	bool reuse_port;
	/* Binds to an address that is not there yet (IP_FREEBIND). */
	bool free_bind;
	uint32_t receive_bytes; /* of its queue; 0: the system's */
};

/* A bound, non-blocking UDP socket. Its datagrams are never fragmented to fit
 * what ICMP says of the path: such messages are forged to poison answers (RFC
 * 9715 section 3.1; IP_PMTUDISC_OMIT, ip(7)). */
int datagram_open(const struct addr *at,
    const struct datagram_options *options) BR_MUST_CHECK;
/* Whether it is bound to the wildcard: receive and send want to know. */
bool datagram_is_wildcard(int fd);

struct datagram_batch;

struct datagram_batch *datagram_batch_new(
    uint32_t in_bytes, uint32_t out_bytes);
void datagram_batch_free(struct datagram_batch *batch);
/* Takes what waits: the number, 0 when there is none, or -errno. */
int datagram_receive(
    struct datagram_batch *batch, int fd, bool wildcard) BR_MUST_CHECK;
/* The i-th that was received; valid until the next receive. Its length may be
 * less than what was sent, at most in_bytes. */
const uint8_t *datagram_in(
    const struct datagram_batch *batch, uint32_t i, size_t *ret_length);
const struct addr *datagram_from(
    const struct datagram_batch *batch, uint32_t i);
/* Where its answer is written, out_bytes long, and how long that is; 0: none.
 * Each is to be said once between receive and send. */
uint8_t *datagram_out(struct datagram_batch *batch, uint32_t i);
void datagram_set_out(struct datagram_batch *batch, uint32_t i, size_t length);

/* What became of a batch's answers. */
struct datagram_sent {
	uint32_t sent;
	uint32_t full; /* no room in the socket or device; dropped */
	uint32_t refused; /* by the kernel: no route, a firewall */
};

/* Never waits. */
struct datagram_sent datagram_send(struct datagram_batch *batch, int fd);
