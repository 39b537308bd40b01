/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/resource.h"

#include "base/assert.h"
#include "dnsd/rr_type.h"
#include "tests/unit/dnsd/resource_fixture.h"
#include "tests/unit/dnsd/share_check.h"

#define NOW FIXTURE_NOW
#define KEYS 1000000u
#define FEW 50000u

static struct resource_choice c;
static struct answer_set set;

static void choose_for(const struct resource *r, const struct policy *policy,
    const struct prefix *from, struct wall now)
{
	struct addr source = fixture_address("198.51.100.1");
	struct resource_client client = {&source, from};

	resource_choose(r, policy, NULL, &client, now, &c);
}

static void choose_nth(
    const struct resource *r, const struct policy *policy, uint32_t i)
{
	fixture_choose(r, policy, i, &c);
}

static void choose_source(
    const struct resource *r, const char *text, struct wall now)
{
	struct addr source = fixture_address(text);
	struct resource_client client = {&source, NULL};

	resource_choose(r, NULL, NULL, &client, now, &c);
}

/* -- splits ------------------------------------------------------------ */

START_TEST(test_pick_splits_by_weight)
{
	static const uint64_t weights[] = {50, 30, 20};
	uint64_t count[3] = {0};
	struct resource *r;
	struct policy *policy;

	fixture_start(3);
	fixture_weights(50, 30, 20);
	r = fixture_made();
	policy = fixture_policy(NOW);
	for (uint32_t i = 0; i < KEYS; i++) {
		choose_nth(r, policy, i);
		count[c.chosen[0]]++;
	}
	share_check(count, weights, 3);
	policy_free(policy);
	fixture_stop();
}
END_TEST

/* A tenth of the clients is meant to move. */
START_TEST(test_pick_moves_what_changed)
{
	struct policy *before, *after;
	struct resource *r;
	uint32_t moved = 0;

	fixture_start(3);
	fixture_weights(50, 30, 20);
	r = fixture_made();
	before = fixture_policy(NOW);
	fixture_weights(40, 40, 20);
	after = fixture_policy(NOW);
	for (uint32_t i = 0; i < KEYS / 4; i++) {
		uint8_t first;

		choose_nth(r, before, i);
		first = c.chosen[0];
		choose_nth(r, after, i);
		moved += c.chosen[0] != first;
	}
	ck_assert_uint_ge(moved, KEYS / 4 * 97 / 1000);
	ck_assert_uint_le(moved, KEYS / 4 * 14 / 100);
	policy_free(before);
	policy_free(after);
	fixture_stop();
}
END_TEST

START_TEST(test_pick_never_gives_who_is_down)
{
	struct policy *policy;
	struct resource *r;
	uint32_t wrong = 0;

	fixture_start(4);
	fixture_weights(9, 1, 0, 5);
	f.facts[3].up = false;
	r = fixture_made();
	policy = fixture_policy(NOW);
	for (uint32_t i = 0; i < FEW; i++) {
		choose_nth(r, policy, i);
		wrong += c.chosen[0] > 1;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(c.source, POLICY_REACTIVE);
	policy_free(policy);
	fixture_stop();
}
END_TEST

/* -- agreement --------------------------------------------------------- */

static const struct pop *pop_of_address(const struct resource *r)
{
	for (uint32_t i = 0; i < resource_n_pops(r); i++) {
		const struct pop *pop = resource_pop(r, i);

		if (set.type == RR_A
			? !memcmp(set.records[0].rdata, pop->ipv4[0], 4)
			: !memcmp(set.records[0].rdata, pop->ipv6[0], 16))
			return pop;
	}
	return NULL;
}

/* What another node would have: the same POPs, in another order. */
static struct resource *turned_round(void)
{
	struct conf_pop first = f.conf.pops[0];
	uint32_t weight = f.resource.weights[0], n = f.resource.n_pops;

	f.conf.pops[0] = f.conf.pops[n - 1];
	f.conf.pops[n - 1] = first;
	f.resource.weights[0] = f.resource.weights[n - 1];
	f.resource.weights[n - 1] = weight;
	return fixture_made();
}

START_TEST(test_types_and_nodes_agree)
{
	struct resource *nodes[2];
	uint32_t wrong = 0;

	fixture_start(5);
	fixture_weights(50, 30, 20, 7, 1);
	f.resource.mode = CONF_MODE_RANK;
	nodes[0] = fixture_made();
	nodes[1] = turned_round();
	for (uint32_t i = 0; i < FEW; i++) {
		const char *name = NULL;
		uint32_t ttl = 0;

		for (int node = 0; node < 2; node++) {
			const struct resource *r = nodes[node];
			static const uint16_t types[] = {
			    RR_A, RR_AAAA, RR_HTTPS};

			for (int t = 0; t < 3; t++) {
				const struct pop *pop;

				/* Each query is a draw of its own. */
				choose_nth(r, NULL, i);
				resource_answer(r, &c, types[t], &set);
				pop = types[t] == RR_HTTPS
					  ? resource_pop(r, c.chosen[0])
					  : pop_of_address(r);
				if (!name)
					name = pop->name;
				if (!ttl)
					ttl = set.ttl;
				wrong += strcmp(name, pop->name) != 0;
				wrong += ttl != set.ttl;
				wrong += types[t] == RR_HTTPS &&
					 !dname_equal(set.records[0].rdata + 2,
					     resource_target(r, c.chosen[0]));
			}
		}
	}
	ck_assert_uint_eq(wrong, 0);
	fixture_stop();
}
END_TEST

START_TEST(test_addrs_agree)
{
	struct resource *r, *again;
	uint32_t wrong = 0;

	fixture_start(4);
	fixture_weights(4, 3, 3, 3);
	f.resource.mode = CONF_MODE_ADDRS;
	r = fixture_made();
	again = fixture_made();
	for (uint32_t i = 0; i < FEW; i++) {
		struct answer_set other;

		choose_nth(r, NULL, i);
		resource_answer(r, &c, RR_A, &other);
		choose_nth(again, NULL, i);
		resource_answer(again, &c, RR_AAAA, &set);
		wrong += set.n != 3 || other.n != 3;
		for (int k = 0; k < 3; k++)
			wrong += set.records[k].rdata[15] !=
				 other.records[k].rdata[3];
	}
	ck_assert_uint_eq(wrong, 0);
	fixture_stop();
}
END_TEST

START_TEST(test_resources_and_salts_differ)
{
	struct resource *r[3];
	uint32_t same[3] = {0};

	fixture_start(4);
	r[0] = fixture_made();
	f.resource.name = "img";
	r[1] = fixture_made();
	f.resource.name = "www";
	f.zone.salt = "other";
	r[2] = fixture_made();
	for (uint32_t i = 0; i < FEW; i++) {
		uint8_t first;

		choose_nth(r[0], NULL, i);
		first = c.chosen[0];
		for (int k = 1; k < 3; k++) {
			choose_nth(r[k], NULL, i);
			same[k] += c.chosen[0] == first;
		}
	}
	/* A quarter by chance, give or take 5 standard deviations. */
	for (int k = 1; k < 3; k++) {
		ck_assert_uint_ge(same[k], FEW / 4 - 485);
		ck_assert_uint_le(same[k], FEW / 4 + 485);
	}
	fixture_stop();
}
END_TEST

/* -- keys, periods, TTLs ----------------------------------------------- */

START_TEST(test_key_of_subnet_and_source)
{
	struct prefix a = fixture_subnet("10.20.16.0/24"),
		      b = fixture_subnet("10.20.31.0/24"),
		      d = fixture_subnet("10.20.0.0/16"),
		      six = fixture_subnet("2001:db8::/56"),
		      none = {.family = AF_INET};
	struct resource *r;

	fixture_start(4);
	r = fixture_made();
	choose_for(r, NULL, &a, NOW);
	ck_assert(c.key.subnet);
	ck_assert_uint_eq(c.key.prefix.bits, 20);
	ck_assert_uint_eq(c.scope, 20);
	struct client_draw draw = c.draw;

	/* The same /20. */
	choose_for(r, NULL, &b, NOW);
	ck_assert_uint_eq(c.draw.hash, draw.hash);
	choose_for(r, NULL, &d, NOW);
	ck_assert_uint_eq(c.key.prefix.bits, 16);
	ck_assert_uint_eq(c.scope, 16);
	ck_assert_uint_ne(c.draw.hash, draw.hash);
	choose_for(r, NULL, &six, NOW);
	ck_assert_uint_eq(c.key.prefix.bits, 40);
	ck_assert_uint_eq(c.scope, 40);
	/* No bits: as who asks, RFC 7871 section 7.1.2, and scope 0. */
	ck_assert(!client_key_of(&a, &none).subnet);
	choose_for(r, NULL, &none, NOW);
	ck_assert(!c.key.subnet);
	ck_assert_uint_eq(c.key.prefix.bits, 24);
	ck_assert_uint_eq(c.scope, 0);
	draw = c.draw;
	choose_source(r, "198.51.100.77", NOW);
	ck_assert_uint_eq(c.draw.hash, draw.hash);
	ck_assert_uint_eq(c.scope, 0);
	choose_source(r, "::ffff:198.51.100.9", NOW);
	ck_assert_uint_eq(c.draw.hash, draw.hash);
	choose_source(r, "198.51.101.9", NOW);
	ck_assert_uint_ne(c.draw.hash, draw.hash);
	choose_source(r, "2001:db8:1:2:3::1", NOW);
	ck_assert_uint_eq(c.key.prefix.bits, 56);
	/* Not to be used: neither for the key nor in the scope. */
	f.resource.ecs = false;
	r = fixture_made();
	choose_for(r, NULL, &a, NOW);
	ck_assert(!c.key.subnet);
	ck_assert_uint_eq(c.scope, 0);
	fixture_stop();
}
END_TEST

START_TEST(test_period_without_subnet)
{
	int64_t ends[64];
	struct resource *r;
	uint32_t places = 0;

	fixture_start(4);
	r = fixture_made();
	for (int i = 0; i < 64; i++) {
		char text[32];
		struct client_draw draw;
		struct wall end;

		(void)snprintf(text, sizeof text, "192.168.%d.1", i);
		choose_source(r, text, NOW);
		draw = c.draw;
		end = client_key_period_end(&c.key, &draw);
		ends[i] = end.ns;
		ck_assert_int_gt(end.ns, NOW.ns);
		ck_assert_int_le(end.ns - NOW.ns, 600 * NS_PER_S);
		choose_source(r, text, (struct wall){end.ns - 1});
		ck_assert_uint_eq(c.draw.hash, draw.hash);
		choose_source(r, text, end);
		ck_assert_uint_ne(c.draw.hash, draw.hash);
		ck_assert_uint_eq(c.draw.period, draw.period + 1);
		/* What spreads TTLs stays. */
		ck_assert_uint_eq(c.draw.base, draw.base);
		ck_assert_int_eq(client_key_period_end(&c.key, &c.draw).ns,
		    end.ns + 600 * NS_PER_S);
	}
	/* Each at a moment of its own: all ten minutes see some. */
	for (int minute = 0; minute < 10; minute++) {
		bool any = false;

		for (int i = 0; i < 64; i++)
			any |= (ends[i] - NOW.ns) / (60 * NS_PER_S) == minute;
		places += any;
	}
	ck_assert_uint_eq(places, 10);
	fixture_stop();
}
END_TEST

START_TEST(test_no_period_with_subnet)
{
	struct prefix from = fixture_subnet("10.20.16.0/24");
	struct resource *r;
	uint64_t hash;

	fixture_start(4);
	r = fixture_made();
	choose_for(r, NULL, &from, NOW);
	hash = c.draw.hash;
	ck_assert_int_eq(client_key_period_end(&c.key, &c.draw).ns, INT64_MAX);
	for (int64_t days = 1; days < 400; days++) {
		choose_for(r, NULL, &from,
		    (struct wall){NOW.ns + days * 86400 * NS_PER_S});
		ck_assert_uint_eq(c.draw.hash, hash);
	}
	fixture_stop();
}
END_TEST

START_TEST(test_ttl)
{
	uint32_t seen[60] = {0};
	struct policy *policy;
	struct resource *r;
	struct prefix from;

	fixture_start(2);
	r = fixture_made();
	for (uint32_t i = 0; i < 10000; i++) {
		choose_nth(r, NULL, i);
		seen[c.ttl < 60 ? c.ttl : 59]++;
	}
	for (uint32_t i = 0; i < 60; i++)
		ck_assert(i < 27 || i > 33 ? !seen[i] : seen[i] > 500);
	ck_assert_uint_eq(resource_ttl_max(r), 33);
	/* A planned drain. */
	f.facts[0].leaves.ns = NOW.ns + 1000 * NS_PER_S;
	policy = fixture_policy(NOW);
	from = fixture_nth(1);
	choose_for(r, policy, &from, NOW);
	ck_assert_uint_ge(c.ttl, 27);
	choose_for(r, policy, &from, (struct wall){NOW.ns + 999 * NS_PER_S});
	ck_assert_uint_eq(c.ttl, 5);
	policy_free(policy);
	fixture_stop();
}
END_TEST

/* -- scope ------------------------------------------------------------- */

static struct region_map *three_regions(void)
{
	static const char *const texts[] = {
	    "10.0.0.0/8", "10.1.0.0/16", "10.2.3.0/28"};
	struct region_entry entries[3];
	struct region_clash clash;
	struct region_map *map = NULL;

	for (uint16_t i = 0; i < 3; i++)
		entries[i] = (struct region_entry){
		    fixture_subnet(texts[i]), i, REGION_FROM_CONFIG};
	ck_assert_int_eq(region_map_new(entries, 3, &map, &clash), 0);
	return map;
}

static uint8_t scope_for(const struct resource *r, const struct policy *policy,
    const struct region_map *map, const char *text, uint32_t region)
{
	struct addr source = fixture_address("198.51.100.1");
	struct prefix from = fixture_subnet(text);
	struct resource_client client = {&source, &from};

	resource_choose(r, policy, map, &client, NOW, &c);
	ck_assert_uint_eq(c.region, region);
	ck_assert_uint_le(c.scope, from.bits);
	return c.scope;
}

START_TEST(test_scope)
{
	static const uint32_t one[] = {1, 0}, both[] = {1, 2};
	struct policy_forecast_row rows[] = {
	    {0, 0, 2, one}, {0, 1, 2, both}, {0, 2, 2, both}};
	struct policy_forecast forecast = {.epoch = 1,
	    .valid_from = NOW,
	    .expires = {INT64_MAX},
	    .n_rows = 3,
	    .rows = rows};
	struct policy_input input = {.conf = &f.conf, .forecast = &forecast};
	struct region_map *map = three_regions();
	struct policy *policy;
	struct resource *r;

	fixture_start(2);
	f.conf.n_regions = 3;
	r = fixture_made();
	input.pops = f.pops;
	for (int i = 0; i < 3; i++)
		rows[i].resource = fixture_id();
	policy = policy_build(&input, NOW);
	/* One POP for the region: the leaf decided. */
	ck_assert_uint_eq(scope_for(r, policy, map, "10.128.0.0/24", 0), 9);
	ck_assert_uint_eq(scope_for(r, policy, map, "10.2.2.0/24", 0), 24);
	/* Two POPs: the key did, where the leaf is no deeper. */
	ck_assert_uint_eq(scope_for(r, policy, map, "10.1.9.0/24", 1), 20);
	ck_assert_uint_eq(scope_for(r, policy, map, "10.1.0.0/16", 1), 16);
	/* A leaf of 28 bits: no more than the resolver gave. */
	ck_assert_uint_eq(scope_for(r, policy, map, "10.2.3.0/24", 2), 24);
	ck_assert_uint_eq(scope_for(r, policy, map, "10.2.3.0/32", 2), 28);
	/* By the facts regions are alike: the key, or nothing. */
	policy_free(policy);
	policy = fixture_policy(NOW);
	ck_assert_uint_eq(scope_for(r, policy, map, "10.2.3.0/32", 2), 20);
	policy_free(policy);
	f.facts[1].up = false;
	policy = fixture_policy(NOW);
	ck_assert_uint_eq(scope_for(r, policy, map, "10.2.3.0/32", 2), 0);
	policy_free(policy);
	region_map_free(map);
	fixture_stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("resource");

	tcase_add_test(tcase, test_pick_splits_by_weight);
	tcase_add_test(tcase, test_pick_moves_what_changed);
	tcase_add_test(tcase, test_pick_never_gives_who_is_down);
	tcase_add_test(tcase, test_types_and_nodes_agree);
	tcase_add_test(tcase, test_addrs_agree);
	tcase_add_test(tcase, test_resources_and_salts_differ);
	tcase_add_test(tcase, test_key_of_subnet_and_source);
	tcase_add_test(tcase, test_period_without_subnet);
	tcase_add_test(tcase, test_no_period_with_subnet);
	tcase_add_test(tcase, test_ttl);
	tcase_add_test(tcase, test_scope);
	return check_main(tcase);
}
