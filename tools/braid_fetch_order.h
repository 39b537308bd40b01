/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * In which order places are tried. Their own order holds; within a place
 * IPv6 and IPv4 take turns, that of the first address first (RFC 8305 section
 * 4). What won the last time, or
 * whose turn it is (`--spread`), goes before all of them.
 *
 *      places  pop2 {v6a v6b v4}  pop1 {v4}      order  v6a v4 v6b | v4
 *
 * Turns are smooth weighted round robin: with weights 3, 2, 1 the sequence
 * is a b a c b a. What it remembers is one number for each.
 *
 * Thread:  any.
 * Memory:  the caller's.
 * Errors:  none.
 * Limits:  FETCH_RACE_MAX candidates.
 */
#include "tools/braid_fetch_places.h"
#include "tools/braid_fetch_race.h"

struct fetch_candidate {
	const struct fetch_place *place;
	struct addr addr;
};

/* Returns how many; first NULL: none goes before the others. */
uint32_t fetch_order_make(const struct fetch_places *places,
    const struct addr *first, struct fetch_candidate ret[FETCH_RACE_MAX]);

/* One who takes turns: a place, or an address of the only place. */
struct fetch_turn {
	const uint8_t *name; /* of the place */
	struct addr addr; /* where to begin with it */
	int64_t weight, current;
};

/* The takers, with weights: of n places in ranks the first has n, the last 1;
 * equal ones have the same. Returns how many. */
uint32_t fetch_order_turns(
    const struct fetch_places *places, struct fetch_turn ret[FETCH_PLACES_MAX]);
/* Whose turn it is; changes `current` of all. n > 0. */
uint32_t fetch_order_take_turn(struct fetch_turn *turns, uint32_t n);
