/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_check.h"

#include "dnsd/rr_type.h"
#include "dnsd/zone_builder.h"

#include <string.h>

/* One node of the zone being looked at. */
struct check {
	const struct zone_check_input *in;
	const struct zone *zone;
	struct zone_report *report;
	uint32_t index;
	const struct zone_node *node;
	const uint8_t *name;
};

/* -- places ------------------------------------------------------------ */

/* The first record of a type at a node, of any type if it is 0. */
static const struct zone_held *held_at(
    const struct check *check, uint32_t node, uint16_t type)
{
	uint32_t owner = check->in->owners[node];
	const struct zone_held *held = NULL;

	if (owner == ZONE_COLLECT_NONE)
		return NULL;
	while ((held = zone_collect_next(check->in->collect, owner, held)))
		if (!type || held->type == type)
			break;
	return held;
}

static struct dns_place place_at(
    const struct check *check, uint32_t node, uint16_t type)
{
	const struct zone_held *held = held_at(check, node, type);

	if (!held)
		return (struct dns_place){0};
	return zone_collect_place(check->in->collect, held);
}

#define SAY(check, severity, type, ...)                                        \
	do {                                                                   \
		struct dns_place place_ =                                      \
		    place_at(check, (check)->index, type);                     \
		zone_report_name((check)->report, severity, &place_,           \
		    (check)->name, type, __VA_ARGS__);                         \
	} while (0)

static const struct rrset *set_of(const struct check *check, uint16_t type)
{
	return zone_rrset(check->zone, check->node, type);
}

/* -- one node ---------------------------------------------------------- */

/* Types that may stand beside a CNAME: RFC 4035 section 2.5, RFC 2535. */
static bool is_beside_alias(uint16_t type)
{
	return type == RR_NSEC || type == RR_KEY || type == RR_RRSIG;
}

/* RFC 1034 section 3.6.2. */
static void check_alias(const struct check *check)
{
	const struct rrset *set = NULL;
	struct dns_place place = place_at(check, check->index, RR_CNAME);

	if (!(check->node->flags & ZONE_NODE_CNAME))
		return;
	while ((set = zone_next_rrset(check->zone, check->node, set)))
		if (set->type != RR_CNAME && !is_beside_alias(set->type))
			SAY(check, ZONE_ERROR, set->type,
			    "stands beside a CNAME (%s), whose owner has no "
			    "other data",
			    zone_report_place(check->report, &place));
}

/* At the last of them, which is likely the one too many. */
static void say_several(const struct check *check, const struct rrset *set)
{
	const struct zone_held *held = NULL, *last = NULL;
	struct dns_place place;

	while ((held = zone_collect_next(
		    check->in->collect, check->in->owners[check->index], held)))
		if (held->type == set->type)
			last = held;
	place = zone_collect_place(check->in->collect, last);
	zone_report_name(check->report, ZONE_ERROR, &place, check->name,
	    set->type, "%u different records, but there may be only one",
	    set->n);
}

/* Types of one record: RFC 2181 section 10.1 (CNAME), RFC 1035 section 5.2
 * (SOA), RFC 6672 section 2.4 (DNAME). */
static void check_single(const struct check *check)
{
	static const uint16_t types[] = {RR_CNAME, RR_SOA, RR_DNAME};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct rrset *set = set_of(check, types[i]);

		if (set && set->n > 1)
			say_several(check, set);
	}
}

static void check_place_in_zone(const struct check *check)
{
	uint8_t flags = check->node->flags;

	if (flags & ZONE_NODE_APEX) {
		/* RFC 4035 section 2.4: the parent's. */
		if (set_of(check, RR_DS))
			SAY(check, ZONE_ERROR, RR_DS,
			    "belongs into the parent zone, not to the apex");
		return;
	}
	if (set_of(check, RR_SOA))
		SAY(check, ZONE_ERROR, RR_SOA, "is not at the apex");
	if (set_of(check, RR_DS) && !(flags & ZONE_NODE_CUT))
		SAY(check, ZONE_WARNING, RR_DS,
		    "is not at a delegation: there is no NS");
	/* RFC 4592 sections 4.2 and 4.4 leave open what these mean. */
	if ((flags & ZONE_NODE_WILDCARD) && set_of(check, RR_NS))
		SAY(check, ZONE_ERROR, RR_NS, "may not be at a wildcard");
	if ((flags & ZONE_NODE_WILDCARD) && set_of(check, RR_DNAME))
		SAY(check, ZONE_ERROR, RR_DNAME, "may not be at a wildcard");
}

/* RFC 6672 sections 2.3 and 2.4. */
static void check_dname(const struct check *check)
{
	const struct zone_node *parent;
	struct dns_place place;

	if ((check->node->flags & ZONE_NODE_DNAME) &&
	    !(check->node->flags & ZONE_NODE_APEX) && set_of(check, RR_NS))
		SAY(check, ZONE_ERROR, RR_DNAME,
		    "stands beside NS, which delegates the name elsewhere");
	if (check->node->parent == ZONE_NONE || check->node->cut != ZONE_NONE)
		return;
	parent = zone_node_at(check->zone, check->node->parent);
	if (!(parent->flags & ZONE_NODE_DNAME))
		return;
	place = place_at(check, check->node->parent, RR_DNAME);
	SAY(check, ZONE_ERROR, 0,
	    "lies below a DNAME (%s), where nothing may exist",
	    zone_report_place(check->report, &place));
}

/* A signature by NSEC3 is nothing this server could deny names with. */
static void check_denial(const struct check *check)
{
	if (set_of(check, RR_NSEC3) || set_of(check, RR_NSEC3PARAM))
		SAY(check, ZONE_ERROR,
		    set_of(check, RR_NSEC3) ? RR_NSEC3 : RR_NSEC3PARAM,
		    "zones signed with NSEC3 are not served; use NSEC, or "
		    "the unsigned file and dnssec.key");
}

/* Glue has addresses only; what else is below a cut nobody is ever told. */
static void check_occluded(const struct check *check)
{
	const struct rrset *set = NULL;
	char cut[DNAME_TEXT_MAX];

	if (!(check->node->flags & ZONE_NODE_OCCLUDED))
		return;
	(void)dname_to_text(zone_node_name(check->zone,
				zone_node_at(check->zone, check->node->cut)),
	    cut);
	while ((set = zone_next_rrset(check->zone, check->node, set)))
		if (set->type != RR_A && set->type != RR_AAAA &&
		    set->type != RR_RRSIG && set->type != RR_NSEC)
			SAY(check, ZONE_WARNING, set->type,
			    "lies below the delegation of %s and is never "
			    "answered",
			    cut);
}

/* -- targets ----------------------------------------------------------- */

enum address_state {
	ADDRESS_THERE,
	ADDRESS_ELSEWHERE, /* not for this zone to know */
	ADDRESS_NONE,
	ADDRESS_IS_ALIAS,
	ADDRESS_BELOW_DNAME,
};

static enum address_state state_of_node(
    const struct check *check, const struct zone_match *match)
{
	const struct zone_node *node = match->node;
	const struct zone_dynamic *dynamic = zone_dynamic(check->zone, node);

	if (node->flags & ZONE_NODE_CNAME)
		return ADDRESS_IS_ALIAS;
	if (dynamic && dynamic->alias)
		return ADDRESS_IS_ALIAS;
	if (dynamic && (zone_dynamic_has(dynamic, RR_A) ||
			   zone_dynamic_has(dynamic, RR_AAAA)))
		return ADDRESS_THERE;
	if (zone_rrset(check->zone, node, RR_A) ||
	    zone_rrset(check->zone, node, RR_AAAA))
		return ADDRESS_THERE;
	return ADDRESS_NONE;
}

/* Glue counts, and so does a wildcard. */
static enum address_state state_of(
    const struct check *check, const uint8_t *target)
{
	struct zone_match match;
	struct dname_key key;

	if (!dname_is_within(target, zone_apex(check->zone)))
		return ADDRESS_ELSEWHERE;
	dname_key_of(&key, target, dname_size(target), zone_seed(check->zone));
	zone_find(check->zone, &key, &match);
	switch (match.kind) {
	case ZONE_MATCH_DELEGATION:
		match.node = zone_find_name(check->zone, target);
		if (!match.node ||
		    state_of_node(check, &match) != ADDRESS_THERE)
			return ADDRESS_ELSEWHERE;
		return ADDRESS_THERE;
	case ZONE_MATCH_DNAME:
		return ADDRESS_BELOW_DNAME;
	case ZONE_MATCH_NONE:
		return ADDRESS_NONE;
	case ZONE_MATCH_EXACT:
	case ZONE_MATCH_WILDCARD:
		break;
	}
	return state_of_node(check, &match);
}

/* As named-checkzone: the zone's own servers have to have addresses, all
 * else is warned of; and by RFC 2782 no SRV may lead to an alias. */
static enum zone_severity severity_of(
    const struct check *check, uint16_t type, enum address_state state)
{
	if (type == RR_NS && (check->node->flags & ZONE_NODE_APEX))
		return ZONE_ERROR;
	if (type == RR_SRV && state == ADDRESS_IS_ALIAS)
		return ZONE_ERROR;
	return ZONE_WARNING;
}

/* The common slip: a name that was meant in full got the zone's behind it. */
static const char *dot_hint(const struct check *check, const uint8_t *target)
{
	const uint8_t *apex = zone_apex(check->zone);
	uint8_t twice[DNAME_MAX];

	if (*apex && dname_join(twice, apex, apex) &&
	    dname_is_within(target, twice))
		return ": is the dot at its end missing?";
	return "";
}

static void say_target(const struct check *check, uint16_t type,
    const uint8_t *target, enum address_state state)
{
	enum zone_severity severity = severity_of(check, type, state);
	char text[DNAME_TEXT_MAX];

	(void)dname_to_text(target, text);
	switch (state) {
	case ADDRESS_THERE:
	case ADDRESS_ELSEWHERE:
		break;
	case ADDRESS_NONE:
		if (!check->in->is_partial)
			SAY(check, severity, type, "%s has no address%s", text,
			    dot_hint(check, target));
		break;
	case ADDRESS_IS_ALIAS:
		SAY(check, severity, type,
		    "%s is an alias, which it may not be", text);
		break;
	case ADDRESS_BELOW_DNAME:
		SAY(check, severity, type, "%s lies below a DNAME", text);
		break;
	}
}

/* A server whose name lies below its own delegation is reached by glue only
 * (RFC 1034 section 4.2.1). */
static void check_glue(const struct check *check, const uint8_t *target)
{
	const struct zone_node *node;
	char text[DNAME_TEXT_MAX];

	if (!(check->node->flags & ZONE_NODE_CUT) ||
	    !dname_is_within(target, check->name) || check->in->is_partial)
		return;
	node = zone_find_name(check->zone, target);
	if (node && (zone_rrset(check->zone, node, RR_A) ||
			zone_rrset(check->zone, node, RR_AAAA)))
		return;
	(void)dname_to_text(target, text);
	SAY(check, ZONE_WARNING, RR_NS,
	    "%s needs glue (A or AAAA) to be reached at all", text);
}

static void check_targets(const struct check *check, uint16_t type)
{
	const struct rrset *set = set_of(check, type);
	const uint8_t *at;

	if (!set || (check->node->flags & ZONE_NODE_OCCLUDED))
		return;
	at = rrset_records(set);
	for (uint32_t i = 0; i < set->n; i++) {
		const uint8_t *target =
		    rrset_take(&at).rdata + rrset_target_offset(type);

		/* The root as a target says: nothing here (RFC 7505,
		 * RFC 2782). */
		if (!*target)
			continue;
		say_target(check, type, target, state_of(check, target));
		if (type == RR_NS)
			check_glue(check, target);
	}
}

/* -- resources --------------------------------------------------------- */

static void say_beside(const struct check *check,
    const struct zone_resource *resource, uint16_t type, const char *why)
{
	struct dns_place place = place_at(check, check->index, type);

	zone_report_name(check->report, ZONE_ERROR, &resource->place,
	    check->name, type, "stands at %s, but the resource \"%s\" %s",
	    zone_report_place(check->report, &place), resource->name, why);
}

static void check_resource_sets(
    const struct check *check, const struct zone_resource *resource)
{
	const struct zone_dynamic *dynamic =
	    zone_dynamic(check->zone, check->node);
	const struct rrset *set = NULL;

	while ((set = zone_next_rrset(check->zone, check->node, set))) {
		if (is_beside_alias(set->type))
			continue;
		if (resource->alias)
			say_beside(check, resource, set->type,
			    "is an alias there, which has no other data");
		else if (set->type == RR_CNAME)
			say_beside(check, resource, set->type,
			    "is there, which is no alias");
		else if (zone_dynamic_has(dynamic, set->type))
			say_beside(check, resource, set->type,
			    "answers for this type itself");
	}
}

static void check_resource(const struct check *check)
{
	const struct zone_resource *resource;

	if (!(check->node->flags & ZONE_NODE_DYNAMIC))
		return;
	resource = &check->in->resources[check->node->dynamic];
	if (resource->alias && (check->node->flags & ZONE_NODE_APEX))
		zone_report_name(check->report, ZONE_ERROR, &resource->place,
		    check->name, 0,
		    "the resource \"%s\" is an alias and cannot be the apex, "
		    "which has SOA and NS: use mode rank or addrs",
		    resource->name);
	else
		check_resource_sets(check, resource);
	if (check->node->cut != ZONE_NONE)
		zone_report_name(check->report, ZONE_ERROR, &resource->place,
		    check->name, 0,
		    "the resource \"%s\" lies at or below a delegation and "
		    "would never be asked",
		    resource->name);
}

static const char *held_text(
    const struct check *check, const struct zone_held *held)
{
	struct dns_place place = zone_collect_place(check->in->collect, held);

	return zone_report_place(check->report, &place);
}

/* Targets are synthesised; records of others at that name would mix with
 * them. */
static void check_collision(const struct check *check)
{
	uint32_t owner = check->in->owners[check->index];
	const struct zone_held *held = NULL, *target = NULL, *other = NULL;
	const struct zone_resource *resource;

	if (owner == ZONE_COLLECT_NONE)
		return;
	while ((held = zone_collect_next(check->in->collect, owner, held))) {
		if (held->source & ZONE_SOURCE_VARIANT ||
		    held->type == RR_NSEC || held->type == RR_RRSIG)
			continue;
		if (held->source && !target)
			target = held;
		else if (target && held->source != target->source)
			other = held;
		else if (!held->source)
			other = held;
	}
	if (!target || !other)
		return;
	resource = &check->in->resources[target->source - 1];
	zone_report_name(check->report, ZONE_ERROR, NULL, check->name, 0,
	    "is a target of the resource \"%s\" (%s), and collides with %s",
	    resource->name, held_text(check, target), held_text(check, other));
}

/* -- the zone ---------------------------------------------------------- */

static void check_node(const struct check *check)
{
	check_alias(check);
	check_single(check);
	check_place_in_zone(check);
	check_dname(check);
	check_denial(check);
	check_occluded(check);
	check_targets(check, RR_NS);
	check_targets(check, RR_MX);
	check_targets(check, RR_SRV);
	check_resource(check);
	check_collision(check);
}

/* RFC 1035 section 5.2, RFC 1034 section 4.2.1. */
static void check_apex(const struct check *check)
{
	if (check->in->is_partial)
		return;
	if (!set_of(check, RR_SOA))
		zone_report_name(check->report, ZONE_ERROR, NULL, check->name,
		    0, "the zone has no SOA");
	if (!set_of(check, RR_NS))
		zone_report_name(check->report, ZONE_ERROR, NULL, check->name,
		    0, "the zone has no NS");
}

void zone_check(const struct zone_check_input *input)
{
	struct check check = {
	    .in = input, .zone = input->zone, .report = input->report};

	for (uint32_t i = 0; i < zone_n_nodes(input->zone); i++) {
		check.index = i;
		check.node = zone_node_at(input->zone, i);
		check.name = zone_node_name(input->zone, check.node);
		if (i == 0)
			check_apex(&check);
		check_node(&check);
	}
}
