/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/load.h"

#include "daemon/dns_views.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon daemon_;
static char path[64], listener[128];
static struct plan *current;

static void write_file(const char *listeners, const char *servers)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	(void)fprintf(file,
	    "listeners:\n  web: {%s}\npools:\n  p: {servers: {%s}}\n",
	    listeners, servers);
	ck_assert_int_eq(fclose(file), 0);
}

/* What a plan is built from; lives until the next call. */
static const struct plan_source *source_of(
    struct conf *conf, const struct conf_diff *changes)
{
	static const struct tls_process no_tls;
	static struct plan_source source;
	struct conf_errors errors;

	conf_errors_init(&errors);
	source = (struct plan_source){
	    .conf = conf, .tls_process = &no_tls, .diff = changes};
	ck_assert_int_eq(tls_store_load(conf, NULL, &errors, &source.tls), 0);
	conf_errors_fini(&errors);
	return &source;
}

static void setup(void)
{
	struct conf_errors errors;
	struct plan_error error;
	struct conf *conf;

	(void)snprintf(
	    path, sizeof path, "/tmp/test_load.%d.yaml", (int)getpid());
	(void)snprintf(listener, sizeof listener,
	    "bind: \"unix:/tmp/test_load.%d.sock\", pool: p", (int)getpid());
	memset(&daemon_, 0, sizeof daemon_);
	daemon_.config_file = path;
	daemon_.n_workers = 1;
	daemon_.board = board_new(1);
	write_file(listener, "a: {address: \"127.0.0.1:9\"}");
	conf_errors_init(&errors);
	ck_assert_int_eq(conf_load(path, &conf, &errors), 0);
	conf_errors_fini(&errors);
	ck_assert_int_eq(plan_build(source_of(conf, NULL), NULL, daemon_.board,
			     1, &current, &error),
	    0);
}

static void teardown(void)
{
	plan_free(current, daemon_.board);
	board_free(daemon_.board);
	(void)unlink(path);
}

static struct load_job *run(void)
{
	struct load_job *job = load_job_new(&daemon_, current, LOAD_FILE);
	struct name_view *view = name_view_new();

	if (load_start(job))
		load_finish(job, view);
	name_view_unref(view);
	return job;
}

/* What control takes of a job whose file is good. */
static void drop_plan(struct load_job *job)
{
	dns_published_free(job->published);
	plan_free(job->plan, daemon_.board);
}

START_TEST(test_bad_file_gives_all_errors)
{
	struct load_job *job;

	write_file("bind: \"unix:/x\", pool: q, bog: 1", "a: {adress: 1}");
	job = run();
	ck_assert_ptr_null(job->plan);
	ck_assert_uint_ge(job->errors.n_errors, 3);
	ck_assert_str_eq(job->plan_error.text, "");
	ck_assert_ptr_nonnull(strstr(job->summary, "refused, "));
	load_job_free(job);
}
END_TEST

START_TEST(test_missing_file_is_one_error)
{
	struct load_job *job;

	(void)unlink(path);
	job = run();
	ck_assert_ptr_null(job->plan);
	ck_assert_uint_eq(job->errors.n_errors, 1);
	ck_assert_str_eq(job->summary, "refused, 1 error");
	load_job_free(job);
}
END_TEST

START_TEST(test_socket_that_cannot_be_opened)
{
	struct load_job *job;

	write_file("bind: \"unix:/nonexistent/x\", pool: p",
	    "a: {address: \"127.0.0.1:9\"}");
	job = run();
	ck_assert_ptr_null(job->plan);
	ck_assert_uint_eq(job->errors.n_errors, 0);
	ck_assert_ptr_nonnull(
	    strstr(job->plan_error.text, "unix:/nonexistent/x"));
	ck_assert_ptr_nonnull(strstr(job->summary, job->plan_error.text));
	load_job_free(job);
}
END_TEST

static void expect_summary(const char *text, const char *summary)
{
	FILE *file = fopen(path, "w");
	struct load_job *job;

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	job = run();
	ck_assert_ptr_nonnull(job->plan);
	ck_assert_str_eq(job->summary, summary);
	drop_plan(job);
	load_job_free(job);
}

#define POOLS "pools:\n  p: {servers: {a: {address: \"127.0.0.1:9\"}}}\n"

START_TEST(test_says_what_changed)
{
	char text[1024];

	(void)snprintf(text, sizeof text,
	    "# only a comment\nlisteners:\n  web: {%s}\n" POOLS, listener);
	expect_summary(text, "nothing changed");
	(void)snprintf(text, sizeof text,
	    "global: {log: {level: debug}}\nlisteners:\n  web: {%s, "
	    "max_connections: 7}\n" POOLS,
	    listener);
	expect_summary(text,
	    "1 setting changed (global.log.level), 1 listener changed (web)");
	(void)snprintf(text, sizeof text,
	    "listeners:\n  site: {%s}\n"
	    "pools:\n  p: {balance: rr, servers: {z: {address: "
	    "\"127.0.0.1:9\"}}}\n",
	    listener);
	expect_summary(text,
	    "1 listener added (site), 1 listener removed (web), "
	    "1 pool changed (p), 1 server added (p/z), "
	    "1 server removed (p/a)");
	(void)snprintf(text, sizeof text,
	    "listeners:\n  web: {%s}\n"
	    "pools:\n  p: {servers: {a: {address: \"127.0.0.1:9\"}, "
	    "b: {address: \"127.0.0.1:1\"}, c: {address: \"127.0.0.1:2\"}, "
	    "d: {address: \"127.0.0.1:3\"}, e: {address: \"127.0.0.1:4\"}, "
	    "f: {address: \"127.0.0.1:5\"}}}\n",
	    listener);
	expect_summary(text, "5 servers added");
	(void)snprintf(text, sizeof text,
	    "global: {workers: 3}\nlisteners:\n  web: {%s}\n" POOLS, listener);
	expect_summary(
	    text, "nothing changed but 1 setting with the next restart");
}
END_TEST

START_TEST(test_good_file_counts_changes)
{
	struct load_job *job;

	write_file(listener, "a: {address: \"127.0.0.1:9\", weight: 4}, "
			     "b: {address: \"127.0.0.1:10\"}");
	job = run();
	ck_assert_ptr_nonnull(job->plan);
	ck_assert_str_eq(
	    job->summary, "1 server added (p/b), 1 server changed (p/a)");
	ck_assert_uint_eq(job->n_reweighted, 1);
	ck_assert_str_eq(job->reweighted[0]->server, "a");
	drop_plan(job);
	load_job_free(job);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_bad_file_gives_all_errors);
	tcase_add_test(tcase, test_missing_file_is_one_error);
	tcase_add_test(tcase, test_socket_that_cannot_be_opened);
	tcase_add_test(tcase, test_good_file_counts_changes);
	tcase_add_test(tcase, test_says_what_changed);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
