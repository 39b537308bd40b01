/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_pops.h"

#include <check.h>
#include <stdlib.h>

static struct board *board;
static struct pool *pool;
static struct addr addresses[2];
static struct conf_pop pop;

static void setup(void)
{
	board = board_new(1);
	ck_assert_int_eq(addr_parse_ip(&addresses[0], "192.0.2.20"), 0);
	ck_assert_int_eq(addr_parse_ip(&addresses[1], "2001:db8::20"), 0);
	pop = (struct conf_pop){
	    .name = "ams",
	    .addresses = addresses,
	    .n_addresses = 2,
	    .slow_start_ms = 1000,
	    .health = {.type = CONF_HEALTH_HTTP,
		.port = 443,
		.host = "www.example",
		.path = "/",
		.tls = CONF_HEALTH_TLS_ON},
	};
	pool = dns_pops_pool_new(&pop, board);
}

static void teardown(void)
{
	pool_free(pool, board);
	board_free(board);
}

static void say_health(uint32_t address, enum board_health health)
{
	struct board_facts facts;

	board_read(pool->servers[address].row, &facts);
	facts.health = health;
	board_write(pool->servers[address].row, &facts);
}

static void say_admin(enum board_admin admin, uint32_t weight)
{
	struct board_facts facts;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		facts.admin = admin;
		facts.weight_override = weight;
		board_write(pool->servers[i].row, &facts);
	}
}

static struct pop_facts facts_now(void)
{
	struct pop_facts facts;

	dns_pops_read(pool, &facts);
	return facts;
}

START_TEST(a_pool_of_its_addresses)
{
	ck_assert_str_eq(pool->name, "pop:ams");
	ck_assert(dns_pops_is(pool->name));
	ck_assert(!dns_pops_is("ams"));
	ck_assert_str_eq(dns_pops_name(pool), "ams");
	ck_assert_uint_eq(pool->n_servers, 2);
	ck_assert_str_eq(pool->servers[0].name, "192.0.2.20");
	ck_assert_str_eq(pool->servers[1].name, "2001:db8::20");
	ck_assert_uint_eq(pool->health.port, 443);
	ck_assert_uint_eq(pool->health.fail_open_percent, 0);
	ck_assert_uint_eq(pool->slow_start_ms, 1000);
	ck_assert_str_eq(pool->tls_name, "www.example");
	ck_assert(!pool->speaks_tls);
}
END_TEST

START_TEST(a_host_with_a_port_is_no_name)
{
	struct pool *other;

	pop.name = "fra";
	pop.health.host = "www.example:8443";
	other = dns_pops_pool_new(&pop, board);
	ck_assert_ptr_null(other->tls_name);
	pool_free(other, board);
}
END_TEST

START_TEST(up_while_one_address_is)
{
	ck_assert(!facts_now().known);
	ck_assert(facts_now().up);
	say_health(0, BOARD_DOWN);
	ck_assert(facts_now().known);
	ck_assert(facts_now().up);
	say_health(1, BOARD_UP);
	ck_assert(facts_now().up);
	say_health(1, BOARD_DOWN);
	ck_assert(!facts_now().up);
	say_health(0, BOARD_UP);
	ck_assert(facts_now().up);
}
END_TEST

START_TEST(what_an_operator_sets)
{
	ck_assert(!facts_now().draining);
	ck_assert_uint_eq(facts_now().weight_override, POP_WEIGHT_CONFIGURED);
	say_admin(BOARD_DRAIN, 40);
	ck_assert(facts_now().draining);
	ck_assert(facts_now().up);
	ck_assert_uint_eq(facts_now().weight_override, 40);
	say_admin(BOARD_MAINT, 0);
	ck_assert(facts_now().draining);
	ck_assert_uint_eq(facts_now().weight_override, 0);
}
END_TEST

START_TEST(a_planned_drain)
{
	struct board_facts facts;
	int64_t leaves_ns = mono_now().ns + 100 * NS_PER_S;
	struct wall about = {wall_now().ns + 100 * NS_PER_S};

	ck_assert_int_eq(dns_pops_leaves(pool), 0);
	ck_assert_int_eq(facts_now().leaves.ns, 0);
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		facts.leaves_ns = leaves_ns;
		board_write(pool->servers[i].row, &facts);
	}
	ck_assert_int_eq(dns_pops_leaves(pool), leaves_ns);
	ck_assert(!facts_now().draining);
	/* On the clock of the wall. */
	ck_assert_int_le(
	    llabs(facts_now().leaves.ns - about.ns), 60 * (int64_t)NS_PER_S);
}
END_TEST

/* The moment is that of the POP, not of one of its addresses. */
START_TEST(back_in_service)
{
	struct mono now = mono_now();
	struct wall before = wall_now();

	ck_assert_int_eq(facts_now().returned.ns, 0);
	say_health(0, BOARD_DOWN);
	dns_pops_note(pool, now);
	say_health(0, BOARD_UP);
	dns_pops_note(pool, now);
	ck_assert_int_eq(facts_now().returned.ns, 0);
	say_health(0, BOARD_DOWN);
	say_health(1, BOARD_DOWN);
	dns_pops_note(pool, now);
	ck_assert(pool->row->out);
	ck_assert_int_eq(facts_now().returned.ns, 0);
	say_health(1, BOARD_UP);
	dns_pops_note(pool, now);
	ck_assert(!pool->row->out);
	ck_assert_int_eq(pool->row->returned_ns, now.ns);
	ck_assert_int_le(
	    llabs(facts_now().returned.ns - before.ns), 60 * (int64_t)NS_PER_S);
	/* The second address is no return of the POP. */
	say_health(0, BOARD_UP);
	dns_pops_note(pool, mono_add_ms(now, 5000));
	ck_assert_int_eq(pool->row->returned_ns, now.ns);
	/* Neither is a drain before its end. */
	say_admin(BOARD_DRAIN, BOARD_WEIGHT_NONE);
	dns_pops_note(pool, mono_add_ms(now, 6000));
	ck_assert_int_eq(pool->row->returned_ns, now.ns);
	say_admin(BOARD_READY, BOARD_WEIGHT_NONE);
	dns_pops_note(pool, mono_add_ms(now, 7000));
	ck_assert_int_eq(pool->row->returned_ns, mono_add_ms(now, 7000).ns);
}
END_TEST

/* What the process before handed over is in the rows alone. */
START_TEST(returned_as_the_rows_say)
{
	struct board_facts facts;
	int64_t now_ns = mono_now().ns;

	for (uint32_t i = 0; i < 2; i++) {
		board_read(pool->servers[i].row, &facts);
		facts.health = BOARD_UP;
		facts.returned_ns = now_ns - (int64_t)(i + 1) * NS_PER_S;
		board_write(pool->servers[i].row, &facts);
	}
	ck_assert_int_ge(
	    wall_now().ns - facts_now().returned.ns, 2 * (int64_t)NS_PER_S);
	board_read(pool->servers[0].row, &facts);
	facts.returned_ns = 0;
	board_write(pool->servers[0].row, &facts);
	ck_assert_int_eq(facts_now().returned.ns, 0);
}
END_TEST

START_TEST(facts_of_a_configuration)
{
	struct conf_pop pops[2] = {pop, pop};
	struct conf conf = {.pops = pops, .n_pops = 2};
	struct pop_facts facts[2];

	pops[1].name = "fra";
	say_health(0, BOARD_DOWN);
	say_health(1, BOARD_DOWN);
	dns_pops_facts(&conf, board, facts);
	ck_assert(facts[0].known && !facts[0].up);
	/* Nothing is known of it, so it counts as up. */
	ck_assert(!facts[1].known && facts[1].up);
}
END_TEST

static void say_report(uint32_t address, const struct board_agent *agent)
{
	struct board_facts facts;

	board_read(pool->servers[address].row, &facts);
	facts.agent = *agent;
	board_write(pool->servers[address].row, &facts);
}

START_TEST(reports_of_nodes)
{
	struct mono now = mono_now();
	struct board_agent agent = {.reports = true,
	    .has_percent = true,
	    .percent = 40,
	    .heard_ns = now.ns};

	/* Without an agent block what was said does not count. */
	say_report(0, &agent);
	ck_assert_uint_eq(facts_now().load_percent, 0);
	ck_assert_int_eq(facts_now().until.ns, 0);
	pool->agent.port = 9999;
	ck_assert(facts_now().known && facts_now().up);
	ck_assert_uint_eq(facts_now().load_percent, 40);
	ck_assert_int_le(
	    llabs(facts_now().until.ns - wall_now().ns - POP_REPORT_NS),
	    10 * (int64_t)NS_PER_S);
	/* They differ: it goes on. */
	say_health(0, BOARD_DOWN);
	say_health(1, BOARD_DOWN);
	ck_assert(facts_now().up);
	ck_assert(dns_pops_state(pool, now).differs);
	dns_pops_note(pool, now);
	ck_assert(!pool->row->out);
	/* Time alone ends that. */
	now = mono_add_ns(now, POP_REPORT_NS + 1);
	ck_assert(!dns_pops_state(pool, now).up);
	dns_pops_note(pool, now);
	ck_assert(pool->row->out);
	/* Both agree. */
	agent.down = true;
	say_report(0, &agent);
	ck_assert(!facts_now().up);
	/* One drains, the other is not heard: it takes nobody at once. */
	say_health(1, BOARD_UP);
	agent.down = false;
	agent.admin = BOARD_DRAIN;
	say_report(0, &agent);
	ck_assert(facts_now().up && facts_now().draining);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_pops");
	TCase *tcase = tcase_create("dns_pops");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_pool_of_its_addresses);
	tcase_add_test(tcase, a_host_with_a_port_is_no_name);
	tcase_add_test(tcase, up_while_one_address_is);
	tcase_add_test(tcase, what_an_operator_sets);
	tcase_add_test(tcase, a_planned_drain);
	tcase_add_test(tcase, back_in_service);
	tcase_add_test(tcase, returned_as_the_rows_say);
	tcase_add_test(tcase, facts_of_a_configuration);
	tcase_add_test(tcase, reports_of_nodes);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
