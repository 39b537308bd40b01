/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/agent_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NO 999999

struct row {
	const char *line;
	enum agent_admin admin;
	enum agent_health health;
	uint32_t percent, maxconn; /* NO: not said */
	uint32_t unknown;
	const char *reason;
};

#define A(x) AGENT_ADMIN_##x
#define H(x) AGENT_HEALTH_##x

static const struct row rows[] = {
    {"\n", A(UNSAID), H(UNSAID), NO, NO, 0, ""},
    {"75%\n", A(UNSAID), H(UNSAID), 75, NO, 0, ""},
    {"0%\r\n", A(UNSAID), H(UNSAID), 0, NO, 0, ""},
    {"75% up maxconn:30\n", A(UNSAID), H(UP), 75, 30, 0, ""},
    {"ready,up\n", A(READY), H(UP), NO, NO, 0, ""},
    {"\t, drain ,\t\n", A(DRAIN), H(UNSAID), NO, NO, 0, ""},
    {"MAINT Down\n", A(MAINT), H(DOWN), NO, NO, 0, ""},
    {"fail\n", A(UNSAID), H(FAIL), NO, NO, 0, ""},
    {"stopped #for the night\r", A(UNSAID), H(STOPPED), NO, NO, 0,
	"for the night"},
    {"down#disk full\n", A(UNSAID), H(DOWN), NO, NO, 0, "disk full"},
    {"down # up 5%\n", A(UNSAID), H(DOWN), NO, NO, 0, "up 5%"},
    {"#\n", A(UNSAID), H(UNSAID), NO, NO, 0, ""},
    /* The last of a kind holds. */
    {"up down 10% 20% ready drain maxconn:1 maxconn:2\n", A(DRAIN), H(DOWN), 20,
	2, 0, ""},
    {"maxconn:0\n", A(UNSAID), H(UNSAID), NO, 0, 0, ""},
    {"MaxConn:7\n", A(UNSAID), H(UNSAID), NO, 7, 0, ""},
    {"25600%\n", A(UNSAID), H(UNSAID), 25600, NO, 0, ""},
    /* What is not quite a word is none, and changes nothing. */
    {"5% 25601% -1% 1.5% % 7 5%% 18446744073709551617%\n", A(UNSAID), H(UNSAID),
	5, NO, 7, ""},
    {"maxconn: maxconn:-1 maxconn:x maxconn:1000000001 maxconn\n", A(UNSAID),
	H(UNSAID), NO, NO, 5, ""},
    {"upp u readydrain\n", A(UNSAID), H(UNSAID), NO, NO, 3, ""},
    {"up\ndown\n", A(UNSAID), H(UP), NO, NO, 0, ""},
};

static void check(const struct row *row, const struct agent_report *r)
{
	ck_assert_int_eq(r->admin, row->admin);
	ck_assert_int_eq(r->health, row->health);
	ck_assert_int_eq(r->has_percent, row->percent != NO);
	ck_assert_uint_eq(r->percent, r->has_percent ? row->percent : 0);
	ck_assert_int_eq(r->has_maxconn, row->maxconn != NO);
	ck_assert_uint_eq(r->maxconn, r->has_maxconn ? row->maxconn : 0);
	ck_assert_uint_eq(r->unknown, row->unknown);
	ck_assert_str_eq(r->reason, row->reason);
}

START_TEST(test_rows)
{
	const struct row *row = &rows[_i];
	size_t length = strlen(row->line);
	size_t line = strcspn(row->line, "\r\n");
	struct agent_report r;

	for (size_t n = 0; n <= length; n++) {
		/* In a block of its own, so that reading beyond it is seen. */
		char *own = malloc(n + !n);

		ck_assert_ptr_nonnull(own);
		memcpy(own, row->line, n);
		ck_assert_int_eq(agent_text_parse(own, n, false, &r), n > line);
		if (n > line)
			check(row, &r);
		ck_assert_int_eq(agent_text_parse(own, n, true, &r), 1);
		if (n >= line)
			check(row, &r);
		free(own);
	}
}
END_TEST

START_TEST(test_bounds)
{
	char text[AGENT_TEXT_BYTES_MAX + 8];
	struct agent_report r;

	memset(text, 'x', sizeof(text));
	text[AGENT_TEXT_BYTES_MAX] = '\n';
	ck_assert_int_eq(agent_text_parse(text, sizeof(text), false, &r), 1);
	ck_assert_int_eq(
	    agent_text_parse(text, AGENT_TEXT_BYTES_MAX, false, &r), 0);
	text[AGENT_TEXT_BYTES_MAX] = 'x';
	ck_assert_int_eq(
	    agent_text_parse(text, sizeof(text), false, &r), BR_E_PROTOCOL);
	ck_assert_int_eq(
	    agent_text_parse(text, sizeof(text), true, &r), BR_E_PROTOCOL);
	ck_assert_int_eq(
	    agent_text_parse("up\0\n", 4, false, &r), BR_E_PROTOCOL);
}
END_TEST

START_TEST(test_reason_is_cut_and_printable)
{
	char text[300] = "down #a\tb\x1b\x7f"
			 "c\xc3\xa4 ";
	struct agent_report r;

	memset(text + strlen(text), 'y', sizeof(text) - strlen(text));
	ck_assert_int_eq(agent_text_parse(text, sizeof(text), true, &r), 1);
	ck_assert_uint_eq(strlen(r.reason), AGENT_TEXT_REASON_MAX - 1);
	ck_assert_int_eq(strncmp(r.reason, "a?b??c\xc3\xa4 yyy", 12), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent_text");
	TCase *tcase = tcase_create("agent_text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(
	    tcase, test_rows, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_reason_is_cut_and_printable);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
