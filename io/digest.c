/* SPDX-License-Identifier: Apache-2.0 */
#include "io/digest.h"

#include "base/cursor.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* Of 32 bytes, with the one "=" at its end. */
#define BASE64_BYTES 44

/* What OpenSSL has is opaque; this is it, under a name of ours. */
static EVP_MD_CTX *context_of(struct digest *digest)
{
	return (EVP_MD_CTX *)(void *)digest;
}

struct digest *digest_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return (struct digest *)(void *)context;
}

void digest_free(struct digest *digest)
{
	EVP_MD_CTX_free(context_of(digest));
}

void digest_add(struct digest *digest, const void *bytes, size_t n)
{
	/* It fails only where digest_new() has. */
	(void)EVP_DigestUpdate(context_of(digest), bytes, n);
}

bool digest_matches(struct digest *digest, const uint8_t expected[DIGEST_BYTES])
{
	uint8_t found[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return EVP_DigestFinal_ex(context_of(digest), found, &n) == 1 &&
	       n == DIGEST_BYTES && !memcmp(found, expected, DIGEST_BYTES);
}

static bool base64_value(uint8_t c, uint32_t *ret)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(letters, c) : NULL;

	if (at)
		*ret = (uint32_t)(at - letters);
	return at;
}

static bool base64_read(struct cursor *c, uint8_t ret[DIGEST_BYTES])
{
	uint32_t bits = 0, held = 0, value;
	uint8_t byte, *out = ret;

	for (unsigned i = 0; i < BASE64_BYTES - 1; i++) {
		if (!cursor_u8(c, &byte) || !base64_value(byte, &value))
			return false;
		bits = bits << 6 | value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		*out++ = (uint8_t)(bits >> held);
	}
	/* RFC 4648 3.5: what is left over is zero. */
	return !(bits & ((1u << held) - 1)) && cursor_match(c, "=:");
}

/* A dictionary of RFC 8941 section 3.2: members between commas, "key=value".
 * Nothing in a digest's value could be taken for the key. */
bool digest_read_field(
    const void *value, size_t length, uint8_t ret[DIGEST_BYTES])
{
	struct cursor c = cursor_of(value, length);
	uint8_t found[DIGEST_BYTES];
	bool begins = true;
	uint8_t byte = 0;

	while (cursor_left(&c)) {
		if (begins && cursor_match(&c, "sha-256=:")) {
			if (!base64_read(&c, found) ||
			    (cursor_left(&c) && *c.at != ',' && *c.at != ' ' &&
				*c.at != ';'))
				return false;
			memcpy(ret, found, DIGEST_BYTES);
			return true;
		}
		(void)cursor_u8(&c, &byte);
		begins = byte == ',' || (begins && byte == ' ');
	}
	return false;
}
