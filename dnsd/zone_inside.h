/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a zone is made of: for zone.c, which reads it, and zone_layout.c,
 * which makes it. Nobody else includes this.
 *
 * Thread:  as zone.h.
 * Memory:  one block each for data, nodes and slots, freed with the zone.
 * Limits:  offsets are 32 bits; the data ends in ZONE_DATA_SLACK zero bytes,
 *          so that comparing a name with the last one stays inside.
 */
#include <stdatomic.h>

#include "base/arena.h"
#include "dnsd/zone.h"

#define ZONE_DATA_SLACK 256u

/* Open addressing; `node` ZONE_NONE: nothing here. */
struct zone_slot {
	uint32_t hash;
	uint32_t node;
};

struct zone_dynamic_node {
	struct zone_dynamic seen;
	/* By type as in seen.types: offsets of the RRSIGs in the data. */
	uint32_t n_variants[ZONE_DYNAMIC_TYPES_MAX];
	uint32_t *variants[ZONE_DYNAMIC_TYPES_MAX];
};

struct zone {
	uint8_t *data;
	struct zone_node *nodes;
	struct zone_slot *slots;
	uint32_t slot_mask; /* their number is a power of two */
	uint32_t n_nodes;
	uint32_t seed;
	uint32_t soa; /* offset in data */
	uint32_t negative_ttl;
	uint32_t serial;
	uint32_t n_dynamics;
	uint32_t data_bytes;
	struct zone_dynamic_node *dynamics;
	struct arena *kept; /* the resources', or NULL */
	struct zone *base; /* that it was signed from, or NULL */
	void *held; /* what `kept` points into, or NULL */
	void (*release)(void *held);
	bool is_signed;
	atomic_uint holders;
};
