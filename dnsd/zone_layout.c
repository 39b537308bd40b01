/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_layout.h"

#include "base/assert.h"
#include "dnsd/rr_type.h"
#include "dnsd/rrset_sort.h"
#include "dnsd/zone_inside.h"
#include "dnsd/zone_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct layout {
	const struct zone_layout_input *input;
	struct zone *zone;
	struct zone_bytes data, nodes, owners;
	struct rrset_sort sort;
	/* The node that was made last and those above it. */
	uint32_t open[DNAME_LABELS_MAX + 1];
	uint32_t n_open;
	bool too_large;
};

static struct zone_node *node_at(const struct layout *layout, uint32_t index)
{
	return (struct zone_node *)(void *)layout->nodes.bytes + index;
}

static struct rrset *set_at(const struct layout *layout, size_t offset)
{
	return (struct rrset *)(void *)(layout->data.bytes + offset);
}

static const uint8_t *name_at(const struct layout *layout, uint32_t node)
{
	return layout->data.bytes + node_at(layout, node)->data;
}

/* -- the records of a node --------------------------------------------- */

static struct dns_place place_of(
    const struct layout *layout, const struct rrset_item *item)
{
	return zone_collect_place(layout->input->collect, item->held);
}

/* RFC 2181 section 5: of equal records only one counts. */
static void drop_double(struct layout *layout, const uint8_t *owner,
    const struct rrset_item *first, const struct rrset_item *again)
{
	struct zone_report *report = layout->input->report;
	struct dns_place place = place_of(layout, again),
			 before = place_of(layout, first);

	zone_report_name(report, ZONE_WARNING, &place, owner, again->held->type,
	    "the same record stands at %s already",
	    zone_report_place(report, &before));
}

/* RFC 2181 section 5.2: an rrset has one TTL. The lowest is the one that
 * cannot keep anything longer than it was meant to be kept. */
static uint32_t common_ttl(struct layout *layout, const uint8_t *owner,
    const struct rrset_item *items, uint32_t n)
{
	uint32_t ttl = items->held->ttl;

	for (uint32_t i = 1; i < n; i++)
		if (items[i].held->ttl < ttl)
			ttl = items[i].held->ttl;
	for (uint32_t i = 0; i < n; i++) {
		struct dns_place place = place_of(layout, &items[i]);

		if (items[i].held->ttl == ttl)
			continue;
		zone_report_name(layout->input->report, ZONE_WARNING, &place,
		    owner, items->held->type,
		    "TTL %u, but %u elsewhere in the set; the lowest is taken",
		    items[i].held->ttl, ttl);
		break;
	}
	return ttl;
}

static bool put_record(struct layout *layout, const struct zone_held *held)
{
	uint8_t length[2] = {
	    (uint8_t)(held->length >> 8), (uint8_t)held->length};
	struct zone_bytes *data = &layout->data;

	/* No set may grow far beyond the largest that can be answered, nor
	 * offsets beyond their 32 bits. */
	if (data->length > UINT32_MAX - 2 * UINT16_MAX) {
		layout->too_large = true;
		return false;
	}
	zone_bytes_append(data, length, sizeof length);
	zone_bytes_append(data, zone_held_rdata(held), held->length);
	return true;
}

/* Room for the targets of the set, filled in when all nodes are there. */
static void put_targets(struct layout *layout, const struct rrset *set)
{
	uint32_t n = set->n;
	size_t at;

	if (rrset_target_offset(set->type) < 0)
		return;
	at = zone_bytes_add(&layout->data, n * sizeof(uint32_t));
	memset(layout->data.bytes + at, 0xff, n * sizeof(uint32_t));
}

/* One rrset of n records; its offset. */
static size_t put_set(struct layout *layout, const uint8_t *owner,
    const struct rrset_item *items, uint32_t n, uint32_t ttl)
{
	size_t at = zone_bytes_add(&layout->data, sizeof(struct rrset));
	struct rrset set = {.ttl = ttl, .type = items->held->type};
	struct dns_place place = place_of(layout, items);
	uint32_t bytes = 0; /* in a message */

	for (uint32_t i = 0; i < n; i++) {
		if (i &&
		    rrset_sort_equal(&layout->sort, &items[i - 1], &items[i])) {
			drop_double(layout, owner, &items[i - 1], &items[i]);
			continue;
		}
		set.length += 2u + items[i].held->length;
		bytes += RRSET_RECORD_BYTES + items[i].held->length;
		if (bytes > RRSET_BYTES_MAX) {
			zone_report_name(layout->input->report, ZONE_ERROR,
			    &place, owner, set.type,
			    "%u records are more than a message can hold", n);
			break;
		}
		set.n++;
		if (!put_record(layout, items[i].held))
			break;
	}
	put_targets(layout, &set);
	(void)zone_bytes_add(&layout->data, 0);
	set.size = (uint32_t)(layout->data.length - at);
	*set_at(layout, at) = set;
	return at;
}

/* What the RRSIG covers (RFC 4034 section 3.1). */
static uint16_t covered(const struct zone_held *held)
{
	const uint8_t *rdata = zone_held_rdata(held);

	return (uint16_t)(rdata[0] << 8 | rdata[1]);
}

/* The RRSIGs of the set go behind it, and count as a part of it. */
static void put_signatures(struct layout *layout, const uint8_t *owner,
    size_t set_offset, uint32_t first_rrsig)
{
	const struct rrset_item *items = rrset_sort_at(&layout->sort, 0);
	uint16_t type = set_at(layout, set_offset)->type;
	uint32_t ttl = set_at(layout, set_offset)->ttl;
	uint32_t end = layout->sort.n, from = first_rrsig, n = 0;
	struct rrset *set;
	size_t at;

	while (from < end && covered(items[from].held) != type)
		from++;
	while (from + n < end && items[from + n].held->type == RR_RRSIG &&
	       !(items[from + n].held->source & ZONE_SOURCE_VARIANT) &&
	       covered(items[from + n].held) == type)
		n++;
	if (!n)
		return;
	at = put_set(layout, owner, items + from, n, ttl);
	set = set_at(layout, set_offset);
	set->signatures = (uint32_t)(at - set_offset);
	set->size += set_at(layout, at)->size;
}

static uint8_t flags_of_type(uint16_t type)
{
	switch (type) {
	case RR_NS:
		return ZONE_NODE_CUT;
	case RR_DNAME:
		return ZONE_NODE_DNAME;
	case RR_CNAME:
		return ZONE_NODE_CNAME;
	default:
		return 0;
	}
}

/* A signature of nothing is not served: its rrset was changed after the zone
 * had been signed, or it belongs to what the resource answers. */
static void warn_of_lost(struct layout *layout, uint32_t node,
    const struct rrset_item *items, uint32_t n)
{
	const uint8_t *owner = name_at(layout, node);

	for (uint32_t i = 0; i < n; i++) {
		uint16_t type = covered(items[i].held);
		struct dns_place place = place_of(layout, &items[i]);
		char text[RR_TEXT_MAX];

		for (uint32_t j = 0; j < layout->sort.n; j++)
			if (rrset_sort_at(&layout->sort, j)->held->type == type)
				goto next;
		(void)rr_type_to_text(type, text);
		zone_report_name(layout->input->report, ZONE_WARNING, &place,
		    owner, RR_RRSIG, "covers %s, of which there is none", text);
	next:;
	}
}

/* One signature of one variant. Variants are few and come in order of their
 * rdata, so the table grows to the largest number that comes. */
static void put_variant(struct layout *layout, const uint8_t *owner,
    struct zone_dynamic_node *dynamic, const struct rrset_item *item)
{
	uint32_t variant = item->held->source & ~ZONE_SOURCE_VARIANT;
	int type = -1;
	size_t at;

	for (int i = 0; i < dynamic->seen.n_types; i++)
		if (dynamic->seen.types[i] == covered(item->held))
			type = i;
	br_assert(type >= 0);
	if (variant >= dynamic->n_variants[type]) {
		uint32_t n = variant + 1, had = dynamic->n_variants[type];
		uint32_t *table =
		    realloc(dynamic->variants[type], n * sizeof *table);

		if (!table)
			br_out_of_memory("variants", n * sizeof *table);
		memset(table + had, 0, (n - had) * sizeof *table);
		dynamic->variants[type] = table;
		dynamic->n_variants[type] = n;
	}
	at = put_set(layout, owner, item, 1, item->held->ttl);
	dynamic->variants[type][variant] = (uint32_t)at;
}

static void put_variants(struct layout *layout, uint32_t node, uint32_t from)
{
	struct zone_dynamic_node *dynamic =
	    &layout->zone->dynamics[node_at(layout, node)->dynamic];
	uint8_t owner[DNAME_MAX];

	(void)dname_copy(owner, name_at(layout, node));
	for (uint32_t i = from; i < layout->sort.n; i++)
		put_variant(
		    layout, owner, dynamic, rrset_sort_at(&layout->sort, i));
}

/* The first item from `from` that is a variant's signature. */
static uint32_t first_variant(const struct layout *layout, uint32_t from)
{
	while (from < layout->sort.n &&
	       !(rrset_sort_at(&layout->sort, from)->held->source &
		   ZONE_SOURCE_VARIANT))
		from++;
	return from;
}

static void put_sets(struct layout *layout, uint32_t node, uint32_t owner)
{
	const struct rrset_item *items;
	uint32_t n, rrsigs, variants;
	uint8_t name[DNAME_MAX];

	rrset_sort(&layout->sort, layout->input->collect, owner);
	items = rrset_sort_at(&layout->sort, 0);
	n = layout->sort.n;
	for (rrsigs = 0; rrsigs < n; rrsigs++)
		if (items[rrsigs].held->type == RR_RRSIG)
			break;
	(void)dname_copy(name, name_at(layout, node));
	for (uint32_t i = 0, end; i < rrsigs; i = end) {
		uint16_t type = items[i].held->type;
		size_t at;

		for (end = i + 1; end < rrsigs; end++)
			if (items[end].held->type != type)
				break;
		at = put_set(layout, name, items + i, end - i,
		    common_ttl(layout, name, items + i, end - i));
		put_signatures(layout, name, at, rrsigs);
		node_at(layout, node)->n_rrsets++;
		node_at(layout, node)->flags |= flags_of_type(type);
	}
	variants = first_variant(layout, rrsigs);
	warn_of_lost(layout, node, items + rrsigs, variants - rrsigs);
	if (variants < n)
		put_variants(layout, node, variants);
}

/* -- nodes ------------------------------------------------------------- */

static uint32_t node_count(const struct layout *layout)
{
	return (uint32_t)(layout->nodes.length / sizeof(struct zone_node));
}

static void close_top(struct layout *layout)
{
	uint32_t top = layout->open[--layout->n_open];

	node_at(layout, top)->end = node_count(layout);
}

/* Whether this node is the apex, a cut, or below one. */
static void place_node(struct layout *layout, uint32_t index)
{
	struct zone_node *node = node_at(layout, index), *parent;

	if (node->parent == ZONE_NONE) {
		node->flags |= ZONE_NODE_APEX;
		node->flags &= (uint8_t)~ZONE_NODE_CUT;
		return;
	}
	parent = node_at(layout, node->parent);
	if (parent->cut != ZONE_NONE) {
		node->cut = parent->cut;
		node->flags |= ZONE_NODE_OCCLUDED;
		node->flags &= (uint8_t)~ZONE_NODE_CUT;
	} else if (node->flags & ZONE_NODE_CUT) {
		node->cut = index;
	}
	if (node->flags & ZONE_NODE_WILDCARD)
		parent->wildcard = index;
}

/* A node below the one on top of the open ones. */
static void make_node(
    struct layout *layout, const uint8_t *name, uint32_t owner)
{
	uint32_t index = node_count(layout);
	size_t data = zone_bytes_add(&layout->data, dname_size(name));
	size_t at = zone_bytes_add(&layout->nodes, sizeof(struct zone_node));
	size_t slot = zone_bytes_add(&layout->owners, sizeof owner);
	struct zone_node *node = node_at(layout, index);

	br_assert(at == index * sizeof *node);
	(void)dname_copy(layout->data.bytes + data, name);
	memcpy(layout->owners.bytes + slot, &owner, sizeof owner);
	*node = (struct zone_node){
	    .data = (uint32_t)data,
	    .parent =
		layout->n_open ? layout->open[layout->n_open - 1] : ZONE_NONE,
	    .cut = ZONE_NONE,
	    .wildcard = ZONE_NONE,
	    .nsec = ZONE_NONE,
	    .labels = (uint8_t)dname_labels(name),
	    .flags = dname_is_wildcard(name) ? ZONE_NODE_WILDCARD : 0,
	};
	layout->open[layout->n_open++] = index;
	if (owner != ZONE_COLLECT_NONE) {
		uint32_t resource =
		    zone_collect_owner_at(layout->input->collect, owner)
			->resource;

		if (resource != ZONE_COLLECT_NONE) {
			node->flags |= ZONE_NODE_DYNAMIC;
			node->dynamic = resource;
		}
		put_sets(layout, index, owner);
	} else {
		node->flags |= ZONE_NODE_EMPTY;
	}
	place_node(layout, index);
}

/* Names come in canonical order: what is above one was made just before, or
 * does not exist yet and is an empty non-terminal. */
static void make_branch(struct layout *layout, uint32_t owner)
{
	const uint8_t *name = zone_collect_name(layout->input->collect, owner);
	uint32_t labels = dname_labels(name), from;

	while (layout->n_open &&
	       !dname_is_within(
		   name, name_at(layout, layout->open[layout->n_open - 1])))
		close_top(layout);
	if (layout->n_open) {
		uint32_t top = layout->open[layout->n_open - 1];

		for (from = node_at(layout, top)->labels + 1u; from < labels;
		     from++)
			make_node(layout, dname_ancestor(name, from),
			    ZONE_COLLECT_NONE);
	}
	make_node(layout, name, owner);
}

static int sort_owners(
    const struct zone_layout_input *input, struct zone_order *order)
{
	const struct zone_collect *collect = input->collect;

	zone_order_init(order, input->apex);
	for (uint32_t i = 0; i < collect->n_owners; i++) {
		int rc =
		    zone_order_add(order, zone_collect_name(collect, i), i);

		if (rc)
			return rc;
	}
	zone_order_sort(order);
	return 0;
}

static bool make_nodes(struct layout *layout)
{
	struct zone_order order;

	layout->too_large = sort_owners(layout->input, &order) != 0;
	for (uint32_t i = 0; i < order.n && !layout->too_large; i++)
		make_branch(layout, zone_order_at(&order, i)->what);
	while (layout->n_open)
		close_top(layout);
	zone_order_fini(&order);
	return !layout->too_large;
}

/* -- what needs all nodes ---------------------------------------------- */

static void *allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);

	if (!memory)
		br_out_of_memory("a zone", count * bytes);
	return memory;
}

/* At most two thirds are in use, so that most probes are one. */
static void make_slots(struct zone *zone)
{
	uint64_t n = 16;

	while (2 * n < (uint64_t)zone->n_nodes * 3)
		n *= 2;
	zone->slots = allocate(n, sizeof *zone->slots);
	memset(zone->slots, 0xff, n * sizeof *zone->slots);
	zone->slot_mask = (uint32_t)(n - 1);
	for (uint32_t node = 0; node < zone->n_nodes; node++) {
		const uint8_t *name = zone_node_name(zone, &zone->nodes[node]);
		uint32_t hash = dname_hash(name, zone->seed);
		uint32_t i = hash & zone->slot_mask;

		while (zone->slots[i].node != ZONE_NONE)
			i = (i + 1) & zone->slot_mask;
		zone->slots[i] = (struct zone_slot){hash, node};
	}
}

/* Of a target "." (RFC 9460 section 2.5): an alias that has it leads nowhere,
 * and the owner of what a wildcard makes is not this node. */
static bool owner_is_target(
    const struct zone *zone, uint32_t node, const struct answer_record *record)
{
	bool is_alias = !record->rdata[0] && !record->rdata[1];

	return !is_alias && !(zone->nodes[node].flags & ZONE_NODE_WILDCARD);
}

/* Where the addresses of a record's target are. */
static uint32_t target_of(const struct zone *zone, uint32_t node, uint16_t type,
    const struct answer_record *record)
{
	const uint8_t *name = record->rdata + rrset_target_offset(type);
	const struct zone_node *target;

	if (!*name && (type == RR_SVCB || type == RR_HTTPS))
		return owner_is_target(zone, node, record) ? node : ZONE_NONE;
	if (!dname_is_within(name, zone_apex(zone)))
		return ZONE_NONE;
	target = zone_find_name(zone, name);
	return target ? zone_node_index(zone, target) : ZONE_NONE;
}

static void find_targets(const struct zone *zone, uint32_t node)
{
	const struct rrset *set = NULL;

	while ((set = zone_next_rrset(zone, &zone->nodes[node], set))) {
		const uint8_t *at = rrset_records(set);
		size_t targets;

		if (!rrset_targets(set))
			continue;
		targets =
		    (size_t)((const uint8_t *)rrset_targets(set) - zone->data);
		for (uint32_t i = 0; i < set->n; i++) {
			struct answer_record record = rrset_take(&at);
			uint32_t target =
			    target_of(zone, node, set->type, &record);

			memcpy(zone->data + targets + i * sizeof target,
			    &target, sizeof target);
		}
	}
}

static uint32_t be32_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* SERIAL and MINIMUM are the first and the last of the five numbers at the
 * end (RFC 1035 section 3.3.13). */
static void read_soa(struct zone *zone)
{
	const struct rrset *soa = zone_rrset(zone, zone->nodes, RR_SOA);
	const uint8_t *at, *end;
	uint32_t minimum;

	if (!soa)
		return;
	at = rrset_records(soa);
	end = at + 2 + (at[0] << 8 | at[1]);
	minimum = be32_at(end - 4);
	zone->soa = (uint32_t)((const uint8_t *)soa - zone->data);
	zone->serial = be32_at(end - 20);
	zone->negative_ttl = minimum < soa->ttl ? minimum : soa->ttl;
}

static void link_nsecs(struct zone *zone)
{
	const struct zone_node *apex = zone->nodes;
	const struct rrset *soa = zone_rrset(zone, apex, RR_SOA);
	uint32_t last = ZONE_NONE;

	if (!zone_rrset(zone, apex, RR_NSEC))
		return;
	for (uint32_t i = 0; i < zone->n_nodes; i++) {
		if (zone_rrset(zone, &zone->nodes[i], RR_NSEC))
			last = i;
		zone->nodes[i].nsec = last;
	}
	zone->is_signed =
	    soa && soa->signatures && zone_rrset(zone, apex, RR_DNSKEY);
}

static void finish(struct layout *layout)
{
	struct zone *zone = layout->zone;
	uint8_t *shorter;

	zone->data_bytes = (uint32_t)(layout->data.length + ZONE_DATA_SLACK);
	shorter = realloc(layout->data.bytes, zone->data_bytes);
	if (!shorter)
		br_out_of_memory("a zone", zone->data_bytes);
	zone->data = shorter;
	memset(zone->data + layout->data.length, 0, ZONE_DATA_SLACK);
	zone->n_nodes = node_count(layout);
	shorter = realloc(layout->nodes.bytes, layout->nodes.length);
	br_assert(shorter);
	zone->nodes = (struct zone_node *)(void *)shorter;
	layout->data.bytes = layout->nodes.bytes = NULL;
	make_slots(zone);
	for (uint32_t i = 0; i < zone->n_nodes; i++)
		find_targets(zone, i);
	read_soa(zone);
	link_nsecs(zone);
}

static struct zone *start(const struct zone_layout_input *input)
{
	struct zone *zone = allocate(1, sizeof *zone);

	zone->seed = input->collect->seed;
	zone->n_dynamics = input->n_resources;
	zone->dynamics =
	    allocate(input->n_resources + (size_t)1, sizeof *zone->dynamics);
	for (uint32_t i = 0; i < input->n_resources; i++)
		zone->dynamics[i].seen = input->resources[i];
	atomic_init(&zone->holders, 1);
	return zone;
}

struct zone *zone_layout(
    const struct zone_layout_input *input, uint32_t **ret_owners)
{
	struct layout layout = {.input = input, .zone = start(input)};

	if (make_nodes(&layout)) {
		finish(&layout);
		*ret_owners = (uint32_t *)(void *)layout.owners.bytes;
		layout.owners.bytes = NULL;
	} else {
		zone_report_add(input->report, ZONE_ERROR, NULL,
		    "the zone is larger than 4 GiB");
		zone_unref(layout.zone);
		layout.zone = NULL;
	}
	rrset_sort_fini(&layout.sort);
	free(layout.data.bytes);
	free(layout.nodes.bytes);
	free(layout.owners.bytes);
	return layout.zone;
}
