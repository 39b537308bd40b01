/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The DNS sockets of one address, as plans share them: one UDP and one TCP
 * socket a worker (SO_REUSEPORT). As with plan_sockets, after an upgrade to
 * fewer workers there may be more: number i is worker i % workers'.
 *
 * Thread:  the clerk, or main at boot and at the end.
 * Memory:  counted by the plans that have the address. A worker closes what it
 *          has started when it stops that; what never started is closed here.
 * Errors:  -errno; plan_sockets_explain() has the line for the operator.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct dns_udp;
struct dns_tcp;

struct dns_sockets {
	struct addr addr;
	bool free_bind; /* it need not be on an interface */
	uint32_t references; /* plans */
	uint32_t n_udp, n_tcp; /* at least one a worker */
	/* The first ones, of the generation before. */
	uint32_t n_udp_passed, n_tcp_passed;
	struct dns_udp **udp; /* [n_udp] */
	struct dns_tcp **tcp; /* [n_tcp] */
};

/* Whether somebody else has the address, which SO_REUSEPORT hides when it is
 * another process of our own user. */
int dns_sockets_probe(const struct addr *addr, bool free_bind) BR_MUST_CHECK;
int dns_sockets_open(const struct addr *addr, bool free_bind,
    uint32_t n_workers, struct dns_sockets **ret) BR_MUST_CHECK;
/* As plan_sockets_open_beside(). */
void dns_sockets_open_beside(struct dns_sockets *sockets);
/* Drops one reference and frees with the last. */
void dns_sockets_unref(struct dns_sockets *sockets);
