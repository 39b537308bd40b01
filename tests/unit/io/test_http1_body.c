/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_body.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static void read_head(struct http1_head *head, const char *text)
{
	http1_head_start(head, !strncmp(text, "HTTP/", 5));
	ck_assert_int_eq(http1_head_read(head, text, strlen(text)), HTTP1_DONE);
}

static const struct framing_row {
	const char *head;
	enum http1_asked asked;
	enum http1_framing framing;
} framing_rows[] = {
    {GET "\r\n", 0, HTTP1_NO_BODY},
    {GET LENGTH "\r\n", 0, HTTP1_BY_LENGTH},
    {POST "Content-Length: 0\r\n\r\n", 0, HTTP1_NO_BODY},
    {POST CHUNKED "\r\n", 0, HTTP1_BY_CHUNKS},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, HTTP1_UNCLEAR},
    {POST "Transfer-Encoding: identity\r\n\r\n", 0, HTTP1_UNCLEAR},
    {POST CHUNKED LENGTH "\r\n", 0, HTTP1_UNCLEAR},
    {POST LENGTH CHUNKED "\r\n", 0, HTTP1_UNCLEAR},
    {POST CHUNKED CHUNKED "\r\n", 0, HTTP1_UNCLEAR},
    {POST LENGTH LENGTH "\r\n", 0, HTTP1_UNCLEAR},
    {"POST / HTTP/1.0\r\n" CHUNKED "\r\n", 0, HTTP1_UNCLEAR},
    {"POST / HTTP/1.0\r\n" LENGTH "\r\n", 0, HTTP1_BY_LENGTH},
    {"POST / HTTP/1.1\nHost: a\n" LENGTH "\r\n", 0, HTTP1_UNCLEAR},
    {POST LENGTH "A: b\r\n c\r\n\r\n", 0, HTTP1_UNCLEAR},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 0, HTTP1_NO_BODY},
    {OK "\r\n", HTTP1_ASKED_OTHER, HTTP1_UNTIL_CLOSE},
    {OK LENGTH "\r\n", HTTP1_ASKED_OTHER, HTTP1_BY_LENGTH},
    {OK LENGTH "\r\n", HTTP1_ASKED_HEAD, HTTP1_NO_BODY},
    {OK CHUNKED "\r\n", HTTP1_ASKED_HEAD, HTTP1_NO_BODY},
    {OK CHUNKED "\r\n", HTTP1_ASKED_OTHER, HTTP1_BY_CHUNKS},
    {OK CHUNKED LENGTH "\r\n", HTTP1_ASKED_OTHER, HTTP1_UNCLEAR},
    {OK "Transfer-Encoding: gzip\r\n\r\n", HTTP1_ASKED_OTHER, HTTP1_UNCLEAR},
    {OK "\r\n", HTTP1_ASKED_CONNECT, HTTP1_TUNNEL},
    {OK LENGTH "\r\n", HTTP1_ASKED_CONNECT, HTTP1_TUNNEL},
    {"HTTP/1.1 407 No\r\n" LENGTH "\r\n", HTTP1_ASKED_CONNECT, HTTP1_BY_LENGTH},
    {"HTTP/1.1 101 Up\r\n\r\n", HTTP1_ASKED_OTHER, HTTP1_TUNNEL},
    {"HTTP/1.1 100 Go\r\n\r\n", HTTP1_ASKED_OTHER, HTTP1_NO_BODY},
    {"HTTP/1.1 103 Hints\r\n" LENGTH "\r\n", HTTP1_ASKED_OTHER, HTTP1_NO_BODY},
    {"HTTP/1.1 204 No\r\n\r\n", HTTP1_ASKED_OTHER, HTTP1_NO_BODY},
    {"HTTP/1.1 304 Same\r\n" LENGTH "\r\n", HTTP1_ASKED_OTHER, HTTP1_NO_BODY},
    {"HTTP/1.0 200 OK\r\n\r\n", HTTP1_ASKED_OTHER, HTTP1_UNTIL_CLOSE},
};

START_TEST(test_framing)
{
	const struct framing_row *row = &framing_rows[_i];
	struct http1_head head;

	read_head(&head, row->head);
	ck_assert_int_eq(http1_framing(&head, row->asked), row->framing);
}
END_TEST

START_TEST(test_asked)
{
	static const struct {
		const char *head;
		enum http1_asked asked;
	} rows[] = {
	    {GET "\r\n", HTTP1_ASKED_OTHER},
	    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_ASKED_HEAD},
	    {"HEADS / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_ASKED_OTHER},
	    /* RFC 9110 9.1: methods are case-sensitive. */
	    {"head / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_ASKED_OTHER},
	    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_ASKED_CONNECT},
	};
	struct http1_head head;

	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		read_head(&head, rows[i].head);
		ck_assert_int_eq(
		    http1_asked(&head, rows[i].head), rows[i].asked);
	}
}
END_TEST

/* Feeds steps of that size, each in a block of its own. */
static enum http1_result follow(struct http1_body *body, const char *head_text,
    const char *bytes, size_t length, size_t step, size_t *ret_taken)
{
	enum http1_result result = HTTP1_MORE;
	struct http1_head head;
	size_t n = 0;

	read_head(&head, head_text);
	http1_body_start(body, &head, http1_framing(&head, HTTP1_ASKED_OTHER));
	if (body->done)
		result = HTTP1_DONE;
	while (result == HTTP1_MORE && n < length) {
		size_t some = step < length - n ? step : length - n, taken;
		char *copy = malloc(some);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bytes + n, some);
		result = http1_body_take(body, copy, some, &taken);
		free(copy);
		ck_assert(taken == some || result != HTTP1_MORE);
		n += taken;
	}
	*ret_taken = n;
	return result;
}

static const struct body_row {
	const char *head, *bytes;
	enum http1_result result;
	size_t taken, data;
} body_rows[] = {
    {GET "\r\n", "GET", HTTP1_DONE, 0, 0},
    {POST LENGTH "\r\n", "abc", HTTP1_MORE, 3, 3},
    {POST LENGTH "\r\n", "abcdeGET", HTTP1_DONE, 5, 5},
    {OK "\r\n", "abcdeGET", HTTP1_MORE, 8, 8},
    {POST CHUNKED "\r\n", "0\r\n\r\nGET", HTTP1_DONE, 5, 0},
    {POST CHUNKED "\r\n", "5\r\nabcde\r\n0\r\n\r\nGET", HTTP1_DONE, 15, 5},
    {POST CHUNKED "\r\n", "00A\r\n0123456789\r\n0\r\n\r\n", HTTP1_DONE, 22, 10},
    {POST CHUNKED "\r\n", "1;a=\"b\";c\r\nx\r\n0;z\r\n\r\n", HTTP1_DONE, 21, 1},
    {POST CHUNKED "\r\n", "1 ;a\r\nx\r\n0\r\n\r\n", HTTP1_DONE, 14, 1},
    {POST CHUNKED "\r\n", "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nG", HTTP1_DONE,
	23, 1},
    {POST CHUNKED "\r\n", "5\r\nab", HTTP1_MORE, 5, 2},
    {POST CHUNKED "\r\n", "1\r\n\r\r\n0\r\n\r\n", HTTP1_DONE, 11, 1},
    {POST CHUNKED "\r\n", "g\r\n", HTTP1_MALFORMED, 0, 0},
    {POST CHUNKED "\r\n", "\r\n", HTTP1_MALFORMED, 0, 0},
    {POST CHUNKED "\r\n", ";a\r\n", HTTP1_MALFORMED, 0, 0},
    {POST CHUNKED "\r\n", " 1\r\n", HTTP1_MALFORMED, 0, 0},
    {POST CHUNKED "\r\n", "-1\r\n", HTTP1_MALFORMED, 0, 0},
    {POST CHUNKED "\r\n", "0x1\r\n", HTTP1_MALFORMED, 1, 0},
    {POST CHUNKED "\r\n", "1\nx\r\n", HTTP1_MALFORMED, 1, 0},
    {POST CHUNKED "\r\n", "1\rx\r\n", HTTP1_MALFORMED, 2, 0},
    {POST CHUNKED "\r\n", "1;a\nx\r\n", HTTP1_MALFORMED, 3, 0},
    {POST CHUNKED "\r\n", "1\r\nxy\r\n", HTTP1_MALFORMED, 4, 1},
    {POST CHUNKED "\r\n", "1\r\nx\n0\r\n", HTTP1_MALFORMED, 4, 1},
    {POST CHUNKED "\r\n", "0\r\nA: b\n\r\n", HTTP1_MALFORMED, 7, 0},
    {POST CHUNKED "\r\n", "0\r\n\rA", HTTP1_MALFORMED, 4, 0},
    {POST CHUNKED "\r\n", "ffffffffffffffff1\r\n", HTTP1_MALFORMED, 15, 0},
};

START_TEST(test_body)
{
	const struct body_row *row = &body_rows[_i];
	size_t length = strlen(row->bytes), taken;
	struct http1_body body;

	for (size_t step = 1; step <= length; step++) {
		ck_assert_int_eq(
		    follow(&body, row->head, row->bytes, length, step, &taken),
		    row->result);
		ck_assert_uint_eq(taken, row->taken);
		ck_assert_uint_eq(body.data, row->data);
		ck_assert(body.done == (row->result == HTTP1_DONE));
	}
}
END_TEST

/* What passes by another way counts as if it had been seen. */
START_TEST(test_skip)
{
	struct http1_body body;
	struct http1_head head;
	size_t taken;

	read_head(&head, OK CHUNKED "\r\n");
	http1_body_start(&body, &head, HTTP1_BY_CHUNKS);
	ck_assert_uint_eq(http1_body_opaque(&body), 0);
	ck_assert_int_eq(http1_body_take(&body, "10", 2, &taken), HTTP1_MORE);
	ck_assert_uint_eq(http1_body_opaque(&body), 0);
	ck_assert_int_eq(
	    http1_body_take(&body, "0\r\nabc", 6, &taken), HTTP1_MORE);
	ck_assert_uint_eq(http1_body_opaque(&body), 0x100 - 3);
	http1_body_skip(&body, 0x100 - 3);
	ck_assert_uint_eq(http1_body_opaque(&body), 0);
	ck_assert_int_eq(
	    http1_body_take(&body, "\r\n0\r\n\r\n", 7, &taken), HTTP1_DONE);
	ck_assert_uint_eq(body.data, 0x100);

	read_head(&head, OK LENGTH "\r\n");
	http1_body_start(&body, &head, HTTP1_BY_LENGTH);
	http1_body_skip(&body, 4);
	ck_assert(!http1_body_close(&body));
	http1_body_skip(&body, 1);
	ck_assert(http1_body_close(&body));

	read_head(&head, OK "\r\n");
	http1_body_start(&body, &head, HTTP1_UNTIL_CLOSE);
	ck_assert_uint_eq(http1_body_opaque(&body), UINT64_MAX);
	http1_body_skip(&body, 1u << 30);
	ck_assert_uint_eq(http1_body_opaque(&body), UINT64_MAX);
	ck_assert(http1_body_close(&body));
}
END_TEST

/* A line of a size, or trailers, that never end. */
START_TEST(test_limits)
{
	static const char *const begins[] = {"1;", "0\r\nA:", "0000000000"};
	static const size_t limits[] = {
	    HTTP1_CHUNK_LINE_MAX, HTTP1_TRAILERS_MAX + 3, HTTP1_CHUNK_LINE_MAX};
	struct http1_body body;
	size_t room = HTTP1_TRAILERS_MAX + 100, taken;
	char *text = malloc(room);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < BR_COUNT(begins); i++) {
		memset(text, i == 2 ? '0' : 'x', room);
		memcpy(text, begins[i], strlen(begins[i]));
		ck_assert_int_eq(follow(&body, POST CHUNKED "\r\n", text, room,
				     room, &taken),
		    HTTP1_MALFORMED);
		ck_assert_uint_eq(taken, limits[i]);
	}
	free(text);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("http1_body");

	tcase_add_loop_test(tcase, test_framing, 0, BR_COUNT(framing_rows));
	tcase_add_test(tcase, test_asked);
	tcase_add_loop_test(tcase, test_body, 0, BR_COUNT(body_rows));
	tcase_add_test(tcase, test_skip);
	tcase_add_test(tcase, test_limits);
	return check_main(tcase);
}
