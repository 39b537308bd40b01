/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the main() of every simulation ends with.
 *
 * Thread:  the only one of a test program.
 */
#include <check.h>
#include <stdlib.h>

static inline int sim_check_main(TCase *tcase)
{
	Suite *suite = suite_create("sim");
	SRunner *runner;
	int failed;

	/* ctest has the time limit. */
	tcase_set_timeout(tcase, 0);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
