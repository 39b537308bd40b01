/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Records in any order, and from several sources, become a zone: collected
 * by owner, sorted, checked (zone_check.h) and laid out.
 *
 *     zone file ──┐
 *     config ─────┼─> add ──> owners, records ──> finish ──> struct zone
 *     resources ──┘                                 └──> report
 *
 * An RRSIG becomes a part of the rrset that it covers, so a zone that was
 * signed elsewhere (with NSEC) is served as it is.
 *
 * Thread:  one at a time; the clerk's.
 * Memory:  records are copied. zone_builder_finish() consumes the builder,
 *          zone_builder_free() gives up. Out of memory ends the process.
 * Errors:  all go to the report, none stops the collecting.
 * Limits:  those of struct zone; beyond them the report has an error.
 */
#include "base/arena.h"
#include "dnsd/zone.h"
#include "dnsd/zone_report.h"

struct zone_builder;

/* `seed` of the hashes is the same for all zones of a set. The report must
 * outlive the builder. */
struct zone_builder *zone_builder_new(
    const uint8_t *apex, uint32_t seed, struct zone_report *report);
void zone_builder_free(struct zone_builder *builder);

void zone_builder_add(
    struct zone_builder *builder, const struct dns_record *record);

struct zone_resource {
	const uint8_t *owner;
	struct resource *resource;
	const char *name; /* for the report */
	bool alias; /* as struct zone_dynamic */
	uint8_t n_types;
	uint16_t types[ZONE_DYNAMIC_TYPES_MAX];
	struct dns_place place;
};

/* The owner's node becomes dynamic. */
void zone_builder_add_resource(
    struct zone_builder *builder, const struct zone_resource *resource);
/* A synthesised record of that resource's target. Its owner belongs to the
 * resource: records of other sources there are a collision, which is reported
 * with both places. */
void zone_builder_add_target(struct zone_builder *builder,
    const struct zone_resource *resource, const struct dns_record *record);
/* An RRSIG over one of the resource's possible answers; `record` is of type
 * RRSIG, and covers what its rdata says. Variants come in any order. */
void zone_builder_add_variant(struct zone_builder *builder, uint32_t variant,
    const struct dns_record *record);
/* The zone takes the arena over and frees it at its end: the resources are in
 * it. Once; given back with the builder otherwise. */
void zone_builder_keep(struct zone_builder *builder, struct arena *arena);
/* The zone holds the one that it was signed from, whose resources it uses. */
void zone_builder_keep_zone(struct zone_builder *builder, struct zone *zone);

/* NULL when the report has errors, of whatever source. */
struct zone *zone_builder_finish(struct zone_builder *builder);
