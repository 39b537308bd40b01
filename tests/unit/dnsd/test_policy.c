/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/policy.h"

#include "base/assert.h"
#include "tests/unit/dnsd/resource_fixture.h"

#include <errno.h>

#define NOW FIXTURE_NOW
#define S NS_PER_S

static struct wall after(int64_t seconds)
{
	return (struct wall){NOW.ns + seconds * S};
}

static struct policy_found find_in(const struct policy *p, struct wall now)
{
	return policy_find(p, fixture_id(), REGION_NONE, now);
}

static const char *weights_text(const struct draw_weights *w)
{
	static char text[256];
	size_t at = 0;

	if (!w)
		return "configured";
	for (uint32_t i = 0; i < w->n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%u",
		    i ? " " : "", w->pop[i].weight);
	return text;
}

/* The weights by the facts at a moment, as a text, "!" when failing open. */
static const char *shown_at(struct wall now)
{
	static char text[300];
	struct policy *p = fixture_policy(now);
	struct policy_found found = find_in(p, now);

	ck_assert_int_eq(found.source, POLICY_REACTIVE);
	(void)snprintf(text, sizeof text, "%s%s", weights_text(found.weights),
	    found.fails_open ? " !" : "");
	policy_free(p);
	return text;
}

static const char *shown(void)
{
	return shown_at(NOW);
}

/* -- facts ------------------------------------------------------------- */

START_TEST(test_all_is_well)
{
	fixture_start(3);
	fixture_weights(50, 30, 20);
	ck_assert_str_eq(shown(), "5 3 2");
	/* Nobody has said anything: as good as up. */
	for (int i = 0; i < 3; i++)
		f.facts[i] = (struct pop_facts){
		    .weight_override = POP_WEIGHT_CONFIGURED};
	ck_assert_str_eq(shown(), "5 3 2");
	fixture_stop();
}
END_TEST

START_TEST(test_down_and_draining_get_nothing)
{
	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.facts[0].up = false;
	ck_assert_str_eq(shown(), "0 3 2");
	f.facts[0].up = true;
	f.facts[1].draining = true;
	ck_assert_str_eq(shown(), "5 0 2");
	f.facts[1].draining = false;
	f.facts[2].weight_override = 0;
	ck_assert_str_eq(shown(), "5 3 0");
	f.facts[2].weight_override = 1000;
	ck_assert_str_eq(shown(), "5 3 20");
	fixture_stop();
}
END_TEST

START_TEST(test_fails_open_below_a_fifth)
{
	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.facts[0].up = f.facts[1].up = false;
	ck_assert_str_eq(shown(), "0 0 1"); /* just 20 % */
	f.resource.weights[2] = 19;
	ck_assert_str_eq(shown(), "50 30 19 !");
	f.facts[2].up = false;
	ck_assert_str_eq(shown(), "50 30 19 !");
	fixture_stop();
}
END_TEST

START_TEST(test_drained_are_not_measured)
{
	fixture_start(3);
	fixture_weights(80, 10, 10);
	f.facts[0].draining = true;
	f.facts[1].up = false;
	/* Half of what is not drained is up. */
	ck_assert_str_eq(shown(), "0 0 1");
	/* Fails open: but not onto the drained one, while others are up. */
	fixture_weights(80, 90, 10);
	ck_assert_str_eq(shown(), "0 9 1 !");
	/* None of the others is: the drained one is known to be there. */
	f.facts[2].up = false;
	ck_assert_str_eq(shown(), "8 9 1 !");
	/* Weight 0 by hand is stronger than that. */
	f.facts[0].weight_override = 0;
	ck_assert_str_eq(shown(), "0 9 1 !");
	fixture_stop();
}
END_TEST

START_TEST(test_all_drained_is_not_nobody)
{
	fixture_start(3);
	for (int i = 0; i < 3; i++)
		f.facts[i].draining = true;
	ck_assert_str_eq(shown(), "1 1 1");
	f.facts[0].up = false;
	ck_assert_str_eq(shown(), "0 1 1");
	for (int i = 0; i < 3; i++)
		f.facts[i].up = false;
	ck_assert_str_eq(shown(), "1 1 1");
	for (int i = 0; i < 3; i++)
		f.facts[i].weight_override = 0;
	ck_assert_str_eq(shown(), "1 1 1");
	fixture_stop();
}
END_TEST

START_TEST(test_weights_of_0_serve_nobody)
{
	fixture_start(3);
	fixture_weights(1, 0, 2);
	ck_assert_str_eq(shown(), "1 0 2");
	/* A reserve that has no weight is none. */
	f.facts[0].up = f.facts[2].up = false;
	ck_assert_str_eq(shown(), "1 0 2 !");
	f.facts[0].draining = f.facts[2].draining = true;
	ck_assert_str_eq(shown(), "1 0 2");
	fixture_stop();
}
END_TEST

START_TEST(test_load)
{
	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.facts[0].load_percent = 50;
	ck_assert_str_eq(shown(), "5 6 4");
	f.facts[0].load_percent = 1;
	ck_assert_str_eq(shown(), "1 60 40");
	/* More than all is all. */
	f.facts[0].load_percent = 200;
	ck_assert_str_eq(shown(), "5 3 2");
	f.facts[0].load_percent = 60;
	f.facts[0].weight_override = 50;
	ck_assert_str_eq(shown(), "3 6 4");
	/* Load is no illness: nothing fails open because of it. */
	f.facts[0].weight_override = POP_WEIGHT_CONFIGURED;
	f.facts[0].load_percent = f.facts[1].load_percent = 1;
	f.facts[2].up = false;
	ck_assert_str_eq(shown(), "5 3 0");
	fixture_stop();
}
END_TEST

/* The least of everything is over 0. */
START_TEST(test_load_leaves_something)
{
	fixture_start(2);
	fixture_weights(1, 1, 0);
	f.conf.pops[0].slow_start_ms = 1000;
	f.facts[0].returned = NOW;
	f.facts[0].weight_override = 1;
	f.facts[0].load_percent = 1;
	ck_assert_str_eq(shown(), "1 100000");
	fixture_stop();
}
END_TEST

/* -- time -------------------------------------------------------------- */

START_TEST(test_reports_age)
{
	struct policy *p;

	fixture_start(2);
	f.facts[0].until = after(7);
	f.facts[1].until = after(9);
	p = fixture_policy(NOW);
	ck_assert_int_eq(policy_due(p).ns, after(7).ns);
	policy_free(p);
	/* One that became too old meanwhile is looked at once more, at once. */
	p = fixture_policy(after(8));
	ck_assert_int_eq(policy_due(p).ns, after(8).ns);
	policy_free(p);
	p = fixture_policy(after(9));
	ck_assert_int_eq(policy_due(p).ns, after(9).ns);
	policy_free(p);
	f.facts[0].until = (struct wall){0};
	p = fixture_policy(after(8));
	ck_assert_int_eq(policy_due(p).ns, after(9).ns);
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_slow_start)
{
	struct policy *p;
	struct wall at = NOW, due;
	uint32_t before = 0, steps = 0;

	fixture_start(2);
	f.conf.pops[1].slow_start_ms = 300000;
	f.facts[1].returned = NOW;
	ck_assert_str_eq(shown(), "10 1");
	ck_assert_str_eq(shown_at(after(150)), "200 107");
	ck_assert_str_eq(shown_at(after(301)), "1 1");
	/* Set back by an hour, the clock does not stop it. */
	ck_assert_str_eq(shown_at(after(-3600)), "10 1");
	/* By the moments that it names, its share only grows, to the end. */
	for (;; at = due) {
		const struct draw_weights *w;
		uint32_t share;

		p = fixture_policy(at);
		due = policy_due(p);
		w = find_in(p, at).weights;
		share = (uint32_t)(w->pop[1].weight * 10000 / w->total);
		ck_assert_uint_gt(share, before);
		before = share;
		policy_free(p);
		if (due.ns == INT64_MAX)
			break;
		ck_assert_int_gt(due.ns, at.ns);
		steps++;
	}
	ck_assert_uint_eq(before, 5000);
	ck_assert_uint_eq(steps, POP_SLOW_START_STEPS);
	/* A POP that is down has no steps, one that fails open is whole. */
	f.facts[1].up = false;
	p = fixture_policy(NOW);
	ck_assert_int_eq(policy_due(p).ns, INT64_MAX);
	policy_free(p);
	f.facts[0].up = false;
	ck_assert_str_eq(shown(), "1 1 !");
	fixture_stop();
}
END_TEST

START_TEST(test_planned_drain)
{
	struct policy *p;

	fixture_start(2);
	f.facts[0].leaves = after(100);
	p = fixture_policy(NOW);
	ck_assert_int_eq(policy_due(p).ns, after(100).ns);
	/* Twice the longest TTL, 33 s, before. */
	ck_assert(!find_in(p, after(33)).ttl_cut);
	ck_assert(find_in(p, after(34)).ttl_cut);
	ck_assert(find_in(p, after(99)).ttl_cut);
	ck_assert(!find_in(p, after(100)).ttl_cut);
	ck_assert_str_eq(weights_text(find_in(p, after(99)).weights), "1 1");
	policy_free(p);
	p = fixture_policy(after(100));
	ck_assert_str_eq(weights_text(find_in(p, after(100)).weights), "0 1");
	ck_assert(!find_in(p, after(100)).ttl_cut);
	ck_assert_int_eq(policy_due(p).ns, INT64_MAX);
	policy_free(p);
	/* One without weight leaves without notice. */
	f.facts[0].up = false;
	p = fixture_policy(NOW);
	ck_assert(!find_in(p, after(99)).ttl_cut);
	policy_free(p);
	fixture_stop();
}
END_TEST

/* -- forecasts --------------------------------------------------------- */

struct forecast_case {
	struct policy_forecast_row rows[4];
	struct policy_forecast forecast;
};

static struct forecast_case forecast_for(
    struct wall from, struct wall until, uint64_t epoch)
{
	struct forecast_case c = {
	    .forecast = {.epoch = epoch, .valid_from = from, .expires = until}};

	return c;
}

static void predict(
    struct forecast_case *c, uint32_t region, const uint32_t *weights)
{
	c->rows[c->forecast.n_rows++] = (struct policy_forecast_row){
	    fixture_id(), region, f.resource.n_pops, weights};
	c->forecast.rows = c->rows;
}

static struct policy *predicted(struct forecast_case *now_in_force,
    struct forecast_case *next, struct wall facts_until, struct wall now)
{
	struct policy_input input = {.conf = &f.conf,
	    .facts = f.facts,
	    .facts_until = facts_until,
	    .forecast = now_in_force ? &now_in_force->forecast : NULL,
	    .next = next ? &next->forecast : NULL,
	    .epoch = 7};

	if (now_in_force)
		now_in_force->forecast.rows = now_in_force->rows;
	if (next)
		next->forecast.rows = next->rows;
	f.conf.n_regions = 2;
	f.pops = pops_new(f.arena, f.conf.pops, f.conf.n_pops);
	input.pops = f.pops;
	return policy_build(&input, now);
}

static const uint32_t w_631[] = {6, 3, 1}, w_136[] = {1, 3, 6},
		      w_541[] = {5, 4, 1}, w_100[] = {1, 0, 0};

START_TEST(test_chain_of_sources)
{
	struct forecast_case c;
	struct policy *p;
	struct policy_found found;

	fixture_start(3);
	fixture_weights(50, 30, 20);
	f.facts[2].up = false;
	c = forecast_for(after(10), after(310), 99);
	predict(&c, 0, w_631);
	p = predicted(&c, NULL, after(400), NOW);
	ck_assert_int_eq(policy_due(p).ns, after(10).ns);
	/* Not yet, then the forecast without who is down, then the facts, in
	 * the end the configuration: all of it without a new build. */
	found = policy_find(p, fixture_id(), 0, after(9));
	ck_assert_int_eq(found.source, POLICY_REACTIVE);
	ck_assert_str_eq(weights_text(found.weights), "5 3 0");
	found = policy_find(p, fixture_id(), 0, after(10));
	ck_assert_int_eq(found.source, POLICY_FORECAST);
	ck_assert_str_eq(weights_text(found.weights), "2 1 0");
	found = policy_find(p, fixture_id(), 0, after(310));
	ck_assert_int_eq(found.source, POLICY_REACTIVE);
	ck_assert_str_eq(weights_text(found.weights), "5 3 0");
	found = policy_find(p, fixture_id(), 0, after(400));
	ck_assert_int_eq(found.source, POLICY_CONFIGURED);
	ck_assert_ptr_null(found.weights);
	/* A region without a row goes by the facts. */
	found = policy_find(p, fixture_id(), 1, after(20));
	ck_assert_int_eq(found.source, POLICY_REACTIVE);
	ck_assert_str_eq(weights_text(found.weights), "5 3 0");
	policy_free(p);
	/* Others know nothing. */
	ck_assert_ptr_null(policy_find(NULL, 1, 0, NOW).weights);
	p = fixture_policy(NOW);
	ck_assert_ptr_null(policy_find(p, 12345, 0, NOW).weights);
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_regions_decide_only_where_they_differ)
{
	struct forecast_case c;
	struct policy *p;

	fixture_start(3);
	c = forecast_for(NOW, after(300), 1);
	predict(&c, 0, w_631);
	predict(&c, 1, w_631);
	predict(&c, REGION_NONE, w_631);
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	ck_assert(!policy_find(p, fixture_id(), 0, NOW).regional);
	policy_free(p);
	c.rows[1].weights = w_136;
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	ck_assert(policy_find(p, fixture_id(), 0, NOW).regional);
	ck_assert_str_eq(
	    weights_text(policy_find(p, fixture_id(), 1, NOW).weights),
	    "1 3 6");
	ck_assert_str_eq(
	    weights_text(
		policy_find(p, fixture_id(), REGION_NONE, NOW).weights),
	    "6 3 1");
	/* When it has expired, regions are alike again. */
	ck_assert(!policy_find(p, fixture_id(), 0, after(300)).regional);
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_forecast_meets_facts)
{
	struct forecast_case c;
	struct policy *p;
	struct policy_found found;

	fixture_start(3);
	c = forecast_for(NOW, after(300), 1);
	predict(&c, 0, w_100);
	f.facts[0].up = false;
	/* All that it foresaw is down: by the facts. */
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	found = policy_find(p, fixture_id(), 0, NOW);
	ck_assert_int_eq(found.source, POLICY_REACTIVE);
	ck_assert_str_eq(weights_text(found.weights), "0 1 1");
	policy_free(p);
	/* An operator scales what is foreseen, too. */
	f.facts[0].up = true;
	f.facts[1].weight_override = 200;
	c.rows[0].weights = w_631;
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	ck_assert_str_eq(
	    weights_text(policy_find(p, fixture_id(), 0, NOW).weights),
	    "6 6 1");
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_next_forecast_that_moves_far_cuts)
{
	struct forecast_case c, next;
	struct policy *p;

	fixture_start(3);
	c = forecast_for(NOW, after(300), 1);
	predict(&c, 0, w_631);
	predict(&c, 1, w_631);
	next = forecast_for(after(200), after(500), 2);
	predict(&next, 0, w_136); /* 50 points */
	predict(&next, 1, w_541); /* 10 points */
	p = predicted(&c, &next, (struct wall){0}, NOW);
	ck_assert_int_eq(policy_due(p).ns, after(200).ns);
	ck_assert(!policy_find(p, fixture_id(), 0, after(133)).ttl_cut);
	ck_assert(policy_find(p, fixture_id(), 0, after(134)).ttl_cut);
	ck_assert(policy_find(p, fixture_id(), 0, after(199)).ttl_cut);
	ck_assert(!policy_find(p, fixture_id(), 0, after(200)).ttl_cut);
	ck_assert(!policy_find(p, fixture_id(), 1, after(199)).ttl_cut);
	/* The move ahead is no weight yet. */
	ck_assert_str_eq(
	    weights_text(policy_find(p, fixture_id(), 0, after(199)).weights),
	    "6 3 1");
	policy_free(p);
	/* Also from the weights by the facts. */
	p = predicted(NULL, &next, (struct wall){0}, NOW);
	ck_assert(policy_find(p, fixture_id(), 0, after(199)).ttl_cut);
	ck_assert_str_eq(
	    weights_text(policy_find(p, fixture_id(), 0, after(199)).weights),
	    "1 1 1");
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_forecast_of_something_else)
{
	struct forecast_case c;
	struct policy_info info;
	struct policy *p;

	fixture_start(3);
	c = forecast_for(NOW, after(300), 42);
	predict(&c, 0, w_631);
	predict(&c, 0, w_631);
	predict(&c, 0, w_631);
	predict(&c, 9, w_631);
	c.rows[1].resource++;
	c.rows[2].n = 2;
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	policy_info(p, &info);
	ck_assert_uint_eq(info.rows_ignored, 3);
	ck_assert_uint_eq(info.epoch, 7);
	ck_assert_uint_eq(info.forecast_epoch, 42);
	ck_assert_uint_eq(info.resources, 1);
	ck_assert_uint_eq(info.rows, 2);
	ck_assert_uint_eq(info.failing_open, 0);
	ck_assert_int_eq(info.built.ns, NOW.ns);
	policy_free(p);
	policy_free(NULL);
	ck_assert_str_eq(policy_source_name(POLICY_FORECAST), "forecast");
	fixture_stop();
}
END_TEST

/* Of a zone that is refused; but the policy must stand it. */
START_TEST(test_weights_of_nobody)
{
	struct forecast_case c;
	struct policy *p;

	fixture_start(3);
	fixture_weights(0, 0, 0);
	c = forecast_for(NOW, after(300), 1);
	predict(&c, 0, w_631);
	p = predicted(&c, NULL, (struct wall){0}, NOW);
	ck_assert(policy_find(p, fixture_id(), 0, NOW).regional);
	ck_assert_str_eq(
	    weights_text(policy_find(p, fixture_id(), 0, NOW).weights),
	    "6 3 1");
	ck_assert_ptr_null(policy_find(p, fixture_id(), 1, NOW).weights);
	policy_free(p);
	fixture_stop();
}
END_TEST

START_TEST(test_many_resources_find_their_own)
{
	enum { MANY = 3000 };
	struct conf_resource *resources;
	struct policy_info info;
	struct policy *p;

	fixture_start(2);
	resources = arena_alloc(f.arena, MANY * sizeof *resources);
	for (uint32_t i = 0; i < MANY; i++) {
		resources[i] = f.resource;
		resources[i].name = arena_printf(f.arena, "r%u", i);
		resources[i].weights =
		    arena_alloc(f.arena, 2 * sizeof(uint32_t));
		resources[i].weights[0] = i + 2;
		resources[i].weights[1] = 1;
	}
	/* Twice, and not a name: the zone says so. */
	resources[1].name = "R0";
	resources[2].name = "a..b";
	f.zone.resources = resources;
	f.zone.n_resources = MANY;
	p = fixture_policy(NOW);
	policy_info(p, &info);
	ck_assert_uint_eq(info.resources, MANY - 2);
	for (uint32_t i = 0; i < MANY; i++) {
		uint8_t owner[DNAME_MAX];
		struct policy_found found;

		if (resource_owner_of(f.zone.name, resources[i].name, owner)) {
			ck_assert_uint_eq(i, 2);
			continue;
		}
		found = policy_find(p, resource_id(owner), 0, NOW);
		ck_assert_uint_eq(
		    found.weights->pop[0].weight, i == 1 ? 2 : i + 2);
	}
	policy_free(p);
	f.zone.name = "a..b";
	f.zone.n_resources = 1;
	p = fixture_policy(NOW);
	policy_info(p, &info);
	ck_assert_uint_eq(info.resources, 0);
	policy_free(p);
	fixture_stop();
}
END_TEST

/* -- TTLs -------------------------------------------------------------- */

START_TEST(test_ttl_spread)
{
	uint32_t seen[40] = {0};

	for (uint64_t i = 0; i < 2010; i++)
		seen[policy_ttl_spread(30, i)]++;
	for (uint32_t i = 0; i < BR_COUNT(seen); i++)
		ck_assert(i < 27 || i > 33 ? !seen[i] : seen[i] >= 150);
	ck_assert_uint_eq(policy_ttl_max(30), 33);
	ck_assert_uint_eq(policy_ttl_max(1), 1);
	ck_assert_uint_eq(policy_ttl_spread(0, 5), 1);
	ck_assert_uint_eq(policy_ttl_max(INT32_MAX), INT32_MAX);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("policy");

	tcase_add_test(tcase, test_all_is_well);
	tcase_add_test(tcase, test_down_and_draining_get_nothing);
	tcase_add_test(tcase, test_fails_open_below_a_fifth);
	tcase_add_test(tcase, test_drained_are_not_measured);
	tcase_add_test(tcase, test_all_drained_is_not_nobody);
	tcase_add_test(tcase, test_weights_of_0_serve_nobody);
	tcase_add_test(tcase, test_load);
	tcase_add_test(tcase, test_load_leaves_something);
	tcase_add_test(tcase, test_reports_age);
	tcase_add_test(tcase, test_slow_start);
	tcase_add_test(tcase, test_planned_drain);
	tcase_add_test(tcase, test_chain_of_sources);
	tcase_add_test(tcase, test_regions_decide_only_where_they_differ);
	tcase_add_test(tcase, test_forecast_meets_facts);
	tcase_add_test(tcase, test_next_forecast_that_moves_far_cuts);
	tcase_add_test(tcase, test_forecast_of_something_else);
	tcase_add_test(tcase, test_weights_of_nobody);
	tcase_add_test(tcase, test_many_resources_find_their_own);
	tcase_add_test(tcase, test_ttl_spread);
	return check_main(tcase);
}
