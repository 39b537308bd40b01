/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct ctl_request *ret)
{
	char error[CTL_REQUEST_ERROR_MAX] = "";
	/* Of exactly this size, so that reading on is seen. */
	size_t length = strlen(text);
	char *copy = malloc(length + 1);
	int err;

	memcpy(copy, text, length);
	copy[length] = '}';
	err = ctl_request_parse(copy, length, ret, error);
	free(copy);
	ck_assert_int_eq(err != 0, error[0] != '\0');
	return err;
}

START_TEST(test_command_and_arguments)
{
	struct ctl_request r;

	ck_assert_int_eq(parse("{\"command\":\"weight\",\"arguments\":["
			       "\"origins\",\"a\",\"5\"]}",
			     &r),
	    0);
	ck_assert_str_eq(r.command, "weight");
	ck_assert_uint_eq(r.n_arguments, 3);
	ck_assert_str_eq(r.arguments[0], "origins");
	ck_assert_str_eq(r.arguments[1], "a");
	ck_assert_str_eq(r.arguments[2], "5");
	ck_assert_int_eq(parse(" { \"command\" : \"status\" } ", &r), 0);
	ck_assert_str_eq(r.command, "status");
	ck_assert_uint_eq(r.n_arguments, 0);
	ck_assert_int_eq(parse("{\"arguments\":[],\"command\":\"x\"}", &r), 0);
	ck_assert_int_eq(
	    parse("{\"command\":\"f\",\"arguments\":[\"\",\"\xc3\xa4\"]}", &r),
	    0);
	ck_assert_str_eq(r.arguments[0], "");
	ck_assert_str_eq(r.arguments[1], "\xc3\xa4");
}
END_TEST

/* Each is refused, and leaves the caller's request as it was. */
static const char *const garbage[] = {
    "",
    "x",
    "null",
    "5",
    "\"status\"",
    "[]",
    "{}",
    "{",
    "{\"command\"}",
    "{\"command\":}",
    "{\"command\":null}",
    "{\"command\":5}",
    "{\"command\":\"\"}",
    "{\"command\":[\"status\"]}",
    "{\"command\":\"a\",\"command\":\"b\"}",
    "{\"command\":\"a\"} x",
    "{\"command\":\"a\"}{\"command\":\"b\"}",
    "{\"command\":\"a\",\"arguments\":null}",
    "{\"command\":\"a\",\"arguments\":{}}",
    "{\"command\":\"a\",\"arguments\":\"b\"}",
    "{\"command\":\"a\",\"arguments\":[1]}",
    "{\"command\":\"a\",\"arguments\":[null]}",
    "{\"command\":\"a\",\"arguments\":[[\"b\"]]}",
    "{\"command\":\"a\",\"arguments\":[\"b\",]}",
    "{\"command\":\"a\",\"argument\":[\"b\"]}",
    "{\"command\":\"a\",\"arguments\":[],\"more\":1}",
    "{\"command\":\"a\\u0000b\"}",
    "{\"command\":\"a\\nb\"}",
    "{\"command\":\"a\",\"arguments\":[\"\\u001b[2J\"]}",
    "{\"command\":\"a\",\"arguments\":[\"\\u007f\"]}",
    "{\"command\":\"a\",\"arguments\":[\"\\u009b2J\"]}",
    "{\"command\":\"a\xff\"}",
    "{\"command\":\"a\xc3\"}",
    "{\"command\":\"this-name-is-longer-than-any-of-ours\"}",
    "{\"command\":\"a\",\"arguments\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\","
    "\"7\",\"8\",\"9\"]}",
};

START_TEST(test_garbage_is_refused)
{
	struct ctl_request r = {.command = "before", .n_arguments = 7};

	ck_assert_msg(
	    parse(garbage[_i], &r) == BR_E_SYNTAX, "accepted: %s", garbage[_i]);
	ck_assert_str_eq(r.command, "before");
	ck_assert_uint_eq(r.n_arguments, 7);
}
END_TEST

static int parse_long(int argument_bytes, struct ctl_request *ret)
{
	char text[CTL_ARGUMENT_MAX + 128], argument[CTL_ARGUMENT_MAX + 16];

	memset(argument, 'x', sizeof(argument));
	snprintf(text, sizeof(text),
	    "{\"command\":\"c\",\"arguments\":[\"%.*s\"]}", argument_bytes,
	    argument);
	return parse(text, ret);
}

START_TEST(test_longest_argument)
{
	struct ctl_request r;

	ck_assert_int_eq(parse_long(CTL_ARGUMENT_MAX, &r), 0);
	ck_assert_uint_eq(strlen(r.arguments[0]), CTL_ARGUMENT_MAX);
	ck_assert_int_eq(parse_long(CTL_ARGUMENT_MAX + 1, &r), BR_E_SYNTAX);
}
END_TEST

/* jansson bounds its recursion; without that this would overflow the stack. */
START_TEST(test_deep_nesting)
{
	struct ctl_request r;
	char *text = malloc(60001);

	memset(text, '[', 60000);
	text[60000] = '\0';
	ck_assert_int_eq(parse(text, &r), BR_E_SYNTAX);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_request");
	TCase *tcase = tcase_create("ctl_request");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_command_and_arguments);
	tcase_add_loop_test(tcase, test_garbage_is_refused, 0,
	    (int)(sizeof(garbage) / sizeof(garbage[0])));
	tcase_add_test(tcase, test_longest_argument);
	tcase_add_test(tcase, test_deep_nesting);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
