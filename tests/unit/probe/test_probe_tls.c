/* SPDX-License-Identifier: Apache-2.0 */
/* The computing of TLS checks is bounded a turn. The server here speaks no
 * TLS: two steps of computing a check, one for the greeting and one to see
 * that what came is no answer to it. */
#include "tests/unit/probe/probe_fixture.h"

#include "io/tls.h"

#define N 12
/* 4 ms a turn, of which each step takes one. */
#define STEPS_A_TURN 4

static struct pool *pool;

static void start(int64_t step_ns)
{
	struct script_server *server =
	    serve(SCRIPT_BANNER, "220 mail ready\r\n", 0);
	struct addr addrs[N];

	work_step_ns = step_ns;
	for (int i = 0; i < N; i++)
		addrs[i] = server->addr;
	pool = make_pool(CONF_HEALTH_TLS, addrs, N, "p");
	probe_set_sync(set, &pool, 1);
	/* All are due at once. */
	turn(300);
	ck_assert_uint_eq(probe_set_in_flight(set), N);
}

static void end(void)
{
	probe_set_sync(set, NULL, 0);
	turn_until(probe_set_idle(set));
	pool_free(pool, board);
}

/* The most results of one turn, until all have one. */
static uint64_t most_a_turn(void)
{
	uint64_t most = 0;

	for (int turns = 0; METRIC(checks) < N; turns++) {
		uint64_t before = METRIC(checks);

		ck_assert_int_lt(turns, 90);
		turn(1);
		if (METRIC(checks) - before > most)
			most = METRIC(checks) - before;
	}
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_int_eq(facts_of(pool, i).health, BOARD_DOWN);
		ck_assert_ptr_nonnull(strstr(facts_of(pool, i).cause, "TLS: "));
	}
	return most;
}

START_TEST(test_what_is_cheap_is_done_at_once)
{
	start(0);
	ck_assert_uint_gt(most_a_turn(), STEPS_A_TURN);
	end();
}
END_TEST

START_TEST(test_computing_is_spread_over_turns)
{
	start(NS_PER_MS);
	ck_assert_uint_le(most_a_turn(), STEPS_A_TURN);
	end();
}
END_TEST

/* One step a turn, and turns of 60 ms: most checks run into their timeout of
 * 100 ms while their server's answer lies here. That is no failure of it. */
START_TEST(test_our_own_want_of_time_is_nobodys_failure)
{
	start(NS_PER_S);
	for (int i = 0; i < 8; i++)
		turn(60);
	ck_assert_uint_gt(METRIC(postponed), 0);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_ptr_null(strstr(facts_of(pool, i).cause, "no time"));
	end();
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_what_is_cheap_is_done_at_once);
	tcase_add_test(tcase, test_computing_is_spread_over_turns);
	tcase_add_test(tcase, test_our_own_want_of_time_is_nobodys_failure);
}

int main(void)
{
	if (tls_start())
		return EXIT_FAILURE;
	return run_suite("probe_tls", add_tests);
}
