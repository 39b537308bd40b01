/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/arena.h"
#include "base/assert.h"

#include <string.h>

static uint64_t read64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t read32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Up to 16 bytes as two words that differ for different bytes of equal
 * length; the length itself goes into the final fold. */
static void read_short(
    const uint8_t *p, size_t length, uint64_t *ret_a, uint64_t *ret_b)
{
	if (length >= 8) {
		*ret_a = read64(p);
		*ret_b = read64(p + length - 8);
	} else if (length >= 4) {
		*ret_a = read32(p);
		*ret_b = read32(p + length - 4);
	} else if (length > 0) {
		*ret_a = (uint64_t)p[0] << 16 | (uint64_t)p[length / 2] << 8 |
			 p[length - 1];
		*ret_b = 0;
	} else {
		*ret_a = *ret_b = 0;
	}
}

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
	const uint8_t *p = bytes;
	size_t left = length;
	uint64_t a, b;

	seed ^= hash_fold(seed ^ HASH_K0, HASH_K1);
	while (left > 16) {
		seed = hash_fold(read64(p) ^ HASH_K1, read64(p + 8) ^ seed);
		p += 16;
		left -= 16;
	}
	read_short(p, left, &a, &b);
	return hash_fold(HASH_K1 ^ length, hash_fold(a ^ HASH_K2, b ^ seed));
}

struct strmap_entry {
	const char *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

/* Open addressing with linear probing, at most 5/8 full. */
struct strmap {
	struct arena *arena;
	struct strmap_entry *entry;
	size_t mask; /* slots - 1 */
	size_t count;
};

#define STRMAP_SLOTS_MIN 16

struct strmap *strmap_new(struct arena *arena)
{
	struct strmap *map = arena_alloc(arena, sizeof(*map));

	map->arena = arena;
	map->mask = STRMAP_SLOTS_MIN - 1;
	map->entry = arena_alloc(arena, STRMAP_SLOTS_MIN * sizeof(*map->entry));
	return map;
}

static uint64_t key_hash(const char *key)
{
	return hash_bytes(key, strlen(key), HASH_K2);
}

/* The entry of the key, or the free one where it belongs. */
static struct strmap_entry *find(
    const struct strmap *map, const char *key, uint64_t hash)
{
	size_t at = hash & map->mask;

	for (;; at = (at + 1) & map->mask) {
		struct strmap_entry *e = &map->entry[at];

		if (!e->key || (e->hash == hash && !strcmp(e->key, key)))
			return e;
	}
}

/* The old table stays in the arena: all old ones together are smaller than
 * the new one. */
static void grow(struct strmap *map)
{
	struct strmap_entry *old = map->entry;
	size_t old_slots = map->mask + 1;
	size_t slots = old_slots * 2;

	map->entry = arena_alloc(map->arena, slots * sizeof(*map->entry));
	map->mask = slots - 1;
	for (size_t i = 0; i < old_slots; i++) {
		size_t at = old[i].hash & map->mask;

		if (!old[i].key)
			continue;
		while (map->entry[at].key)
			at = (at + 1) & map->mask;
		map->entry[at] = old[i];
	}
}

void *strmap_put(struct strmap *map, const char *key, void *value)
{
	uint64_t hash = key_hash(key);
	struct strmap_entry *e;
	void *before;

	br_assert(key && value);
	e = find(map, key, hash);
	before = e->value;
	if (e->key) {
		e->value = value;
		return before;
	}
	if ((map->count + 1) * 8 > (map->mask + 1) * 5) {
		grow(map);
		e = find(map, key, hash);
	}
	*e = (struct strmap_entry){.key = key, .value = value, .hash = hash};
	map->count++;
	return NULL;
}

void *strmap_get(const struct strmap *map, const char *key)
{
	return find(map, key, key_hash(key))->value;
}

size_t strmap_count(const struct strmap *map)
{
	return map->count;
}
