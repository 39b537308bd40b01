/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/explain.h"

#include "dnsd/resource_parts.h"

#include <math.h>
#include <string.h>

static const char *const mode_names[] = {
    [CONF_MODE_PICK] = "pick",
    [CONF_MODE_RANK] = "rank",
    [CONF_MODE_ADDRS] = "addrs",
    [CONF_MODE_SRV] = "srv",
    [CONF_MODE_LITERAL] = "literal",
};

/* -- making ------------------------------------------------------------ */

/* Modes that put POPs into an order by scores; the others sample. */
static bool has_scores(enum conf_mode mode)
{
	return mode != CONF_MODE_ADDRS && mode != CONF_MODE_SRV;
}

static void make_pop(struct explain *e, uint32_t i)
{
	const struct resource_choice *c = &e->choice;
	const struct draw_weight *w = &c->weights->pop[i];
	struct explain_pop *p = &e->pops[i];

	*p = (struct explain_pop){
	    .pop = resource_pop(e->resource, i), .weight = w->weight};
	if (!w->weight)
		return;
	p->share = 100.0 * w->weight / (double)c->weights->total;
	if (has_scores(c->mode))
		p->score = ldexp(
		    (double)draw_score(p->pop->id, c->draw.hash, w->inverse),
		    -DRAW_SCORE_BITS);
}

static void find_client(struct explain *e, const struct region_map *regions,
    const struct resource_client *client)
{
	e->subnet = e->choice.key.subnet;
	if (e->subnet)
		e->client = *client->subnet;
	else
		(void)prefix_of_addr(&e->client, client->source);
	if (regions)
		e->region_depth = region_find(regions, &e->client).depth;
}

void explain_make(struct explain *ret, const struct resource *resource,
    const struct policy *policy, const struct region_map *regions,
    const struct conf *conf, const struct resource_client *client,
    struct wall now)
{
	struct resource_choice *c = &ret->choice;
	struct wall end;

	*ret = (struct explain){.resource = resource,
	    .n_pops = resource_n_pops(resource),
	    .ttl_configured = resource->ttl};
	resource_choose(resource, policy, regions, client, now, c);
	ret->region = c->region;
	if (conf && c->region < conf->n_regions)
		ret->region_name = conf->regions[c->region].name;
	if (policy)
		policy_info(policy, &ret->policy);
	find_client(ret, regions, client);
	end = client_key_period_end(&c->key, &c->draw);
	ret->period_left_ns = end.ns == INT64_MAX ? INT64_MAX : end.ns - now.ns;
	for (uint32_t i = 0; i < ret->n_pops; i++)
		make_pop(ret, i);
	for (uint32_t i = 0; i < c->n; i++)
		ret->pops[c->chosen[i]].place = i + 1;
}

/* -- JSON -------------------------------------------------------------- */

static void json_prefix(struct json *j, const char *key, const struct prefix *p)
{
	char text[PREFIX_TEXT_MAX];

	(void)prefix_format(p, text);
	json_string(j, key, text);
}

static void json_pops(const struct explain *e, struct json *j)
{
	json_array_begin(j, "pops");
	for (uint32_t i = 0; i < e->n_pops; i++) {
		const struct explain_pop *p = &e->pops[i];

		json_object_begin(j, NULL);
		json_string(j, "name", p->pop->name);
		json_uint(j, "weight", p->weight);
		json_double(j, "share_percent", p->share);
		if (p->score > 0)
			json_double(j, "score", p->score);
		else
			json_null(j, "score");
		if (p->place)
			json_uint(j, "place", p->place);
		else
			json_null(j, "place");
		json_object_end(j);
	}
	json_array_end(j);
}

void explain_json(const struct explain *e, struct json *j, const char *key)
{
	const struct resource_choice *c = &e->choice;
	char owner[DNAME_TEXT_MAX];

	(void)dname_to_text(resource_owner(e->resource), owner);
	json_object_begin(j, key);
	json_string(j, "resource", owner);
	json_string(j, "mode", mode_names[c->mode]);
	json_prefix(j, "client", &e->client);
	json_bool(j, "client_subnet", e->subnet);
	if (e->region_name)
		json_string(j, "region", e->region_name);
	else
		json_null(j, "region");
	json_uint(j, "region_bits", e->region_depth);
	json_string(j, "weights", policy_source_name(c->source));
	json_bool(j, "fails_open", c->fails_open);
	json_uint(j, "policy_epoch", e->policy.epoch);
	json_uint(j, "forecast_epoch", e->policy.forecast_epoch);
	json_prefix(j, "key", &c->key.prefix);
	if (e->period_left_ns == INT64_MAX)
		json_null(j, "period_left_s");
	else
		json_int(j, "period_left_s", e->period_left_ns / NS_PER_S);
	json_uint(j, "ttl_s", c->ttl);
	json_uint(j, "ttl_configured_s", e->ttl_configured);
	json_bool(j, "ttl_cut", c->ttl_cut);
	json_uint(j, "scope_bits", c->scope);
	json_pops(e, j);
	json_object_end(j);
}

/* -- text -------------------------------------------------------------- */

static void text_prefix(
    struct strbuf *out, const char *label, const struct prefix *p)
{
	char text[PREFIX_TEXT_MAX];

	(void)prefix_format(p, text);
	strbuf_addf(out, "%-9s %s", label, text);
}

static void text_head(const struct explain *e, struct strbuf *out)
{
	const struct resource_choice *c = &e->choice;
	char owner[DNAME_TEXT_MAX];

	(void)dname_to_text(resource_owner(e->resource), owner);
	strbuf_addf(
	    out, "%-9s %s, mode %s", "resource", owner, mode_names[c->mode]);
	if (c->mode != resource_mode(e->resource))
		strbuf_adds(out, " (the client is not in allow)");
	strbuf_addc(out, '\n');
	text_prefix(out, "client", &e->client);
	strbuf_adds(out, e->subnet ? ", the subnet that the resolver gave\n"
				   : ", who asks\n");
	strbuf_addf(out, "%-9s %s, by %u bits\n", "region",
	    e->region_name ? e->region_name : "none", e->region_depth);
	strbuf_addf(out, "%-9s %s", "weights", policy_source_name(c->source));
	if (e->policy.epoch)
		strbuf_addf(
		    out, ", epoch %llu", (unsigned long long)e->policy.epoch);
	strbuf_adds(out, c->fails_open ? ", failing open\n" : "\n");
}

static void text_decision(const struct explain *e, struct strbuf *out)
{
	const struct resource_choice *c = &e->choice;

	text_prefix(out, "key", &c->key.prefix);
	if (e->period_left_ns == INT64_MAX)
		strbuf_adds(out, ", for good\n");
	else
		strbuf_addf(out, ", drawn anew in %lld s\n",
		    (long long)(e->period_left_ns / NS_PER_S));
	strbuf_addf(out, "%-9s %u s of %u s%s\n", "ttl", c->ttl,
	    e->ttl_configured,
	    c->ttl_cut ? ", for a planned move is near" : "");
	strbuf_addf(out, "%-9s %u bits\n", "scope", c->scope);
}

static int name_width(const struct explain *e)
{
	int width = 3;

	for (uint32_t i = 0; i < e->n_pops; i++) {
		int length = (int)strlen(e->pops[i].pop->name);

		width = length > width ? length : width;
	}
	return width;
}

void explain_text(const struct explain *e, struct strbuf *out)
{
	int width = name_width(e);

	text_head(e, out);
	text_decision(e, out);
	strbuf_addf(out, "%-*s  %8s  %7s  %10s  %s\n", width, "POP", "weight",
	    "share", "score", "place");
	for (uint32_t i = 0; i < e->n_pops; i++) {
		const struct explain_pop *p = &e->pops[i];

		strbuf_addf(out, "%-*s  %8u  %5.1f %%  ", width, p->pop->name,
		    p->weight, p->share);
		if (p->score > 0)
			strbuf_addf(out, "%10.6f  ", p->score);
		else
			strbuf_addf(out, "%10s  ", "-");
		if (p->place)
			strbuf_addf(out, "%u\n", p->place);
		else
			strbuf_adds(out, "-\n");
	}
}
