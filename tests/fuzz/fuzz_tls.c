/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a client sends to a TLS server: with the first byte the
 * input chooses whether they come before or after a real handshake, whether
 * client certificates are asked for, and in which pieces they come.
 */
#include "io/tls_context.h"
#include "io/tls_session.h"
#include "io/tls_ticket.h"

#include "tests/unit/io/tls_made.h"
#include "tests/unit/io/tls_pair.h"

#include <openssl/err.h>

#define BYTES_MAX 65536u
#define ESTABLISHED 0x80u
#define MUTUAL 0x40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_context *servers[2], *client_context;
static struct tls_ticket_keys keys;
static struct pair pair;
static uint8_t plain[2 * BYTES_MAX];

/* Made once and kept: contexts need files only while they are loaded. */
static void fuzz_start(void)
{
	struct made_options options = {.cn = "fuzz.test", .authority = true};
	struct tls_certificate_files files;
	struct tls_server_options s = {.n_certificates = 1};
	struct tls_client_options c = {0};
	static struct tls_server *server[2];
	static struct tls_client *client;
	struct made made;

	br_assert(!tls_start());
	br_assert(!tls_ticket_keys_make(&keys, 0));
	made_begin();
	made = made_certificate(&options);
	made_write(&made, "cert", "key", NULL);
	made_free(&made);
	files = (struct tls_certificate_files){
	    .cert = made_path("cert"), .key = made_path("key")};
	s.certificates = &files;
	for (int i = 0; i < 2; i++) {
		s.verify = i ? TLS_VERIFY_OPTIONAL : TLS_VERIFY_NONE;
		s.client_ca = made_path("cert");
		br_assert(!tls_server_load(&s, NULL, NULL, &server[i]));
		br_assert(!tls_context_new_server(
		    server[i], NULL, &keys, &servers[i]));
	}
	br_assert(!tls_client_load(&c, NULL, NULL, &client));
	br_assert(!tls_context_new_client(client, &client_context));
	made_end();
}

static void fuzz_feed(const uint8_t *data, size_t size, size_t piece)
{
	struct tls_session *s = &pair.server;
	struct tls_in in = {data, data};
	enum tls_status status = TLS_WANT_INPUT;
	size_t n, calls = 0;

	/* Each call that does not end it takes input or moves output. */
	while (status != TLS_FAILED && status != TLS_CLOSED) {
		struct tls_out out = {plain, plain + 300};
		const uint8_t *before = in.at;

		br_assert(calls++ < 4 * BYTES_MAX);
		if (status == TLS_WANT_INPUT) {
			br_assert(in.at == in.end);
			if (in.end == data + size)
				break;
			n = (size_t)(data + size - in.end);
			in.end += n < piece ? n : piece;
		}
		if (s->established)
			status = tls_session_read(
			    s, &in, &out, plain + 300, sizeof(plain) - 300, &n);
		else
			status = tls_session_handshake(s, &in, &out);
		br_assert(in.at >= before && in.at <= in.end);
		br_assert(out.at >= plain && out.at <= out.end);
		br_assert(!ERR_peek_error());
	}
	br_assert((status == TLS_FAILED) == (s->cause != TLS_CAUSE_none));
	br_assert(s->cause != TLS_CAUSE_internal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tls_peer peer = {.sni = "fuzz.test"};
	struct tls_context *server;

	if (!client_context)
		fuzz_start();
	if (size < 2 || size > BYTES_MAX)
		return 0;
	server = servers[data[0] & MUTUAL ? 1 : 0];
	if (data[0] & ESTABLISHED) {
		pair_open(&pair, client_context, server, &peer, 16384, 16384);
		br_assert(pair_handshake(&pair));
		tls_session_fini(&pair.client);
	} else {
		br_assert(!tls_session_init_server(&pair.server, server));
	}
	fuzz_feed(data + 1, size - 1, 1 + (data[0] & 0x3fu) * 40);
	tls_session_fini(&pair.server);
	return 0;
}
