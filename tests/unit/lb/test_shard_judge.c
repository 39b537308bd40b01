/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_judge.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define GET "GET /f HTTP/1.1\r\nHost: a\r\n"
#define END "\r\n"
#define TAG "ETag: \"t1\"\r\n"
#define RANGES "Accept-Ranges: bytes\r\n"
#define MODIFIED "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define DATE "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
#define LONG "Content-Length: 10485760\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define PART "HTTP/1.1 206 Partial Content\r\n"

static const struct conf_shard conf_strong = {.range = CONF_SHARD_ON,
    .max = 4,
    .min_size = 4 * MIB,
    .piece = MIB,
    .validator = CONF_SHARD_STRONG};
static const struct shard_injection plain;

static void read_head(struct http1_head *head, const char *text)
{
	http1_head_start(head, !strncmp(text, "HTTP/", 5));
	ck_assert_int_eq(http1_head_read(head, text, strlen(text)), HTTP1_DONE);
}

static enum shard_worth judge(const struct conf_shard *conf,
    const struct shard_injection *injection, const char *request,
    const char *answer, struct shard_order *ret)
{
	struct http1_head asked, answered;

	read_head(&asked, request);
	read_head(&answered, answer);
	return shard_judge(
	    conf, &asked, request, injection, &answered, answer, ret)
	    .worth;
}

/* -- requests ---------------------------------------------------------- */

static const struct request_row {
	const char *text;
	bool good;
} request_rows[] = {
    {GET END, true},
    {GET "Range: bytes=5-9\r\n" END, true},
    {GET "Range: bytes=5-\r\nIf-Range: \"t1\"\r\n" END, true},
    {GET "Connection: close\r\nCookie: a=b\r\nAccept-Encoding: gzip\r\n" END,
	true},
    {GET "Content-Length: 0\r\n" END, true},
    {"HEAD /f HTTP/1.1\r\nHost: a\r\n" END, false},
    {"POST /f HTTP/1.1\r\nHost: a\r\n" END, false},
    {"get /f HTTP/1.1\r\nHost: a\r\n" END, false},
    {"GET /f HTTP/1.0\r\nHost: a\r\n" END, false},
    {"GET /f HTTP/1.1\r\n" END, false},
    {GET "Host: b\r\n" END, false},
    {GET "Range: bytes=-9\r\n" END, false},
    {GET "Range: bytes=0-4,9-\r\n" END, false},
    {GET "Range: lines=0-4\r\n" END, false},
    {GET "Range: bytes=0-4\r\nRange: bytes=0-4\r\n" END, false},
    {GET "Range: bytes=0-\r\nIf-Range: W/\"t1\"\r\n" END, false},
    {GET "Range: bytes=0-\r\n"
	 "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n" END,
	false},
    {GET "Range: bytes=0-\r\nIf-Range: \"a\"\r\nIf-Range: \"a\"\r\n" END,
	false},
    {GET "If-Match: \"t1\"\r\n" END, false},
    {GET "if-none-match: \"t1\"\r\n" END, false},
    {GET "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n" END, false},
    {GET "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n" END, false},
    {GET "Content-Length: 5\r\n" END, false},
    {GET "Transfer-Encoding: chunked\r\n" END, false},
    {GET "Expect: 100-continue\r\n" END, false},
    {GET "Connection: upgrade\r\nUpgrade: h2c\r\n" END, false},
    {GET "A: b\r\n c\r\n" END, false},
    {GET "A: b\n" END, false},
};

START_TEST(test_request)
{
	const struct request_row *row = &request_rows[_i];
	struct http1_head head;

	read_head(&head, row->text);
	ck_assert_msg(shard_judge_request(&head, row->text) == row->good, "%s",
	    row->text);
}
END_TEST

/* -- answers ----------------------------------------------------------- */

static const struct answer_row {
	const char *request, *answer;
	enum shard_worth strong, dated;
} answer_rows[] = {
    {GET END, OK LONG TAG RANGES MODIFIED DATE END, SHARD_SPLIT, SHARD_SPLIT},
    {GET END, OK LONG TAG RANGES END, SHARD_SPLIT, SHARD_NOT},
    {GET END, OK LONG RANGES MODIFIED DATE END, SHARD_NOT, SHARD_SPLIT},
    {GET END, OK LONG "ETag: W/\"t1\"\r\n" RANGES MODIFIED DATE END, SHARD_NOT,
	SHARD_SPLIT},
    {GET END, OK LONG TAG TAG RANGES END, SHARD_NOT, SHARD_NOT},
    {GET END, OK LONG TAG RANGES MODIFIED MODIFIED DATE END, SHARD_SPLIT,
	SHARD_NOT},
    /* Changed within the second it is told in. */
    {GET END,
	OK LONG RANGES MODIFIED "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" END,
	SHARD_NOT, SHARD_NOT},
    {GET END, OK LONG TAG RANGES "Content-Encoding: gzip\r\n" MODIFIED DATE END,
	SHARD_SPLIT, SHARD_NOT},
    {GET END, OK LONG TAG MODIFIED DATE END, SHARD_NOT, SHARD_NOT},
    {GET END, OK LONG TAG "Accept-Ranges: none\r\n" END, SHARD_NOT, SHARD_NOT},
    {GET END, OK "Content-Length: 65536\r\n" TAG RANGES END, SHARD_SURVIVES,
	SHARD_NOT},
    {GET END, OK "Content-Length: 65535\r\n" TAG RANGES END, SHARD_NOT,
	SHARD_NOT},
    {GET END, OK "Transfer-Encoding: chunked\r\n" TAG RANGES END, SHARD_NOT,
	SHARD_NOT},
    {GET END, OK LONG "Transfer-Encoding: chunked\r\n" TAG RANGES END,
	SHARD_NOT, SHARD_NOT},
    {GET END, OK LONG LONG TAG RANGES END, SHARD_NOT, SHARD_NOT},
    {GET END, OK TAG RANGES END, SHARD_NOT, SHARD_NOT},
    {GET END, "HTTP/1.0 200 OK\r\n" LONG TAG RANGES END, SHARD_NOT, SHARD_NOT},
    {GET END, "HTTP/1.1 404 No\r\n" LONG TAG RANGES END, SHARD_NOT, SHARD_NOT},
    {"HEAD /f HTTP/1.1\r\nHost: a\r\n" END, OK LONG TAG RANGES END, SHARD_NOT,
	SHARD_NOT},
    /* The client's own range. */
    {GET "Range: bytes=100-\r\n" END,
	PART "Content-Length: 10485660\r\n"
	     "Content-Range: bytes 100-10485759/10485760\r\n" TAG END,
	SHARD_SPLIT, SHARD_NOT},
    {GET "Range: bytes=100-131171\r\n" END,
	PART "Content-Length: 131072\r\n"
	     "Content-Range: bytes 100-131171/10485760\r\n" TAG END,
	SHARD_SURVIVES, SHARD_NOT},
    {GET "Range: bytes=100-131171\r\n" END,
	PART "Content-Length: 131073\r\n"
	     "Content-Range: bytes 100-131172/10485760\r\n" TAG END,
	SHARD_NOT, SHARD_NOT},
    {GET "Range: bytes=100-\r\n" END,
	PART "Content-Length: 131072\r\n"
	     "Content-Range: bytes 101-131172/10485760\r\n" TAG END,
	SHARD_NOT, SHARD_NOT},
    {GET "Range: bytes=100-\r\n" END,
	PART "Content-Length: 131072\r\n"
	     "Content-Range: bytes 100-131171/*\r\n" TAG END,
	SHARD_NOT, SHARD_NOT},
    {GET "Range: bytes=100-\r\n" END,
	PART "Content-Length: 131000\r\n"
	     "Content-Range: bytes 100-131171/10485760\r\n" TAG END,
	SHARD_NOT, SHARD_NOT},
    /* A part that nobody asked for. */
    {GET END,
	PART "Content-Length: 131072\r\n"
	     "Content-Range: bytes 0-131071/10485760\r\n" TAG END,
	SHARD_NOT, SHARD_NOT},
    {GET "Range: bytes=100-\r\n" END, OK LONG TAG RANGES END, SHARD_SPLIT,
	SHARD_NOT},
};

START_TEST(test_answer)
{
	const struct answer_row *row = &answer_rows[_i];
	struct conf_shard conf = conf_strong;
	struct shard_order order;

	ck_assert_msg(judge(&conf, &plain, row->request, row->answer, &order) ==
			  row->strong,
	    "strong: %s", row->answer);
	conf.validator = CONF_SHARD_SIZE_DATE;
	ck_assert_msg(judge(&conf, &plain, row->request, row->answer, &order) ==
			  row->dated,
	    "dated: %s", row->answer);
	conf.range = CONF_SHARD_OFF;
	ck_assert_int_eq(
	    judge(&conf, &plain, row->request, row->answer, &order), SHARD_NOT);
}
END_TEST

static const struct bar_row {
	const char *request, *answer;
	enum shard_bar bar;
} bar_rows[] = {
    {GET END, OK LONG TAG RANGES END, SHARD_BAR_NONE},
    {GET END, "HTTP/1.1 404 Not Found\r\n" LONG TAG RANGES END, SHARD_BAR_NONE},
    {GET "If-None-Match: \"t1\"\r\n" END, OK LONG TAG RANGES END,
	SHARD_BAR_request},
    {GET END, OK "Transfer-Encoding: chunked\r\n" TAG RANGES END,
	SHARD_BAR_length},
    {GET END, OK LONG RANGES END, SHARD_BAR_validator},
    {GET END, OK LONG "ETag: W/\"t1\"\r\n" RANGES END, SHARD_BAR_validator},
    {GET END, OK LONG TAG END, SHARD_BAR_ranges},
    {GET "Range: bytes=0-10485759\r\n" END, OK LONG TAG RANGES END,
	SHARD_BAR_NONE},
    {GET END, PART LONG TAG "Content-Range: bytes 0-10485759/*\r\n" END,
	SHARD_BAR_ranges},
    {GET END, OK "Content-Length: 100000\r\n" TAG RANGES END, SHARD_BAR_small},
    {GET END, OK "Content-Length: 1000\r\n" TAG RANGES END, SHARD_BAR_small},
};

START_TEST(test_bars)
{
	const struct bar_row *row = &bar_rows[_i];
	struct http1_head asked, answered;
	struct shard_order order;
	struct shard_verdict verdict;

	read_head(&asked, row->request);
	read_head(&answered, row->answer);
	verdict = shard_judge(&conf_strong, &asked, row->request, &plain,
	    &answered, row->answer, &order);
	ck_assert_msg(verdict.bar == row->bar, "%s%s%s", row->request,
	    row->answer, shard_bar_name(verdict.bar));
	ck_assert(verdict.worth != SHARD_SPLIT || !verdict.bar);
}
END_TEST

START_TEST(test_order)
{
	struct shard_order order;

	ck_assert_int_eq(
	    judge(&conf_strong, &plain, GET END,
		OK LONG TAG RANGES "Connection: close\r\n" END, &order),
	    SHARD_SPLIT);
	ck_assert_uint_eq(order.first, 0);
	ck_assert_uint_eq(order.end, 10 * MIB);
	ck_assert_uint_eq(order.home_to, 10 * MIB);
	ck_assert_uint_eq(order.total, 10 * MIB);
	ck_assert(!order.partial && !order.injected && order.close);
	ck_assert_uint_eq(order.validator_bytes, 4);
	ck_assert(!memcmp(order.validator, "\"t1\"", 4));
	ck_assert_int_eq(
	    judge(&conf_strong, &plain, GET "Range: bytes=100-4194404\r\n" END,
		PART "Content-Length: 4194305\r\n"
		     "Content-Range: bytes 100-4194404/10485760\r\n" TAG END,
		&order),
	    SHARD_SPLIT);
	ck_assert_uint_eq(order.first, 100);
	ck_assert_uint_eq(order.end, 4194405);
	ck_assert_uint_eq(order.home_to, 4194405);
	ck_assert_uint_eq(order.total, 10 * MIB);
	ck_assert(order.partial && !order.injected && !order.close);
}
END_TEST

/* The range is ours: the client is owed all of it. */
START_TEST(test_injected)
{
	const struct shard_injection ours = {.injected = true, .last = 1048575};
	struct shard_order order;

	ck_assert_int_eq(
	    judge(&conf_strong, &ours, GET END,
		PART "Content-Length: 1048576\r\n"
		     "Content-Range: bytes 0-1048575/10485760\r\n" TAG END,
		&order),
	    SHARD_SPLIT);
	ck_assert_uint_eq(order.first, 0);
	ck_assert_uint_eq(order.home_to, MIB);
	ck_assert_uint_eq(order.end, 10 * MIB);
	ck_assert(order.injected && !order.partial);
	/* All of it was less than was asked for. */
	ck_assert_int_eq(judge(&conf_strong, &ours, GET END,
			     PART "Content-Length: 10\r\n"
				  "Content-Range: bytes 0-9/10\r\n" TAG END,
			     &order),
	    SHARD_SURVIVES);
	ck_assert_uint_eq(order.home_to, order.end);
	/* Smaller than it was, but not all of it is here. */
	ck_assert_int_eq(
	    judge(&conf_strong, &ours, GET END,
		PART "Content-Length: 1048576\r\n"
		     "Content-Range: bytes 0-1048575/1048577\r\n" TAG END,
		&order),
	    SHARD_SPLIT);
	/* A server that does not know ranges. */
	ck_assert_int_eq(
	    judge(&conf_strong, &ours, GET END, OK LONG TAG END, &order),
	    SHARD_NOT);
	ck_assert_int_eq(
	    judge(&conf_strong, &ours, GET END, OK LONG TAG RANGES END, &order),
	    SHARD_SPLIT);
	ck_assert(!order.injected);
	ck_assert_int_eq(
	    judge(&conf_strong, &ours, GET END,
		"HTTP/1.1 404 No\r\nContent-Length: 3\r\n" END, &order),
	    SHARD_NOT);
}
END_TEST

static const char *const useless[] = {
    PART "Content-Length: 1048576\r\n"
	 "Content-Range: bytes 0-1048575/*\r\n" TAG END,
    PART "Content-Length: 1048576\r\n"
	 "Content-Range: bytes 0-1048575/10485760\r\n"
	 "ETag: W/\"t1\"\r\n" END,
    PART "Content-Length: 1048575\r\n"
	 "Content-Range: bytes 1-1048575/10485760\r\n" TAG END,
    PART "Content-Length: 1048577\r\n"
	 "Content-Range: bytes 0-1048576/10485760\r\n" TAG END,
    PART "Content-Length: 1048576\r\nContent-Type: multipart/byteranges; "
	 "boundary=x\r\n" TAG END,
    PART "Transfer-Encoding: chunked\r\n"
	 "Content-Range: bytes 0-1048575/10485760\r\n" TAG END,
    "HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\n"
    "Content-Length: 0\r\n" END,
};

START_TEST(test_injected_in_vain)
{
	const struct shard_injection ours = {.injected = true, .last = 1048575};
	struct shard_order order;

	ck_assert_msg(judge(&conf_strong, &ours, GET END, useless[_i],
			  &order) == SHARD_ASK_AGAIN,
	    "%s", useless[_i]);
}
END_TEST

/* -- pieces ------------------------------------------------------------ */

#define PIECE PART "Content-Length: 100\r\n"
#define AT "Content-Range: bytes 1000-1099/10485760\r\n"

static const struct piece_row {
	const char *answer;
	enum shard_piece verdict;
	uint64_t to;
} piece_rows[] = {
    {PIECE AT TAG END, SHARD_PIECE_GOOD, 1100},
    {PIECE AT TAG "Connection: close\r\n" END, SHARD_PIECE_GOOD, 1100},
    {PART "Content-Length: 1\r\n"
	  "Content-Range: bytes 1000-1000/10485760\r\n" TAG END,
	SHARD_PIECE_GOOD, 1001},
    {PIECE AT "ETag: \"t2\"\r\n" END, SHARD_PIECE_OTHER, 0},
    {PIECE AT "ETag: W/\"t1\"\r\n" END, SHARD_PIECE_OTHER, 0},
    {PIECE AT END, SHARD_PIECE_OTHER, 0},
    {PIECE AT TAG TAG END, SHARD_PIECE_OTHER, 0},
    {PIECE AT AT TAG END, SHARD_PIECE_OTHER, 0},
    {PIECE AT TAG "Content-Encoding: gzip\r\n" END, SHARD_PIECE_OTHER, 0},
    {PIECE TAG END, SHARD_PIECE_OTHER, 0},
    {PIECE "Content-Range: bytes 1000-1099/10485761\r\n" TAG END,
	SHARD_PIECE_OTHER, 0},
    {PIECE "Content-Range: bytes 1000-1099/*\r\n" TAG END, SHARD_PIECE_OTHER,
	0},
    {PIECE "Content-Range: bytes 1001-1100/10485760\r\n" TAG END,
	SHARD_PIECE_OTHER, 0},
    {PIECE "Content-Range: bytes 999-1098/10485760\r\n" TAG END,
	SHARD_PIECE_OTHER, 0},
    {PART "Content-Length: 101\r\n"
	  "Content-Range: bytes 1000-1100/10485760\r\n" TAG END,
	SHARD_PIECE_OTHER, 0},
    {PART "Content-Length: 99\r\n" AT TAG END, SHARD_PIECE_OTHER, 0},
    {PART "Transfer-Encoding: chunked\r\n" AT TAG END, SHARD_PIECE_OTHER, 0},
    {PIECE AT TAG "A: b\r\n c\r\n" END, SHARD_PIECE_OTHER, 0},
    {PART AT TAG END, SHARD_PIECE_OTHER, 0},
    {"HTTP/1.0 206 P\r\nContent-Length: 100\r\n" AT TAG END, SHARD_PIECE_OTHER,
	0},
    {OK LONG TAG RANGES END, SHARD_PIECE_OTHER, 0},
    {OK "Content-Length: 100\r\n" AT TAG END, SHARD_PIECE_OTHER, 0},
    {"HTTP/1.1 416 No\r\nContent-Range: bytes */9\r\n"
     "Content-Length: 0\r\n" END,
	SHARD_PIECE_OTHER, 0},
    {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n" END, SHARD_PIECE_OTHER, 0},
    {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n" END, SHARD_PIECE_REFUSED, 0},
    {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n" END, SHARD_PIECE_REFUSED, 0},
    {"HTTP/1.1 429 No\r\nContent-Length: 0\r\n" END, SHARD_PIECE_REFUSED, 0},
};

static enum shard_piece judge_piece(
    const struct shard_order *order, const char *answer, uint64_t *ret_to)
{
	struct http1_head head;

	read_head(&head, answer);
	return shard_judge_piece(order, 1000, 1100, &head, answer, ret_to);
}

START_TEST(test_piece)
{
	const struct piece_row *row = &piece_rows[_i];
	struct shard_order order;
	uint64_t to = 0;

	ck_assert_int_eq(judge(&conf_strong, &plain, GET END,
			     OK LONG TAG RANGES END, &order),
	    SHARD_SPLIT);
	ck_assert_msg(judge_piece(&order, row->answer, &to) == row->verdict,
	    "%s", row->answer);
	ck_assert_uint_eq(to, row->to);
}
END_TEST

/* By length and date the tag may be another; by a coded answer the coding may
 * not. */
START_TEST(test_piece_of_others)
{
	struct conf_shard conf = conf_strong;
	struct shard_order order;
	uint64_t to = 0;

	conf.validator = CONF_SHARD_SIZE_DATE;
	ck_assert_int_eq(judge(&conf, &plain, GET END,
			     OK LONG TAG RANGES MODIFIED DATE END, &order),
	    SHARD_SPLIT);
	ck_assert_int_eq(
	    judge_piece(&order, PIECE AT MODIFIED "ETag: \"t2\"\r\n" END, &to),
	    SHARD_PIECE_GOOD);
	ck_assert_int_eq(judge_piece(&order,
			     PIECE AT "Last-Modified: Sun, 06 Nov 1994 "
				      "08:49:36 GMT\r\n" TAG END,
			     &to),
	    SHARD_PIECE_OTHER);
	conf.validator = CONF_SHARD_STRONG;
	ck_assert_int_eq(
	    judge(&conf, &plain, GET END,
		OK LONG TAG RANGES "Content-Encoding: gzip\r\n" END, &order),
	    SHARD_SPLIT);
	ck_assert_int_eq(
	    judge_piece(&order, PIECE AT TAG END, &to), SHARD_PIECE_OTHER);
	ck_assert_int_eq(judge_piece(&order,
			     PIECE AT TAG "Content-Encoding: br\r\n" END, &to),
	    SHARD_PIECE_OTHER);
	ck_assert_int_eq(
	    judge_piece(
		&order, PIECE AT TAG "Content-Encoding: gzip\r\n" END, &to),
	    SHARD_PIECE_GOOD);
}
END_TEST

#define DIGEST                                                                 \
	"Repr-Digest: sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"  \
	"\r\n"
#define OTHER_DIGEST                                                           \
	"Repr-Digest: sha-256=:AAAWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"  \
	"\r\n"

/* Only where the whole can be verified, and it will be. */
START_TEST(test_verified)
{
	struct conf_shard conf = conf_strong;
	struct shard_order order;
	uint64_t to = 0;

	conf.verify = CONF_SHARD_REPR_DIGEST;
	ck_assert_int_eq(
	    judge(&conf, &plain, GET END, OK LONG TAG RANGES END, &order),
	    SHARD_NOT);
	ck_assert_int_eq(
	    judge(&conf, &plain, GET END,
		OK "Content-Length: 100000\r\n" TAG RANGES DIGEST END, &order),
	    SHARD_NOT);
	ck_assert_int_eq(
	    judge(&conf, &plain, GET "Range: bytes=100-\r\n" END,
		PART
		"Content-Length: 10485660\r\n"
		"Content-Range: bytes 100-10485759/10485760\r\n" TAG DIGEST END,
		&order),
	    SHARD_NOT);
	ck_assert_int_eq(judge(&conf, &plain, GET END,
			     OK LONG TAG RANGES DIGEST END, &order),
	    SHARD_SPLIT);
	ck_assert(order.digested && order.digest[0] == 0xba);
	ck_assert_int_eq(judge_piece(&order, PIECE AT TAG DIGEST END, &to),
	    SHARD_PIECE_GOOD);
	ck_assert_int_eq(
	    judge_piece(&order, PIECE AT TAG END, &to), SHARD_PIECE_GOOD);
	ck_assert_int_eq(
	    judge_piece(&order, PIECE AT TAG OTHER_DIGEST END, &to),
	    SHARD_PIECE_OTHER);
}
END_TEST

START_TEST(test_long_validator)
{
	char answer[1024], tag[256];
	struct shard_order order;

	memset(tag, 'x', sizeof tag);
	tag[0] = tag[SHARD_VALIDATOR_MAX] = '"';
	tag[SHARD_VALIDATOR_MAX + 1] = '\0';
	(void)snprintf(
	    answer, sizeof answer, OK LONG RANGES "ETag: %s\r\n" END, tag);
	ck_assert_int_eq(
	    judge(&conf_strong, &plain, GET END, answer, &order), SHARD_NOT);
	(void)snprintf(answer, sizeof answer,
	    OK LONG RANGES "ETag: \"%s\r\n" END, tag + 2);
	ck_assert_int_eq(
	    judge(&conf_strong, &plain, GET END, answer, &order), SHARD_SPLIT);
	ck_assert_uint_eq(order.validator_bytes, SHARD_VALIDATOR_MAX);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("shard_judge");

	tcase_add_loop_test(tests, test_request, 0, BR_COUNT(request_rows));
	tcase_add_loop_test(tests, test_answer, 0, BR_COUNT(answer_rows));
	tcase_add_loop_test(tests, test_bars, 0, BR_COUNT(bar_rows));
	tcase_add_test(tests, test_order);
	tcase_add_test(tests, test_injected);
	tcase_add_loop_test(tests, test_injected_in_vain, 0, BR_COUNT(useless));
	tcase_add_loop_test(tests, test_piece, 0, BR_COUNT(piece_rows));
	tcase_add_test(tests, test_piece_of_others);
	tcase_add_test(tests, test_verified);
	tcase_add_test(tests, test_long_validator);
	return check_main(tests);
}
