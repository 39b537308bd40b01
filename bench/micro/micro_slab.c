/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/slab.h"

#include <stdlib.h>

/* As large as a flow. */
#define OBJECT_BYTES 448
#define IN_USE 10000

struct bench {
	struct slab slab;
	void **objects;
	uint32_t *order;
	uint32_t limit;
};

static void *bench_open(uint32_t limit)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->limit = limit;
	b->objects = micro_alloc(IN_USE, sizeof *b->objects);
	b->order = micro_shuffled(IN_USE);
	br_assert(!slab_init(&b->slab, "bench", OBJECT_BYTES, limit));
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	slab_fini(&b->slab);
	free(b->objects);
	free(b->order);
	free(b);
}

static void run_pair(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		void *object = slab_new(&b->slab);

		micro_use((uintptr_t)object);
		slab_free(&b->slab, object);
	}
	br_assert(b->slab.used == 0);
}

/* IN_USE live objects; the oldest in a random order gives way to a new one. */
static void run_churn(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		void **place = &b->objects[b->order[i % IN_USE]];

		if (*place)
			slab_free(&b->slab, *place);
		*place = slab_new(&b->slab);
		br_assert(*place);
		*(uint64_t *)*place = i;
	}
}

/* The kernel's share of a new object: its page is touched first. */
static void run_first(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t *object;

		if (b->slab.touched == b->limit) {
			micro_stop();
			slab_fini(&b->slab);
			br_assert(!slab_init(
			    &b->slab, "bench", OBJECT_BYTES, b->limit));
			micro_go();
		}
		object = slab_new(&b->slab);
		*object = i;
	}
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "slab: " what, .open = bench_open, .run = run_it,      \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("new and free, the same object", run_pair, 2 * IN_USE),
    CASE("new and free amid 10,000, at random", run_churn, 2 * IN_USE),
    CASE("new for the first time (448 bytes)", run_first, 2 * IN_USE),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
