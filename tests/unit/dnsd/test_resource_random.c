/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every answer, whatever the configuration, the facts and the
 * client: many random ones. */
#include "dnsd/resource.h"

#include "base/rng.h"
#include "dnsd/rr_type.h"
#include "tests/unit/dnsd/resource_fixture.h"

#define CLIENTS 60

static struct resource_choice c;
static struct rng rng;

static uint32_t upto(uint32_t most)
{
	return rng_below(&rng, most + 1);
}

static void random_conf(void)
{
	static const char *const domains[] = {"x", "y", "z", NULL};
	static const uint32_t heaviest[] = {1, 4, 100, 4000000000};
	uint32_t n = 1 + upto(upto(3) ? 7 : RESOURCE_POPS_MAX - 1);
	uint32_t most = heaviest[upto(3)];

	fixture_start(n);
	f.resource.mode = (enum conf_mode)upto(CONF_MODE_LITERAL);
	f.is_signed = n <= CONF_SIGNED_POPS_MAX && upto(1) &&
		      f.resource.mode != CONF_MODE_LITERAL;
	f.resource.port = 443;
	f.resource.n = 1 + upto((f.is_signed ? 3 : 8) - 1);
	f.resource.n = f.resource.n < n ? f.resource.n : n;
	f.resource.ttl_ms = 1000u * upto(300);
	f.resource.ecs = upto(3) > 0;
	for (uint32_t i = 0; i < n; i++) {
		f.conf.pops[i].domain = domains[upto(3)];
		f.conf.pops[i].slow_start_ms = upto(1) * 60000;
		/* None, the least, or any. */
		f.resource.weights[i] = upto(2) ? upto(most - 1) : upto(1);
	}
	f.resource.weights[upto(n - 1)] = most;
}

static void random_facts(void)
{
	bool all_drained = !upto(5);

	for (uint32_t i = 0; i < f.conf.n_pops; i++) {
		struct pop_facts *facts = &f.facts[i];

		facts->known = upto(3) > 0;
		facts->up = upto(3) > 0;
		facts->draining = all_drained || !upto(4);
		if (!upto(3))
			facts->weight_override = upto(300);
		if (!upto(3))
			facts->returned.ns =
			    FIXTURE_NOW.ns - upto(60) * NS_PER_S;
		if (!upto(5))
			facts->leaves.ns =
			    FIXTURE_NOW.ns + (int64_t)upto(900) * NS_PER_S;
	}
}

static struct region_map *random_regions(void)
{
	struct region_entry entries[50];
	struct region_map *map = NULL;
	struct region_clash clash;

	for (uint32_t i = 0; i < 50; i++) {
		struct prefix p = fixture_nth(upto((1u << 20) - 1));

		prefix_cut(&p, (uint8_t)upto(24));
		/* By the prefix: equal ones agree. */
		entries[i] = (struct region_entry){
		    p, (uint16_t)((p.bytes[0] ^ p.bits) & 1), REGION_FROM_GEO};
	}
	ck_assert_int_eq(region_map_new(entries, 50, &map, &clash), 0);
	return map;
}

/* Half of the time with a forecast, for some of the regions. */
static struct policy *random_policy(void)
{
	uint32_t weights[3][RESOURCE_POPS_MAX];
	struct policy_forecast_row rows[3];
	struct policy_forecast forecast = {.epoch = 1,
	    .valid_from = FIXTURE_NOW,
	    .expires = {FIXTURE_NOW.ns + 450 * NS_PER_S},
	    .rows = rows};
	struct policy_input input = {.conf = &f.conf,
	    .pops = f.pops,
	    .facts = f.facts,
	    .forecast = upto(1) ? &forecast : NULL};

	f.conf.n_regions = 2;
	for (uint32_t i = 0; i < 3; i++) {
		if (!upto(2))
			continue;
		for (uint32_t k = 0; k < f.conf.n_pops; k++)
			weights[i][k] = upto(2) ? upto(20) : 0;
		rows[forecast.n_rows++] =
		    (struct policy_forecast_row){fixture_id(),
			i < 2 ? i : REGION_NONE, f.conf.n_pops, weights[i]};
	}
	return policy_build(&input, FIXTURE_NOW);
}

static bool is_alone_in_domain(const struct resource *r, uint32_t k)
{
	for (uint32_t i = 0; i < k; i++)
		if (resource_pop(r, c.chosen[i])->domain ==
		    resource_pop(r, c.chosen[k])->domain)
			return false;
	return true;
}

/* NULL or what is wrong with the choice. */
static const char *choice_wrong(
    const struct resource *r, const struct prefix *subnet)
{
	uint64_t seen = 0;
	uint32_t positive = c.weights->n_positive;

	if (!positive)
		return "weights of nobody";
	if (!c.n || c.n > f.resource.n)
		return "a wrong number of POPs";
	if (c.mode == CONF_MODE_PICK && c.n != 1)
		return "pick of several";
	if (c.mode == CONF_MODE_RANK && c.n != f.resource.n)
		return "rank of a part";
	for (uint32_t i = 0; i < c.n; i++) {
		if (c.chosen[i] >= f.conf.n_pops)
			return "a POP that is none";
		if (seen >> c.chosen[i] & 1)
			return "a POP twice";
		seen |= UINT64_C(1) << c.chosen[i];
		if (!c.weights->pop[c.chosen[i]].weight &&
		    (c.mode != CONF_MODE_RANK || i < positive))
			return "a POP without weight";
		if (c.mode == CONF_MODE_ADDRS && !is_alone_in_domain(r, i))
			return "a domain twice";
	}
	if (subnet && f.resource.ecs ? c.scope > subnet->bits : c.scope)
		return "a scope too deep";
	if (!c.ttl || c.ttl > resource_ttl_max(r))
		return "a wrong TTL";
	return NULL;
}

static const char *answer_wrong(const struct resource *r)
{
	uint16_t types[RESOURCE_TYPES_MAX];
	uint32_t n = resource_types(r, types);

	for (uint32_t t = 0; t < n; t++) {
		struct answer_set set;
		uint32_t expected = c.n;

		resource_answer(r, &c, types[t], &set);
		if (c.mode == CONF_MODE_RANK)
			expected = types[t] == RR_HTTPS ? c.n + 1u : 1;
		if (set.n != expected)
			return "a wrong number of records";
		if (set.ttl != c.ttl || set.type != types[t])
			return "another TTL or type";
		for (uint32_t i = 0; i < set.n; i++)
			if (!set.records[i].rdata || !set.records[i].length)
				return "an empty record";
	}
	return NULL;
}

START_TEST(test_all_that_holds)
{
	struct region_map *map;
	struct policy *policy;
	struct resource *r;

	rng_seed(&rng, (uint64_t)_i);
	random_conf();
	random_facts();
	r = fixture_made();
	map = random_regions();
	policy = random_policy();
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct addr source =
		    fixture_address(upto(1) ? "198.51.100.1" : "2001:db8::1");
		struct prefix subnet = fixture_nth(upto((1u << 20) - 1));
		bool given = upto(3) > 0;
		struct resource_client client = {
		    &source, given ? &subnet : NULL};
		struct wall now = {FIXTURE_NOW.ns + upto(900) * NS_PER_S};
		const char *wrong;

		prefix_cut(&subnet, (uint8_t)upto(24));
		resource_choose(
		    r, upto(9) ? policy : NULL, map, &client, now, &c);
		wrong = choice_wrong(r, given ? &subnet : NULL);
		if (!wrong)
			wrong = answer_wrong(r);
		if (wrong)
			ck_abort_msg("seed %d, client %u: %s", _i, i, wrong);
	}
	policy_free(policy);
	region_map_free(map);
	fixture_stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("resource_random");

	tcase_add_loop_test(tcase, test_all_that_holds, 0, 1000);
	return check_main(tcase);
}
