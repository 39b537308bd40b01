/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/responder_part.h"

/* Of the names that a set leads to, so many are looked at. */
#define TARGETS_MAX 16u

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool put_type(struct responder *r, const struct zone *zone,
    const struct zone_node *node, uint16_t type)
{
	const struct rrset *set = zone_rrset(zone, node, type);
	struct wire_owner owner = {zone_node_name(zone, node), 0};

	return !set || responder_put_rrset(r, WIRE_ADDITIONAL, &owner, set);
}

static bool put_addresses(
    struct responder *r, const struct zone *zone, const struct zone_node *node)
{
	bool v4 = put_type(r, zone, node, TYPE_A);
	bool v6 = put_type(r, zone, node, TYPE_AAAA);

	return v4 && v6;
}

static bool is_repeated(const uint32_t *targets, uint32_t i)
{
	for (uint32_t j = 0; j < i; j++)
		if (targets[j] == targets[i])
			return true;
	return false;
}

/* -- targets ----------------------------------------------------------- */

/* What holds for all clients, and what this zone has authority for: RFC 9460
 * section 4.1 forbids what was made for one subnet. */
static bool is_good_target(const struct zone_node *node)
{
	return node->cut == ZONE_NONE && !(node->flags & ZONE_NODE_DYNAMIC);
}

static bool is_service_alias(uint16_t type, const struct answer_record *record)
{
	return (type == TYPE_SVCB || type == TYPE_HTTPS) && !record->rdata[0] &&
	       !record->rdata[1];
}

/* RFC 9460 section 4.1: where an alias leads, the same type is looked for. One
 * that leads to itself is in the answer already. */
static void add_alias_target(struct responder *r, const struct zone *zone,
    const struct zone_node *target, const struct rrset *set)
{
	if (zone_rrset(zone, target, set->type) != set)
		(void)put_type(r, zone, target, set->type);
}

void responder_add_targets(
    struct responder *r, const struct zone *zone, const struct rrset *set)
{
	const uint32_t *targets = rrset_targets(set);
	const uint8_t *at = rrset_records(set);
	uint32_t n = min_u32(set->n, TARGETS_MAX);

	for (uint32_t i = 0; targets && i < n; i++) {
		struct answer_record record = rrset_take(&at);
		const struct zone_node *target;

		if (targets[i] == ZONE_NONE || is_repeated(targets, i))
			continue;
		target = zone_node_at(zone, targets[i]);
		if (!is_good_target(target))
			continue;
		(void)put_addresses(r, zone, target);
		if (is_service_alias(set->type, &record))
			add_alias_target(r, zone, target, set);
	}
}

void responder_add_target(
    struct responder *r, const struct zone *zone, const uint8_t *name)
{
	const struct zone_node *target = zone_find_name(zone, name);

	if (target && is_good_target(target))
		(void)put_addresses(r, zone, target);
}

/* -- glue -------------------------------------------------------------- */

/* Those whose names lie in the delegated zone, or all the others. */
static bool add_glue(struct responder *r, const struct zone *zone,
    const struct zone_node *cut, const struct rrset *servers, bool in_domain)
{
	const uint8_t *name = zone_node_name(zone, cut);
	const uint32_t *targets = rrset_targets(servers);
	const uint8_t *at = rrset_records(servers);
	bool whole = true;

	for (uint32_t i = 0; i < servers->n; i++) {
		struct answer_record record = rrset_take(&at);

		if (targets[i] == ZONE_NONE ||
		    dname_is_within(record.rdata, name) != in_domain)
			continue;
		if (!put_addresses(r, zone, zone_node_at(zone, targets[i])))
			whole = false;
	}
	return whole;
}

bool responder_add_glue(struct responder *r, const struct zone *zone,
    const struct zone_node *cut, const struct rrset *servers)
{
	/* RFC 9471 section 3: glue in the delegated zone must be there, that
	 * of siblings may. */
	bool whole = add_glue(r, zone, cut, servers, true);

	(void)add_glue(r, zone, cut, servers, false);
	return whole;
}
