/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SHA-256 over bytes that come in parts, and what a Repr-Digest field says of
 * them (RFC 9530): `sha-256=:base64:`, among others.
 *
 * Thread:  one at a time; a digest belongs to the thread that made it.
 * Memory:  OpenSSL's, of the worker's pool (tls_memory.h).
 * Errors:  NULL, false: no memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES 32u

struct digest;

struct digest *digest_new(void);
/* NULL is harmless. */
void digest_free(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t n);
/* Whether all that was added has this digest. It can be asked once. */
bool digest_matches(
    struct digest *digest, const uint8_t expected[DIGEST_BYTES]);
/* The value of the field; false: it has no sha-256 that is well-formed. */
bool digest_read_field(
    const void *value, size_t length, uint8_t ret[DIGEST_BYTES]) BR_MUST_CHECK;
