/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of resources: the names that are spread over POPs. */
#include "conf/rules.h"

#include "base/hash.h"
#include "conf/domain_text.h"

#include <string.h>

#define N_DEFAULT 3
#define APEX "@"
/* What {resource} is at the apex. */
#define APEX_WORD "apex"

/* The rows that the rules speak about, looked up once. */
#define RESOURCE_ROWS(X)                                                       \
	X(mode, "mode")                                                        \
	X(pops_row, "pops")                                                    \
	X(n, "n")                                                              \
	X(weights, "weights")                                                  \
	X(target, "target")                                                    \
	X(alpn, "alpn")                                                        \
	X(port, "port")                                                        \
	X(allow, "allow")

struct rules_resources {
	struct draft *draft;
	struct rules_names pops;
	struct strmap *names; /* of one zone */
#define X(name, key) const struct schema_row *name;
	RESOURCE_ROWS(X)
#undef X
};

struct rules_resource {
	struct rules_resources *all;
	struct scope *scope;
	struct conf_resource *resource;
	const struct conf_zone *zone;
	bool complete; /* each of pops was found, and once */
};

static struct conf_pos resource_pos(
    const struct rules_resource *r, const struct schema_row *row)
{
	struct conf_pos pos = *draft_seen(r->scope, row);

	return pos.line ? pos : r->scope->pos;
}

static bool resource_is_apex(const struct rules_resource *r)
{
	return !strcmp(r->resource->name, APEX);
}

/* Resolves the POPs; what is wrong with one is said and it is left out. */
static void resource_pops(struct rules_resource *r)
{
	struct conf_resource *resource = r->resource;
	const struct conf_refs *refs = &resource->pop_refs;
	struct rules_resources *all = r->all;
	struct draft *draft = all->draft;

	resource->pops = arena_alloc(
	    draft->conf->arena, refs->n * sizeof(*resource->pops) + 1);
	for (uint32_t i = 0; i < refs->n; i++) {
		const struct conf_ref *ref = &refs->at[i];
		const struct conf_pop *pop = rules_names_find(
		    &all->pops, r->scope, all->pops_row, ref->pos, ref->name);
		uint32_t index, k = 0;

		if (!pop)
			continue;
		index = (uint32_t)(pop - draft->conf->pops);
		while (k < resource->n_pops && resource->pops[k] != index)
			k++;
		if (k < resource->n_pops)
			draft_error(draft, r->scope, all->pops_row, ref->pos,
			    "%s is there twice", ref->name);
		else
			resource->pops[resource->n_pops++] = index;
	}
	r->complete = resource->n_pops && resource->n_pops == refs->n;
}

/* The place of a POP among those of the resource; n_pops: it is none. */
static uint32_t resource_place(const struct rules_resource *r, const char *name)
{
	const struct conf_resource *resource = r->resource;
	uint32_t i = 0;

	while (i < resource->n_pops &&
	       strcmp(r->all->draft->conf->pops[resource->pops[i]].name,
		   name) != 0)
		i++;
	return i;
}

static void resource_weights(struct rules_resource *r)
{
	struct conf_resource *resource = r->resource;
	const struct schema_row *row = r->all->weights;
	uint64_t sum = 0;

	resource->weights = arena_alloc(r->all->draft->conf->arena,
	    resource->n_pops * sizeof(*resource->weights) + 1);
	for (uint32_t i = 0; i < resource->n_pops; i++)
		resource->weights[i] = 1;
	for (uint32_t i = 0; i < resource->weight_pairs.n; i++) {
		const struct conf_pair *pair = &resource->weight_pairs.at[i];
		uint32_t place = resource_place(r, pair->name);

		if (place < resource->n_pops)
			resource->weights[place] = (uint32_t)pair->value;
		else if (r->complete)
			draft_error(r->all->draft, r->scope, row, pair->pos,
			    "%s is none of the resource's pops", pair->name);
	}
	for (uint32_t i = 0; i < resource->n_pops; i++)
		sum += resource->weights[i];
	if (!sum && r->complete)
		draft_error(r->all->draft, r->scope, row, resource_pos(r, row),
		    "every weight is 0, so no POP is left");
}

static void resource_n(struct rules_resource *r)
{
	struct conf_resource *resource = r->resource;

	if (!resource->n) {
		resource->n =
		    resource->n_pops < N_DEFAULT ? resource->n_pops : N_DEFAULT;
		return;
	}
	if (resource->n > resource->n_pops && r->complete)
		draft_error(r->all->draft, r->scope, r->all->n, resource->n_pos,
		    "%u, but the resource has only %u POP%s", resource->n,
		    resource->n_pops, resource->n_pops == 1 ? "" : "s");
}

/* Its answers are signed beforehand, each of them: 8 POPs in threes are 92
 * sets of addresses and 336 orders of HTTPS records. */
static void resource_signed(const struct rules_resource *r)
{
	const struct conf_resource *resource = r->resource;
	const struct rules_resources *all = r->all;

	if (!r->zone->key)
		return;
	if (resource->mode == CONF_MODE_LITERAL)
		draft_error(all->draft, r->scope, all->mode, resource->mode_pos,
		    "several CNAMEs cannot be signed: not in a zone with "
		    "dnssec.key (line %u)",
		    r->zone->key_pos.line);
	if (resource->n_pops > CONF_SIGNED_POPS_MAX)
		draft_error(all->draft, r->scope, all->pops_row,
		    resource_pos(r, all->pops_row),
		    "%u POPs, but at most %d in a signed zone (dnssec.key, "
		    "line %u)",
		    resource->n_pops, CONF_SIGNED_POPS_MAX,
		    r->zone->key_pos.line);
	if (resource->n > CONF_SIGNED_N_MAX)
		draft_error(all->draft, r->scope, all->n,
		    resource_pos(r, all->n),
		    "%u, but at most %d in a signed zone (dnssec.key, line %u)",
		    resource->n, CONF_SIGNED_N_MAX, r->zone->key_pos.line);
}

/* "_service._proto" and perhaps more: RFC 2782. */
static bool resource_is_service(const char *name)
{
	const char *dot = strchr(name, '.');

	return name[0] == '_' && name[1] != '.' && dot && dot[1] == '_' &&
	       dot[2] && dot[2] != '.';
}

static void resource_mode(const struct rules_resource *r)
{
	const struct conf_resource *resource = r->resource;
	const struct rules_resources *all = r->all;
	struct draft *draft = all->draft;
	bool alias = resource->mode == CONF_MODE_PICK ||
		     resource->mode == CONF_MODE_LITERAL;
	struct conf_pos pos = resource_pos(r, all->mode);

	/* RFC 1034 section 3.6.2: the apex has an SOA and NS, and a CNAME
	 * bears no other data beside it. */
	if (alias && resource_is_apex(r))
		draft_error(draft, r->scope, all->mode, pos,
		    "%s answers with a CNAME, which the zone's apex cannot "
		    "have: want rank or addrs",
		    resource->mode == CONF_MODE_PICK ? "pick" : "literal");
	if (resource->mode == CONF_MODE_SRV &&
	    !resource_is_service(resource->name))
		draft_error(draft, r->scope, r->scope->row, r->scope->pos,
		    "the name of an srv resource begins with _service._proto, "
		    "such as _xmpp-client._tcp");
	if (resource->mode == CONF_MODE_SRV && !resource->port &&
	    !r->scope->bad)
		draft_error(
		    draft, r->scope, all->port, pos, "mode srv needs a port");
	if (resource->mode != CONF_MODE_LITERAL)
		return;
	if (!resource->allow.n)
		draft_error(draft, r->scope, all->mode, pos,
		    "mode literal needs allow: the addresses of those who can "
		    "bear several CNAMEs");
	else
		draft_warning(draft, r->scope, all->mode, pos,
		    "several CNAMEs at one name break RFC 2181 section 10.1: "
		    "resolvers refuse or mangle them, so allow none");
}

static void resource_unused(const struct rules_resource *r,
    const struct schema_row *row, const char *modes)
{
	struct conf_pos pos = *draft_seen(r->scope, row);

	if (pos.line && !r->scope->bad)
		draft_warning(r->all->draft, r->scope, row, pos,
		    "has an effect with %s only", modes);
}

static void resource_no_effect(const struct rules_resource *r)
{
	enum conf_mode mode = r->resource->mode;

	if (mode != CONF_MODE_LITERAL)
		resource_unused(r, r->all->allow, "mode literal");
	if (mode == CONF_MODE_ADDRS || mode == CONF_MODE_SRV)
		resource_unused(r, r->all->alpn, "mode pick, rank or literal");
	if (mode == CONF_MODE_ADDRS)
		resource_unused(
		    r, r->all->target, "mode pick, rank, srv or literal");
	if (mode == CONF_MODE_ADDRS)
		resource_unused(
		    r, r->all->port, "mode pick, rank, srv or literal");
}

/* Counts the placeholders of a pattern. False after saying that there is
 * another brace in it. */
static bool target_parts(
    const struct rules_resource *r, uint32_t *ret_pops, uint32_t *ret_resources)
{
	const char *at = r->resource->target;
	uint32_t pops = 0, resources = 0;

	while ((at = strpbrk(at, "{}"))) {
		if (!strncmp(at, "{pop}", 5)) {
			pops++;
		} else if (!strncmp(at, "{resource}", 10)) {
			resources++;
		} else {
			draft_error(r->all->draft, r->scope, r->all->target,
			    resource_pos(r, r->all->target),
			    "braces stand in {pop} and {resource} only");
			return false;
		}
		at = strchr(at, '}') + 1;
	}
	*ret_pops = pops;
	*ret_resources = resources;
	return true;
}

/* Labels of a service lose their "_", which no host's name has, and become
 * one label with what follows: _sip._tcp is sip-tcp. dnsd/resource_target.c
 * makes the same of it. */
static void target_add_resource(struct strbuf *sb, const char *name)
{
	if (!strcmp(name, APEX))
		name = APEX_WORD;
	while (*name == '_') {
		size_t length = strcspn(++name, ".");

		strbuf_add(sb, name, length);
		name += length;
		if (*name == '.') {
			strbuf_addc(sb, '-');
			name++;
		}
	}
	strbuf_adds(sb, name);
}

static void target_expand(
    struct strbuf *sb, const struct conf_resource *resource, const char *pop)
{
	strbuf_clear(sb);
	for (const char *at = resource->target; *at; at++) {
		if (*at != '{')
			strbuf_addc(sb, *at);
		else if (at[1] == 'p')
			strbuf_adds(sb, pop);
		else
			target_add_resource(sb, resource->name);
		if (*at == '{')
			at = strchr(at, '}');
	}
}

/* All names that the pattern makes must be names below the zone. */
static void target_names(const struct rules_resource *r)
{
	const struct conf_resource *resource = r->resource;
	struct draft *draft = r->all->draft;
	struct strbuf sb;

	strbuf_init(&sb);
	for (uint32_t i = 0; i < resource->n_pops; i++) {
		const char *wrong;

		target_expand(
		    &sb, resource, draft->conf->pops[resource->pops[i]].name);
		wrong = owner_text_wrong(strbuf_text(&sb), sb.length);
		if (!wrong && sb.length + 1 + strlen(r->zone->name) >
				  DOMAIN_CHARACTERS_MAX)
			wrong = "with the zone it has more than 253 characters";
		if (!wrong)
			continue;
		draft_error(draft, r->scope, r->all->target,
		    resource_pos(r, r->all->target), "it makes \"%.300s\": %s",
		    strbuf_text(&sb), wrong);
		break;
	}
	strbuf_fini(&sb);
}

static void resource_target(const struct rules_resource *r)
{
	uint32_t pops, resources;

	if (!r->resource->target || !target_parts(r, &pops, &resources))
		return;
	if (pops != 1 || resources > 1)
		draft_error(r->all->draft, r->scope, r->all->target,
		    resource_pos(r, r->all->target),
		    "want {pop} once, and {resource} at most once, as in %s",
		    r->all->target->fallback);
	else if (r->resource->mode != CONF_MODE_ADDRS)
		target_names(r);
}

/* Whether the name ends in that of the zone, at a dot. */
static bool resource_has_zone(const struct rules_resource *r)
{
	size_t zone = strlen(r->zone->name), name = strlen(r->resource->name);

	return name > zone &&
	       !strcasecmp(r->resource->name + name - zone, r->zone->name) &&
	       r->resource->name[name - zone - 1] == '.';
}

static void resource_name(const struct rules_resource *r)
{
	struct draft *draft = r->all->draft;
	size_t length = strlen(r->resource->name);
	char *plain = arena_alloc(draft->scratch, length + 1);
	struct scope *before;

	domain_text_plain(plain, r->resource->name, length);
	before = strmap_put(r->all->names, plain, r->scope);
	if (before)
		draft_error(draft, r->scope, r->scope->row, r->scope->pos,
		    "the same name as %s on line %u", before->name,
		    before->pos.line);
	if (length + 1 + strlen(r->zone->name) > DOMAIN_CHARACTERS_MAX)
		draft_error(draft, r->scope, r->scope->row, r->scope->pos,
		    "with the zone the name has more than %u characters",
		    DOMAIN_CHARACTERS_MAX);
	else if (resource_has_zone(r))
		draft_warning(draft, r->scope, r->scope->row, r->scope->pos,
		    "names are relative to the zone, so this one is %s.%s",
		    r->resource->name, r->zone->name);
}

static void rules_resource(struct rules_resources *all, struct scope *scope)
{
	struct rules_resource r = {
	    .all = all,
	    .scope = scope,
	    .resource = scope->element,
	    .zone = scope->parent->element,
	};

	resource_name(&r);
	resource_pops(&r);
	resource_weights(&r);
	resource_n(&r);
	resource_mode(&r);
	resource_signed(&r);
	resource_target(&r);
	resource_no_effect(&r);
}

void rules_resources(struct draft *draft)
{
	const struct scope_list *list = &draft->entries[MAP_RESOURCES];
	const struct schema_row *parent =
	    schema_find("dns.zones.*.resources.*");
	const struct scope *zone = NULL;
	struct rules_resources all = {.draft = draft,
#define X(name, key) .name = schema_child(parent, key),
	    RESOURCE_ROWS(X)
#undef X
	};

	rules_names_init(&all.pops, draft, schema_find("pops"));
	for (uint32_t i = 0; i < list->n; i++) {
		if (list->at[i]->parent != zone)
			all.names = strmap_new(draft->scratch);
		zone = list->at[i]->parent;
		rules_resource(&all, list->at[i]);
	}
}
