/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_race.h"

#include "tests/unit/base/check_main.h"

#define STAGGER_MS 250

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ms * NS_PER_MS};
}

static void begin(struct fetch_race *race, uint32_t n)
{
	fetch_race_init(race, n, STAGGER_MS * NS_PER_MS, at_ms(0));
}

START_TEST(test_staggered)
{
	struct fetch_race race;

	begin(&race, 3);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(0)), 0);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(0)), -1);
	ck_assert_int_eq(
	    fetch_race_wait_ns(&race, at_ms(100)), 150 * NS_PER_MS);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(249)), -1);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(250)), 1);
	/* Late by 100 ms: the next one still has its whole stagger. */
	ck_assert_int_eq(fetch_race_start(&race, at_ms(600)), 2);
	ck_assert_int_eq(fetch_race_wait_ns(&race, at_ms(600)), -1);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(9000)), -1);
	ck_assert(!fetch_race_is_lost(&race));
}
END_TEST

START_TEST(test_failure_starts_the_next)
{
	struct fetch_race race;

	begin(&race, 3);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(0)), 0);
	fetch_race_failed(&race, 0, at_ms(3));
	ck_assert_int_eq(fetch_race_wait_ns(&race, at_ms(3)), 0);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(3)), 1);
	/* One alone: the other still has to wait from there. */
	ck_assert_int_eq(fetch_race_start(&race, at_ms(3)), -1);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(252)), -1);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(253)), 2);
	fetch_race_failed(&race, 2, at_ms(254));
	ck_assert(!fetch_race_is_lost(&race));
	fetch_race_failed(&race, 1, at_ms(255));
	ck_assert(fetch_race_is_lost(&race));
	ck_assert_int_eq(race.winner, -1);
}
END_TEST

START_TEST(test_one_wins)
{
	struct fetch_race race;

	begin(&race, 4);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(0)), 0);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(250)), 1);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(500)), 2);
	ck_assert(fetch_race_connected(&race, 1));
	ck_assert(!fetch_race_connected(&race, 0));
	ck_assert_int_eq(race.winner, 1);
	/* Nobody else sets out, also when a loser fails. */
	fetch_race_failed(&race, 2, at_ms(510));
	ck_assert_int_eq(fetch_race_start(&race, at_ms(5000)), -1);
	ck_assert_int_eq(fetch_race_wait_ns(&race, at_ms(5000)), -1);
	ck_assert(!fetch_race_is_lost(&race));
}
END_TEST

START_TEST(test_all_at_once)
{
	struct fetch_race race;

	fetch_race_init(&race, FETCH_RACE_MAX, 0, at_ms(7));
	for (int i = 0; i < (int)FETCH_RACE_MAX; i++)
		ck_assert_int_eq(fetch_race_start(&race, at_ms(7)), i);
	ck_assert_int_eq(fetch_race_start(&race, at_ms(7)), -1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("race");

	tcase_add_test(tcase, test_staggered);
	tcase_add_test(tcase, test_failure_starts_the_next);
	tcase_add_test(tcase, test_one_wins);
	tcase_add_test(tcase, test_all_at_once);
	return check_main(tcase);
}
