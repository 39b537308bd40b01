/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_set.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Power of two; at most half of it is in use. */
#define SLOTS_MIN 16u

struct zone_set {
	uint32_t seed;
	uint32_t n_zones, room; /* room: half of the slots */
	struct zone **zones;
	uint32_t *slots; /* by hash of the apex: index of a zone + 1 */
	/* How many labels the apexes have: only so many are looked for. */
	uint64_t depths[2];
};

static void *allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);

	if (!memory)
		br_out_of_memory("a set of zones", count * bytes);
	return memory;
}

struct zone_set *zone_set_new(uint32_t seed)
{
	struct zone_set *set = allocate(1, sizeof *set);

	set->seed = seed;
	set->room = SLOTS_MIN / 2;
	set->zones = allocate(set->room, sizeof *set->zones);
	set->slots = allocate(SLOTS_MIN, sizeof *set->slots);
	return set;
}

void zone_set_free(struct zone_set *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; i < set->n_zones; i++)
		zone_unref(set->zones[i]);
	free(set->zones);
	free(set->slots);
	free(set);
}

static void put_slot(struct zone_set *set, uint32_t index)
{
	const uint8_t *apex = zone_apex(set->zones[index]);
	uint32_t mask = 2 * set->room - 1;
	uint32_t i = dname_hash(apex, set->seed) & mask;

	while (set->slots[i])
		i = (i + 1) & mask;
	set->slots[i] = index + 1;
}

static void grow(struct zone_set *set)
{
	struct zone **zones = allocate(2 * (size_t)set->room, sizeof *zones);

	memcpy(zones, set->zones, set->n_zones * sizeof *zones);
	free(set->zones);
	free(set->slots);
	set->zones = zones;
	set->room *= 2;
	set->slots = allocate(2 * (size_t)set->room, sizeof *set->slots);
	for (uint32_t i = 0; i < set->n_zones; i++)
		put_slot(set, i);
}

int zone_set_add(struct zone_set *set, struct zone *zone)
{
	uint32_t labels = dname_labels(zone_apex(zone));

	br_assert(zone_seed(zone) == set->seed);
	if (zone_set_get(set, zone_apex(zone)))
		return -EEXIST;
	if (set->n_zones == set->room)
		grow(set);
	set->zones[set->n_zones] = zone_ref(zone);
	put_slot(set, set->n_zones++);
	set->depths[labels / 64] |= UINT64_C(1) << labels % 64;
	return 0;
}

uint32_t zone_set_seed(const struct zone_set *set)
{
	return set->seed;
}

uint32_t zone_set_count(const struct zone_set *set)
{
	return set->n_zones;
}

const struct zone *zone_set_at(const struct zone_set *set, uint32_t index)
{
	br_assert(index < set->n_zones);
	return set->zones[index];
}

/* The zone whose apex is the key's ancestor with so many labels. */
static const struct zone *probe(
    const struct zone_set *set, const struct dname_key *key, uint32_t labels)
{
	const uint8_t *name = key->name + key->at[labels];
	uint32_t mask = 2 * set->room - 1;

	for (uint32_t i = key->hash[labels] & mask; set->slots[i];
	     i = (i + 1) & mask) {
		const struct zone *zone = set->zones[set->slots[i] - 1];

		if (dname_equal(zone_apex(zone), name))
			return zone;
	}
	return NULL;
}

/* The deepest apex with at most so many labels. */
static const struct zone *find_from(
    const struct zone_set *set, const struct dname_key *key, uint32_t labels)
{
	for (int word = (int)(labels / 64); word >= 0; word--) {
		uint64_t depths = set->depths[word];

		if ((uint32_t)word == labels / 64)
			depths &= UINT64_MAX >> (63 - labels % 64);
		while (depths) {
			uint32_t bit = 63 - (uint32_t)__builtin_clzll(depths);
			const struct zone *zone =
			    probe(set, key, (uint32_t)word * 64 + bit);

			if (zone)
				return zone;
			depths &= ~(UINT64_C(1) << bit);
		}
	}
	return NULL;
}

const struct zone *zone_set_find(
    const struct zone_set *set, const struct dname_key *key)
{
	return find_from(set, key, key->labels);
}

const struct zone *zone_set_find_above(
    const struct zone_set *set, const struct dname_key *key)
{
	return key->labels ? find_from(set, key, key->labels - 1u) : NULL;
}

const struct zone *zone_set_get(const struct zone_set *set, const uint8_t *apex)
{
	struct dname_key key;

	dname_key_of(&key, apex, dname_size(apex), set->seed);
	return probe(set, &key, key.labels);
}
