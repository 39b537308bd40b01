/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/balance_table.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Constant, so that every Braid with the same names has the same table. */
#define SEED_NAME 0x6d61676c65760001u
#define SEED_OFFSET 1u
#define SEED_SKIP 2u

/* One server's walk over its permutation. */
struct walk {
	uint32_t at, skip; /* the next place, and the step to the one after */
	uint64_t due; /* weights summed up until its next turn */
};

_Static_assert(CONF_SERVERS_MAX <= 65536, "an index is 16 bits");

static void walks_init(const struct pool *pool,
    const struct balance_table *table, struct walk *walks)
{
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		uint64_t seed = table->seeds[i];

		walks[i].at =
		    (uint32_t)(hash_u64(seed, SEED_OFFSET) % table->n_places);
		walks[i].skip = 1 + (uint32_t)(hash_u64(seed, SEED_SKIP) %
					       (table->n_places - 1));
	}
}

static uint32_t walk_next_free(
    struct walk *walk, const uint8_t *taken, uint32_t n_places)
{
	uint32_t place;

	do {
		place = walk->at;
		walk->at += walk->skip;
		if (walk->at >= n_places)
			walk->at -= n_places;
	} while (taken[place]);
	return place;
}

static uint32_t heaviest(const struct pool *pool)
{
	uint32_t most = 1;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		if (balance_table_weight(&pool->servers[i]) > most)
			most = balance_table_weight(&pool->servers[i]);
	return most;
}

/* In each round the heaviest has a turn, and a server of half its weight in
 * every other. */
static void fill(const struct pool *pool, struct balance_table *table,
    struct walk *walks, uint8_t *taken)
{
	uint32_t most = heaviest(pool), n_taken = 0;

	for (;;) {
		for (uint32_t i = 0; i < pool->n_servers; i++) {
			uint32_t place;

			walks[i].due += balance_table_weight(&pool->servers[i]);
			if (walks[i].due < most)
				continue;
			walks[i].due -= most;
			place =
			    walk_next_free(&walks[i], taken, table->n_places);
			taken[place] = 1;
			table->places[place] = (uint16_t)i;
			if (++n_taken == table->n_places)
				return;
		}
	}
}

static bool build(const struct pool *pool, struct balance_table *table)
{
	struct walk *walks = calloc(pool->n_servers, sizeof *walks);
	uint8_t *taken = calloc(table->n_places, 1);
	bool done = walks && taken;

	if (done) {
		walks_init(pool, table, walks);
		fill(pool, table, walks, taken);
	}
	free(taken);
	free(walks);
	return done;
}

struct balance_table *balance_table_new(const struct pool *pool)
{
	struct balance_table *table = calloc(1, sizeof *table);
	bool maglev = pool->balance == CONF_BALANCE_MAGLEV && pool->n_servers;
	uint32_t places =
	    pool->maglev_table ? pool->maglev_table : BALANCE_TABLE_PLACES;

	if (!table)
		return NULL;
	table->n_places = maglev ? places : 0;
	table->seeds =
	    calloc((size_t)pool->n_servers + 1, sizeof *table->seeds);
	table->places =
	    calloc((size_t)table->n_places + 1, sizeof *table->places);
	for (uint32_t i = 0; table->seeds && i < pool->n_servers; i++) {
		const char *name = pool->servers[i].instance;

		table->seeds[i] = hash_bytes(name, strlen(name), SEED_NAME);
	}
	if (table->seeds && table->places && (!maglev || build(pool, table)))
		return table;
	balance_table_free(table);
	return NULL;
}

void balance_table_free(struct balance_table *table)
{
	if (!table)
		return;
	free(table->places);
	free(table->seeds);
	free(table);
}
