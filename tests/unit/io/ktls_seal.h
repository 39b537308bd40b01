/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a kernel does with the keys that setsockopt(TLS_TX) gave to it: a model
 * written from the RFCs and from linux/tls.h, over EVP. It shares no code with
 * io/ktls.c.
 *
 * Thread:  one.
 * Source:  RFC 5288 3, RFC 7905 2, RFC 8446 5.2 and 5.3.
 */
#include <linux/tls.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

#define KTLS_SEAL_PLAIN_MAX 16384u
#define KTLS_SEAL_OVERHEAD_MAX 29u /* TLS 1.2 with AES-GCM */

struct ktls_seal {
	uint16_t version, cipher;
	uint8_t key[32], salt[4], iv[12], seq[8];
};

/* As do_tls_setsockopt_conf(): the exact length for the cipher, or false. */
static inline bool ktls_seal_begin(
    struct ktls_seal *seal, const void *info, size_t length)
{
	struct tls_crypto_info head;

	if (length < sizeof head)
		return false;
	memset(seal, 0, sizeof *seal);
	memcpy(&head, info, sizeof head);
	seal->version = head.version;
	seal->cipher = head.cipher_type;
	if (head.version != 0x0303 && head.version != 0x0304)
		return false;
#define TAKE(type, ivs, salts)                                                 \
	do {                                                                   \
		struct type all;                                               \
		if (length != sizeof all)                                      \
			return false;                                          \
		memcpy(&all, info, sizeof all);                                \
		memcpy(seal->key, all.key, sizeof all.key);                    \
		memcpy(seal->iv, all.iv, ivs);                                 \
		memcpy(seal->salt, all.salt, salts);                           \
		memcpy(seal->seq, all.rec_seq, sizeof all.rec_seq);            \
		return true;                                                   \
	} while (0)
	switch (head.cipher_type) {
	case TLS_CIPHER_AES_GCM_128:
		TAKE(tls12_crypto_info_aes_gcm_128, 8, 4);
	case TLS_CIPHER_AES_GCM_256:
		TAKE(tls12_crypto_info_aes_gcm_256, 8, 4);
	case TLS_CIPHER_CHACHA20_POLY1305:
		TAKE(tls12_crypto_info_chacha20_poly1305, 12, 0);
	default:
		return false;
	}
#undef TAKE
}

static inline void ktls_seal_count(uint8_t number[8])
{
	for (int i = 7; i >= 0 && ++number[i] == 0; i--)
		;
}

/* The nonce of the next record, 12 bytes. */
static inline void ktls_seal_nonce(const struct ktls_seal *seal, uint8_t *ret)
{
	bool chacha = seal->cipher == TLS_CIPHER_CHACHA20_POLY1305;

	if (chacha) {
		memcpy(ret, seal->iv, 12);
	} else {
		memcpy(ret, seal->salt, 4);
		memcpy(ret + 4, seal->iv, 8);
	}
	if (chacha || seal->version == 0x0304)
		for (int i = 0; i < 8; i++)
			ret[4 + i] ^= seal->seq[i];
}

/* One record; its length. */
static inline size_t ktls_seal_record(struct ktls_seal *seal, uint8_t type,
    const void *plain, size_t length, uint8_t *ret)
{
	bool tls13 = seal->version == 0x0304;
	bool chacha = seal->cipher == TLS_CIPHER_CHACHA20_POLY1305;
	size_t explicit = tls13 || chacha ? 0 : 8, inner = length + tls13;
	size_t body = explicit + inner + 16, n_aad;
	uint8_t nonce[12], aad[13], *at = ret + 5;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = chacha ? EVP_chacha20_poly1305()
				   : seal->cipher == TLS_CIPHER_AES_GCM_128
				       ? EVP_aes_128_gcm()
				       : EVP_aes_256_gcm();
	int n;

	br_assert(ctx && length <= KTLS_SEAL_PLAIN_MAX);
	ret[0] = tls13 ? 23 : type;
	ret[1] = ret[2] = 3;
	ret[3] = (uint8_t)(body >> 8);
	ret[4] = (uint8_t)body;
	ktls_seal_nonce(seal, nonce);
	memcpy(at, nonce + 4, explicit);
	at += explicit;
	if (tls13) {
		memcpy(aad, ret, n_aad = 5);
	} else {
		memcpy(aad, seal->seq, 8);
		aad[8] = type;
		aad[9] = aad[10] = 3;
		aad[11] = (uint8_t)(length >> 8);
		aad[12] = (uint8_t)length;
		n_aad = 13;
	}
	br_assert(EVP_EncryptInit_ex(ctx, cipher, NULL, seal->key, nonce));
	br_assert(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)n_aad));
	br_assert(EVP_EncryptUpdate(ctx, at, &n, plain, (int)length));
	if (tls13)
		br_assert(EVP_EncryptUpdate(ctx, at + length, &n, &type, 1));
	br_assert(EVP_EncryptFinal_ex(ctx, at + inner, &n));
	br_assert(
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, at + inner));
	EVP_CIPHER_CTX_free(ctx);
	ktls_seal_count(seal->seq);
	if (explicit)
		ktls_seal_count(seal->iv);
	return 5 + body;
}
