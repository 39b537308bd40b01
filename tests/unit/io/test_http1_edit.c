/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_edit.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <string.h>

static void read_head(struct http1_head *head, const char *text)
{
	http1_head_start(head, !strncmp(text, "HTTP/", 5));
	ck_assert_int_eq(http1_head_read(head, text, strlen(text)), HTTP1_DONE);
}

static void check_made(const struct cursor_out *out, const char *expected)
{
	ck_assert_uint_eq(cursor_out_length(out), strlen(expected));
	ck_assert(!memcmp(out->base, expected, strlen(expected)));
}

#define HOST "Host: a\r\n"

static const struct request_row {
	const char *from, *validator, *made;
} request_rows[] = {
    {"GET /x?y HTTP/1.1\r\n" HOST "Cookie: c=d\r\n\r\n", "\"t\"",
	"GET /x?y HTTP/1.1\r\n" HOST "Cookie: c=d\r\nRange: bytes=5-9\r\n"
	"If-Range: \"t\"\r\n\r\n"},
    {"GET / HTTP/1.1\r\n" HOST "\r\n", "",
	"GET / HTTP/1.1\r\n" HOST "Range: bytes=5-9\r\n\r\n"},
    /* What belongs to the connection, named or not, in any case. */
    {"GET / HTTP/1.1\r\n" HOST
     "connection: X-Hop, close\r\nx-hop: 1\r\nX-HOP: 2\r\nX-Hops: 3\r\n"
     "Keep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
     "Proxy-Connection: keep-alive\r\nCONNECTION: other\r\nOther: 4\r\n\r\n",
	"", "GET / HTTP/1.1\r\n" HOST "X-Hops: 3\r\nRange: bytes=5-9\r\n\r\n"},
    {"GET / HTTP/1.1\r\n" HOST
     "Range: bytes=0-\r\nIf-Range: \"o\"\r\nIf-None-Match: *\r\n"
     "If-Modified-Since: x\r\nIf-Unmodified-Since: x\r\nIf-Match: \"a\"\r\n"
     "Expect: 100-continue\r\nContent-Length: 0\r\nAccept: */*\r\n\r\n",
	"\"t\"",
	"GET / HTTP/1.1\r\n" HOST "Accept: */*\r\nRange: bytes=5-9\r\n"
	"If-Range: \"t\"\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: host\r\n" HOST "\r\n", "",
	"GET / HTTP/1.1\r\n" HOST "Range: bytes=5-9\r\n\r\n"},
    /* Blanks around a value, and an empty one. */
    {"GET / HTTP/1.1\r\n" HOST "A:\r\nB:   c  \r\n\r\n", "",
	"GET / HTTP/1.1\r\n" HOST "A: \r\nB: c\r\nRange: bytes=5-9\r\n\r\n"},
};

START_TEST(test_request)
{
	const struct request_row *row = &request_rows[_i];
	const struct http1_piece piece = {.first = 5,
	    .last = 9,
	    .validator = row->validator,
	    .validator_bytes = (uint32_t)strlen(row->validator)};
	struct http1_head head, again;
	char room[1024];
	struct cursor_out out = cursor_out_of(room, sizeof room);

	read_head(&head, row->from);
	ck_assert(http1_edit_request(&head, row->from, &piece, &out));
	check_made(&out, row->made);
	http1_head_start(&again, false);
	ck_assert_int_eq(
	    http1_head_read(&again, room, strlen(row->made)), HTTP1_DONE);
	/* Every room that is too small is noticed. */
	for (size_t n = 0; n < strlen(row->made); n++) {
		out = cursor_out_of(room, n);
		ck_assert(!http1_edit_request(&head, row->from, &piece, &out));
	}
}
END_TEST

#define PART                                                                   \
	"HTTP/1.1 206 Partial Content\r\nServer: s\r\nETag: \"t\"\r\n"         \
	"Content-Range: bytes 0-9/1000\r\nContent-Length: 10\r\n"              \
	"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"                  \
	"Content-MD5: x\r\nContent-Digest: y\r\nRepr-Digest: z\r\n"            \
	"Content-Type: a/b\r\n\r\n"
#define KEPT                                                                   \
	"Server: s\r\nETag: \"t\"\r\nRepr-Digest: z\r\nContent-Type: a/b\r\n"

static const struct answer_row {
	struct http1_whole whole;
	const char *made;
} answer_rows[] = {
    {{0, 999, 1000, false, false},
	"HTTP/1.1 200 OK\r\n" KEPT
	"Accept-Ranges: bytes\r\nContent-Length: 1000\r\n\r\n"},
    {{0, 999, 1000, false, true},
	"HTTP/1.1 200 OK\r\n" KEPT
	"Accept-Ranges: bytes\r\nContent-Length: 1000\r\n"
	"Connection: close\r\n\r\n"},
    {{100, 999, 1000, true, false},
	"HTTP/1.1 206 Partial Content\r\n" KEPT
	"Content-Range: bytes 100-999/1000\r\nContent-Length: 900\r\n\r\n"},
};

/* Said already, and not of bytes alone. */
#define SAYS                                                                   \
	"HTTP/1.1 206 P\r\naccept-ranges: bytes, x\r\n"                        \
	"Content-Range: bytes 0-9/1000\r\nContent-Length: 10\r\n\r\n"

START_TEST(test_accept_ranges)
{
	const struct http1_whole whole = {0, 999, 1000, false, false};
	struct http1_head head;
	char room[1024];
	struct cursor_out out = cursor_out_of(room, sizeof room);

	read_head(&head, SAYS);
	ck_assert(http1_edit_answer(&head, SAYS, &whole, &out));
	check_made(&out, "HTTP/1.1 200 OK\r\naccept-ranges: bytes, x\r\n"
			 "Content-Length: 1000\r\n\r\n");
}
END_TEST

START_TEST(test_answer)
{
	const struct answer_row *row = &answer_rows[_i];
	struct http1_head head;
	char room[1024];
	struct cursor_out out = cursor_out_of(room, sizeof room);

	read_head(&head, PART);
	ck_assert(http1_edit_answer(&head, PART, &row->whole, &out));
	check_made(&out, row->made);
	out = cursor_out_of(room, strlen(row->made) - 1);
	ck_assert(!http1_edit_answer(&head, PART, &row->whole, &out));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("http1_edit");

	tcase_add_loop_test(tcase, test_request, 0, BR_COUNT(request_rows));
	tcase_add_loop_test(tcase, test_answer, 0, BR_COUNT(answer_rows));
	tcase_add_test(tcase, test_accept_ranges);
	return check_main(tcase);
}
