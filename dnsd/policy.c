/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/policy.h"

#include "base/arena.h"
#include "base/assert.h"
#include "dnsd/policy_weights.h"
#include "dnsd/resource.h"
#include "fleet/region.h"

#include <string.h>

/* Weights of one resource for clients of one region. */
struct row {
	enum policy_source source;
	bool fails_open;
	const struct draw_weights *weights;
	/* When the first of its POPs leaves; 0: nothing is planned. */
	struct wall leaves;
};

/* One resource. What regions have stands in arrays of n_regions + 1, the last
 * for clients of no region. */
struct entry {
	uint64_t id; /* 0: a free slot */
	int64_t lead_ns; /* of TTL cuts before a move */
	const struct row *reactive; /* NULL: no POP has weight */
	const struct row **forecast; /* NULL: none; likewise of its elements */
	bool *moves; /* with the next forecast; NULL: none does */
	bool regional;
	const struct conf_resource *conf; /* while it is built */
};

struct policy {
	struct arena *arena;
	struct entry *entries; /* hash table, linear probing, half full */
	uint64_t mask;
	uint32_t n_regions;
	struct wall facts_until; /* 0: none are known; INT64_MAX: for ever */
	struct wall next_from; /* 0: no forecast follows */
	struct wall due;
	struct policy_info info;
};

/* A build under way. */
struct build {
	const struct policy_input *input;
	struct wall now;
	struct policy *policy;
};

static const struct pop_facts no_facts = {
    .weight_override = POP_WEIGHT_CONFIGURED};

/* -- table ------------------------------------------------------------- */

static struct entry *slot_of(const struct policy *policy, uint64_t id)
{
	uint64_t at = id & policy->mask;

	while (policy->entries[at].id && policy->entries[at].id != id)
		at = (at + 1) & policy->mask;
	return &policy->entries[at];
}

static uint32_t count_resources(const struct conf_dns *dns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < dns->n_zones; i++)
		n += dns->zones[i].n_resources;
	return n;
}

static void table_init(struct policy *policy, uint32_t n)
{
	uint64_t slots = 4;

	while (slots < 2 * (uint64_t)n)
		slots *= 2;
	policy->mask = slots - 1;
	policy->entries =
	    arena_alloc(policy->arena, slots * sizeof *policy->entries);
}

/* -- rows -------------------------------------------------------------- */

static const struct pop_facts *facts_of(
    const struct policy_input *input, uint32_t pop)
{
	return input->facts ? &input->facts[pop] : &no_facts;
}

/* Twice as long as an answer from before the move may be kept. */
static int64_t move_lead_ns(const struct conf_resource *conf)
{
	uint32_t ttl = (uint32_t)(conf->ttl_ms / 1000);

	return 2 * (int64_t)policy_ttl_max(ttl) * NS_PER_S;
}

/* A POP that will leave takes what it has with it. */
static struct wall first_to_leave(const struct build *b,
    const struct conf_resource *conf, const struct draw_weights *weights)
{
	struct wall first = {0};

	for (uint32_t i = 0; i < conf->n_pops; i++) {
		struct wall leaves = facts_of(b->input, conf->pops[i])->leaves;

		if (leaves.ns <= b->now.ns || !weights->pop[i].weight)
			continue;
		if (!first.ns || leaves.ns < first.ns)
			first = leaves;
	}
	return first;
}

/* NULL when `forecast` (NULL: the configured weights) leaves nothing. */
static const struct row *row_new(const struct build *b,
    const struct conf_resource *conf, const uint32_t *forecast)
{
	struct arena *arena = b->policy->arena;
	struct policy_weights w = {.n = conf->n_pops,
	    .configured = conf->weights,
	    .base = forecast ? forecast : conf->weights,
	    .now = b->now};
	uint32_t domains[DRAW_POPS_MAX];
	struct draw_weights *weights;
	struct row *row;

	for (uint32_t i = 0; i < conf->n_pops; i++) {
		w.pop[i] = &b->input->pops->pop[conf->pops[i]];
		w.facts[i] = facts_of(b->input, conf->pops[i]);
		domains[i] = w.pop[i]->domain;
	}
	policy_weights_now(&w);
	if (!w.any)
		return NULL;
	row = arena_alloc(arena, sizeof *row);
	weights = arena_alloc(arena, draw_weights_size(conf->n_pops));
	draw_weights_init(weights, conf->n_pops, w.ret, domains, conf->n);
	*row =
	    (struct row){.source = forecast ? POLICY_FORECAST : POLICY_REACTIVE,
		.fails_open = w.fails_open,
		.weights = weights,
		.leaves = first_to_leave(b, conf, weights)};
	b->policy->info.rows++;
	return row;
}

/* -- building ---------------------------------------------------------- */

static uint64_t conf_id(
    const struct conf_zone *zone, const struct conf_resource *conf)
{
	uint8_t owner[DNAME_MAX];

	if (resource_owner_of(zone->name, conf->name, owner))
		return 0;
	return resource_id(owner);
}

/* What anybody's clients get while there is no forecast for their region. */
static void add_resource(struct build *b, const struct conf_zone *zone,
    const struct conf_resource *conf)
{
	uint64_t id = conf_id(zone, conf);
	struct entry *e;

	/* A name that the zone refuses, or twice. */
	if (!id)
		return;
	e = slot_of(b->policy, id);
	if (e->id)
		return;
	e->id = id;
	e->conf = conf;
	e->lead_ns = move_lead_ns(conf);
	e->reactive = row_new(b, conf, NULL);
	b->policy->info.resources++;
	if (e->reactive && e->reactive->fails_open)
		b->policy->info.failing_open++;
}

static uint32_t region_slot(const struct policy *policy, uint32_t region)
{
	return region < policy->n_regions ? region : policy->n_regions;
}

/* The resource that the row is for, NULL when it fits none. */
static struct entry *entry_for(
    struct policy *policy, const struct policy_forecast_row *row)
{
	struct entry *e = slot_of(policy, row->resource);

	if (!e->id || row->n != e->conf->n_pops ||
	    (row->region >= policy->n_regions && row->region != REGION_NONE))
		return NULL;
	return e;
}

static void add_forecast_row(
    struct build *b, const struct policy_forecast_row *from)
{
	struct policy *policy = b->policy;
	struct entry *e = entry_for(policy, from);

	if (!e) {
		policy->info.rows_ignored++;
		return;
	}
	if (!e->forecast)
		e->forecast = arena_alloc(policy->arena,
		    (policy->n_regions + 1) * sizeof *e->forecast);
	/* Without a POP of the forecast in service: by the facts. */
	e->forecast[region_slot(policy, from->region)] =
	    row_new(b, e->conf, from->weights);
}

/* Whether the region decides, too: rows that draw alike are one. */
static void find_regional(const struct policy *policy, struct entry *e)
{
	const struct row *first, *row;

	if (!e->forecast)
		return;
	first = e->forecast[0] ? e->forecast[0] : e->reactive;
	for (uint32_t i = 1; i <= policy->n_regions; i++) {
		row = e->forecast[i] ? e->forecast[i] : e->reactive;
		if (!first || !row)
			e->regional |= first != row;
		else
			e->regional |=
			    !draw_weights_equal(first->weights, row->weights);
	}
}

/* Points between two splits: the share of clients that must move. */
static double move_percent(
    const struct draw_weights *a, const struct draw_weights *b)
{
	double sum = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		double d = (double)a->pop[i].weight / (double)a->total -
			   (double)b->pop[i].weight / (double)b->total;

		sum += d < 0 ? -d : d;
	}
	return sum * 50;
}

/* Marks what the following forecast moves far. */
static void add_next_row(
    struct build *b, const struct policy_forecast_row *next)
{
	struct policy *policy = b->policy;
	struct entry *e = entry_for(policy, next);
	uint32_t slot = region_slot(policy, next->region);
	const struct row *now, *then;

	if (!e)
		return;
	now =
	    e->forecast && e->forecast[slot] ? e->forecast[slot] : e->reactive;
	then = row_new(b, e->conf, next->weights);
	if (!now || !then ||
	    move_percent(now->weights, then->weights) <= POLICY_MOVE_PERCENT)
		return;
	if (!e->moves)
		e->moves = arena_alloc(
		    policy->arena, (policy->n_regions + 1) * sizeof *e->moves);
	e->moves[slot] = true;
}

static void add_forecasts(struct build *b)
{
	const struct policy_forecast *f = b->input->forecast,
				     *next = b->input->next;
	struct policy_info *info = &b->policy->info;

	for (uint32_t i = 0; f && i < f->n_rows; i++)
		add_forecast_row(b, &f->rows[i]);
	if (f) {
		info->forecast_epoch = f->epoch;
		info->valid_from = f->valid_from;
		info->expires = f->expires;
	}
	if (!next || next->valid_from.ns <= b->now.ns)
		return;
	b->policy->next_from = next->valid_from;
	for (uint32_t i = 0; i < next->n_rows; i++)
		add_next_row(b, &next->rows[i]);
}

/* -- what time alone changes ------------------------------------------- */

static void due_at(const struct build *b, struct wall at)
{
	struct wall *due = &b->policy->due;

	if (at.ns > b->now.ns && at.ns < due->ns)
		*due = at;
}

/* A report that became too old while this was built was still counted, and
 * nobody would come to look. */
static void due_when_old(const struct build *b, struct wall until)
{
	if (until.ns && until.ns <= b->now.ns)
		b->policy->due = b->now;
	else
		due_at(b, until);
}

static void find_due(const struct build *b)
{
	const struct policy_input *in = b->input;

	for (uint32_t i = 0; in->facts && i < in->pops->n; i++) {
		due_at(b, in->facts[i].leaves);
		due_when_old(b, in->facts[i].until);
		if (pop_is_up(&in->facts[i]))
			due_at(b, pop_slow_start_next(&in->pops->pop[i],
				      &in->facts[i], b->now));
	}
	if (in->forecast) {
		due_at(b, in->forecast->valid_from);
		due_at(b, in->forecast->expires);
	}
	if (in->next)
		due_at(b, in->next->valid_from);
}

/* Nothing of the configuration is kept. */
static void finish(struct policy *policy)
{
	for (uint64_t i = 0; i <= policy->mask; i++) {
		find_regional(policy, &policy->entries[i]);
		policy->entries[i].conf = NULL;
	}
}

struct policy *policy_build(const struct policy_input *input, struct wall now)
{
	const struct conf_dns *dns = &input->conf->dns;
	struct arena *arena = arena_new();
	struct policy *policy = arena_alloc(arena, sizeof *policy);
	struct build b = {input, now, policy};

	br_assert(input->pops->n == input->conf->n_pops);
	policy->arena = arena;
	policy->n_regions = input->conf->n_regions;
	policy->due = (struct wall){INT64_MAX};
	policy->info.epoch = input->epoch;
	policy->info.built = now;
	if (input->facts)
		policy->facts_until.ns =
		    input->facts_until.ns ? input->facts_until.ns : INT64_MAX;
	table_init(policy, count_resources(dns));
	for (uint32_t i = 0; i < dns->n_zones; i++)
		for (uint32_t k = 0; k < dns->zones[i].n_resources; k++)
			add_resource(
			    &b, &dns->zones[i], &dns->zones[i].resources[k]);
	add_forecasts(&b);
	find_due(&b);
	finish(policy);
	return policy;
}

void policy_free(struct policy *policy)
{
	if (policy)
		arena_free(policy->arena);
}

/* -- TTLs -------------------------------------------------------------- */

#define SPREAD_PERMILLE 100u

static uint32_t permille_of(uint32_t ttl, uint64_t permille)
{
	uint64_t spread = (ttl * permille + 500) / 1000;

	/* RFC 2181 section 8: no TTL has its first bit set. */
	if (spread > INT32_MAX)
		return INT32_MAX;
	return spread ? (uint32_t)spread : 1;
}

uint32_t policy_ttl_spread(uint32_t ttl, uint64_t hash)
{
	return permille_of(
	    ttl, 1000 - SPREAD_PERMILLE + hash % (2 * SPREAD_PERMILLE + 1));
}

uint32_t policy_ttl_max(uint32_t ttl)
{
	return permille_of(ttl, 1000 + SPREAD_PERMILLE);
}

/* -- look-up ----------------------------------------------------------- */

/* [at - lead, at) */
static bool is_near(struct wall at, int64_t lead_ns, struct wall now)
{
	return at.ns && now.ns < at.ns && now.ns >= at.ns - lead_ns;
}

static void found(const struct policy *policy, const struct entry *e,
    uint32_t slot, const struct row *row, struct wall now,
    struct policy_found *ret)
{
	ret->weights = row->weights;
	ret->source = row->source;
	ret->fails_open = row->fails_open;
	ret->ttl_cut = is_near(row->leaves, e->lead_ns, now) ||
		       (e->moves && e->moves[slot] &&
			   is_near(policy->next_from, e->lead_ns, now));
}

static bool is_in_force(const struct policy *policy, struct wall now)
{
	return now.ns >= policy->info.valid_from.ns &&
	       now.ns < policy->info.expires.ns;
}

struct policy_found policy_find(const struct policy *policy, uint64_t resource,
    uint32_t region, struct wall now)
{
	struct policy_found ret = {0};
	const struct row *row = NULL;
	const struct entry *e;
	uint32_t slot;

	if (!policy)
		return ret;
	e = slot_of(policy, resource);
	if (!e->id)
		return ret;
	slot = region_slot(policy, region);
	if (e->forecast && is_in_force(policy, now)) {
		row = e->forecast[slot];
		ret.regional = e->regional;
	}
	/* A region without a row goes by the facts. */
	if (!row && now.ns < policy->facts_until.ns)
		row = e->reactive;
	if (row)
		found(policy, e, slot, row, now, &ret);
	return ret;
}

struct wall policy_due(const struct policy *policy)
{
	return policy->due;
}

void policy_info(const struct policy *policy, struct policy_info *ret)
{
	*ret = policy->info;
}

const char *policy_source_name(enum policy_source source)
{
	static const char *const names[] = {[POLICY_CONFIGURED] = "configured",
	    [POLICY_REACTIVE] = "reactive",
	    [POLICY_FORECAST] = "forecast"};

	return names[source];
}
