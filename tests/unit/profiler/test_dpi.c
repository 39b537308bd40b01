/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/dpi.h"

#include "base/assert.h"
#include "base/rng.h"
#include "profiler/dpi_detect.h"
#include "tests/unit/base/check_main.h"
#include "tests/unit/profiler/dpi_samples.h"

#include <stdio.h>
#include <string.h>

static struct client_hello hello;

static enum dpi_result read_whole(
    const struct dpi_sample *s, struct dpi *dpi, struct dpi_verdict *verdict)
{
	dpi_start(dpi);
	return dpi_read(dpi, dpi_bytes(s->client), s->client_length,
	    dpi_bytes(s->server), s->server_length, &hello, verdict);
}

static const struct dpi_sample *const tables[] = {
    dpi_clients, dpi_servers, dpi_pairs, dpi_others};
static const size_t counts[] = {BR_COUNT(dpi_clients), BR_COUNT(dpi_servers),
    BR_COUNT(dpi_pairs), BR_COUNT(dpi_others)};

/* Calls fn for the rows of all tables before `end`. */
static void each_sample(
    size_t end, void (*fn)(const struct dpi_sample *, const char *))
{
	char where[64];

	for (size_t table = 0; table < end; table++) {
		for (size_t i = 0; i < counts[table]; i++) {
			(void)snprintf(where, sizeof(where),
			    "table %zu row %zu", table, i);
			fn(&tables[table][i], where);
		}
	}
}

static void check_whole(const struct dpi_sample *s, const char *where)
{
	struct dpi_verdict verdict;
	struct dpi dpi;
	enum dpi_result result = read_whole(s, &dpi, &verdict);

	ck_assert_msg(verdict.protocol == s->protocol, "%s: %s, not %s", where,
	    protocol_name(verdict.protocol), protocol_name(s->protocol));
	if (s->protocol) {
		ck_assert_msg(result == DPI_DONE, "%s", where);
		ck_assert_msg(
		    verdict.possible == PROTOCOL_BIT(s->protocol), "%s", where);
	} else {
		ck_assert_msg(result != DPI_DONE, "%s", where);
		ck_assert_msg(verdict.possible & PROTOCOL_BIT(PROTOCOL_UNKNOWN),
		    "%s", where);
	}
}

START_TEST(test_whole)
{
	each_sample(4, check_whole);
	for (size_t i = 0; i < BR_COUNT(dpi_conflicts); i++)
		check_whole(&dpi_conflicts[i], "of those in conflict");
}
END_TEST

/* What is certain stays so; what comes out in the end was possible all along;
 * nothing else is ever certain. */
static void check_step(const struct dpi_verdict *verdict,
    enum protocol expected, enum dpi_result result, const char *where, size_t n)
{
	bool web = expected == PROTOCOL_WEBSOCKET &&
		   verdict->protocol == PROTOCOL_HTTP;

	ck_assert_msg(
	    !verdict->protocol || verdict->protocol == expected || web,
	    "%s: %s after %zu bytes", where, protocol_name(verdict->protocol),
	    n);
	ck_assert_msg(!expected || verdict->possible & PROTOCOL_BIT(expected),
	    "%s: not possible after %zu bytes", where, n);
	ck_assert_msg(result != DPI_MORE || verdict->client_need > n ||
			  verdict->server_need > n || !verdict->client_need ||
			  !verdict->server_need,
	    "%s: needs no more than %zu bytes", where, n);
}

static void check_single(const struct dpi_sample *s, const char *where)
{
	size_t most = s->client_length > s->server_length ? s->client_length
							  : s->server_length;
	struct dpi_verdict verdict = {0};
	struct dpi dpi;

	dpi_start(&dpi);
	for (size_t n = 1; n <= most; n++) {
		size_t client = n < s->client_length ? n : s->client_length;
		size_t server = n < s->server_length ? n : s->server_length;
		enum dpi_result result;
		/* Blocks of their own, so that reading beyond them is seen. */
		uint8_t *c = malloc(client + !client);
		uint8_t *v = malloc(server + !server);

		ck_assert(c && v);
		if (client)
			memcpy(c, s->client, client);
		if (server)
			memcpy(v, s->server, server);
		result = dpi_read(&dpi, c, client, v, server, &hello, &verdict);
		check_step(&verdict, s->protocol, result, where, n);
		free(c);
		free(v);
	}
	ck_assert_msg(verdict.protocol == s->protocol, "%s: %s in the end",
	    where, protocol_name(verdict.protocol));
}

START_TEST(test_byte_by_byte)
{
	each_sample(4, check_single);
}
END_TEST

/* A prefix alone: nothing is certain but what it will be. */
static void check_truncated(const struct dpi_sample *s, const char *where)
{
	for (size_t n = 1; n < s->client_length + s->server_length; n++) {
		struct dpi_verdict verdict;
		enum dpi_result result;
		struct dpi dpi;

		dpi_start(&dpi);
		result = dpi_read(&dpi, dpi_bytes(s->client),
		    s->client_length ? n : 0, dpi_bytes(s->server),
		    s->client_length ? 0 : n, &hello, &verdict);
		check_step(&verdict, s->protocol, result, where, n);
	}
}

START_TEST(test_truncated)
{
	each_sample(2, check_truncated);
}
END_TEST

/* The rows are there for every protocol, and by both sides where both can be
 * told. RTMP, which needs many bytes, has a test of its own. */
START_TEST(test_every_protocol_has_a_row)
{
	protocol_set seen =
	    PROTOCOL_BIT(PROTOCOL_UNKNOWN) | PROTOCOL_BIT(PROTOCOL_RTMP);

	for (size_t i = 0; i < BR_COUNT(dpi_clients); i++)
		seen |= PROTOCOL_BIT(dpi_clients[i].protocol);
	ck_assert_uint_eq(seen, PROTOCOL_ALL);
}
END_TEST

START_TEST(test_little_is_enough)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum protocol protocol;
	} rows[] = {
	    {SIDE("SSH-2.0-"), PROTOCOL_SSH},
	    {SIDE("\0\0\0\x08\4\xd2\x16\x2f"), PROTOCOL_POSTGRESQL},
	    {SIDE("\x16\3\1\2\0\1\0\1\xfc\3\3"), PROTOCOL_TLS},
	    {SIDE("GET / HTTP/1.1"), PROTOCOL_HTTP},
	};

	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		struct dpi_verdict verdict;
		struct dpi dpi;

		dpi_start(&dpi);
		(void)!dpi_read(&dpi, dpi_bytes(rows[i].bytes), rows[i].length,
		    NULL, 0, &hello, &verdict);
		ck_assert_int_eq(verdict.protocol, rows[i].protocol);
		dpi_start(&dpi);
		(void)!dpi_read(&dpi, dpi_bytes(rows[i].bytes),
		    rows[i].length - 1, NULL, 0, &hello, &verdict);
		ck_assert_int_eq(verdict.protocol, PROTOCOL_UNKNOWN);
	}
}
END_TEST

/* Who asks for something else need not wait. */
START_TEST(test_a_first_byte_excludes)
{
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes("G"), 1, NULL, 0, &hello, &verdict),
	    DPI_MORE);
	ck_assert(verdict.possible & PROTOCOL_BIT(PROTOCOL_HTTP));
	ck_assert(!(verdict.possible & PROTOCOL_BIT(PROTOCOL_SSH)));
	ck_assert(!(verdict.possible & PROTOCOL_BIT(PROTOCOL_TLS)));
	dpi_start(&dpi);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes("\xc3\xc3\xc3\xc3"), 4, NULL,
			     0, &hello, &verdict),
	    DPI_UNKNOWN);
	ck_assert_uint_eq(verdict.possible, PROTOCOL_BIT(PROTOCOL_UNKNOWN));
}
END_TEST

START_TEST(test_silence)
{
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, NULL, 0, NULL, 0, &hello, &verdict), DPI_MORE);
	ck_assert_uint_eq(verdict.possible, PROTOCOL_ALL);
	ck_assert_uint_eq(verdict.client_need, 1);
	ck_assert_uint_eq(verdict.server_need, 1);
}
END_TEST

/* A side that cannot be told does not hide what the other says. */
START_TEST(test_unknown_until_the_other_speaks)
{
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes("XCUP\r\n"), 6, NULL, 0, &hello, &verdict),
	    DPI_UNKNOWN);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes("XCUP\r\n"), 6,
		dpi_bytes("220 ProFTPD\r\n"), 13, &hello, &verdict),
	    DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_FTP);
}
END_TEST

/* --- what is read further --- */

static void check_span(
    const char *bytes, struct http1_span span, const char *expected)
{
	ck_assert_uint_eq(span.length, strlen(expected));
	ck_assert_mem_eq(bytes + span.at, expected, span.length);
}

START_TEST(test_http_details)
{
	static const char request[] =
	    "GET /big.iso HTTP/1.1\r\nHost: a.test:8080\r\n"
	    "Range: bytes=0-99\r\n\r\n";
	static const char answer[] = "HTTP/1.1 206 Partial Content\r\n"
				     "Content-Length: 100\r\n"
				     "Content-Type: text/plain\r\n\r\n";
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(request), sizeof(request) - 1,
			     NULL, 0, &hello, &verdict),
	    DPI_DONE);
	check_span(request, verdict.head->method, "GET");
	check_span(request, verdict.head->target, "/big.iso");
	check_span(request, verdict.head->known[HTTP1_HOST], "a.test:8080");
	check_span(request, verdict.head->known[HTTP1_RANGE], "bytes=0-99");
	ck_assert_uint_eq(verdict.answer->status, 0);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes(request), sizeof(request) - 1,
		dpi_bytes(answer), sizeof(answer) - 1, &hello, &verdict),
	    DPI_DONE);
	ck_assert_uint_eq(verdict.answer->status, 206);
	ck_assert_uint_eq(verdict.answer->content_length, 100);
	check_span(
	    answer, verdict.answer->known[HTTP1_CONTENT_TYPE], "text/plain");
}
END_TEST

/* Certain at once, with the head to come. */
START_TEST(test_http_waits_for_its_head)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n";
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(request), sizeof(request) - 1,
			     NULL, 0, &hello, &verdict),
	    DPI_MORE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_HTTP);
	ck_assert_uint_eq(verdict.possible,
	    PROTOCOL_BIT(PROTOCOL_HTTP) | PROTOCOL_BIT(PROTOCOL_WEBSOCKET));
	ck_assert_uint_eq(verdict.client_need, sizeof(request));
	ck_assert_uint_eq(verdict.server_need, 0);
	check_span(request, verdict.head->known[HTTP1_HOST], "a");
}
END_TEST

/* Beyond the bound nothing is looked at, and nothing waits. */
START_TEST(test_http_bound)
{
	static char request[4096] = "GET /";
	struct dpi_verdict verdict;
	struct dpi dpi;

	memset(request + 5, 'x', sizeof(request) - 5);
	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes(request), 1000, NULL, 0, &hello, &verdict),
	    DPI_MORE);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(request), sizeof(request),
			     NULL, 0, &hello, &verdict),
	    DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_HTTP);
	ck_assert(!verdict.head->line_read);
	memcpy(request, "EHLO ", 5);
	dpi_start(&dpi);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(request), sizeof(request),
			     NULL, 0, &hello, &verdict),
	    DPI_UNKNOWN);
}
END_TEST

START_TEST(test_tls_details)
{
	static const char bytes[] = HELLO;
	struct dpi_verdict verdict;
	struct dpi dpi;

	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, dpi_bytes(bytes), 20, NULL, 0, &hello, &verdict),
	    DPI_MORE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_TLS);
	ck_assert_uint_eq(verdict.possible, PROTOCOL_BIT(PROTOCOL_TLS));
	ck_assert_ptr_null(verdict.hello);
	ck_assert_uint_eq(verdict.client_need, sizeof(bytes) - 1);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(bytes), sizeof(bytes) - 1,
			     NULL, 0, &hello, &verdict),
	    DPI_DONE);
	ck_assert_ptr_nonnull(verdict.hello);
	ck_assert_str_eq(verdict.hello->name, "a.test");
	ck_assert_uint_eq(verdict.tls_cause, 0);
}
END_TEST

/* Records of one byte. */
START_TEST(test_tls_in_many_records)
{
	static const char message[] = "\1\0\0\x3a" HELLO_BODY;
	static uint8_t bytes[6 * sizeof(message)];
	struct dpi_verdict verdict;
	struct dpi dpi;
	size_t n = 0;

	for (size_t i = 0; i + 1 < sizeof(message); i++) {
		const uint8_t record[] = {22, 3, 1, 0, 1, (uint8_t)message[i]};

		memcpy(bytes + n, record, sizeof(record));
		n += sizeof(record);
	}
	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, bytes, n - 1, NULL, 0, &hello, &verdict), DPI_MORE);
	ck_assert_int_eq(
	    dpi_read(&dpi, bytes, n, NULL, 0, &hello, &verdict), DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_TLS);
	ck_assert_str_eq(verdict.hello->name, "a.test");
}
END_TEST

START_TEST(test_tls_malformed)
{
	static char bytes[] = HELLO;
	struct dpi_verdict verdict;
	struct dpi dpi;

	/* The name's length leads out of the extension. */
	bytes[sizeof(bytes) - 8] = 9;
	dpi_start(&dpi);
	ck_assert_int_eq(dpi_read(&dpi, dpi_bytes(bytes), sizeof(bytes) - 1,
			     NULL, 0, &hello, &verdict),
	    DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_TLS);
	ck_assert_ptr_null(verdict.hello);
	ck_assert_uint_eq(verdict.tls_cause, CLIENT_HELLO_CAUSE_SERVER_NAME);
	/* An empty record: no TLS, but it has begun as such. */
	dpi_start(&dpi);
	ck_assert_int_ne(dpi_read(&dpi, dpi_bytes("\x16\3\1\0\0\1"), 6, NULL, 0,
			     &hello, &verdict),
	    DPI_DONE);
	ck_assert(!(verdict.possible & PROTOCOL_BIT(PROTOCOL_TLS)));
	ck_assert_uint_eq(verdict.tls_cause, CLIENT_HELLO_CAUSE_RECORD);
}
END_TEST

/* Version, time, zeros or a player's version, and what is random. */
static void make_rtmp(uint8_t *ret, size_t length, bool player)
{
	static const uint8_t head[] = {3, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t version[] = {9, 0, 124, 2};
	struct rng rng;

	rng_seed(&rng, 7);
	for (size_t i = 0; i < length; i++)
		ret[i] = (uint8_t)rng_below(&rng, 256);
	memcpy(ret, head, sizeof(head));
	if (player)
		memcpy(ret + 5, version, sizeof(version));
}

START_TEST(test_rtmp)
{
	static uint8_t bytes[1537];
	struct dpi_verdict verdict;
	struct dpi dpi;

	make_rtmp(bytes, sizeof(bytes), _i);
	dpi_start(&dpi);
	for (size_t n = 1; n < 512; n++) {
		ck_assert_int_eq(
		    dpi_read(&dpi, bytes, n, NULL, 0, &hello, &verdict),
		    DPI_MORE);
		ck_assert(verdict.possible & PROTOCOL_BIT(PROTOCOL_RTMP));
	}
	ck_assert_int_eq(
	    dpi_read(&dpi, bytes, 512, NULL, 0, &hello, &verdict), DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_RTMP);
	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, NULL, 0, bytes, sizeof(bytes), &hello, &verdict),
	    DPI_DONE);
	ck_assert_int_eq(verdict.protocol, PROTOCOL_RTMP);
	/* Nothing random behind it. */
	memset(bytes + 9, 0, sizeof(bytes) - 9);
	dpi_start(&dpi);
	ck_assert_int_eq(
	    dpi_read(&dpi, bytes, sizeof(bytes), NULL, 0, &hello, &verdict),
	    DPI_UNKNOWN);
}
END_TEST

/* --- what must not be taken --- */

/* Random bytes behind each first byte, and those of each sample: its first
 * two right, the rest random. */
START_TEST(test_random_bytes_are_nobodys)
{
	struct rng rng;
	uint8_t bytes[80];

	rng_seed(&rng, (uint64_t)_i + 1);
	for (unsigned round = 0; round < 40000; round++) {
		struct dpi_verdict verdict;
		struct dpi dpi;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)rng_below(&rng, 256);
		bytes[0] = (uint8_t)round;
		if (round % 3 == 0) {
			const struct dpi_sample *s =
			    &dpi_clients[round % BR_COUNT(dpi_clients)];

			memcpy(bytes, s->client, 2);
		}
		dpi_start(&dpi);
		(void)!dpi_read(&dpi, _i ? NULL : bytes, _i ? 0 : sizeof(bytes),
		    _i ? bytes : NULL, _i ? sizeof(bytes) : 0, &hello,
		    &verdict);
		ck_assert_msg(!verdict.protocol,
		    "round %u: %s, first %02x %02x", round,
		    protocol_name(verdict.protocol), bytes[0], bytes[1]);
	}
}
END_TEST

/* No sample of a client is a server's, of another protocol, and the other way
 * round: roles are not mixed up either. */
static void check_other_side(const struct dpi_sample *s, const char *where)
{
	struct dpi_sample turned = {.client = s->server,
	    .client_length = s->server_length,
	    .server = s->client,
	    .server_length = s->client_length};
	struct dpi_verdict verdict;
	struct dpi dpi;

	(void)read_whole(&turned, &dpi, &verdict);
	ck_assert_msg(!verdict.protocol || verdict.protocol == s->protocol,
	    "%s: %s of the other side", where, protocol_name(verdict.protocol));
}

START_TEST(test_sides)
{
	each_sample(2, check_other_side);
}
END_TEST

START_TEST(test_names_of_protocols)
{
	for (unsigned i = 1; i < PROTOCOL_COUNT; i++)
		ck_assert_int_eq(
		    protocol_by_name(protocol_name((enum protocol)i)), i);
	ck_assert_int_eq(protocol_by_name("gopher"), PROTOCOL_UNKNOWN);
	ck_assert_int_eq(protocol_by_name("unknown"), PROTOCOL_UNKNOWN);
	ck_assert(protocol_server_first() & PROTOCOL_BIT(PROTOCOL_SMTP));
	ck_assert(!(protocol_server_first() & PROTOCOL_BIT(PROTOCOL_SSH)));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dpi");

	tcase_add_test(tcase, test_whole);
	tcase_add_test(tcase, test_byte_by_byte);
	tcase_add_test(tcase, test_truncated);
	tcase_add_test(tcase, test_every_protocol_has_a_row);
	tcase_add_test(tcase, test_little_is_enough);
	tcase_add_test(tcase, test_a_first_byte_excludes);
	tcase_add_test(tcase, test_silence);
	tcase_add_test(tcase, test_unknown_until_the_other_speaks);
	tcase_add_test(tcase, test_http_details);
	tcase_add_test(tcase, test_http_waits_for_its_head);
	tcase_add_test(tcase, test_http_bound);
	tcase_add_test(tcase, test_tls_details);
	tcase_add_test(tcase, test_tls_in_many_records);
	tcase_add_test(tcase, test_tls_malformed);
	tcase_add_loop_test(tcase, test_rtmp, 0, 2);
	tcase_add_loop_test(tcase, test_random_bytes_are_nobodys, 0, 2);
	tcase_add_test(tcase, test_sides);
	tcase_add_test(tcase, test_names_of_protocols);
	return check_main(tcase);
}
