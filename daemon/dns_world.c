/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_world.h"

#include "base/arena.h"
#include "base/assert.h"
#include "fleet/pop.h"
#include "fleet/region.h"

#include <stdlib.h>

struct dns_world *dns_world_new(const struct conf *conf)
{
	struct dns_world *world = calloc(1, sizeof *world);

	if (!world)
		br_out_of_memory("DNS", sizeof *world);
	atomic_init(&world->holders, 1);
	world->arena = arena_new();
	world->pops = pops_new(world->arena, conf->pops, conf->n_pops);
	return world;
}

struct dns_world *dns_world_ref(struct dns_world *world)
{
	atomic_fetch_add(&world->holders, 1);
	return world;
}

void dns_world_unref(struct dns_world *world)
{
	if (!world || atomic_fetch_sub(&world->holders, 1) > 1)
		return;
	if (world->regions)
		region_map_free(world->regions);
	arena_free(world->arena);
	free(world);
}
