/* SPDX-License-Identifier: Apache-2.0 */
/* What agents say, from the wire to the board and to a server's weight. */
#include "fleet/pop_report.h"
#include "probe/agent_text.h"
#include "tests/unit/probe/probe_fixture.h"

#define WEIGHT 100

static struct script_server *agent;
static struct pool *pool;

/* A pool with one server and its agent, which says this. */
static void start(enum conf_health_type type, const char *says)
{
	struct addr addr;
	struct conf_server conf_server = {
	    .name = "a", .weight = WEIGHT, .max_connections = 50};
	struct conf_pool conf = {
	    .name = "p",
	    .servers = &conf_server,
	    .n_servers = 1,
	    .health = {.type = type,
		.interval_ms = 200,
		.timeout_ms = 100,
		.rise = 1,
		.fall = 1,
		.path = "/"},
	    .agent = {.interval_ms = 50, .timeout_ms = 100},
	};

	agent = serve(SCRIPT_BANNER, says, 0);
	addr = serve(SCRIPT_SILENT, NULL, 0)->addr;
	conf_server.addr = addr;
	conf.agent.port = ntohs(agent->addr.in.sin_port);
	pool = pool_new(&conf, board);
	probe_set_sync(set, &pool, 1);
}

/* As a POP's: what it says is not obeyed. */
static void start_reports(enum conf_health_type type, const char *says)
{
	start(type, says);
	pool->agent.reports = true;
}

static void end(void)
{
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}

static struct board_facts facts(void)
{
	return facts_of(pool, 0);
}

static uint32_t weight(void)
{
	struct board_facts now = facts();

	return server_weight_now(&pool->servers[0], &now);
}

static uint32_t limit(void)
{
	struct board_facts now = facts();

	return server_limit_now(&pool->servers[0], &now);
}

/* Says something else and waits until it was heard twice, so that the first
 * of the two answers cannot be one from before. */
static void say(const char *text)
{
	uint32_t before = facts().agent.asked;

	agent->answer = text;
	turn_until(facts().agent.asked >= before + 2);
}

START_TEST(test_percent_is_a_share_of_the_weight)
{
	uint32_t generation;

	start(CONF_HEALTH_NONE, "75%\n");
	generation = pool_generation(pool);
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(weight(), 75);
	ck_assert_uint_eq(seen.agent_calls, 1);
	ck_assert_uint_ne(pool_generation(pool), generation);
	generation = pool_generation(pool);
	say("75% #still\n");
	ck_assert_uint_eq(seen.agent_calls, 1);
	ck_assert_uint_eq(pool_generation(pool), generation);
	ck_assert_str_eq(facts().agent.said, "75% #still");
	say("0%\n");
	ck_assert_uint_eq(weight(), 0);
	say("150%\n");
	ck_assert_uint_eq(weight(), 150);
	say("ready\n");
	ck_assert_uint_eq(weight(), 150);
	ck_assert_uint_eq(METRIC(agent_checks), facts().agent.asked);
	ck_assert_uint_eq(METRIC(agent_failed), 0);
	end();
}
END_TEST

START_TEST(test_shares_are_rounded_up)
{
	struct server server = {
	    .weight = 1, .addr = {.length = sizeof(struct sockaddr_in)}};
	struct board_facts now = {.weight_override = BOARD_WEIGHT_NONE};

	now.agent.has_percent = true;
	now.agent.percent = 1;
	ck_assert_uint_eq(server_weight_now(&server, &now), 1);
	now.agent.percent = 0;
	ck_assert_uint_eq(server_weight_now(&server, &now), 0);
	server.weight = 65535;
	now.agent.percent = AGENT_TEXT_PERCENT_MAX;
	ck_assert_uint_eq(server_weight_now(&server, &now), 65535);
}
END_TEST

START_TEST(test_drain_and_ready)
{
	start(CONF_HEALTH_NONE, "drain\n");
	turn_until(weight() == 0);
	ck_assert_int_eq(facts().admin, BOARD_READY);
	say("75%\n");
	ck_assert_uint_eq(weight(), 0);
	say("ready\n");
	ck_assert_uint_eq(weight(), 75);
	end();
}
END_TEST

START_TEST(test_down_and_up)
{
	start(CONF_HEALTH_TCP, "down #disk full\n");
	turn_until(facts().health == BOARD_UP && facts().agent.down);
	ck_assert_int_eq(board_health_now(&(struct board_facts){
			     .health = BOARD_UP, .agent = {.down = true}}),
	    BOARD_DOWN);
	ck_assert_uint_eq(weight(), 0);
	ck_assert_str_eq(facts().agent.said, "down #disk full");
	say("up\n");
	ck_assert_uint_eq(weight(), WEIGHT);
	say("stopped\n");
	ck_assert_uint_eq(weight(), 0);
	say("fail\n");
	ck_assert_uint_eq(weight(), 0);
	end();
}
END_TEST

/* An agent cannot bring up what the checks say is down. */
START_TEST(test_checks_go_before_up)
{
	start(CONF_HEALTH_TCP, "up\n");
	script_server_close(servers[1]);
	servers[1]->fd = -1;
	turn_until(facts().health == BOARD_DOWN && facts().agent.heard_ns);
	ck_assert_uint_eq(weight(), 0);
	end();
	/* For the teardown, which closes it. */
	script_server_open(servers[1], NULL);
}
END_TEST

START_TEST(test_maint_stops_the_checks_and_ready_starts_them)
{
	struct board_facts before;

	start(CONF_HEALTH_TCP, "maint\n");
	turn_until(facts().agent.admin == BOARD_MAINT);
	before = facts();
	say("maint\n");
	for (int i = 0; i < 1000; i++)
		turn(1);
	ck_assert_uint_eq(facts().checks, before.checks);
	ck_assert_uint_gt(facts().agent.asked, before.agent.asked);
	say("ready\n");
	turn_until(facts().checks > before.checks);
	end();
}
END_TEST

START_TEST(test_maxconn_is_the_limit_at_once)
{
	start(CONF_HEALTH_NONE, "maxconn:3\n");
	ck_assert_uint_eq(limit(), 50);
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(limit(), 3);
	say("maxconn:0\n");
	ck_assert_uint_eq(limit(), 0);
	end();
}
END_TEST

START_TEST(test_the_operator_goes_first)
{
	struct board_facts now;

	start(CONF_HEALTH_NONE, "ready 75%\n");
	turn_until(facts().agent.heard_ns);
	now = facts();
	now.weight_override = 7;
	board_write(pool->servers[0].row, &now);
	say("50% up\n");
	ck_assert_uint_eq(weight(), 7);
	set_admin(pool, 0, BOARD_DRAIN);
	say("ready up 100%\n");
	ck_assert_uint_eq(weight(), 0);
	set_admin(pool, 0, BOARD_READY);
	ck_assert_uint_eq(weight(), 7);
	end();
}
END_TEST

START_TEST(test_what_makes_no_sense_changes_nothing)
{
	start(CONF_HEALTH_NONE, "40% drain\n");
	turn_until(facts().agent.heard_ns);
	ck_assert_int_eq(facts().agent.admin, BOARD_DRAIN);
	say("hello 200000000% nonsense\n");
	ck_assert_uint_gt(METRIC(agent_unknown), 0);
	ck_assert_uint_eq(METRIC(agent_failed), 0);
	ck_assert_int_eq(facts().agent.admin, BOARD_DRAIN);
	ck_assert_uint_eq(facts().agent.percent, 40);
	say(""); /* nothing until the timeout */
	ck_assert_uint_gt(METRIC(agent_failed), 0);
	ck_assert_uint_eq(facts().agent.failed, METRIC(agent_failed));
	ck_assert_int_eq(facts().agent.admin, BOARD_DRAIN);
	ck_assert_uint_eq(facts().agent.percent, 40);
	end();
}
END_TEST

START_TEST(test_without_agent_its_words_do_not_hold)
{
	start(CONF_HEALTH_NONE, "maxconn:3 down drain 10%\n");
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(weight(), 0);
	pool->agent.port = 0;
	probe_set_sync(set, &pool, 1);
	ck_assert_uint_eq(weight(), WEIGHT);
	ck_assert_uint_eq(limit(), 50);
	ck_assert_uint_eq(seen.agent_calls, 2);
	end();
}
END_TEST

/* Neither the state nor the health in force, nor whether there are checks. */
START_TEST(test_a_report_is_not_obeyed)
{
	uint32_t checks;

	start_reports(CONF_HEALTH_TCP, "down maint 10%\n");
	turn_until(facts().health == BOARD_UP && facts().agent.heard_ns);
	ck_assert_int_eq(
	    board_health_now(&(struct board_facts){
		.health = BOARD_UP, .agent = {.down = true, .reports = true}}),
	    BOARD_UP);
	ck_assert(facts().agent.down && facts().agent.reports);
	ck_assert_int_eq(facts().agent.admin, BOARD_MAINT);
	ck_assert_uint_eq(facts().agent.percent, 10);
	ck_assert_uint_eq(seen.agent_calls, 1);
	checks = facts().checks;
	turn_until(facts().checks > checks + 1);
	end();
}
END_TEST

/* Nothing of what was too old is left, and the same words are news again. */
START_TEST(test_a_report_that_was_too_old)
{
	int64_t heard;

	start_reports(CONF_HEALTH_NONE, "drain 10%\n");
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(seen.agent_calls, 1);
	say("drain 10%\n");
	ck_assert_uint_eq(seen.agent_calls, 1);
	say("up\n");
	ck_assert_int_eq(facts().agent.admin, BOARD_DRAIN);
	ck_assert_uint_eq(facts().agent.percent, 10);
	ck_assert_uint_eq(seen.agent_calls, 1);
	say(""); /* silent */
	heard = facts().agent.heard_ns;
	test_time = mono_add_ns(test_time, POP_REPORT_NS + NS_PER_S);
	ck_assert_uint_eq(seen.agent_failures, 1);
	say("");
	ck_assert_int_eq(facts().agent.heard_ns, heard);
	ck_assert_uint_eq(seen.agent_calls, 1);
	ck_assert_uint_eq(seen.agent_failures, 1);
	say("up\n");
	ck_assert_int_gt(facts().agent.heard_ns, heard);
	ck_assert_int_eq(facts().agent.admin, BOARD_READY);
	ck_assert(!facts().agent.has_percent);
	ck_assert_uint_eq(seen.agent_calls, 2);
	end();
}
END_TEST

/* What changes nothing on the row still changes whether it counts. */
START_TEST(test_the_same_words_are_news_again)
{
	start_reports(CONF_HEALTH_NONE, "up\n");
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(seen.agent_calls, 1);
	say("up\n");
	ck_assert_uint_eq(seen.agent_calls, 1);
	say("");
	test_time = mono_add_ns(test_time, POP_REPORT_NS);
	say("up\n");
	ck_assert_uint_eq(seen.agent_calls, 2);
	say("up\n");
	ck_assert_uint_eq(seen.agent_calls, 2);
	end();
}
END_TEST

/* What answers there is no agent: it must not count as heard. */
START_TEST(test_a_report_without_a_word)
{
	start_reports(CONF_HEALTH_NONE, "HTTP/1.1 400 Bad Request\r\n");
	turn_until(METRIC(agent_failed) > 2);
	ck_assert_int_eq(facts().agent.heard_ns, 0);
	ck_assert_uint_eq(facts().agent.failed, METRIC(agent_failed));
	ck_assert_uint_eq(seen.agent_calls, 0);
	ck_assert_uint_eq(seen.agent_failures, 1);
	ck_assert_str_eq(seen.cause, "no word of its line is known");
	say("50%\n");
	ck_assert_int_ne(facts().agent.heard_ns, 0);
	ck_assert_uint_eq(seen.agent_calls, 1);
	say("maxconn:5\n");
	ck_assert_uint_eq(seen.agent_failures, 2);
	end();
}
END_TEST

START_TEST(test_an_agent_elsewhere)
{
	start_reports(CONF_HEALTH_NONE, "50%\n");
	/* Nobody answers where the server is. */
	ck_assert_int_eq(addr_parse_ip(&pool->servers[0].addr, "127.9.9.9"), 0);
	ck_assert_int_eq(addr_parse_ip(&pool->agent.address, "127.0.0.1"), 0);
	turn_until(facts().agent.heard_ns);
	ck_assert_uint_eq(METRIC(agent_failed), 0);
	end();
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_percent_is_a_share_of_the_weight);
	tcase_add_test(tcase, test_shares_are_rounded_up);
	tcase_add_test(tcase, test_drain_and_ready);
	tcase_add_test(tcase, test_down_and_up);
	tcase_add_test(tcase, test_checks_go_before_up);
	tcase_add_test(
	    tcase, test_maint_stops_the_checks_and_ready_starts_them);
	tcase_add_test(tcase, test_maxconn_is_the_limit_at_once);
	tcase_add_test(tcase, test_the_operator_goes_first);
	tcase_add_test(tcase, test_what_makes_no_sense_changes_nothing);
	tcase_add_test(tcase, test_without_agent_its_words_do_not_hold);
	tcase_add_test(tcase, test_a_report_is_not_obeyed);
	tcase_add_test(tcase, test_a_report_that_was_too_old);
	tcase_add_test(tcase, test_the_same_words_are_news_again);
	tcase_add_test(tcase, test_a_report_without_a_word);
	tcase_add_test(tcase, test_an_agent_elsewhere);
}

int main(void)
{
	return run_suite("probe_agent", add_tests);
}
