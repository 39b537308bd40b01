/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One RRSIG: what is signed is its own data without the signature, then the
 * records in canonical form and order (RFC 4034 sections 3.1.8.1 and 6).
 *
 *     rrsig_begin ──> rrsig_record, in canonical order ──> rrsig_end
 *
 * Thread:  one at a time; each thread has a maker of its own.
 * Memory:  rrsig_init() and rrsig_fini(); the key outlives it. Out of memory
 *          ends the process.
 * Units:   inception and expiration in seconds since 1970, modulo 2^32
 *          (RFC 4034 section 3.1.5).
 */
#include "dnsd/dnskey.h"
#include "dnsd/zone_collect.h"

#define RRSIG_RDATA_MAX (18u + DNAME_MAX + DNSKEY_SIGNATURE_BYTES)

struct rrsig_window {
	uint32_t inception, expiration;
};

struct rrsig_maker {
	struct dnskey_signer *signer;
	uint16_t tag;
	const uint8_t *apex;
	struct zone_bytes bytes; /* that will be signed */
	size_t head; /* of them the RRSIG's own */
	/* Of the rrset at hand. */
	uint8_t owner[DNAME_MAX];
	uint16_t type;
	uint32_t ttl;
};

/* `apex`, in lower case, signs. */
void rrsig_init(
    struct rrsig_maker *maker, const struct dnskey *key, const uint8_t *apex);
void rrsig_fini(struct rrsig_maker *maker);

void rrsig_begin(struct rrsig_maker *maker, const uint8_t *owner, uint16_t type,
    uint32_t ttl, const struct rrsig_window *window);
void rrsig_record(
    struct rrsig_maker *maker, const uint8_t *rdata, uint16_t length);
/* Returns the length of the RRSIG's rdata: the same for all of a zone. */
uint16_t rrsig_end(struct rrsig_maker *maker, uint8_t ret[RRSIG_RDATA_MAX]);
