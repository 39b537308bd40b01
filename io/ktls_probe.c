/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this kernel encrypts for a socket, tried once and in full. */
#include "io/ktls.h"

#include "io/sock.h"

#include <errno.h>
#include <linux/tls.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <poll.h>
#include <string.h>

#define PROBE_TEXT "kernel TLS"
#define PROBE_WAIT_MS 1000
/* RFC 8446 5.2: header; content type and tag behind the text. */
#define RECORD_HEAD 5u
#define RECORD_TAG 16u
#define RECORD_BYTES (RECORD_HEAD + sizeof PROBE_TEXT + 1u + RECORD_TAG)
#define NONCE_BYTES 12u

/* Any keys do, with a sequence number that is not the first. */
static const struct tls12_crypto_info_aes_gcm_128 probe_keys = {
    .info = {TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128},
    .iv = {1, 2, 3, 4, 5, 6, 7, 8},
    .key = {9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24},
    .salt = {25, 26, 27, 28},
    .rec_seq = {0, 0, 0, 0, 0, 0, 1, 255},
};

const char *ktls_explain(int probed)
{
	switch (probed) {
	case 0:
		return "the kernel encrypts";
	case -ENOENT:
		return "the kernel has no TLS, or its module tls is not loaded";
	case -EBADMSG:
		return "the kernel makes records that cannot be read";
	default:
		return br_strerror(probed);
	}
}

/* RFC 8446 5.3. */
static void probe_nonce(
    const struct tls12_crypto_info_aes_gcm_128 *keys, uint8_t *ret)
{
	memcpy(ret, keys->salt, sizeof keys->salt);
	memcpy(ret + sizeof keys->salt, keys->iv, sizeof keys->iv);
	for (size_t i = 0; i < sizeof keys->rec_seq; i++)
		ret[sizeof keys->salt + i] ^= keys->rec_seq[i];
}

static bool probe_decrypt(EVP_CIPHER_CTX *ctx,
    const struct tls12_crypto_info_aes_gcm_128 *keys, const uint8_t *record,
    int inner, uint8_t *ret)
{
	uint8_t nonce[NONCE_BYTES], tag[RECORD_TAG];
	int n;

	probe_nonce(keys, nonce);
	memcpy(tag, record + RECORD_HEAD + inner, sizeof tag);
	return EVP_DecryptInit_ex(
		   ctx, EVP_aes_128_gcm(), NULL, keys->key, nonce) &&
	       EVP_DecryptUpdate(ctx, NULL, &n, record, RECORD_HEAD) &&
	       EVP_DecryptUpdate(ctx, ret, &n, record + RECORD_HEAD, inner) &&
	       EVP_CIPHER_CTX_ctrl(
		   ctx, EVP_CTRL_GCM_SET_TAG, RECORD_TAG, tag) &&
	       EVP_DecryptFinal_ex(ctx, ret + n, &n) > 0;
}

bool ktls_probe_opens(const struct ktls_info *info, const uint8_t *record,
    size_t length, const void *plain, size_t plain_length)
{
	struct tls12_crypto_info_aes_gcm_128 keys;
	uint8_t inner[RECORD_BYTES];
	EVP_CIPHER_CTX *ctx;
	bool good;

	if (info->length != sizeof keys || length > RECORD_BYTES ||
	    length != RECORD_HEAD + plain_length + 1 + RECORD_TAG)
		return false;
	memcpy(&keys, info->bytes, sizeof keys);
	ctx = EVP_CIPHER_CTX_new();
	good =
	    ctx &&
	    probe_decrypt(ctx, &keys, record, (int)plain_length + 1, inner) &&
	    inner[plain_length] == 23 && !memcmp(inner, plain, plain_length);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* -- on a connection --------------------------------------------------- */

static int probe_send(int from, int to, const struct ktls_info *info)
{
	struct iovec part = {(void *)(uintptr_t)PROBE_TEXT, sizeof PROBE_TEXT};
	struct pollfd waits = {.fd = to, .events = POLLIN};
	uint8_t record[RECORD_BYTES];
	int64_t n;
	int rc = sock_ktls_start(from);

	if (!rc)
		rc = sock_ktls_keys(from, info);
	if (rc)
		return rc;
	n = sock_send_vector(from, &part, 1, false);
	if (n != (int64_t)sizeof PROBE_TEXT)
		return n < 0 ? (int)n : -EBADMSG;
	(void)poll(&waits, 1, PROBE_WAIT_MS);
	n = sock_receive(to, record, sizeof record);
	if (n < 0)
		return n == -EAGAIN ? -EBADMSG : (int)n;
	return ktls_probe_opens(
		   info, record, (size_t)n, PROBE_TEXT, sizeof PROBE_TEXT)
		   ? 0
		   : -EBADMSG;
}

static int probe_connect(int listener, int *ret_from, int *ret_to)
{
	struct pollfd waits = {.fd = listener, .events = POLLIN};
	const struct addr any = {0};
	struct addr at;
	int rc = sock_local(listener, &at), fd;

	if (rc)
		return rc;
	fd = sock_stream(&at, &any);
	if (fd < 0)
		return fd;
	if (connect(fd, &at.sa, at.length) && errno != EINPROGRESS) {
		rc = -errno;
		sock_close(fd);
		return rc;
	}
	(void)poll(&waits, 1, PROBE_WAIT_MS);
	*ret_to = sock_accept(listener);
	if (*ret_to < 0) {
		sock_close(fd);
		return *ret_to;
	}
	*ret_from = fd;
	return 0;
}

int ktls_probe(void)
{
	const struct sock_listen_options options = {.backlog = 1};
	struct ktls_info info = {.length = sizeof probe_keys};
	struct addr at = {.length = sizeof at.in};
	int listener, from = -1, to = -1, rc;

	memcpy(info.bytes, &probe_keys, sizeof probe_keys);
	at.in = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = sock_listen(&at, &options);
	if (listener < 0)
		return listener;
	rc = probe_connect(listener, &from, &to);
	if (!rc) {
		/* The end that was accepted is established for certain. */
		rc = probe_send(to, from, &info);
		sock_close(from);
		sock_close(to);
	}
	sock_close(listener);
	return rc;
}
