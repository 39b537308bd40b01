/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/history.h"

#include "base/assert.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define HISTORY_WAYS 4u

struct history_entry {
	uint32_t tag; /* 0: free */
	uint32_t seen_s;
	uint16_t flows; /* saturates */
	uint16_t large; /* share of large ones, in 1/UINT16_MAX */
	float bytes, ms;
	float rate; /* bytes a second, mean of the flows' own */
};

static size_t history_bytes(const struct history *history)
{
	return (size_t)history->n_sets * HISTORY_WAYS *
	       sizeof(struct history_entry);
}

int history_init(struct history *history, uint32_t entries, uint64_t seed)
{
	uint32_t sets = 1;
	void *memory;

	while (sets < (1u << 28) && sets * HISTORY_WAYS < entries)
		sets <<= 1;
	*history = (struct history){.n_sets = sets, .seed = seed};
	memory = mmap(NULL, history_bytes(history), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	history->entries = memory;
	return 0;
}

void history_fini(struct history *history)
{
	if (history->entries)
		munmap(history->entries, history_bytes(history));
	history->entries = NULL;
}

struct history_key history_key(const struct history *history, uint64_t pool,
    const char *name, uint32_t name_length, uint8_t path_class, int family,
    const uint8_t ip[16])
{
	size_t known = family == AF_INET ? 3 : family == AF_INET6 ? 6 : 0;
	struct history_key key;

	key.wide = hash_bytes(
	    name, name_length, hash_u64(pool << 8 | path_class, history->seed));
	key.exact = known ? hash_bytes(ip, known, key.wide) : key.wide;
	return key;
}

static struct history_entry *history_set(
    const struct history *history, uint64_t hash)
{
	return history->entries + (hash & (history->n_sets - 1)) * HISTORY_WAYS;
}

static uint32_t history_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

static const struct history_entry *history_look(
    const struct history *history, uint64_t hash)
{
	const struct history_entry *set = history_set(history, hash);

	for (unsigned i = 0; i < HISTORY_WAYS; i++)
		if (set[i].tag == history_tag(hash))
			return &set[i];
	return NULL;
}

void history_find(const struct history *history, struct history_key key,
    struct features_history *ret)
{
	const struct history_entry *entry = history_look(history, key.exact);

	if (!entry || entry->flows < HISTORY_RARE) {
		const struct history_entry *wide =
		    history_look(history, key.wide);

		if (wide)
			entry = wide;
	}
	*ret = (struct features_history){0};
	if (!entry)
		return;
	ret->flows = entry->flows;
	ret->large_permille =
	    (uint16_t)((uint32_t)entry->large * 1000 / UINT16_MAX);
	ret->bytes = (uint64_t)entry->bytes;
	ret->rate_bps = (uint64_t)entry->rate;
	/* A float may round up beyond what went into it. */
	ret->duration_ms = entry->ms < 4e9f ? (uint32_t)entry->ms : UINT32_MAX;
}

/* The kind's entry, or the one of its set that makes room for it. */
static struct history_entry *history_claim(
    struct history *history, uint64_t hash, uint32_t now_s)
{
	struct history_entry *set = history_set(history, hash);
	struct history_entry *oldest = &set[0];

	for (unsigned i = 0; i < HISTORY_WAYS; i++) {
		if (set[i].tag == history_tag(hash))
			return &set[i];
		if (!set[i].tag || (oldest->tag && now_s - set[i].seen_s >
						       now_s - oldest->seen_s))
			oldest = oldest->tag ? &set[i] : oldest;
	}
	*oldest = (struct history_entry){.tag = history_tag(hash)};
	return oldest;
}

static float history_mean(float mean, float value, float share)
{
	return mean + (value - mean) * share;
}

static void history_update(struct history *history, uint64_t hash,
    const struct history_flow *flow, uint32_t now_s)
{
	struct history_entry *entry = history_claim(history, hash, now_s);
	uint32_t ms = flow->duration_ms ? flow->duration_ms : 1;
	float share;

	if (entry->flows < UINT16_MAX)
		entry->flows++;
	/* A plain mean of the first, then an exponential one. */
	share = 1.0f / (float)(entry->flows < HISTORY_SHARE ? entry->flows
							    : HISTORY_SHARE);
	entry->seen_s = now_s;
	entry->bytes = history_mean(entry->bytes, (float)flow->bytes, share);
	entry->ms = history_mean(entry->ms, (float)flow->duration_ms, share);
	entry->rate = history_mean(
	    entry->rate, (float)flow->bytes * 1000.0f / (float)ms, share);
	entry->large = (uint16_t)history_mean(
	    entry->large, flow->large ? UINT16_MAX : 0, share);
}

void history_add(struct history *history, struct history_key key,
    const struct history_flow *flow, uint32_t now_s)
{
	history_update(history, key.exact, flow, now_s);
	if (key.wide != key.exact)
		history_update(history, key.wide, flow, now_s);
}
