/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trouble.h"

#include <check.h>
#include <stdlib.h>

#define QUIET_NS (TROUBLE_QUIET_MS * NS_PER_MS)

START_TEST(test_nothing_new_is_nothing_said)
{
	struct trouble_sum sum = {0};
	uint64_t more = 7;

	ck_assert(!trouble_due(&sum, 0, 1, &more));
	ck_assert_uint_eq(more, 7);
}
END_TEST

START_TEST(test_the_first_is_said_at_once)
{
	struct trouble_sum sum = {0};
	uint64_t more;

	ck_assert(trouble_due(&sum, 3, 1, &more));
	ck_assert_uint_eq(more, 3);
	ck_assert(!trouble_due(&sum, 3, 1 + 2 * QUIET_NS, &more));
}
END_TEST

/* A storm is one line per quiet time, and nothing of it is forgotten. */
START_TEST(test_a_storm_is_few_lines)
{
	struct trouble_sum sum = {0};
	uint64_t more, total = 0, lines = 0;

	for (int64_t second = 1; second <= 60; second++)
		if (trouble_due(&sum, (uint64_t)second * 1000,
			second * NS_PER_S, &more)) {
			total += more;
			lines++;
		}
	ck_assert_uint_eq(lines, 6);
	ck_assert_uint_eq(total, 51000);
	ck_assert(trouble_due(&sum, 60000, 61 * NS_PER_S, &more));
	ck_assert_uint_eq(total + more, 60000);
}
END_TEST

START_TEST(test_counters_that_start_anew)
{
	struct trouble_sum sum = {.said = 100, .said_ns = 1};
	uint64_t more;

	ck_assert(!trouble_due(&sum, 5, 1 + QUIET_NS, &more));
	ck_assert(trouble_due(&sum, 8, 2 + QUIET_NS, &more));
	ck_assert_uint_eq(more, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trouble");
	TCase *tcase = tcase_create("due");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_nothing_new_is_nothing_said);
	tcase_add_test(tcase, test_the_first_is_said_at_once);
	tcase_add_test(tcase, test_a_storm_is_few_lines);
	tcase_add_test(tcase, test_counters_that_start_anew);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
