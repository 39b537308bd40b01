/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_load.h"

#include "base/arena.h"
#include "dnsd/dnskey.h"
#include "dnsd/resource.h"
#include "dnsd/sign.h"
#include "dnsd/zone_builder.h"
#include "dnsd/zone_text.h"

#include <string.h>

#define PROBLEM_TEXT_MAX 2048

struct load {
	const struct zone_load_input *input;
	const struct conf_zone *conf;
	struct zone_report *report;
	struct zone_builder *builder;
	struct arena *arena; /* of the resources */
	uint8_t apex[DNAME_MAX];
	const struct conf_resource *resource; /* the one at hand */
	const struct zone_resource *target_of;
	bool includes;
};

static struct dns_place place_of(
    const struct load *load, const struct conf_pos *pos)
{
	return (struct dns_place){
	    .file = load->input->conf_file, .line = pos->line};
}

/* -- records ----------------------------------------------------------- */

static bool on_record(void *context, const struct dns_record *record)
{
	struct load *load = context;

	zone_builder_add(load->builder, record);
	return true;
}

static void on_error(
    void *context, const struct zone_text_where *where, const char *text)
{
	struct load *load = context;
	char line[PROBLEM_TEXT_MAX];

	(void)zone_text_format_error(where, text, line, sizeof line);
	zone_report_add(load->report, ZONE_ERROR, NULL, "%s", line);
}

static void on_include(void *context)
{
	struct load *load = context;

	load->includes = true;
}

/* What the readers return says no more than that they called on_error(). */
static void read_records(struct load *load)
{
	const struct zone_text_sink sink = {
	    load, on_record, on_error, on_include};
	const struct conf_lines *lines = &load->conf->records;
	uint32_t ttl = (uint32_t)(load->conf->ttl_ms / 1000);

	if (load->conf->file)
		(void)!zone_text_read(load->conf->file, load->apex, ttl, &sink);
	for (uint32_t i = 0; i < lines->n; i++) {
		struct zone_text_where where = {
		    .file = load->input->conf_file,
		    .line = lines->pos[i].line,
		    .column = lines->pos[i].column,
		};

		(void)!zone_text_line(
		    lines->at[i], &where, load->apex, ttl, &sink);
	}
}

/* -- resources --------------------------------------------------------- */

static void on_resource_error(void *context, const char *text)
{
	struct load *load = context;
	struct dns_place place = place_of(load, &load->resource->pos);

	zone_report_add(load->report, ZONE_ERROR, &place, "resource %s: %s",
	    load->resource->name, text);
}

static void on_target(void *context, const struct dns_record *record)
{
	struct load *load = context;

	zone_builder_add_target(load->builder, load->target_of, record);
}

static uint32_t counter_of(void *context, const char *resource, const char *pop)
{
	const struct load *load = context;

	return load->input->counter_of(load->apex, resource, pop);
}

static void add_resource(struct load *load, uint32_t slot)
{
	const struct resource_options options = {
	    .apex = load->apex,
	    .conf = load->resource,
	    .pops = load->input->pops,
	    .salt = load->conf->salt,
	    .is_signed = load->conf->key != NULL,
	    .slot = slot,
	    .counter_of = load->input->counter_of ? counter_of : NULL,
	    .counter_context = load,
	    .on_error = on_resource_error,
	    .context = load,
	};
	uint16_t types[RESOURCE_TYPES_MAX];
	struct zone_resource seen = {0};
	struct resource *resource;

	if (resource_new(load->arena, &options, &resource))
		return;
	seen.owner = resource_owner(resource);
	seen.resource = resource;
	seen.name = resource_name(resource);
	seen.alias = resource_is_alias(resource);
	seen.n_types = (uint8_t)resource_types(resource, types);
	memcpy(seen.types, types, seen.n_types * sizeof *types);
	seen.place = place_of(load, &load->resource->pos);
	zone_builder_add_resource(load->builder, &seen);
	load->target_of = &seen;
	resource_records(resource, on_target, load);
	load->target_of = NULL;
}

_Static_assert(RESOURCE_TYPES_MAX <= ZONE_DYNAMIC_TYPES_MAX,
    "a node has room for all types of a resource");

/* -- signing ----------------------------------------------------------- */

static struct zone *sign(const struct load *load, struct zone *zone)
{
	struct sign_options options = {
	    .now = load->input->now,
	    .threads = load->input->threads,
	    .variants = resource_variants,
	};
	struct dns_place place = place_of(load, &load->conf->key_pos);
	struct dnskey *key;
	struct zone *done;
	const char *wrong;
	int rc = dnskey_load(load->conf->key, &key, &wrong);

	if (rc) {
		zone_report_add(load->report, ZONE_ERROR, &place,
		    "the key file %s %s%s%s", load->conf->key, wrong,
		    rc > -1000 ? ": " : "", rc > -1000 ? br_strerror(rc) : "");
		return NULL;
	}
	options.key = key;
	done = sign_zone(zone, &options, load->report);
	dnskey_free(key);
	return done;
}

/* -- together ---------------------------------------------------------- */

static bool set_apex(struct load *load)
{
	const char *name = load->conf->name, *wrong;
	struct dns_place place = place_of(load, &load->conf->pos);

	if (!dname_from_text(name, strlen(name), NULL, load->apex, &wrong))
		return true;
	zone_report_add(load->report, ZONE_ERROR, &place,
	    "the zone's name \"%s\" %s", name, wrong);
	return false;
}

struct zone *zone_load(const struct zone_load_input *input,
    struct zone_report *report, bool *ret_includes)
{
	struct load load = {
	    .input = input, .conf = input->conf, .report = report};
	struct zone *zone, *done;

	if (!set_apex(&load))
		return NULL;
	load.builder = zone_builder_new(load.apex, input->seed, report);
	load.arena = arena_new();
	zone_builder_keep(load.builder, load.arena);
	read_records(&load);
	*ret_includes = load.includes;
	for (uint32_t i = 0; i < load.conf->n_resources; i++) {
		load.resource = &load.conf->resources[i];
		add_resource(&load, i);
	}
	zone = zone_builder_finish(load.builder);
	if (!zone || !load.conf->key)
		return zone;
	done = sign(&load, zone);
	zone_unref(zone);
	return done;
}

struct zone *zone_resign(const struct zone_load_input *input, struct zone *zone,
    struct zone_report *report)
{
	struct load load = {
	    .input = input, .conf = input->conf, .report = report};

	return sign(&load, zone);
}
