/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_line.h"

#include "base/assert.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/base/json_check.h"

#include <stdio.h>

#define PREFIX "ts=1970-01-01T00:00:00.000Z level=info msg=\"m\""
#define JSON_PREFIX                                                            \
	"{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"msg\":\"m\""

static const struct wall epoch = {0};

static void expect(const char *fields, const char *logfmt, const char *json)
{
	char line[LOG_LINE_MAX + 1], expected[LOG_LINE_MAX + 128];
	int length;

	log_configure(LOG_LOGFMT, LOG_INFO);
	length = log_compose(line, LOG_LINE_MAX, epoch, "info", "m", fields);
	line[length] = '\0';
	(void)snprintf(expected, sizeof(expected), "%s%s\n", PREFIX, logfmt);
	ck_assert_str_eq(line, expected);

	log_configure(LOG_JSON, LOG_INFO);
	length = log_compose(line, LOG_LINE_MAX, epoch, "info", "m", fields);
	line[length] = '\0';
	(void)snprintf(
	    expected, sizeof(expected), "%s%s}\n", JSON_PREFIX, json);
	ck_assert_str_eq(line, expected);
	ck_assert(json_valid(line));
}

START_TEST(test_pairs)
{
	expect("", "", "");
	expect(NULL, "", "");
	expect("  ", "", "");
	expect("a=b", " a=b", ",\"a\":\"b\"");
	expect("a=b  c=d ", " a=b c=d", ",\"a\":\"b\",\"c\":\"d\"");
	expect("a=", " a=\"\"", ",\"a\":\"\"");
	expect("a= b=c", " a=\"\" b=c", ",\"a\":\"\",\"b\":\"c\"");
	expect("a.b-c_d=1", " a.b-c_d=1", ",\"a.b-c_d\":1");
}
END_TEST

/* Free text from strerror() and the like, without any quotes. */
START_TEST(test_bare_values_with_blanks)
{
	expect("cause=Connection refused server=a",
	    " cause=\"Connection refused\" server=a",
	    ",\"cause\":\"Connection refused\",\"server\":\"a\"");
	expect("cause=Connection refused ", " cause=\"Connection refused\"",
	    ",\"cause\":\"Connection refused\"");
	expect("just words", " detail=\"just words\"",
	    ",\"detail\":\"just words\"");
	expect("=x", " detail=\"=x\"", ",\"detail\":\"=x\"");
	expect("a=b=c", " a=\"b=c\"", ",\"a\":\"b=c\"");
}
END_TEST

START_TEST(test_quoted_values)
{
	expect(
	    "a=\"x y=z\" b=1", " a=\"x y=z\" b=1", ",\"a\":\"x y=z\",\"b\":1");
	expect("a=\"say \\\"hi\\\"\"", " a=\"say \\\"hi\\\"\"",
	    ",\"a\":\"say \\\"hi\\\"\"");
	/* Quotes that nobody escaped, and a value that was cut. */
	expect("a=\"say \"hi\" to\" b=1", " a=\"say \\\"hi\\\" to\" b=1",
	    ",\"a\":\"say \\\"hi\\\" to\",\"b\":1");
	expect("a=\"cut of", " a=\"cut of\"", ",\"a\":\"cut of\"");
	expect("a=\"", " a=\"\"", ",\"a\":\"\"");
	expect("a=\"\\", " a=\"\\\\\"", ",\"a\":\"\\\\\"");
}
END_TEST

START_TEST(test_control_bytes_are_escaped)
{
	expect("a=x\ny", " a=\"x\\ny\"", ",\"a\":\"x\\ny\"");
	expect("a=\x1b[31m", " a=\"\\x1b[31m\"", ",\"a\":\"\\u001b[31m\"");
	expect("a=\xff", " a=\"\\xff\"", ",\"a\":\"\xef\xbf\xbd\"");
	expect("a=\xc3\xa4", " a=\"\xc3\xa4\"", ",\"a\":\"\xc3\xa4\"");
	/* U+009B begins an escape sequence on some terminals. */
	expect("a=\xc2\x9b", " a=\"\\xc2\\x9b\"", ",\"a\":\"\xc2\x9b\"");
}
END_TEST

START_TEST(test_numbers_stay_numbers)
{
	expect("a=0 b=-1 c=12.50", " a=0 b=-1 c=12.50",
	    ",\"a\":0,\"b\":-1,\"c\":12.50");
	expect("a=007", " a=007", ",\"a\":\"007\"");
	expect("a=1e5", " a=1e5", ",\"a\":\"1e5\"");
	expect("a=1.", " a=1.", ",\"a\":\"1.\"");
	expect("a=-", " a=-", ",\"a\":\"-\"");
	expect("a=10.0.0.1", " a=10.0.0.1", ",\"a\":\"10.0.0.1\"");
	expect("a=\"5\"", " a=5", ",\"a\":\"5\"");
	/* More digits than a reader of JSON keeps are a name. */
	expect("a=123456789012345678 b=1234567890123456789",
	    " a=123456789012345678 b=1234567890123456789",
	    ",\"a\":123456789012345678,\"b\":\"1234567890123456789\"");
}
END_TEST

START_TEST(test_without_level_and_with_odd_message)
{
	char line[LOG_LINE_MAX + 1];
	int length;

	log_configure(LOG_JSON, LOG_INFO);
	length = log_compose(line, LOG_LINE_MAX, epoch, NULL, "a\n\"b\"", "");
	line[length] = '\0';
	ck_assert_str_eq(line, "{\"ts\":\"1970-01-01T00:00:00.000Z\","
			       "\"msg\":\"a\\n\\\"b\\\"\"}\n");
}
END_TEST

START_TEST(test_field)
{
	char fields[64] = "";
	int n = log_field(fields, 0, sizeof(fields), "a", "plain");

	ck_assert_str_eq(fields, "a=plain");
	n = log_field(fields, n, sizeof(fields), "b", "two words");
	ck_assert_str_eq(fields, "a=plain b=\"two words\"");
	n = log_field(fields, n, sizeof(fields), "c", "42");
	ck_assert_str_eq(fields, "a=plain b=\"two words\" c=\"42\"");
	ck_assert_int_eq(n, (int)strlen(fields));
	expect(fields, " a=plain b=\"two words\" c=42",
	    ",\"a\":\"plain\",\"b\":\"two words\",\"c\":\"42\"");
}
END_TEST

START_TEST(test_field_never_passes_the_room)
{
	static const char value[] = "some \"value\" with\nblanks";
	char fields[80];

	for (int room = 1; room < 60; room++) {
		int n;

		memset(fields, '#', sizeof(fields));
		fields[0] = '\0';
		n = log_field(fields, 0, room, "key", value);
		ck_assert_int_lt(n, room);
		ck_assert_int_eq((int)strlen(fields), n);
		ck_assert_int_eq(fields[room], '#');
		/* Whatever there is of it is closed. */
		if (n > 0)
			ck_assert_int_eq(fields[n - 1], '"');
	}
}
END_TEST

/* Any text given to log_field() comes out of a JSON line as itself. */
START_TEST(test_any_value_survives)
{
	static const char special[] = " \"\\=\n\t\x01nx0a,{}\xc3\xa4";
	struct rng rng;

	rng_seed(&rng, 17);
	log_configure(LOG_JSON, LOG_INFO);
	for (int i = 0; i < 20000; i++) {
		char value[24], fields[256] = "", line[LOG_LINE_MAX + 1];
		struct strbuf expected;
		struct json j;
		size_t length = rng_below(&rng, sizeof(value));
		int n;

		for (size_t k = 0; k < length; k++)
			value[k] =
			    special[rng_below(&rng, sizeof(special) - 1)];
		value[length] = '\0';
		n = log_field(fields, 0, sizeof(fields), "a", value);
		log_field(fields, n, sizeof(fields), "b", "end");
		n = log_compose(line, LOG_LINE_MAX, epoch, "info", "m", fields);
		line[n] = '\0';
		strbuf_init(&expected);
		json_init(&j, &expected);
		json_object_begin(&j, NULL);
		json_string(&j, "ts", "1970-01-01T00:00:00.000Z");
		json_string(&j, "level", "info");
		json_string(&j, "msg", "m");
		json_string(&j, "a", value);
		json_string(&j, "b", "end");
		json_object_end(&j);
		strbuf_addc(&expected, '\n');
		ck_assert_str_eq(line, strbuf_text(&expected));
		strbuf_fini(&expected);
	}
}
END_TEST

/* Any fields, in any room: one line, and in JSON a valid one. */
START_TEST(test_any_fields_give_one_whole_line)
{
	static const char special[] = "  ==\"\"\\\n\r\x1b"
				      "ab1-.\xc3\xa4\xff";
	struct rng rng;

	rng_seed(&rng, 18);
	for (int i = 0; i < 20000; i++) {
		char fields[300], line[LOG_LINE_MAX + 1];
		size_t length = rng_below(&rng, sizeof(fields));
		int room = LOG_LINE_MIN + (int)rng_below(&rng, 200);
		bool json = i % 2;
		int n;

		for (size_t k = 0; k < length; k++)
			fields[k] =
			    special[rng_below(&rng, sizeof(special) - 1)];
		fields[length ? length - 1 : 0] = '\0';
		log_configure(json ? LOG_JSON : LOG_LOGFMT, LOG_INFO);
		memset(line, '#', sizeof(line));
		n = log_compose(line, room, epoch, "info", fields, fields);
		ck_assert_int_le(n, room);
		ck_assert_int_eq(line[room], '#');
		line[n] = '\0';
		ck_assert_ptr_eq(strchr(line, '\n'), &line[n - 1]);
		ck_assert_ptr_null(strpbrk(line, "\r\x1b"));
		if (json)
			ck_assert_msg(json_valid(line), "%s", line);
	}
}
END_TEST

/* -- field by field ------------------------------------------------------ */

static void expect_fields(
    void (*add)(struct log_line *line), const char *logfmt, const char *json)
{
	char text[LOG_LINE_MAX + 1], expected[LOG_LINE_MAX + 128];

	for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
		struct log_line line;
		int n;

		log_configure((enum log_format)format, LOG_INFO);
		log_line_begin(&line, text, LOG_LINE_MAX, epoch, "info", "m");
		add(&line);
		n = log_line_end(&line);
		text[n] = '\0';
		(void)snprintf(expected, sizeof(expected), "%s%s\n",
		    format == LOG_JSON ? JSON_PREFIX : PREFIX,
		    format == LOG_JSON ? json : logfmt);
		ck_assert_str_eq(text, expected);
	}
	ck_assert(json_valid(text));
}

static void add_text(struct log_line *line)
{
	log_line_text(line, "a", "plain");
	log_line_text(line, "b", "two \"words\"");
	log_line_text(line, "c", "42");
	log_line_text(line, "d", "");
	log_line_text(line, "e", "\x1b\n");
	log_line_text_n(line, "f", "cut here", 3);
}

static void add_numbers(struct log_line *line)
{
	log_line_number(line, "a", 0);
	log_line_number(line, "b", UINT64_MAX);
	log_line_ms(line, "c", 0);
	log_line_ms(line, "d", 499);
	log_line_ms(line, "e", 500);
	log_line_ms(line, "f", 999500);
	log_line_ms(line, "g", 12 * NS_PER_S + 34567890);
	log_line_ms(line, "h", INT64_MAX);
	log_line_ms(line, "i", -1);
}

START_TEST(test_field_by_field)
{
	expect_fields(add_text,
	    " a=plain b=\"two \\\"words\\\"\" c=42 d=\"\" e=\"\\x1b\\n\" f=cut",
	    ",\"a\":\"plain\",\"b\":\"two \\\"words\\\"\",\"c\":\"42\","
	    "\"d\":\"\",\"e\":\"\\u001b\\n\",\"f\":\"cut\"}");
	expect_fields(add_numbers,
	    " a=0 b=18446744073709551615 c=0.000 d=0.000 e=0.001 f=1.000 "
	    "g=12034.568 h=9223372036854.776 i=-",
	    ",\"a\":0,\"b\":18446744073709551615,\"c\":0.000,\"d\":0.000,"
	    "\"e\":0.001,\"f\":1.000,\"g\":12034.568,"
	    "\"h\":9223372036854.776,\"i\":\"-\"}");
}
END_TEST

/* A field that does not fit ends the line: a shorter one behind it does not
 * take its place. */
START_TEST(test_no_field_behind_a_missing_one)
{
	char text[LOG_LINE_MIN + 1], value[LOG_LINE_MIN];
	struct log_line line;
	int n;

	memset(value, 'x', sizeof(value));
	log_configure(LOG_LOGFMT, LOG_INFO);
	log_line_begin(&line, text, LOG_LINE_MIN, epoch, "info", "m");
	log_line_text_n(&line, "a", value, sizeof(value));
	log_line_number(&line, "b", 1);
	n = log_line_end(&line);
	text[n] = '\0';
	ck_assert_str_eq(text, PREFIX "\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("log_line");

	tcase_add_test(tcase, test_pairs);
	tcase_add_test(tcase, test_bare_values_with_blanks);
	tcase_add_test(tcase, test_quoted_values);
	tcase_add_test(tcase, test_control_bytes_are_escaped);
	tcase_add_test(tcase, test_numbers_stay_numbers);
	tcase_add_test(tcase, test_without_level_and_with_odd_message);
	tcase_add_test(tcase, test_field);
	tcase_add_test(tcase, test_field_never_passes_the_room);
	tcase_add_test(tcase, test_any_value_survives);
	tcase_add_test(tcase, test_any_fields_give_one_whole_line);
	tcase_add_test(tcase, test_field_by_field);
	tcase_add_test(tcase, test_no_field_behind_a_missing_one);
	return check_main(tcase);
}
