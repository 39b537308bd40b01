/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include "base/assert.h"
#include "base/clock.h"

#include <errno.h>
#include <sys/random.h>

/* splitmix64 (Steele, Lea, Flood 2014): spreads any seed over the state,
 * which must not be all zero. */
static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed)
{
	for (size_t i = 0; i < BR_COUNT(rng->s); i++)
		rng->s[i] = splitmix(&seed);
}

void rng_seed_random(struct rng *rng)
{
	uint64_t seed;
	ssize_t got;

	do {
		got = getrandom(&seed, sizeof(seed), 0);
	} while (got < 0 && errno == EINTR);
	/* Without getrandom (an old seccomp filter) time and address will do:
	 * nothing here is a secret. */
	if (got != (ssize_t)sizeof(seed))
		seed = (uint64_t)mono_now().ns ^ (uint64_t)(uintptr_t)rng;
	rng_seed(rng, seed);
}

static uint64_t rotate_left(uint64_t v, int bits)
{
	return (v << bits) | (v >> (64 - bits));
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* Lemire, "Fast random integer generation in an interval" (2019). */
uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	uint64_t product;
	uint32_t threshold;

	br_assert(bound > 0);
	product = (rng_u64(rng) >> 32) * bound;
	if ((uint32_t)product >= bound)
		return (uint32_t)(product >> 32);
	/* 2^32 mod bound: draws below it would favour some values. */
	threshold = (0U - bound) % bound;
	while ((uint32_t)product < threshold)
		product = (rng_u64(rng) >> 32) * bound;
	return (uint32_t)(product >> 32);
}
