/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_server.h"

#include "base/assert.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define SESSION_TIMEOUT_S 7200

static void server_load_certificates(struct tls_loader *loader,
    const struct tls_server_options *options, struct tls_server *server)
{
	uint32_t n = options->n_certificates;

	if (n == 0 || n > TLS_CERTIFICATES_MAX) {
		tls_loader_problem(loader, false, TLS_SUBJECT_CERT, 0,
		    n ? "too many certificates" : "no certificate is given");
		return;
	}
	server->certificates =
	    arena_alloc(server->arena, n * sizeof(*server->certificates));
	server->first_expiry_s = INT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		struct tls_certificate *one = &server->certificates[i];

		if (tls_load_certificate(
			loader, i, &options->certificates[i], one))
			continue;
		if (one->not_after_s < server->first_expiry_s)
			server->first_expiry_s = one->not_after_s;
		server->staples |= one->ocsp != NULL;
	}
	server->n_certificates = n;
}

static void server_index_names(struct tls_server *server)
{
	server->map = strmap_new(server->arena);
	for (uint32_t i = 0; i < server->n_certificates; i++) {
		struct tls_names *first = tls_names_add(
		    server->arena, server->map, &server->certificates[i]);

		if (i == 0)
			server->fallback = first;
	}
	if (!server->fallback) {
		server->fallback =
		    arena_alloc(server->arena, sizeof(*server->fallback));
		tls_names_join(server->fallback, &server->certificates[0]);
	}
}

static void server_load_authorities(struct tls_loader *loader,
    const struct tls_server_options *options, struct tls_server *server)
{
	server->verify = options->verify;
	if (options->verify == TLS_VERIFY_NONE)
		return;
	if (!options->client_ca) {
		tls_loader_problem(loader, false, TLS_SUBJECT_CA, 0,
		    "client certificates cannot be checked without client_ca");
		return;
	}
	/* A failure is on record in the loader. */
	(void)tls_load_authorities(
	    loader, options->client_ca, &server->authorities);
	if (options->crl)
		(void)tls_load_crls(loader, options->crl, &server->crls);
}

static void digest_object(EVP_MD_CTX *digest, unsigned char *der, int length)
{
	if (length > 0)
		EVP_DigestUpdate(digest, der, (size_t)length);
	OPENSSL_free(der);
}

/*
 * A session carries the verdict on the client's certificate, so one that was
 * made under other demands must not be resumed: they are the session id
 * context (RFC 8446 4.6.1, RFC 5077 5.6 leave that to us).
 */
static int server_digest_demands(struct tls_server *server)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	unsigned char *der;
	int rc = -ENOMEM, length;

	if (!digest || !EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
		goto out;
	EVP_DigestUpdate(digest, &server->verify, sizeof(server->verify));
	EVP_DigestUpdate(
	    digest, &server->strict_names, sizeof(server->strict_names));
	for (int i = 0; i < sk_X509_num(server->authorities); i++) {
		der = NULL;
		length = i2d_X509(sk_X509_value(server->authorities, i), &der);
		digest_object(digest, der, length);
	}
	for (int i = 0; i < sk_X509_CRL_num(server->crls); i++) {
		der = NULL;
		length = i2d_X509_CRL(sk_X509_CRL_value(server->crls, i), &der);
		digest_object(digest, der, length);
	}
	if (EVP_DigestFinal_ex(digest, server->demands, NULL))
		rc = 0;
out:
	EVP_MD_CTX_free(digest);
	return rc;
}

/* What OpenSSL itself would refuse (ciphers, keys that its security level
 * finds too short) is found now, in a context that nobody uses. */
static void server_try(struct tls_loader *loader,
    const struct tls_server_options *options, const struct tls_server *server)
{
	SSL_CTX *ctx = tls_context_base(loader, true, server->min, server->max,
	    server->ciphers, server->ciphersuites);

	for (uint32_t i = 0; ctx && i < server->n_certificates; i++)
		if (!tls_context_use(ctx, &server->certificates[i]))
			tls_loader_problem(loader, false, TLS_SUBJECT_CERT, i,
			    "%s: the certificate cannot be used: %s",
			    options->certificates[i].cert, tls_loader_reason());
	SSL_CTX_free(ctx);
}

int tls_server_load(const struct tls_server_options *options,
    tls_on_problem *on_problem, void *owner, struct tls_server **ret)
{
	struct tls_loader loader = {.on_problem = on_problem, .owner = owner};
	struct arena *arena = arena_new();
	struct tls_server *server = arena_alloc(arena, sizeof(*server));
	int rc;

	server->arena = arena;
	server->strict_names = options->strict_names;
	server->no_tickets = options->no_tickets;
	server->session_timeout_s = options->session_timeout_s
					? options->session_timeout_s
					: SESSION_TIMEOUT_S;
	server->ciphers = tls_load_string(arena, options->ciphers);
	server->ciphersuites = tls_load_string(arena, options->ciphersuites);
	server_load_certificates(&loader, options, server);
	server_load_authorities(&loader, options, server);
	server->alpn_length = tls_load_alpn(
	    &loader, options->alpn, options->n_alpn, server->alpn);
	(void)tls_load_versions(
	    &loader, options->min, options->max, &server->min, &server->max);
	if (!loader.failed)
		server_try(&loader, options, server);
	rc = loader.failed ? BR_E_CONFIG : server_digest_demands(server);
	if (rc) {
		tls_server_free(server);
		return rc;
	}
	server_index_names(server);
	*ret = server;
	return 0;
}

void tls_server_free(struct tls_server *server)
{
	if (!server)
		return;
	for (uint32_t i = 0; i < server->n_certificates; i++)
		tls_certificate_fini(&server->certificates[i]);
	sk_X509_pop_free(server->authorities, X509_free);
	sk_X509_CRL_pop_free(server->crls, X509_CRL_free);
	arena_free(server->arena);
}

int64_t tls_server_first_expiry_s(const struct tls_server *server)
{
	return server->first_expiry_s;
}
