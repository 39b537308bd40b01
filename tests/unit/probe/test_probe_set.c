/* SPDX-License-Identifier: Apache-2.0 */
/* Checks over time: rise and fall, maintenance, bounds, our own trouble. */
#include "tests/unit/probe/probe_fixture.h"

/* -- over time --------------------------------------------------------- */

START_TEST(test_down_and_up_again)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct board_facts facts;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	facts = facts_of(pool, 0);
	ck_assert_uint_eq(facts.checks_failed, 3);
	ck_assert_str_eq(facts.cause, "status 500, expected 200-399");
	/* Another reason for the same health is told, not counted. */
	server->answer = "HTTP/1.1 502 No\r\n";
	turn_until(strcmp(facts_of(pool, 0).cause,
		       "status 502, expected 200-399") == 0);
	ck_assert_uint_eq(facts_of(pool, 0).changes, 2);
	server->answer = "HTTP/1.1 200 OK\r\n";
	facts = facts_of(pool, 0);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(facts_of(pool, 0).checks - facts.checks, 2);
	ck_assert_uint_eq(facts_of(pool, 0).changes, 3);
	ck_assert_uint_eq(seen.health_calls, 3);
	ck_assert_uint_eq(METRIC(changes), 3);
	ck_assert_uint_eq(METRIC(checks), facts_of(pool, 0).checks);
	ck_assert_uint_eq(METRIC(overdue), 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_fail_open_is_reported)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct addr addrs[2] = {server->addr, closed_port()};
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, addrs, 2, "p");

	pool->health.fail_open_percent = 50;
	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 1).health == BOARD_DOWN &&
		   facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	turn_until(seen.open_calls == 1);
	ck_assert(seen.open);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	server->answer = "HTTP/1.1 200 OK\r\n";
	turn_until(seen.open_calls == 2);
	ck_assert(!seen.open);
	/* An operator's hand counts, too. */
	set_admin(pool, 0, BOARD_DRAIN);
	turn_until(seen.open_calls == 3);
	ck_assert(seen.open);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_maintenance_stops_checks)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 500 No\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	uint32_t accepted;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	set_admin(pool, 0, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	accepted = server->accepted;
	for (int i = 0; i < 2000; i++) /* ten intervals */
		turn(1);
	ck_assert_uint_eq(server->accepted, accepted);
	/* Repaired meanwhile: the first success brings it back, although two
	 * are asked for otherwise. */
	server->answer = "HTTP/1.1 200 OK\r\n";
	set_admin(pool, 0, BOARD_READY);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, accepted + 1);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_maintenance_while_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	set_admin(pool, 0, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(facts_of(pool, 0).checks, 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* -- this process's own trouble ---------------------------------------- */

START_TEST(test_late_result_is_discarded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	turn(5000); /* this thread was not there */
	turn_until(METRIC(late) == 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(METRIC(checks), 0);
	/* Punctual again, the same silence is the server's. */
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	ck_assert_uint_eq(METRIC(late), 1);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_late_in_the_middle_is_discarded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	/* Within the timeout, but half of it was lost here. */
	turn(50);
	turn_until(METRIC(late) + METRIC(checks) == 1);
	ck_assert_uint_eq(METRIC(late), 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_no_descriptor_postpones)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct rlimit before, tight;
	int lowest = dup(0);

	ck_assert_int_ge(lowest, 0);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)lowest;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	probe_set_sync(set, &pool, 1);
	turn_until(METRIC(postponed) >= 3);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(METRIC(checks), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(METRIC(checks_failed), 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_no_memory_postpones)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	slab_fail_nth(1);
	turn_until(METRIC(postponed) == 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	slab_fail_nth(0);
	ck_assert_uint_eq(METRIC(checks_failed), 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_checks_in_flight_are_bounded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr addrs[10];
	struct pool *pool;
	uint32_t most = 0;

	probe_set_free(set);
	make_set(3);
	for (int i = 0; i < 10; i++)
		addrs[i] = server->addr;
	pool = make_pool(CONF_HEALTH_HTTP, addrs, 10, "p");
	probe_set_sync(set, &pool, 1);
	ck_assert_uint_eq(probe_set_targets(set), 10);
	while (METRIC(checks) < 30) {
		uint32_t n = probe_set_in_flight(set);

		ck_assert_uint_le(n, 3);
		most = n > most ? n : most;
		ck_assert_int_lt(
		    mono_diff_ns(test_time, (struct mono){0}), 200 * NS_PER_S);
		turn(1);
	}
	ck_assert_uint_eq(most, 3);
	ck_assert_uint_gt(METRIC(queued), 0);
	/* Ten checks of 100 ms by threes do not fit into 200 ms. */
	ck_assert_uint_gt(METRIC(overdue), 0);
	/* Nobody starved. */
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_uint_ge(facts_of(pool, i).checks, 2);
	/* Taken out while they queue. */
	for (uint32_t i = 0; i < 10; i++)
		set_admin(pool, i, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* Checks that a stall made due together do not make a long turn. */
START_TEST(test_starts_of_a_turn_are_bounded)
{
	static const char *const names[] = {
	    "p", "q", "r", "s", "t", "u", "v", "w", "x", "y"};
	struct addr addrs[12];
	struct pool *pools[10];

	for (uint32_t i = 0; i < 12; i++)
		addrs[i] = closed_port();
	for (uint32_t i = 0; i < 10; i++) {
		pools[i] = make_pool(CONF_HEALTH_TCP, addrs, 12, names[i]);
		pools[i]->health.interval_ms = 600000;
	}
	probe_set_sync(set, pools, 10);
	turn(2000);
	ck_assert_uint_eq(probe_set_in_flight(set), PROBE_STARTS_A_TURN);
	turn_until(METRIC(checks) == 120);
	probe_set_sync(set, NULL, 0);
	for (uint32_t i = 0; i < 10; i++)
		pool_free(pools[i], board);
}
END_TEST

/* Room that the next in the queue cannot use goes to the one behind it. */
START_TEST(test_queue_passes_over_maintenance)
{
	static const char *const names[] = {"p", "q", "r"};
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pools[3];
	struct board_facts facts;

	probe_set_free(set);
	make_set(1);
	for (uint32_t i = 0; i < 3; i++) {
		pools[i] =
		    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, names[i]);
		pools[i]->health.interval_ms = 600000;
		pools[i]->health.timeout_ms = 5000;
		probe_set_sync(set, pools, i + 1);
		turn_until(
		    probe_set_in_flight(set) == 1 && METRIC(queued) == i);
	}
	facts = facts_of(pools[1], 0);
	facts.admin = BOARD_MAINT;
	board_write(pools[1]->servers[0].row, &facts);
	turn_until(facts_of(pools[2], 0).checks == 1);
	ck_assert_uint_eq(facts_of(pools[0], 0).checks, 1);
	ck_assert_uint_eq(facts_of(pools[1], 0).checks, 0);
	probe_set_sync(set, NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		pool_free(pools[i], board);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_down_and_up_again);
	tcase_add_test(tcase, test_fail_open_is_reported);
	tcase_add_test(tcase, test_maintenance_stops_checks);
	tcase_add_test(tcase, test_maintenance_while_in_flight);
	tcase_add_test(tcase, test_late_result_is_discarded);
	tcase_add_test(tcase, test_late_in_the_middle_is_discarded);
	tcase_add_test(tcase, test_no_descriptor_postpones);
	tcase_add_test(tcase, test_no_memory_postpones);
	tcase_add_test(tcase, test_checks_in_flight_are_bounded);
	tcase_add_test(tcase, test_starts_of_a_turn_are_bounded);
	tcase_add_test(tcase, test_queue_passes_over_maintenance);
}

int main(void)
{
	return run_suite("probe_set", add_tests);
}
