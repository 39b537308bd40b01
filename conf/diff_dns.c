/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload changes of zones, POPs and regions. */
#include "conf/diff_dns.h"

#include "base/arena.h"
#include "base/hash.h"
#include "conf/domain_text.h"
#include "conf/schema_equal.h"

#include <string.h>

#define DIFF_NONE UINT32_MAX

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* What a zone has of a POP: its name, addresses and failure domain. */
static bool same_place(const struct conf_pop *a, const struct conf_pop *b)
{
	if (strcmp(a->name, b->name) != 0 || a->n_addresses != b->n_addresses ||
	    !same_text(a->domain, b->domain))
		return false;
	for (uint32_t i = 0; i < a->n_addresses; i++)
		if (!addr_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool same_resource(const struct conf *a, const struct conf_resource *ra,
    const struct conf *b, const struct conf_resource *rb)
{
	if (strcmp(ra->name, rb->name) != 0 ||
	    !schema_entry_equal(schema_find("dns.zones.*.resources.*"), ra, rb))
		return false;
	for (uint32_t i = 0; i < ra->n_pops; i++)
		if (!same_place(&a->pops[ra->pops[i]], &b->pops[rb->pops[i]]))
			return false;
	return true;
}

bool conf_zone_equal(const struct conf *a, const struct conf_zone *za,
    const struct conf *b, const struct conf_zone *zb)
{
	/* Its name is part of every record, as it is written. */
	if (strcmp(za->name, zb->name) != 0 ||
	    za->n_resources != zb->n_resources ||
	    !schema_entry_equal(schema_find("dns.zones.*"), za, zb))
		return false;
	for (uint32_t i = 0; i < za->n_resources; i++)
		if (!same_resource(a, &za->resources[i], b, &zb->resources[i]))
			return false;
	return true;
}

static bool same_pop(const struct conf_pop *pa, const struct conf_pop *pb)
{
	const struct schema_row *step = schema_find("pops.*.health.script.*");

	if (pa->health.n_steps != pb->health.n_steps ||
	    !schema_entry_equal(schema_find("pops.*"), pa, pb))
		return false;
	for (uint32_t i = 0; i < pa->health.n_steps; i++)
		if (!schema_entry_equal(
			step, &pa->health.steps[i], &pb->health.steps[i]))
			return false;
	return true;
}

/* One kind of named entries of both trees. */
struct diff_kind {
	uint32_t n_before, n_after;
	const char *(*name)(
	    const struct conf *conf, uint32_t i, struct arena *arena);
	bool (*same)(const struct conf *before, uint32_t i,
	    const struct conf *after, uint32_t k);
};

static void diff_kind(const struct diff_kind *kind, const struct conf *before,
    const struct conf *after, struct arena *arena, struct conf_changes *ret)
{
	struct strmap *names = strmap_new(arena);
	const uint32_t *place;
	uint32_t *numbers =
	    arena_alloc(arena, kind->n_before * sizeof(uint32_t) + 1);
	bool *kept = arena_alloc(arena, kind->n_before * sizeof(bool) + 1);

	*ret = (struct conf_changes){
	    .change = arena_alloc(
		arena, kind->n_after * sizeof(enum conf_change) + 1),
	    .before = arena_alloc(arena, kind->n_after * sizeof(uint32_t) + 1),
	    .removed =
		arena_alloc(arena, kind->n_before * sizeof(uint32_t) + 1),
	};
	for (uint32_t i = 0; i < kind->n_before; i++) {
		numbers[i] = i;
		strmap_put(names, kind->name(before, i, arena), &numbers[i]);
	}
	for (uint32_t i = 0; i < kind->n_after; i++) {
		place = strmap_get(names, kind->name(after, i, arena));
		ret->before[i] = place ? *place : DIFF_NONE;
		ret->change[i] = CONF_ADDED;
		if (!place)
			continue;
		kept[*place] = true;
		ret->change[i] = kind->same(before, *place, after, i)
				     ? CONF_SAME
				     : CONF_CHANGED;
	}
	for (uint32_t i = 0; i < kind->n_before; i++)
		if (!kept[i])
			ret->removed[ret->n_removed++] = i;
}

/* However it is written: RFC 4343. */
static const char *zone_name(
    const struct conf *conf, uint32_t i, struct arena *arena)
{
	const char *name = conf->dns.zones[i].name;
	size_t length = strlen(name);
	char *plain = arena_alloc(arena, length + 1);

	domain_text_plain(plain, name, length);
	return plain;
}

static bool zone_same(
    const struct conf *before, uint32_t i, const struct conf *after, uint32_t k)
{
	return conf_zone_equal(
	    before, &before->dns.zones[i], after, &after->dns.zones[k]);
}

static const char *pop_name(
    const struct conf *conf, uint32_t i, struct arena *arena)
{
	(void)arena;
	return conf->pops[i].name;
}

static bool pop_same(
    const struct conf *before, uint32_t i, const struct conf *after, uint32_t k)
{
	return same_pop(&before->pops[i], &after->pops[k]);
}

static const char *region_name(
    const struct conf *conf, uint32_t i, struct arena *arena)
{
	(void)arena;
	return conf->regions[i].name;
}

static bool region_same(
    const struct conf *before, uint32_t i, const struct conf *after, uint32_t k)
{
	return schema_entry_equal(
	    schema_find("regions.*"), &before->regions[i], &after->regions[k]);
}

void diff_dns(const struct conf *before, const struct conf *after,
    struct arena *arena, struct conf_diff *ret)
{
	diff_kind(&(struct diff_kind){.n_before = before->dns.n_zones,
		      .n_after = after->dns.n_zones,
		      .name = zone_name,
		      .same = zone_same},
	    before, after, arena, &ret->zones);
	diff_kind(&(struct diff_kind){.n_before = before->n_pops,
		      .n_after = after->n_pops,
		      .name = pop_name,
		      .same = pop_same},
	    before, after, arena, &ret->pops);
	diff_kind(&(struct diff_kind){.n_before = before->n_regions,
		      .n_after = after->n_regions,
		      .name = region_name,
		      .same = region_same},
	    before, after, arena, &ret->regions);
}
