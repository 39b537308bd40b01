/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The race of candidates: which attempt to start, and when. The first begins
 * at once, each further one a stagger after the one before it, or as soon as
 * an attempt has failed (RFC 8305 section 5). The first that is connected has
 * won, and nothing is started any more.
 *
 *      0 ms    attempt 0 ─────────────────────────  lost
 *      250 ms        attempt 1 ── failed
 *      300 ms                    attempt 2 ──── won
 *
 * A decider: it has no sockets and no clock.
 *
 * Thread:  the caller's.
 * Memory:  in place.
 * Errors:  none.
 * Limits:  FETCH_RACE_MAX candidates, and as many attempts at once.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define FETCH_RACE_MAX 64u

enum fetch_runner { RUNNER_WAITS, RUNNER_RUNS, RUNNER_FAILED, RUNNER_WON };

struct fetch_race {
	uint32_t n, next; /* the one to be started next */
	int64_t stagger_ns;
	struct mono due; /* when `next` begins at the latest */
	int32_t winner; /* -1: none yet */
	uint8_t runners[FETCH_RACE_MAX]; /* enum fetch_runner */
};

/* n > 0. */
void fetch_race_init(
    struct fetch_race *race, uint32_t n, int64_t stagger_ns, struct mono now);
/* The attempt to start now, -1: none. To be called until it says so. */
int32_t fetch_race_start(struct fetch_race *race, struct mono now);
/* An attempt that runs has failed. */
void fetch_race_failed(struct fetch_race *race, uint32_t i, struct mono now);
/* An attempt is connected; whether it has won. */
bool fetch_race_connected(struct fetch_race *race, uint32_t i);
/* All have failed. */
bool fetch_race_is_lost(const struct fetch_race *race);
/* Nanoseconds until fetch_race_start() has something to start; -1: it waits
 * for something else. */
int64_t fetch_race_wait_ns(const struct fetch_race *race, struct mono now);
