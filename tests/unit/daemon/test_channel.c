/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/channel.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct channel_message message;
static int ends[2];

static void setup(void)
{
	message.n_fds = 0;
	ck_assert_int_eq(channel_pair(ends), 0);
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

static int highest(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

START_TEST(test_bytes)
{
	static uint8_t much[CHANNEL_BYTES_MAX];

	memset(much, 7, sizeof much);
	ck_assert_int_eq(
	    channel_send(ends[0], CHANNEL_READY, "abc", 3, NULL, 0), 0);
	ck_assert_int_eq(
	    channel_send(ends[0], CHANNEL_REFUSED, much, sizeof much, NULL, 0),
	    0);
	ck_assert_int_eq(
	    channel_send(ends[0], CHANNEL_STOP, NULL, 0, NULL, 0), 0);
	ck_assert_int_eq(channel_receive(ends[1], 0, &message), 0);
	ck_assert_int_eq(message.type, CHANNEL_READY);
	ck_assert_uint_eq(message.n_bytes, 3);
	ck_assert_mem_eq(message.bytes, "abc", 3);
	ck_assert_int_eq(channel_receive(ends[1], 0, &message), 0);
	ck_assert_uint_eq(message.n_bytes, CHANNEL_BYTES_MAX);
	ck_assert_mem_eq(message.bytes, much, sizeof much);
	ck_assert_int_eq(channel_receive(ends[1], 0, &message), 0);
	ck_assert_int_eq(message.type, CHANNEL_STOP);
	ck_assert_uint_eq(message.n_bytes, 0);
	ck_assert_int_eq(channel_receive(ends[1], 0, &message), -ETIMEDOUT);
}
END_TEST

START_TEST(test_descriptors)
{
	int fds[CHANNEL_FDS_MAX], before = highest();

	for (uint32_t i = 0; i < CHANNEL_FDS_MAX; i++)
		fds[i] = STDOUT_FILENO;
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_SOCKETS, NULL, 0, fds,
			     CHANNEL_FDS_MAX),
	    0);
	ck_assert_int_eq(channel_receive(ends[1], 0, &message), 0);
	ck_assert_uint_eq(message.n_fds, CHANNEL_FDS_MAX);
	for (uint32_t i = 0; i < message.n_fds; i++)
		ck_assert_int_eq(fcntl(message.fds[i], F_GETFD), FD_CLOEXEC);
	channel_drop(&message);
	ck_assert_uint_eq(message.n_fds, 0);
	ck_assert_int_eq(highest(), before);
}
END_TEST

START_TEST(test_closed)
{
	close(ends[0]);
	ends[0] = highest();
	ck_assert_int_eq(channel_receive(ends[1], 1000, &message), BR_E_CLOSED);
	ck_assert_int_eq(
	    channel_send(ends[1], CHANNEL_TERM, NULL, 0, NULL, 0), BR_E_CLOSED);
}
END_TEST

static int receive_raw(const void *bytes, size_t length)
{
	ck_assert_int_eq(
	    send(ends[0], bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	return channel_receive(ends[1], 0, &message);
}

START_TEST(test_strange_messages)
{
	static char much[CHANNEL_BYTES_MAX + 9] = "BRHD\0\1\0\1";

	ck_assert_int_eq(receive_raw("x", 1), BR_E_PROTOCOL);
	ck_assert_int_eq(receive_raw("XRHD\0\1\0\1", 8), BR_E_PROTOCOL);
	ck_assert_int_eq(receive_raw("BRHD\0\2\0\1", 8), BR_E_VERSION);
	ck_assert_int_eq(receive_raw("BRHD\0\1\0\0", 8), BR_E_PROTOCOL);
	ck_assert_int_eq(receive_raw("BRHD\0\1\0\x63", 8), BR_E_PROTOCOL);
	ck_assert_int_eq(receive_raw(much, sizeof much), BR_E_PROTOCOL);
	ck_assert_int_eq(receive_raw("BRHD\0\1\0\1", 8), 0);
}
END_TEST

START_TEST(test_file)
{
	int fd = channel_file_new("test", "hello", 5);
	size_t length = 0;
	void *bytes;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(channel_file_read(fd, &bytes, &length), 0);
	ck_assert_uint_eq(length, 5);
	ck_assert_mem_eq(bytes, "hello", 5);
	free(bytes);
	close(fd);
}
END_TEST

/* One that could change under the reader's hands. */
START_TEST(test_file_not_sealed)
{
	char name[] = "/tmp/test_channel.XXXXXX";
	int fd = mkstemp(name);
	size_t length;
	void *bytes;

	ck_assert_int_ge(fd, 0);
	(void)unlink(name);
	ck_assert_int_eq(channel_file_read(fd, &bytes, &length), BR_E_PROTOCOL);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tc = tcase_create("channel");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_bytes);
	tcase_add_test(tc, test_descriptors);
	tcase_add_test(tc, test_closed);
	tcase_add_test(tc, test_strange_messages);
	tcase_add_test(tc, test_file);
	tcase_add_test(tc, test_file_not_sealed);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
