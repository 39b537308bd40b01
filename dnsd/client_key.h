/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The client key: the prefix whose clients are sent the same way. The subnet
 * that a resolver gave (RFC 7871) cut to /20 or /40, or, without one, the
 * resolver's own address cut to /24 or /56.
 *
 * One resolver without subnets stands for many clients, so its key draws anew
 * every CLIENT_KEY_PERIOD_S, each key at a moment of its own; a subnet's key
 * never does.
 *
 * Thread:  any (pure).
 * Limits:  56 bits of address, more than any cut leaves.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/prefix.h"
#include "base/siphash.h"

#define CLIENT_KEY_SUBNET_BITS_IPV4 20u
#define CLIENT_KEY_SUBNET_BITS_IPV6 40u
#define CLIENT_KEY_SOURCE_BITS_IPV4 24u
#define CLIENT_KEY_SOURCE_BITS_IPV6 56u
#define CLIENT_KEY_PERIOD_S 600

struct client_key {
	struct prefix prefix;
	bool subnet; /* given by the resolver */
};

/* What decides for one client and one resource. */
struct client_draw {
	uint64_t base; /* of resource and key alone: jitter comes from it */
	uint64_t hash; /* and of the period */
	uint32_t period; /* 0 for ever with a subnet */
};

/* `subnet` NULL: none was given, or one of no bits, by which a client asks not
 * to be told apart (RFC 7871 section 7.1.2). `source` of the family AF_INET
 * or AF_INET6 with all its bits. */
struct client_key client_key_of(
    const struct prefix *source, const struct prefix *subnet);
struct client_draw client_key_draw(const struct client_key *key,
    const struct siphash_key *salt, uint64_t resource, struct wall now);
/* When the period ends; INT64_MAX for a subnet's key. */
struct wall client_key_period_end(
    const struct client_key *key, const struct client_draw *draw);
