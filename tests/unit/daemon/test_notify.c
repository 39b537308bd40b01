/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char name[64];
static int manager;

/* A manager's socket, in the abstract namespace. */
static void setup(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t length;

	(void)snprintf(name, sizeof name, "@test_notify.%d", (int)getpid());
	memcpy(at.sun_path, name, strlen(name));
	at.sun_path[0] = '\0';
	length =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&at, length), 0);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
	close(manager);
}

static const char *heard(void)
{
	static char text[NOTIFY_TEXT_MAX];
	ssize_t n = recv(manager, text, sizeof text - 1, 0);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

START_TEST(test_lines)
{
	ck_assert_int_eq(notify_send("READY=1"), 0);
	ck_assert_str_eq(heard(), "READY=1");
	ck_assert_int_eq(notify_send("MAINPID=%d", 17), 0);
	ck_assert_str_eq(heard(), "MAINPID=17");
	ck_assert_int_eq(notify_reloading(), 0);
	ck_assert_int_eq(
	    strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	ck_assert_ptr_null(heard());
}
END_TEST

START_TEST(test_path)
{
	char path[] = "/tmp/test_notify.XXXXXX";
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	ck_assert_ptr_nonnull(mkdtemp(path));
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s/s", path);
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&at, sizeof at), 0);
	(void)setenv("NOTIFY_SOCKET", at.sun_path, 1);
	ck_assert_int_eq(notify_send("STOPPING=1"), 0);
	ck_assert_str_eq(heard(), "STOPPING=1");
	(void)unlink(at.sun_path);
	(void)rmdir(path);
}
END_TEST

START_TEST(test_nobody)
{
	static char much[NOTIFY_TEXT_MAX + 1];

	memset(much, 'x', NOTIFY_TEXT_MAX);
	ck_assert_int_eq(notify_send("%s", much), -EMSGSIZE);
	close(manager);
	manager = -1;
	ck_assert_int_eq(notify_send("READY=1"), -ECONNREFUSED);
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(notify_send("READY=1"), -EAFNOSUPPORT);
	(void)setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(notify_send("READY=1"), 0);
	(void)unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(notify_send("READY=1"), 0);
}
END_TEST

START_TEST(test_watchdog)
{
	char pid[16];

	ck_assert_uint_eq(notify_watchdog_ms(), 0);
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 15000);
	(void)setenv("WATCHDOG_USEC", "1", 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 1);
	(void)setenv("WATCHDOG_USEC", "0", 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 0);
	(void)setenv("WATCHDOG_USEC", "x", 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 0);
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	/* Meant for somebody else, for us. */
	(void)setenv("WATCHDOG_PID", "1", 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 0);
	(void)snprintf(pid, sizeof pid, "%d", (int)getpid());
	(void)setenv("WATCHDOG_PID", pid, 1);
	ck_assert_uint_eq(notify_watchdog_ms(), 15000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_path);
	tcase_add_test(tc, test_nobody);
	tcase_add_test(tc, test_watchdog);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
