/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/addr_map.h"

#include "base/assert.h"

struct addr_map_slot {
	const struct addr *addr; /* NULL: free */
	void *value;
};

/* Open addressing, at most half full. */
struct addr_map {
	uint32_t mask;
	uint32_t left;
	struct addr_map_slot slots[];
};

struct addr_map *addr_map_new(struct arena *arena, uint32_t addresses)
{
	uint32_t slots = 4;
	struct addr_map *map;

	br_assert(addresses <= UINT32_MAX / 4);
	while (slots < addresses * 2)
		slots *= 2;
	map = arena_alloc(arena, sizeof(*map) + slots * sizeof(map->slots[0]));
	map->mask = slots - 1;
	map->left = addresses;
	return map;
}

static uint32_t addr_map_find(
    const struct addr_map *map, const struct addr *addr)
{
	uint32_t at = (uint32_t)addr_hash(addr, 0) & map->mask;

	while (map->slots[at].addr && !addr_equal(map->slots[at].addr, addr))
		at = (at + 1) & map->mask;
	return at;
}

void *addr_map_add(struct addr_map *map, const struct addr *addr, void *value)
{
	struct addr_map_slot *slot = &map->slots[addr_map_find(map, addr)];

	if (slot->addr)
		return slot->value;
	br_assert(map->left > 0);
	map->left--;
	slot->addr = addr;
	slot->value = value;
	return NULL;
}

void *addr_map_get(const struct addr_map *map, const struct addr *addr)
{
	return map->slots[addr_map_find(map, addr)].value;
}
