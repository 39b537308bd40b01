/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What TLS connections of one listener, or towards one pool, have in common.
 *
 *      tls_server_load()              clerk: reads and checks files, once
 *          │ struct tls_server        immutable, shared by all workers
 *          v
 *      tls_context_new_server()  x N  one SSL_CTX a worker; certificates and
 *          │ struct tls_context       keys are shared by reference
 *          v
 *      tls_session_init_server()      worker: one connection
 *
 * and the same with "client" for connections towards servers.
 *
 * Certificates of a listener. Files hold the certificate and its chain in
 * PEM. The name asked for (SNI) is looked up exactly, then with its first
 * label replaced by "*"; names are the DNS names of the certificate, or its
 * common name when it has none. Several certificates for one name are a set
 * of kinds (RSA, ECDSA, Ed25519), of which the client's abilities choose;
 * of two of one kind the first counts. No name, or none that is known: the
 * set of the first certificate, unless strict_names.
 *
 * ALPN. The listener's order wins. With nothing in common the handshake goes
 * on without a protocol, as HAProxy does (RFC 7301 3.2 would end it).
 *
 * Session ids and tickets are bound to what the listener demands of clients
 * (verify mode, CA, CRL): a session made under other demands is not resumed,
 * also after a reload.
 *
 * Thread:  load, free, tls_context_new_*(): clerk or boot (they read files
 *          and allocate). A context is then used by its worker only, and
 *          freed when that has let go of it.
 * Memory:  tls_server and tls_client outlive their contexts, contexts their
 *          sessions. Strings in options are copied where they are kept.
 * Errors:  a load reports every problem through on_problem and returns
 *          BR_E_CONFIG if one was an error. Texts name the file and the
 *          reason, and have no line end: "FILE: no such file or directory".
 * Limits:  TLS_ALPN_MAX bytes of ALPN names; TLS_CERTIFICATES_MAX.
 * Source:  RFC 8446, RFC 5246, RFC 6066 (names, stapling), RFC 6125 6.4.3
 *          (wildcards), RFC 7301.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/tls.h"

struct tls_cache;
struct tls_ticket_keys;

#define TLS_ALPN_MAX 255u
#define TLS_CERTIFICATES_MAX 65536u

/* -- problems of a load ------------------------------------------------ */

/* Which option a problem is about, so that it can be shown at its line. */
enum tls_subject {
	/* Of one certificate come first. */
	TLS_SUBJECT_CERT, /* index: the certificate */
	TLS_SUBJECT_KEY, /* index: likewise */
	TLS_SUBJECT_OCSP, /* index: likewise */
	TLS_SUBJECT_CA, /* client_ca, or ca towards servers */
	TLS_SUBJECT_CRL,
	TLS_SUBJECT_ALPN,
	TLS_SUBJECT_VERSION,
	TLS_SUBJECT_CIPHERS,
	TLS_SUBJECT_CIPHERSUITES,
	TLS_SUBJECT_OTHER,
};

struct tls_problem {
	bool warning; /* the load goes on, and may succeed */
	enum tls_subject subject;
	uint32_t index;
	const char *text; /* valid during the call */
};

typedef void tls_on_problem(void *owner, const struct tls_problem *problem);

/* -- listeners --------------------------------------------------------- */

enum tls_verify {
	TLS_VERIFY_NONE,
	TLS_VERIFY_OPTIONAL, /* listeners: asked for, checked if there is one */
	TLS_VERIFY_FULL, /* listeners: required; servers: chain and name */
};

struct tls_certificate_files {
	const char *cert; /* PEM: certificate, then its chain */
	const char *key; /* PEM; NULL: in `cert` too */
	const char *ocsp; /* DER response to staple, or NULL */
};

struct tls_server_options {
	const struct tls_certificate_files *certificates;
	uint32_t n_certificates; /* at least 1; the first is the default */
	bool strict_names; /* refuse names that no certificate has */
	enum tls_verify verify;
	const char *client_ca; /* PEM, needed unless verify is none */
	const char *crl; /* PEM, or NULL; checked for the whole chain */
	const char *const *alpn; /* in order of preference */
	uint32_t n_alpn;
	enum tls_version min, max;
	const char *ciphers; /* TLS 1.2, OpenSSL's syntax; NULL: its default */
	const char *ciphersuites; /* TLS 1.3; NULL: its default */
	bool no_tickets;
	uint32_t session_timeout_s; /* 0: 7200 */
};

struct tls_server;
struct tls_context;

int tls_server_load(const struct tls_server_options *options,
    tls_on_problem *on_problem, void *owner,
    struct tls_server **ret) BR_MUST_CHECK;
void tls_server_free(struct tls_server *server);
/* When the first of its certificates ends, seconds since 1970: for a metric
 * and a warning. */
int64_t tls_server_first_expiry_s(const struct tls_server *server);

/* cache: NULL, sessions without ticket are not resumed. keys: NULL, or no
 * tickets in the options: none are made. Both outlive the context. */
int tls_context_new_server(const struct tls_server *server,
    struct tls_cache *cache, const struct tls_ticket_keys *keys,
    struct tls_context **ret) BR_MUST_CHECK;
/* The keys that hold from now on (the worker adopts a new snapshot). */
void tls_context_set_ticket_keys(
    struct tls_context *context, const struct tls_ticket_keys *keys);

/* -- towards servers --------------------------------------------------- */

struct tls_client_options {
	enum tls_verify verify; /* none or full */
	const char *ca; /* PEM; NULL: the system's store */
	const char *crl; /* PEM or NULL */
	const char *cert, *key; /* our certificate, or NULL */
	const char *const *alpn; /* offered; none: no ALPN */
	uint32_t n_alpn;
	enum tls_version min, max;
	const char *ciphers, *ciphersuites;
};

struct tls_client;

int tls_client_load(const struct tls_client_options *options,
    tls_on_problem *on_problem, void *owner,
    struct tls_client **ret) BR_MUST_CHECK;
void tls_client_free(struct tls_client *client);
int tls_context_new_client(
    const struct tls_client *client, struct tls_context **ret) BR_MUST_CHECK;

/* Of either kind; no session may be left. */
void tls_context_free(struct tls_context *context);
