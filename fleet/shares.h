/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Who of a pool gets new flows now, and how much: a pure function of the
 * board's facts, the configuration and the time.
 *
 *   1 usable    ready, not down, not ejected, weight over 0
 *   2 fail open too little of it usable: the checks are not believed
 *   3 backups   only when no other is usable, all of them together
 *   4 slow start  a server that came back: weight and limit from 10 % to all
 *   5 zones     the own zone keeps min(1, 1.4 * usable / configured) of the
 *               work; the rest goes to the others by weight. Others whose
 *               share is 0 are the reserve: they serve what finds all those
 *               with a share full or was refused by them.
 *
 * The factor 1.4 is that of Envoy's zone priorities: capacity is planned with
 * such a margin, so the loss of 28 % of a zone is not felt.
 *
 * Fail-open (step 2): when less than fail_open_percent of the weight of the
 * servers that are no backups is usable, and no backup is usable, all that
 * are ready count as up, full and not ejected. Backups are judged alike when
 * there is nobody else. If nobody is usable only because of ejections, those
 * are disregarded.
 *
 * Weights come multiplied by `scale`, so that a tenth of a weight of 1 is a
 * number too. Their sum fits 32 bits.
 *
 * Thread:  any (pure but for reading board rows).
 * Memory:  caller's arrays.
 * Units:   times are monotonic ns.
 */
#include "fleet/pool.h"

#define SHARES_SLOW_START_FIRST_PERCENT 10
/* A view is built again so many times while a server starts slowly. */
#define SHARES_SLOW_START_STEPS 64
#define SHARES_ZONE_FACTOR_PERCENT 140

struct share {
	uint32_t weight; /* times scale; 0: not usable */
	uint32_t limit; /* of connections now; 0: none */
	bool reserve; /* only when those that are not are full */
	/* For the steps after the first. */
	bool usable;
	uint8_t percent; /* of slow start */
	uint32_t full; /* weight in force, 0 when not ready */
	uint32_t configured; /* weight in force, ready or not */
	bool healthy, ejected;
};

struct shares_summary {
	uint32_t scale; /* a power of two */
	uint32_t n_usable; /* with weight or reserve */
	bool fails_open;
	bool backups; /* backups serve */
	uint32_t local_percent; /* of the work; 100 without zones */
	int64_t next_ns; /* when time alone changes it; INT64_MAX: never */
};

/* ret[pool->n_servers]. */
void shares_now(const struct pool *pool, int64_t now_ns, struct share *ret,
    struct shares_summary *ret_summary);

/* The summary alone, with memory of its own for the while: for control and
 * api. */
void shares_summarize(const struct pool *pool, int64_t now_ns,
    struct shares_summary *ret_summary);

/* 10..100: how far slow start has come. */
uint32_t shares_slow_start_percent(
    const struct pool *pool, const struct board_facts *facts, int64_t now_ns);

/* To be called before facts are written that may bring a server back into
 * use: slow start counts from then. */
void shares_note_return(const struct board_facts *before,
    struct board_facts *after, int64_t now_ns);
