/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotated(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static inline uint64_t load_le(const uint8_t *bytes, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)bytes[i] << (8 * i);
	return v;
}

/* Section 2.4 of the paper. */
static inline void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotated(s->v1, 13) ^ s->v0;
	s->v3 = rotated(s->v3, 16) ^ s->v2;
	s->v0 = rotated(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotated(s->v1, 17) ^ s->v2;
	s->v3 = rotated(s->v3, 21) ^ s->v0;
	s->v2 = rotated(s->v2, 32);
}

/* Section 2.1; the constants are "somepseudorandomlygeneratedbytes". */
static inline struct state begun(const struct siphash_key *key)
{
	return (struct state){key->k0 ^ UINT64_C(0x736f6d6570736575),
	    key->k1 ^ UINT64_C(0x646f72616e646f6d),
	    key->k0 ^ UINT64_C(0x6c7967656e657261),
	    key->k1 ^ UINT64_C(0x7465646279746573)};
}

/* Section 2.2: two rounds a word. */
static inline void take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* Section 2.3: four rounds at the end. */
static inline uint64_t finished(struct state *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash_key siphash_key_of(const uint8_t bytes[SIPHASH_KEY_BYTES])
{
	return (struct siphash_key){load_le(bytes, 8), load_le(bytes + 8, 8)};
}

struct siphash_key siphash_key_of_text(const char *text)
{
	static const struct siphash_key low = {0, 1}, high = {0, 2};
	size_t length = strlen(text);

	return (struct siphash_key){
	    siphash_2_4(&low, text, length), siphash_2_4(&high, text, length)};
}

uint64_t siphash_2_4(
    const struct siphash_key *key, const void *bytes, size_t length)
{
	struct state s = begun(key);
	const uint8_t *at = bytes;
	size_t left = length;

	for (; left >= 8; left -= 8, at += 8)
		take(&s, load_le(at, 8));
	/* The last word: what is left, and the length modulo 256. */
	take(&s, load_le(at, left) | (uint64_t)length << 56);
	return finished(&s);
}

uint64_t siphash_2_4_words(
    const struct siphash_key *key, uint64_t first, uint64_t second)
{
	struct state s = begun(key);

	take(&s, first);
	take(&s, second);
	take(&s, UINT64_C(16) << 56);
	return finished(&s);
}
