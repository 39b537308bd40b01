/* SPDX-License-Identifier: Apache-2.0 */
/* Who is ejected, how many, and for how long, in steps of control's timer. */
#include "daemon/ejections.h"

#include "daemon/control_state.h"
#include "fleet/outlier.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS 4

static struct control control;
static struct plan plan;
static struct upstream upstream, *upstreams[1] = {&upstream};
static struct board *board;
static struct pool *pool;
static struct mono now;

static void setup(void)
{
	struct conf_server servers[SERVERS] = {{0}};
	char names[SERVERS][16];
	struct conf_pool conf = {.name = "o",
	    .servers = servers,
	    .n_servers = SERVERS,
	    .outlier = {
		.errors = 3, .eject_ms = 1000, .max_ejected_percent = 50}};

	for (uint32_t i = 0; i < SERVERS; i++) {
		(void)snprintf(names[i], sizeof names[i], "s%u", i);
		servers[i].name = names[i];
		servers[i].weight = 1;
		ck_assert_int_eq(addr_parse(&servers[i].addr, "10.0.0.1:1"), 0);
		addr_set_port(&servers[i].addr, (uint16_t)(1 + i));
	}
	board = board_new(1);
	upstream.pool = pool = pool_new(&conf, board);
	plan.upstreams = upstreams;
	plan.n_upstreams = 1;
	memset(&control, 0, sizeof control);
	control.plan = &plan;
	now = mono_now();
	timer_wheel_init(&control.wheel, now);
	ejections_init(&control);
	ejections_sync(&control);
}

static void teardown(void)
{
	ejections_stop(&control);
	pool_free(pool, board);
	board_free(board);
}

static void pass(int64_t ms)
{
	now = mono_add_ms(now, ms);
	timer_wheel_advance(&control.wheel, now);
}

static struct board_facts facts_of(uint32_t i)
{
	struct board_facts facts;

	board_read(pool->servers[i].row, &facts);
	return facts;
}

static bool is_out(uint32_t i)
{
	return facts_of(i).ejected_until_ns != 0;
}

static void fail_n(uint32_t i, int n)
{
	while (n--)
		outlier_failed(pool, pool->servers[i].row, -ECONNREFUSED);
}

START_TEST(test_out_and_back)
{
	uint32_t generation = pool_generation(pool);

	fail_n(0, 2);
	pass(500);
	ck_assert(!is_out(0));
	fail_n(0, 1);
	outlier_answered(pool->servers[0].row); /* too late */
	pass(200);
	ck_assert(is_out(0));
	ck_assert_int_eq(facts_of(0).eject_error, -ECONNREFUSED);
	ck_assert_uint_ne(pool_generation(pool), generation);
	pass(800);
	ck_assert(is_out(0));
	pass(500);
	ck_assert(!is_out(0));
	ck_assert_int_ne(facts_of(0).returned_ns, 0);
	ck_assert_uint_eq(pool->servers[0].row->failures, 0);
	/* The second time is twice as long. */
	fail_n(0, 3);
	pass(200);
	ck_assert(is_out(0));
	pass(1800);
	ck_assert(is_out(0));
	pass(500);
	ck_assert(!is_out(0));
	ck_assert_uint_eq(facts_of(0).ejections, 2);
}
END_TEST

START_TEST(test_never_more_than_half)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		fail_n(i, 3);
	pass(200);
	ck_assert(is_out(0) && is_out(1) && !is_out(2) && !is_out(3));
	/* Its trip is used up; it takes as many failures again. */
	fail_n(2, 2);
	pass(5000);
	ck_assert(!is_out(0) && !is_out(1) && !is_out(2));
	fail_n(2, 1);
	pass(200);
	ck_assert(is_out(2));
}
END_TEST

/* Half of those that are left, and who is down already is not ejected. */
START_TEST(test_who_is_down_does_not_count)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct board_facts facts = facts_of(i);

		facts.health = i < 2 ? BOARD_DOWN : BOARD_UP;
		board_write(pool->servers[i].row, &facts);
	}
	fail_n(0, 3);
	fail_n(2, 3);
	fail_n(3, 3);
	pass(200);
	ck_assert(!is_out(0) && is_out(2) && !is_out(3));
}
END_TEST

START_TEST(test_operator_ends_it)
{
	fail_n(1, 3);
	pass(200);
	ck_assert(is_out(1));
	ejections_end(&control, pool, &pool->servers[1]);
	ck_assert(!is_out(1));
	ejections_end(&control, pool, &pool->servers[1]);
	ck_assert_uint_eq(facts_of(1).ejections, 1);
}
END_TEST

START_TEST(test_the_block_leaves_the_file)
{
	fail_n(1, 3);
	pass(200);
	ck_assert(is_out(1));
	pool->outlier.errors = 0;
	ejections_sync(&control);
	ck_assert(!is_out(1));
	ck_assert(!timer_armed(&control.ejections.timer));
	pool->outlier.errors = 3;
	ejections_sync(&control);
	ck_assert(timer_armed(&control.ejections.timer));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ejections");
	TCase *tcase = tcase_create("ejections");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_out_and_back);
	tcase_add_test(tcase, test_never_more_than_half);
	tcase_add_test(tcase, test_who_is_down_does_not_count);
	tcase_add_test(tcase, test_operator_ends_it);
	tcase_add_test(tcase, test_the_block_leaves_the_file);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
