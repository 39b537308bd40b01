/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_session.h"

#include "base/rng.h"
#include "io/tls_ticket.h"
#include "tests/unit/io/io_check.h"
#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <errno.h>
#include <openssl/err.h>

#define BULK (300u << 10)

static struct made authority, leaf;
static struct tls_ticket_keys keys;
static struct pair pair;
static uint8_t plain[BULK], got[BULK];

static void on_problem(void *owner, const struct tls_problem *problem)
{
	(void)owner;
	ck_abort_msg("%s", problem->text);
}

/* A server and a client of one version, and what they are made of. */
static struct ends {
	struct tls_server *server;
	struct tls_client *client;
	struct tls_context *server_context, *client_context;
} ends;

static void ends_open(enum tls_version version, const char *ciphers)
{
	struct tls_certificate_files files = {
	    .cert = made_path("leaf.pem"), .key = made_path("leaf.key")};
	struct tls_server_options server = {.certificates = &files,
	    .n_certificates = 1,
	    .min = version,
	    .max = version,
	    .ciphers = ciphers};
	struct tls_client_options client = {.verify = TLS_VERIFY_FULL,
	    .ca = made_path("ca.pem"),
	    .min = version,
	    .max = version};

	ck_assert_int_eq(
	    tls_server_load(&server, on_problem, NULL, &ends.server), 0);
	ck_assert_int_eq(
	    tls_client_load(&client, on_problem, NULL, &ends.client), 0);
	ck_assert_int_eq(tls_context_new_server(
			     ends.server, NULL, &keys, &ends.server_context),
	    0);
	ck_assert_int_eq(
	    tls_context_new_client(ends.client, &ends.client_context), 0);
}

static void ends_close(void)
{
	ck_assert_uint_eq(ERR_peek_error(), 0);
	tls_context_free(ends.server_context);
	tls_context_free(ends.client_context);
	tls_server_free(ends.server);
	tls_client_free(ends.client);
	ends = (struct ends){0};
}

static const struct tls_peer peer = {
    .sni = "one.test", .verify_name = "one.test"};

static void open_pair(size_t feed, size_t chunk)
{
	pair_open(&pair, ends.client_context, ends.server_context, &peer, feed,
	    chunk);
}

static void fill(void)
{
	struct rng rng;

	rng_seed(&rng, 7);
	for (size_t i = 0; i < BULK; i++)
		plain[i] = (uint8_t)rng_u64(&rng);
}

static void check_both_ways(size_t length)
{
	memset(got, 0, sizeof(got));
	ck_assert_uint_eq(pair_send(&pair, true, plain, length, got), length);
	ck_assert_mem_eq(plain, got, length);
	memset(got, 0, sizeof(got));
	ck_assert_uint_eq(pair_send(&pair, false, plain, length, got), length);
	ck_assert_mem_eq(plain, got, length);
}

static const enum tls_version versions[] = {TLS_VERSION_1_2, TLS_VERSION_1_3};

START_TEST(test_every_split)
{
	static const size_t feeds[] = {1, 2, 3, 5, 6, 64, 1000, 16384, 65536};
	static const size_t chunks[] = {1, 5, 100, 256, 300, 16360, 65536};

	ends_open(versions[_i], NULL);
	for (size_t f = 0; f < BR_COUNT(feeds); f++) {
		for (size_t c = 0; c < BR_COUNT(chunks); c++) {
			open_pair(feeds[f], chunks[c]);
			ck_assert(pair_handshake(&pair));
			/* Plaintext needs chunks for whole records. */
			if (chunks[c] < TLS_OUT_ROOM_MIN)
				pair.chunk = TLS_OUT_ROOM_MIN;
			check_both_ways(feeds[f] < 64 ? 3000 : 40000);
			pair_close(&pair);
		}
	}
	ends_close();
}
END_TEST

START_TEST(test_bulk_and_ciphers)
{
	static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
	    "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA",
	    "ECDHE-ECDSA-CHACHA20-POLY1305"};

	for (size_t i = 0; i < BR_COUNT(ciphers); i++) {
		ends_open(versions[0], ciphers[i]);
		open_pair(30000, 16360);
		ck_assert(pair_handshake(&pair));
		check_both_ways(BULK);
		/* The smallest chunk that a write can do something with. */
		pair.chunk = TLS_OUT_ROOM_MIN;
		check_both_ways(20000);
		pair_close(&pair);
		ends_close();
	}
}
END_TEST

START_TEST(test_facts)
{
	struct tls_facts facts;
	char text[64];

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	tls_session_facts(&pair.server, &facts);
	ck_assert_str_eq(facts.name, "one.test");
	ck_assert_str_eq(facts.version, _i ? "TLSv1.3" : "TLSv1.2");
	ck_assert_str_eq(facts.cipher,
	    _i ? "TLS_AES_256_GCM_SHA384" : "ECDHE-ECDSA-AES256-GCM-SHA384");
	ck_assert(!facts.alpn && !facts.alpn_length);
	ck_assert(!facts.resumed && !facts.peer_verified);
	ck_assert_uint_eq(
	    tls_session_peer_dn(&pair.server, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
	tls_session_facts(&pair.client, &facts);
	ck_assert(facts.peer_verified);
	ck_assert_uint_eq(
	    tls_session_peer_dn(&pair.client, text, sizeof(text)), 18);
	ck_assert_str_eq(text, "CN=one.test,O=Test");
	ck_assert_uint_eq(tls_session_peer_dn(&pair.client, text, 6), 5);
	ck_assert_str_eq(text, "CN=on");
	tls_session_peer_cn(&pair.client, text, sizeof(text));
	ck_assert_str_eq(text, "one.test");
	pair_close(&pair);
	ends_close();
}
END_TEST

/* close_notify is an end of one direction; the other goes on. */
START_TEST(test_close_is_half)
{
	struct tls_in in;
	struct tls_out out;
	size_t n;

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(100);
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, 500, &n), TLS_DONE);
	ck_assert_int_eq(tls_session_close(&pair.client, &out), TLS_DONE);
	/* Once only. */
	ck_assert_int_eq(tls_session_close(&pair.client, &out), TLS_DONE);
	wire_got(&pair.to_server, &out);
	in = wire_in(&pair.to_server, 65536);
	out = wire_out(&pair.to_client, 65536);
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &out, got, sizeof(got), &n),
	    TLS_CLOSED);
	ck_assert_uint_eq(n, 500);
	ck_assert_ptr_eq(in.at, in.end);
	ck_assert_int_eq(tls_session_on_eof(&pair.server), TLS_CLOSED);
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &out, got, sizeof(got), &n),
	    TLS_CLOSED);
	/* The other way. */
	ck_assert_int_eq(
	    tls_session_write(&pair.server, &out, plain, 20000, &n), TLS_DONE);
	ck_assert_int_eq(tls_session_close(&pair.server, &out), TLS_DONE);
	wire_got(&pair.to_client, &out);
	in = wire_in(&pair.to_client, 65536);
	ck_assert_int_eq(
	    tls_session_read(&pair.client, &in, &out, got, sizeof(got), &n),
	    TLS_CLOSED);
	ck_assert_uint_eq(n, 20000);
	ck_assert_mem_eq(plain, got, 20000);
	pair_close(&pair);
	ends_close();
}
END_TEST

/* An alert that finds no room at all waits inside. */
START_TEST(test_close_without_room)
{
	struct tls_out none = {got, got};
	struct tls_out out;
	struct tls_in in;
	size_t n;

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	ck_assert(!tls_session_has_output(&pair.client));
	ck_assert_int_eq(
	    tls_session_close(&pair.client, &none), TLS_WANT_OUTPUT);
	ck_assert(tls_session_has_output(&pair.client));
	for (int i = 0; i < 200 && tls_session_has_output(&pair.client); i++) {
		out = wire_out(&pair.to_server, 1);
		(void)tls_session_flush(&pair.client, &out);
		wire_got(&pair.to_server, &out);
	}
	ck_assert(!tls_session_has_output(&pair.client));
	in = wire_in(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &none, got, sizeof(got), &n),
	    TLS_CLOSED);
	pair_close(&pair);
	ends_close();
}
END_TEST

START_TEST(test_truncated)
{
	struct tls_out out;
	struct tls_in in;
	char text[128];
	size_t n;

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, 5000, &n), TLS_DONE);
	wire_got(&pair.to_server, &out);
	/* All but the last byte. */
	in = wire_in(&pair.to_server, pair.to_server.end - 1);
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &out, got, sizeof(got), &n),
	    TLS_WANT_INPUT);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(tls_session_on_eof(&pair.server), TLS_FAILED);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_truncated);
	tls_session_explain(&pair.server, text, sizeof(text));
	ck_assert_str_eq(text, "the stream ended without close_notify");
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &out, got, sizeof(got), &n),
	    TLS_FAILED);
	pair_close(&pair);
	ends_close();
}
END_TEST

/* A byte changed in the second record: the first one is given, then it is
 * over, and the peer is told why. */
START_TEST(test_bad_record)
{
	struct tls_out out;
	struct tls_in in;
	char text[160];
	size_t n, first;

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, 700, &n), TLS_DONE);
	wire_got(&pair.to_server, &out);
	first = pair.to_server.end;
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, 700, &n), TLS_DONE);
	wire_got(&pair.to_server, &out);
	pair.to_server.bytes[first + 50] ^= 1;
	in = wire_in(&pair.to_server, 65536);
	out = wire_out(&pair.to_client, 65536);
	ck_assert_int_eq(
	    tls_session_read(&pair.server, &in, &out, got, sizeof(got), &n),
	    TLS_FAILED);
	ck_assert_uint_eq(n, 700);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_bad_record);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	wire_got(&pair.to_client, &out);
	in = wire_in(&pair.to_client, 65536);
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_read(&pair.client, &in, &out, got, sizeof(got), &n),
	    TLS_FAILED);
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_peer_alert);
	tls_session_explain(&pair.client, text, sizeof(text));
	ck_assert_str_eq(text, "the peer sent another alert: bad record mac");
	pair_close(&pair);
	ends_close();
}
END_TEST

/* What is no TLS gets an alert if it may, and never more. */
START_TEST(test_garbage)
{
	static const struct {
		const char *bytes;
		enum tls_cause cause;
	} rows[] = {
	    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", TLS_CAUSE_not_tls},
	    {"SSH-2.0-OpenSSH_9.2\r\n", TLS_CAUSE_not_tls},
	    {"\x16\x03\x01\xff\xff\x01zzzzzzzzzzzzzzzz", TLS_CAUSE_bad_record},
	    {"\x16\x03\x01\x01\x04\x02zzzzzzzzzzzzzzzz", TLS_CAUSE_malformed},
	    {"\x17\x03\x03\x01\x05zzzzzzzzzzzzzzzzzzz", TLS_CAUSE_malformed},
	};
	uint8_t chunk[256], more[400];

	ends_open(TLS_VERSION_ANY, NULL);
	for (size_t i = 0; i < BR_COUNT(rows); i++) {
		struct tls_session s;
		struct tls_out out = {chunk, chunk + sizeof(chunk)};
		struct tls_in in = {more, more + sizeof(more)};

		memset(more, 'z', sizeof(more));
		memcpy(more, rows[i].bytes, strlen(rows[i].bytes));
		ck_assert_int_eq(
		    tls_session_init_server(&s, ends.server_context), 0);
		ck_assert_int_eq(
		    tls_session_handshake(&s, &in, &out), TLS_FAILED);
		ck_assert_msg(s.cause == rows[i].cause, "row %zu: %s", i,
		    tls_cause_name(s.cause));
		ck_assert_int_le(out.at - chunk, 7);
		ck_assert_uint_eq(ERR_peek_error(), 0);
		ck_assert_int_eq(
		    tls_session_handshake(&s, &in, &out), TLS_FAILED);
		tls_session_fini(&s);
	}
	ends_close();
}
END_TEST

/* RFC 8446 4.6.3, asked for by either side, in the middle of data. */
START_TEST(test_key_update)
{
	ends_open(TLS_VERSION_1_3, NULL);
	for (size_t chunk = 256; chunk < 600; chunk += 7) {
		open_pair(65536, 65536);
		ck_assert(pair_handshake(&pair));
		pair.chunk = chunk;
		ck_assert_int_eq(
		    tls_session_update_keys(&pair.client, true), 0);
		check_both_ways(2000);
		ck_assert_int_eq(
		    tls_session_update_keys(&pair.server, true), 0);
		check_both_ways(2000);
		ck_assert_int_eq(
		    tls_session_update_keys(&pair.server, false), 0);
		check_both_ways(2000);
		pair_close(&pair);
	}
	ends_close();
	ends_open(TLS_VERSION_1_2, NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	ck_assert_int_eq(tls_session_update_keys(&pair.client, true), -EPROTO);
	pair_close(&pair);
	ends_close();
}
END_TEST

/* Neither a flood of tiny records nor of key updates keeps us in a call. */
START_TEST(test_bound_per_call)
{
	struct tls_in in;
	struct tls_out out;
	size_t n, all = 0;
	uint32_t calls = 0;
	enum tls_status status;

	ends_open(TLS_VERSION_1_3, NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	for (int i = 0; i < 100; i++) {
		out = wire_out(&pair.to_server, 65536);
		if (i % 4 == 0)
			ck_assert_int_eq(
			    tls_session_update_keys(&pair.client, false), 0);
		ck_assert_int_eq(
		    tls_session_write(&pair.client, &out, plain + i, 1, &n),
		    TLS_DONE);
		wire_got(&pair.to_server, &out);
	}
	do {
		const uint8_t *before;

		in = wire_in(&pair.to_server, PAIR_WIRE_BYTES);
		before = in.at;
		out = wire_out(&pair.to_client, 65536);
		status = tls_session_read(
		    &pair.server, &in, &out, got + all, sizeof(got) - all, &n);
		/* A key update and a byte of data: 27 and 23 bytes. */
		ck_assert_int_le(in.at - before, TLS_RECORDS_PER_CALL * 27);
		wire_took(&pair.to_server, &in);
		wire_got(&pair.to_client, &out);
		all += n;
		calls++;
	} while (status == TLS_MORE);
	ck_assert_int_eq(status, TLS_WANT_INPUT);
	ck_assert_uint_eq(all, 100);
	ck_assert_mem_eq(got, plain, 100);
	ck_assert_uint_ge(calls, 125 / TLS_RECORDS_PER_CALL);
	/* Writing is bounded too. */
	out = wire_out(&pair.to_server, PAIR_WIRE_BYTES / 2);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, BULK, &n), TLS_MORE);
	ck_assert_uint_eq(n, TLS_RECORDS_PER_CALL * TLS_RECORD_BYTES);
	pair_close(&pair);
	ends_close();
}
END_TEST

/* Each costs new keys, and the answer that it asks for waits in memory where
 * nobody reads it. Data between them changes nothing. */
START_TEST(test_message_flood)
{
	struct tls_in in;
	struct tls_out out;
	size_t n, all = 0;
	enum tls_status status;

	ends_open(TLS_VERSION_1_3, NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	for (int i = 0; i < 1000; i++) {
		out = wire_out(&pair.to_server, 65536);
		ck_assert_int_eq(
		    tls_session_update_keys(&pair.client, _i == 0), 0);
		ck_assert_int_eq(
		    tls_session_write(&pair.client, &out, plain + i, 1, &n),
		    TLS_DONE);
		wire_got(&pair.to_server, &out);
	}
	do {
		in = wire_in(&pair.to_server, PAIR_WIRE_BYTES);
		out = wire_out(&pair.to_client, 65536);
		status = tls_session_read(
		    &pair.server, &in, &out, got + all, sizeof(got) - all, &n);
		wire_took(&pair.to_server, &in);
		wire_got(&pair.to_client, &out);
		all += n;
	} while (status == TLS_MORE || status == TLS_WANT_OUTPUT);
	ck_assert_int_eq(status, TLS_FAILED);
	ck_assert_uint_eq(pair.server.cause, TLS_CAUSE_message_flood);
	ck_assert_uint_ge(all, TLS_MESSAGES_BURST);
	ck_assert_uint_lt(all, 1000);
	pair_close(&pair);
	ends_close();
}
END_TEST

/* A reader with little room gets all the same, piece by piece. */
START_TEST(test_little_room)
{
	struct tls_in in;
	struct tls_out out;
	size_t n, all = 0;
	enum tls_status status;

	ends_open(versions[_i], NULL);
	open_pair(65536, 65536);
	ck_assert(pair_handshake(&pair));
	check_both_ways(10);
	out = wire_out(&pair.to_server, 65536);
	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, 40000, &n), TLS_DONE);
	wire_got(&pair.to_server, &out);
	in = wire_in(&pair.to_server, 65536);
	out = wire_out(&pair.to_client, 65536);
	do {
		status = tls_session_read(
		    &pair.server, &in, &out, got + all, 777, &n);
		ck_assert_uint_gt(n, 0);
		all += n;
	} while (status == TLS_MORE);
	ck_assert_int_eq(status, TLS_WANT_INPUT);
	ck_assert_uint_eq(all, 40000);
	ck_assert_mem_eq(got, plain, 40000);
	pair_close(&pair);
	ends_close();
}
END_TEST

START_TEST(test_versions_apart)
{
	struct tls_client *old_client = NULL;
	struct tls_context *old_context = NULL;
	struct tls_client_options options = {.max = TLS_VERSION_1_2};

	ends_open(TLS_VERSION_1_3, NULL);
	ck_assert_int_eq(
	    tls_client_load(&options, on_problem, NULL, &old_client), 0);
	ck_assert_int_eq(tls_context_new_client(old_client, &old_context), 0);
	pair_open(&pair, old_context, ends.server_context, &peer, 1000, 1000);
	ck_assert(!pair_handshake(&pair));
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_version);
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_peer_alert);
	pair_close(&pair);
	tls_context_free(old_context);
	tls_client_free(old_client);
	ends_close();
}
END_TEST

START_TEST(test_no_shared_cipher)
{
	struct tls_client *client = NULL;
	struct tls_context *context = NULL;
	struct tls_client_options options = {
	    .max = TLS_VERSION_1_2, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"};

	ends_open(TLS_VERSION_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256");
	ck_assert_int_eq(
	    tls_client_load(&options, on_problem, NULL, &client), 0);
	ck_assert_int_eq(tls_context_new_client(client, &context), 0);
	pair_open(&pair, context, ends.server_context, &peer, 1000, 1000);
	ck_assert(!pair_handshake(&pair));
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_no_shared_cipher);
	pair_close(&pair);
	tls_context_free(context);
	tls_client_free(client);
	ends_close();
}
END_TEST

/* What the client finds wrong with the server, and what the server hears. */
START_TEST(test_server_refused)
{
	static const struct tls_peer other = {
	    .sni = "one.test", .verify_name = "two.test"};
	static const struct tls_peer address = {.verify_name = "127.0.0.2"};
	static const struct tls_peer ours = {.verify_name = "127.0.0.1"};
	static const struct tls_peer empty = {.verify_name = ""};
	static const struct tls_peer nobody = {.sni = "one.test"};

	ends_open(versions[_i], NULL);
	pair_open(&pair, ends.client_context, ends.server_context, &other,
	    65536, 65536);
	ck_assert(!pair_handshake(&pair));
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_name_mismatch);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_peer_certificate);
	pair_close(&pair);
	pair_open(&pair, ends.client_context, ends.server_context, &address,
	    65536, 65536);
	ck_assert(!pair_handshake(&pair));
	ck_assert_int_eq(pair.client.cause, TLS_CAUSE_name_mismatch);
	pair_close(&pair);
	pair_open(&pair, ends.client_context, ends.server_context, &ours, 65536,
	    65536);
	ck_assert(pair_handshake(&pair));
	pair_close(&pair);
	ck_assert_int_eq(
	    tls_session_init_client(&pair.client, ends.client_context, &empty),
	    -EINVAL);
	ck_assert_int_eq(
	    tls_session_init_client(&pair.client, ends.client_context, &nobody),
	    -EINVAL);
	ends_close();
}
END_TEST

static void setup(void)
{
	struct made_options options = {
	    .cn = "Test CA", .authority = true, .serial = 1};

	ck_assert_int_eq(tls_start(), 0);
	fill();
	made_begin();
	authority = made_certificate(&options);
	options = (struct made_options){.cn = "one.test",
	    .san = "DNS:one.test,IP:127.0.0.1",
	    .issuer = &authority,
	    .serial = 2};
	leaf = made_certificate(&options);
	made_write(&authority, "ca.pem", NULL, NULL);
	made_write(&leaf, "leaf.pem", "leaf.key", NULL);
	ck_assert_int_eq(tls_ticket_keys_make(&keys, 0), 0);
}

static void teardown(void)
{
	made_free(&authority);
	made_free(&leaf);
	made_end();
}

int main(void)
{
	TCase *tests = tcase_create("session");

	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_every_split, 0, 2);
	tcase_add_test(tests, test_bulk_and_ciphers);
	tcase_add_loop_test(tests, test_facts, 0, 2);
	tcase_add_loop_test(tests, test_close_is_half, 0, 2);
	tcase_add_loop_test(tests, test_close_without_room, 0, 2);
	tcase_add_loop_test(tests, test_truncated, 0, 2);
	tcase_add_loop_test(tests, test_bad_record, 0, 2);
	tcase_add_test(tests, test_garbage);
	tcase_add_test(tests, test_key_update);
	tcase_add_loop_test(tests, test_message_flood, 0, 2);
	tcase_add_test(tests, test_bound_per_call);
	tcase_add_loop_test(tests, test_little_room, 0, 2);
	tcase_add_test(tests, test_versions_apart);
	tcase_add_test(tests, test_no_shared_cipher);
	tcase_add_loop_test(tests, test_server_refused, 0, 2);
	return io_check_main(tests);
}
