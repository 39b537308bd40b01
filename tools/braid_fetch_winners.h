/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where to begin: with the place that won the last time, or with the one
 * whose turn it is (`--spread`). Both are remembered for a resource (scheme,
 * host, port) as seen from a network: the prefix, /24 or /56, of the local
 * addresses that lead to it. A laptop that moves begins anew.
 *
 * A winner goes first only while the DNS still names it, so that a POP that
 * is being drained is left at the next fetch.
 *
 * Thread:  the only one; processes lock each other out.
 * Memory:  in place.
 * Errors:  none: what cannot be remembered is said with -v.
 */
#include "tools/braid_fetch_order.h"
#include "tools/braid_fetch_resolve.h"

struct fetch_winners {
	const struct fetch_options *options;
	const struct fetch_say *say;
	const char *folder; /* NULL: nothing is remembered */
	char folder_text[512];
	char key[384];
};

void fetch_winners_init(struct fetch_winners *winners,
    const struct fetch_options *options, const struct fetch_say *say);
/* The resource whose places these are. */
void fetch_winners_begin(struct fetch_winners *winners,
    const struct fetch_origin *origin, const struct fetch_places *places);
/* The address to begin with; false: there is none. */
bool fetch_winners_first(const struct fetch_winners *winners,
    const struct fetch_places *places, struct addr *ret);
void fetch_winners_won(
    const struct fetch_winners *winners, const struct fetch_candidate *winner);
/* Forgets it, if it is the one. */
void fetch_winners_failed(
    const struct fetch_winners *winners, const struct fetch_candidate *loser);
