/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer of the DNS as braid-fetch reads it: the first byte says what was
 * asked. Whatever it is, names are whole, and places are found in bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tools/braid_fetch_order.h"

static const uint16_t types[] = {RR_A, RR_AAAA, RR_HTTPS, RR_NS};
static const uint8_t www[] = "\3www\4test";
static struct fetch_answer answer;

/* The same answer to every question. */
static const struct fetch_answer *look(
    void *context, const uint8_t *name, uint16_t type)
{
	(void)context;
	(void)type;
	br_assert(dname_measure(name, DNAME_MAX));
	return &answer;
}

static void check_record(const struct fetch_record *record)
{
	bool is_addr = record->type == RR_A || record->type == RR_AAAA;

	br_assert(dname_measure(record->owner, DNAME_MAX));
	br_assert(is_addr == (record->addr.length > 0));
	if (!is_addr)
		br_assert(dname_measure(record->target, DNAME_MAX));
	br_assert(record->ttl_s <= 0x7fffffff);
	br_assert(record->service.n_hints <= 2 * FETCH_HINTS_MAX);
}

static void check_places(bool https)
{
	static struct fetch_places places;
	static struct fetch_candidate order[FETCH_RACE_MAX];
	static struct fetch_turn turns[FETCH_PLACES_MAX];
	struct rng rng;
	struct fetch_wanted wanted = {.host = www,
	    .port = 443,
	    .https = https,
	    .ipv4 = true,
	    .ipv6 = true,
	    .look = look,
	    .rng = &rng};
	uint32_t n;

	rng_seed(&rng, 1);
	fetch_places_find(&wanted, &places);
	br_assert(places.n <= FETCH_PLACES_MAX);
	n = fetch_order_make(&places, NULL, order);
	for (uint32_t i = 0; i < n; i++)
		br_assert(addr_port(&order[i].addr) == order[i].place->port);
	n = fetch_order_turns(&places, turns);
	br_assert(n <= FETCH_PLACES_MAX);
	if (n)
		br_assert(fetch_order_take_turn(turns, n) < n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t type;
	uint8_t *bytes;

	if (!size)
		return 0;
	type = types[data[0] % BR_COUNT(types)];
	/* A block of its own, so that reading beyond it is seen. */
	bytes = malloc(size);
	br_assert(bytes);
	memcpy(bytes, data + 1, size - 1);
	if (fetch_answer_read(bytes, size - 1, www, type, &answer))
		answer.n = 0;
	free(bytes);
	br_assert(answer.n <= FETCH_RECORDS_MAX);
	for (uint32_t i = 0; i < answer.n; i++)
		check_record(&answer.records[i]);
	check_places(type == RR_HTTPS);
	return 0;
}
