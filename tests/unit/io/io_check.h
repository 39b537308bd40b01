/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loopback connections for the tests of this folder, and their main().
 *
 * Thread:  the main thread of a test program.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"

static inline int io_check_main(TCase *tcase)
{
	Suite *suite = suite_create("io");
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

/* A blocking listener on a port of the kernel's choice. */
static inline int io_listen(struct sockaddr_in *ret)
{
	socklen_t length = sizeof *ret;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	*ret = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)ret, sizeof *ret), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)ret, &length), 0);
	return fd;
}

static inline void io_tcp_pair(int ret[2])
{
	struct sockaddr_in at;
	int listener = io_listen(&at);

	ret[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(ret[0], 0);
	ck_assert_int_eq(
	    connect(ret[0], (const struct sockaddr *)&at, sizeof at), 0);
	ret[1] = accept(listener, NULL, NULL);
	ck_assert_int_ge(ret[1], 0);
	close(listener);
}

static inline void io_unix_pair(int ret[2])
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret), 0);
}

static inline void io_write(int fd, const void *bytes, size_t n)
{
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
}
