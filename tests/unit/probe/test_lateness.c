/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/lateness.h"

#include <check.h>
#include <stdlib.h>

#define MS NS_PER_MS

static struct timer_wheel wheel;
static struct lateness lateness;
static struct mono now;

static void setup(void)
{
	now = (struct mono){NS_PER_S};
	timer_wheel_init(&wheel, now);
	lateness_init(&lateness, &wheel);
	lateness_set_period(&lateness, 20 * MS);
}

static void teardown(void)
{
	lateness_stop(&lateness);
	ck_assert_uint_eq(wheel.armed, 0);
}

static void pass_ms(int64_t step_ms, int64_t total_ms)
{
	for (int64_t ms = 0; ms < total_ms; ms += step_ms) {
		now = mono_add_ms(now, step_ms);
		timer_wheel_advance(&wheel, now);
	}
}

START_TEST(test_punctual_is_not_late)
{
	lateness_start(&lateness, now);
	pass_ms(1, 500);
	ck_assert_int_eq(lateness_sum_ns(&lateness, now), 0);
}
END_TEST

START_TEST(test_stall_is_counted)
{
	lateness_start(&lateness, now);
	pass_ms(1, 100);
	now = mono_add_ms(now, 300);
	/* Before the timers had their turn, and after. */
	ck_assert_int_ge(lateness_sum_ns(&lateness, now), 275 * MS);
	ck_assert_int_le(lateness_sum_ns(&lateness, now), 300 * MS);
	timer_wheel_advance(&wheel, now);
	ck_assert_int_ge(lateness_sum_ns(&lateness, now), 275 * MS);
	ck_assert_int_le(lateness_sum_ns(&lateness, now), 300 * MS);
	pass_ms(1, 100);
	ck_assert_int_le(lateness_sum_ns(&lateness, now), 300 * MS);
	now = mono_add_ms(now, 300);
	timer_wheel_advance(&wheel, now);
	ck_assert_int_ge(lateness_sum_ns(&lateness, now), 550 * MS);
}
END_TEST

START_TEST(test_no_count_while_stopped)
{
	lateness_start(&lateness, now);
	pass_ms(1, 50);
	lateness_stop(&lateness);
	now = mono_add_ms(now, 1000);
	timer_wheel_advance(&wheel, now);
	ck_assert_int_eq(lateness_sum_ns(&lateness, now), 0);
	lateness_start(&lateness, now);
	ck_assert_int_eq(lateness_sum_ns(&lateness, now), 0);
	pass_ms(1, 50);
	ck_assert_int_eq(lateness_sum_ns(&lateness, now), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lateness");
	TCase *tcase = tcase_create("lateness");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_punctual_is_not_late);
	tcase_add_test(tcase, test_stall_is_counted);
	tcase_add_test(tcase, test_no_count_while_stopped);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
