/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "bench/micro/micro_pool.h"
#include "base/hash.h"
#include "lb/balance.h"
#include "lb/balance_table.h"

#include <stdio.h>
#include <stdlib.h>

/* Connections open at a time: the oldest ends when a new one begins. */
#define OPEN 1024

/* One row an algorithm: the cases are made from it. */
static const struct {
	const char *name;
	enum conf_balance balance;
} algorithms[] = {
    {"rr", CONF_BALANCE_RR},
    {"least", CONF_BALANCE_LEAST},
    {"p2c", CONF_BALANCE_P2C},
    {"source", CONF_BALANCE_SOURCE},
    {"maglev", CONF_BALANCE_MAGLEV},
};
static const uint32_t sizes[] = {2, 100, 10000};

static const uint32_t tables[] = {100, 1000, 10000};

#define CASES (BR_COUNT(algorithms) * (BR_COUNT(sizes) + 1) + BR_COUNT(tables))

struct bench {
	struct micro_pool p;
	struct balance_table *table;
	struct balance balance;
	struct rng rng;
	struct board_row *open[OPEN];
	uint32_t next;
};

/* The algorithm and the number of servers in one word. */
static uint32_t pack(size_t algorithm, uint32_t n_servers)
{
	return (uint32_t)algorithm << 24 | n_servers;
}

static void *bench_open(uint32_t packed)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->p = micro_pool_open(
	    algorithms[packed >> 24].balance, packed & 0xffffff, 1);
	b->table = balance_table_new(b->p.pool);
	br_assert(!balance_init(&b->balance, b->p.pool, b->table));
	rng_seed(&b->rng, 3);
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	balance_fini(&b->balance);
	balance_table_free(b->table);
	micro_pool_close(&b->p);
	free(b);
}

static void run_pick(void *state, uint64_t n)
{
	struct bench *b = state;
	struct balance_ask ask = {.n_tried = 0};

	for (uint64_t i = 0; i < n; i++) {
		struct board_row **place = &b->open[b->next++ % OPEN];
		bool full;
		const struct balance_entry *entry;
		const struct server *server;

		ask.key = hash_u64(b->next, 1);
		entry = balance_pick(&b->balance, &ask, &b->rng, &full);
		br_assert(entry);
		server = entry->server;
		if (*place)
			board_slot_release(*place);
		*place = server->row;
		br_assert(board_slot_take(server->row, 0));
	}
}

/* A health check has changed something: the next pick builds the view. */
static void run_rebuild(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		pool_changed(b->p.pool);
		run_pick(b, 1);
	}
}

/* What a reload does on the clerk for each new pool with balance: maglev. */
static void run_table(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct balance_table *table = balance_table_new(b->p.pool);

		br_assert(table && table->n_places == BALANCE_TABLE_PLACES);
		balance_table_free(table);
	}
}

int main(int argc, char **argv)
{
	static struct micro_case cases[CASES];
	static char names[CASES][64];
	size_t n = 0;

	for (size_t a = 0; a < BR_COUNT(algorithms); a++) {
		for (size_t s = 0; s <= BR_COUNT(sizes); s++) {
			bool rebuild = s == BR_COUNT(sizes);
			uint32_t size = sizes[rebuild ? s - 1 : s];

			(void)snprintf(names[n], sizeof names[n],
			    "balance: %s of %u%s", algorithms[a].name, size,
			    rebuild ? ", after a change" : "");
			cases[n] = (struct micro_case){.name = names[n],
			    .open = bench_open,
			    .run = rebuild ? run_rebuild : run_pick,
			    .close = bench_close,
			    .size = pack(a, size)};
			n++;
		}
	}
	for (size_t t = 0; t < BR_COUNT(tables); t++) {
		(void)snprintf(names[n], sizeof names[n],
		    "balance: maglev table of %u", tables[t]);
		cases[n] = (struct micro_case){.name = names[n],
		    .open = bench_open,
		    .run = run_table,
		    .close = bench_close,
		    .size = pack(BR_COUNT(algorithms) - 1, tables[t])};
		n++;
	}
	return micro_main(argc, argv, cases, n);
}
