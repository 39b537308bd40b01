/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* What a test logs goes to a file that it then reads. */
static FILE *file;

static void start(enum log_format format, enum log_level level)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	log_configure(format, level);
	log_set_fd(fileno(file));
}

static size_t read_all(char *ret, size_t room)
{
	size_t n;

	ck_assert_int_eq(fseek(file, 0, SEEK_SET), 0);
	n = fread(ret, 1, room - 1, file);
	ret[n] = '\0';
	fclose(file);
	log_set_fd(STDERR_FILENO);
	return n;
}

START_TEST(test_event_in_both_formats)
{
	char text[1024];

	start(LOG_LOGFMT, LOG_INFO);
	log_event(LOG_WARN, "server down", "pool=%s server=%s", "web", "a");
	log_configure(LOG_JSON, LOG_INFO);
	log_event(LOG_ERROR, "server down", "pool=%s tries=%d", "web", 3);
	read_all(text, sizeof(text));
	ck_assert_mem_eq(text, "ts=20", 5);
	ck_assert_str_eq(text + strlen("ts=2026-01-02T03:04:05.678Z"),
	    strstr(text, " level=warn"));
	ck_assert_ptr_nonnull(strstr(text,
	    "Z level=warn msg=\"server down\" pool=web server=a\n{\"ts\":"));
	ck_assert_ptr_nonnull(
	    strstr(text, "Z\",\"level\":\"error\",\"msg\":\"server down\","
			 "\"pool\":\"web\",\"tries\":3}\n"));
}
END_TEST

START_TEST(test_levels)
{
	enum log_level level = LOG_DEBUG;
	enum log_format format = LOG_LOGFMT;
	char text[1024];

	start(LOG_LOGFMT, LOG_WARN);
	ck_assert(log_enabled(LOG_ERROR) && log_enabled(LOG_WARN));
	ck_assert(!log_enabled(LOG_INFO) && !log_enabled(LOG_DEBUG));
	log_event(LOG_INFO, "not this", "a=%d", 1);
	log_event(LOG_WARN, "this", "a=%d", 1);
	read_all(text, sizeof(text));
	ck_assert_ptr_null(strstr(text, "not this"));
	ck_assert_ptr_nonnull(strstr(text, "msg=\"this\" a=1\n"));
	ck_assert(log_level_parse("error", &level) && level == LOG_ERROR);
	ck_assert(log_level_parse("debug", &level) && level == LOG_DEBUG);
	ck_assert(!log_level_parse("loud", &level) && level == LOG_DEBUG);
	ck_assert(log_format_parse("json", &format) && format == LOG_JSON);
	ck_assert(!log_format_parse("xml", &format) && format == LOG_JSON);
}
END_TEST

START_TEST(test_limit)
{
	struct log_limit limit = {0};
	struct mono now = {INT64_C(123456789)};
	uint32_t suppressed, passed = 0;

	for (int i = 0; i < 25; i++)
		passed += log_limit_pass(&limit, now, &suppressed);
	ck_assert_uint_eq(passed, 10);
	now = mono_add_ms(now, 9999);
	ck_assert(!log_limit_pass(&limit, now, &suppressed));
	now = mono_add_ms(now, 1);
	ck_assert(log_limit_pass(&limit, now, &suppressed));
	ck_assert_uint_eq(suppressed, 16);
	ck_assert(log_limit_pass(&limit, now, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(test_limited_event_says_how_many)
{
	struct log_limit limit = {0};
	char text[4096];
	int lines = 0;

	start(LOG_LOGFMT, LOG_INFO);
	for (int i = 0; i < 30; i++)
		log_event_limited(&limit, LOG_INFO, "again", "i=%d", i);
	/* As if the window had passed. */
	limit.window_start_ns -= 10 * NS_PER_S;
	log_event_limited(&limit, LOG_INFO, "again", "i=%d", 30);
	read_all(text, sizeof(text));
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_int_eq(lines, 11);
	ck_assert_ptr_nonnull(strstr(text, "suppressed=20 i=30\n"));
}
END_TEST

/* -- the queue ----------------------------------------------------------- */

START_TEST(test_queue_keeps_order_and_counts_overflow)
{
	uint64_t before = log_dropped();
	char text[65536];
	uint32_t kept;
	const char *p = text;

	start(LOG_LOGFMT, LOG_INFO);
	ck_assert_int_eq(log_start_queue(32), 0);
	for (int i = 0; i < 100; i++)
		log_event(LOG_INFO, "line", "i=%d", i);
	ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
	ck_assert_int_eq(ftell(file), 0);
	kept = (uint32_t)(100 - (log_dropped() - before));
	ck_assert_uint_ge(kept, 32);
	ck_assert_uint_lt(kept, 100);
	ck_assert_uint_eq(log_drain(), kept);
	ck_assert_uint_eq(log_drain(), 0);
	log_event(LOG_INFO, "line", "i=%d", (int)kept);
	log_stop_queue();
	log_event(LOG_INFO, "line", "i=%d", (int)kept + 1);
	read_all(text, sizeof(text));
	for (uint32_t i = 0; i < kept + 2; i++) {
		char expected[32];

		(void)snprintf(expected, sizeof(expected), "\" i=%u\n", i);
		p = strstr(p, expected);
		ck_assert_ptr_nonnull(p);
	}
}
END_TEST

START_TEST(test_closed_pipe_ends_nothing)
{
	uint64_t before = log_dropped();
	int fds[2];

	/* SIGPIPE has its default effect here. */
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	log_configure(LOG_LOGFMT, LOG_INFO);
	log_set_fd(fds[1]);
	log_event(LOG_INFO, "at once", "a=%d", 1);
	ck_assert_uint_eq(log_dropped(), before + 1);
	ck_assert_int_eq(log_start_queue(16), 0);
	for (int i = 0; i < 5; i++)
		log_event(LOG_INFO, "queued", "a=%d", 1);
	ck_assert_uint_eq(log_drain(), 5);
	ck_assert_uint_eq(log_dropped(), before + 6);
	log_stop_queue();
	log_set_fd(STDERR_FILENO);
	close(fds[1]);
}
END_TEST

START_TEST(test_full_disk_is_counted)
{
	uint64_t before = log_dropped();
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	log_configure(LOG_LOGFMT, LOG_INFO);
	log_set_fd(fd);
	log_event(LOG_INFO, "lost", "a=%d", 1);
	ck_assert_uint_eq(log_dropped(), before + 1);
	log_set_fd(STDERR_FILENO);
	close(fd);
}
END_TEST

/* A pipe that nobody reads takes part of a batch; after it has been emptied
 * the next line starts on a line of its own. So it is also with an ordinary,
 * blocking pipe, as standard error mostly is. */
START_TEST(test_slow_reader_blocks_nothing)
{
	static char text[1 << 17];
	uint64_t before = log_dropped();
	size_t whole;
	ssize_t n;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, _i ? O_NONBLOCK : 0), 0);
	/* One page, which no whole number of these lines fills. */
	ck_assert_int_gt(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	log_configure(LOG_LOGFMT, LOG_INFO);
	log_set_fd(fds[1]);
	ck_assert_int_eq(log_start_queue(4096), 0);
	for (int i = 0; i < 3000; i++)
		log_event(LOG_INFO, "a line", "i=%d", i);
	ck_assert_uint_eq(log_drain(), 3000);
	ck_assert_uint_gt(log_dropped(), before);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 1000);
	text[n] = '\0';
	whole = 0;
	for (ssize_t i = 0; i < n; i++)
		whole += text[i] == '\n';
	ck_assert_int_ne(text[n - 1], '\n');
	ck_assert_uint_eq(whole + (log_dropped() - before), 3000);

	log_event(LOG_INFO, "afterwards", "a=%d", 1);
	ck_assert_uint_eq(log_drain(), 1);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_mem_eq(text, "\nts=", 4);
	ck_assert_ptr_nonnull(strstr(text, "msg=\"afterwards\" a=1\n"));
	log_stop_queue();
	log_set_fd(STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_lost_lines_are_said)
{
	static char text[1 << 17];
	uint64_t before = log_dropped();
	char said[64];
	ssize_t n;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	ck_assert_int_gt(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	log_configure(LOG_LOGFMT, LOG_INFO);
	log_set_fd(fds[1]);
	for (int i = 0; i < 200; i++)
		log_event(LOG_INFO, "a line", "i=%d", i);
	ck_assert_uint_gt(log_dropped(), before);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_null(strstr(text, "lost"));
	(void)snprintf(said, sizeof(said), "msg=\"log lines lost\" lines=%u\n",
	    (unsigned)(log_dropped() - before));
	log_event(LOG_INFO, "afterwards", "a=%d", 1);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	log_event(LOG_INFO, "and on", "a=%d", 2);
	n += read(fds[0], text + n, sizeof(text) - 1 - (size_t)n);
	text[n] = '\0';
	/* Once, and before what follows. */
	ck_assert_ptr_nonnull(strstr(text, said));
	ck_assert_ptr_null(strstr(strstr(text, said) + strlen(said), "lost"));
	ck_assert_ptr_nonnull(strstr(strstr(text, said), "afterwards"));
	ck_assert_ptr_nonnull(strstr(text, "msg=\"and on\" a=2\n"));
	log_set_fd(STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* -- threads ------------------------------------------------------------- */

#define WRITERS 4
#define WRITER_LINES 2000

static int running;

static void *writer_thread(void *argument)
{
	unsigned writer = (unsigned)(uintptr_t)argument;

	for (int i = 0; i < WRITER_LINES; i++) {
		log_event(LOG_INFO, "w", "writer=%u i=%d", writer, i);
		/* So that slots are drained and used again meanwhile. */
		if (i % 8 == 0)
			sched_yield();
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Every line arrives whole and, writer by writer, in order, or is counted. */
START_TEST(test_many_writers)
{
	static char text[WRITERS * WRITER_LINES * 80];
	uint64_t before = log_dropped();
	pthread_t threads[WRITERS];
	int last[WRITERS] = {-1, -1, -1, -1};
	uint32_t drained = 0, lines = 0;

	start(LOG_LOGFMT, LOG_INFO);
	ck_assert_int_eq(log_start_queue(64), 0);
	running = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, writer_thread, (void *)i),
		    0);
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		drained += log_drain();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	drained += log_drain();
	log_stop_queue();
	ck_assert_uint_gt(drained, 0);
	ck_assert_uint_eq(
	    drained + (log_dropped() - before), WRITERS * WRITER_LINES);
	read_all(text, sizeof(text));
	for (const char *p = text; *p; p++) {
		unsigned writer, lost;
		int i, used = 0;

		if (sscanf(p,
			"ts=%*24s level=warn msg=\"log lines lost\" "
			"lines=%u%n",
			&lost, &used) == 1) {
			p += used;
			continue;
		}
		ck_assert_int_eq(sscanf(p,
				     "ts=%*24s level=info msg=\"w\" "
				     "writer=%u i=%d%n",
				     &writer, &i, &used),
		    2);
		ck_assert_int_eq(p[used], '\n');
		ck_assert_uint_lt(writer, WRITERS);
		ck_assert_int_gt(i, last[writer]);
		last[writer] = i;
		p += used;
		lines++;
	}
	ck_assert_uint_eq(lines, drained);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, test_event_in_both_formats);
	tcase_add_test(tcase, test_levels);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_limited_event_says_how_many);
	tcase_add_test(tcase, test_queue_keeps_order_and_counts_overflow);
	tcase_add_test(tcase, test_closed_pipe_ends_nothing);
	tcase_add_test(tcase, test_lost_lines_are_said);
	tcase_add_test(tcase, test_full_disk_is_counted);
	tcase_add_loop_test(tcase, test_slow_reader_blocks_nothing, 0, 2);
	tcase_add_test(tcase, test_many_writers);
	return check_main(tcase);
}
