/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/resource.h"

#include "base/arena.h"
#include "base/assert.h"
#include "dnsd/query_facts.h"
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_TEXT_MAX 2048

static const struct resource_ops *const modes[] = {
    [CONF_MODE_PICK] = &resource_pick_ops,
    [CONF_MODE_RANK] = &resource_rank_ops,
    [CONF_MODE_ADDRS] = &resource_addrs_ops,
    [CONF_MODE_SRV] = &resource_srv_ops,
    [CONF_MODE_LITERAL] = &resource_literal_ops,
};

/* -- making ------------------------------------------------------------ */

void resource_wrong(struct resource_maker *m, const char *format, ...)
{
	char text[PROBLEM_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	m->rc = -EINVAL;
	m->options->on_error(m->options->context, text);
}

int resource_owner_of(
    const char *zone, const char *name, uint8_t ret[DNAME_MAX])
{
	uint8_t apex[DNAME_MAX];
	const char *wrong;

	if (dname_from_text(zone, strlen(zone), NULL, apex, &wrong))
		return -EINVAL;
	return dname_from_text(name, strlen(name), apex, ret, &wrong);
}

uint64_t resource_id(const uint8_t *owner)
{
	/* No secret: a number for the name, whatever its case. */
	static const struct siphash_key key = {0, 6};
	uint8_t lower[DNAME_MAX];
	size_t size = dname_lower(lower, owner);
	uint64_t id = siphash_2_4(&key, lower, size);

	/* 0 is nobody's. */
	return id ? id : 1;
}

static const uint8_t *copy_name(struct arena *arena, const uint8_t *name)
{
	uint8_t *copy = arena_alloc(arena, dname_size(name));

	(void)dname_copy(copy, name);
	return copy;
}

static void make_owner(struct resource_maker *m)
{
	struct resource *r = m->r;
	uint8_t owner[DNAME_MAX];
	const char *wrong;

	r->apex = copy_name(m->arena, m->options->apex);
	r->name = arena_strdup(m->arena, m->options->conf->name);
	if (dname_from_text(r->name, strlen(r->name), r->apex, owner, &wrong)) {
		resource_wrong(m, "the name %s", wrong);
		(void)dname_copy(owner, r->apex);
	}
	r->owner = copy_name(m->arena, owner);
	r->id = resource_id(r->owner);
	/* RFC 1034 section 3.6.2: no data beside a CNAME, and an apex has SOA
	 * and NS. */
	if (r->ops->alias && dname_equal(r->owner, r->apex))
		resource_wrong(m,
		    "a CNAME cannot be at the zone's apex: take mode rank or "
		    "addrs");
}

static void make_weights(struct resource_maker *m)
{
	const struct conf_resource *conf = m->options->conf;
	struct resource *r = m->r;
	uint64_t weights[RESOURCE_POPS_MAX];
	uint32_t domains[RESOURCE_POPS_MAX];

	for (uint32_t i = 0; i < r->n_pops; i++) {
		weights[i] = conf->weights[i];
		domains[i] = r->pop[i]->domain;
	}
	r->configured = arena_alloc(m->arena, draw_weights_size(r->n_pops));
	draw_weights_init(r->configured, r->n_pops, weights, domains, r->n);
	if (!r->configured->n_positive)
		resource_wrong(m, "every weight is 0");
}

/* Which types an owner holds must not depend on who is chosen: a resolver
 * keeps "no such type", and a signed zone has to prove it. */
static void check_family(struct resource_maker *m, bool ipv6)
{
	const struct resource *r = m->r;
	const struct pop *with = NULL, *without = NULL;

	for (uint32_t i = 0; i < r->n_pops; i++) {
		if (ipv6 ? r->pop[i]->n_ipv6 : r->pop[i]->n_ipv4)
			with = r->pop[i];
		else
			without = r->pop[i];
	}
	if (with && without)
		resource_wrong(m,
		    "POP %s has an %s address and POP %s has none: in this "
		    "mode all have, or none",
		    with->name, ipv6 ? "IPv6" : "IPv4", without->name);
}

/* Each possible answer of a signed zone is signed when it is loaded. */
static void check_signed(struct resource_maker *m)
{
	const struct resource *r = m->r;

	if (!r->is_signed)
		return;
	if (r->n_pops > CONF_SIGNED_POPS_MAX)
		resource_wrong(m,
		    "in a signed zone it has at most %d POPs, these are %u",
		    CONF_SIGNED_POPS_MAX, r->n_pops);
	if (r->n > CONF_SIGNED_N_MAX && r->ops != &resource_pick_ops)
		resource_wrong(m, "in a signed zone n is at most %d, not %u",
		    CONF_SIGNED_N_MAX, r->n);
}

static void copy_alpn(struct resource_maker *m)
{
	const struct conf_texts *alpn = &m->options->conf->alpn;
	struct resource *r = m->r;

	r->alpn = arena_alloc(m->arena, (alpn->n + 1) * sizeof *r->alpn);
	for (; r->n_alpn < alpn->n; r->n_alpn++)
		r->alpn[r->n_alpn] =
		    arena_strdup(m->arena, alpn->at[r->n_alpn]);
}

static void make_pops(struct resource_maker *m)
{
	const struct resource_options *options = m->options;
	const struct conf_resource *conf = options->conf;
	struct resource *r = m->r;

	r->n_pops = conf->n_pops;
	r->pop = arena_alloc(m->arena, r->n_pops * sizeof *r->pop);
	r->ids = arena_alloc(m->arena, r->n_pops * sizeof *r->ids);
	r->counters = arena_alloc(m->arena, r->n_pops * sizeof *r->counters);
	for (uint32_t i = 0; i < r->n_pops; i++) {
		r->pop[i] = &m->options->pops->pop[conf->pops[i]];
		r->ids[i] = r->pop[i]->id;
		r->counters[i] =
		    options->counter_of
			? options->counter_of(options->counter_context,
			      conf->name, r->pop[i]->name)
			: QUERY_NO_COUNTER;
	}
}

int resource_new(struct arena *arena, const struct resource_options *options,
    struct resource **ret)
{
	const struct conf_resource *conf = options->conf;
	struct resource *r = arena_alloc(arena, sizeof *r);
	struct resource_maker m = {arena, options, r, 0};

	br_assert(conf->n_pops && conf->n_pops <= RESOURCE_POPS_MAX);
	r->mode = conf->mode;
	r->ops = modes[conf->mode];
	r->slot = options->slot;
	r->n = conf->n < conf->n_pops ? conf->n : conf->n_pops;
	r->ttl = (uint32_t)(conf->ttl_ms / 1000);
	r->ecs = conf->ecs;
	r->port = conf->port;
	r->is_signed = options->is_signed;
	r->salt = siphash_key_of_text(options->salt);
	make_pops(&m);
	make_owner(&m);
	copy_alpn(&m);
	make_weights(&m);
	check_signed(&m);
	if (r->ops->holds_addresses) {
		check_family(&m, false);
		check_family(&m, true);
	}
	if (r->ops->has_targets)
		resource_targets_make(&m);
	if (!m.rc && r->ops->make)
		r->ops->make(&m);
	if (!m.rc)
		*ret = r;
	return m.rc;
}

/* -- what it is -------------------------------------------------------- */

const uint8_t *resource_owner(const struct resource *r)
{
	return r->owner;
}

const char *resource_name(const struct resource *r)
{
	return r->name;
}

enum conf_mode resource_mode(const struct resource *r)
{
	return r->mode;
}

uint32_t resource_slot(const struct resource *r)
{
	return r->slot;
}

uint32_t resource_counter(const struct resource *r, uint32_t position)
{
	return r->counters[position];
}

bool resource_is_alias(const struct resource *r)
{
	return r->ops->alias;
}

uint32_t resource_types(
    const struct resource *r, uint16_t ret[RESOURCE_TYPES_MAX])
{
	uint32_t n = 0;

	if (r->ops->type)
		ret[n++] = r->ops->type;
	/* All POPs have the family, or none. */
	if (r->ops->holds_addresses && r->pop[0]->n_ipv4)
		ret[n++] = RR_A;
	if (r->ops->holds_addresses && r->pop[0]->n_ipv6)
		ret[n++] = RR_AAAA;
	return n;
}

uint32_t resource_ttl_max(const struct resource *r)
{
	return policy_ttl_max(r->ttl);
}

uint32_t resource_n_pops(const struct resource *r)
{
	return r->n_pops;
}

const struct pop *resource_pop(const struct resource *r, uint32_t position)
{
	br_assert(position < r->n_pops);
	return r->pop[position];
}

const uint8_t *resource_target(const struct resource *r, uint32_t position)
{
	br_assert(position < r->n_pops);
	return r->targets ? r->targets[position].name : NULL;
}

/* -- choosing ---------------------------------------------------------- */

/* The RFC leaves it to the server how deep its answer goes (7871 section
 * 7.2.1), but an answer that says more than it was told would be of no use to
 * a cache. */
static uint8_t scope_of(const struct prefix *subnet, bool keyed, bool regional,
    const struct client_key *key, uint8_t depth)
{
	uint8_t bits = 0;

	if (!subnet)
		return 0;
	if (keyed)
		bits = key->prefix.bits;
	if (regional && depth > bits)
		bits = depth;
	return bits < subnet->bits ? bits : subnet->bits;
}

static uint32_t ttl_of(
    const struct resource *r, const struct client_draw *draw, bool cut)
{
	uint32_t ttl = policy_ttl_spread(r->ttl, draw->base);

	return cut && ttl > POLICY_TTL_CUT_S ? POLICY_TTL_CUT_S : ttl;
}

static enum conf_mode mode_for(
    const struct resource *r, const struct addr *source)
{
	if (r->allow && prefix_map_find(r->allow, source) == PREFIX_NONE)
		return CONF_MODE_PICK;
	return r->mode;
}

void resource_choose(const struct resource *r, const struct policy *policy,
    const struct region_map *regions, const struct resource_client *client,
    struct wall now, struct resource_choice *ret)
{
	const struct prefix *subnet = r->ecs ? client->subnet : NULL;
	struct region_found where = {REGION_NONE, 0};
	struct policy_found found;
	struct prefix source;
	bool keyed;

	/* Who sent a packet has an address. */
	br_assert(prefix_of_addr(&source, client->source));
	if (subnet && !subnet->bits)
		subnet = NULL;
	if (regions)
		where = region_find(regions, subnet ? subnet : &source);
	found = policy_find(policy, r->id, where.region, now);
	ret->weights = found.weights ? found.weights : r->configured;
	ret->source = found.source;
	ret->fails_open = found.fails_open;
	ret->region = where.region;
	ret->mode = mode_for(r, client->source);
	ret->key = client_key_of(&source, subnet);
	ret->draw = client_key_draw(&ret->key, &r->salt, r->id, now);
	ret->ttl_cut = found.ttl_cut;
	ret->ttl = ttl_of(r, &ret->draw, found.ttl_cut);
	keyed = r->ops->choose(r, ret);
	ret->scope =
	    scope_of(subnet, keyed, found.regional, &ret->key, where.depth);
}

uint32_t resource_counted(
    const struct resource *r, const struct resource_choice *choice)
{
	uint32_t i = r->ops->counted ? r->ops->counted(choice) : 0;

	br_assert(i < choice->n);
	return choice->chosen[i];
}

static uint32_t heavier(const struct resource *r, uint32_t a, uint32_t b)
{
	return r->configured->pop[a].weight > r->configured->pop[b].weight;
}

void resource_choose_heaviest(
    const struct resource *r, struct resource_choice *ret)
{
	ret->weights = r->configured;
	ret->source = POLICY_CONFIGURED;
	ret->fails_open = false;
	ret->mode = r->mode;
	ret->region = REGION_NONE;
	ret->ttl = r->ttl;
	ret->ttl_cut = false;
	ret->scope = 0;
	ret->n = (uint8_t)r->n_pops;
	/* The heaviest first; of equal ones that which stands first. */
	for (uint32_t i = 0; i < r->n_pops; i++) {
		uint32_t at = i;

		for (; at && heavier(r, i, ret->chosen[at - 1]); at--)
			ret->chosen[at] = ret->chosen[at - 1];
		ret->chosen[at] = (uint8_t)i;
	}
	r->ops->choose_heaviest(r, ret);
}

/* -- answering --------------------------------------------------------- */

static bool holds(const struct resource *r, uint16_t type)
{
	return r->ops->alias || type == r->ops->type ||
	       (r->ops->holds_addresses && (type == RR_A || type == RR_AAAA));
}

void resource_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t qtype,
    struct answer_set *ret)
{
	ret->type = r->ops->alias ? RR_CNAME : qtype;
	ret->n = 0;
	ret->ttl = choice->ttl;
	ret->variant = 0;
	ret->is_alias = false;
	if (holds(r, qtype))
		r->ops->answer(r, choice, ret->type, ret);
}

uint32_t resource_variants(const struct resource *r, uint16_t type,
    void (*on_variant)(void *context, const struct answer_set *set),
    void *context)
{
	struct resource_choice choice;
	uint16_t types[RESOURCE_TYPES_MAX];
	uint32_t n_types = resource_types(r, types), n = 0;

	br_assert(r->is_signed);
	for (uint32_t i = 0; i < n_types; i++)
		if (types[i] == type)
			n = r->ops->count(r, type);
	choice.mode = r->mode;
	choice.weights = r->configured;
	choice.ttl = resource_ttl_max(r);
	for (uint32_t i = 0; i < n; i++) {
		struct answer_set set;

		r->ops->unpack(r, type, i, &choice);
		resource_answer(r, &choice, type, &set);
		br_assert(set.variant == i);
		on_variant(context, &set);
	}
	return n;
}
