/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "bench/micro/micro_pool.h"

#include <stdlib.h>

struct bench {
	struct micro_pool p;
	uint32_t *order;
	uint32_t n, next;
};

static void *bench_open(uint32_t n)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->n = n;
	b->p = micro_pool_open(CONF_BALANCE_P2C, n, 2);
	b->order = micro_shuffled(n);
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	micro_pool_close(&b->p);
	free(b->order);
	free(b);
}

static struct board_row *next_row(struct bench *b)
{
	if (b->next == b->n)
		b->next = 0;
	return b->p.pool->servers[b->order[b->next++]].row;
}

static void run_read(void *state, uint64_t n)
{
	struct board_facts facts;

	for (uint64_t i = 0; i < n; i++) {
		board_read(next_row(state), &facts);
		micro_use(facts.health);
	}
}

static void run_write(void *state, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct board_row *row = next_row(state);
		struct board_facts facts = row->facts;

		facts.checks++;
		board_write(row, &facts);
	}
}

static void run_slot(void *state, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct board_row *row = next_row(state);

		br_assert(board_slot_take(row, 100));
		board_slot_release(row);
	}
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "board: " what, .open = bench_open, .run = run_it,     \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("read one row", run_read, 1),
    CASE("read of 10,000 rows at random", run_read, 10000),
    CASE("write one row", run_write, 1),
    CASE("take and release a slot", run_slot, 1),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
