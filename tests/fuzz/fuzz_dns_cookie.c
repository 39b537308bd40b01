/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server cookies that nobody made, and files of secrets. The first byte is the
 * length of a cookie, the rest behind it a file. No bytes are a valid cookie
 * but those that cookie_make() gives, and these always are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dnsd/cookie.h"

static const struct wall now = {1700000000 * NS_PER_S};

static bool is_valid(const struct cookie_secrets *secrets,
    const struct addr *source, const uint8_t *bytes, size_t length)
{
	bool fresh;

	return cookie_check(secrets, bytes, length, source, now, &fresh);
}

static void check_cookie(
    const struct cookie_secrets *secrets, const uint8_t *bytes, size_t length)
{
	struct addr source;
	uint8_t made[COOKIE_BYTES];

	br_assert(addr_parse_ip(&source, "2001:db8::1") == 0);
	/* One in 2^64 by chance. */
	br_assert(!is_valid(secrets, &source, bytes, length));
	if (length < COOKIE_CLIENT_BYTES)
		return;
	cookie_make(secrets, bytes, &source, now, made);
	br_assert(memcmp(made, bytes, COOKIE_CLIENT_BYTES) == 0);
	br_assert(is_valid(secrets, &source, made, sizeof made));
	/* A byte of the input changes one of it. */
	made[bytes[0] % sizeof made] ^= (uint8_t)(bytes[1] | 1);
	br_assert(!is_valid(secrets, &source, made, sizeof made));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cookie_secrets *random;
	struct cookie_secrets secrets;
	size_t length = size ? data[0] : 0;
	uint8_t *bytes;

	if (!random)
		random = cookie_secrets_random();
	if (!size || length >= size)
		return 0;
	/* Blocks of their own, so that reading beyond them is seen. */
	bytes = malloc(size);
	br_assert(bytes);
	memcpy(bytes, data + 1, length);
	bytes = realloc(bytes, length ? length : 1);
	check_cookie(random, bytes, length);
	free(bytes);
	if (!cookie_secrets_parse(
		(const char *)data + 1 + length, size - 1 - length, &secrets)) {
		br_assert(secrets.n >= 1 && secrets.n <= COOKIE_SECRETS_MAX);
		check_cookie(&secrets, data + 1, length);
	}
	return 0;
}
