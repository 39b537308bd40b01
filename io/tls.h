/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the TLS headers share: versions, causes of failure, and the start of
 * the library. OpenSSL 3.0 does the protocol; no socket is inside.
 *
 *      tls_memory    OpenSSL's allocator: a pool per worker, a cap for all
 *      tls_server,   files, loaded and checked once, by the clerk: shared
 *      tls_client      │ tls_context_new_*(): one a worker
 *      tls_context     v
 *        │           tls_ticket, tls_cache: what workers resume from
 *        v
 *      tls_session   one connection
 *
 * No lock of Braid is taken on a worker; a context (SSL_CTX) is never used
 * by two threads, so neither are its locks contended.
 *
 * Thread:  any.
 */
#include <stdint.h>

#include "base/error.h"

enum tls_version {
	TLS_VERSION_ANY, /* min: 1.2, max: 1.3 */
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};

/*
 * Why a connection failed: one row a counter. Those named peer_* were said by
 * the other side in an alert; the others were found here.
 */
#define TLS_CAUSE_LIST(X)                                                      \
	X(none, "no failure")                                                  \
	X(not_tls, "the first bytes are not TLS")                              \
	X(version, "no protocol version in common")                            \
	X(no_shared_cipher, "no cipher, group or signature in common")         \
	X(name_not_found, "no certificate for the name asked for")             \
	X(malformed, "a message that cannot be parsed or is out of order")     \
	X(bad_record,                                                          \
	    "a record that fails its integrity check or is too long")          \
	X(no_certificate, "the peer presented no certificate")                 \
	X(unknown_ca, "the peer's certificate has no trusted issuer")          \
	X(expired, "the peer's certificate is expired or not yet valid")       \
	X(revoked, "the peer's certificate is revoked")                        \
	X(crl, "no usable revocation list for the peer's certificate")         \
	X(name_mismatch, "the peer's certificate is for another name")         \
	X(certificate, "the peer's certificate is unusable")                   \
	X(peer_certificate, "the peer refused our certificate")                \
	X(peer_alert, "the peer sent another alert")                           \
	X(rekey, "the peer asked for new keys where the kernel encrypts")      \
	X(message_flood, "too many key updates or tickets at once")            \
	X(truncated, "the stream ended without close_notify")                  \
	X(handshake_ended, "the connection ended within the handshake")        \
	X(handshake_slow, "no whole handshake in the time for it")             \
	X(memory, "no memory: limits.tls_memory is reached")                   \
	X(internal, "an error inside the TLS library")

enum tls_cause {
#define X(name, text) TLS_CAUSE_##name,
	TLS_CAUSE_LIST(X)
#undef X
	    TLS_N_CAUSES
};

/* "no_shared_cipher": for metrics and logs. */
const char *tls_cause_name(unsigned cause);
/* The text of the row. */
const char *tls_cause_text(unsigned cause);

/*
 * Starts OpenSSL, once a process, after tls_memory_install() and before
 * anything else of it. -ENOTSUP: the library is not the one that was built
 * for.
 */
int tls_start(void) BR_MUST_CHECK;
/* Frees what OpenSSL keeps for the calling thread; the last call that a
 * thread which used TLS makes. */
void tls_thread_end(void);
