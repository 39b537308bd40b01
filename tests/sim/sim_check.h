/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the main() of every simulation ends with, and what several do.
 *
 * Thread:  the only one of a test program.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

/* A client that begins with these bytes. */
static inline struct sim_peer *sim_client_saying(
    struct sim *sim, const void *bytes, uint32_t length, uint64_t behind)
{
	struct sim_peer *client = sim_client(sim, length + behind);

	client->says = (struct sim_prefix){bytes, length};
	return client;
}

/* Both sides hear the end, and the log says that it was a normal one. */
static inline void sim_run_to_clean_end(
    struct sim *sim, struct sim_peer *client)
{
	ck_assert(sim_run_to_end(sim, 20000));
	sim_read(client);
	sim_read(client->other);
	ck_assert(client->got_fin && client->other->got_fin);
	ck_assert_str_eq(sim_end_of(sim, 0), "--");
}

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
