/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keys of session tickets: three of them, rotated by time. A ticket is made
 * with `current`; those of `previous` are still taken (and renewed), and so
 * are those of `next`, which another process or node may already use.
 *
 *      rotate:   previous <- current <- next <- (random)
 *
 * A set is immutable: workers hold a pointer, a rotation makes another set
 * and publishes it. It is plain data and may be handed to the next generation
 * as bytes (memfd): no pointers inside, checked by tls_ticket_keys_valid().
 *
 * Forward secrecy is bounded by rotation: who steals a key can read TLS 1.2
 * sessions resumed under it. Rotating every hour makes tickets live for one
 * to two hours; a worker's context lets none live longer than its timeout.
 *
 * Thread:  any; a set is not written after it was published.
 * Errors:  -EIO: no randomness.
 * Source:  RFC 5077 section 4 (format and key handling), RFC 8446 4.6.1.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TLS_TICKET_MAGIC 0xb1a17e43u
#define TLS_TICKET_VERSION 1u

struct tls_ticket_key {
	uint8_t name[16];
	uint8_t cipher_key[32]; /* AES-256-CBC */
	uint8_t mac_key[32]; /* HMAC-SHA-256 */
};

struct tls_ticket_keys {
	uint32_t magic, version;
	uint64_t generation; /* +1 a rotation */
	int64_t rotated_wall_ns; /* when */
	struct tls_ticket_key current, previous, next;
};

int tls_ticket_keys_make(
    struct tls_ticket_keys *ret, int64_t now_wall_ns) BR_MUST_CHECK;
int tls_ticket_keys_rotate(const struct tls_ticket_keys *from,
    struct tls_ticket_keys *ret, int64_t now_wall_ns) BR_MUST_CHECK;
/* Whether bytes from elsewhere are a set. */
bool tls_ticket_keys_valid(const void *bytes, size_t length);
/* Wipes a set that is no longer used. */
void tls_ticket_keys_wipe(struct tls_ticket_keys *keys);
