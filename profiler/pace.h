/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether the pace that was set for a flow is in its way. A source that sends
 * at a rate of its own stays below the pace that was made of it; one that fills
 * the pace would go faster, so the verdict was wrong, or the flow has become
 * another: it is to have no pace any more.
 *
 *      rate
 *       ^  pace ─────────────────────────
 *       │  3/4  · · · · · · · ·▄▄▄▄▄▄▄ ·   a whole window above: in its way
 *       │  ▄ ▄ ▄ ▄ ▄ ▄ ▄ ▄ ▄ ▄▄
 *       └────────────────────────> time
 *
 * Thread:  the flow's worker; no IO, no clock.
 * Memory:  the caller's.
 * Units:   bytes a second.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PACE_WINDOW_NS (500 * NS_PER_MS)

struct pace {
	int64_t since_ns; /* of the window */
	uint64_t bytes; /* then */
	uint64_t rate_bps; /* 0: none */
};

/* `bytes`: all that the paced way has carried so far. */
static inline void pace_start(
    struct pace *pace, uint64_t rate_bps, uint64_t bytes, struct mono now)
{
	*pace = (struct pace){now.ns, bytes, rate_bps};
}

/* With each read of a flow that has one; begins windows by itself. */
static inline bool pace_is_in_the_way(
    struct pace *pace, uint64_t bytes, struct mono now)
{
	int64_t window_ns = now.ns - pace->since_ns;
	bool filled;

	if (window_ns < PACE_WINDOW_NS)
		return false;
	filled = (__uint128_t)(bytes - pace->bytes) * 4 * NS_PER_S >=
		 (__uint128_t)pace->rate_bps * 3 * (uint64_t)window_ns;
	pace_start(pace, pace->rate_bps, bytes, now);
	return filled;
}
