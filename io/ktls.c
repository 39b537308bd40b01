/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ktls.h"

#include <errno.h>
#include <linux/tls.h>
#include <openssl/crypto.h>
#include <string.h>

#include <assert.h>

static_assert(
    sizeof(struct tls12_crypto_info_aes_gcm_256) == KTLS_INFO_BYTES &&
	sizeof(struct tls12_crypto_info_chacha20_poly1305) == KTLS_INFO_BYTES,
    "the longest");

static bool ktls_on;

void ktls_switch(bool on)
{
	ktls_on = on;
}

bool ktls_is_on(void)
{
	return ktls_on;
}

/* -- building ---------------------------------------------------------- */

static uint32_t info_length(uint16_t cipher)
{
	switch (cipher) {
	case TLS_CIPHER_AES_GCM_128:
		return sizeof(struct tls12_crypto_info_aes_gcm_128);
	case TLS_CIPHER_AES_GCM_256:
		return sizeof(struct tls12_crypto_info_aes_gcm_256);
	case TLS_CIPHER_CHACHA20_POLY1305:
		return sizeof(struct tls12_crypto_info_chacha20_poly1305);
	default:
		return 0;
	}
}

void ktls_keys_set(struct ktls_keys *keys, const void *offered)
{
	struct tls_crypto_info head;
	uint32_t length;

	ktls_info_wipe(&keys->first);
	keys->records = 0;
	keys->replaced = false;
	memcpy(&head, offered, sizeof head);
	length = info_length(head.cipher_type);
	if (!length || (head.version != TLS_1_2_VERSION &&
			   head.version != TLS_1_3_VERSION))
		return;
	memcpy(keys->first.bytes, offered, length);
	keys->first.length = length;
}

/* Big-endian, modulo 2^64, as both count. */
static void number_add(uint8_t number[8], uint64_t n)
{
	for (int i = 7; i >= 0; i--) {
		n += number[i];
		number[i] = (uint8_t)n;
		n >>= 8;
	}
}

/* RFC 5288 3: the explicit nonce of TLS 1.2 with AES-GCM is the sender's to
 * choose; OpenSSL counts on from a random one, and the kernel from `iv`. All
 * others make the nonce of the sequence number. */
static uint8_t *info_explicit_nonce(struct ktls_info *info)
{
	struct tls_crypto_info head;

	memcpy(&head, info->bytes, sizeof head);
	if (head.version != TLS_1_2_VERSION ||
	    head.cipher_type == TLS_CIPHER_CHACHA20_POLY1305)
		return NULL;
	/* The first field behind the head, 8 bytes, with both key sizes. */
	return info->bytes + offsetof(struct tls12_crypto_info_aes_gcm_128, iv);
}

int ktls_info_make(const struct ktls_keys *keys, struct ktls_info *ret)
{
	uint8_t *nonce;

	if (!keys->first.length || keys->replaced)
		return -ENOTSUP;
	*ret = keys->first;
	/* The sequence number is the last field of all. */
	number_add(ret->bytes + ret->length - 8, keys->records);
	nonce = info_explicit_nonce(ret);
	if (nonce)
		number_add(nonce, keys->records);
	return 0;
}

void ktls_info_wipe(struct ktls_info *info)
{
	OPENSSL_cleanse(info, sizeof *info);
}
