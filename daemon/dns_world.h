/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where clients can be sent, and where they are, by one configuration: its POPs
 * and regions. Zones point there by their resources, and may outlive the store
 * that loaded them in a transfer that a worker has begun.
 *
 * Thread:  made and filled by the clerk, or main at boot; const afterwards. Any
 *          thread may let go.
 * Memory:  counted; freed with the last holder.
 */
#include <stdatomic.h>

#include "conf/conf.h"

struct arena;
struct pops;
struct region_map;

struct dns_world {
	atomic_uint holders;
	struct arena *arena; /* of the POPs */
	struct pops *pops;
	struct region_map *regions; /* NULL: none */
};

/* One holder; no regions yet. */
struct dns_world *dns_world_new(const struct conf *conf);
struct dns_world *dns_world_ref(struct dns_world *world);
/* NULL is ignored. */
void dns_world_unref(struct dns_world *world);
