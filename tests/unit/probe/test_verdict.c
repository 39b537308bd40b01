/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/verdict.h"

#include <check.h>
#include <stdlib.h>

/* Feeds results ('+' success, '-' failure) and compares the health after each
 * ('u' up, 'd' down). */
static void run(struct verdict *verdict, enum board_health health,
    uint32_t rise, uint32_t fall, const char *results, const char *healths)
{
	for (; *results; results++, healths++) {
		health =
		    verdict_next(verdict, health, *results == '+', rise, fall);
		ck_assert_int_eq(
		    health, *healths == 'u' ? BOARD_UP : BOARD_DOWN);
	}
	ck_assert_int_eq(*healths, '\0');
}

START_TEST(test_first_result_decides)
{
	struct verdict verdict = {0};

	run(&verdict, BOARD_UNKNOWN, 3, 3, "+", "u");
	verdict = (struct verdict){0};
	run(&verdict, BOARD_UNKNOWN, 3, 3, "-", "d");
}
END_TEST

START_TEST(test_fall_counts_in_a_row)
{
	struct verdict verdict = {0};

	run(&verdict, BOARD_UP, 2, 3, "--+--+---", "uuuuuuuud");
}
END_TEST

START_TEST(test_rise_counts_in_a_row)
{
	struct verdict verdict = {0};

	run(&verdict, BOARD_DOWN, 2, 3, "+-+-++", "dddddu");
}
END_TEST

START_TEST(test_counts_start_anew_after_a_change)
{
	struct verdict verdict = {0};

	run(&verdict, BOARD_UP, 2, 2, "--++--", "udduud");
}
END_TEST

START_TEST(test_rise_and_fall_of_one)
{
	struct verdict verdict = {0};

	run(&verdict, BOARD_UP, 1, 1, "-+-+", "dudu");
}
END_TEST

START_TEST(test_fresh_decides_once)
{
	struct verdict verdict = {.fresh = true};

	run(&verdict, BOARD_DOWN, 2, 2, "+-", "uu");
	verdict = (struct verdict){.fresh = true};
	/* The one result that may decide at once agreed. */
	run(&verdict, BOARD_DOWN, 2, 2, "-++", "ddu");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = tcase_create("verdict");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_first_result_decides);
	tcase_add_test(tcase, test_fall_counts_in_a_row);
	tcase_add_test(tcase, test_rise_counts_in_a_row);
	tcase_add_test(tcase, test_counts_start_anew_after_a_change);
	tcase_add_test(tcase, test_rise_and_fall_of_one);
	tcase_add_test(tcase, test_fresh_decides_once);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
