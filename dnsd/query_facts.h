/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is known about one query after it was answered or dropped: for
 * counters, rate limiting and the access log. The responder fills all of it,
 * whatever becomes of the query; what was not read is 0.
 *
 * Thread:  the worker that answers.
 * Memory:  `name` points into the query, the rest into the view that answered;
 *          both outlive the batch.
 * Units:   sizes in bytes.
 */
#include <stdbool.h>
#include <stdint.h>

struct zone;
struct resource;

/* Why nothing is sent. */
#define DNS_DROP_LIST(X)                                                       \
	X(none, "an answer was sent")                                          \
	X(short, "shorter than a header")                                      \
	X(response, "a response, not a query")                                 \
	X(room, "the caller's room holds no header")

enum dns_drop {
#define X(name, text) DNS_DROP_##name,
	DNS_DROP_LIST(X)
#undef X
	    DNS_N_DROPS
};

/* What kind of answer it is; RFC 2308 section 2 for the absences. */
#define DNS_KIND_LIST(X)                                                       \
	X(none, "nothing was sent")                                            \
	X(error, "an error: RCODE other than NOERROR and NXDOMAIN")            \
	X(data, "records of the type asked for, or an alias")                  \
	X(referral, "to the name servers of a delegated zone")                 \
	X(nodata, "the name exists, the type does not")                        \
	X(nxdomain, "the name does not exist")                                 \
	X(special, "about the server: class CH, a cookie alone")               \
	X(transfer, "a zone transfer, which the caller performs")

enum dns_kind {
#define X(name, text) DNS_KIND_##name,
	DNS_KIND_LIST(X)
#undef X
	    DNS_N_KINDS
};

/* RFC 7873 section 5.2. */
#define DNS_COOKIE_LIST(X)                                                     \
	X(none, "no COOKIE option, or cookies are off")                        \
	X(client, "a client cookie alone")                                     \
	X(valid, "a server cookie of ours")                                    \
	X(invalid, "a server cookie that is not of ours, or too old")

enum dns_cookie {
#define X(name, text) DNS_COOKIE_##name,
	DNS_COOKIE_LIST(X)
#undef X
	    DNS_N_COOKIES
};

#define QUERY_NO_POP UINT32_MAX
#define QUERY_NO_COUNTER UINT32_MAX

struct query_facts {
	const uint8_t *name; /* NULL: no question was read */
	const struct zone *zone; /* NULL: not ours, or never looked for */
	const struct resource *resource; /* the first on the way */
	uint32_t pop; /* resource_counted() of it, or QUERY_NO_POP */
	/* Where answers of the resource with that POP are counted, or
	 * QUERY_NO_COUNTER: resource_counter(). */
	uint32_t counter;
	uint16_t type, class; /* as asked */
	uint16_t rcode; /* with the upper bits of EDNS */
	uint8_t opcode;
	uint8_t drop; /* enum dns_drop */
	uint8_t kind; /* enum dns_kind */
	uint8_t cookie; /* enum dns_cookie */
	uint8_t ecs_source, ecs_scope; /* when `ecs` */
	bool edns, dnssec_ok;
	bool ecs; /* the option was there, well formed, and is on */
	bool truncated; /* TC is set */
	bool wildcard; /* a wildcard made the name */
};
