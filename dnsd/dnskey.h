/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The key that signs a zone: one for everything (a combined signing key), on
 * the curve P-256 with SHA-256 (algorithm 13, RFC 6605), in a PEM file.
 *
 *     key file ──> dnskey ──> DNSKEY, CDNSKEY rdata   in the zone
 *                     ├─────> DS, CDS rdata           to the parent
 *                     └─────> signer, one a thread ──> signatures
 *
 * Thread:  a key may be read by any; a signer belongs to one.
 * Memory:  signers end before their key. Out of memory ends the process.
 * Errors:  0, -errno of the file, or BR_E_CONFIG when it is not such a key;
 *          *ret_wrong, static, says it for the end of a sentence.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DNSKEY_FILE_BYTES_MAX (64u << 10)
#define DNSKEY_ALGORITHM 13u
#define DNSKEY_SIGNATURE_BYTES 64u /* RFC 6605 section 4 */
#define DNSKEY_RDATA_BYTES (4u + 64u)
#define DNSKEY_DS_BYTES (4u + 32u)

struct dnskey;
struct dnskey_signer;

int dnskey_load(const char *path, struct dnskey **ret,
    const char **ret_wrong) BR_MUST_CHECK;
/* A new one, of the kernel's randomness by way of OpenSSL. */
int dnskey_generate(struct dnskey **ret) BR_MUST_CHECK;
/* Into a new file that only its owner may read: -EEXIST when there is one. */
int dnskey_save(const struct dnskey *key, const char *path) BR_MUST_CHECK;
/* NULL is ignored. */
void dnskey_free(struct dnskey *key);

/* Of DNSKEY and CDNSKEY alike: flags 257 (zone key, entry point), protocol 3,
 * algorithm, point (RFC 4034 section 2.1). */
const uint8_t *dnskey_rdata(const struct dnskey *key);
/* RFC 4034 appendix B. */
uint16_t dnskey_tag(const struct dnskey *key);
/* Of DS and CDS: digest type 2, SHA-256 (RFC 4509). */
void dnskey_ds(const struct dnskey *key, const uint8_t *owner,
    uint8_t ret[DNSKEY_DS_BYTES]);

struct dnskey_signer *dnskey_signer_new(const struct dnskey *key);
void dnskey_signer_free(struct dnskey_signer *signer);
void dnskey_sign(struct dnskey_signer *signer, const uint8_t *bytes,
    size_t length, uint8_t ret[DNSKEY_SIGNATURE_BYTES]);
