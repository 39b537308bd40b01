/* SPDX-License-Identifier: Apache-2.0 */
#include "base/source_table.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/prefix.h"

#include <string.h>
#include <sys/mman.h>

#define BUCKET_SLOTS 8
#define CHOICES 2 /* buckets a source may be in */
#define BUCKETS_MIN 2
/* The table is twice as large as what it has to hold. */
#define SPARE 2
/* Tries against other threads before the source is let in untracked. Each
 * failed one means that another thread got on. */
#define TRIES_MAX 64
#define NONE UINT32_MAX

/* Who: the tag above, the connections below. */
#define COUNT_BITS 24
#define COUNT_MASK SOURCE_CONNECTIONS_MAX

struct slot {
	uint64_t who; /* shared; 0: never used */
	int64_t until_ns; /* shared; when its bucket of the rate is empty */
};

struct source_table {
	size_t bytes; /* of the mapping */
	uint64_t seed;
	uint32_t buckets; /* power of two */
	uint8_t ipv6_bits;
	_Alignas(128) struct slot slots[];
};

struct key {
	uint64_t tag; /* 40 bits, not 0 */
	uint32_t bucket[CHOICES];
};

/* What the slots of a key look like at one time. */
struct view {
	uint32_t match, empty, debtor; /* slots, or NONE */
	uint64_t empty_who, debtor_who;
	int64_t debtor_until_ns;
};

struct source_table *source_table_new(
    uint32_t connections, uint8_t ipv6_bits, uint64_t seed)
{
	uint64_t slots = (uint64_t)connections * SPARE;
	uint32_t buckets = BUCKETS_MIN;
	struct source_table *table;
	size_t bytes;

	while ((uint64_t)buckets * BUCKET_SLOTS < slots)
		buckets *= 2;
	bytes = sizeof(*table) +
		(size_t)buckets * BUCKET_SLOTS * sizeof(struct slot);
	table = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED)
		return NULL;
	table->bytes = bytes;
	table->seed = seed;
	table->buckets = buckets;
	table->ipv6_bits = ipv6_bits;
	return table;
}

void source_table_free(struct source_table *table)
{
	if (table)
		br_assert(!munmap(table, table->bytes));
}

uint32_t source_table_slots(const struct source_table *table)
{
	return table->buckets * BUCKET_SLOTS;
}

/* False for what has no address. */
static bool key_of(const struct source_table *table, uint32_t scope,
    const struct addr *source, struct key *ret)
{
	uint32_t mask = table->buckets - 1;
	struct prefix p;
	uint64_t hash;

	if (!prefix_of_addr(&p, source))
		return false;
	if (p.family == AF_INET6)
		prefix_cut(&p, table->ipv6_bits);
	hash = hash_u64((uint64_t)scope << 8 | p.family, table->seed);
	hash = hash_bytes(p.bytes, sizeof(p.bytes), hash);
	ret->tag = hash >> COUNT_BITS;
	ret->tag += !ret->tag;
	ret->bucket[0] = (uint32_t)hash & mask;
	/* Of a hash of its own, so that sources that share one bucket do not
	 * share the other. */
	ret->bucket[1] = (uint32_t)hash_u64(hash, ~table->seed) & mask;
	return true;
}

static uint64_t load_who(const struct slot *slot)
{
	return __atomic_load_n(&slot->who, __ATOMIC_ACQUIRE);
}

static int64_t load_until(const struct slot *slot)
{
	return __atomic_load_n(&slot->until_ns, __ATOMIC_ACQUIRE);
}

static bool swap_who(struct slot *slot, uint64_t before, uint64_t after)
{
	return __atomic_compare_exchange_n(&slot->who, &before, after, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool swap_until(struct slot *slot, int64_t before, int64_t after)
{
	return __atomic_compare_exchange_n(&slot->until_ns, &before, after,
	    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Looks at one slot without a match; true when it is in use. */
static bool look_at(
    struct view *view, const struct slot *slot, uint32_t at, int64_t now_ns)
{
	uint64_t who = load_who(slot);
	int64_t until_ns = load_until(slot);

	if (who & COUNT_MASK)
		return true;
	if (until_ns <= now_ns) {
		if (view->empty == NONE) {
			view->empty = at;
			view->empty_who = who;
		}
		return false;
	}
	if (view->debtor == NONE || until_ns < view->debtor_until_ns) {
		view->debtor = at;
		view->debtor_who = who;
		view->debtor_until_ns = until_ns;
	}
	return true;
}

/* One bucket; the number of its slots that are in use. */
static uint32_t look_at_bucket(const struct source_table *table,
    uint32_t bucket, uint64_t tag, int64_t now_ns, struct view *view)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
		uint32_t at = bucket * BUCKET_SLOTS + i;
		const struct slot *slot = &table->slots[at];

		if (load_who(slot) >> COUNT_BITS == tag) {
			view->match = at;
			return used;
		}
		used += look_at(view, slot, at, now_ns);
	}
	return used;
}

/* An empty slot of the bucket with fewer in use: with two choices all buckets
 * fill evenly (Azar, Broder, Karlin, Upfal: Balanced Allocations, 1994). */
static struct view look(
    const struct source_table *table, const struct key *key, int64_t now_ns)
{
	struct view view = {.match = NONE, .empty = NONE, .debtor = NONE};
	struct view other;
	uint32_t used, used_there;

	used = look_at_bucket(table, key->bucket[0], key->tag, now_ns, &view);
	if (view.match != NONE)
		return view;
	other = view;
	other.empty = NONE;
	used_there =
	    look_at_bucket(table, key->bucket[1], key->tag, now_ns, &other);
	if (other.empty == NONE || (view.empty != NONE && used <= used_there)) {
		other.empty = view.empty;
		other.empty_who = view.empty_who;
	}
	return other;
}

enum hold { HOLD_TAKEN, HOLD_REFUSED, HOLD_LOST };

/* One more connection of the source that has the slot. */
static enum hold hold_match(
    struct slot *slot, uint64_t tag, const struct source_limit *limit)
{
	uint32_t most =
	    limit->connections && limit->connections < SOURCE_CONNECTIONS_MAX
		? limit->connections
		: SOURCE_CONNECTIONS_MAX;
	uint64_t who = load_who(slot);

	if (who >> COUNT_BITS != tag)
		return HOLD_LOST;
	if ((who & COUNT_MASK) >= most)
		return HOLD_REFUSED;
	return swap_who(slot, who, who + 1) ? HOLD_TAKEN : HOLD_LOST;
}

/* Takes a slot that nobody holds; `debt` is what its source still owes. */
static enum hold hold_new(
    struct slot *slot, uint64_t before, uint64_t tag, int64_t debt_until_ns)
{
	if (!swap_who(slot, before, tag << COUNT_BITS | 1))
		return HOLD_LOST;
	/* Unless it has been moved on by this source on another thread. */
	if (debt_until_ns)
		(void)swap_until(slot, debt_until_ns, 0);
	return HOLD_TAKEN;
}

/* GCRA: moves the slot's time on by an interval if it stays within a second
 * of now. A burst is thus the rate's worth of one second. */
static bool rate_take(struct slot *slot, uint32_t rate, int64_t now_ns)
{
	int64_t interval_ns = NS_PER_S / rate;

	if (!interval_ns)
		return true;
	for (;;) {
		int64_t until_ns = load_until(slot);
		int64_t from_ns = until_ns > now_ns ? until_ns : now_ns;

		if (from_ns + interval_ns > now_ns + NS_PER_S)
			return false;
		/* Fails only when another admission has succeeded, of which
		 * there are at most `rate`. */
		if (swap_until(slot, until_ns, from_ns + interval_ns))
			return true;
	}
}

/* A held slot, NONE when there is none to be had, or refused. */
static enum hold hold_any(struct source_table *table, const struct key *key,
    const struct source_limit *limit, int64_t now_ns,
    struct source_admission *ret)
{
	struct view view = look(table, key, now_ns);

	ret->evicted = false;
	if (view.match != NONE) {
		ret->slot = view.match;
		return hold_match(&table->slots[view.match], key->tag, limit);
	}
	if (view.empty != NONE) {
		ret->slot = view.empty;
		return hold_new(
		    &table->slots[view.empty], view.empty_who, key->tag, 0);
	}
	if (view.debtor != NONE) {
		ret->slot = view.debtor;
		ret->evicted = true;
		return hold_new(&table->slots[view.debtor], view.debtor_who,
		    key->tag, view.debtor_until_ns);
	}
	ret->slot = SOURCE_UNTRACKED;
	return HOLD_TAKEN;
}

struct source_admission source_admit(struct source_table *table, uint32_t scope,
    const struct addr *source, const struct source_limit *limit,
    struct mono now)
{
	struct source_admission ret = {.slot = SOURCE_UNTRACKED};
	enum hold hold = HOLD_LOST;
	struct key key;

	if (!key_of(table, scope, source, &key))
		return ret;
	for (int i = 0; i < TRIES_MAX && hold == HOLD_LOST; i++)
		hold = hold_any(table, &key, limit, now.ns, &ret);
	if (hold == HOLD_LOST)
		ret = (struct source_admission){.slot = SOURCE_UNTRACKED};
	if (hold == HOLD_REFUSED) {
		ret.verdict = SOURCE_TOO_MANY;
		ret.slot = SOURCE_UNTRACKED;
		return ret;
	}
	if (ret.slot != SOURCE_UNTRACKED && limit->rate &&
	    !rate_take(&table->slots[ret.slot], limit->rate, now.ns)) {
		source_release(table, ret.slot);
		ret.verdict = SOURCE_TOO_FAST;
		ret.slot = SOURCE_UNTRACKED;
	}
	return ret;
}

void source_release(struct source_table *table, uint32_t slot)
{
	uint64_t before;

	if (slot == SOURCE_UNTRACKED)
		return;
	br_assert(slot < source_table_slots(table));
	before =
	    __atomic_fetch_sub(&table->slots[slot].who, 1, __ATOMIC_ACQ_REL);
	br_assert(before & COUNT_MASK);
}

uint32_t source_connections(
    const struct source_table *table, uint32_t scope, const struct addr *source)
{
	uint32_t count = 0;
	struct key key;

	if (!key_of(table, scope, source, &key))
		return 0;
	for (uint32_t b = 0; b < CHOICES; b++) {
		if (b && key.bucket[b] == key.bucket[0])
			break;
		for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
			uint64_t who = load_who(
			    &table->slots[key.bucket[b] * BUCKET_SLOTS + i]);

			if (who >> COUNT_BITS == key.tag)
				count += (uint32_t)(who & COUNT_MASK);
		}
	}
	return count;
}
