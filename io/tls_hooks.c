/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_internal.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

/*
 * What OpenSSL asks during a server's handshake: which certificate, which
 * staple, which protocol, which session, which ticket key.
 */

/* -- certificate by name ----------------------------------------------- */

/* RFC 6066 3. Called for every ClientHello, with a name in it or not. */
static int hook_name(SSL *ssl, int *alert, void *argument)
{
	struct tls_context *context = argument;
	struct tls_session *s = tls_session_of(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	s->names = name ? tls_names_find(context->server->map, name) : NULL;
	if (s->names)
		return SSL_TLSEXT_ERR_OK;
	s->names = context->server->fallback;
	if (!context->server->strict_names)
		return SSL_TLSEXT_ERR_NOACK;
	s->cause = TLS_CAUSE_name_not_found;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Only where no session is resumed: then no certificate is needed. */
static int hook_certificate(SSL *ssl, void *argument)
{
	struct tls_context *context = argument;
	const struct tls_names *names = tls_session_of(ssl)->names;

	if (!names || names == context->server->fallback)
		return 1;
	SSL_certs_clear(ssl);
	for (uint32_t i = 0; i < names->n; i++) {
		const struct tls_certificate *one = names->certificates[i];

		if (!SSL_use_cert_and_key(
			ssl, one->leaf, one->key, one->chain, 1))
			return 0;
	}
	return 1;
}

/* RFC 6066 8. */
static int hook_staple(SSL *ssl, void *argument)
{
	struct tls_context *context = argument;
	const struct tls_names *names = tls_session_of(ssl)->names;
	const X509 *chosen = SSL_get_certificate(ssl);
	unsigned char *copy;

	if (!names)
		names = context->server->fallback;
	for (uint32_t i = 0; i < names->n; i++) {
		const struct tls_certificate *one = names->certificates[i];

		if (one->leaf != chosen || !one->ocsp ||
		    one->ocsp_until_s < time(NULL))
			continue;
		/* OpenSSL frees it. */
		copy = OPENSSL_memdup(one->ocsp, (size_t)one->ocsp_length);
		if (!copy)
			return SSL_TLSEXT_ERR_NOACK;
		SSL_set_tlsext_status_ocsp_resp(ssl, copy, one->ocsp_length);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7301 3.2 would end the handshake when nothing is in common; HAProxy
 * goes on without, and operators rely on it. */
static int hook_alpn(SSL *ssl, const unsigned char **ret,
    unsigned char *ret_length, const unsigned char *offered, unsigned length,
    void *argument)
{
	const struct tls_server *server =
	    ((struct tls_context *)argument)->server;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, ret_length, server->alpn,
		(unsigned)server->alpn_length, offered,
		length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* -- session cache ----------------------------------------------------- */

static int hook_session_new(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *context = tls_session_of(ssl)->context;
	unsigned char der[TLS_CACHE_SESSION_MAX], *at = der;
	const unsigned char *id;
	unsigned id_length;
	int length;
	int64_t now = time(NULL);

	/* With tickets the client keeps a TLS 1.3 session itself. */
	if (SSL_version(ssl) == TLS1_3_VERSION && context->keys)
		return 0;
	id = SSL_SESSION_get_id(session, &id_length);
	length = i2d_SSL_SESSION(session, NULL);
	if (length <= 0 || length > (int)sizeof(der))
		return 0;
	i2d_SSL_SESSION(session, &at);
	tls_cache_put(context->cache, id, id_length, der, (size_t)length, now,
	    now + context->server->session_timeout_s);
	OPENSSL_cleanse(der, sizeof(der));
	return 0;
}

static SSL_SESSION *hook_session_get(
    SSL *ssl, const unsigned char *id, int id_length, int *ret_copy)
{
	struct tls_context *context = tls_session_of(ssl)->context;
	unsigned char der[TLS_CACHE_SESSION_MAX];
	const unsigned char *at = der;
	SSL_SESSION *session;
	size_t length;

	*ret_copy = 0;
	if (id_length <= 0)
		return NULL;
	length = tls_cache_get(context->cache, id, (size_t)id_length, der,
	    sizeof(der), time(NULL));
	if (!length)
		return NULL;
	session = d2i_SSL_SESSION(NULL, &at, (long)length);
	OPENSSL_cleanse(der, sizeof(der));
	return session;
}

/* OpenSSL removes sessions that ended badly. The argument is the one that it
 * kept with its context. */
static void hook_session_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
	struct tls_context *context = SSL_CTX_get_app_data(ctx);
	const unsigned char *id;
	unsigned id_length;

	id = SSL_SESSION_get_id(session, &id_length);
	tls_cache_remove(context->cache, id, id_length);
}

static bool hooks_add_cache(struct tls_context *context)
{
	SSL_CTX *ctx = context->ssl_ctx;

	if (!context->cache) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		return true;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER |
						SSL_SESS_CACHE_NO_INTERNAL |
						SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_sess_set_new_cb(ctx, hook_session_new);
	SSL_CTX_sess_set_get_cb(ctx, hook_session_get);
	SSL_CTX_sess_set_remove_cb(ctx, hook_session_remove);
	return SSL_CTX_set_app_data(ctx, context);
}

/* -- tickets ----------------------------------------------------------- */

static bool ticket_set_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
	char digest[] = "SHA256";
	uint8_t mac_key[sizeof(key->mac_key)];
	OSSL_PARAM params[3];
	bool good;

	/* OSSL_PARAM takes no const. */
	memcpy(mac_key, key->mac_key, sizeof(mac_key));
	params[0] = OSSL_PARAM_construct_octet_string(
	    OSSL_MAC_PARAM_KEY, mac_key, sizeof(mac_key));
	params[1] =
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	good = EVP_MAC_CTX_set_params(mac, params);
	OPENSSL_cleanse(mac_key, sizeof(mac_key));
	return good;
}

static int ticket_seal(struct tls_context *context, unsigned char *name,
    unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct tls_ticket_key *key = &context->keys->current;
	int iv_length = EVP_CIPHER_get_iv_length(context->ticket_cipher);

	if (iv_length <= 0 || RAND_bytes(iv, iv_length) != 1)
		return -1;
	memcpy(name, key->name, sizeof(key->name));
	return EVP_EncryptInit_ex2(cipher, context->ticket_cipher,
		   key->cipher_key, iv, NULL) == 1 &&
		       ticket_set_mac(mac, key)
		   ? 1
		   : -1;
}

static int hook_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	struct tls_context *context = tls_session_of(ssl)->context;
	const struct tls_ticket_keys *keys = context->keys;
	const struct tls_ticket_key *const known[] = {
	    &keys->current, &keys->previous, &keys->next};

	if (seal)
		return ticket_seal(context, name, iv, cipher, mac);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct tls_ticket_key *key = known[i];

		if (memcmp(name, key->name, sizeof(key->name)) != 0)
			continue;
		if (EVP_DecryptInit_ex2(cipher, context->ticket_cipher,
			key->cipher_key, iv, NULL) != 1 ||
		    !ticket_set_mac(mac, key))
			return -1;
		/* 2: the client gets a new one. TLS 1.3 clients use each
		 * once (RFC 8446 C.4). */
		return i || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
	}
	return 0;
}

static bool hooks_add_tickets(struct tls_context *context)
{
	SSL_CTX *ctx = context->ssl_ctx;

	if (!context->keys) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		/* TLS 1.3 would still hand out references to a cache. */
		return context->cache || SSL_CTX_set_num_tickets(ctx, 0);
	}
	context->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	return context->ticket_cipher &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, hook_ticket);
}

bool tls_context_add_hooks(struct tls_context *context)
{
	SSL_CTX *ctx = context->ssl_ctx;

	SSL_CTX_set_tlsext_servername_callback(ctx, hook_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, context);
	SSL_CTX_set_cert_cb(ctx, hook_certificate, context);
	if (context->server->staples) {
		SSL_CTX_set_tlsext_status_cb(ctx, hook_staple);
		SSL_CTX_set_tlsext_status_arg(ctx, context);
	}
	if (context->server->alpn_length)
		SSL_CTX_set_alpn_select_cb(ctx, hook_alpn, context);
	return hooks_add_cache(context) && hooks_add_tickets(context);
}
