/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_context.h"

#include "base/assert.h"
#include "io/ktls.h"
#include "io/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>

static bool context_refuse(
    struct tls_loader *loader, enum tls_subject subject, const char *what)
{
	if (loader)
		tls_loader_problem(loader, false, subject, 0, "%s: %s", what,
		    tls_loader_reason());
	return false;
}

static bool context_set_ciphers(struct tls_loader *loader, SSL_CTX *ctx,
    const char *ciphers, const char *ciphersuites)
{
	if (ciphers && !SSL_CTX_set_cipher_list(ctx, ciphers))
		return context_refuse(loader, TLS_SUBJECT_CIPHERS, ciphers);
	if (ciphersuites && !SSL_CTX_set_ciphersuites(ctx, ciphersuites))
		return context_refuse(
		    loader, TLS_SUBJECT_CIPHERSUITES, ciphersuites);
	return true;
}

SSL_CTX *tls_context_base(struct tls_loader *loader, bool server, int min,
    int max, const char *ciphers, const char *ciphersuites)
{
	SSL_CTX *ctx =
	    SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, min) ||
	    !SSL_CTX_set_max_proto_version(ctx, max)) {
		context_refuse(loader, TLS_SUBJECT_OTHER, "TLS context");
		SSL_CTX_free(ctx);
		return NULL;
	}
	if (!context_set_ciphers(loader, ctx, ciphers, ciphersuites)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	/* Buffers exist while a record is incomplete, not while a session is
	 * idle. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				  SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A read returns after each record without data, so that a peer
	 * cannot keep us in one call. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	return ctx;
}

bool tls_context_use(SSL_CTX *ctx, const struct tls_certificate *certificate)
{
	return SSL_CTX_use_cert_and_key(ctx, certificate->leaf,
		   certificate->key, certificate->chain, 1) == 1;
}

/* -- making ------------------------------------------------------------ */

static struct tls_context *context_new(SSL_CTX *ssl_ctx)
{
	static uint64_t last_identity;
	struct tls_context *context;

	if (!ssl_ctx)
		return NULL;
	context = OPENSSL_zalloc(sizeof(*context));
	if (!context) {
		SSL_CTX_free(ssl_ctx);
		return NULL;
	}
	context->ssl_ctx = ssl_ctx;
	context->ktls = ktls_is_on();
	if (context->ktls)
		SSL_CTX_set_options(ssl_ctx, SSL_OP_ENABLE_KTLS);
	context->identity =
	    __atomic_add_fetch(&last_identity, 1, __ATOMIC_RELAXED);
	return context;
}

static bool context_trust(struct tls_context *context, int mode,
    STACK_OF(X509) * authorities, STACK_OF(X509_CRL) * crls)
{
	X509_STORE *store = tls_load_store(authorities, crls);

	if (!store)
		return false;
	SSL_CTX_set_cert_store(context->ssl_ctx, store);
	SSL_CTX_set_verify(context->ssl_ctx, mode, NULL);
	return true;
}

/* The names that clients are told, to choose a certificate by. */
static bool context_name_authorities(
    struct tls_context *context, STACK_OF(X509) * authorities)
{
	for (int i = 0; i < sk_X509_num(authorities); i++)
		if (!SSL_CTX_add_client_CA(
			context->ssl_ctx, sk_X509_value(authorities, i)))
			return false;
	return true;
}

static bool context_set_server(struct tls_context *context)
{
	const struct tls_server *server = context->server;
	const struct tls_names *names = server->fallback;
	int mode = SSL_VERIFY_PEER;

	for (uint32_t i = 0; i < names->n; i++)
		if (!tls_context_use(context->ssl_ctx, names->certificates[i]))
			return false;
	if (server->verify == TLS_VERIFY_FULL)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	if (server->verify != TLS_VERIFY_NONE &&
	    (!context_trust(context, mode, server->authorities, server->crls) ||
		!context_name_authorities(context, server->authorities)))
		return false;
	SSL_CTX_set_timeout(context->ssl_ctx, server->session_timeout_s);
	return SSL_CTX_set_session_id_context(context->ssl_ctx, server->demands,
		   sizeof(server->demands)) &&
	       tls_context_add_hooks(context);
}

int tls_context_new_server(const struct tls_server *server,
    struct tls_cache *cache, const struct tls_ticket_keys *keys,
    struct tls_context **ret)
{
	struct tls_context *context = context_new(tls_context_base(NULL, true,
	    server->min, server->max, server->ciphers, server->ciphersuites));

	if (!context)
		goto fail;
	context->server = server;
	context->cache = cache;
	context->keys = server->no_tickets ? NULL : keys;
	if (!context_set_server(context))
		goto fail;
	*ret = context;
	return 0;
fail:
	ERR_clear_error();
	tls_context_free(context);
	return -ENOMEM;
}

void tls_context_set_ticket_keys(
    struct tls_context *context, const struct tls_ticket_keys *keys)
{
	/* Whether there are tickets at all was settled at the beginning. */
	if (context->keys && keys)
		context->keys = keys;
}

static int context_on_server_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_session *s = tls_session_of(ssl);

	if (!s->resume || !SSL_SESSION_is_resumable(session))
		return 0;
	tls_session_on_resumable(s, session);
	return 1;
}

static bool context_set_client(struct tls_context *context)
{
	const struct tls_client *client = context->client;
	SSL_CTX *ctx = context->ssl_ctx;

	if (client->certificate.leaf &&
	    !tls_context_use(ctx, &client->certificate))
		return false;
	/* Returns 0 for success. */
	if (client->alpn_length && SSL_CTX_set_alpn_protos(ctx, client->alpn,
				       (unsigned)client->alpn_length))
		return false;
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, context_on_server_session);
	return client->verify == TLS_VERIFY_NONE ||
	       context_trust(
		   context, SSL_VERIFY_PEER, client->authorities, client->crls);
}

int tls_context_new_client(
    const struct tls_client *client, struct tls_context **ret)
{
	struct tls_context *context = context_new(tls_context_base(NULL, false,
	    client->min, client->max, client->ciphers, client->ciphersuites));

	if (!context)
		goto fail;
	context->client = client;
	if (!context_set_client(context))
		goto fail;
	*ret = context;
	return 0;
fail:
	ERR_clear_error();
	tls_context_free(context);
	return -ENOMEM;
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	br_assert(context->sessions == 0);
	EVP_CIPHER_free(context->ticket_cipher);
	SSL_CTX_free(context->ssl_ctx);
	OPENSSL_free(context);
}
