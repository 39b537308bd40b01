/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel is told, against a model of what it makes of it, with real
 * sessions to read the records. */
#include "io/ktls.h"

#include "base/rng.h"
#include "io/tls_internal.h"
#include "tests/unit/io/io_check.h"
#include "tests/unit/io/ktls_seal.h"
#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <errno.h>

static struct made leaf;
static struct tls_ticket_keys tickets;
static struct pair pair;
static struct tls_server *server;
static struct tls_client *client;
static struct tls_context *server_context, *client_context;
static uint8_t plain[40000], got[40000], wire[40000];

/* -- building ---------------------------------------------------------- */

static struct tls12_crypto_info_aes_gcm_256 made_up(uint16_t version)
{
	struct tls12_crypto_info_aes_gcm_256 all = {
	    .info = {version, TLS_CIPHER_AES_GCM_256},
	    .iv = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe},
	    .salt = {1, 2, 3, 4},
	    .rec_seq = {0, 0, 0, 0, 0, 0, 0xff, 0xff},
	};

	memset(all.key, 7, sizeof all.key);
	return all;
}

START_TEST(test_counts_on)
{
	static const uint8_t seq[8] = {0, 0, 0, 0, 0, 1, 0, 2};
	static const uint8_t wrapped[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	uint16_t version = _i ? TLS_1_3_VERSION : TLS_1_2_VERSION;
	struct tls12_crypto_info_aes_gcm_256 all = made_up(version), is;
	struct ktls_keys keys = {0};
	struct ktls_info info;

	ktls_keys_set(&keys, &all);
	keys.records = 3;
	ck_assert_int_eq(ktls_info_make(&keys, &info), 0);
	ck_assert_uint_eq(info.length, sizeof is);
	memcpy(&is, info.bytes, sizeof is);
	ck_assert_mem_eq(is.rec_seq, seq, 8);
	/* Only TLS 1.2 has a nonce of its own. */
	ck_assert_mem_eq(is.iv, _i ? all.iv : wrapped, 8);
	ck_assert_mem_eq(is.salt, all.salt, 4);
	ck_assert_mem_eq(is.key, all.key, 32);
	/* It can be asked again. */
	ck_assert_int_eq(ktls_info_make(&keys, &info), 0);
	ck_assert_mem_eq(info.bytes, &is, sizeof is);
	keys.replaced = true;
	ck_assert_int_eq(ktls_info_make(&keys, &info), -ENOTSUP);
}
END_TEST

START_TEST(test_only_known_ciphers)
{
	struct tls12_crypto_info_aes_gcm_256 all = made_up(TLS_1_3_VERSION);
	struct ktls_keys keys = {0};
	struct ktls_info info;

	ck_assert_int_eq(ktls_info_make(&keys, &info), -ENOTSUP);
	all.info.cipher_type = TLS_CIPHER_AES_CCM_128;
	ktls_keys_set(&keys, &all);
	ck_assert_int_eq(ktls_info_make(&keys, &info), -ENOTSUP);
	all.info.cipher_type = TLS_CIPHER_AES_GCM_256;
	all.info.version = 0x0302;
	ktls_keys_set(&keys, &all);
	ck_assert_int_eq(ktls_info_make(&keys, &info), -ENOTSUP);
}
END_TEST

/* -- the probe --------------------------------------------------------- */

/* This kernel may have it or not; anything else is wrong. */
START_TEST(test_probe)
{
	int rc = ktls_probe();

	ck_assert_msg(rc == 0 || rc == -ENOENT, "%s", ktls_explain(rc));
}
END_TEST

START_TEST(test_probe_opens)
{
	struct tls12_crypto_info_aes_gcm_128 all = {
	    .info = {TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128},
	    .iv = {1, 2, 3},
	    .rec_seq = {0, 0, 0, 0, 0, 0, 0, 5}};
	struct ktls_info info = {.length = sizeof all};
	struct ktls_seal seal;
	size_t n;

	memcpy(info.bytes, &all, sizeof all);
	ck_assert(ktls_seal_begin(&seal, info.bytes, info.length));
	n = ktls_seal_record(&seal, 23, "words", 5, wire);
	ck_assert(ktls_probe_opens(&info, wire, n, "words", 5));
	ck_assert(!ktls_probe_opens(&info, wire, n, "wards", 5));
	ck_assert(!ktls_probe_opens(&info, wire, n - 1, "words", 5));
	wire[7] ^= 1;
	ck_assert(!ktls_probe_opens(&info, wire, n, "words", 5));
	/* With the next sequence number, and of another type. */
	n = ktls_seal_record(&seal, 23, "words", 5, wire);
	ck_assert(!ktls_probe_opens(&info, wire, n, "words", 5));
	ck_assert(ktls_seal_begin(&seal, info.bytes, info.length));
	n = ktls_seal_record(&seal, 22, "words", 5, wire);
	ck_assert(!ktls_probe_opens(&info, wire, n, "words", 5));
}
END_TEST

/* -- sessions ---------------------------------------------------------- */

static const struct choice {
	enum tls_version version;
	const char *cipher;
	uint16_t kernel;
} choices[] = {
    {TLS_VERSION_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS_CIPHER_AES_GCM_128},
    {TLS_VERSION_1_2, "ECDHE-ECDSA-AES256-GCM-SHA384", TLS_CIPHER_AES_GCM_256},
    {TLS_VERSION_1_2, "ECDHE-ECDSA-CHACHA20-POLY1305",
	TLS_CIPHER_CHACHA20_POLY1305},
    {TLS_VERSION_1_3, "TLS_AES_128_GCM_SHA256", TLS_CIPHER_AES_GCM_128},
    {TLS_VERSION_1_3, "TLS_AES_256_GCM_SHA384", TLS_CIPHER_AES_GCM_256},
    {TLS_VERSION_1_3, "TLS_CHACHA20_POLY1305_SHA256",
	TLS_CIPHER_CHACHA20_POLY1305},
};

/* The client has the tickets, so that what follows comes alone. */
static void take_tickets(void)
{
	struct tls_in in = wire_in(&pair.to_client, PAIR_WIRE_BYTES);
	struct tls_out none = {NULL, NULL};
	size_t n;

	ck_assert_int_eq(
	    tls_session_read(&pair.client, &in, &none, got, sizeof got, &n),
	    TLS_WANT_INPUT);
	wire_took(&pair.to_client, &in);
}

static void begin(const struct choice *choice)
{
	static const struct tls_peer peer = {
	    .sni = "one.test", .verify_name = "one.test"};
	bool tls13 = choice->version == TLS_VERSION_1_3;
	struct tls_certificate_files files = {
	    .cert = made_path("leaf.pem"), .key = made_path("leaf.key")};
	struct tls_server_options from = {.certificates = &files,
	    .n_certificates = 1,
	    .min = choice->version,
	    .max = choice->version,
	    .ciphers = tls13 ? NULL : choice->cipher,
	    .ciphersuites = tls13 ? choice->cipher : NULL};
	struct tls_client_options to = {
	    .verify = TLS_VERIFY_FULL, .ca = made_path("leaf.pem")};

	ck_assert_int_eq(tls_server_load(&from, NULL, NULL, &server), 0);
	ck_assert_int_eq(tls_client_load(&to, NULL, NULL, &client), 0);
	ck_assert_int_eq(
	    tls_context_new_server(server, NULL, &tickets, &server_context), 0);
	ck_assert_int_eq(tls_context_new_client(client, &client_context), 0);
	pair_open(&pair, client_context, server_context, &peer, 65536, 65536);
	ck_assert(pair_handshake(&pair));
	take_tickets();
}

static void end(void)
{
	pair_close(&pair);
	tls_context_free(server_context);
	tls_context_free(client_context);
	tls_server_free(server);
	tls_client_free(client);
}

/* What the session has to read of `n` bytes. */
static enum tls_status read_wire(
    struct tls_session *session, size_t n, size_t *ret)
{
	struct tls_in in = {wire, wire + n};
	struct tls_out none = {NULL, NULL};

	return tls_session_read(session, &in, &none, got, sizeof got, ret);
}

static struct ktls_seal offload(struct tls_session *session)
{
	struct ktls_info info;
	struct ktls_seal seal;

	ck_assert_int_eq(tls_session_offload(session, &info), 0);
	ck_assert(ktls_seal_begin(&seal, info.bytes, info.length));
	tls_session_set_offloaded(session);
	return seal;
}

/* The explicit nonce on the wire (TLS 1.2, AES-GCM) must be followed by its
 * successor: one that comes twice gives the key away. */
static void check_nonce_is_next(
    struct tls_session *session, const struct ktls_seal *seal)
{
	struct tls_out out = {wire, wire + sizeof wire};
	uint8_t last[8];
	size_t n;

	ck_assert_int_eq(
	    tls_session_write(session, &out, plain, 10, &n), TLS_DONE);
	memcpy(last, wire + 5, 8);
	/* This one was made with what the kernel would have begun with. */
	ck_assert_mem_eq(last, seal->iv, 8);
}

/* The kernel goes on where OpenSSL was, after n writes, at either end. */
START_TEST(test_goes_on)
{
	const struct choice *choice = &choices[_i % 6];
	uint32_t writes = (uint32_t)_i / 6 % 3 * 3;
	bool to_server = _i / 18;
	struct tls_session *from = to_server ? &pair.client : &pair.server;
	struct tls_session *to = to_server ? &pair.server : &pair.client;
	static const size_t lengths[] = {1, 16384, 0, 5000};
	struct ktls_seal seal;
	size_t n;

	begin(choice);
	for (uint32_t i = 0; i < writes; i++)
		ck_assert_uint_eq(
		    pair_send(&pair, to_server, plain, 20000, got), 20000);
	seal = offload(from);
	ck_assert_uint_eq(seal.cipher, choice->kernel);
	for (size_t i = 0; i < BR_COUNT(lengths); i++) {
		n = ktls_seal_record(&seal, 23, plain + i, lengths[i], wire);
		(void)read_wire(to, n, &n);
		ck_assert_uint_eq(n, lengths[i]);
		ck_assert_mem_eq(got, plain + i, n);
	}
	n = ktls_seal_record(&seal, 21, "\1\0", 2, wire);
	ck_assert_int_eq(read_wire(to, n, &n), TLS_CLOSED);
	end();
}
END_TEST

START_TEST(test_nonces_of_tls12)
{
	struct ktls_info info;
	struct ktls_seal seal;

	begin(&choices[_i]);
	ck_assert_uint_eq(pair_send(&pair, false, plain, 40000, got), 40000);
	ck_assert_int_eq(tls_session_offload(&pair.server, &info), 0);
	ck_assert(ktls_seal_begin(&seal, info.bytes, info.length));
	check_nonce_is_next(&pair.server, &seal);
	end();
}
END_TEST

/* Nothing of the session leaves by itself any more. */
START_TEST(test_says_alerts_apart)
{
	struct tls_out out = {wire, wire + sizeof wire};
	struct ktls_seal seal;
	size_t n;

	begin(&choices[_i]);
	seal = offload(&pair.server);
	ck_assert_ptr_null(tls_session_alert(&pair.server));
	ck_assert_int_eq(tls_session_update_keys(&pair.server, false), -EPROTO);
	ck_assert_int_eq(tls_session_close(&pair.server, &out), TLS_DONE);
	ck_assert_ptr_eq(out.at, wire);
	ck_assert(!tls_session_has_output(&pair.server));
	ck_assert_mem_eq(tls_session_alert(&pair.server), "\1\0", 2);
	n = ktls_seal_record(
	    &seal, 21, tls_session_alert(&pair.server), 2, wire);
	tls_session_alert_sent(&pair.server);
	ck_assert_ptr_null(tls_session_alert(&pair.server));
	ck_assert_int_eq(read_wire(&pair.client, n, &n), TLS_CLOSED);
	/* It reads on. */
	ck_assert_uint_eq(pair_send(&pair, true, plain, 3000, got), 3000);
	end();
}
END_TEST

START_TEST(test_bad_record_is_said_apart)
{
	size_t n;

	begin(&choices[_i]);
	(void)offload(&pair.server);
	memset(wire, 0, 100);
	memcpy(wire, "\27\3\3\0\40", 5);
	ck_assert_int_eq(read_wire(&pair.server, 37, &n), TLS_FAILED);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_bad_record);
	ck_assert_mem_eq(tls_session_alert(&pair.server), "\2\24", 2);
	end();
}
END_TEST

/* The peer's bytes for the server's session. */
static size_t client_writes(size_t length)
{
	struct tls_out out = {wire, wire + sizeof wire};
	size_t n;

	ck_assert_int_eq(
	    tls_session_write(&pair.client, &out, plain, length, &n), TLS_DONE);
	return (size_t)(out.at - wire);
}

START_TEST(test_peer_takes_new_keys)
{
	size_t n;

	begin(&choices[4]);
	(void)offload(&pair.server);
	ck_assert_int_eq(tls_session_update_keys(&pair.client, false), 0);
	n = client_writes(500);
	ck_assert_int_eq(read_wire(&pair.server, n, &n), TLS_WANT_INPUT);
	ck_assert_uint_eq(n, 500);
	end();
}
END_TEST

START_TEST(test_peer_asks_for_new_keys)
{
	size_t n;

	begin(&choices[4]);
	(void)offload(&pair.server);
	ck_assert_int_eq(tls_session_update_keys(&pair.client, true), 0);
	n = client_writes(500);
	ck_assert_int_eq(read_wire(&pair.server, n, &n), TLS_FAILED);
	ck_assert_int_eq(pair.server.cause, TLS_CAUSE_rekey);
	ck_assert_mem_eq(tls_session_alert(&pair.server), "\2\120", 2);
	end();
}
END_TEST

/* OpenSSL does not tell the keys that follow the first ones. */
START_TEST(test_not_after_an_update)
{
	struct ktls_info info;

	begin(&choices[3]);
	ck_assert_int_eq(tls_session_update_keys(&pair.server, false), 0);
	ck_assert_uint_eq(pair_send(&pair, false, plain, 3000, got), 3000);
	ck_assert_int_eq(tls_session_offload(&pair.server, &info), -ENOTSUP);
	ck_assert_uint_eq(pair_send(&pair, false, plain, 3000, got), 3000);
	end();
}
END_TEST

START_TEST(test_off)
{
	struct ktls_info info;

	ktls_switch(false);
	begin(&choices[3]);
	ktls_switch(true);
	ck_assert_ptr_null(pair.server.keys);
	ck_assert_int_eq(tls_session_offload(&pair.server, &info), -ENOTSUP);
	end();
}
END_TEST

static void setup(void)
{
	struct rng rng;

	rng_seed(&rng, 7);
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)rng_u64(&rng);
	ck_assert_int_eq(tls_start(), 0);
	ktls_switch(true);
	made_begin();
	leaf = made_certificate(&(struct made_options){.cn = "one.test",
	    .san = "DNS:one.test",
	    .authority = true,
	    .serial = 1});
	made_write(&leaf, "leaf.pem", "leaf.key", NULL);
	ck_assert_int_eq(tls_ticket_keys_make(&tickets, 0), 0);
}

static void teardown(void)
{
	made_free(&leaf);
	made_end();
}

int main(void)
{
	TCase *tests = tcase_create("ktls");

	tcase_add_unchecked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_counts_on, 0, 2);
	tcase_add_test(tests, test_only_known_ciphers);
	tcase_add_test(tests, test_probe);
	tcase_add_test(tests, test_probe_opens);
	tcase_add_loop_test(tests, test_goes_on, 0, 36);
	tcase_add_loop_test(tests, test_nonces_of_tls12, 0, 2);
	tcase_add_loop_test(tests, test_says_alerts_apart, 0, 6);
	tcase_add_loop_test(tests, test_bad_record_is_said_apart, 0, 6);
	tcase_add_test(tests, test_peer_takes_new_keys);
	tcase_add_test(tests, test_peer_asks_for_new_keys);
	tcase_add_test(tests, test_not_after_an_update);
	tcase_add_test(tests, test_off);
	return io_check_main(tests);
}
