/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of POPs, regions and the databases that regions refer to. */
#include "conf/rules.h"

#include "base/hash.h"
#include "conf/text.h"

#include <string.h>

#define DEFAULT_RTT "default"
#define US_PER_MS 1000u

struct rules_pops {
	struct draft *draft;
	const struct schema_row *addresses, *rtt, *agent_address;
	struct addr_map *seen; /* address -> struct scope of the first POP */
	struct rules_names regions;
};

/* What a client could not be sent to. */
static const char *pop_address_wrong(const struct addr *addr)
{
	const uint8_t *in6 = addr->in6.sin6_addr.s6_addr;

	if (addr_is_any(addr))
		return "no address that a POP can have";
	if (addr->sa.sa_family == AF_INET &&
	    IN_MULTICAST(ntohl(addr->in.sin_addr.s_addr)))
		return "a multicast address";
	if (addr->sa.sa_family == AF_INET6 && in6[0] == 0xff)
		return "a multicast address";
	if (addr->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr))
		return "an address of one link only";
	return NULL;
}

static void pop_addresses(struct rules_pops *p, struct scope *scope)
{
	const struct conf_pop *pop = scope->element;
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < pop->n_addresses; i++) {
		const struct addr *addr = &pop->addresses[i];
		const char *wrong = pop_address_wrong(addr);
		const struct scope *before = addr_map_add(p->seen, addr, scope);

		addr_format(addr, text);
		if (wrong)
			draft_error(p->draft, scope, p->addresses,
			    pop->addresses_pos, "%s is %s", text, wrong);
		if (before == scope)
			draft_error(p->draft, scope, p->addresses,
			    pop->addresses_pos, "%s is there twice", text);
		else if (before)
			draft_warning(p->draft, scope, p->addresses,
			    pop->addresses_pos,
			    "%s is an address of POP %s too (line %u)", text,
			    before->name, before->pos.line);
	}
}

/* A link's own addresses say nothing without the link, as above. */
static void pop_agent(struct rules_pops *p, struct scope *scope)
{
	const struct conf_pop *pop = scope->element;
	const struct addr *addr = &pop->agent.address;
	const char *wrong = addr->length ? pop_address_wrong(addr) : NULL;
	char text[ADDR_TEXT_MAX];

	if (!wrong)
		return;
	addr_format(addr, text);
	draft_error(p->draft, scope, p->agent_address, pop->agent.address_pos,
	    "%s is %s", text, wrong);
}

/* Resolves the regions of its round-trip times. */
static void pop_rtts(struct rules_pops *p, const struct scope *scope)
{
	struct conf_pop *pop = scope->element;
	const struct conf_pairs *pairs = &pop->rtt_pairs;

	pop->rtts = arena_alloc(
	    p->draft->conf->arena, pairs->n * sizeof(*pop->rtts) + 1);
	for (uint32_t i = 0; i < pairs->n; i++) {
		const struct conf_pair *pair = &pairs->at[i];
		uint32_t us = (uint32_t)pair->value * US_PER_MS;
		const struct conf_region *region;

		if (!strcmp(pair->name, DEFAULT_RTT)) {
			pop->default_rtt_us = us;
			continue;
		}
		region = rules_names_find(
		    &p->regions, scope, p->rtt, pair->pos, pair->name);
		if (region)
			pop->rtts[pop->n_rtts++] = (struct conf_rtt){
			    (uint32_t)(region - p->draft->conf->regions), us};
	}
}

static void rules_all_pops(struct draft *draft)
{
	const struct scope_list *list = &draft->entries[MAP_POPS];
	struct rules_pops p = {
	    .draft = draft,
	    .addresses = schema_find("pops.*.addresses"),
	    .rtt = schema_find("pops.*.rtt"),
	    .agent_address = schema_find("pops.*.agent.address"),
	};
	uint32_t n = 0;

	rules_names_init(&p.regions, draft, schema_find("regions"));
	for (uint32_t i = 0; i < list->n; i++)
		n += ((const struct conf_pop *)list->at[i]->element)
			 ->n_addresses;
	p.seen = addr_map_new(draft->scratch, n);
	for (uint32_t i = 0; i < list->n; i++) {
		pop_addresses(&p, list->at[i]);
		pop_rtts(&p, list->at[i]);
		pop_agent(&p, list->at[i]);
		rules_health_pop(draft, list->at[i]);
	}
}

struct rules_regions {
	struct draft *draft;
	const struct schema_row *prefixes, *geo;
	struct strmap *seen; /* prefix or geo term -> struct scope */
};

/* Says so when another region, or this one, has it already. */
static void region_once(struct rules_regions *r, struct scope *scope,
    const struct schema_row *row, const char *text)
{
	const struct scope *before =
	    strmap_put(r->seen, arena_strdup(r->draft->scratch, text), scope);

	if (before == scope)
		draft_error(r->draft, scope, row, *draft_seen(scope, row),
		    "%s is there twice", text);
	else if (before)
		draft_error(r->draft, scope, row, *draft_seen(scope, row),
		    "%s is in region %s too (line %u)", text, before->name,
		    before->pos.line);
}

static bool geo_is_code(const char *text)
{
	return text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' &&
	       text[1] <= 'Z' && !text[2];
}

static bool geo_is_continent(const char *text)
{
	static const char *const codes[] = {
	    "AF", "AN", "AS", "EU", "NA", "OC", "SA"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(codes[i], text))
			return true;
	return false;
}

/* 32 bits (RFC 6793), without a zero before. */
static bool geo_is_asn(const char *text)
{
	uint64_t n = 0;

	if (*text < '1' || *text > '9' || strlen(text) > 10)
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return !*text && n <= UINT32_MAX;
}

/* NULL, or what is wanted in place of that term. */
static const char *geo_wrong(const char *term, bool *ret_asn)
{
	*ret_asn = false;
	if (!strncmp(term, "continent:", 10))
		return geo_is_continent(term + 10)
			   ? NULL
			   : "want one of AF AN AS EU NA OC SA as continent";
	if (!strncmp(term, "country:", 8))
		return geo_is_code(term + 8)
			   ? NULL
			   : "want two capital letters as country, such as DE";
	*ret_asn = !strncmp(term, "asn:", 4);
	if (*ret_asn)
		return geo_is_asn(term + 4)
			   ? NULL
			   : "want a number as asn, such as asn:3320";
	return "want continent:, country: or asn: and a code, such as "
	       "country:DE";
}

/* Then what is wrong with it was said. */
static bool geo_is_given(const struct draft *draft, const char *path)
{
	return draft_seen(&draft->file, schema_find(path))->line;
}

static void region_geo(struct rules_regions *r, struct scope *scope)
{
	const struct conf_region *region = scope->element;
	bool file = geo_is_given(r->draft, "geo.file");
	bool database = geo_is_given(r->draft, "geo.asn");
	struct conf_pos pos = *draft_seen(scope, r->geo);
	bool asn, no_file = false, no_asn = false;

	for (uint32_t i = 0; i < region->geo.n; i++) {
		const char *term = region->geo.at[i];
		const char *wrong = geo_wrong(term, &asn);

		if (wrong) {
			draft_error(r->draft, scope, r->geo, pos, "%.*s: %s",
			    TEXT_QUOTED_MAX, term, wrong);
			continue;
		}
		no_file |= !asn && !file;
		no_asn |= asn && !database;
		region_once(r, scope, r->geo, term);
	}
	if (no_file)
		draft_error(r->draft, scope, r->geo, pos,
		    "continents and countries need a database: geo.file");
	if (no_asn)
		draft_error(r->draft, scope, r->geo, pos,
		    "autonomous systems need a database: geo.asn");
}

static void rules_regions(struct draft *draft)
{
	const struct scope_list *list = &draft->entries[MAP_REGIONS];
	struct rules_regions r = {
	    .draft = draft,
	    .prefixes = schema_find("regions.*.prefixes"),
	    .geo = schema_find("regions.*.geo"),
	    .seen = strmap_new(draft->scratch),
	};
	char text[PREFIX_TEXT_MAX];

	for (uint32_t i = 0; i < list->n; i++) {
		struct scope *scope = list->at[i];
		const struct conf_region *region = scope->element;

		if (!strcmp(scope->name, DEFAULT_RTT))
			draft_error(draft, scope, scope->row, scope->pos,
			    "the region of all other clients is called so; "
			    "want another name");
		if (!region->prefixes.n && !region->geo.n && !scope->bad)
			draft_error(draft, scope, scope->row, scope->pos,
			    "a region needs prefixes or geo");
		for (uint32_t p = 0; p < region->prefixes.n; p++) {
			prefix_format(&region->prefixes.at[p], text);
			region_once(&r, scope, r.prefixes, text);
		}
		region_geo(&r, scope);
	}
}

/* A database that no region asks is read for nothing. */
static void rules_geo(struct draft *draft)
{
	const struct conf_geo *geo = &draft->conf->geo;
	bool file = false, asn = false, is_asn;

	for (uint32_t i = 0; i < draft->conf->n_regions; i++) {
		const struct conf_texts *terms = &draft->conf->regions[i].geo;

		for (uint32_t t = 0; t < terms->n; t++) {
			(void)geo_wrong(terms->at[t], &is_asn);
			asn |= is_asn;
			file |= !is_asn;
		}
	}
	if (geo->file && !file)
		draft_warning(draft, &draft->file, schema_find("geo.file"),
		    geo->file_pos,
		    "no region has a continent or country, so it is not "
		    "used");
	if (geo->asn && !asn)
		draft_warning(draft, &draft->file, schema_find("geo.asn"),
		    geo->asn_pos, "no region has an asn, so it is not used");
}

void rules_pops(struct draft *draft)
{
	static const char *const keys[] = {"pops", "regions", "geo"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct schema_row *row = schema_find(keys[i]);
		struct conf_pos pos = *draft_seen(&draft->file, row);

		if (pos.line && !draft->conf->dns.present)
			draft_warning(draft, &draft->file, row, pos,
			    "has no effect without dns");
	}
	rules_all_pops(draft);
	rules_regions(draft);
	rules_geo(draft);
}
