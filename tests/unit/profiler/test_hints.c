/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/hints.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "conf/protocol.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/profiler/dpi_samples.h"

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

/* -- first bytes in several reads --------------------------------------- */

struct outcome {
	struct features_hints hints;
	struct hints_name name;
	bool more;
};

static void look(struct outcome *o, bool up, const uint8_t *bytes, size_t n)
{
	o->more = up ? hints_of_client(&o->hints, bytes, n, &o->name)
		     : hints_of_server(&o->hints, bytes, n);
}

static void check_same(
    const struct outcome *o, const struct outcome *whole, size_t cut)
{
	const struct features_hints *a = &o->hints, *b = &whole->hints;

	ck_assert_msg(
	    a->protocol == b->protocol && a->protocol_kind == b->protocol_kind,
	    "cut at %zu: protocol %u, not %u", cut, a->protocol, b->protocol);
	ck_assert_msg(a->http_method == b->http_method &&
			  a->http_path == b->http_path &&
			  a->http_range == b->http_range &&
			  a->http_upgrade == b->http_upgrade,
	    "cut at %zu: another request", cut);
	ck_assert_msg(a->message_bytes[0] == b->message_bytes[0] &&
			  a->message_bytes[1] == b->message_bytes[1] &&
			  a->http_asked == b->http_asked,
	    "cut at %zu: another length", cut);
	ck_assert_msg(a->http_status == b->http_status &&
			  a->http_type == b->http_type &&
			  a->http_length_known == b->http_length_known &&
			  a->http_length_kib == b->http_length_kib,
	    "cut at %zu: another answer", cut);
	ck_assert_msg(a->tls_version == b->tls_version &&
			  a->tls_alpn == b->tls_alpn &&
			  a->tls_sni == b->tls_sni && a->tls_ech == b->tls_ech,
	    "cut at %zu: another ClientHello", cut);
	ck_assert_msg(
	    o->name.length == whole->name.length &&
		!memcmp(o->name.text, whole->name.text, whole->name.length),
	    "cut at %zu: another name", cut);
}

/* Cut anywhere, and byte by byte, they say what the whole says; `before` is
 * what the other side has told. */
static void check_cuts(const struct features_hints *before, bool up,
    const uint8_t *bytes, size_t length)
{
	struct outcome whole = {.hints = *before};
	struct outcome single = {.hints = *before, .more = true};

	look(&whole, up, bytes, length);
	for (size_t cut = 1; cut < length; cut++) {
		struct outcome o = {.hints = *before};

		look(&o, up, bytes, cut);
		if (o.more)
			look(&o, up, bytes, length);
		check_same(&o, &whole, cut);
		if (single.more)
			look(&single, up, bytes, cut);
	}
	if (single.more)
		look(&single, up, bytes, length);
	check_same(&single, &whole, 1);
}

START_TEST(test_cut_anywhere)
{
	static const struct features_hints nothing;

	for (size_t i = 0; i < BR_COUNT(dpi_clients); i++)
		check_cuts(&nothing, true, dpi_bytes(dpi_clients[i].client),
		    dpi_clients[i].client_length);
	for (size_t i = 0; i < BR_COUNT(dpi_servers); i++)
		check_cuts(&nothing, false, dpi_bytes(dpi_servers[i].server),
		    dpi_servers[i].server_length);
}
END_TEST

/* Its length counts although its head is longer than what dpi looks at. */
START_TEST(test_upload_cut_anywhere)
{
	static const struct features_hints nothing;
	char put[2048];
	int n = snprintf(put, sizeof put,
	    "PUT /x HTTP/1.1\r\nHost: a\r\nCookie: %01200d\r\n"
	    "Content-Length: 5242880\r\n\r\n",
	    1);

	client(put);
	ck_assert_uint_eq(hints.message_bytes[0], ISO_BYTES + (uint32_t)n);
	check_cuts(&nothing, true, dpi_bytes(put), (size_t)n);
}
END_TEST

START_TEST(test_answer_cut_anywhere)
{
	static const char *const answers[] = {
	    "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"
	    "Content-Length: 5242880\r\nServer: s\r\n\r\nbody",
	    /* What counts after the first field does not after the second. */
	    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
	    "Content-Length: 11\r\n\r\n",
	    "what is this\r\n\r\n"};

	for (size_t i = 0; i < BR_COUNT(answers); i++) {
		client("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
		check_cuts(
		    &hints, false, dpi_bytes(answers[i]), strlen(answers[i]));
		/* Whose request was not understood. */
		hints = (struct features_hints){0};
		check_cuts(
		    &hints, false, dpi_bytes(answers[i]), strlen(answers[i]));
	}
}
END_TEST

/* A ClientHello as browsers send it: names in front, then 1.5 KiB of keys, and
 * at the end what it speaks. */
#define BIG_KEYS 1500u
#define BIG_NAME "www.example.com"
#define BIG_NAME_ENDS 76u /* bytes from the start of the record */
#define BIG_HELLO_MAX 2048u

static size_t put(uint8_t *bytes, size_t at, const char *text, size_t n)
{
	memcpy(bytes + at, text, n);
	return at + n;
}

static size_t make_big_hello(uint8_t bytes[BIG_HELLO_MAX])
{
	size_t at = 0, body;

	memset(bytes, 0, BIG_HELLO_MAX);
	at = put(bytes, at, SIDE("\x16\x03\x01..\x01\0..\x03\x03"));
	at = put(bytes, at, SIDE("0123456789abcdef0123456789abcdef"));
	at = put(bytes, at, SIDE("\0\0\2\x13\1\1\0"));
	body = at + 2;
	at = put(bytes, at, SIDE("..\0\0\0\x14\0\x12\0\0\x0f" BIG_NAME));
	ck_assert_uint_eq(at, BIG_NAME_ENDS);
	at = put(bytes, at, SIDE("\0\x33\x05\xdc")) + BIG_KEYS;
	at = put(bytes, at, SIDE("\0\x10\0\x05\0\x03\x02h2"));
	at = put(bytes, at, SIDE("\0\x2b\0\x03\x02\x03\x04"));
	bytes[3] = (uint8_t)((at - 5) >> 8);
	bytes[4] = (uint8_t)(at - 5);
	bytes[7] = (uint8_t)((at - 9) >> 8);
	bytes[8] = (uint8_t)(at - 9);
	bytes[body - 2] = (uint8_t)((at - body) >> 8);
	bytes[body - 1] = (uint8_t)(at - body);
	return at;
}

START_TEST(test_big_hello_cut_anywhere)
{
	static const struct features_hints nothing;
	uint8_t bytes[BIG_HELLO_MAX];
	size_t n = make_big_hello(bytes);
	struct outcome o = {0};

	look(&o, true, bytes, n);
	ck_assert(!o.more && o.hints.tls_sni);
	ck_assert_uint_eq(o.hints.tls_version, 4);
	ck_assert_uint_eq(o.hints.tls_alpn, 2);
	ck_assert_str_eq(o.name.text, BIG_NAME);
	check_cuts(&nothing, true, bytes, n);
	/* One that turns out to be none says nothing. */
	bytes[BIG_NAME_ENDS + 4 + BIG_KEYS + 5] = 1;
	look(&o, true, bytes, n);
	ck_assert(!o.more && !o.hints.tls_sni && !o.name.length);
	check_cuts(&nothing, true, bytes, n);
}
END_TEST

/* A name counts as soon as it is there. What is not, is not known: a version
 * that may still be offered is none. */
START_TEST(test_begun_hello)
{
	uint8_t bytes[BIG_HELLO_MAX];
	size_t n = make_big_hello(bytes);

	for (size_t cut = 12; cut < n; cut++) {
		struct outcome o = {0};

		look(&o, true, bytes, cut);
		ck_assert(o.more);
		ck_assert_uint_eq(o.hints.protocol, PROTOCOL_TLS);
		ck_assert_msg(o.hints.tls_sni == (cut >= BIG_NAME_ENDS),
		    "a name at %zu", cut);
		ck_assert_str_eq(
		    o.name.text, cut >= BIG_NAME_ENDS ? BIG_NAME : "");
		ck_assert_uint_eq(o.hints.tls_version, 0);
		ck_assert_uint_eq(o.hints.tls_alpn, cut >= n - 7 ? 2 : 0);
	}
}
END_TEST

START_TEST(test_kept)
{
	static const uint8_t bytes[HINTS_KEPT_MAX + 1];
	struct hints_kept kept;

	hints_kept_start(&kept);
	ck_assert(!kept.open[0] && !kept.open[1]);
	ck_assert(hints_kept_add(&kept, true, "ab", 2));
	ck_assert(hints_kept_add(&kept, false, "x", 1));
	ck_assert(hints_kept_add(&kept, true, "cd", 2));
	ck_assert_uint_eq(kept.length[0], 4);
	ck_assert_mem_eq(kept.bytes[0], "abcd", 4);
	ck_assert_uint_eq(kept.length[1], 1);
	ck_assert(hints_kept_add(&kept, true, bytes, HINTS_KEPT_MAX - 5));
	ck_assert(!hints_kept_add(&kept, true, bytes, 2));
	ck_assert_uint_eq(kept.length[0], HINTS_KEPT_MAX);
	ck_assert_uint_eq(kept.bytes[1][0], 'x');
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
	tcase_add_test(tcase, test_cut_anywhere);
	tcase_add_test(tcase, test_upload_cut_anywhere);
	tcase_add_test(tcase, test_answer_cut_anywhere);
	tcase_add_test(tcase, test_big_hello_cut_anywhere);
	tcase_add_test(tcase, test_begun_hello);
	tcase_add_test(tcase, test_kept);
	return check_main(tcase);
}
