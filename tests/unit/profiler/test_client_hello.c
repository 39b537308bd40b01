/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/client_hello.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/base/seed_files.h"

/* A ClientHello under construction, and the records it is cut into. */
struct maker {
	uint8_t bytes[3 * 65536];
	size_t length;
};

static void put(struct maker *m, const void *bytes, size_t length)
{
	ck_assert_uint_le(m->length + length, sizeof(m->bytes));
	memcpy(m->bytes + m->length, bytes, length);
	m->length += length;
}

static void put_be(struct maker *m, size_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		uint8_t byte = (uint8_t)(v >> 8 * i);

		put(m, &byte, 1);
	}
}

static void put_extension(
    struct maker *m, unsigned type, const void *body, size_t length)
{
	put_be(m, type, 2);
	put_be(m, length, 2);
	put(m, body, length);
}

static void put_name(struct maker *m, const char *name, size_t length)
{
	struct maker *body = calloc(1, sizeof(*body));

	ck_assert_ptr_nonnull(body);
	put_be(body, length + 3, 2);
	put_be(body, 0, 1);
	put_be(body, length, 2);
	put(body, name, length);
	put_extension(m, 0, body->bytes, body->length);
	free(body);
}

/* A message around the extensions; NULL: without any. */
static void make_message(
    struct maker *m, unsigned version, const struct maker *extensions)
{
	uint8_t random[32] = {0};
	size_t body =
	    2 + 32 + 1 + 4 + 2 + (extensions ? 2 + extensions->length : 0);

	m->length = 0;
	put_be(m, 1, 1);
	put_be(m, body, 3);
	put_be(m, version, 2);
	put(m, random, sizeof(random));
	put_be(m, 0, 1);
	put(m, "\0\2\x13\1", 4);
	put(m, "\1\0", 2);
	if (extensions) {
		put_be(m, extensions->length, 2);
		put(m, extensions->bytes, extensions->length);
	}
}

static void make_records(
    struct maker *m, const struct maker *message, size_t record_bytes)
{
	m->length = 0;
	for (size_t at = 0; at < message->length; at += record_bytes) {
		size_t n = message->length - at < record_bytes
			       ? message->length - at
			       : record_bytes;

		put(m, "\x16\3\1", 3);
		put_be(m, n, 2);
		put(m, message->bytes + at, n);
	}
}

struct outcome {
	enum client_hello_result result;
	enum client_hello_cause cause;
	uint32_t calls;
	struct client_hello hello;
};

/* In steps of `step` bytes, each prefix in a block of its own so that reading
 * beyond it is seen; only when there is enough to get on, if `patient`. */
static struct outcome read_in_steps(
    const uint8_t *bytes, size_t length, size_t step, bool patient)
{
	struct client_hello_reader reader;
	struct outcome o = {.result = CLIENT_HELLO_MORE};
	size_t n = 0;

	client_hello_start(&reader);
	while (o.result == CLIENT_HELLO_MORE && n < length) {
		uint8_t *own;

		n = n + step < length ? n + step : length;
		if (patient && n < reader.need)
			continue;
		own = malloc(n);
		ck_assert_ptr_nonnull(own);
		memcpy(own, bytes, n);
		o.calls++;
		o.result = client_hello_read(&reader, own, n, &o.hello);
		ck_assert(o.result != CLIENT_HELLO_MORE || reader.need > n);
		/* It never asks for more than there can be. */
		ck_assert_uint_le(reader.need, CLIENT_HELLO_BYTES_MAX);
		free(own);
	}
	o.cause = (enum client_hello_cause)reader.cause;
	return o;
}

static struct outcome read_all(const struct maker *m)
{
	return read_in_steps(m->bytes, m->length, m->length, false);
}

static struct maker extensions, message, records;

static void start(void)
{
	extensions.length = message.length = records.length = 0;
}

static struct outcome read_extensions(void)
{
	make_message(&message, 0x0303, &extensions);
	make_records(&records, &message, 16384);
	return read_all(&records);
}

static bool has_alpn(const struct client_hello *hello, const char *want)
{
	const uint8_t *name;
	uint16_t at = 0;
	uint8_t length;

	while (client_hello_alpn_next(hello, &at, &name, &length)) {
		if (length == strlen(want) && !memcmp(name, want, length))
			return true;
	}
	return false;
}

START_TEST(test_without_extensions)
{
	struct outcome o;

	start();
	make_message(&message, 0x0301, NULL);
	make_records(&records, &message, 16384);
	o = read_all(&records);
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_uint_eq(o.hello.bytes, records.length);
	ck_assert_str_eq(o.hello.name, "");
	ck_assert_uint_eq(
	    o.hello.versions, CLIENT_HELLO_SSL3 | CLIENT_HELLO_TLS10);
}
END_TEST

struct name_row {
	const char *sent, *name;
	bool odd;
};

static const struct name_row names[] = {
    {"www.example.com", "www.example.com", false},
    {"WWW.Example.COM", "www.example.com", false},
    {"example.com.", "example.com", false},
    {"a_b-c.example", "a_b-c.example", false},
    {"localhost", "localhost", false},
    {"192.0.2.1", "192.0.2.1", false},
    {".", "", true},
    {".example.com", "", true},
    {"a..b", "", true},
    {"example.com..", "", true},
    {"::1", "", true},
    {"a b", "", true},
    {"ex\xc3\xa4mple", "", true},
    {"*.example.com", "", true},
};

START_TEST(test_names)
{
	const struct name_row *row = &names[_i];
	struct outcome o;

	start();
	put_name(&extensions, row->sent, strlen(row->sent));
	o = read_extensions();
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_str_eq(o.hello.name, row->name);
	ck_assert_uint_eq(o.hello.name_length, strlen(row->name));
	ck_assert_int_eq(o.hello.name_odd, row->odd);
}
END_TEST

START_TEST(test_name_lengths)
{
	char name[300];
	struct outcome o;

	memset(name, 'a', sizeof(name));
	for (size_t length = 254; length <= 257; length++) {
		start();
		put_name(&extensions, name, length);
		o = read_extensions();
		ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
		ck_assert_int_eq(o.hello.name_odd, length > 255);
		ck_assert_uint_eq(
		    strlen(o.hello.name), length > 255 ? 0 : length);
	}
	start();
	put_name(&extensions, "a\0b", 3);
	ck_assert(read_extensions().hello.name_odd);
}
END_TEST

struct extension_row {
	unsigned type;
	const char *body;
	size_t length;
	enum client_hello_cause cause;
};

#define BODY(text) text, sizeof(text) - 1

static const struct extension_row extension_rows[] = {
    {0, BODY(""), CLIENT_HELLO_CAUSE_SERVER_NAME},
    {0, BODY("\0\0"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    {0, BODY("\0\3\0\0\0"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    {0, BODY("\0\4\0\0\2a"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    {0, BODY("\0\4\0\0\1ab"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    {0, BODY("\0\5\0\0\1ab"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    /* Two names. */
    {0, BODY("\0\x08\0\0\1a\0\0\1b"), CLIENT_HELLO_CAUSE_SERVER_NAME},
    /* A type to come beside the name. */
    {0, BODY("\0\x08\7\0\1a\0\0\1b"), CLIENT_HELLO_CAUSE_NONE},
    {16, BODY(""), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\0"), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\1\0"), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\3\3h2"), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\4\2h2"), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\3\2h2x"), CLIENT_HELLO_CAUSE_ALPN},
    {16, BODY("\0\3\2h2"), CLIENT_HELLO_CAUSE_NONE},
    {43, BODY(""), CLIENT_HELLO_CAUSE_VERSIONS},
    {43, BODY("\0"), CLIENT_HELLO_CAUSE_VERSIONS},
    {43, BODY("\3\3\4\3"), CLIENT_HELLO_CAUSE_VERSIONS},
    {43, BODY("\2\3\4\0"), CLIENT_HELLO_CAUSE_VERSIONS},
    {43, BODY("\2\3\4"), CLIENT_HELLO_CAUSE_NONE},
    {0x1234, BODY("anything"), CLIENT_HELLO_CAUSE_NONE},
};

START_TEST(test_extensions)
{
	const struct extension_row *row = &extension_rows[_i];
	struct outcome o;

	start();
	put_extension(&extensions, row->type, row->body, row->length);
	o = read_extensions();
	ck_assert_str_eq(client_hello_cause_text(o.cause),
	    client_hello_cause_text(row->cause));
	ck_assert_int_eq(
	    o.result, row->cause ? CLIENT_HELLO_MALFORMED : CLIENT_HELLO_DONE);
	/* RFC 8446 4.2: none twice; those that are not read are not known. */
	if (row->cause || row->type == 0x1234)
		return;
	put_extension(&extensions, row->type, row->body, row->length);
	ck_assert_int_eq(
	    read_extensions().cause, CLIENT_HELLO_CAUSE_EXTENSIONS);
}
END_TEST

START_TEST(test_flags)
{
	struct outcome o;

	start();
	put_extension(&extensions, 35, "", 0);
	o = read_extensions();
	ck_assert(!o.hello.ticket && !o.hello.psk && !o.hello.early_data &&
		  !o.hello.ech && !o.hello.session_id);
	start();
	put_extension(&extensions, 35, "t", 1);
	put_extension(&extensions, 42, "", 0);
	put_extension(&extensions, 0xfe0d, "\0x", 2);
	put_extension(&extensions, 43, "\6\x0a\x0a\3\4\3\3", 7);
	put_extension(&extensions, 41, "x", 1);
	o = read_extensions();
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert(
	    o.hello.ticket && o.hello.psk && o.hello.early_data && o.hello.ech);
	ck_assert_uint_eq(
	    o.hello.versions, CLIENT_HELLO_TLS12 | CLIENT_HELLO_TLS13);
}
END_TEST

START_TEST(test_alpn_is_cut_at_a_whole_name)
{
	struct maker *list = calloc(1, sizeof(*list));
	struct outcome o;

	ck_assert_ptr_nonnull(list);
	start();
	put_be(list, 60 * 5, 2);
	for (int i = 0; i < 60; i++) {
		char name[5] = {
		    4, 'p', (char)('0' + i / 10), (char)('0' + i % 10), 'x'};

		put(list, name, sizeof(name));
	}
	put_extension(&extensions, 16, list->bytes, list->length);
	free(list);
	o = read_extensions();
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert(o.hello.alpn_cut);
	ck_assert_uint_eq(o.hello.alpn_length, 255);
	ck_assert(has_alpn(&o.hello, "p00x"));
	ck_assert(has_alpn(&o.hello, "p50x"));
	ck_assert(!has_alpn(&o.hello, "p51x"));
}
END_TEST

struct first_row {
	const char *bytes;
	size_t length;
	enum client_hello_result result;
	enum client_hello_cause cause;
};

static const struct first_row first_rows[] = {
    {BODY("S"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_TYPE},
    {BODY("\0"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_TYPE},
    {BODY("\x15\3\1"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_TYPE},
    {BODY("\x80\x2e\1\0\2"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_SSL2},
    {BODY("\x80\x2e\4"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_TYPE},
    {BODY("\x16\xfe"), CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_CAUSE_VERSION},
    {BODY("\x16\3\1\0\0"), CLIENT_HELLO_MALFORMED, CLIENT_HELLO_CAUSE_RECORD},
    {BODY("\x16\3\1\x40\1"), CLIENT_HELLO_MALFORMED, CLIENT_HELLO_CAUSE_RECORD},
    {BODY("\x16\3\1\0\5\2"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_MESSAGE},
    {BODY("\x16\3\1\0\5\1\0\x40\0"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_LENGTH},
    {BODY("\x16\3\1\0\5\1\1\0\0"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_LENGTH},
    {BODY("\x16\3\1\0\4\1\0\0\0"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_BODY},
    /* Another record, empty or of another type, before the message ends. */
    {BODY("\x16\3\1\0\1\1\x17"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_RECORD},
    {BODY("\x16\3\1\0\1\1\x16\2"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_RECORD},
    {BODY("\x16\3\1\0\1\1\x16\3\1\0\0"), CLIENT_HELLO_MALFORMED,
	CLIENT_HELLO_CAUSE_RECORD},
};

START_TEST(test_first_bytes)
{
	const struct first_row *row = &first_rows[_i];

	for (size_t step = 1; step <= row->length; step++) {
		struct outcome o = read_in_steps(
		    (const uint8_t *)row->bytes, row->length, step, false);

		ck_assert_int_eq(o.result, row->result);
		ck_assert_str_eq(client_hello_cause_text(o.cause),
		    client_hello_cause_text(row->cause));
	}
}
END_TEST

/* A message of the given size, name at its end. */
static void make_padded(size_t message_length)
{
	static const uint8_t zeros[16384];
	const char name[] = "end.example.com";
	size_t other = 4 + 41 + 2 + 4 + (4 + 5 + sizeof(name) - 1);

	start();
	put_extension(&extensions, 21, zeros, message_length - other);
	put_name(&extensions, name, sizeof(name) - 1);
	make_message(&message, 0x0303, &extensions);
	ck_assert_uint_eq(message.length, message_length);
}

START_TEST(test_any_records)
{
	make_padded(600);
	for (size_t record = 1; record <= 600; record++) {
		struct outcome o;

		make_records(&records, &message, record);
		put(&records, "more", 4);
		o = read_in_steps(
		    records.bytes, records.length, 1 + record % 7, false);
		ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
		ck_assert_str_eq(o.hello.name, "end.example.com");
		ck_assert_uint_eq(o.hello.bytes, records.length - 4);
	}
}
END_TEST

/* What stands behind the message in its last record is not looked at. */
START_TEST(test_more_in_the_last_record)
{
	struct outcome o;

	make_padded(300);
	put(&message, "\x02junk", 5);
	make_records(&records, &message, 250);
	o = read_all(&records);
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_uint_eq(o.hello.bytes, 300 + 2 * 5);
}
END_TEST

START_TEST(test_bound)
{
	struct outcome o;

	make_padded(CLIENT_HELLO_BYTES_MAX - 5);
	make_records(&records, &message, 16384);
	ck_assert_int_eq(read_all(&records).result, CLIENT_HELLO_DONE);
	make_padded(CLIENT_HELLO_BYTES_MAX - 4);
	make_records(&records, &message, 16384);
	o = read_in_steps(records.bytes, records.length, 1, true);
	ck_assert_int_eq(o.result, CLIENT_HELLO_MALFORMED);
	ck_assert_int_eq(o.cause, CLIENT_HELLO_CAUSE_LENGTH);
	/* Known from the header already. */
	ck_assert_uint_le(o.calls, 9);
	/* Record headers count, too. */
	make_padded(CLIENT_HELLO_BYTES_MAX - 10);
	make_records(&records, &message, 16000);
	ck_assert_int_eq(read_all(&records).result, CLIENT_HELLO_DONE);
	make_records(&records, &message, 6000);
	for (size_t step = 1; step < 20000; step = step * 3 + 1) {
		o = read_in_steps(records.bytes, records.length, step, true);
		ck_assert_int_eq(o.result, CLIENT_HELLO_MALFORMED);
		ck_assert_int_eq(o.cause, CLIENT_HELLO_CAUSE_LENGTH);
	}
}
END_TEST

/* Byte by byte, the reader is called a few times a record, not once a byte:
 * the work is linear. */
START_TEST(test_calls_are_few)
{
	struct outcome o;

	make_padded(12000);
	make_records(&records, &message, 16384);
	o = read_in_steps(records.bytes, records.length, 1, true);
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_uint_le(o.calls, 5);
	make_records(&records, &message, 100);
	o = read_in_steps(records.bytes, records.length, 1, true);
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_uint_le(o.calls, 5 + 120 * 2);
	/* Records of one byte each. */
	make_padded(2600);
	make_records(&records, &message, 1);
	o = read_in_steps(records.bytes, records.length, 1, true);
	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_uint_le(o.calls, 5 + 2600);
}
END_TEST

/* Cut anywhere in the message, with lengths that say so, it is malformed;
 * with any bit wrong it has some result. */
START_TEST(test_truncated_and_flipped)
{
	make_padded(200);
	for (size_t n = 4; n < message.length; n++) {
		struct maker cut = {.length = n};

		memcpy(cut.bytes, message.bytes, n);
		cut.bytes[2] = (uint8_t)((n - 4) >> 8);
		cut.bytes[3] = (uint8_t)(n - 4);
		make_records(&records, &cut, 16384);
		/* 45: the message without extensions. */
		ck_assert_int_eq(read_all(&records).result,
		    n == 45 ? CLIENT_HELLO_DONE : CLIENT_HELLO_MALFORMED);
	}
	make_records(&records, &message, 64);
	for (size_t bit = 0; bit < records.length * 8; bit++) {
		struct outcome whole, steps;

		records.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		whole = read_all(&records);
		steps = read_in_steps(records.bytes, records.length, 3, true);
		ck_assert_int_eq(whole.result, steps.result);
		ck_assert_int_eq(whole.cause, steps.cause);
		records.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

static void check_real(const char *name, const uint8_t *bytes, size_t length)
{
	struct outcome whole = read_in_steps(bytes, length, length, false);

	ck_assert_msg(whole.result == CLIENT_HELLO_DONE, "%s: %s", name,
	    client_hello_cause_text(whole.cause));
	for (size_t step = 1; step < length; step += 1 + step / 8) {
		struct outcome o = read_in_steps(bytes, length, step, false);

		ck_assert_msg(o.result == CLIENT_HELLO_DONE, "%s", name);
		ck_assert_str_eq(o.hello.name, whole.hello.name);
		ck_assert_uint_eq(o.hello.bytes, whole.hello.bytes);
		ck_assert_uint_eq(o.hello.alpn_length, whole.hello.alpn_length);
	}
	for (size_t n = 1; n < whole.hello.bytes; n++)
		ck_assert_msg(read_in_steps(bytes, n, n, false).result ==
				  CLIENT_HELLO_MORE,
		    "%s at %zu", name, n);
}

START_TEST(test_real)
{
	ck_assert_int_ge(seed_files_each("client_hello", check_real), 10);
}
END_TEST

struct real_row {
	const char *file, *name, *alpn;
	uint8_t versions;
	bool ticket, psk, early_data;
};

/* Debian's OpenSSL offers all of them by default. */
#define TO_TLS13                                                               \
	(CLIENT_HELLO_TLS10 | CLIENT_HELLO_TLS11 | CLIENT_HELLO_TLS12 |        \
	    CLIENT_HELLO_TLS13)
#define TO_TLS12                                                               \
	(CLIENT_HELLO_SSL3 | CLIENT_HELLO_TLS10 | CLIENT_HELLO_TLS11 |         \
	    CLIENT_HELLO_TLS12)

static const struct real_row real_rows[] = {
    {"real_openssl_sni", "www.example.com", NULL, TO_TLS13, 0, 0, 0},
    {"real_openssl_tls12", "a.b.example.com", "http/1.1", TO_TLS12, 0, 0, 0},
    {"real_openssl_tls13_alpn", "x.example.org", "acme-tls/1",
	CLIENT_HELLO_TLS13, 0, 0, 0},
    {"real_openssl_split_records", "split.example.com", "p000", TO_TLS13, 0, 0,
	0},
    {"real_openssl_ticket_tls12", "t.example.com", NULL, TO_TLS12, 1, 0, 0},
    {"real_openssl_psk_early", "t.example.com", NULL, TO_TLS13, 0, 1, 1},
    {"real_curl", "www.example.net", "h2", TO_TLS13, 0, 0, 0},
    {"real_curl_http1", "h.example.net", "http/1.1", TO_TLS13, 0, 0, 0},
    {"real_curl_ip", "", "h2", TO_TLS13, 0, 0, 0},
};

START_TEST(test_real_contents)
{
	const struct real_row *row = &real_rows[_i];
	static uint8_t bytes[SEED_BYTES_MAX];
	size_t length = seed_file_read("client_hello", row->file, bytes);
	struct outcome o = read_in_steps(bytes, length, length, false);

	ck_assert_int_eq(o.result, CLIENT_HELLO_DONE);
	ck_assert_str_eq(o.hello.name, row->name);
	ck_assert(
	    row->alpn ? has_alpn(&o.hello, row->alpn) : !o.hello.alpn_length);
	ck_assert_uint_eq(o.hello.versions, row->versions);
	ck_assert_int_eq(o.hello.ticket, row->ticket);
	ck_assert_int_eq(o.hello.psk, row->psk);
	ck_assert_int_eq(o.hello.early_data, row->early_data);
}
END_TEST

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
	TCase *tcase = tcase_create("client_hello");

	tcase_add_test(tcase, test_without_extensions);
	tcase_add_loop_test(tcase, test_names, 0, COUNT(names));
	tcase_add_test(tcase, test_name_lengths);
	tcase_add_loop_test(tcase, test_extensions, 0, COUNT(extension_rows));
	tcase_add_test(tcase, test_flags);
	tcase_add_test(tcase, test_alpn_is_cut_at_a_whole_name);
	tcase_add_loop_test(tcase, test_first_bytes, 0, COUNT(first_rows));
	tcase_add_test(tcase, test_any_records);
	tcase_add_test(tcase, test_more_in_the_last_record);
	tcase_add_test(tcase, test_bound);
	tcase_add_test(tcase, test_calls_are_few);
	tcase_add_test(tcase, test_truncated_and_flipped);
	tcase_add_test(tcase, test_real);
	tcase_add_loop_test(tcase, test_real_contents, 0, COUNT(real_rows));
	return check_main(tcase);
}
