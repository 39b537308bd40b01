/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A zone becomes a signed one: DNSKEY, CDS and CDNSKEY at the apex (RFC 7344,
 * RFC 8078), a chain of NSEC over all names that the zone has authority for,
 * an RRSIG for each rrset, and for each answer that a resource may give.
 *
 *     zone ──> with keys and NSEC ──> signatures, on several threads ──> zone
 *
 * Time is cut into periods that start at another moment for each zone. All
 * that is signed within one has the same inception and about the same
 * expiration, so at the end of the period at least SIGN_LEFT_S are left, and
 * the zone is to be signed anew. The serial is that of the file plus the number
 * of the period: it rises with each, needs no memory on disk, and is the same
 * on every node that serves the zone.
 *
 *     period n            period n + 1
 *     |-------------------|-------------------|
 *    inception                                expiration, up to a day later
 *
 * Thread:  the clerk's; ends its helper threads before it returns.
 * Memory:  the signed zone holds the one it was made from. Out of memory ends
 *          the process.
 * Units:   wall time; seconds in the names that say so.
 * Errors:  to the report; NULL when it has some.
 */
#include "base/clock.h"
#include "dnsd/dnskey.h"
#include "dnsd/zone.h"
#include "dnsd/zone_report.h"

#define SIGN_PERIOD_S (7u * 86400u)
#define SIGN_LEFT_S (7u * 86400u)
/* Expirations differ by that much, so that not all caches ask at once. */
#define SIGN_JITTER_S 86400u
/* For validators whose clock is late. */
#define SIGN_SKEW_S 3600u
#define SIGN_THREADS_MAX 16u

/* As resource_variants() of dnsd/resource.h. */
typedef uint32_t sign_variants(const struct resource *resource, uint16_t type,
    void (*on_variant)(void *context, const struct answer_set *set),
    void *context);

struct sign_options {
	const struct dnskey *key;
	struct wall now;
	uint32_t threads; /* at least 1 */
	sign_variants *variants; /* may be NULL if there is no resource */
};

/* A zone that was signed here before is signed anew from its base. */
struct zone *sign_zone(struct zone *zone, const struct sign_options *options,
    struct zone_report *report);

/* When what is signed now is to be signed anew. */
struct wall sign_due(const uint8_t *apex, struct wall now);
/* What is added to the serial of the zone by then. */
uint32_t sign_period(const uint8_t *apex, struct wall now);
