/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/explain.h"

#include "tests/unit/dnsd/resource_fixture.h"

#include <math.h>

static struct explain e;

static void explain_for(const struct resource *r, const struct policy *policy,
    const struct region_map *map, const char *subnet)
{
	struct addr source = fixture_address("198.51.100.1");
	struct resource_client client = {&source, NULL};
	struct prefix from;

	if (subnet) {
		from = fixture_subnet(subnet);
		client.subnet = &from;
	}
	explain_make(&e, r, policy, map, &f.conf, &client, FIXTURE_NOW);
}

static struct region_map *one_region(void)
{
	static struct conf_region region = {.name = "eu"};
	struct region_entry entry = {
	    fixture_subnet("10.0.0.0/8"), 0, REGION_FROM_CONFIG};
	struct region_clash clash;
	struct region_map *map = NULL;

	f.conf.regions = &region;
	f.conf.n_regions = 1;
	ck_assert_int_eq(region_map_new(&entry, 1, &map, &clash), 0);
	return map;
}

/* The order that is told is the order of the scores that are told. */
START_TEST(test_scores_are_the_order)
{
	struct resource *r;

	fixture_start(5);
	fixture_weights(5, 4, 0, 2, 1);
	f.resource.mode = CONF_MODE_RANK;
	f.resource.n = 5;
	r = fixture_made();
	for (int i = 0; i < 100; i++) {
		char text[32];
		double before = 0;

		(void)snprintf(text, sizeof text, "10.%d.0.0/16", i);
		explain_for(r, NULL, NULL, text);
		for (uint32_t place = 1; place <= 4; place++)
			for (uint32_t k = 0; k < 5; k++)
				if (e.pops[k].place == place) {
					ck_assert_double_gt(
					    e.pops[k].score, before);
					before = e.pops[k].score;
				}
		/* Without weight, and last. */
		ck_assert_uint_eq(e.pops[2].place, 5);
		ck_assert_double_eq(e.pops[2].score, 0);
	}
	ck_assert_double_le(fabs(e.pops[0].share - 100.0 * 5 / 12), 1e-9);
	fixture_stop();
}
END_TEST

START_TEST(test_text)
{
	struct region_map *map;
	struct policy *policy;
	struct resource *r;
	struct strbuf out;

	strbuf_init(&out);
	fixture_start(2);
	fixture_weights(3, 1);
	map = one_region();
	r = fixture_made();
	policy = fixture_policy(FIXTURE_NOW);
	explain_for(r, policy, map, "10.1.2.0/24");
	explain_text(&e, &out);
	ck_assert_str_eq(strbuf_text(&out),
	    "resource  www.cdn.example., mode pick\n"
	    "client    10.1.2.0/24, the subnet that the resolver gave\n"
	    "region    eu, by 8 bits\n"
	    "weights   reactive, epoch 1\n"
	    "key       10.1.0.0/20, for good\n"
	    "ttl       29 s of 30 s\n"
	    "scope     20 bits\n"
	    "POP     weight    share       score  place\n"
	    "pop0         3   75.0 %    0.160502  1\n"
	    "pop1         1   25.0 %    1.536394  -\n");
	strbuf_clear(&out);
	policy_free(policy);
	/* A POP leaves within two TTLs. */
	f.facts[0].leaves.ns = FIXTURE_NOW.ns + 60 * NS_PER_S;
	policy = fixture_policy(FIXTURE_NOW);
	explain_for(r, policy, map, "10.1.2.0/24");
	explain_text(&e, &out);
	ck_assert_ptr_nonnull(strstr(strbuf_text(&out),
	    "ttl       5 s of 30 s, for a planned move is near\n"));
	strbuf_clear(&out);
	policy_free(policy);
	f.facts[0].leaves.ns = 0;
	/* Nothing but the configuration is known, and who asks. */
	f.facts[1].up = false;
	f.resource.mode = CONF_MODE_ADDRS;
	f.resource.name = "all";
	r = fixture_made();
	explain_for(r, NULL, NULL, NULL);
	explain_text(&e, &out);
	ck_assert_str_eq(strbuf_text(&out),
	    "resource  all.cdn.example., mode addrs\n"
	    "client    198.51.100.1, who asks\n"
	    "region    none, by 0 bits\n"
	    "weights   configured\n"
	    "key       198.51.100.0/24, drawn anew in 147 s\n"
	    "ttl       31 s of 30 s\n"
	    "scope     0 bits\n"
	    "POP     weight    share       score  place\n"
	    "pop0         3   75.0 %           -  1\n"
	    "pop1         1   25.0 %           -  -\n");
	strbuf_fini(&out);
	region_map_free(map);
	fixture_stop();
}
END_TEST

START_TEST(test_json)
{
	struct region_map *map;
	struct resource *r;
	struct policy *policy;
	struct strbuf out;
	struct json j;

	strbuf_init(&out);
	fixture_start(2);
	map = one_region();
	f.facts[0].up = false;
	f.resource.mode = CONF_MODE_LITERAL;
	r = fixture_made();
	policy = fixture_policy(FIXTURE_NOW);
	explain_for(r, policy, map, "10.1.2.0/24");
	json_init(&j, &out);
	explain_json(&e, &j, NULL);
	ck_assert_str_eq(strbuf_text(&out),
	    "{\"resource\":\"www.cdn.example.\",\"mode\":\"pick\","
	    "\"client\":\"10.1.2.0/24\",\"client_subnet\":true,"
	    "\"region\":\"eu\",\"region_bits\":8,"
	    "\"weights\":\"reactive\",\"fails_open\":false,"
	    "\"policy_epoch\":1,\"forecast_epoch\":0,"
	    "\"key\":\"10.1.0.0/20\",\"period_left_s\":null,"
	    "\"ttl_s\":29,\"ttl_configured_s\":30,\"ttl_cut\":false,"
	    "\"scope_bits\":0,"
	    "\"pops\":[{\"name\":\"pop0\",\"weight\":0,"
	    "\"share_percent\":0,\"score\":null,\"place\":null},"
	    "{\"name\":\"pop1\",\"weight\":1,\"share_percent\":100,"
	    "\"score\":1.53639,\"place\":1}]}");
	strbuf_clear(&out);
	explain_text(&e, &out);
	ck_assert_ptr_nonnull(strstr(
	    strbuf_text(&out), "mode pick (the client is not in allow)\n"));
	/* In no region, and drawn anew now and then. */
	strbuf_clear(&out);
	explain_for(r, NULL, NULL, NULL);
	json_init(&j, &out);
	explain_json(&e, &j, NULL);
	ck_assert_ptr_nonnull(strstr(strbuf_text(&out), "\"region\":null"));
	ck_assert_ptr_nonnull(strstr(strbuf_text(&out), "\"period_left_s\":"));
	ck_assert_ptr_null(strstr(strbuf_text(&out), "\"period_left_s\":null"));
	strbuf_fini(&out);
	policy_free(policy);
	region_map_free(map);
	fixture_stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("explain");

	tcase_add_test(tcase, test_scores_are_the_order);
	tcase_add_test(tcase, test_text);
	tcase_add_test(tcase, test_json);
	return check_main(tcase);
}
