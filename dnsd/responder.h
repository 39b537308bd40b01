/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One query, one answer: a pure function of immutable objects. What is no
 * query is dropped; everything else is answered, if only with an error, since
 * silence makes resolvers retry and give up on a server (RFC 8906).
 *
 *      query ──> wire: header, question ── malformed ──> FORMERR
 *                  │
 *                 edns: size, subnet, cookie ──> BADVERS, BADCOOKIE
 *                  │
 *                 zone_set ── not ours ──> REFUSED
 *                  │
 *                 zone: cut ──> referral      resource ──> chosen records
 *                       none ──> NXDOMAIN     alias ──> the next name
 *
 * Thread:  any; it writes to `out` and *ret only. The view and all in it are
 *          the caller's for the call.
 * Memory:  none of its own but the stack. `out` must not overlap the query.
 * Errors:  none: 0 is "send nothing", and *ret says why.
 * Limits:  RESPONDER_CHAIN_MAX names from the question to the answer;
 *          RESPONDER_UDP_MAX bytes over UDP, whoever asks.
 * RFC:     1034, 1035, 2181, 2308, 3597, 4035, 4343, 4592, 5001, 6672, 6891,
 *          7830, 7828, 7871, 7873, 8020, 8482, 8906, 8914, 8945, 9018, 9460,
 *          9471.
 */
#include <stddef.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dnsd/query_facts.h"

struct cookie_secrets;
struct policy;
struct region_map;
struct tsig_key;
struct zone_set;

/* What no path fragments (RFC 9715). */
#define RESPONDER_UDP_MAX 1232u
/* Resolvers follow 10 to 13 aliases at most. */
#define RESPONDER_CHAIN_MAX 10u

enum dns_transport { DNS_UDP, DNS_TCP };

/* Who asks, and when. */
struct dns_client {
	struct addr source;
	enum dns_transport transport;
	/* For how long an idle connection stays open, said to clients that
	 * ask (RFC 7828), in its units of 100 ms. TCP only. */
	uint16_t tcp_idle_100ms;
	struct wall now;
};

/* Who asks about the zone signs with it, if at all (RFC 8945). */
struct dns_zone_key {
	const struct zone *zone;
	const struct tsig_key *key;
};

/* What is answered from; immutable once it is published. */
struct dns_view {
	const struct zone_set *zones;
	const struct policy *policy; /* NULL where there is no resource */
	const struct region_map *regions; /* NULL: none */
	const struct cookie_secrets *cookies; /* NULL: no cookies */
	const struct dns_zone_key *keys; /* of zones that have one */
	uint32_t n_keys;
	const char *nsid; /* NULL: off; RFC 5001 */
	const char *chaos_version; /* NULL: off; version.bind */
	const char *chaos_id; /* NULL: off; id.server, hostname.bind */
	uint32_t nocookie_max; /* 512..1232: UDP without a valid cookie */
	bool ecs; /* the subnet option is used and answered */
	/* AXFR and IXFR over TCP for a zone of ours are left to the caller:
	 * 0 with `kind` DNS_KIND_transfer, and it streams the messages after
	 * its own checks. Otherwise they are REFUSED. */
	bool transfers;
};

/* The answer's size, at most `room` and what the client allows; 0: nothing is
 * sent. `room`: 65535 for TCP, without the length before the message. */
size_t responder_answer(const struct dns_view *view,
    const struct dns_client *client, const uint8_t *query, size_t query_length,
    uint8_t *out, size_t room, struct query_facts *ret);
