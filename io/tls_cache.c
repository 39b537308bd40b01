/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_cache.h"

#include "base/assert.h"
#include "base/hash.h"

#include <ck_pr.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKET_SLOTS 4u

/*
 * All but the sequence is read and written in words, relaxed: a reader may
 * see half of a write, and then sees another sequence too.
 */
struct cache_slot {
	uint64_t sequence; /* odd: being written */
	uint64_t expires_s; /* 0: empty */
	uint64_t lengths; /* of the id << 32 | of the session */
	uint64_t id[TLS_CACHE_ID_MAX / 8];
	uint64_t session[TLS_CACHE_SESSION_MAX / 8];
	uint64_t unused;
};
_Static_assert(sizeof(struct cache_slot) == 512, "said in the header");

struct tls_cache {
	size_t mapped_bytes;
	uint64_t n_buckets; /* a power of two */
	struct cache_slot slots[] __attribute__((aligned(64)));
};

/* A copy of one slot, taken whole. */
struct cache_view {
	uint64_t id[TLS_CACHE_ID_MAX / 8];
	uint64_t session[TLS_CACHE_SESSION_MAX / 8];
};

int tls_cache_new(uint32_t sessions, struct tls_cache **ret)
{
	uint64_t buckets = 1;
	struct tls_cache *cache;
	size_t bytes;

	while (buckets * BUCKET_SLOTS < sessions)
		buckets *= 2;
	bytes =
	    sizeof(*cache) + buckets * BUCKET_SLOTS * sizeof(struct cache_slot);
	cache = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cache == MAP_FAILED)
		return -ENOMEM;
	/* Master secrets have no business in a core file. */
	madvise(cache, bytes, MADV_DONTDUMP);
	cache->mapped_bytes = bytes;
	cache->n_buckets = buckets;
	*ret = cache;
	return 0;
}

void tls_cache_free(struct tls_cache *cache)
{
	if (cache)
		munmap(cache, cache->mapped_bytes);
}

static void words_store(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
}

static void words_load(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* The id padded with zeros; false when it cannot be one. */
static bool cache_id(
    uint64_t ret[TLS_CACHE_ID_MAX / 8], const void *id, size_t id_length)
{
	if (id_length == 0 || id_length > TLS_CACHE_ID_MAX)
		return false;
	memset(ret, 0, TLS_CACHE_ID_MAX);
	memcpy(ret, id, id_length);
	return true;
}

static struct cache_slot *cache_bucket(
    struct tls_cache *cache, const uint64_t id[TLS_CACHE_ID_MAX / 8])
{
	uint64_t hash = hash_bytes(id, TLS_CACHE_ID_MAX, 0);

	return &cache->slots[(hash & (cache->n_buckets - 1)) * BUCKET_SLOTS];
}

static bool slot_lock(struct cache_slot *slot, uint64_t *ret_sequence)
{
	uint64_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED);

	if (sequence & 1 ||
	    !__atomic_compare_exchange_n(&slot->sequence, &sequence,
		sequence + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	/* No store of the content may be seen before the odd sequence. */
	ck_pr_fence_release();
	*ret_sequence = sequence;
	return true;
}

static void slot_unlock(struct cache_slot *slot, uint64_t sequence)
{
	__atomic_store_n(&slot->sequence, sequence + 2, __ATOMIC_RELEASE);
}

static bool slot_has(
    const struct cache_slot *slot, const uint64_t id[TLS_CACHE_ID_MAX / 8])
{
	uint64_t held[TLS_CACHE_ID_MAX / 8];

	words_load(held, slot->id, BR_COUNT(held));
	return __atomic_load_n(&slot->expires_s, __ATOMIC_RELAXED) != 0 &&
	       !memcmp(held, id, sizeof(held));
}

/* The same id, else an empty or expired slot, else the one that ends first. */
static struct cache_slot *bucket_victim(struct cache_slot *bucket,
    const uint64_t id[TLS_CACHE_ID_MAX / 8], int64_t now_s)
{
	struct cache_slot *victim = NULL;
	uint64_t victim_expires = UINT64_MAX;

	for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
		struct cache_slot *slot = &bucket[i];
		uint64_t expires =
		    __atomic_load_n(&slot->expires_s, __ATOMIC_RELAXED);

		if (slot_has(slot, id))
			return slot;
		if (expires <= (uint64_t)now_s)
			expires = 0;
		if (!victim || expires < victim_expires) {
			victim = slot;
			victim_expires = expires;
		}
	}
	return victim;
}

bool tls_cache_put(struct tls_cache *cache, const void *id, size_t id_length,
    const void *session, size_t length, int64_t now_s, int64_t expires_s)
{
	struct cache_view view = {0};
	struct cache_slot *slot;
	uint64_t sequence;

	if (!cache_id(view.id, id, id_length) || length == 0 ||
	    length > sizeof(view.session) || expires_s <= now_s)
		return false;
	memcpy(view.session, session, length);
	slot = bucket_victim(cache_bucket(cache, view.id), view.id, now_s);
	if (!slot_lock(slot, &sequence))
		return false;
	words_store(slot->id, view.id, BR_COUNT(view.id));
	words_store(slot->session, view.session, BR_COUNT(view.session));
	__atomic_store_n(&slot->lengths, (uint64_t)id_length << 32 | length,
	    __ATOMIC_RELAXED);
	__atomic_store_n(
	    &slot->expires_s, (uint64_t)expires_s, __ATOMIC_RELAXED);
	slot_unlock(slot, sequence);
	return true;
}

/* One whole slot if it holds this id; the session's length, or 0. */
static size_t slot_read(const struct cache_slot *slot,
    const uint64_t id[TLS_CACHE_ID_MAX / 8], size_t id_length, int64_t now_s,
    struct cache_view *ret)
{
	uint64_t before = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
	uint64_t lengths, expires;

	if (before & 1 || !slot_has(slot, id))
		return 0;
	lengths = __atomic_load_n(&slot->lengths, __ATOMIC_RELAXED);
	expires = __atomic_load_n(&slot->expires_s, __ATOMIC_RELAXED);
	words_load(ret->id, slot->id, BR_COUNT(ret->id));
	words_load(ret->session, slot->session, BR_COUNT(ret->session));
	/* All of the above was loaded before the sequence is looked at. */
	ck_pr_fence_acquire();
	if (__atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) != before)
		return 0;
	if (memcmp(ret->id, id, sizeof(ret->id)) != 0 ||
	    lengths >> 32 != id_length || expires <= (uint64_t)now_s)
		return 0;
	return (size_t)(uint32_t)lengths;
}

size_t tls_cache_get(struct tls_cache *cache, const void *id, size_t id_length,
    void *ret, size_t room, int64_t now_s)
{
	uint64_t words[TLS_CACHE_ID_MAX / 8];
	struct cache_slot *bucket;
	struct cache_view view;

	if (!cache_id(words, id, id_length))
		return 0;
	bucket = cache_bucket(cache, words);
	for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
		size_t length =
		    slot_read(&bucket[i], words, id_length, now_s, &view);

		if (length && length <= room) {
			memcpy(ret, view.session, length);
			return length;
		}
	}
	return 0;
}

void tls_cache_remove(struct tls_cache *cache, const void *id, size_t id_length)
{
	static const uint64_t zero[TLS_CACHE_SESSION_MAX / 8];
	uint64_t words[TLS_CACHE_ID_MAX / 8], sequence;
	struct cache_slot *bucket;

	if (!cache_id(words, id, id_length))
		return;
	bucket = cache_bucket(cache, words);
	for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
		struct cache_slot *slot = &bucket[i];

		if (!slot_has(slot, words) || !slot_lock(slot, &sequence))
			continue;
		/* It may be another by now: losing that is harmless. */
		words_store(slot->session, zero, BR_COUNT(zero));
		__atomic_store_n(&slot->expires_s, 0, __ATOMIC_RELAXED);
		slot_unlock(slot, sequence);
	}
}
