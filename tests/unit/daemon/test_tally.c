/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/count_block.h"
#include "daemon/metrics_format.h"
#include "daemon/tally.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char page[] = "# TYPE braid_worker_turns counter\n"
			   "# HELP braid_worker_turns Turns\n"
			   "braid_worker_turns_total{worker=\"0\"} 7\n"
			   "braid_worker_turns_total{worker=\"5\"} 11\n"
			   "# TYPE process_cpu_seconds counter\n"
			   "process_cpu_seconds_total 1.5\n"
			   "# TYPE braid_connections gauge\n"
			   "braid_connections 3\n"
			   "# TYPE braid_workers gauge\n"
			   "braid_workers 8\n"
			   "# TYPE t_seconds histogram\n"
			   "t_seconds_bucket{le=\"+Inf\"} 4\n"
			   "t_seconds_count 4\n"
			   "t_seconds_sum 2.25\n"
			   "# EOF\n";

static struct tally *tally;
static struct strbuf text;

static void setup(void)
{
	tally = tally_new();
	strbuf_init(&text);
}

static void teardown(void)
{
	tally_free(tally);
	strbuf_fini(&text);
}

static uint64_t whole(const char *sample)
{
	return tally_take(tally, sample).whole;
}

START_TEST(test_counters)
{
	tally_add(tally, page, strlen(page), false);
	ck_assert_uint_eq(whole("braid_worker_turns_total{worker=\"0\"}"), 7);
	ck_assert_uint_eq(whole("braid_worker_turns_total{worker=\"9\"}"), 0);
	ck_assert_double_eq(
	    tally_take(tally, "process_cpu_seconds_total").part, 1.5);
	ck_assert_uint_eq(whole("t_seconds_bucket{le=\"+Inf\"}"), 4);
	/* Of the dead no gauges. */
	ck_assert_uint_eq(whole("braid_connections"), 0);
}
END_TEST

START_TEST(test_living)
{
	tally_add(tally, page, strlen(page), true);
	ck_assert_uint_eq(whole("braid_connections"), 3);
	/* Not a sum over processes. */
	ck_assert_uint_eq(whole("braid_workers"), 0);
}
END_TEST

START_TEST(test_merge)
{
	struct tally *other = tally_new();

	tally_add(tally, page, strlen(page), false);
	tally_add(other, page, strlen(page), true);
	tally_merge(tally, other);
	tally_free(other);
	ck_assert_uint_eq(whole("braid_worker_turns_total{worker=\"5\"}"), 22);
	ck_assert_uint_eq(whole("braid_connections"), 3);
	ck_assert_double_eq(
	    tally_take(tally, "process_cpu_seconds_total").part, 3.0);
}
END_TEST

START_TEST(test_strange_text)
{
	static const char strange[] = "# TYPE a counter\n"
				      "a_total\n"
				      " 5\n"
				      "a_total x\n"
				      "a_total -5\n"
				      "a_total 5x\n"
				      "\n"
				      "a_total 4";

	tally_add(tally, strange, strlen(strange), false);
	ck_assert_uint_eq(whole("a_total"), 4);
	ck_assert_uint_eq(whole(""), 0);
}
END_TEST

/* What a page shows: sums, then what only others have, each once. */
START_TEST(test_page)
{
	static const struct metric_family turns = {
	    "braid_worker_turns", METRIC_COUNTER, "", "worker", "Turns"};
	static const struct metric_family cpu = {
	    "process_cpu_seconds", METRIC_COUNTER, "seconds", "", "CPU"};
	struct metric_label worker = {"worker", "0"};
	struct metrics_writer w;

	tally_add(tally, page, strlen(page), false);
	metrics_begin(&w, &text, METRICS_OPENMETRICS, tally);
	metrics_family(&w, &turns);
	metrics_uint(&w, &worker, 1, 3);
	metrics_family(&w, &cpu);
	metrics_double(&w, NULL, 0, 0.25);
	metrics_end(&w);
	ck_assert_str_eq(strbuf_text(&text),
	    "# TYPE braid_worker_turns counter\n"
	    "# HELP braid_worker_turns Turns\n"
	    "braid_worker_turns_total{worker=\"0\"} 10\n"
	    "braid_worker_turns_total{worker=\"5\"} 11\n"
	    "# TYPE process_cpu_seconds counter\n"
	    "# UNIT process_cpu_seconds seconds\n"
	    "# HELP process_cpu_seconds CPU\n"
	    "process_cpu_seconds_total 1.75\n"
	    "# EOF\n");
}
END_TEST

START_TEST(test_block)
{
	struct count_block writer, reader;

	ck_assert_int_eq(count_block_new(&writer), 0);
	ck_assert_int_eq(count_block_open(&reader, dup(writer.fd)), 0);
	ck_assert_int_eq(count_block_read(&reader, &text), 0);
	ck_assert_uint_eq(text.length, 0);
	ck_assert_int_eq(count_block_write(&writer, page, strlen(page)), 0);
	ck_assert_int_eq(count_block_read(&reader, &text), 0);
	ck_assert_str_eq(strbuf_text(&text), page);
	/* Shorter, and after the writer's end. */
	ck_assert_int_eq(count_block_write(&writer, "ab", 2), 0);
	count_block_set_connections(&writer, 12);
	count_block_close(&writer);
	ck_assert_int_eq(writer.fd, -1);
	ck_assert_int_eq(count_block_read(&reader, &text), 0);
	ck_assert_str_eq(strbuf_text(&text), "ab");
	ck_assert_uint_eq(count_block_connections(&reader), 12);
	count_block_close(&reader);
}
END_TEST

/* The writer died in the middle: what was read before stays. */
START_TEST(test_torn_block)
{
	struct count_block writer, reader;
	uint32_t odd = 3;

	ck_assert_int_eq(count_block_new(&writer), 0);
	ck_assert_int_eq(count_block_open(&reader, dup(writer.fd)), 0);
	ck_assert_int_eq(count_block_write(&writer, "ab", 2), 0);
	ck_assert_int_eq(count_block_read(&reader, &text), 0);
	/* The sequence is the second word of the file. */
	ck_assert_int_eq(pwrite(writer.fd, &odd, sizeof odd, 4), 4);
	ck_assert_int_eq(count_block_read(&reader, &text), -EAGAIN);
	ck_assert_str_eq(strbuf_text(&text), "ab");
	count_block_close(&writer);
	count_block_close(&reader);
}
END_TEST

START_TEST(test_not_a_block)
{
	char name[] = "/tmp/test_tally.XXXXXX";
	struct count_block block;
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	(void)unlink(name);
	ck_assert_int_eq(count_block_open(&block, fd), BR_E_PROTOCOL);
	ck_assert_int_eq(close(fd), -1); /* it was taken over */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tally");
	TCase *tc = tcase_create("tally");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_counters);
	tcase_add_test(tc, test_living);
	tcase_add_test(tc, test_merge);
	tcase_add_test(tc, test_strange_text);
	tcase_add_test(tc, test_page);
	tcase_add_test(tc, test_block);
	tcase_add_test(tc, test_torn_block);
	tcase_add_test(tc, test_not_a_block);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
