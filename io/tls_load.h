/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Files to OpenSSL's objects, each problem said in words that an operator can
 * act on: which file, and what is wrong with it. Inside of tls_server and
 * tls_client only.
 *
 * Thread:  clerk or boot (it reads files and allocates).
 * Memory:  objects are the caller's; tls_certificate_fini() gives back those
 *          of a certificate.
 * Errors:  BR_E_CONFIG after having told the loader's owner.
 * Limits:  files of TLS_FILE_BYTES_MAX.
 */
#include <openssl/x509.h>

#include "base/arena.h"
#include "io/tls_context.h"

#define TLS_FILE_BYTES_MAX (16u << 20)

struct tls_loader {
	tls_on_problem *on_problem;
	void *owner;
	bool failed; /* an error was reported */
};

/* One certificate with what belongs to it. */
struct tls_certificate {
	X509 *leaf;
	STACK_OF(X509) * chain; /* may be empty, never NULL */
	EVP_PKEY *key;
	unsigned char *ocsp; /* DER, or NULL */
	int ocsp_length;
	int64_t ocsp_until_s; /* when it is no longer sent */
	int64_t not_after_s;
	int kind; /* EVP_PKEY_RSA ...: one of each in a set */
};

void tls_loader_problem(struct tls_loader *loader, bool warning,
    enum tls_subject subject, uint32_t index, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* What OpenSSL said first, in a few words; empties its error queue. */
const char *tls_loader_reason(void);

int tls_load_certificate(struct tls_loader *loader, uint32_t index,
    const struct tls_certificate_files *files, struct tls_certificate *ret);
void tls_certificate_fini(struct tls_certificate *certificate);
/* All certificates of a file; at least one. */
int tls_load_authorities(
    struct tls_loader *loader, const char *file, STACK_OF(X509) * *ret);
int tls_load_crls(
    struct tls_loader *loader, const char *file, STACK_OF(X509_CRL) * *ret);
/* The file that holds the system's authorities, or NULL. */
const char *tls_load_system_file(void);
/* A store of its own (a worker's), over shared certificates; NULL: memory. */
X509_STORE *tls_load_store(
    STACK_OF(X509) * authorities, STACK_OF(X509_CRL) * crls);
/* Names as they go over the wire (RFC 7301 3.1): the length, or -1 after a
 * problem. */
int tls_load_alpn(struct tls_loader *loader, const char *const *names,
    uint32_t n, uint8_t ret[TLS_ALPN_MAX]);
/* Protocol numbers, or a problem. */
int tls_load_versions(struct tls_loader *loader, enum tls_version min,
    enum tls_version max, int *ret_min, int *ret_max);
/* NULL stays NULL. */
const char *tls_load_string(struct arena *arena, const char *text);
