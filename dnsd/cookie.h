/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Server cookies that any server with the same secret understands, of
 * whatever make (RFC 9018): a client that shows one has been reached at its
 * address before, so it is not the victim of a forged source.
 *
 *      client cookie 8 │ version 1  reserved 3  time 4  hash 8
 *                      └─ server cookie, 16 bytes ───────────┘
 *      hash = SipHash-2-4(client cookie, version .. time, client's address)
 *
 * Thread:  any (pure).
 * Memory:  the caller's.
 * Units:   in a cookie, seconds since 1970 modulo 2^32.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dnsd/cookie_secrets.h"

#define COOKIE_CLIENT_BYTES 8u
#define COOKIE_SERVER_BYTES 16u
#define COOKIE_BYTES (COOKIE_CLIENT_BYTES + COOKIE_SERVER_BYTES)

/* The whole option for this client: its own cookie, then ours. */
void cookie_make(const struct cookie_secrets *secrets,
    const uint8_t client_cookie[COOKIE_CLIENT_BYTES], const struct addr *source,
    struct wall now, uint8_t ret[COOKIE_BYTES]);
/* Whether the option's content, `length` bytes, ends in a server cookie that
 * was made for this client with one of the secrets, is at most an hour old
 * and at most five minutes from the future (RFC 9018 section 4.3).
 * *ret_fresh: it was made within half an hour with the first secret, so the
 * client may go on with it. */
bool cookie_check(const struct cookie_secrets *secrets, const uint8_t *option,
    size_t length, const struct addr *source, struct wall now, bool *ret_fresh);
