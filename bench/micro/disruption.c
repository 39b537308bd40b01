/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docs/performance.md says of source and maglev: how many clients move
 * when one of n servers leaves, against the ideal (its own share), and how
 * even the shares are. Each line is one way to do it:
 *
 *   kept     the table stays, who is away is passed over (lb/balance_maglev)
 *   rebuilt  the table is built anew without the server, as a new file does
 *   source   rendezvous hashing
 *
 * Counts, not times: nothing here depends on the machine.
 */
#include "base/assert.h"
#include "base/hash.h"
#include "lb/balance.h"
#include "lb/balance_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVERS 5u

struct side {
	struct board *board;
	struct pool *pool;
	struct balance_table *table;
	struct balance balance;
	struct rng rng;
};

static void *need(size_t n, size_t bytes)
{
	void *memory = calloc(n, bytes);

	br_assert(memory);
	return memory;
}

/* All servers but `without`; their names are their numbers. */
static struct side side_open(
    enum conf_balance balance, uint32_t n, uint32_t without, uint32_t places)
{
	struct conf_server *servers = need(n, sizeof *servers);
	char(*names)[16] = need(n, sizeof *names);
	struct conf_pool conf = {.name = "o",
	    .balance = balance,
	    .servers = servers,
	    .maglev_table = places};
	struct side side = {.board = board_new(1)};

	for (uint32_t i = 0; i < n; i++) {
		struct conf_server *server = &servers[conf.n_servers];

		if (i == without)
			continue;
		(void)snprintf(names[i], sizeof names[i], "%u", i);
		server->name = server->instance = names[i];
		server->weight = 1;
		br_assert(!addr_parse(&server->addr, "192.0.2.1:1"));
		addr_set_port(&server->addr, (uint16_t)(i + 1));
		conf.n_servers++;
	}
	side.pool = pool_new(&conf, side.board);
	side.table = balance_table_new(side.pool);
	br_assert(!balance_init(&side.balance, side.pool, side.table));
	rng_seed(&side.rng, 1);
	free(servers);
	free(names);
	return side;
}

static void side_close(struct side *side)
{
	balance_fini(&side->balance);
	balance_table_free(side->table);
	pool_free(side->pool, side->board);
	board_free(side->board);
}

static void side_set_health(
    struct side *side, uint32_t server, enum board_health health)
{
	struct board_facts facts;

	board_read(side->pool->servers[server].row, &facts);
	facts.health = health;
	board_write(side->pool->servers[server].row, &facts);
	pool_changed(side->pool);
}

static void map(struct side *side, uint32_t n_keys, uint32_t *ret)
{
	for (uint32_t i = 0; i < n_keys; i++) {
		struct balance_ask ask = {.key = hash_u64(i, 11)};
		bool full = false;
		const struct balance_entry *entry =
		    balance_pick(&side->balance, &ask, &side->rng, &full);

		br_assert(entry);
		ret[i] = (uint32_t)atoi(entry->server->name);
	}
}

struct result {
	uint64_t moved, ideal;
	double most; /* clients of the most loaded server, over the mean */
};

static double most_over_mean(
    const uint32_t *at, uint32_t n_keys, uint32_t n, uint32_t n_alive)
{
	uint32_t *count = need(n, sizeof *count), most = 0;

	for (uint32_t i = 0; i < n_keys; i++)
		if (++count[at[i]] > most)
			most = count[at[i]];
	free(count);
	return (double)most * n_alive / n_keys;
}

static void compare(struct result *result, const uint32_t *before,
    const uint32_t *after, uint32_t n_keys, uint32_t gone)
{
	for (uint32_t i = 0; i < n_keys; i++) {
		result->moved += before[i] != after[i];
		result->ideal += before[i] == gone;
		br_assert(after[i] != gone);
	}
}

static void measure(const char *what, enum conf_balance balance, uint32_t n,
    uint32_t places, bool rebuild, uint32_t n_keys)
{
	struct side side = side_open(balance, n, UINT32_MAX, places);
	uint32_t *before = need(n_keys, sizeof *before);
	uint32_t *after = need(n_keys, sizeof *after);
	struct result result = {.moved = 0};
	double most;

	map(&side, n_keys, before);
	most = most_over_mean(before, n_keys, n, n);
	for (uint32_t i = 0; i < LEAVERS; i++) {
		uint32_t gone = (2 * i + 1) * n / (2 * LEAVERS);

		if (rebuild) {
			struct side next = side_open(balance, n, gone, places);

			map(&next, n_keys, after);
			side_close(&next);
		} else {
			side_set_health(&side, gone, BOARD_DOWN);
			map(&side, n_keys, after);
			side_set_health(&side, gone, BOARD_UP);
		}
		compare(&result, before, after, n_keys, gone);
		result.most = most_over_mean(after, n_keys, n, n - 1);
	}
	printf("%-8s %6u %8u %8.3f %10.3f %8.3f %8.3f\n", what, n, places,
	    (double)result.moved / (double)result.ideal,
	    (double)result.moved * n / LEAVERS / n_keys, most, result.most);
	br_assert(rebuild || result.moved == result.ideal);
	free(before);
	free(after);
	side_close(&side);
}

int main(int argc, char **argv)
{
	bool once = argc > 1 && !strcmp(argv[1], "--once");
	uint32_t n_keys = once ? 20000 : 2000000;

	printf(
	    "way     servers    table moved/own moved*n/keys  most    after\n");
	for (uint32_t n = 10; n <= (once ? 10u : 1000u); n *= 10) {
		measure("kept", CONF_BALANCE_MAGLEV, n, 65537, false, n_keys);
		measure("rebuilt", CONF_BALANCE_MAGLEV, n, 65537, true, n_keys);
		measure("kept", CONF_BALANCE_MAGLEV, n, 655373, false, n_keys);
		measure(
		    "rebuilt", CONF_BALANCE_MAGLEV, n, 655373, true, n_keys);
		measure("source", CONF_BALANCE_SOURCE, n, 0, false,
		    n_keys / (n > 100 ? 10 : 1));
	}
	return 0;
}
