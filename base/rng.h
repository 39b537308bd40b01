/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Small fast generator (xoshiro256**, Blackman and Vigna 2018) for balancing
 * and jitter. Not for secrets: those come from OpenSSL.
 *
 * Thread:  the owner.
 */
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
/* Seeds from the kernel. */
void rng_seed_random(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
/* Uniform in [0, bound), bound > 0 (Lemire's multiply, no modulo bias). */
uint32_t rng_below(struct rng *rng, uint32_t bound);
