/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/access_log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "lb/listener.h"

#define RECORDS 1024

struct fixture {
	struct daemon daemon;
	struct record_queue *logs[2];
	struct listener listener;
	struct pool pool;
	struct server server;
	int read_fd, write_fd;
};

static struct fixture *fixture_new(void)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~63ul);
	int fds[2];

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	f->read_fd = fds[0];
	f->write_fd = fds[1];
	log_set_fd(f->write_fd);
	log_configure(LOG_LOGFMT, LOG_INFO);
	for (int i = 0; i < 2; i++)
		f->logs[i] = flow_log_new(RECORDS);
	f->daemon.n_workers = 2;
	f->daemon.flow_logs = f->logs;
	f->listener.name = "web";
	f->pool.name = "origins";
	f->server.name = "a";
	snprintf(
	    f->server.addr_text, sizeof(f->server.addr_text), "127.0.0.1:9001");
	return f;
}

static void fixture_free(struct fixture *f)
{
	log_set_fd(STDERR_FILENO);
	for (int i = 0; i < 2; i++)
		record_queue_free(f->logs[i]);
	if (f->read_fd >= 0)
		close(f->read_fd);
	close(f->write_fd);
	free(f);
}

static void put_at(
    struct fixture *f, uint32_t worker, uint64_t id, struct wall at)
{
	struct flow_record *record = flow_log_room(f->logs[worker]);

	ck_assert_ptr_nonnull(record);
	*record = (struct flow_record){.id = id,
	    .ended_at = at,
	    .worker = worker,
	    .listener = &f->listener,
	    .pool = &f->pool,
	    .server = &f->server,
	    .end_by = '-',
	    .end_phase = '-'};
	record_queue_put(f->logs[worker]);
}

static void put(struct fixture *f, uint32_t worker, uint64_t id)
{
	put_at(f, worker, id, (struct wall){0});
}

/* All that the pipe holds, terminated; the caller frees it. */
static char *read_pipe(struct fixture *f)
{
	size_t room = 4u << 20, length = 0;
	char *text = malloc(room + 1);
	ssize_t n;

	while ((n = read(f->read_fd, text + length, room - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	return text;
}

static uint32_t count(const char *text, const char *what)
{
	uint32_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

START_TEST(test_lines_of_all_workers)
{
	struct fixture *f = fixture_new();
	char *text;

	put(f, 0, 7);
	put(f, 1, 8);
	put(f, 1, 9);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 3);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 0);
	text = read_pipe(f);
	ck_assert_uint_eq(count(text, "\n"), 3);
	ck_assert_uint_eq(count(text, "level=info msg=\"flow\" id="), 3);
	ck_assert_ptr_nonnull(strstr(text, " id=7 listener=web "));
	ck_assert_ptr_nonnull(strstr(text, " id=9 listener=web "));
	ck_assert_ptr_nonnull(strstr(text, " pool=origins server=a "));
	free(text);
	fixture_free(f);
}
END_TEST

START_TEST(test_json)
{
	struct fixture *f = fixture_new();
	char *text;

	log_configure(LOG_JSON, LOG_ERROR);
	put(f, 0, 7);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 1);
	text = read_pipe(f);
	ck_assert_int_eq(text[0], '{');
	ck_assert_ptr_nonnull(strstr(text, "\"msg\":\"flow\",\"id\":7,"));
	ck_assert_ptr_nonnull(strstr(text, "\"server\":\"a\""));
	free(text);
	fixture_free(f);
}
END_TEST

/* Far more than a batch or the pipe holds: what does not fit is counted, what
 * is written are whole lines. */
START_TEST(test_full_pipe)
{
	struct fixture *f = fixture_new();
	uint64_t before = log_dropped();
	uint32_t written, put_in = 0;
	char *text, *line;

	(void)fcntl(f->write_fd, F_SETPIPE_SZ, 4096);
	for (uint64_t id = 0; id < RECORDS - 1; id++) {
		put(f, 0, id);
		put_in++;
	}
	ck_assert_uint_eq(access_log_drain(&f->daemon), put_in);
	text = read_pipe(f);
	written = count(text, "\n");
	ck_assert_uint_gt(written, 0);
	/* A last line without its end is counted as lost. */
	ck_assert_uint_eq(written + (log_dropped() - before), put_in);
	free(text);

	/* The next line does not stick to the half one. */
	put(f, 0, 4711);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 1);
	text = read_pipe(f);
	line = strstr(text, "ts=");
	ck_assert_ptr_nonnull(line);
	ck_assert(line == text || line[-1] == '\n');
	ck_assert_ptr_nonnull(strstr(line, " id=4711 "));
	free(text);
	fixture_free(f);
}
END_TEST

/* Records of the workers and lines of the event log come interleaved, however
 * they were put. */
START_TEST(test_in_the_order_of_their_stamps)
{
	struct fixture *f = fixture_new();
	struct wall now = wall_now();
	const char *at;
	char *text;

	ck_assert_int_eq(log_start_queue(16), 0);
	put_at(f, 1, 1, (struct wall){now.ns - 4 * NS_PER_MS});
	put_at(f, 0, 2, (struct wall){now.ns - 3 * NS_PER_MS});
	put_at(f, 1, 3, (struct wall){now.ns - 2 * NS_PER_MS});
	put_at(f, 0, 5, (struct wall){now.ns + 3600 * NS_PER_S});
	put_at(f, 1, 6, (struct wall){now.ns + 7200 * NS_PER_S});
	log_event(LOG_INFO, "between", "id=%d here=yes", 4);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 5);
	at = text = read_pipe(f);
	for (int id = 1; id <= 6; id++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), " id=%d ", id);
		at = strstr(at, wanted);
		ck_assert_msg(
		    at != NULL, "%d is not in its place: %s", id, text);
	}
	ck_assert_uint_eq(count(text, "\n"), 6);
	log_stop_queue();
	free(text);
	text = read_pipe(f);
	ck_assert_str_eq(text, "");
	free(text);
	fixture_free(f);
}
END_TEST

/* EPIPE and its signal end nothing. */
START_TEST(test_closed_pipe)
{
	struct fixture *f = fixture_new();
	uint64_t before = log_dropped();

	close(f->read_fd);
	f->read_fd = -1;
	put(f, 0, 1);
	put(f, 1, 2);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 2);
	ck_assert_uint_eq(log_dropped() - before, 2);
	fixture_free(f);
}
END_TEST

/* ENOSPC, as of a full disk. */
START_TEST(test_full_disk)
{
	struct fixture *f = fixture_new();
	uint64_t before = log_dropped();
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(full, 0);
	log_set_fd(full);
	put(f, 0, 1);
	ck_assert_uint_eq(access_log_drain(&f->daemon), 1);
	ck_assert_uint_eq(log_dropped() - before, 1);
	close(full);
	fixture_free(f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access_log");
	TCase *tcase = tcase_create("access_log");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_lines_of_all_workers);
	tcase_add_test(tcase, test_json);
	tcase_add_test(tcase, test_in_the_order_of_their_stamps);
	tcase_add_test(tcase, test_full_pipe);
	tcase_add_test(tcase, test_closed_pipe);
	tcase_add_test(tcase, test_full_disk);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
