/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/hints.h"

#include <stdio.h>
#include <string.h>

#include "conf/protocol.h"
#include "tests/unit/base/check_main.h"

static struct features_hints hints;
static struct hints_name name;

static void client(const char *text)
{
	hints = (struct features_hints){0};
	hints_of_client(&hints, text, strlen(text), &name);
}

static void server(const char *text)
{
	hints_of_server(&hints, text, strlen(text));
}

START_TEST(test_http)
{
	client("GET /big/file.iso?x=1 HTTP/1.1\r\nHost: WWW.Example.com\r\n"
	       "Range: bytes=0-99\r\n\r\n");
	ck_assert_uint_eq(hints.protocol, PROTOCOL_HTTP);
	ck_assert_uint_eq(hints.protocol_kind, PROTOCOL_WEB);
	ck_assert_uint_eq(hints.http_method, 1);
	ck_assert_uint_eq(hints.http_path, 8);
	ck_assert(hints.http_range && !hints.http_upgrade);
	ck_assert_str_eq(name.text, "www.example.com");
	server("HTTP/1.1 206 Partial Content\r\nContent-Length: 5242880\r\n"
	       "Content-Type: application/octet-stream\r\n\r\n");
	ck_assert_uint_eq(hints.http_status, 2);
	ck_assert(hints.http_length_known);
	ck_assert_uint_eq(hints.http_length_kib, 5120);
	ck_assert_uint_eq(hints.http_type, 7);
}
END_TEST

/* A length that is not one, and answers that are none. */
START_TEST(test_http_answers)
{
	client("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
	       "Transfer-Encoding: chunked\r\n\r\n");
	ck_assert(!hints.http_length_known);
	client("POST /x HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_uint_eq(hints.http_method, 3);
	server("what is this\r\n\r\n");
	ck_assert_uint_eq(hints.http_status, 0);
	ck_assert(!hints.http_length_known);
}
END_TEST

#define ISO_BYTES 5242880u

static uint64_t answer_bytes(const char *request, const char *answer)
{
	client(request);
	server(answer);
	return hints.message_bytes[1];
}

/* How long the first message of each way is. */
START_TEST(test_http_messages)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char head[] = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n";
	static const char put[] =
	    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5242880\r\n\r\n";
	char beginning[sizeof answer + 4];

	ck_assert_uint_eq(
	    answer_bytes(get, answer), ISO_BYTES + sizeof answer - 1);
	ck_assert_uint_eq(hints.message_bytes[0], 0);
	/* What is there of the body counts once. */
	(void)snprintf(beginning, sizeof beginning, "%sbody", answer);
	ck_assert_uint_eq(
	    answer_bytes(get, beginning), ISO_BYTES + sizeof answer - 1);
	ck_assert_uint_eq(answer_bytes(head, answer), 0);
	ck_assert_uint_eq(answer_bytes(get, "HTTP/1.1 304 Not Modified\r\n"
					    "Content-Length: 9\r\n\r\n"),
	    0);
	ck_assert_uint_eq(
	    answer_bytes(get, "HTTP/1.1 100 Continue\r\n\r\n"), 0);
	ck_assert_uint_eq(answer_bytes(get, "HTTP/1.1 200 OK\r\n"
					    "Transfer-Encoding: chunked\r\n"
					    "\r\n"),
	    0);
	ck_assert_uint_eq(answer_bytes(get, "HTTP/1.1 200 OK\r\n"
					    "Content-Length: 10\r\n"),
	    0);
	ck_assert_uint_eq(answer_bytes(get, "HTTP/1.1 200 OK\r\n"
					    "Content-Length: "
					    "18446744073709551615\r\n\r\n"),
	    0);
	client(put);
	ck_assert_uint_eq(hints.message_bytes[0], ISO_BYTES + sizeof put - 1);
}
END_TEST

START_TEST(test_greeting)
{
	hints = (struct features_hints){0};
	server("SSH-2.0-OpenSSH_9.2\r\n");
	ck_assert_uint_eq(hints.protocol, PROTOCOL_SSH);
	ck_assert_uint_eq(hints.protocol_kind, PROTOCOL_SHELL);
}
END_TEST

START_TEST(test_nobody)
{
	client("\x01\x02\x03nobody");
	ck_assert_uint_eq(hints.protocol, PROTOCOL_UNKNOWN);
	ck_assert_uint_eq(name.length, 0);
	hints_of_client(&hints, "", 0, &name);
	hints_of_server(&hints, "", 0);
	ck_assert_uint_eq(hints.protocol, PROTOCOL_UNKNOWN);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("hints");

	tcase_add_test(tcase, test_http);
	tcase_add_test(tcase, test_http_answers);
	tcase_add_test(tcase, test_http_messages);
	tcase_add_test(tcase, test_greeting);
	tcase_add_test(tcase, test_nobody);
	return check_main(tcase);
}
