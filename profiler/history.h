/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What earlier flows of the same kind were like: decayed size, rate, duration
 * and share of large ones in a bounded table, so that the second download of a file, or the
 * hundredth poll of a client, is known before its first byte has come back.
 *
 *     kind   (pool, name, path class, client's network)   asked first
 *            (pool, name, path class)                     when that is rare
 *
 * The table is one of a worker: no word of it is shared, so an update costs a
 * cache line and no more. Workers get clients at random and learn alike.
 *
 * An entry is found by its place (four ways of a set) and a tag; two kinds with
 * the same of both are taken for one, once in 2^31 at random. The hash is
 * keyed, so that no client can choose where it lands. What was not seen for
 * longest makes room.
 *
 * Thread:  the worker.
 * Memory:  history_init() maps it, 24 bytes an entry, touched on use.
 * Units:   bytes, milliseconds; the half-life is in flows, HISTORY_SHARE.
 * Errors:  -ENOMEM.
 */
#include "base/error.h"
#include "profiler/features.h"

/* A new flow counts as one in this many at least. */
#define HISTORY_SHARE 8u
/* A kind with fewer flows than this is asked without the client. */
#define HISTORY_RARE 2u

struct history_entry;

struct history {
	struct history_entry *entries;
	uint32_t n_sets; /* power of two */
	uint64_t seed;
};

/* What is remembered of a flow. */
struct history_flow {
	uint64_t bytes; /* both ways */
	uint32_t duration_ms;
	bool large; /* profile_was_large() */
};

/* Two places: with and without the client's network. */
struct history_key {
	uint64_t exact, wide;
};

/* `entries` is rounded up to a power of two, at least 4. */
int history_init(
    struct history *history, uint32_t entries, uint64_t seed) BR_MUST_CHECK;
void history_fini(struct history *history);
/* `ip` in network order: the first three bytes of IPv4, six of IPv6 count;
 * family 0: the client is not known. */
struct history_key history_key(const struct history *history, uint64_t pool,
    const char *name, uint32_t name_length, uint8_t path_class, int family,
    const uint8_t ip[16]);
void history_find(const struct history *history, struct history_key key,
    struct features_history *ret);
/* A flow of that kind has ended. `now_s`: seconds of any steady clock. */
void history_add(struct history *history, struct history_key key,
    const struct history_flow *flow, uint32_t now_s);
