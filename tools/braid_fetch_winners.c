/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_winners.h"

#include "base/prefix.h"
#include "tools/braid_fetch_memory.h"
#include "tools/braid_fetch_prefer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINNER_S 600
#define TURN_S 86400
#define NETWORK_BITS_IPV4 24
#define NETWORK_BITS_IPV6 56

/* -- the folder and the key -------------------------------------------- */

void fetch_winners_init(struct fetch_winners *winners,
    const struct fetch_options *options, const struct fetch_say *say)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n = -1;

	*winners = (struct fetch_winners){.options = options, .say = say};
	if (!options->remember && !options->spread)
		return;
	/* The XDG base directory specification: relative paths are ignored. */
	if (cache && *cache == '/')
		n = snprintf(winners->folder_text, sizeof winners->folder_text,
		    "%s/braid-fetch", cache);
	else if (home && *home == '/')
		n = snprintf(winners->folder_text, sizeof winners->folder_text,
		    "%s/.cache/braid-fetch", home);
	if (n > 0 && (size_t)n < sizeof winners->folder_text)
		winners->folder = winners->folder_text;
}

/* The network of the local address that leads there; nothing is sent. */
static bool network_to(const struct addr *to, char ret[PREFIX_TEXT_MAX])
{
	struct prefix prefix;
	struct addr local;

	if (!fetch_prefer_source(NULL, to, &local) ||
	    !prefix_of_addr(&prefix, &local))
		return false;
	prefix_cut(&prefix, to->sa.sa_family == AF_INET ? NETWORK_BITS_IPV4
							: NETWORK_BITS_IPV6);
	(void)prefix_format(&prefix, ret);
	return true;
}

static void add_network(struct fetch_winners *winners,
    const struct fetch_places *places, int family)
{
	struct fetch_candidate order[FETCH_RACE_MAX];
	uint32_t n = fetch_order_make(places, NULL, order);
	size_t length = strlen(winners->key);
	char text[PREFIX_TEXT_MAX];

	for (uint32_t i = 0; i < n; i++) {
		if (order[i].addr.sa.sa_family != family)
			continue;
		if (network_to(&order[i].addr, text))
			(void)snprintf(winners->key + length,
			    sizeof winners->key - length, "@%s", text);
		return;
	}
}

void fetch_winners_begin(struct fetch_winners *winners,
    const struct fetch_origin *origin, const struct fetch_places *places)
{
	(void)snprintf(winners->key, sizeof winners->key, "%s://%s:%u",
	    origin->https ? "https" : "http", origin->host, origin->port);
	add_network(winners, places, AF_INET);
	add_network(winners, places, AF_INET6);
}

/* -- changes ----------------------------------------------------------- */

struct change {
	const struct fetch_winners *winners;
	const struct fetch_places *places;
	int64_t now_s;
	struct addr addr;
	bool found;
};

static void update(struct change *change, fetch_memory_change *apply)
{
	const struct fetch_winners *winners = change->winners;
	int err;

	change->now_s = wall_now().ns / NS_PER_S;
	if (!winners->folder)
		return;
	err =
	    fetch_memory_update(winners->folder, change->now_s, apply, change);
	if (err)
		fetch_say(winners->say, "memory", NULL, NULL,
		    "nothing is remembered: %s: %s", winners->folder,
		    br_strerror(err));
}

static bool find_winner(void *context, struct fetch_memory *memory)
{
	struct change *change = context;
	const struct fetch_note *note =
	    fetch_memory_find(memory, NOTE_WINNER, change->winners->key, NULL);

	change->found = note && !addr_parse(&change->addr, note->subject);
	return false;
}

static bool is_named(const struct fetch_places *places, const struct addr *addr)
{
	for (uint32_t p = 0; p < places->n; p++)
		for (uint32_t i = 0; i < places->at[p].n; i++)
			if (addr_equal(&places->at[p].addrs[i], addr))
				return true;
	return false;
}

/* What the turn of a place, or of an address of the only one, is kept by. */
static void subject_of(const struct fetch_places *places,
    const struct fetch_turn *turn, char ret[DNAME_TEXT_MAX])
{
	if (places->n == 1)
		(void)addr_format(&turn->addr, ret);
	else
		(void)dname_to_text(turn->name, ret);
}

static bool take_turn(void *context, struct fetch_memory *memory)
{
	struct change *change = context;
	const char *key = change->winners->key;
	struct fetch_turn turns[FETCH_PLACES_MAX];
	uint32_t n = fetch_order_turns(change->places, turns);
	char subject[DNAME_TEXT_MAX];

	for (uint32_t i = 0; i < n; i++) {
		const struct fetch_note *note;

		subject_of(change->places, &turns[i], subject);
		note = fetch_memory_find(memory, NOTE_TURN, key, subject);
		turns[i].current = note ? note->number : 0;
	}
	if (!n)
		return false;
	change->addr = turns[fetch_order_take_turn(turns, n)].addr;
	change->found = true;
	for (uint32_t i = 0; i < n; i++) {
		subject_of(change->places, &turns[i], subject);
		fetch_memory_put(memory, NOTE_TURN, key, subject, subject,
		    turns[i].current, change->now_s + TURN_S);
	}
	return true;
}

bool fetch_winners_first(const struct fetch_winners *winners,
    const struct fetch_places *places, struct addr *ret)
{
	struct change change = {.winners = winners, .places = places};
	bool spread = winners->options->spread;

	update(&change, spread ? take_turn : find_winner);
	if (!change.found)
		return false;
	if (spread) {
		fetch_say(
		    winners->say, "spread", NULL, &change.addr, "has its turn");
	} else if (!is_named(places, &change.addr)) {
		fetch_say(winners->say, "memory", NULL, &change.addr,
		    "won the last time, but is not named any more");
		return false;
	} else {
		fetch_say(winners->say, "memory", NULL, &change.addr,
		    "won the last time, goes first");
	}
	*ret = change.addr;
	return true;
}

static bool put_winner(void *context, struct fetch_memory *memory)
{
	struct change *change = context;
	char text[ADDR_TEXT_MAX];

	(void)addr_format(&change->addr, text);
	fetch_memory_put(memory, NOTE_WINNER, change->winners->key, NULL, text,
	    0, change->now_s + WINNER_S);
	return true;
}

static bool drop_winner(void *context, struct fetch_memory *memory)
{
	struct change *change = context;
	char text[ADDR_TEXT_MAX];
	struct fetch_note *note;

	(void)addr_format(&change->addr, text);
	note =
	    fetch_memory_find(memory, NOTE_WINNER, change->winners->key, text);
	if (!note)
		return false;
	fetch_memory_drop(memory, note);
	change->found = true;
	return true;
}

void fetch_winners_won(
    const struct fetch_winners *winners, const struct fetch_candidate *winner)
{
	struct change change = {.winners = winners, .addr = winner->addr};

	if (!winners->options->remember || winners->options->spread)
		return;
	update(&change, put_winner);
	if (winners->folder)
		fetch_say(winners->say, "memory", NULL, &winner->addr,
		    "remembered for %d s", WINNER_S);
}

void fetch_winners_failed(
    const struct fetch_winners *winners, const struct fetch_candidate *loser)
{
	struct change change = {.winners = winners, .addr = loser->addr};

	if (!winners->options->remember || winners->options->spread)
		return;
	update(&change, drop_winner);
	if (change.found)
		fetch_say(
		    winners->say, "memory", NULL, &loser->addr, "forgotten");
}
