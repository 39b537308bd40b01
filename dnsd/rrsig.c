/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rrsig.h"

#include "dnsd/rdata.h"

#include <stdlib.h>
#include <string.h>

void rrsig_init(
    struct rrsig_maker *maker, const struct dnskey *key, const uint8_t *apex)
{
	memset(maker, 0, sizeof *maker);
	maker->signer = dnskey_signer_new(key);
	maker->tag = dnskey_tag(key);
	maker->apex = apex;
}

void rrsig_fini(struct rrsig_maker *maker)
{
	dnskey_signer_free(maker->signer);
	free(maker->bytes.bytes);
}

static uint8_t *write_16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *write_32(uint8_t *at, uint32_t value)
{
	at = write_16(at, (uint16_t)(value >> 16));
	return write_16(at, (uint16_t)value);
}

/* RFC 4034 section 3.1.3: without the root and without a leading "*". */
static uint8_t label_count(const uint8_t *owner)
{
	return (uint8_t)(dname_labels(owner) - dname_is_wildcard(owner));
}

void rrsig_begin(struct rrsig_maker *maker, const uint8_t *owner, uint16_t type,
    uint32_t ttl, const struct rrsig_window *window)
{
	uint8_t head[18 + DNAME_MAX], *at = head;

	(void)dname_lower(maker->owner, owner);
	maker->type = type;
	maker->ttl = ttl;
	maker->bytes.length = 0;
	at = write_16(at, type);
	*at++ = DNSKEY_ALGORITHM;
	*at++ = label_count(owner);
	at = write_32(at, ttl);
	at = write_32(at, window->expiration);
	at = write_32(at, window->inception);
	at = write_16(at, maker->tag);
	at += dname_copy(at, maker->apex);
	maker->head = (size_t)(at - head);
	zone_bytes_append(&maker->bytes, head, maker->head);
}

/* Owner, type, class IN, the original TTL, and the data with names in lower
 * case (RFC 4034 section 6.2). */
void rrsig_record(
    struct rrsig_maker *maker, const uint8_t *rdata, uint16_t length)
{
	uint8_t head[DNAME_MAX + 10];
	uint8_t *at = head + dname_copy(head, maker->owner);
	size_t data;

	at = write_16(at, maker->type);
	at = write_16(at, RR_CLASS_IN);
	at = write_32(at, maker->ttl);
	at = write_16(at, length);
	zone_bytes_append(&maker->bytes, head, (size_t)(at - head));
	data = maker->bytes.length;
	zone_bytes_append(&maker->bytes, rdata, length);
	rdata_make_canonical(maker->type, maker->bytes.bytes + data, length);
}

uint16_t rrsig_end(struct rrsig_maker *maker, uint8_t ret[RRSIG_RDATA_MAX])
{
	memcpy(ret, maker->bytes.bytes, maker->head);
	dnskey_sign(maker->signer, maker->bytes.bytes, maker->bytes.length,
	    ret + maker->head);
	return (uint16_t)(maker->head + DNSKEY_SIGNATURE_BYTES);
}
