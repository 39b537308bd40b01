/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How many lanes a download is worth. One more is tried only while the client
 * waits for us, and kept only if the whole became faster; where the client is
 * what is slow, one lane after the other is given back.
 *
 *      client waits >= 50 of 200 ms          rate +10 % within 250 ms
 *   n ─────────────────────────────> n+1 on trial ──────────────> n+1
 *   ^                                      │ no
 *   ├──────────────────────────────────────┘ and no trial for a while
 *   └── client is full for 9/10 of 200 ms: n-1, down to 1
 *
 * What one transfer has found is where the next one of its pool begins
 * (shard_demand_verdict).
 *
 * A decider: no IO, no clock. shard_demand_review() is called some ten times a
 * second at least, and whenever it is convenient.
 *
 * Thread:  the flow's worker.
 * Memory:  the caller's.
 * Units:   bytes, nanoseconds.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SHARD_WINDOW_NS (200 * NS_PER_MS)
#define SHARD_WAITED_NS (50 * NS_PER_MS)
#define SHARD_TRIAL_NS (250 * NS_PER_MS)
#define SHARD_HOLD_NS (2 * NS_PER_S)
#define SHARD_GAIN_PERMILLE 100u
#define SHARD_FULL_PERMILLE 900u
/* After a trial that failed: doubled each time. */
#define SHARD_REST_FIRST_NS (2 * NS_PER_S)
#define SHARD_REST_LAST_NS (60 * NS_PER_S)

/* What the client's socket is like. */
enum shard_client {
	SHARD_CLIENT_TAKES, /* bytes are on their way to it */
	SHARD_CLIENT_WAITS, /* it has room, and we have nothing for it */
	SHARD_CLIENT_FULL, /* it has no room */
};

struct shard_demand {
	uint32_t lanes, lanes_max;
	uint8_t client; /* enum shard_client */
	bool on_trial;
	int64_t since_ns; /* the client is so */
	int64_t begun_ns; /* the trial; trial_ns: its bytes count from then */
	int64_t window_ns, trial_ns, rest_until_ns,
	    rest_ns; /* when, rest: how long */
	int64_t spent_ns[3]; /* of this window, by enum shard_client */
	uint64_t bytes; /* that left, in all */
	uint64_t window_bytes, trial_bytes; /* at its begin */
	uint64_t rate_before; /* of the last window before the trial */
};

/* Begins with `lanes`: 1, or what the pool's last transfers were worth. */
void shard_demand_start(struct shard_demand *demand, uint32_t lanes,
    uint32_t lanes_max, struct mono now);
/* The client is so from now on. */
void shard_demand_client(
    struct shard_demand *demand, enum shard_client client, struct mono now);
static inline void shard_demand_moved(struct shard_demand *demand, uint64_t n)
{
	demand->bytes += n;
}
/* The lane on trial has brought nothing yet: its time begins later, up to
 * SHARD_HOLD_NS. */
void shard_demand_hold(struct shard_demand *demand, struct mono now);
/* How many lanes are wanted now. */
uint32_t shard_demand_review(struct shard_demand *demand, struct mono now);
/* What has proved worth it so far: a trial does not count yet. */
uint32_t shard_demand_verdict(const struct shard_demand *demand);
