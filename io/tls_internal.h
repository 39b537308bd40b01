/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What tls_context and tls_session know of each other.
 *
 * Thread:  the worker of the context.
 */
#include <openssl/ssl.h>

#include "io/tls_cache.h"
#include "io/tls_server.h"
#include "io/tls_session.h"
#include "io/tls_ticket.h"

struct tls_context {
	SSL_CTX *ssl_ctx;
	const struct tls_server *server; /* or */
	const struct tls_client *client;
	struct tls_cache *cache;
	const struct tls_ticket_keys *keys;
	bool ktls; /* keys of its sessions are kept for the kernel */
	EVP_CIPHER *ticket_cipher; /* fetched once: a fetch takes locks */
	uint64_t identity; /* never used twice in a process */
	uint32_t sessions;
};

/* The session behind OpenSSL's object, in its callbacks. */
static inline struct tls_session *tls_session_of(const SSL *ssl)
{
	return BIO_get_data(SSL_get_rbio(ssl));
}

/* The only BIO method, made by tls_start(). */
int tls_session_start(void);
/* Kernel TLS (tls_offload.c): keys are kept from the beginning, where the
 * context wants it and there is memory. */
void tls_session_keep_keys(struct tls_session *s);
/* OpenSSL has sent this; there are keys. */
void tls_session_on_sent(
    struct tls_session *s, int type, const void *bytes, size_t length);
/* An answer to the peer's request for new keys waits, or is gone. */
bool tls_session_must_rekey(const struct tls_session *s);
/* Has our alert internal_error wait to be sent. */
void tls_session_alert_internal(struct tls_session *s);
/* Counts the messages that come after the handshake (tls_messages.c), and has
 * `flooded` set when they are too many. */
void tls_session_watch(struct tls_session *s);
/* A server gave a session for the next time. Takes the reference. */
void tls_session_on_resumable(struct tls_session *s, SSL_SESSION *session);
/* Registers what happens during a server's handshakes. */
bool tls_context_add_hooks(struct tls_context *context);
