/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/talk.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "probe/quote.h"

static struct talk talk;
static struct conf_step steps[CONF_SCRIPT_STEPS_MAX + 1];
static struct conf_health script;

static void setup(void)
{
	memset(&talk, 0xa5, sizeof(talk));
	memset(steps, 0, sizeof(steps));
	script = (struct conf_health){
	    .type = CONF_HEALTH_SEND_EXPECT, .steps = steps};
}

static struct conf_bytes bytes_of(const char *text)
{
	return (struct conf_bytes){.at = text, .n = (uint32_t)strlen(text)};
}

static void add_send(const char *text)
{
	steps[script.n_steps++].send = bytes_of(text);
}

static void add_expect(const char *text)
{
	steps[script.n_steps++].expect = bytes_of(text);
}

static enum talk_next begin(void)
{
	struct addr to;

	ck_assert_int_eq(addr_parse(&to, "127.0.0.1:25"), 0);
	ck_assert_int_eq(talk_init_check(&talk, &script, &to, NULL), 0);
	return talk_begin(&talk);
}

static enum talk_next hear_bytes(const char *bytes, uint32_t n)
{
	uint32_t room;
	char *at = talk_room(&talk, &room);

	ck_assert_uint_ge(room, n);
	memcpy(at, bytes, n);
	return talk_on_received(&talk, n);
}

static enum talk_next hear(const char *text)
{
	return hear_bytes(text, (uint32_t)strlen(text));
}

#define ck_assert_sends(next, text)                                            \
	do {                                                                   \
		ck_assert_int_eq(next, TALK_SEND);                             \
		ck_assert_uint_eq(talk.out_bytes, strlen(text));               \
		ck_assert_mem_eq(talk.out, text, strlen(text));                \
	} while (0)

START_TEST(a_question_and_its_answer)
{
	add_send("PING\r\n");
	add_expect("+PONG");
	ck_assert_sends(begin(), "PING\r\n");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear("+PONG\r\n"), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
	ck_assert_str_eq(talk.cause, "all 2 steps as expected");
}
END_TEST

START_TEST(a_banner_comes_first)
{
	add_expect("220 ");
	add_send("EHLO me\r\n");
	add_expect("250 ");
	add_send("QUIT\r\n");
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	ck_assert_sends(hear("220 mail ready\r\n"), "EHLO me\r\n");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear("250-SIZE\r\n"), TALK_RECEIVE);
	ck_assert_sends(hear("250 HELP\r\n"), "QUIT\r\n");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
}
END_TEST

/* Every way to cut the answer into two and three pieces. */
START_TEST(an_answer_in_pieces)
{
	static const char answer[] = "xx+PO+PONG\r\n";
	const uint32_t n = sizeof(answer) - 1;

	add_expect("+PONG");
	for (uint32_t i = 1; i < n; i++) {
		enum talk_next next = begin();

		ck_assert_int_eq(next, TALK_RECEIVE);
		next = hear_bytes(answer, i);
		for (uint32_t k = i; next == TALK_RECEIVE && k < n; k++)
			next = hear_bytes(answer + k, 1);
		ck_assert_int_eq(next, TALK_ENDED);
		ck_assert_int_eq(talk.error, 0);
	}
}
END_TEST

START_TEST(several_expects_look_at_the_same_bytes)
{
	add_expect("two");
	add_expect("one");
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	ck_assert_int_eq(hear("one two"), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
}
END_TEST

START_TEST(what_came_before_a_send_is_no_answer_to_it)
{
	add_expect("ok");
	add_send("next");
	add_expect("ok");
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	ck_assert_sends(hear("ok ok"), "next");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	ck_assert_int_eq(talk_on_end(&talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_CLOSED);
}
END_TEST

START_TEST(the_cause_says_what_was_expected_and_what_came)
{
	char wait[BOARD_CAUSE_MAX];

	add_send("PING\r\n");
	add_expect("+PONG\r\n");
	ck_assert_sends(begin(), "PING\r\n");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	talk_explain_wait(&talk, false, wait, sizeof(wait));
	ck_assert_str_eq(
	    wait, "waiting for \"+PONG\" (step 2), received nothing");
	ck_assert_int_eq(hear("-LOADING \"\x01\r\n"), TALK_RECEIVE);
	talk_explain_wait(&talk, false, wait, sizeof(wait));
	ck_assert_str_eq(
	    wait, "waiting for \"+PONG\" (step 2), received \"-LOADING ..\"");
	ck_assert_int_eq(talk_on_end(&talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_CLOSED);
	ck_assert_str_eq(talk.cause, "step 2: expected \"+PONG\", received "
				     "\"-LOADING ..\" and the end");
}
END_TEST

/* The longest quotes fit, so that no cause loses its end. */
START_TEST(quotes_are_bounded)
{
	static char text[100];

	memset(text, 'e', sizeof(text) - 1);
	add_expect(text);
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	memset(text, 'r', sizeof(text) - 1);
	ck_assert_int_eq(hear(text), TALK_RECEIVE);
	ck_assert_int_eq(talk_on_end(&talk), TALK_ENDED);
	ck_assert_ptr_nonnull(strstr(talk.cause, "and the end"));
	ck_assert_ptr_null(strstr(
	    talk.cause, "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr")); /* 41 */
	ck_assert_ptr_nonnull(strstr(talk.cause,
	    "\"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\"...")); /* 40 */
}
END_TEST

START_TEST(no_more_than_16_kib_are_looked_at)
{
	static char much[TALK_BYTES_MAX];
	uint32_t room;

	add_expect("never");
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	memset(much, 'n', sizeof(much));
	ck_assert_int_eq(hear_bytes(much, TALK_BYTES_MAX - 1), TALK_RECEIVE);
	(void)talk_room(&talk, &room);
	ck_assert_uint_eq(room, 1);
	ck_assert_int_eq(hear("n"), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(talk.cause, "16 KiB without it"));
}
END_TEST

START_TEST(the_last_bytes_of_16_kib_may_hold_it)
{
	static char much[TALK_BYTES_MAX];

	add_expect("never");
	ck_assert_int_eq(begin(), TALK_RECEIVE);
	memset(much, 'n', sizeof(much));
	ck_assert_int_eq(hear_bytes(much, TALK_BYTES_MAX - 2), TALK_RECEIVE);
	talk.bytes[TALK_BYTES_MAX - 5] = 'n';
	talk.bytes[TALK_BYTES_MAX - 4] = 'e';
	talk.bytes[TALK_BYTES_MAX - 3] = 'v';
	ck_assert_int_eq(hear("er"), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
}
END_TEST

START_TEST(too_long_a_script_is_refused)
{
	struct addr to;

	ck_assert_int_eq(addr_parse(&to, "127.0.0.1:25"), 0);
	for (int i = 0; i < CONF_SCRIPT_STEPS_MAX + 1; i++)
		add_expect("x");
	ck_assert_int_eq(talk_init_check(&talk, &script, &to, NULL), -EMSGSIZE);
}
END_TEST

START_TEST(a_status_that_is_not_expected)
{
	struct conf_health http = {.type = CONF_HEALTH_HTTP,
	    .path = "/up",
	    .host = "www.example.com",
	    .n_status = 2,
	    .status = {{200, 299}, {301, 301}}};
	struct addr to;

	ck_assert_int_eq(addr_parse(&to, "127.0.0.1:80"), 0);
	ck_assert_int_eq(talk_init_check(&talk, &http, &to, NULL), 0);
	ck_assert_int_eq(talk_begin(&talk), TALK_SEND);
	ck_assert_ptr_nonnull(memmem(talk.out, talk.out_bytes,
	    "GET /up HTTP/1.1\r\nHost: www.example.com\r\n", 41));
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear("HTTP/1.1 503 No\r\n"), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_STATUS);
	ck_assert_str_eq(talk.cause, "status 503, expected 200-299,301");
}
END_TEST

START_TEST(an_agent_says_its_line)
{
	struct conf_agent agent = {.port = 1};

	talk_init_agent(&talk, &agent);
	ck_assert_int_eq(talk_begin(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear("75"), TALK_RECEIVE);
	ck_assert_int_eq(hear("%\n"), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
	ck_assert_uint_eq(talk.report.percent, 75);
	agent.send = bytes_of("me\n");
	talk_init_agent(&talk, &agent);
	ck_assert_sends(talk_begin(&talk), "me\n");
	ck_assert_int_eq(talk_on_sent(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear("drain"), TALK_RECEIVE);
	ck_assert_int_eq(talk_on_end(&talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, 0);
	ck_assert_int_eq(talk.report.admin, AGENT_ADMIN_DRAIN);
}
END_TEST

START_TEST(an_agent_without_a_line)
{
	struct conf_agent agent = {.port = 1};

	talk_init_agent(&talk, &agent);
	ck_assert_int_eq(talk_begin(&talk), TALK_RECEIVE);
	ck_assert_int_eq(talk_on_end(&talk), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_CLOSED);
	talk_init_agent(&talk, &agent);
	ck_assert_int_eq(talk_begin(&talk), TALK_RECEIVE);
	ck_assert_int_eq(hear_bytes("up\0\n", 4), TALK_ENDED);
	ck_assert_int_eq(talk.error, BR_E_PROTOCOL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("talk");
	TCase *tcase = tcase_create("talk");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, a_question_and_its_answer);
	tcase_add_test(tcase, a_banner_comes_first);
	tcase_add_test(tcase, an_answer_in_pieces);
	tcase_add_test(tcase, several_expects_look_at_the_same_bytes);
	tcase_add_test(tcase, what_came_before_a_send_is_no_answer_to_it);
	tcase_add_test(tcase, the_cause_says_what_was_expected_and_what_came);
	tcase_add_test(tcase, quotes_are_bounded);
	tcase_add_test(tcase, no_more_than_16_kib_are_looked_at);
	tcase_add_test(tcase, the_last_bytes_of_16_kib_may_hold_it);
	tcase_add_test(tcase, too_long_a_script_is_refused);
	tcase_add_test(tcase, a_status_that_is_not_expected);
	tcase_add_test(tcase, an_agent_says_its_line);
	tcase_add_test(tcase, an_agent_without_a_line);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
