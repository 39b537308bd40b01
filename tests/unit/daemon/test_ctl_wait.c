/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/ctl_fixture.h"

/* Commands whose answer takes as long as it takes, and what happens to the
 * socket meanwhile. */

START_TEST(test_reload)
{
	static const char *const lines[] = {"braid.yaml:1:1: no", "more"};
	struct reload_result refused = {.number = 1,
	    .summary = "refused, 2 errors",
	    .lines = lines,
	    .n_lines = 2};
	struct control *c = control_new();
	int fd = client_open(c);
	const char *answer;

	say(fd, "{\"command\":\"reload\"}\n");
	settle(c);
	/* The verdict may take longer than any other answer. */
	step_ms(c, 10 * CTL_IDLE_MS);
	settle(c);
	ck_assert_ptr_null(hear(fd));
	expect(c, "{\"command\":\"reload\"}\n", "{\"exit\":75,");
	c->reload_done(c->reload_context, &refused);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(
	    strstr(answer, "{\"exit\":78,\"error\":\"refused, 2 errors\""));
	ck_assert_ptr_nonnull(
	    strstr(answer, "\"lines\":[\"braid.yaml:1:1: no\",\"more\"]"));
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_stop_while_reloading)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"reload\"}\n");
	settle(c);
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(c->forgotten);
	ck_assert_str_eq(hear(fd), "");
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_upgrade)
{
	struct upgrade_result failed = {.text = "it ended with status 78"};
	struct upgrade_result done = {.done = true,
	    .pid = 18,
	    .generation = 2,
	    .flows_left = 5,
	    .took_ms = 7};
	struct control *c = control_new();
	int fd = client_open(c);
	const char *answer;

	expect(c, "{\"command\":\"upgrade\",\"arguments\":[\"braidd\"]}\n",
	    "{\"exit\":64,");
	say(fd, "{\"command\":\"upgrade\",\"arguments\":[\"/x/braidd\"]}\n");
	settle(c);
	step_ms(c, 10 * CTL_IDLE_MS);
	settle(c);
	ck_assert_ptr_null(hear(fd));
	ck_assert_str_eq(c->upgrade_binary, "/x/braidd");
	expect(c, "{\"command\":\"upgrade\"}\n", "{\"exit\":75,");
	c->upgrade_done(c->upgrade_context, &failed);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(strstr(
	    answer, "{\"exit\":1,\"error\":\"upgrade failed: it ended with "));
	close(fd);

	c->upgrade_done = NULL;
	fd = client_open(c);
	say(fd, "{\"command\":\"upgrade\"}\n");
	settle(c);
	ck_assert_str_eq(c->upgrade_binary, "-");
	c->upgrade_done(c->upgrade_context, &done);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(strstr(answer, "\"pid\":18,\"generation\":2,"));
	ck_assert_ptr_nonnull(strstr(answer, "\"flows_left\":5"));
	close(fd);
	ck_assert(!c->forgotten);
	control_free(c);
}
END_TEST

START_TEST(test_stop_while_upgrading)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"upgrade\"}\n");
	settle(c);
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(c->forgotten);
	ck_assert_str_eq(hear(fd), "");
	close(fd);
	control_free(c);
}
END_TEST

/* Whoever comes while it is held waits in the queue, for this process or for
 * another one with the same socket. */
START_TEST(test_hold)
{
	struct control *c = control_new();
	int before = client_open(c), fd;

	settle(c);
	ctl_hold(c->ctl, true);
	settle(c);
	fd = client_open(c);
	say(fd, "{\"command\":\"status\"}\n");
	settle(c);
	ck_assert_ptr_null(hear(fd));
	say(before, "{\"command\":\"status\"}\n");
	settle(c);
	ck_assert_ptr_nonnull(hear(before));
	ctl_hold(c->ctl, false);
	settle(c);
	ck_assert_ptr_nonnull(hear(fd));
	/* Not for long enough to be noticed. */
	ctl_hold(c->ctl, true);
	ctl_hold(c->ctl, false);
	settle(c);
	expect(c, "{\"command\":\"status\"}\n", "{\"exit\":0,");
	close(before);
	close(fd);
	control_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_wait");
	TCase *tcase = tcase_create("ctl_wait");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_reload);
	tcase_add_test(tcase, test_stop_while_reloading);
	tcase_add_test(tcase, test_upgrade);
	tcase_add_test(tcase, test_stop_while_upgrading);
	tcase_add_test(tcase, test_hold);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
