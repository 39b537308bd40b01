/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rrl.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/prefix.h"

#include <string.h>
#include <sys/mman.h>

#define LINE_WORDS 8u
#define LEVELS_MAX 5u
/* Tries against other threads; each failed one means that another got on. */
#define TRIES_MAX 8

/* A word: tag above, the time at which the bucket is empty below, in ticks
 * modulo 2^40. That is 4.9 hours, a debt at most one second of the worker that
 * wrote it, whose clock may be ahead of the reader's: what is further away
 * than two is past. */
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
#define TICK_SHIFT 4
#define SECOND_TICKS ((uint64_t)NS_PER_S >> TICK_SHIFT)

struct rrl {
	size_t bytes; /* of the mapping */
	uint64_t seed;
	uint32_t lines; /* power of two */
	_Alignas(64) uint64_t words[][LINE_WORDS]; /* shared; 0: never used */
};

struct level {
	uint8_t bits;
	uint16_t times; /* the rate */
};

/* From the narrowest on; the factors are Knot DNS's, chosen there so that what
 * many hosts of one network ask is not taken for an attack on it. */
static const struct level levels_v4[] = {
    {32, 1}, {24, 32}, {20, 256}, {18, 768}};
static const struct level levels_v6[] = {
    {128, 1}, {64, 2}, {56, 3}, {48, 4}, {32, 64}};

/* One prefix of an address. */
struct bucket {
	uint64_t *line;
	uint64_t tag; /* in its place in the word; not 0 */
	uint64_t interval; /* ticks of one answer */
};

/* Where a prefix is counted, or would be. */
struct place {
	uint64_t *word;
	uint64_t before;
	uint64_t debt; /* ticks; 0 of a place that is taken over */
};

struct rrl *rrl_new(uint32_t words, uint64_t seed)
{
	uint32_t lines = 1;
	struct rrl *rrl;
	size_t bytes;

	while (lines < UINT32_C(1) << 28 && lines * LINE_WORDS < words)
		lines *= 2;
	bytes = sizeof *rrl + (size_t)lines * sizeof rrl->words[0];
	rrl = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (rrl == MAP_FAILED)
		return NULL;
	rrl->bytes = bytes;
	rrl->seed = seed;
	rrl->lines = lines;
	return rrl;
}

void rrl_free(struct rrl *rrl)
{
	if (rrl)
		br_assert(!munmap(rrl, rrl->bytes));
}

/* -- one bucket -------------------------------------------------------- */

static uint64_t ticks_of(struct mono now)
{
	return ((uint64_t)now.ns >> TICK_SHIFT) & TIME_MASK;
}

static uint64_t debt_of(uint64_t word, uint64_t now)
{
	uint64_t ahead = (word - now) & TIME_MASK;

	return ahead <= 2 * SECOND_TICKS ? ahead : 0;
}

static struct place place_of(const struct bucket *bucket, uint64_t now)
{
	struct place least = {.debt = UINT64_MAX};

	for (uint32_t i = 0; i < LINE_WORDS; i++) {
		uint64_t *word = &bucket->line[i];
		uint64_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
		uint64_t debt = debt_of(before, now);

		if ((before & ~TIME_MASK) == bucket->tag)
			return (struct place){word, before, debt};
		if (debt < least.debt)
			least = (struct place){word, before, debt};
	}
	least.debt = 0;
	return least;
}

static void charge(const struct bucket *bucket, uint64_t now)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		struct place place = place_of(bucket, now);
		uint64_t debt = place.debt + bucket->interval;
		uint64_t until;

		/* Others have filled it since this one was asked: a debt of
		 * more than it may have would soon look like none. */
		if (place.debt >= SECOND_TICKS)
			return;
		if (debt > SECOND_TICKS)
			debt = SECOND_TICKS;
		until = (now + debt) & TIME_MASK;
		if (__atomic_compare_exchange_n(place.word, &place.before,
			bucket->tag | until, false, __ATOMIC_RELAXED,
			__ATOMIC_RELAXED))
			return;
	}
}

/* -- all of an address ------------------------------------------------- */

static struct bucket bucket_of(struct rrl *rrl, const struct prefix *prefix,
    uint32_t rate, const struct level *level)
{
	uint64_t hash = hash_bytes(prefix->bytes, sizeof prefix->bytes,
	    rrl->seed ^ (uint64_t)prefix->family << 8 ^ level->bits);
	uint64_t answers = (uint64_t)rate * level->times;
	uint64_t interval = SECOND_TICKS / answers;
	struct bucket ret = {.line = rrl->words[hash & (rrl->lines - 1)],
	    .tag = hash & ~TIME_MASK,
	    .interval = interval ? interval : 1};

	ret.tag |= (uint64_t)!ret.tag << TIME_BITS;
	__builtin_prefetch(ret.line, 1);
	return ret;
}

static uint32_t buckets_of(struct rrl *rrl, const struct addr *to,
    uint32_t rate, struct bucket ret[LEVELS_MAX])
{
	const struct level *levels = levels_v4;
	uint32_t n = sizeof levels_v4 / sizeof levels_v4[0];
	struct prefix prefix;

	if (!prefix_of_addr(&prefix, to))
		return 0;
	if (prefix.family == AF_INET6) {
		levels = levels_v6;
		n = sizeof levels_v6 / sizeof levels_v6[0];
	}
	for (uint32_t i = 0; i < n; i++) {
		prefix_cut(&prefix, levels[i].bits);
		ret[i] = bucket_of(rrl, &prefix, rate, &levels[i]);
	}
	return n;
}

bool rrl_admit(
    struct rrl *rrl, const struct addr *to, uint32_t rate, struct mono now)
{
	struct bucket buckets[LEVELS_MAX];
	uint32_t n;

	br_assert(rate && rate <= RRL_RATE_MAX);
	n = buckets_of(rrl, to, rate, buckets);
	/* All are asked before any is charged: what one refuses must not use
	 * up the room of the network around it. */
	for (uint32_t i = 0; i < n; i++) {
		uint64_t debt = place_of(&buckets[i], ticks_of(now)).debt;

		if (debt + buckets[i].interval > SECOND_TICKS)
			return false;
	}
	for (uint32_t i = 0; i < n; i++)
		charge(&buckets[i], ticks_of(now));
	return true;
}
