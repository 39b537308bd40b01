/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_server.h"

/* tls_client_load(): the options of a pool towards its servers. */

static void client_load_authorities(struct tls_loader *loader,
    const struct tls_client_options *options, struct tls_client *client)
{
	const char *file = options->ca;

	client->verify = options->verify;
	if (options->verify == TLS_VERIFY_NONE)
		return;
	if (!file)
		file = tls_load_system_file();
	if (!file) {
		tls_loader_problem(loader, false, TLS_SUBJECT_CA, 0,
		    "the system has no file of certificate authorities "
		    "(package ca-certificates); name one with ca");
		return;
	}
	/* A failure is on record in the loader. */
	(void)tls_load_authorities(loader, file, &client->authorities);
	if (options->crl)
		(void)tls_load_crls(loader, options->crl, &client->crls);
}

static void client_load_certificate(struct tls_loader *loader,
    const struct tls_client_options *options, struct tls_client *client)
{
	const struct tls_certificate_files files = {
	    .cert = options->cert, .key = options->key};

	if (options->cert)
		(void)tls_load_certificate(
		    loader, 0, &files, &client->certificate);
	else if (options->key)
		tls_loader_problem(loader, false, TLS_SUBJECT_KEY, 0,
		    "a key without its certificate");
}

static void client_try(struct tls_loader *loader,
    const struct tls_client_options *options, const struct tls_client *client)
{
	SSL_CTX *ctx = tls_context_base(loader, false, client->min, client->max,
	    client->ciphers, client->ciphersuites);

	if (ctx && client->certificate.leaf &&
	    !tls_context_use(ctx, &client->certificate))
		tls_loader_problem(loader, false, TLS_SUBJECT_CERT, 0,
		    "%s: the certificate cannot be used: %s", options->cert,
		    tls_loader_reason());
	SSL_CTX_free(ctx);
}

int tls_client_load(const struct tls_client_options *options,
    tls_on_problem *on_problem, void *owner, struct tls_client **ret)
{
	struct tls_loader loader = {.on_problem = on_problem, .owner = owner};
	struct arena *arena = arena_new();
	struct tls_client *client = arena_alloc(arena, sizeof(*client));

	client->arena = arena;
	client->ciphers = tls_load_string(arena, options->ciphers);
	client->ciphersuites = tls_load_string(arena, options->ciphersuites);
	client_load_authorities(&loader, options, client);
	client_load_certificate(&loader, options, client);
	client->alpn_length = tls_load_alpn(
	    &loader, options->alpn, options->n_alpn, client->alpn);
	(void)tls_load_versions(
	    &loader, options->min, options->max, &client->min, &client->max);
	if (!loader.failed)
		client_try(&loader, options, client);
	if (loader.failed) {
		tls_client_free(client);
		return BR_E_CONFIG;
	}
	*ret = client;
	return 0;
}

void tls_client_free(struct tls_client *client)
{
	if (!client)
		return;
	tls_certificate_fini(&client->certificate);
	sk_X509_pop_free(client->authorities, X509_free);
	sk_X509_CRL_pop_free(client->crls, X509_CRL_free);
	arena_free(client->arena);
}
