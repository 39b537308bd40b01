/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone.h"

#include "base/assert.h"
#include "dnsd/rr_type.h"
#include "dnsd/zone_inside.h"

#include <stdlib.h>
#include <string.h>

/* -- nodes ------------------------------------------------------------- */

const struct zone_node *zone_node_at(const struct zone *zone, uint32_t index)
{
	br_assert(index < zone->n_nodes);
	return &zone->nodes[index];
}

uint32_t zone_node_index(const struct zone *zone, const struct zone_node *node)
{
	return (uint32_t)(node - zone->nodes);
}

const uint8_t *zone_node_name(
    const struct zone *zone, const struct zone_node *node)
{
	return zone->data + node->data;
}

/* -- rrsets ------------------------------------------------------------ */

static inline uint32_t aligned(size_t bytes)
{
	return (uint32_t)((bytes + 3) & ~(size_t)3);
}

static const struct rrset *set_at(const uint8_t *at)
{
	return (const struct rrset *)(const void *)at;
}

static const struct rrset *first_set(
    const struct zone *zone, const struct zone_node *node)
{
	const uint8_t *name = zone->data + node->data;

	return set_at(zone->data + aligned(node->data + dname_size(name)));
}

static const struct rrset *set_after(const struct rrset *set)
{
	return set_at((const uint8_t *)set + set->size);
}

int rrset_target_offset(uint16_t type)
{
	switch (type) {
	case RR_NS:
		return 0;
	case RR_MX:
	case RR_SVCB:
	case RR_HTTPS:
		return 2;
	case RR_SRV:
		return 6;
	default:
		return -1;
	}
}

const uint32_t *rrset_targets(const struct rrset *set)
{
	if (rrset_target_offset(set->type) < 0)
		return NULL;
	return (const uint32_t *)(const void *)(rrset_records(set) +
						aligned(set->length));
}

const struct rrset *zone_rrset(
    const struct zone *zone, const struct zone_node *node, uint16_t type)
{
	uint32_t left = node->n_rrsets;

	if (!left)
		return NULL;
	for (const struct rrset *set = first_set(zone, node);;
	     set = set_after(set)) {
		if (set->type == type)
			return set;
		if (!--left)
			return NULL;
	}
}

const struct rrset *zone_next_rrset(const struct zone *zone,
    const struct zone_node *node, const struct rrset *previous)
{
	const struct rrset *set = first_set(zone, node);

	if (!node->n_rrsets)
		return NULL;
	if (!previous)
		return set;
	/* Where the node ends is known by counting alone. */
	for (uint32_t left = node->n_rrsets; --left; set = set_after(set))
		if (set == previous)
			return set_after(set);
	return NULL;
}

/* -- resources --------------------------------------------------------- */

const struct zone_dynamic *zone_dynamic(
    const struct zone *zone, const struct zone_node *node)
{
	if (!(node->flags & ZONE_NODE_DYNAMIC))
		return NULL;
	return &zone->dynamics[node->dynamic].seen;
}

static int type_index(const struct zone_dynamic *dynamic, uint16_t type)
{
	for (int i = 0; i < dynamic->n_types; i++)
		if (dynamic->types[i] == type)
			return i;
	return -1;
}

bool zone_dynamic_has(const struct zone_dynamic *dynamic, uint16_t type)
{
	return type_index(dynamic, type) >= 0;
}

const struct rrset *zone_variant_signatures(const struct zone *zone,
    const struct zone_node *node, uint16_t type, uint32_t variant)
{
	const struct zone_dynamic_node *dynamic;
	int i;

	br_assert(node->flags & ZONE_NODE_DYNAMIC);
	dynamic = &zone->dynamics[node->dynamic];
	i = type_index(&dynamic->seen, type);
	if (i < 0 || variant >= dynamic->n_variants[i] ||
	    !dynamic->variants[i][variant])
		return NULL;
	return set_at(zone->data + dynamic->variants[i][variant]);
}

/* -- look-ups ---------------------------------------------------------- */

/* The ancestor of the key with so many labels, or NULL. */
static inline const struct zone_node *probe(
    const struct zone *zone, const struct dname_key *key, uint32_t labels)
{
	const uint8_t *name = key->name + key->at[labels];
	size_t size = (size_t)key->size - key->at[labels];
	uint32_t hash = key->hash[labels];

	for (uint32_t i = hash & zone->slot_mask;;
	     i = (i + 1) & zone->slot_mask) {
		const struct zone_slot *slot = &zone->slots[i];
		const struct zone_node *node;

		if (slot->node == ZONE_NONE)
			return NULL;
		if (slot->hash != hash)
			continue;
		node = &zone->nodes[slot->node];
		if (!memcmp(zone->data + node->data, name, size))
			return node;
	}
}

/* Whatever lies above a name that exists does so too, so the deepest one that
 * exists is found by halving between the apex and the name. */
static const struct zone_node *closest_encloser(
    const struct zone *zone, const struct dname_key *key)
{
	const struct zone_node *found = zone->nodes;
	uint32_t low = found->labels, high = key->labels;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		const struct zone_node *node = probe(zone, key, middle);

		if (node) {
			found = node;
			low = middle;
		} else {
			high = middle;
		}
	}
	return found;
}

static void match_exact(const struct zone *zone, const struct zone_node *node,
    struct zone_match *ret)
{
	ret->encloser = node;
	if (node->cut == ZONE_NONE) {
		ret->kind = ZONE_MATCH_EXACT;
		ret->exact = true;
		ret->node = node;
		return;
	}
	ret->kind = ZONE_MATCH_DELEGATION;
	ret->node = &zone->nodes[node->cut];
	ret->exact = ret->node == node;
}

/* In the order of RFC 1034 section 4.3.2 step 3 and RFC 6672 section 3.2: a
 * cut before a DNAME before a wildcard. Nothing is below a DNAME, so only the
 * closest encloser can own the one that counts. */
static void match_below(const struct zone *zone,
    const struct zone_node *encloser, struct zone_match *ret)
{
	ret->exact = false;
	ret->encloser = encloser;
	ret->node = NULL;
	if (encloser->cut != ZONE_NONE) {
		ret->kind = ZONE_MATCH_DELEGATION;
		ret->node = &zone->nodes[encloser->cut];
	} else if (encloser->flags & ZONE_NODE_DNAME) {
		ret->kind = ZONE_MATCH_DNAME;
		ret->node = encloser;
	} else if (encloser->wildcard != ZONE_NONE) {
		ret->kind = ZONE_MATCH_WILDCARD;
		ret->node = &zone->nodes[encloser->wildcard];
	} else {
		ret->kind = ZONE_MATCH_NONE;
	}
}

void zone_find(const struct zone *zone, const struct dname_key *key,
    struct zone_match *ret)
{
	const struct zone_node *node = probe(zone, key, key->labels);

	if (node) {
		match_exact(zone, node, ret);
		return;
	}
	br_assert(key->labels > zone->nodes->labels);
	match_below(zone, closest_encloser(zone, key), ret);
}

const struct zone_node *zone_find_name(
    const struct zone *zone, const uint8_t *name)
{
	struct dname_key key;

	dname_key_of(&key, name, dname_size(name), zone->seed);
	return probe(zone, &key, key.labels);
}

/* -- denial ------------------------------------------------------------ */

/* The last node below `encloser` (or itself) that sorts before the name,
 * which lies below it and does not exist. */
static const struct zone_node *last_before(const struct zone *zone,
    const struct zone_node *encloser, const uint8_t *name)
{
	uint32_t low = zone_node_index(zone, encloser), high = encloser->end;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (dname_compare(
			zone_node_name(zone, &zone->nodes[middle]), name) < 0)
			low = middle;
		else
			high = middle;
	}
	return &zone->nodes[low];
}

static const struct zone_node *nsec_of(
    const struct zone *zone, const struct zone_node *node)
{
	return node->nsec == ZONE_NONE ? NULL : &zone->nodes[node->nsec];
}

const struct zone_node *zone_nsec_for(const struct zone *zone,
    const struct dname_key *key, const struct zone_match *match)
{
	if (match->kind == ZONE_MATCH_EXACT ||
	    match->kind == ZONE_MATCH_DELEGATION)
		return nsec_of(zone, match->node);
	return nsec_of(zone, last_before(zone, match->encloser, key->name));
}

const struct zone_node *zone_nsec_for_wildcard(
    const struct zone *zone, const struct zone_node *encloser)
{
	static const uint8_t asterisk[] = {1, '*', 0};
	uint8_t name[DNAME_MAX];

	if (encloser->wildcard != ZONE_NONE)
		return nsec_of(zone, &zone->nodes[encloser->wildcard]);
	/* The name that does not exist is as long at least. */
	br_assert(dname_join(name, asterisk, zone_node_name(zone, encloser)));
	return nsec_of(zone, last_before(zone, encloser, name));
}

/* -- the zone ---------------------------------------------------------- */

const uint8_t *zone_apex(const struct zone *zone)
{
	return zone_node_name(zone, zone->nodes);
}

const struct zone_node *zone_apex_node(const struct zone *zone)
{
	return zone->nodes;
}

uint32_t zone_n_nodes(const struct zone *zone)
{
	return zone->n_nodes;
}

uint32_t zone_seed(const struct zone *zone)
{
	return zone->seed;
}

const struct rrset *zone_soa(const struct zone *zone)
{
	return set_at(zone->data + zone->soa);
}

uint32_t zone_serial(const struct zone *zone)
{
	return zone->serial;
}

uint32_t zone_negative_ttl(const struct zone *zone)
{
	return zone->negative_ttl;
}

bool zone_is_signed(const struct zone *zone)
{
	return zone->is_signed;
}

struct zone *zone_base(const struct zone *zone)
{
	return zone->base;
}

size_t zone_bytes(const struct zone *zone)
{
	size_t bytes = sizeof *zone + zone->data_bytes +
		       zone->n_nodes * sizeof *zone->nodes +
		       (zone->slot_mask + (size_t)1) * sizeof *zone->slots +
		       zone->n_dynamics * sizeof *zone->dynamics;

	for (uint32_t i = 0; i < zone->n_dynamics; i++)
		for (int j = 0; j < ZONE_DYNAMIC_TYPES_MAX; j++)
			bytes +=
			    zone->dynamics[i].n_variants[j] * sizeof(uint32_t);
	return bytes + (zone->kept ? arena_bytes(zone->kept) : 0);
}

struct walk {
	bool (*on_record)(void *context, const struct dns_record *record);
	void *context;
	const uint8_t *owner;
};

static bool walk_set(const struct walk *walk, const struct rrset *set)
{
	const uint8_t *at = rrset_records(set);

	for (uint32_t i = 0; i < set->n; i++) {
		struct answer_record record = rrset_take(&at);
		struct dns_record given = {
		    .owner = walk->owner,
		    .type = set->type,
		    .ttl = set->ttl,
		    .rdata = record.rdata,
		    .length = record.length,
		};

		if (!walk->on_record(walk->context, &given))
			return false;
	}
	return true;
}

bool zone_walk_node(const struct zone *zone, const struct zone_node *node,
    bool (*on_record)(void *context, const struct dns_record *record),
    void *context)
{
	struct walk walk = {.on_record = on_record,
	    .context = context,
	    .owner = zone_node_name(zone, node)};
	const struct rrset *set = NULL, *signatures;

	while ((set = zone_next_rrset(zone, node, set))) {
		signatures = rrset_signatures(set);
		if (!walk_set(&walk, set) ||
		    (signatures && !walk_set(&walk, signatures)))
			return false;
	}
	return true;
}

bool zone_walk(const struct zone *zone,
    bool (*on_record)(void *context, const struct dns_record *record),
    void *context)
{
	for (uint32_t i = 0; i < zone->n_nodes; i++)
		if (!zone_walk_node(zone, &zone->nodes[i], on_record, context))
			return false;
	return true;
}

struct zone *zone_ref(struct zone *zone)
{
	atomic_fetch_add_explicit(&zone->holders, 1, memory_order_relaxed);
	return zone;
}

void zone_hold(struct zone *zone, void *what, void (*release)(void *what))
{
	/* Where the resources are; it lives as long as what is signed of it. */
	if (zone->base)
		zone = zone->base;
	br_assert(!zone->held);
	zone->held = what;
	zone->release = release;
}

/* At most one level deep: a base has no base. */
static void zone_free(struct zone *zone)
{
	for (uint32_t i = 0; i < zone->n_dynamics; i++)
		for (int j = 0; j < ZONE_DYNAMIC_TYPES_MAX; j++)
			free(zone->dynamics[i].variants[j]);
	free(zone->dynamics);
	free(zone->data);
	free(zone->nodes);
	free(zone->slots);
	arena_free(zone->kept);
	if (zone->held)
		zone->release(zone->held);
	zone_unref(zone->base);
	free(zone);
}

void zone_unref(struct zone *zone)
{
	if (zone && atomic_fetch_sub_explicit(
			&zone->holders, 1, memory_order_acq_rel) == 1)
		zone_free(zone);
}
