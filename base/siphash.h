/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * 2012): a keyed 64-bit hash whose values nobody without the key can predict
 * or make collide. Unlike base/hash.h it is a standard: other programs and
 * other machines compute the same from the same bytes.
 *
 * Thread:  any (pure).
 * Units:   the number's bytes in little-endian order are the reference
 *          code's eight bytes of output, as RFC 9018 section 4.4 sends them.
 */
#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16u

struct siphash_key {
	uint64_t k0, k1;
};

/* From 16 bytes of a secret, in the order of the reference code. */
struct siphash_key siphash_key_of(const uint8_t bytes[SIPHASH_KEY_BYTES]);
/* A key from a text of any length: two hashes of it under fixed keys. As
 * secret as the text is. */
struct siphash_key siphash_key_of_text(const char *text);
uint64_t siphash_2_4(
    const struct siphash_key *key, const void *bytes, size_t length);
/* The same as siphash_2_4() over both words in little-endian order. */
uint64_t siphash_2_4_words(
    const struct siphash_key *key, uint64_t first, uint64_t second);
