/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_history.h"

#include "base/assert.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SHARD_HISTORY_WAYS 4u

struct shard_history_entry {
	uint64_t key; /* 0: free, and so are those behind it */
	uint64_t bytes;
};

struct shard_history_set {
	struct shard_history_entry ways[SHARD_HISTORY_WAYS];
};

static size_t shard_history_bytes(const struct shard_history *history)
{
	return (size_t)history->n_sets * sizeof(struct shard_history_set);
}

int shard_history_init(
    struct shard_history *history, uint32_t entries, uint64_t seed)
{
	uint32_t sets = 1;
	void *memory;

	while (sets < (1u << 28) && sets * SHARD_HISTORY_WAYS < entries)
		sets <<= 1;
	*history = (struct shard_history){.n_sets = sets, .seed = seed};
	memory =
	    mmap(NULL, shard_history_bytes(history), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	history->sets = memory;
	return 0;
}

void shard_history_fini(struct shard_history *history)
{
	if (history->sets)
		munmap(history->sets, shard_history_bytes(history));
	history->sets = NULL;
}

/* RFC 9110, section 4.2.3: the host is compared without regard to case. */
static uint64_t shard_history_host(
    const void *host, size_t host_bytes, uint64_t seed)
{
	const unsigned char *from = host;
	unsigned char lower[SHARD_HISTORY_HOST_MAX];

	if (host_bytes > sizeof lower)
		host_bytes = sizeof lower;
	for (size_t i = 0; i < host_bytes; i++)
		lower[i] = from[i] >= 'A' && from[i] <= 'Z'
			       ? (unsigned char)(from[i] | 0x20)
			       : from[i];
	return hash_bytes(lower, host_bytes, seed);
}

/* Each hash is the seed of the next, so that no part can be moved over to the
 * one beside it. */
uint64_t shard_history_key(const struct shard_history *history,
    const char *pool, const void *host, size_t host_bytes, const void *target,
    size_t target_bytes)
{
	uint64_t key = hash_bytes(pool, strlen(pool), history->seed);

	key = shard_history_host(host, host_bytes, key);
	key = hash_bytes(target, target_bytes, key);
	return key ? key : 1;
}

static struct shard_history_entry *shard_history_ways(
    const struct shard_history *history, uint64_t key)
{
	br_assert(key);
	return history->sets[key & (history->n_sets - 1)].ways;
}

/* Puts [0, n) one place back, and the entry to the front. */
static void shard_history_front(struct shard_history_entry *ways, unsigned n,
    struct shard_history_entry entry)
{
	memmove(ways + 1, ways, n * sizeof *ways);
	ways[0] = entry;
}

/* The place of the key, or SHARD_HISTORY_WAYS. */
static unsigned shard_history_find(
    const struct shard_history_entry *ways, uint64_t key)
{
	unsigned i = 0;

	while (i < SHARD_HISTORY_WAYS && ways[i].key != key)
		i++;
	return i;
}

uint64_t shard_history_expect(struct shard_history *history, uint64_t key)
{
	struct shard_history_entry *ways = shard_history_ways(history, key);
	unsigned at = shard_history_find(ways, key);

	if (at == SHARD_HISTORY_WAYS)
		return 0;
	shard_history_front(ways, at, ways[at]);
	return ways[0].bytes;
}

void shard_history_learn(
    struct shard_history *history, uint64_t key, uint64_t bytes)
{
	struct shard_history_entry *ways = shard_history_ways(history, key);
	unsigned at = shard_history_find(ways, key);

	br_assert(bytes);
	/* The last makes room. */
	if (at == SHARD_HISTORY_WAYS)
		at--;
	shard_history_front(
	    ways, at, (struct shard_history_entry){.key = key, .bytes = bytes});
}

void shard_history_forget(struct shard_history *history, uint64_t key)
{
	struct shard_history_entry *ways = shard_history_ways(history, key);
	unsigned at = shard_history_find(ways, key);

	if (at == SHARD_HISTORY_WAYS)
		return;
	memmove(ways + at, ways + at + 1,
	    (SHARD_HISTORY_WAYS - 1 - at) * sizeof *ways);
	ways[SHARD_HISTORY_WAYS - 1] = (struct shard_history_entry){0};
}
