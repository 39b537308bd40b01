/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What every unit test of this folder ends with, and a way to test what ends
 * the process.
 *
 * Thread:  the main thread of a test program.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of main(). */
static inline int check_main(TCase *tcase)
{
	Suite *suite = suite_create("base");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* ctest has the time limit. */
	tcase_set_timeout(tcase, 0);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Runs fn in a child whose stderr goes to ret_text; returns its wait
 * status. */
static inline int run_in_child(void (*fn)(void), char *ret_text, size_t room)
{
	size_t length = 0;
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(fds[1]);
	/* To the end, so that the child never blocks on a full pipe. */
	for (;;) {
		char rest[256];

		if (length + 1 < room)
			n = read(fds[0], ret_text + length, room - 1 - length);
		else
			n = read(fds[0], rest, sizeof(rest));
		if (n <= 0)
			break;
		if (length + 1 < room)
			length += (size_t)n;
	}
	ret_text[length] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}
