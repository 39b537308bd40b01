/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/base/json_check.h"

#include <math.h>
#include <stdint.h>

static struct strbuf out;
static struct json j;

static void start(void)
{
	strbuf_fini(&out);
	json_init(&j, &out);
}

START_TEST(test_nesting_and_commas)
{
	start();
	json_object_begin(&j, NULL);
	json_string(&j, "name", "web");
	json_array_begin(&j, "bind");
	json_int(&j, NULL, -1);
	json_uint(&j, NULL, UINT64_MAX);
	json_object_begin(&j, NULL);
	json_object_end(&j);
	json_array_begin(&j, NULL);
	json_array_end(&j);
	json_array_end(&j);
	json_bool(&j, "up", true);
	json_bool(&j, "down", false);
	json_null(&j, "none");
	json_object_end(&j);
	ck_assert_str_eq(strbuf_text(&out),
	    "{\"name\":\"web\",\"bind\":[-1,18446744073709551615,{},[]],"
	    "\"up\":true,\"down\":false,\"none\":null}");
	ck_assert(json_valid(strbuf_text(&out)));
}
END_TEST

static void expect_string(const char *text, size_t length, const char *form)
{
	start();
	json_string_n(&j, NULL, text, length);
	ck_assert_str_eq(strbuf_text(&out), form);
}

START_TEST(test_escapes)
{
	expect_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	expect_string("\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"");
	expect_string("\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"");
	expect_string("", 0, "\"\"");
}
END_TEST

START_TEST(test_utf8)
{
#define BAD "\xef\xbf\xbd"
	expect_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	expect_string("\xff", 1, "\"" BAD "\"");
	expect_string("\xc3", 1, "\"" BAD "\"");
	expect_string("\xc3(", 2, "\"" BAD "(\"");
	/* Overlong, surrogate, beyond the last character. */
	expect_string("\xc0\x80", 2, "\"" BAD BAD "\"");
	expect_string("\xe0\x80\x80", 3, "\"" BAD BAD BAD "\"");
	expect_string("\xed\xa0\x80", 3, "\"" BAD BAD BAD "\"");
	expect_string("\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\"");
	/* Cut by the length, though the bytes go on. */
	expect_string("\xe2\x82\xac", 2, "\"" BAD BAD "\"");
}
END_TEST

START_TEST(test_any_bytes_give_valid_json)
{
	struct rng rng;
	char bytes[40];

	rng_seed(&rng, 3);
	for (int i = 0; i < 20000; i++) {
		size_t length = rng_below(&rng, sizeof(bytes));

		for (size_t k = 0; k < length; k++) {
			/* Many lead bytes, so that sequences come up. */
			bytes[k] = (char)(rng_below(&rng, 2)
					      ? 0x80 + rng_below(&rng, 128)
					      : rng_below(&rng, 256));
		}
		start();
		json_array_begin(&j, NULL);
		json_string_n(&j, NULL, bytes, length);
		json_array_end(&j);
		ck_assert(json_valid(strbuf_text(&out)));
	}
}
END_TEST

static void expect_double(double v, const char *form)
{
	start();
	json_double(&j, NULL, v);
	ck_assert_str_eq(strbuf_text(&out), form);
	ck_assert(json_valid(strbuf_text(&out)));
}

START_TEST(test_doubles)
{
	expect_double(0, "0");
	expect_double(0.5, "0.5");
	expect_double(1.0 / 3, "0.333333");
	expect_double(-2.25, "-2.25");
	expect_double(123456, "123456");
	expect_double(1e300, "1e+300");
	expect_double(NAN, "null");
	expect_double(INFINITY, "null");
	expect_double(-INFINITY, "null");
}
END_TEST

static void nest_too_deep(void)
{
	start();
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_begin(&j, NULL);
}

static void end_too_often(void)
{
	start();
	json_object_end(&j);
}

START_TEST(test_nesting_is_checked)
{
	char text[512];

	start();
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array_begin(&j, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array_end(&j);
	ck_assert(json_valid(strbuf_text(&out)));
	ck_assert(WIFSIGNALED(run_in_child(nest_too_deep, text, sizeof(text))));
	ck_assert(WIFSIGNALED(run_in_child(end_too_often, text, sizeof(text))));
}
END_TEST

/* The checker of the tests must itself say no. */
START_TEST(test_the_checker_refuses)
{
	static const char *const bad[] = {"", "{", "[1,]", "{\"a\":1,}",
	    "{a:1}", "\"a", "\"\n\"", "01", "1.", "nul", "[1 2]", "\"\\x\"",
	    "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "{} {}", "-"};

	for (size_t i = 0; i < BR_COUNT(bad); i++)
		ck_assert_msg(!json_valid(bad[i]), "%s", bad[i]);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("json");
	int status;

	tcase_add_test(tcase, test_nesting_and_commas);
	tcase_add_test(tcase, test_escapes);
	tcase_add_test(tcase, test_utf8);
	tcase_add_test(tcase, test_any_bytes_give_valid_json);
	tcase_add_test(tcase, test_doubles);
	tcase_add_test(tcase, test_nesting_is_checked);
	tcase_add_test(tcase, test_the_checker_refuses);
	status = check_main(tcase);
	strbuf_fini(&out);
	return status;
}
