/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_range.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <string.h>
#include <time.h>

static struct http1_span span_of(const char *text)
{
	return (struct http1_span){0, (uint32_t)strlen(text)};
}

static const struct range_row {
	const char *text;
	struct http1_range range;
} range_rows[] = {
    {"", {HTTP1_RANGE_NONE, 0, 0}},
    {"bytes=0-99", {HTTP1_RANGE_BOUNDED, 0, 99}},
    {"Bytes=5-5", {HTTP1_RANGE_BOUNDED, 5, 5}},
    {"bytes=100-", {HTTP1_RANGE_OPEN, 100, 0}},
    {"bytes=-100", {HTTP1_RANGE_SUFFIX, 0, 100}},
    {"bytes=0-1,3-4", {HTTP1_RANGE_SEVERAL, 0, 0}},
    {"bytes=,", {HTTP1_RANGE_SEVERAL, 0, 0}},
    {"bytes=", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes=-", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes=9-3", {HTTP1_RANGE_OTHER, 9, 3}},
    {"bytes= 0-1", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes =0-1", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes=0-1 ", {HTTP1_RANGE_OTHER, 0, 1}},
    {"bytes=0x1-2", {HTTP1_RANGE_OTHER, 0, 0}},
    {"lines=0-1", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes=1234567890123456789-", {HTTP1_RANGE_OTHER, 0, 0}},
    {"bytes=999999999999999999-",
	{HTTP1_RANGE_OPEN, UINT64_C(999999999999999999), 0}},
};

START_TEST(test_range)
{
	const struct range_row *row = &range_rows[_i];
	struct http1_range range =
	    http1_range_read(row->text, span_of(row->text));

	ck_assert_int_eq(range.kind, row->range.kind);
	ck_assert_uint_eq(range.first, row->range.first);
	ck_assert_uint_eq(range.last, row->range.last);
}
END_TEST

static const struct content_row {
	const char *text;
	bool good;
	struct http1_content_range range;
} content_rows[] = {
    {"bytes 0-99/1000", true, {false, true, 0, 99, 1000}},
    {"bytes 999-999/1000", true, {false, true, 999, 999, 1000}},
    {"bytes 5-9/*", true, {false, false, 5, 9, 0}},
    {"bytes */1000", true, {true, true, 0, 0, 1000}},
    {"bytes */0", true, {true, true, 0, 0, 0}},
    {"bytes */*", false, {0}},
    {"bytes 0-1000/1000", false, {0}},
    {"bytes 9-5/1000", false, {0}},
    {"bytes 0-0/0", false, {0}},
    {"bytes=0-99/1000", false, {0}},
    {"bytes 0-99", false, {0}},
    {"bytes 0-99/1000 ", false, {0}},
    {"bytes  0-99/1000", false, {0}},
    {"bytes 0 - 99/1000", false, {0}},
    {"bytes 0-99/-1", false, {0}},
    {"", false, {0}},
};

START_TEST(test_content_range)
{
	const struct content_row *row = &content_rows[_i];
	struct http1_content_range range = {.first = 77};
	bool good =
	    http1_content_range_read(row->text, span_of(row->text), &range);

	ck_assert(good == row->good);
	if (!good) {
		ck_assert_uint_eq(range.first, 77);
		return;
	}
	ck_assert(range.unsatisfied == row->range.unsatisfied &&
		  range.total_known == row->range.total_known);
	ck_assert_uint_eq(range.first, row->range.first);
	ck_assert_uint_eq(range.last, row->range.last);
	ck_assert_uint_eq(range.total, row->range.total);
}
END_TEST

START_TEST(test_etag)
{
	static const char *const strong[] = {"\"a\"", "\"\"", "\"W/x\xe4,\""};
	static const char *const others[] = {"W/\"a\"", "w/\"a\"", "a", "\"",
	    "\"a", "a\"", "\"a\"b\"", "\"a b\"", "\"a\x7f\"", ""};

	for (size_t i = 0; i < BR_COUNT(strong); i++)
		ck_assert(http1_etag_is_strong(strong[i], span_of(strong[i])));
	for (size_t i = 0; i < BR_COUNT(others); i++)
		ck_assert(!http1_etag_is_strong(others[i], span_of(others[i])));
}
END_TEST

static const struct date_row {
	const char *text;
	int64_t seconds; /* -1: refused */
} date_rows[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Tue, 29 Feb 2000 23:59:59 GMT", 951868799},
    {"Fri, 31 Dec 2100 23:59:60 GMT", 4133980800},
    {"Mon, 06 Nov 1994 08:49:37 GMT", -1}, /* it was a Sunday */
    {"Thu, 29 Feb 1900 00:00:00 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 anF 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
    {"Sunday, 06-Nov-94 08:49:37 GMT", -1},
    {"Sun Nov  6 08:49:37 1994", -1},
    {"", -1},
};

START_TEST(test_date)
{
	const struct date_row *row = &date_rows[_i];
	int64_t seconds = -1;
	bool good = http1_date_read(row->text, span_of(row->text), &seconds);

	ck_assert(good == (row->seconds >= 0));
	ck_assert_int_eq(seconds, row->seconds);
}
END_TEST

/* Every day of three centuries, against the C library. */
START_TEST(test_days)
{
	for (int64_t day = 0; day < 300 * 365; day++) {
		time_t at = (time_t)day * 86400 + day % 86400;
		int64_t seconds;
		char text[40];
		struct tm tm;

		ck_assert_ptr_nonnull(gmtime_r(&at, &tm));
		ck_assert_uint_gt(strftime(text, sizeof text,
				      "%a, %d %b %Y %H:%M:%S GMT", &tm),
		    0);
		ck_assert(http1_date_read(text, span_of(text), &seconds));
		ck_assert_int_eq(seconds, at);
	}
}
END_TEST

START_TEST(test_find)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nVary: a"
				   "\r\nX-ETag: b\r\nvary: b\r\n\r\n";
	struct http1_span value = {7, 7};
	struct http1_head head;

	http1_head_start(&head, true);
	ck_assert_int_eq(
	    http1_head_read(&head, text, sizeof text - 1), HTTP1_DONE);
	ck_assert(http1_field_find(&head, text, "etag", &value));
	ck_assert_uint_eq(value.length, 3);
	ck_assert(!memcmp(text + value.at, "\"a\"", 3));
	ck_assert(!http1_field_find(&head, text, "vary", &value));
	ck_assert(!http1_field_find(&head, text, "date", &value));
	ck_assert_uint_eq(value.length, 3);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("http1_range");

	tcase_add_loop_test(tcase, test_range, 0, BR_COUNT(range_rows));
	tcase_add_loop_test(
	    tcase, test_content_range, 0, BR_COUNT(content_rows));
	tcase_add_test(tcase, test_etag);
	tcase_add_loop_test(tcase, test_date, 0, BR_COUNT(date_rows));
	tcase_add_test(tcase, test_days);
	tcase_add_test(tcase, test_find);
	return check_main(tcase);
}
