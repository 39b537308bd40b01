/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_order.h"

#include "base/assert.h"

/* What a file that somebody edited may say: no sum of these overflows. */
#define CURRENT_MAX INT64_C(1000000)

static bool has(
    const struct fetch_candidate *list, uint32_t n, const struct addr *addr)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_equal(&list[i].addr, addr))
			return true;
	return false;
}

/* The k-th address of a family in the place; NULL: there are fewer. */
static const struct addr *kth(
    const struct fetch_place *place, int family, uint32_t k)
{
	for (uint32_t i = 0; i < place->n; i++) {
		if (place->addrs[i].sa.sa_family == family && !k--)
			return &place->addrs[i];
	}
	return NULL;
}

static void add(struct fetch_candidate *list, uint32_t *n,
    const struct fetch_place *place, const struct addr *addr)
{
	if (!addr || *n == FETCH_RACE_MAX || has(list, *n, addr))
		return;
	list[*n].place = place;
	list[*n].addr = *addr;
	++*n;
}

uint32_t fetch_order_make(const struct fetch_places *places,
    const struct addr *first, struct fetch_candidate ret[FETCH_RACE_MAX])
{
	uint32_t n = 0;

	for (uint32_t p = 0; first && p < places->n && !n; p++) {
		const struct fetch_place *place = &places->at[p];

		for (uint32_t i = 0; i < place->n && !n; i++)
			if (addr_equal(&place->addrs[i], first))
				add(ret, &n, place, first);
	}
	for (uint32_t p = 0; p < places->n; p++) {
		const struct fetch_place *place = &places->at[p];

		int best = place->n ? place->addrs[0].sa.sa_family : AF_INET6;
		int other = best == AF_INET ? AF_INET6 : AF_INET;

		for (uint32_t k = 0; k < place->n; k++) {
			add(ret, &n, place, kth(place, best, k));
			add(ret, &n, place, kth(place, other, k));
		}
	}
	return n;
}

/* -- turns ------------------------------------------------------------- */

static uint32_t count(const struct fetch_place *place, int family)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < place->n; i++)
		n += place->addrs[i].sa.sa_family == family;
	return n;
}

/* A POP may have an address of each family, or of one only: it has as many
 * turns as others when those of one family count, the one of which there are
 * more, else the better one. */
static uint32_t turns_of_addrs(
    const struct fetch_place *place, struct fetch_turn *ret)
{
	uint32_t n4 = count(place, AF_INET), n6 = count(place, AF_INET6);
	int family = n4 > n6 ? AF_INET : AF_INET6;
	uint32_t n = 0;

	if (n4 == n6 && place->n)
		family = place->addrs[0].sa.sa_family;
	for (uint32_t i = 0; i < place->n; i++)
		if (place->addrs[i].sa.sa_family == family)
			ret[n++] = (struct fetch_turn){.name = place->name,
			    .addr = place->addrs[i],
			    .weight = 1};
	return n;
}

uint32_t fetch_order_turns(
    const struct fetch_places *places, struct fetch_turn ret[FETCH_PLACES_MAX])
{
	struct fetch_candidate order[FETCH_RACE_MAX];
	uint32_t n = 0, ordered = fetch_order_make(places, NULL, order);
	uint32_t last = 0;

	_Static_assert(FETCH_ADDRS_MAX <= FETCH_PLACES_MAX, "room for them");
	if (places->n == 1)
		return turns_of_addrs(&places->at[0], ret);
	for (uint32_t i = 0; i < ordered; i++) {
		const struct fetch_place *place = order[i].place;

		if (place->is_last_resort || (i && order[i - 1].place == place))
			continue;
		ret[n++] = (struct fetch_turn){.name = place->name,
		    .addr = order[i].addr,
		    .weight = place->rank};
		if (place->rank > last)
			last = place->rank;
	}
	for (uint32_t i = 0; i < n; i++)
		ret[i].weight = last + 1 - ret[i].weight;
	return n;
}

uint32_t fetch_order_take_turn(struct fetch_turn *turns, uint32_t n)
{
	int64_t total = 0;
	uint32_t best = 0;

	br_assert(n > 0);
	for (uint32_t i = 0; i < n; i++) {
		struct fetch_turn *turn = &turns[i];

		if (turn->current > CURRENT_MAX || turn->current < -CURRENT_MAX)
			turn->current = 0;
		turn->current += turn->weight;
		total += turn->weight;
		if (turn->current > turns[best].current)
			best = i;
	}
	turns[best].current -= total;
	return best;
}
