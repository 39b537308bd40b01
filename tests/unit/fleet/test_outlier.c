/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/outlier.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 5000u

static struct board *board;
static struct pool *pool;
static struct board_row *row;

static void setup(void)
{
	struct conf_server server = {.name = "a", .weight = 1};
	struct conf_pool conf = {.name = "o",
	    .servers = &server,
	    .n_servers = 1,
	    .outlier = {
		.errors = 5, .eject_ms = 1000, .max_ejected_percent = 50}};

	ck_assert_int_eq(addr_parse(&server.addr, "10.0.0.1:1"), 0);
	board = board_new(1);
	pool = pool_new(&conf, board);
	row = pool->servers[0].row;
}

static void teardown(void)
{
	pool_free(pool, board);
	board_free(board);
}

static void fail_n(int n)
{
	while (n--)
		outlier_failed(pool, row, -ECONNREFUSED);
}

START_TEST(test_trips_at_every_multiple)
{
	fail_n(4);
	ck_assert_uint_eq(row->outlier_trips, 0);
	fail_n(1);
	ck_assert_uint_eq(row->outlier_trips, 1);
	ck_assert_uint_eq(pool->row->outlier_trips, 1);
	ck_assert_int_eq(row->last_failure, -ECONNREFUSED);
	fail_n(4);
	ck_assert_uint_eq(row->outlier_trips, 1);
	fail_n(1);
	ck_assert_uint_eq(row->outlier_trips, 2);
}
END_TEST

START_TEST(test_an_answer_ends_the_row)
{
	for (int i = 0; i < 100; i++) {
		fail_n(4);
		outlier_answered(row);
	}
	ck_assert_uint_eq(row->outlier_trips, 0);
	fail_n(5);
	/* What was seen is not unseen. */
	outlier_answered(row);
	ck_assert_uint_eq(row->outlier_trips, 1);
}
END_TEST

START_TEST(test_off)
{
	pool->outlier.errors = 0;
	fail_n(100);
	ck_assert_uint_eq(row->failures, 0);
	ck_assert_uint_eq(row->outlier_trips, 0);
}
END_TEST

static void *thread(void *argument)
{
	(void)argument;
	fail_n(ROUNDS);
	return NULL;
}

/* A row of failures is one over all workers: no increment is lost, and each
 * multiple is met exactly once. */
START_TEST(test_rows_over_workers)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, thread, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(row->failures, THREADS * ROUNDS);
	ck_assert_uint_eq(row->outlier_trips, THREADS * ROUNDS / 5);
	ck_assert_uint_eq(pool->row->outlier_trips, THREADS * ROUNDS / 5);
}
END_TEST

START_TEST(test_never_more_than_the_share)
{
	for (uint32_t percent = 0; percent <= 100; percent += 5) {
		struct conf_outlier conf = {.max_ejected_percent = percent};

		for (uint32_t n = 0; n < 50; n++) {
			uint32_t out = 0;

			while (outlier_may_eject(&conf, n, out))
				out++;
			ck_assert_uint_eq(out, n * percent / 100);
		}
	}
}
END_TEST

START_TEST(test_ejections_grow_and_shrink_back)
{
	struct conf_outlier conf = pool->outlier;
	struct board_facts facts = {.ejections = 0};
	int64_t now = 1000 * NS_PER_S;

	for (int i = 1; i <= 15; i++) {
		uint32_t steps =
		    i < OUTLIER_STEPS_MAX ? (uint32_t)i : OUTLIER_STEPS_MAX;

		outlier_eject(&conf, &facts, now);
		ck_assert_uint_eq(facts.eject_steps, steps);
		ck_assert_int_eq(
		    facts.ejected_until_ns, now + steps * NS_PER_S);
		ck_assert_int_eq(facts.ejections, i);
		now = facts.ejected_until_ns;
		outlier_return(&facts, now);
		ck_assert_int_eq(facts.ejected_until_ns, 0);
		ck_assert_int_eq(facts.returned_ns, now);
	}
	/* Ten steps were made; each second in order takes one back. */
	ck_assert_uint_eq(outlier_steps(&conf, &facts, now + NS_PER_S - 1), 10);
	ck_assert_uint_eq(outlier_steps(&conf, &facts, now + NS_PER_S), 10);
	ck_assert_uint_eq(outlier_steps(&conf, &facts, now + 2 * NS_PER_S), 9);
	ck_assert_uint_eq(outlier_steps(&conf, &facts, now + 9 * NS_PER_S), 2);
	ck_assert_uint_eq(outlier_steps(&conf, &facts, now + 99 * NS_PER_S), 1);
}
END_TEST

/* Who is brought back early gets nothing for the time he was spared. */
START_TEST(test_return_before_its_time)
{
	struct board_facts facts = {.ejections = 0};

	for (int i = 0; i < 4; i++)
		outlier_eject(&pool->outlier, &facts, 10 * NS_PER_S);
	outlier_return(&facts, 10 * NS_PER_S + 1);
	ck_assert_uint_eq(
	    outlier_steps(&pool->outlier, &facts, 14 * NS_PER_S), 5);
	ck_assert_uint_eq(
	    outlier_steps(&pool->outlier, &facts, 15 * NS_PER_S), 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outlier");
	TCase *tcase = tcase_create("outlier");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_trips_at_every_multiple);
	tcase_add_test(tcase, test_an_answer_ends_the_row);
	tcase_add_test(tcase, test_off);
	tcase_add_test(tcase, test_rows_over_workers);
	tcase_add_test(tcase, test_never_more_than_the_share);
	tcase_add_test(tcase, test_ejections_grow_and_shrink_back);
	tcase_add_test(tcase, test_return_before_its_time);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
