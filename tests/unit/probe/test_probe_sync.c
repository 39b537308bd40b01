/* SPDX-License-Identifier: Apache-2.0 */
/* Boot and reloads. */
#include "tests/unit/probe/probe_fixture.h"

/* -- reloads ----------------------------------------------------------- */

START_TEST(test_resync_keeps_counts)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct board_facts facts;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	for (uint32_t i = 1; i <= 3; i++) {
		struct pool *after =
		    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

		after->health.fail_open_percent = i; /* not the checks' */
		ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UP);
		probe_set_sync(set, &after, 1);
		pool_free(pool, board);
		pool = after;
		turn_until(facts_of(pool, 0).checks_failed == i);
	}
	/* Three in a row over three reloads: fallen neither early nor late. */
	facts = facts_of(pool, 0);
	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_uint_eq(facts.changes, 2);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_resync_keeps_check_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *before =
	    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &before, 1);
	turn_until(server->accepted == 1);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	server->kind = SCRIPT_ANSWER;
	server->answer = "HTTP/1.1 200 OK\r\n";
	turn_until(facts_of(after, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, 1);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_removed_while_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr addrs[2] = {server->addr, server->addr};
	struct pool *before = make_pool(CONF_HEALTH_HTTP, addrs, 2, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, addrs, 1, "p");
	struct board_row *row = before->servers[1].row;
	struct board_facts facts;

	probe_set_sync(set, &before, 1);
	turn_until(server->accepted == 2);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	ck_assert_uint_eq(probe_set_targets(set), 1);
	turn_until(facts_of(after, 0).health == BOARD_DOWN);
	board_read(row, &facts);
	ck_assert_uint_eq(facts.checks, 0);
	ck_assert_int_eq(facts.health, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_changed_check_decides_at_once)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 404 No\r\n", 0);
	struct pool *before =
	    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	uint32_t accepted;

	probe_set_sync(set, &before, 1);
	turn_until(facts_of(before, 0).health == BOARD_DOWN);
	turn_until(probe_set_idle(set));
	accepted = server->accepted;
	after->health.status[0].high = 404;
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	/* The old verdict holds until there is a new one. */
	ck_assert_int_eq(facts_of(after, 0).health, BOARD_DOWN);
	turn_until(facts_of(after, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, accepted + 1);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_unchecked_server_becomes_unknown)
{
	struct addr addr = closed_port();
	struct pool *before = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_NONE, &addr, 1, "p");

	probe_set_sync(set, &before, 1);
	turn_until(facts_of(before, 0).health == BOARD_DOWN);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	ck_assert_uint_eq(probe_set_targets(set), 0);
	ck_assert_int_eq(facts_of(after, 0).health, BOARD_UNKNOWN);
	ck_assert_int_eq(seen.after, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_server_that_was_away_starts_unknown)
{
	struct addr addr = closed_port();
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
	pool = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	probe_set_sync(set, &pool, 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* Every server of several pools has its verdict within the first half second,
 * and the pools do not mix up. */
START_TEST(test_first_verdicts_are_quick)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr up[10], down[10];
	struct pool *pools[2];
	struct mono start = test_time;

	for (int i = 0; i < 10; i++) {
		up[i] = server->addr;
		down[i] = closed_port();
	}
	pools[0] = make_pool(CONF_HEALTH_TCP, up, 10, "p");
	pools[1] = make_pool(CONF_HEALTH_TCP, down, 10, "q");
	pools[0]->health.interval_ms = pools[1]->health.interval_ms = 60000;
	probe_set_sync(set, pools, 2);
	turn_until(METRIC(checks) == 20);
	/* Stepped time: 500 ms and a few turns of the loop. */
	ck_assert_int_le(mono_diff_ns(test_time, start), 520 * NS_PER_MS);
	for (uint32_t i = 0; i < 10; i++) {
		ck_assert_int_eq(facts_of(pools[0], i).health, BOARD_UP);
		ck_assert_int_eq(facts_of(pools[1], i).health, BOARD_DOWN);
	}
	probe_set_sync(set, NULL, 0);
	pool_free(pools[0], board);
	pool_free(pools[1], board);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_resync_keeps_counts);
	tcase_add_test(tcase, test_resync_keeps_check_in_flight);
	tcase_add_test(tcase, test_removed_while_in_flight);
	tcase_add_test(tcase, test_changed_check_decides_at_once);
	tcase_add_test(tcase, test_unchecked_server_becomes_unknown);
	tcase_add_test(tcase, test_server_that_was_away_starts_unknown);
	tcase_add_test(tcase, test_first_verdicts_are_quick);
}

int main(void)
{
	return run_suite("probe_sync", add_tests);
}
