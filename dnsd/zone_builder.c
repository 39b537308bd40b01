/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_builder.h"

#include "base/assert.h"
#include "dnsd/rdata.h"
#include "dnsd/zone_check.h"
#include "dnsd/zone_collect.h"
#include "dnsd/zone_inside.h"
#include "dnsd/zone_layout.h"

#include <stdlib.h>
#include <string.h>

struct zone_builder {
	uint8_t apex[DNAME_MAX];
	struct zone_report *report;
	struct zone_collect collect;
	struct zone_resource *resources;
	uint32_t n_resources;
	struct arena *names; /* of resources, their owners' too */
	struct arena *kept;
	struct zone *base;
	bool is_full; /* said once */
};

struct zone_builder *zone_builder_new(
    const uint8_t *apex, uint32_t seed, struct zone_report *report)
{
	struct zone_builder *builder = calloc(1, sizeof *builder);
	uint32_t owner;

	if (!builder)
		br_out_of_memory("a zone's builder", sizeof *builder);
	(void)dname_lower(builder->apex, apex);
	builder->report = report;
	builder->names = arena_new();
	zone_collect_init(&builder->collect, seed);
	/* The apex is a node whatever comes. */
	br_assert(!zone_collect_owner(&builder->collect, apex, &owner));
	return builder;
}

void zone_builder_free(struct zone_builder *builder)
{
	if (!builder)
		return;
	zone_collect_fini(&builder->collect);
	free(builder->resources);
	arena_free(builder->names);
	arena_free(builder->kept);
	zone_unref(builder->base);
	free(builder);
}

void zone_builder_keep(struct zone_builder *builder, struct arena *arena)
{
	br_assert(!builder->kept);
	builder->kept = arena;
}

void zone_builder_keep_zone(struct zone_builder *builder, struct zone *zone)
{
	br_assert(!builder->base);
	builder->base = zone_ref(zone);
}

static void say_full(struct zone_builder *builder)
{
	if (!builder->is_full)
		zone_report_add(builder->report, ZONE_ERROR, NULL,
		    "the zone is larger than 4 GiB");
	builder->is_full = true;
}

/* RFC 1035 section 5.2: all records are at or below the apex. */
static bool is_inside(struct zone_builder *builder, const uint8_t *owner,
    uint16_t type, const struct dns_place *place)
{
	char apex[DNAME_TEXT_MAX];

	if (dname_is_within(owner, builder->apex))
		return true;
	(void)dname_to_text(builder->apex, apex);
	zone_report_name(builder->report, ZONE_ERROR, place, owner, type,
	    "lies outside of the zone %s", apex);
	return false;
}

/* Readers check what they read; what comes from elsewhere is checked here. */
static bool is_right(
    struct zone_builder *builder, const struct dns_record *record)
{
	const char *wrong = NULL;

	if (!rr_type_is_data(record->type))
		wrong = "no zone may hold records of this type";
	else
		wrong =
		    rdata_wrong(record->type, record->rdata, record->length);
	if (wrong)
		zone_report_name(builder->report, ZONE_ERROR, &record->place,
		    record->owner, record->type, "%s", wrong);
	return !wrong;
}

static void add(struct zone_builder *builder, const struct dns_record *record,
    uint32_t source)
{
	uint32_t owner;

	if (!is_inside(builder, record->owner, record->type, &record->place) ||
	    !is_right(builder, record))
		return;
	if (zone_collect_owner(&builder->collect, record->owner, &owner) ||
	    zone_collect_add(&builder->collect, owner, record, source))
		say_full(builder);
}

void zone_builder_add(
    struct zone_builder *builder, const struct dns_record *record)
{
	add(builder, record, ZONE_SOURCE_STATIC);
}

/* -- resources --------------------------------------------------------- */

static uint32_t keep_resource(
    struct zone_builder *builder, const struct zone_resource *resource)
{
	size_t n = builder->n_resources + (size_t)1;
	uint8_t *owner =
	    arena_alloc(builder->names, dname_size(resource->owner));
	struct zone_resource *kept;

	br_assert(resource->n_types <= ZONE_DYNAMIC_TYPES_MAX);
	(void)dname_copy(owner, resource->owner);
	builder->resources =
	    realloc(builder->resources, n * sizeof *builder->resources);
	if (!builder->resources)
		br_out_of_memory("the resources of a zone", n);
	kept = &builder->resources[builder->n_resources];
	*kept = *resource;
	kept->owner = owner;
	kept->name = arena_strdup(builder->names, resource->name);
	if (resource->place.file)
		kept->place.file =
		    arena_strdup(builder->names, resource->place.file);
	return builder->n_resources++;
}

void zone_builder_add_resource(
    struct zone_builder *builder, const struct zone_resource *resource)
{
	struct zone_owner *at;
	uint32_t owner;

	if (!is_inside(builder, resource->owner, 0, &resource->place))
		return;
	if (zone_collect_owner(&builder->collect, resource->owner, &owner)) {
		say_full(builder);
		return;
	}
	at = zone_collect_owner_at(&builder->collect, owner);
	if (at->resource != ZONE_COLLECT_NONE) {
		const struct zone_resource *other =
		    &builder->resources[at->resource];

		zone_report_name(builder->report, ZONE_ERROR, &resource->place,
		    resource->owner, 0,
		    "the resources \"%s\" (%s) and \"%s\" have one name",
		    other->name,
		    zone_report_place(builder->report, &other->place),
		    resource->name);
		return;
	}
	at->resource = keep_resource(builder, resource);
}

/* The resource of that owner: its number plus one, 0 if it was refused. */
static uint32_t resource_number(
    const struct zone_builder *builder, const uint8_t *owner)
{
	for (uint32_t i = builder->n_resources; i > 0; i--)
		if (dname_equal(builder->resources[i - 1].owner, owner))
			return i;
	return 0;
}

void zone_builder_add_target(struct zone_builder *builder,
    const struct zone_resource *resource, const struct dns_record *record)
{
	uint32_t number = resource_number(builder, resource->owner);
	struct dns_record placed = *record;

	if (!placed.place.file)
		placed.place = resource->place;
	if (number)
		add(builder, &placed, number);
}

void zone_builder_add_variant(struct zone_builder *builder, uint32_t variant,
    const struct dns_record *record)
{
	br_assert(record->type == RR_RRSIG);
	br_assert(resource_number(builder, record->owner));
	br_assert(variant < ZONE_SOURCE_VARIANT);
	add(builder, record, ZONE_SOURCE_VARIANT | variant);
}

/* -- the end ----------------------------------------------------------- */

static struct zone *lay_out(struct zone_builder *builder, bool is_partial)
{
	struct zone_layout_input input = {
	    .apex = builder->apex,
	    .collect = &builder->collect,
	    .n_resources = builder->n_resources,
	    .report = builder->report,
	};
	size_t n = builder->n_resources + (size_t)1;
	struct zone_dynamic *dynamics = calloc(n, sizeof *dynamics);
	uint32_t *owners = NULL;
	struct zone *zone;

	if (!dynamics)
		br_out_of_memory("resources", n * sizeof *dynamics);
	for (uint32_t i = 0; i < builder->n_resources; i++) {
		const struct zone_resource *from = &builder->resources[i];

		dynamics[i].resource = from->resource;
		dynamics[i].alias = from->alias;
		dynamics[i].n_types = from->n_types;
		memcpy(dynamics[i].types, from->types, sizeof from->types);
	}
	input.resources = dynamics;
	zone = zone_layout(&input, &owners);
	free(dynamics);
	if (zone)
		zone_check(&(struct zone_check_input){
		    .zone = zone,
		    .collect = &builder->collect,
		    .owners = owners,
		    .resources = builder->resources,
		    .report = builder->report,
		    .is_partial = is_partial,
		});
	free(owners);
	return zone;
}

struct zone *zone_builder_finish(struct zone_builder *builder)
{
	bool is_partial = zone_report_failed(builder->report);
	struct zone *zone = NULL;

	if (!builder->is_full)
		zone = lay_out(builder, is_partial);
	if (zone_report_failed(builder->report)) {
		zone_unref(zone);
		zone = NULL;
	}
	if (zone) {
		zone->kept = builder->kept;
		zone->base = builder->base;
		builder->kept = NULL;
		builder->base = NULL;
	}
	zone_builder_free(builder);
	return zone;
}
