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
uint64_t hash_u64(uint64_t v, uint64_t seed);

struct arena;
struct strmap;

/* Map from string to pointer; memory, also of the keys' table, from the
 * arena. Keys are not copied. */
struct strmap *strmap_new(struct arena *arena);
/* The value before, or NULL. A NULL value cannot be stored. */
void *strmap_put(struct strmap *map, const char *key, void *value);
void *strmap_get(const struct strmap *map, const char *key);
size_t strmap_count(const struct strmap *map);
