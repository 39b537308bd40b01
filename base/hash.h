/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A 64-bit hash of bytes (wyhash's multiply-fold construction), keyed by a
 * seed, and a string map for config-time look-ups. Not for attackers' input
 * without a random seed.
 *
 * Thread:  any for hashing; a strmap has one owner.
 */
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);

/* Both halves of the product, one laid over the other. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The constants of wyhash (Wang Yi, final version 4). */
#define HASH_K0 UINT64_C(0xa0761d6478bd642f)
#define HASH_K1 UINT64_C(0xe7037ed1a0b428db)
#define HASH_K2 UINT64_C(0x8ebc6af09c88c6e3)

/* Two multiplications: compiled into its callers, which draw with it. */
static inline uint64_t hash_u64(uint64_t v, uint64_t seed)
{
	return hash_fold(hash_fold(v ^ HASH_K0, seed ^ HASH_K1) ^ v, HASH_K2);
}

struct arena;
struct strmap;

/* Map from string to pointer; memory, also of the keys' table, from the
 * arena. Keys are not copied. */
struct strmap *strmap_new(struct arena *arena);
/* The value before, or NULL. A NULL value cannot be stored. */
void *strmap_put(struct strmap *map, const char *key, void *value);
void *strmap_get(const struct strmap *map, const char *key);
size_t strmap_count(const struct strmap *map);
