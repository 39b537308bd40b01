/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What tls_server_load() and tls_client_load() make; looked into by
 * tls_context only.
 *
 * Thread:  written while loading, then read by any.
 * Memory:  the arena, and references to OpenSSL's objects.
 */
#include <openssl/ssl.h>

#include "io/tls_names.h"

struct tls_server {
	struct arena *arena;
	struct tls_certificate *certificates;
	uint32_t n_certificates;
	struct strmap *map;
	struct tls_names *fallback; /* set of the first certificate */
	STACK_OF(X509) * authorities;
	STACK_OF(X509_CRL) * crls;
	const char *ciphers, *ciphersuites;
	enum tls_verify verify;
	int min, max; /* protocol numbers */
	int64_t session_timeout_s, first_expiry_s;
	bool strict_names, no_tickets, staples;
	int alpn_length;
	uint8_t alpn[TLS_ALPN_MAX];
	uint8_t demands[32]; /* session id context */
};

struct tls_client {
	struct arena *arena;
	struct tls_certificate certificate; /* leaf NULL: none */
	STACK_OF(X509) * authorities;
	STACK_OF(X509_CRL) * crls;
	const char *ciphers, *ciphersuites;
	enum tls_verify verify;
	int min, max;
	int alpn_length;
	uint8_t alpn[TLS_ALPN_MAX];
};

/* An SSL_CTX with what both sides have in common; with a loader, problems are
 * told to it, without they are all "no memory". NULL on failure. */
SSL_CTX *tls_context_base(struct tls_loader *loader, bool server, int min,
    int max, const char *ciphers, const char *ciphersuites);
/* Takes references; false with OpenSSL's reason in its queue. */
bool tls_context_use(SSL_CTX *ctx, const struct tls_certificate *certificate);
