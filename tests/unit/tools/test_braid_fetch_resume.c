/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_resume.h"

#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <string.h>

static struct fetch_head head_of(const char *const *lines)
{
	struct fetch_head head = {.status = 0};

	for (; *lines; lines++)
		fetch_head_line(&head, *lines, strlen(*lines));
	return head;
}

#define HEAD(...) head_of((const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_heads)
{
	struct fetch_head head = HEAD("HTTP/1.1 103 Early Hints\r\n",
	    "ETag: \"no\"\r\n", "\r\n", "HTTP/1.1 206 Partial Content\r\n",
	    "etag: \"a b\" \r\n", "CONTENT-RANGE:bytes 7-9/10\r\n", "\r\n",
	    "ETag: \"trailer\"\r\n");

	ck_assert_int_eq(head.status, 206);
	ck_assert(head.is_whole && head.has_range);
	ck_assert_int_eq(head.first, 7);
	ck_assert_int_eq(head.total, 10);
	ck_assert_str_eq(head.etag, "\"a b\"");
	head = HEAD("HTTP/2 200 \r\n", "ETag: W/\"weak\"", "ETagX: \"x\"");
	ck_assert_int_eq(head.status, 200);
	ck_assert_str_eq(head.etag, "");
	ck_assert(!head.is_whole);
	head = HEAD("HTTP/1.1 301 x", "location: /b");
	ck_assert(head.has_location);
	head = HEAD("HTTP/1.1", "HTTP/1.1 20");
	ck_assert_int_eq(head.status, 0);
}
END_TEST

static void expect_range(
    const char *value, bool has, int64_t first, int64_t total)
{
	char line[200];
	struct fetch_head head;

	snprintf(line, sizeof line, "Content-Range: %s\r\n", value);
	head = HEAD("HTTP/1.1 206 x", line);
	ck_assert_msg(head.has_range == has, "%s", value);
	if (!has)
		return;
	ck_assert_int_eq(head.first, first);
	ck_assert_int_eq(head.total, total);
}

START_TEST(test_ranges)
{
	expect_range("bytes 0-0/1", true, 0, 1);
	expect_range("bytes 5-9/*", true, 5, -1);
	expect_range("bytes */10", true, -1, 10);
	expect_range("bytes 9-5/10", false, 0, 0);
	expect_range("bytes 5-9", false, 0, 0);
	expect_range("bytes 5-9/10x", false, 0, 0);
	expect_range("bytes -5-9/10", false, 0, 0);
	expect_range("lines 5-9/10", false, 0, 0);
	expect_range("bytes 5-99999999999999999999/10", false, 0, 0);
	expect_range("", false, 0, 0);
}
END_TEST

static struct fetch_progress half(const char *etag)
{
	struct fetch_progress progress = {
	    .begun = true, .offset = 7, .total = 10};

	memcpy(progress.etag, etag, strlen(etag) + 1);
	return progress;
}

static enum fetch_verdict judge(
    struct fetch_progress progress, struct fetch_head head)
{
	return fetch_resume_judge(&progress, &head);
}

START_TEST(test_the_rest)
{
	struct fetch_progress p = half("\"a\"");

	ck_assert(fetch_resume_is_possible(&p));
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 206 x", "ETag: \"a\"",
				      "Content-Range: bytes 7-9/10", "")),
	    HEAD_TAKE);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 206 x", "Content-Range: bytes 7-9/10", "")),
	    HEAD_TAKE);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 200 x", "ETag: \"a\"", "")), HEAD_SKIP);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 503 x", "")), HEAD_STATUS);
}
END_TEST

START_TEST(test_not_the_rest)
{
	struct fetch_progress p = half("\"a\"");

	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 200 x", "ETag: \"b\"", "")), HEAD_OTHER);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 200 x", "")), HEAD_OTHER);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 200 x", "ETag: W/\"a\"", "")), HEAD_OTHER);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 206 x", "ETag: \"b\"",
				      "Content-Range: bytes 7-9/10", "")),
	    HEAD_OTHER);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 206 x", "ETag: \"a\"",
				      "Content-Range: bytes 6-9/10", "")),
	    HEAD_OTHER);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 206 x", "ETag: \"a\"",
				      "Content-Range: bytes 7-10/11", "")),
	    HEAD_OTHER);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 206 x", "ETag: \"a\"", "")), HEAD_OTHER);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 416 x", "Content-Range: bytes */7", "")),
	    HEAD_OTHER);
}
END_TEST

START_TEST(test_what_is_kept)
{
	struct fetch_progress p = {.total = -1};
	struct fetch_head head = HEAD("HTTP/1.1 200 x", "ETag: \"a\"", "");

	ck_assert(fetch_resume_is_possible(&p));
	ck_assert_int_eq(fetch_resume_judge(&p, &head), HEAD_TAKE);
	ck_assert_str_eq(p.etag, "\"a\"");
	p.begun = true;
	ck_assert(fetch_resume_is_possible(&p));
	/* A part that was asked for with -H does not go on by itself. */
	p = (struct fetch_progress){.total = -1};
	head = HEAD(
	    "HTTP/1.1 206 x", "ETag: \"a\"", "Content-Range: bytes 2-5/10", "");
	ck_assert_int_eq(fetch_resume_judge(&p, &head), HEAD_TAKE);
	ck_assert_str_eq(p.etag, "");
	ck_assert_int_eq(p.total, -1);
	/* The tag of an error page is of the page. */
	p = (struct fetch_progress){.total = -1};
	head = HEAD("HTTP/1.1 404 x", "ETag: \"a\"", "");
	ck_assert_int_eq(fetch_resume_judge(&p, &head), HEAD_TAKE);
	p.begun = true;
	ck_assert(!fetch_resume_is_possible(&p));
}
END_TEST

START_TEST(test_a_file_that_was_there)
{
	struct fetch_progress p = {.offset = 7, .total = -1};
	struct fetch_head head = HEAD(
	    "HTTP/1.1 206 x", "ETag: \"a\"", "Content-Range: bytes 7-9/10", "");

	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 200 x", "ETag: \"a\"", "")), HEAD_NO_RANGE);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 416 x", "Content-Range: bytes */7", "")),
	    HEAD_COMPLETE);
	ck_assert_int_eq(
	    judge(p, HEAD("HTTP/1.1 416 x", "Content-Range: bytes */6", "")),
	    HEAD_NO_RANGE);
	ck_assert_int_eq(judge(p, HEAD("HTTP/1.1 404 x", "")), HEAD_STATUS);
	ck_assert_int_eq(fetch_resume_judge(&p, &head), HEAD_TAKE);
	ck_assert_str_eq(p.etag, "\"a\"");
	ck_assert_int_eq(p.total, 10);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("resume");

	tcase_add_test(tcase, test_heads);
	tcase_add_test(tcase, test_ranges);
	tcase_add_test(tcase, test_the_rest);
	tcase_add_test(tcase, test_not_the_rest);
	tcase_add_test(tcase, test_what_is_kept);
	tcase_add_test(tcase, test_a_file_that_was_there);
	return check_main(tcase);
}
