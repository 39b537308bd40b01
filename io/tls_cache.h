/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sessions of clients that know no tickets (TLS 1.2, or tickets switched
 * off), shared by all workers: a table of fixed size, four slots a bucket,
 * each under a sequence number of its own.
 *
 *      session id ──hash──> bucket │slot│slot│slot│slot│
 *                                    odd sequence: being written
 *
 * A writer takes a slot by making its sequence odd; who finds it odd goes on
 * without, since losing a session costs one full handshake. Readers copy and
 * look at the sequence again. So nobody ever waits.
 *
 * Thread:  any, at once.
 * Memory:  one mapping, made at boot; not in core dumps. Contents are secrets.
 * Errors:  -ENOMEM. A session that is too long, or finds its bucket busy, is
 *          not stored.
 * Limits:  TLS_CACHE_SESSION_MAX bytes a session (about 150-300 are usual;
 *          with a client certificate in it, it usually does not fit, and such
 *          a client has a full handshake each time).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TLS_CACHE_ID_MAX 32u
#define TLS_CACHE_SESSION_MAX 448u

struct tls_cache;

/* Room for at least `sessions` of them (512 bytes each). */
int tls_cache_new(uint32_t sessions, struct tls_cache **ret) BR_MUST_CHECK;
void tls_cache_free(struct tls_cache *cache);
/* Stores the serialized session until expires_s (seconds, the caller's
 * clock); in a full bucket it replaces what ends first. */
bool tls_cache_put(struct tls_cache *cache, const void *id, size_t id_length,
    const void *session, size_t length, int64_t now_s, int64_t expires_s);
/* Copies a session out: its length, or 0. */
size_t tls_cache_get(struct tls_cache *cache, const void *id, size_t id_length,
    void *ret, size_t room, int64_t now_s);
void tls_cache_remove(
    struct tls_cache *cache, const void *id, size_t id_length);
