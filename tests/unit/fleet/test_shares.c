/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/shares.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 10
#define S NS_PER_S

/* A pool of up to MAX servers, as the letters of a text say: a primary `p`,
 * a near one `n`, a far one `f`, a backup `b`. */
static struct board *board;
static struct pool *pool;
static struct share shares[MAX];
static struct shares_summary sum;

static void start(const char *kinds)
{
	struct conf_server servers[MAX] = {{0}};
	char names[MAX][16];
	struct conf_pool conf = {.name = "o",
	    .servers = servers,
	    .n_servers = (uint32_t)strlen(kinds)};

	for (uint32_t i = 0; i < conf.n_servers; i++) {
		(void)snprintf(names[i], sizeof names[i], "s%u", i);
		servers[i].name = names[i];
		servers[i].weight = 1;
		servers[i].backup = kinds[i] == 'b';
		servers[i].local = kinds[i] == 'n';
		servers[i].zone = kinds[i] == 'p' ? NULL : "z";
		conf.zoned |= servers[i].local;
		ck_assert_int_eq(addr_parse(&servers[i].addr, "10.0.0.1:1"), 0);
		addr_set_port(&servers[i].addr, (uint16_t)(1 + i));
	}
	board = board_new(1);
	pool = pool_new(&conf, board);
}

static void stop(void)
{
	pool_free(pool, board);
	board_free(board);
}

static void down(uint32_t i, bool is_down)
{
	struct board_facts facts;

	board_read(pool->servers[i].row, &facts);
	facts.health = is_down ? BOARD_DOWN : BOARD_UP;
	board_write(pool->servers[i].row, &facts);
}

static void drain(uint32_t i)
{
	struct board_facts facts;

	board_read(pool->servers[i].row, &facts);
	facts.admin = BOARD_DRAIN;
	board_write(pool->servers[i].row, &facts);
}

static void eject(uint32_t i)
{
	struct board_facts facts;

	board_read(pool->servers[i].row, &facts);
	facts.ejected_until_ns = 1000 * S;
	board_write(pool->servers[i].row, &facts);
}

static void returned(uint32_t i, int64_t at_ns)
{
	struct board_facts facts;

	board_read(pool->servers[i].row, &facts);
	facts.returned_ns = at_ns;
	board_write(pool->servers[i].row, &facts);
}

/* The shares as a text: per mille of the work, `r` reserve, `-` none. */
static const char *shown(int64_t now_ns)
{
	static char text[128];
	uint64_t all = 0;
	size_t at = 0;

	shares_now(pool, now_ns, shares, &sum);
	for (uint32_t i = 0; i < pool->n_servers; i++)
		all += shares[i].reserve ? 0 : shares[i].weight;
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		const char *gap = i ? " " : "";
		char *to = text + at;
		size_t room = sizeof text - at;

		if (shares[i].reserve)
			at += (size_t)snprintf(to, room, "%sr", gap);
		else if (!shares[i].weight)
			at += (size_t)snprintf(to, room, "%s-", gap);
		else
			at += (size_t)snprintf(to, room, "%s%u", gap,
			    (unsigned)((shares[i].weight * 1000 + all / 2) /
				       all));
	}
	return text;
}

static const char *now(void)
{
	return shown(1 * S);
}

/* -- backups ----------------------------------------------------------- */

START_TEST(test_backups_serve_alone_and_together)
{
	start("ppbb");
	ck_assert_str_eq(now(), "500 500 - -");
	ck_assert(!sum.backups);
	down(0, true);
	ck_assert_str_eq(now(), "- 1000 - -");
	down(1, true);
	ck_assert_str_eq(now(), "- - 500 500");
	ck_assert(sum.backups && sum.n_usable == 2);
	down(2, true);
	ck_assert_str_eq(now(), "- - - 1000");
	down(1, false);
	ck_assert_str_eq(now(), "- 1000 - -");
	ck_assert(!sum.backups);
	stop();
}
END_TEST

START_TEST(test_backups_come_before_failing_open)
{
	start("ppb");
	pool->health.fail_open_percent = 60;
	down(0, true);
	ck_assert_str_eq(now(), "- 1000 -"); /* a backup could serve */
	ck_assert(!pool_fails_open(pool));
	down(2, true);
	ck_assert_str_eq(now(), "500 500 -"); /* none could */
	ck_assert(sum.fails_open && pool_fails_open(pool));
	down(1, true);
	ck_assert_str_eq(now(), "500 500 -");
	down(2, false);
	ck_assert_str_eq(now(), "- - 1000");
	ck_assert(sum.backups && !sum.fails_open && !pool_fails_open(pool));
	stop();
}
END_TEST

START_TEST(test_backups_fail_open_when_alone)
{
	start("pbb");
	pool->health.fail_open_percent = 60;
	drain(0);
	down(1, true);
	ck_assert_str_eq(now(), "- 500 500");
	ck_assert(sum.fails_open && pool_fails_open(pool));
	down(2, true);
	drain(0);
	/* Nobody is left whom to believe: as before, nothing is opened for
	 * primaries that the operator has drained. */
	ck_assert_str_eq(now(), "- 500 500");
	stop();
}
END_TEST

/* -- ejections --------------------------------------------------------- */

START_TEST(test_ejected_serve_when_nobody_else_can)
{
	start("pppb");
	eject(0);
	ck_assert_str_eq(now(), "- 500 500 -");
	down(1, true);
	down(2, true);
	ck_assert_str_eq(now(), "- - - 1000"); /* the backup first */
	down(3, true);
	ck_assert_str_eq(now(), "1000 - - -");
	drain(0);
	ck_assert_str_eq(now(), "- - - -");
	ck_assert_uint_eq(sum.n_usable, 0);
	stop();
}
END_TEST

START_TEST(test_ejections_count_towards_failing_open)
{
	start("pppp");
	pool->health.fail_open_percent = 50;
	eject(0);
	eject(1);
	ck_assert_str_eq(now(), "- - 500 500");
	down(2, true);
	ck_assert_str_eq(now(), "250 250 250 250");
	ck_assert(pool_fails_open(pool));
	stop();
}
END_TEST

/* -- slow start -------------------------------------------------------- */

START_TEST(test_slow_start_grows_evenly)
{
	uint32_t before = 0;

	start("pp");
	pool->slow_start_ms = 10000;
	pool->servers[0].max_connections = 50;
	pool->servers[1].max_connections = 5;
	returned(0, 100 * S);
	ck_assert_str_eq(shown(100 * S), "91 909"); /* 10:100 */
	ck_assert_uint_eq(shares[0].limit, 5);
	ck_assert_uint_eq(shares[1].limit, 5);
	ck_assert_int_gt(sum.next_ns, 100 * S);
	ck_assert_int_le(sum.next_ns, 100 * S + S);
	ck_assert_str_eq(shown(105 * S), "355 645"); /* 55:100 */
	ck_assert_uint_eq(shares[0].limit, 28);
	for (int64_t at = 100 * S; at < 110 * S; at += S / 7) {
		shares_now(pool, at, shares, &sum);
		ck_assert_uint_ge(shares[0].weight, before);
		ck_assert_uint_lt(shares[0].weight, shares[1].weight);
		before = shares[0].weight;
	}
	ck_assert_str_eq(shown(110 * S), "500 500");
	ck_assert_uint_eq(shares[0].limit, 50);
	ck_assert_int_eq(sum.next_ns, INT64_MAX);
	stop();
}
END_TEST

START_TEST(test_slow_start_rounds_up)
{
	start("p");
	pool->slow_start_ms = 1000;
	pool->servers[0].max_connections = 1;
	returned(0, 5 * S);
	ck_assert_str_eq(shown(5 * S), "1000");
	ck_assert_uint_eq(shares[0].limit, 1);
	/* The clock is not asked before the fact, but nothing may break. */
	ck_assert_str_eq(shown(4 * S), "1000");
	stop();
}
END_TEST

START_TEST(test_slow_start_is_off_when_failing_open)
{
	start("pp");
	pool->slow_start_ms = 10000;
	pool->health.fail_open_percent = 100;
	returned(0, 100 * S);
	down(1, true);
	ck_assert_str_eq(shown(100 * S), "500 500");
	stop();
}
END_TEST

START_TEST(test_what_counts_as_a_return)
{
	struct board_facts before = {.health = BOARD_DOWN}, after = before;

	after.health = BOARD_UP;
	shares_note_return(&before, &after, 7);
	ck_assert_int_eq(after.returned_ns, 7);
	/* The first verdict after a start is none. */
	before = after = (struct board_facts){.health = BOARD_UNKNOWN};
	after.health = BOARD_UP;
	shares_note_return(&before, &after, 8);
	ck_assert_int_eq(after.returned_ns, 0);
	before.admin = BOARD_MAINT;
	shares_note_return(&before, &after, 9);
	ck_assert_int_eq(after.returned_ns, 9);
	/* Up, but still ejected. */
	before = after = (struct board_facts){.health = BOARD_DOWN};
	after.health = BOARD_UP;
	after.ejected_until_ns = 1;
	shares_note_return(&before, &after, 10);
	ck_assert_int_eq(after.returned_ns, 0);
	before = after;
	after.ejected_until_ns = 0;
	shares_note_return(&before, &after, 11);
	ck_assert_int_eq(after.returned_ns, 11);
}
END_TEST

/* -- zones ------------------------------------------------------------- */

START_TEST(test_zone_keeps_all_while_enough_is_usable)
{
	start("nnnnff");
	ck_assert_str_eq(now(), "250 250 250 250 r r");
	ck_assert_uint_eq(sum.local_percent, 100);
	ck_assert_uint_eq(sum.n_usable, 6);
	down(0, true); /* 75 % * 1.4 > 1 */
	ck_assert_str_eq(now(), "- 333 333 333 r r");
	stop();
}
END_TEST

START_TEST(test_zone_spills_over_in_proportion)
{
	start("nnnnff");
	down(0, true);
	down(1, true); /* 50 % * 1.4 = 0.7 */
	ck_assert_str_eq(now(), "- - 350 350 150 150");
	ck_assert_uint_eq(sum.local_percent, 70);
	down(4, true);
	ck_assert_str_eq(now(), "- - 350 350 - 300");
	down(2, true); /* 0.35 */
	ck_assert_str_eq(now(), "- - - 350 - 650");
	down(3, true);
	ck_assert_str_eq(now(), "- - - - - 1000");
	ck_assert_uint_eq(sum.local_percent, 0);
	down(4, true);
	down(5, true);
	down(0, false); /* nobody is far: the near keep all */
	ck_assert_str_eq(now(), "1000 - - - - -");
	ck_assert_uint_eq(sum.local_percent, 100);
	stop();
}
END_TEST

START_TEST(test_zone_counts_drained_as_missing)
{
	start("nnff");
	drain(0); /* 50 % * 1.4 */
	ck_assert_str_eq(now(), "- 700 150 150");
	stop();
}
END_TEST

START_TEST(test_zone_of_slow_starters_spills_over)
{
	start("nnff");
	pool->slow_start_ms = 10000;
	returned(0, 100 * S);
	returned(1, 100 * S);
	/* A tenth of the zone is there: 0.14. */
	ck_assert_str_eq(shown(100 * S), "70 70 430 430");
	ck_assert_str_eq(shown(110 * S), "500 500 r r");
	stop();
}
END_TEST

START_TEST(test_zone_without_servers_of_its_own)
{
	start("ff");
	pool->zoned = true;
	ck_assert_str_eq(now(), "500 500");
	ck_assert_uint_eq(sum.local_percent, 0);
	stop();
}
END_TEST

/* -- scale ------------------------------------------------------------- */

START_TEST(test_sums_fit)
{
	uint64_t all = 0;

	start("nnnnffffff");
	for (uint32_t i = 0; i < MAX; i++) {
		struct board_facts facts;

		board_read(pool->servers[i].row, &facts);
		facts.weight_override = UINT32_MAX / 8;
		board_write(pool->servers[i].row, &facts);
	}
	down(0, true);
	down(1, true);
	shares_now(pool, S, shares, &sum);
	ck_assert_uint_eq(sum.scale, 1);
	for (uint32_t i = 0; i < MAX; i++)
		all += shares[i].weight;
	ck_assert_uint_le(all, UINT32_MAX);
	ck_assert_uint_gt(all, UINT32_MAX / 2);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shares");
	TCase *tcase = tcase_create("shares");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_backups_serve_alone_and_together);
	tcase_add_test(tcase, test_backups_come_before_failing_open);
	tcase_add_test(tcase, test_backups_fail_open_when_alone);
	tcase_add_test(tcase, test_ejected_serve_when_nobody_else_can);
	tcase_add_test(tcase, test_ejections_count_towards_failing_open);
	tcase_add_test(tcase, test_slow_start_grows_evenly);
	tcase_add_test(tcase, test_slow_start_rounds_up);
	tcase_add_test(tcase, test_slow_start_is_off_when_failing_open);
	tcase_add_test(tcase, test_what_counts_as_a_return);
	tcase_add_test(tcase, test_zone_keeps_all_while_enough_is_usable);
	tcase_add_test(tcase, test_zone_spills_over_in_proportion);
	tcase_add_test(tcase, test_zone_counts_drained_as_missing);
	tcase_add_test(tcase, test_zone_of_slow_starters_spills_over);
	tcase_add_test(tcase, test_zone_without_servers_of_its_own);
	tcase_add_test(tcase, test_sums_fit);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
