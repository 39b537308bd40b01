/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#define THREADS 4

struct starter {
	struct gate *gate;
	int error;
	bool went;
	pthread_t thread;
};

static void *start(void *argument)
{
	struct starter *starter = argument;

	starter->went = gate_arrive(starter->gate, starter->error);
	return NULL;
}

/* All start, the one at `failing` (if any) with an error; returns what boot
 * was told and how many went on. */
static int run(int failing, uint32_t *ret_went)
{
	struct starter starters[THREADS];
	struct gate gate;
	int error;

	gate_init(&gate);
	for (int i = 0; i < THREADS; i++) {
		starters[i] = (struct starter){
		    .gate = &gate, .error = i == failing ? -ENOMEM : 0};
		ck_assert_int_eq(pthread_create(&starters[i].thread, NULL,
				     start, &starters[i]),
		    0);
	}
	error = gate_wait(&gate, THREADS);
	gate_decide(&gate, !error);
	*ret_went = 0;
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(starters[i].thread, NULL);
		*ret_went += starters[i].went;
	}
	gate_fini(&gate);
	return error;
}

START_TEST(test_all_go)
{
	uint32_t went;

	ck_assert_int_eq(run(-1, &went), 0);
	ck_assert_uint_eq(went, THREADS);
}
END_TEST

START_TEST(test_one_failure_stops_all)
{
	uint32_t went;

	for (int failing = 0; failing < THREADS; failing++) {
		ck_assert_int_eq(run(failing, &went), -ENOMEM);
		ck_assert_uint_eq(went, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_all_go);
	tcase_add_test(tcase, test_one_failure_stops_all);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
