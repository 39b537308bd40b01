/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_head.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <stdlib.h>
#include <string.h>

/* In a block of its own, so that reading beyond it is seen. */
static enum http1_result read_in_steps(struct http1_head *head,
    const char *bytes, size_t length, size_t step, bool answer)
{
	enum http1_result result = HTTP1_MORE;
	size_t n = 0;

	http1_head_start(head, answer);
	while (result == HTTP1_MORE && n < length) {
		char *copy;

		n = n + step < length ? n + step : length;
		copy = malloc(n);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes, n);
		result = http1_head_read(head, copy, n);
		free(copy);
	}
	return result;
}

/* In one piece and byte by byte: the same. */
static enum http1_result read_head(
    struct http1_head *head, const char *text, bool answer)
{
	struct http1_head single;
	size_t length = strlen(text);
	enum http1_result result =
	    read_in_steps(head, text, length, length, answer);

	ck_assert_int_eq(
	    read_in_steps(&single, text, length, 1, answer), result);
	if (result != HTTP1_MORE)
		ck_assert(
		    !memcmp(head->known, single.known, sizeof(head->known)) &&
		    head->shapes == single.shapes &&
		    head->bytes == single.bytes && head->cause == single.cause);
	return result;
}

static void check_span(
    const char *bytes, struct http1_span span, const char *expected)
{
	ck_assert_uint_eq(span.length, strlen(expected));
	ck_assert(!memcmp(bytes + span.at, expected, span.length));
}

START_TEST(test_request)
{
	static const char text[] =
	    "GET /a?b HTTP/1.1\r\nHost:  www.example.com \r\nrAnGe: bytes=0-9"
	    "\r\nX-Other: x\r\nConnection: a, Upgrade\r\nUpgrade: h2c\r\n"
	    "Content-Type:text/plain\r\nExpect: 100-continue\r\n\r\nbody";
	struct http1_head head;

	ck_assert_int_eq(read_head(&head, text, false), HTTP1_DONE);
	ck_assert_uint_eq(head.bytes, sizeof(text) - 1 - 4);
	ck_assert_uint_eq(head.minor, 1);
	ck_assert_uint_eq(head.shapes, HTTP1_UPGRADES);
	check_span(text, head.method, "GET");
	check_span(text, head.target, "/a?b");
	check_span(text, head.known[HTTP1_HOST], "www.example.com");
	check_span(text, head.known[HTTP1_RANGE], "bytes=0-9");
	check_span(text, head.known[HTTP1_UPGRADE], "h2c");
	check_span(text, head.known[HTTP1_CONTENT_TYPE], "text/plain");
	check_span(text, head.known[HTTP1_EXPECT], "100-continue");
	ck_assert(
	    http1_list_has(text, head.known[HTTP1_CONNECTION], "upgrade"));
	ck_assert(!http1_list_has(text, head.known[HTTP1_CONNECTION], "up"));
}
END_TEST

START_TEST(test_answer)
{
	static const char text[] = "HTTP/1.0 206 Partial Content\r\n"
				   "Content-Length: 100\r\n\r\n";
	struct http1_head head;

	ck_assert_int_eq(read_head(&head, text, true), HTTP1_DONE);
	ck_assert_uint_eq(head.status, 206);
	ck_assert_uint_eq(head.minor, 0);
	ck_assert_uint_eq(head.content_length, 100);
	ck_assert_uint_eq(head.shapes, HTTP1_HAS_LENGTH);
	ck_assert_int_eq(
	    read_head(&head, "HTTP/1.1 200\r\n\r\n", true), HTTP1_DONE);
}
END_TEST

/* What was whole holds before the end has come. */
START_TEST(test_partial)
{
	static const char text[] = "PUT /x HTTP/1.1\r\nHost: a\r\nRange: by";
	struct http1_head head;

	ck_assert_int_eq(
	    read_head(&head, "PUT /x HTTP/1.1", false), HTTP1_MORE);
	ck_assert(!head.line_read);
	ck_assert_int_eq(read_head(&head, text, false), HTTP1_MORE);
	ck_assert(head.line_read);
	check_span(text, head.known[HTTP1_HOST], "a");
	ck_assert_uint_eq(head.known[HTTP1_RANGE].length, 0);
}
END_TEST

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static const struct shape_row {
	const char *text;
	unsigned shapes;
} shape_rows[] = {
    {GET "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n\r\n", HTTP1_NO_HOST},
    {"GET / HTTP/1.7\r\n\r\n", HTTP1_NO_HOST},
    {"GET / HTTP/1.1\nHost: a\n\n", HTTP1_BARE_LF},
    {GET "A: b\n\r\n", HTTP1_BARE_LF},
    {"\r\n" GET "\r\n", HTTP1_LEADING_LINE},
    {GET "A: b\r\n c\r\n\r\n", HTTP1_FOLDED},
    {GET "A: b\r\n\tc: d\r\n\r\n", HTTP1_FOLDED},
    {GET "Host: b\r\n\r\n", HTTP1_HOST_AGAIN},
    {GET "Range: a\r\nRange: b\r\n\r\n", HTTP1_KNOWN_AGAIN},
    {GET "Content-Length: 0\r\n\r\n", HTTP1_HAS_LENGTH},
    {GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
	HTTP1_HAS_LENGTH | HTTP1_LENGTH_AGAIN},
    {GET "Content-Length: 5, 5\r\n\r\n", HTTP1_HAS_LENGTH | HTTP1_LENGTH_AGAIN},
    {GET "Transfer-Encoding: Chunked\r\n\r\n",
	HTTP1_HAS_CODING | HTTP1_CHUNKED},
    {GET "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP1_HAS_CODING},
    {GET "Transfer-Encoding: xchunked\r\n\r\n", HTTP1_HAS_CODING},
    {GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	HTTP1_HAS_CODING},
    {GET "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
	HTTP1_HAS_CODING | HTTP1_CHUNKED | HTTP1_HAS_LENGTH |
	    HTTP1_LENGTH_AND_CODING},
    {GET "X: \xe4\r\n\r\n", HTTP1_HIGH_BYTES},
    {GET "Connection: close, x\r\n\r\n", HTTP1_CLOSE},
    {GET "Connection: closed\r\n\r\n", 0},
};

START_TEST(test_shapes)
{
	const struct shape_row *row = &shape_rows[_i];
	struct http1_head head;

	ck_assert_int_eq(read_head(&head, row->text, false), HTTP1_DONE);
	ck_assert_uint_eq(head.shapes, row->shapes);
}
END_TEST

static const struct bad_row {
	const char *text;
	enum http1_cause cause;
	bool answer;
} bad_rows[] = {
    {"GET /\r\n", HTTP1_CAUSE_LINE, false},
    {"GET  / HTTP/1.1\r\n", HTTP1_CAUSE_LINE, false},
    {" GET / HTTP/1.1\r\n", HTTP1_CAUSE_LINE, false},
    {"GET / HTTP/1.1 \r\n", HTTP1_CAUSE_VERSION, false},
    {"GET /\ta HTTP/1.1\r\n", HTTP1_CAUSE_LINE, false},
    {"G(T / HTTP/1.1\r\n", HTTP1_CAUSE_LINE, false},
    {"GET / HTTP/2.0\r\n", HTTP1_CAUSE_VERSION, false},
    {"GET / http/1.1\r\n", HTTP1_CAUSE_VERSION, false},
    {"\r\n\r\n", HTTP1_CAUSE_LINE, false},
    {GET "A : b\r\n", HTTP1_CAUSE_NAME, false},
    {GET "A\r\n", HTTP1_CAUSE_NAME, false},
    {GET ": b\r\n", HTTP1_CAUSE_NAME, false},
    {GET "A\xe4: b\r\n", HTTP1_CAUSE_NAME, false},
    {GET "A: b\rc\r\n", HTTP1_CAUSE_VALUE, false},
    {GET "A: b\x01\r\n", HTTP1_CAUSE_VALUE, false},
    {GET "A: b\r\r\n", HTTP1_CAUSE_VALUE, false},
    {GET "A: b\r\n \x7f\r\n", HTTP1_CAUSE_VALUE, false},
    {"GET / HTTP/1.1\r\n Host: a\r\n", HTTP1_CAUSE_FOLD, false},
    {GET "Content-Length: \r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: -1\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: +1\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: 0x1\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: 1 2\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: 1,\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: 1, 2\r\n", HTTP1_CAUSE_LENGTH, false},
    {GET "Content-Length: 1\r\nContent-Length: 2\r\n", HTTP1_CAUSE_LENGTH,
	false},
    {GET "Content-Length: 12345678901234567890\r\n", HTTP1_CAUSE_LENGTH, false},
    {"HTTP/1.1 99 x\r\n", HTTP1_CAUSE_LINE, true},
    {"HTTP/1.1 2000\r\n", HTTP1_CAUSE_LINE, true},
    {"HTTP/1.1 2x0 OK\r\n", HTTP1_CAUSE_LINE, true},
    {"HTTP/1.1  200 OK\r\n", HTTP1_CAUSE_LINE, true},
    {"HTTP/1.1\r\n", HTTP1_CAUSE_VERSION, true},
    {"ICY 200 OK\r\n\r\n", HTTP1_CAUSE_VERSION, true},
    {"\r\nHTTP/1.1 200 OK\r\n", HTTP1_CAUSE_LINE, true},
};

START_TEST(test_malformed)
{
	const struct bad_row *row = &bad_rows[_i];
	struct http1_head head;

	ck_assert_int_eq(
	    read_head(&head, row->text, row->answer), HTTP1_MALFORMED);
	ck_assert_str_eq(http1_cause_text((enum http1_cause)head.cause),
	    http1_cause_text(row->cause));
}
END_TEST

START_TEST(test_zero_byte)
{
	static const char text[] = GET "A: b\0c\r\n\r\n";
	struct http1_head head;

	ck_assert_int_eq(
	    read_in_steps(&head, text, sizeof(text) - 1, sizeof(text), false),
	    HTTP1_MALFORMED);
	ck_assert_int_eq(head.cause, HTTP1_CAUSE_VALUE);
}
END_TEST

START_TEST(test_fields)
{
	static const char text[] = GET "A:\r\nB: c\r\n d\r\nE:f\n\r\n";
	static const char *const expected[][2] = {
	    {"Host", "a"}, {"A", ""}, {"B", "c\r\n d"}, {"E", "f"}};
	struct http1_span name, value;
	struct http1_head head;
	uint32_t at, n = 0;

	ck_assert_int_eq(read_head(&head, text, false), HTTP1_DONE);
	at = head.fields_at;
	while (http1_field_next(&head, text, &at, &name, &value)) {
		ck_assert_uint_lt(n, BR_COUNT(expected));
		check_span(text, name, expected[n][0]);
		check_span(text, value, expected[n][1]);
		n++;
	}
	ck_assert_uint_eq(n, BR_COUNT(expected));
	ck_assert_int_eq(
	    read_head(&head, "GET / HTTP/1.0\r\n\r\n", false), HTTP1_DONE);
	at = head.fields_at;
	ck_assert(!http1_field_next(
	    &head, "GET / HTTP/1.0\r\n\r\n", &at, &name, &value));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("http1_head");

	tcase_add_test(tcase, test_request);
	tcase_add_test(tcase, test_answer);
	tcase_add_test(tcase, test_partial);
	tcase_add_loop_test(tcase, test_shapes, 0, BR_COUNT(shape_rows));
	tcase_add_loop_test(tcase, test_malformed, 0, BR_COUNT(bad_rows));
	tcase_add_test(tcase, test_zero_byte);
	tcase_add_test(tcase, test_fields);
	return check_main(tcase);
}
