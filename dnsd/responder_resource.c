/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>

#include "dnsd/resource.h"
#include "dnsd/responder_part.h"

/* The subnet as the client sent it; false: none that is to be used. */
static bool subnet_of(const struct responder *r, struct prefix *ret)
{
	const struct edns_subnet *subnet = &r->edns.subnet;

	if (!r->reply.subnet || subnet->family == EDNS_FAMILY_NONE)
		return false;
	*ret = (struct prefix){
	    .family = subnet->family == EDNS_IPV4 ? AF_INET : AF_INET6,
	    .bits = subnet->source,
	};
	for (unsigned i = 0; i < sizeof ret->bytes; i++)
		ret->bytes[i] = subnet->address[i];
	return true;
}

static void choose(struct responder *r, const struct resource *resource,
    struct resource_choice *ret)
{
	struct prefix subnet;
	struct resource_client client = {.source = &r->client->source};

	if (subnet_of(r, &subnet))
		client.subnet = &subnet;
	resource_choose(resource, r->view->policy, r->view->regions, &client,
	    r->client->now, ret);
	if (!r->facts->resource) {
		r->facts->resource = resource;
		if (ret->n) {
			uint32_t counted = resource_counted(resource, ret);

			r->facts->pop = resource_pop(resource, counted)->index;
			r->facts->counter = resource_counter(resource, counted);
		}
	}
}

/* An ANY gets one rrset, RFC 8482 section 4.1; RRSIG, the signatures of one. */
static uint16_t type_of(
    const struct responder *r, const struct zone_dynamic *dynamic)
{
	uint16_t type = r->query.type;

	return type == TYPE_ANY || type == TYPE_RRSIG ? dynamic->types[0]
						      : type;
}

/* The set and the signatures that were made for it: both or nothing. */
static bool put_chosen(struct responder *r, struct wire_owner *owner,
    const struct answer_set *set, const struct rrset *signatures)
{
	if (set->is_alias && !signatures && owner->at == WIRE_HEADER_BYTES)
		return wire_put_alias(&r->writer, WIRE_ANSWER, set);
	if (r->query.type != TYPE_RRSIG &&
	    !wire_put_set(&r->writer, WIRE_ANSWER, owner, set))
		return false;
	/* RFC 4034 section 3: the TTL is that of the set. */
	return !signatures ||
	       wire_put_records(&r->writer, WIRE_ANSWER, owner, TYPE_RRSIG,
		   set->ttl, signatures->n, rrset_records(signatures));
}

/* Several aliases are for who asked, nobody follows all of them. With a scope
 * the alias goes alone, lest the subnet stick to records that are the same for
 * all (RFC 7871 section 7.2.2). */
static bool is_followed(const struct responder *r,
    const struct zone_dynamic *dynamic, const struct answer_set *set)
{
	uint16_t type = r->query.type;

	return dynamic->alias && set->n == 1 && !r->reply.scope &&
	       type != TYPE_CNAME && type != TYPE_ANY && type != TYPE_RRSIG;
}

/* RFC 2782, RFC 9460 section 4.1: addresses of the names that the records lead
 * to. A POP's are the same for all, whatever the subnet. */
static void add_targets(struct responder *r, const struct zone *zone,
    const struct resource *resource, const struct resource_choice *choice)
{
	for (uint32_t i = 0; i < choice->n; i++)
		responder_add_target(
		    r, zone, resource_target(resource, choice->chosen[i]));
}

static bool leads_on(const struct responder *r, const struct answer_set *set)
{
	return r->query.type == set->type &&
	       (set->type == TYPE_SRV || set->type == TYPE_HTTPS);
}

enum responder_outcome responder_resource_answer(struct responder *r,
    const struct zone *zone, const struct zone_node *node,
    struct wire_owner *owner, const uint8_t **ret_alias)
{
	const struct zone_dynamic *dynamic = zone_dynamic(zone, node);
	uint16_t type = type_of(r, dynamic);
	const struct rrset *signatures = NULL;
	struct resource_choice choice;
	struct answer_set set;
	bool followed;

	if (!dynamic->alias && !zone_dynamic_has(dynamic, type))
		return RESPONDER_ABSENT;
	choose(r, dynamic->resource, &choice);
	resource_answer(dynamic->resource, &choice, type, &set);
	if (r->edns.dnssec_ok || r->query.type == TYPE_RRSIG)
		signatures =
		    zone_variant_signatures(zone, node, set.type, set.variant);
	if (!set.n || (r->query.type == TYPE_RRSIG && !signatures))
		return RESPONDER_ABSENT;
	r->facts->kind = DNS_KIND_data;
	if (choice.scope > r->reply.scope)
		r->reply.scope = choice.scope;
	followed = is_followed(r, dynamic, &set);
	/* What it leads to points to its target. */
	set.is_alias &= !followed;
	if (!put_chosen(r, owner, &set, signatures))
		return RESPONDER_FULL;
	if (leads_on(r, &set)) {
		if (!responder_put_proofs(r))
			return RESPONDER_FULL;
		add_targets(r, zone, dynamic->resource, &choice);
	}
	if (!followed)
		return RESPONDER_DONE;
	/* The name is the resource's, not the choice's. */
	*ret_alias = set.records[0].rdata;
	return RESPONDER_ALIAS;
}
