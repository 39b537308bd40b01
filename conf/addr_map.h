/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A map from address to pointer, for finding the same address twice.
 *
 * Thread:  one at a time.
 * Memory:  from the arena; addresses and values are borrowed.
 * Limits:  as many addresses as said at the start.
 */
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"

struct addr_map;

struct addr_map *addr_map_new(struct arena *arena, uint32_t addresses);
/* The value stored before for this address; or NULL, and stores this one. */
void *addr_map_add(struct addr_map *map, const struct addr *addr, void *value);
void *addr_map_get(const struct addr_map *map, const struct addr *addr);
