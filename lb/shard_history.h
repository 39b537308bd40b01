/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How large the answers to earlier requests were, in a bounded table, so that
 * the second download of a file can be asked in pieces from its first byte on
 * (injection). What is not known, or was forgotten, is asked as it came.
 *
 *      set of a key:  | key, bytes | key, bytes | key, bytes | key, bytes |
 *                       used last ------------------------> makes room
 *
 * A set is one cache line, and its entries stand in the order of their use, so
 * no clock is needed. The hash is keyed: no client can choose which entries its
 * requests drive out. Two requests with the same 64 bits are taken for one,
 * which costs a question asked in vain and no more: what is joined is decided
 * by the answers (shard_judge.h).
 *
 * Thread:  the worker; nothing is shared, and workers learn alike.
 * Memory:  shard_history_init() maps it, 16 bytes an entry, touched on use.
 * Units:   bytes of the whole representation.
 * Errors:  -ENOMEM.
 * Limits:  the entries asked for; of a Host its first SHARD_HISTORY_HOST_MAX
 *          bytes count.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SHARD_HISTORY_HOST_MAX 256u

struct shard_history_set;

struct shard_history {
	struct shard_history_set *sets;
	uint32_t n_sets; /* power of two */
	uint64_t seed;
};

/* `entries` is rounded up to a power of two, at least 4. */
int shard_history_init(struct shard_history *history, uint32_t entries,
    uint64_t seed) BR_MUST_CHECK;
void shard_history_fini(struct shard_history *history);
/* Of a request: the pool's name, its Host in any case of letters, and its
 * target. Never 0. */
uint64_t shard_history_key(const struct shard_history *history,
    const char *pool, const void *host, size_t host_bytes, const void *target,
    size_t target_bytes);
/* How large its last eligible answer was; 0: not known. */
uint64_t shard_history_expect(struct shard_history *history, uint64_t key);
/* An answer that could be asked in pieces had so many bytes, at least one. */
void shard_history_learn(
    struct shard_history *history, uint64_t key, uint64_t bytes);
/* It can be no more. */
void shard_history_forget(struct shard_history *history, uint64_t key);
