/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * When a direction is bulk: by what is known of its first message, and behind
 * that by a counter of large reads.
 *
 *      0            known.bytes
 *      ├─ as known ──────┼─ `bytes` by large reads within `window` ──────>
 *
 * Only large reads count: a thousand small answers a second are many bytes too,
 * but splicing each costs more than copying it. What a known message carries
 * does not count for what follows it, on a connection that is kept alive.
 *
 * Thread:  the flow's worker; no IO, no clock.
 * Memory:  the caller's.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "profiler/profile.h"

#define BULK_LARGE_BYTES 4096u /* a read of more is a large one */

struct bulk_rule {
	struct profile_counter counter;
	struct profile_known known[2]; /* up, down; bytes 0: nothing */
};

/* Without advice, by enum conf_splice. */
extern const struct bulk_rule bulk_rules[];

/* Of one direction. */
struct bulk_track {
	uint64_t bytes; /* by large reads, since window_start */
	int64_t window_start_ns;
};

static inline void bulk_open_window(struct bulk_track *track, struct mono now)
{
	track->window_start_ns = now.ns;
	track->bytes = 0;
}

static inline void bulk_add(struct bulk_track *track, uint32_t n)
{
	if (n > BULK_LARGE_BYTES)
		track->bytes += n;
}

static inline bool bulk_window_is_over(const struct bulk_track *track,
    const struct bulk_rule *rule, struct mono now)
{
	return now.ns - track->window_start_ns >
	       (int64_t)rule->counter.window_ms * NS_PER_MS;
}

/* n bytes came, with them `position` in all. */
static inline void bulk_count(struct bulk_track *track,
    const struct bulk_rule *rule, bool up, uint64_t position, uint32_t n)
{
	if (position > rule->known[!up].bytes)
		bulk_add(track, n);
}

static inline bool bulk_is(const struct bulk_track *track,
    const struct bulk_rule *rule, bool up, uint64_t position)
{
	const struct profile_known *known = &rule->known[!up];

	if (position < known->bytes)
		return known->bulk;
	return track->bytes >= rule->counter.bytes;
}
