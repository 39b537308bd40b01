/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/client_key.h"

#include "base/assert.h"
#include "base/hash.h"

static uint8_t cut_of(uint8_t family, bool subnet)
{
	if (family == AF_INET)
		return subnet ? CLIENT_KEY_SUBNET_BITS_IPV4
			      : CLIENT_KEY_SOURCE_BITS_IPV4;
	return subnet ? CLIENT_KEY_SUBNET_BITS_IPV6
		      : CLIENT_KEY_SOURCE_BITS_IPV6;
}

struct client_key client_key_of(
    const struct prefix *source, const struct prefix *subnet)
{
	bool given = subnet && subnet->bits;
	struct client_key key = {given ? *subnet : *source, given};

	prefix_cut(&key.prefix, cut_of(key.prefix.family, given));
	return key;
}

/* No more than 56 bits of address, then their number and the family. */
static uint64_t key_word(const struct prefix *p)
{
	uint64_t word = 0;

	br_assert(p->bits <= 56);
	for (int i = 0; i < 7; i++)
		word = word << 8 | p->bytes[i];
	return word << 8 | p->bits | (p->family == AF_INET6 ? 0x80u : 0);
}

#define PERIOD_NS (CLIENT_KEY_PERIOD_S * NS_PER_S)

static int64_t period_offset(uint64_t base)
{
	return (int64_t)(base % (uint64_t)PERIOD_NS);
}

struct client_draw client_key_draw(const struct client_key *key,
    const struct siphash_key *salt, uint64_t resource, struct wall now)
{
	struct client_draw draw;

	draw.base = siphash_2_4_words(salt, resource, key_word(&key->prefix));
	draw.period = 0;
	if (!key->subnet)
		draw.period =
		    (uint32_t)((now.ns + period_offset(draw.base)) / PERIOD_NS);
	draw.hash = hash_u64(draw.period, draw.base);
	return draw;
}

struct wall client_key_period_end(
    const struct client_key *key, const struct client_draw *draw)
{
	if (key->subnet)
		return (struct wall){INT64_MAX};
	return (struct wall){((int64_t)draw->period + 1) * PERIOD_NS -
			     period_offset(draw->base)};
}
