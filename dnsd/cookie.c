/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie.h"

#include "base/cursor.h"
#include "base/prefix.h"

#define VERSION 1
/* RFC 9018 section 4.3, in seconds. */
#define AGE_MAX 3600
#define AGE_FRESH 1800
#define AHEAD_MAX 300

/* What the hash covers, RFC 9018 section 4.4: the client's cookie, ours up to
 * the hash, the address. */
#define COVERED_BYTES 16u

struct covered {
	uint8_t bytes[COVERED_BYTES + 16];
	size_t length;
};

/* The source as a client knows its own address: IPv4 is 4 bytes, also when it
 * comes from a socket for both families. */
static void cover(
    struct covered *ret, struct cursor cookie, const struct addr *source)
{
	struct cursor_out out = cursor_out_of(ret->bytes, sizeof ret->bytes);
	struct prefix address = {0};

	(void)cursor_put(&out, cookie.at, COVERED_BYTES);
	if (prefix_of_addr(&address, source))
		(void)cursor_put(&out, address.bytes, address.bits / 8u);
	ret->length = cursor_out_length(&out);
}

static uint64_t hash_of(
    const struct covered *covered, const struct siphash_key *key)
{
	return siphash_2_4(key, covered->bytes, covered->length);
}

/* RFC 9018 appendix B: SipHash's result as its authors print it, the least
 * significant byte first. */
static void put_hash(struct cursor_out *out, uint64_t hash)
{
	for (int i = 0; i < 8; i++)
		(void)cursor_put_u8(out, (uint8_t)(hash >> (8 * i)));
}

void cookie_make(const struct cookie_secrets *secrets,
    const uint8_t client_cookie[COOKIE_CLIENT_BYTES], const struct addr *source,
    struct wall now, uint8_t ret[COOKIE_BYTES])
{
	struct cursor_out out = cursor_out_of(ret, COOKIE_BYTES);
	struct covered covered;

	(void)cursor_put(&out, client_cookie, COOKIE_CLIENT_BYTES);
	(void)cursor_put_be32(&out, (uint32_t)VERSION << 24);
	(void)cursor_put_be32(&out, (uint32_t)(now.ns / NS_PER_S));
	cover(&covered, cursor_of(ret, COOKIE_BYTES), source);
	put_hash(&out, hash_of(&covered, &secrets->keys[0]));
}

/* Compares in a time that does not depend on where they differ. */
static bool same_hash(struct cursor received, uint64_t hash)
{
	uint8_t differ = 0;

	for (int i = 0; i < 8; i++)
		differ |=
		    (uint8_t)(received.at[i] ^ (uint8_t)(hash >> (8 * i)));
	return !differ;
}

bool cookie_check(const struct cookie_secrets *secrets, const uint8_t *option,
    size_t length, const struct addr *source, struct wall now, bool *ret_fresh)
{
	struct cursor c = cursor_of(option, length);
	struct covered covered;
	uint8_t version;
	uint32_t made;

	if (length != COOKIE_BYTES || !cursor_skip(&c, COOKIE_CLIENT_BYTES) ||
	    !cursor_u8(&c, &version) || version != VERSION ||
	    !cursor_skip(&c, 3) || !cursor_be32(&c, &made))
		return false;
	/* Serial arithmetic (RFC 1982), so that 2106 passes unnoticed. */
	int32_t age = (int32_t)((uint32_t)(now.ns / NS_PER_S) - made);

	if (age > AGE_MAX || age < -AHEAD_MAX)
		return false;
	cover(&covered, cursor_of(option, length), source);
	for (uint32_t i = 0; i < secrets->n; i++) {
		if (!same_hash(c, hash_of(&covered, &secrets->keys[i])))
			continue;
		*ret_fresh = i == 0 && age <= AGE_FRESH;
		return true;
	}
	return false;
}
