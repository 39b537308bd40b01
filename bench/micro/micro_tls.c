/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "io/tls_memory.h"
#include "io/tls_ticket.h"
#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>

/*
 * Server and client are both in this thread; what the client does is left out
 * of the time of handshakes, and of bulk in the direction that is measured.
 */

/* Records between two looks at the clock, which is not cheap. */
#define BATCH TLS_RECORDS_PER_CALL

struct bench {
	struct tls_server *server;
	struct tls_client *client;
	struct tls_context *server_context, *client_context;
	struct tls_ticket_keys keys;
	struct tls_resume resume;
	struct pair pair;
	EVP_PKEY *key;
	uint8_t plain[BATCH * TLS_RECORD_BYTES];
	uint8_t got[(BATCH + 1) * TLS_RECORD_BYTES];
};

static const struct tls_peer no_resume = {.sni = "bench.test"};

static void *bench_open(uint32_t version)
{
	struct made_options made = {.cn = "bench.test", .serial = 1};
	struct bench *b = micro_alloc(1, sizeof *b);
	struct tls_certificate_files files;
	struct tls_server_options s = {.certificates = &files,
	    .n_certificates = 1,
	    .min = (enum tls_version)version,
	    .max = (enum tls_version)version,
	    .ciphersuites = "TLS_AES_128_GCM_SHA256",
	    .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"};
	struct tls_client_options c = {0};
	struct made leaf;

	made_begin();
	leaf = made_certificate(&made);
	made_write(&leaf, "cert", "key", NULL);
	b->key = leaf.key;
	EVP_PKEY_up_ref(b->key);
	made_free(&leaf);
	files = (struct tls_certificate_files){
	    .cert = made_path("cert"), .key = made_path("key")};
	br_assert(!tls_ticket_keys_make(&b->keys, 0));
	br_assert(!tls_server_load(&s, NULL, NULL, &b->server));
	br_assert(!tls_client_load(&c, NULL, NULL, &b->client));
	br_assert(!tls_context_new_server(
	    b->server, NULL, &b->keys, &b->server_context));
	br_assert(!tls_context_new_client(b->client, &b->client_context));
	made_end();
	br_assert(!tls_memory_attach(0));
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	tls_resume_clear(&b->resume);
	tls_memory_detach();
	tls_context_free(b->server_context);
	tls_context_free(b->client_context);
	tls_server_free(b->server);
	tls_client_free(b->client);
	EVP_PKEY_free(b->key);
	free(b);
}

/* One connection; only the server's part is counted. */
static void connect_once(struct bench *b, const struct tls_peer *peer)
{
	struct pair *pair = &b->pair;
	bool moved = true;

	pair->to_client.start = pair->to_client.end = 0;
	pair->to_server.start = pair->to_server.end = 0;
	pair->feed = pair->chunk = 16384;
	pair->client_status = pair->server_status = TLS_WANT_INPUT;
	br_assert(
	    !tls_session_init_client(&pair->client, b->client_context, peer));
	micro_go();
	br_assert(!tls_session_init_server(&pair->server, b->server_context));
	micro_stop();
	while (moved) {
		moved = pair_step(pair, false);
		micro_go();
		moved |= pair_step(pair, true);
		micro_stop();
	}
	br_assert(
	    pair->client_status == TLS_DONE && pair->server_status == TLS_DONE);
}

static void disconnect(struct bench *b)
{
	tls_session_fini(&b->pair.client);
	micro_go();
	tls_session_fini(&b->pair.server);
	micro_stop();
}

static void run_full(void *state, uint64_t n)
{
	struct bench *b = state;

	micro_stop();
	for (uint64_t i = 0; i < n; i++) {
		connect_once(b, &no_resume);
		disconnect(b);
	}
	micro_go();
}

static void run_resumed(void *state, uint64_t n)
{
	struct bench *b = state;
	struct tls_peer peer = {.sni = "bench.test", .resume = &b->resume};

	micro_stop();
	/* The first one of a run may have to make the session. */
	for (uint64_t i = 0; i <= n; i++) {
		struct tls_in in;
		struct tls_out none = {0};
		struct tls_facts facts;
		size_t got;

		connect_once(b, &peer);
		in = wire_in(&b->pair.to_client, 16384);
		(void)tls_session_read(
		    &b->pair.client, &in, &none, b->got, 1, &got);
		tls_session_facts(&b->pair.server, &facts);
		br_assert(facts.resumed || i == 0);
		disconnect(b);
	}
	micro_go();
}

/* What no server can avoid: a signature, a key of its own, a shared secret. */
static void run_bound(void *state, uint64_t n)
{
	struct bench *b = state;
	uint8_t signature[128], hash[64] = {1};

	for (uint64_t i = 0; i < n; i++) {
		EVP_MD_CTX *sign = EVP_MD_CTX_new();
		EVP_PKEY *ours = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
		EVP_PKEY *theirs = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
		EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new(ours, NULL);
		size_t length = sizeof(signature);

		br_assert(
		    EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, b->key));
		br_assert(EVP_DigestSign(
		    sign, signature, &length, hash, sizeof(hash)));
		br_assert(EVP_PKEY_derive_init(derive) == 1 &&
			  EVP_PKEY_derive_set_peer(derive, theirs) == 1);
		length = sizeof(hash);
		br_assert(EVP_PKEY_derive(derive, hash, &length));
		EVP_PKEY_CTX_free(derive);
		EVP_PKEY_free(ours);
		EVP_PKEY_free(theirs);
		EVP_MD_CTX_free(sign);
	}
}

/* Records of 16 KiB; `read` chooses which half is counted. The server's
 * tickets, which a client would have to read first, were dropped: TLS 1.3 is
 * measured from client to server only. */
static void bulk(struct bench *b, uint64_t n, bool read)
{
	micro_stop();
	connect_once(b, &no_resume);
	b->pair.to_server.start = b->pair.to_server.end = 0;
	for (uint64_t done = 0; done < n; done += BATCH) {
		struct tls_session *from =
		    read ? &b->pair.client : &b->pair.server;
		struct tls_session *to =
		    read ? &b->pair.server : &b->pair.client;
		size_t length =
		    (n - done < BATCH ? n - done : BATCH) * TLS_RECORD_BYTES;
		struct tls_out out = wire_out(&b->pair.to_server, 300000);
		struct tls_out none = {0};
		struct tls_in in;
		size_t taken, got;

		/* Each stop has its go: what lies between is counted. */
		if (!read)
			micro_go();
		br_assert(tls_session_write(from, &out, b->plain, length,
			      &taken) == TLS_DONE);
		if (!read)
			micro_stop();
		in = (struct tls_in){b->pair.to_server.bytes, out.at};
		if (read)
			micro_go();
		br_assert(tls_session_read(to, &in, &none, b->got,
			      sizeof(b->got), &got) == TLS_WANT_INPUT);
		if (read)
			micro_stop();
		br_assert(got == length);
	}
	disconnect(b);
	micro_go();
}

static void run_decrypt(void *state, uint64_t n)
{
	bulk(state, n, true);
}

static void bulk_bound(void *state, uint64_t n)
{
	struct bench *b = state;
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[16] = {1}, nonce[12] = {2}, tag[16];
	int length;

	br_assert(EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL));
	for (uint64_t i = 0; i < n; i++) {
		br_assert(EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL));
		br_assert(EVP_EncryptUpdate(
		    ctx, b->got, &length, b->plain, TLS_RECORD_BYTES));
		br_assert(EVP_EncryptFinal_ex(ctx, b->got, &length));
		br_assert(EVP_CIPHER_CTX_ctrl(
		    ctx, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag));
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

static void run_encrypt(void *state, uint64_t n)
{
	bulk(state, n, false);
}

int main(int argc, char **argv)
{
	static const struct micro_case cases[] = {
	    {"tls 1.3 handshake, ECDSA P-256, server's part", bench_open,
		run_full, bench_close, TLS_VERSION_1_3, MICRO_CPU},
	    {"tls 1.2 handshake, ECDSA P-256, server's part", bench_open,
		run_full, bench_close, TLS_VERSION_1_2, MICRO_CPU},
	    {"bound: P-256 sign, 2 X25519 keys, derive", bench_open, run_bound,
		bench_close, TLS_VERSION_1_3, MICRO_CPU},
	    {"tls 1.3 handshake, resumed by ticket", bench_open, run_resumed,
		bench_close, TLS_VERSION_1_3, MICRO_CPU},
	    {"tls 1.2 handshake, resumed by ticket", bench_open, run_resumed,
		bench_close, TLS_VERSION_1_2, MICRO_CPU},
	    {"tls 1.2 record of 16 KiB, decrypt", bench_open, run_decrypt,
		bench_close, TLS_VERSION_1_2, MICRO_CPU},
	    {"tls 1.2 record of 16 KiB, encrypt", bench_open, run_encrypt,
		bench_close, TLS_VERSION_1_2, MICRO_CPU},
	    {"tls 1.3 record of 16 KiB, decrypt", bench_open, run_decrypt,
		bench_close, TLS_VERSION_1_3, MICRO_CPU},
	    {"bound: AES-128-GCM of 16 KiB", bench_open, bulk_bound,
		bench_close, TLS_VERSION_1_3, MICRO_CPU},
	};

	br_assert(!tls_memory_install(UINT64_C(1) << 30));
	br_assert(!tls_start());
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
