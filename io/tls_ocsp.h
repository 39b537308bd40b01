/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether a file is an OCSP response that may be stapled to a certificate.
 * Its signature is left to clients, who have to check it anyway.
 *
 * Thread:  clerk or boot.
 * Errors:  BR_E_CONFIG after an error was reported; what is out of date or
 *          says "revoked" is a warning.
 * Source:  RFC 6960 section 4.2, RFC 6066 section 8.
 */
#include "io/tls_load.h"

/* ret_until_s: when it is out of date, INT64_MAX: never. */
int tls_ocsp_check(struct tls_loader *loader, uint32_t index, const char *file,
    const unsigned char *bytes, long length, X509 *leaf, STACK_OF(X509) * chain,
    int64_t *ret_until_s);
