/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static clockid_t clock_in_use;
static int64_t started_ns, counted_ns;

static int64_t clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(clock_in_use, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void micro_stop(void)
{
	counted_ns += clock_ns() - started_ns;
}

void micro_go(void)
{
	started_ns = clock_ns();
}

void *micro_alloc(size_t count, size_t bytes)
{
	size_t total = (count * bytes + 63) & ~(size_t)63;
	void *ret = aligned_alloc(64, total ? total : 64);

	if (!ret)
		br_out_of_memory("a benchmark", total);
	memset(ret, 0, total);
	return ret;
}

uint32_t *micro_shuffled(uint32_t n)
{
	uint32_t *order = micro_alloc(n, sizeof *order);
	struct rng rng;

	rng_seed(&rng, 1);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = rng_below(&rng, i), kept = order[j];

		order[j] = order[i - 1];
		order[i - 1] = kept;
	}
	return order;
}

static int64_t run_ns(const struct micro_case *c, void *state, uint64_t n)
{
	clock_in_use =
	    c->clock == MICRO_CPU ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
	counted_ns = 0;
	micro_go();
	c->run(state, n);
	micro_stop();
	return counted_ns;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(const struct micro_case *c, void *state)
{
	double each[MICRO_RUNS];
	uint64_t n = 1;

	while (run_ns(c, state, n) < MICRO_RUN_NS)
		n *= 2;
	for (int i = 0; i < MICRO_RUNS; i++)
		each[i] = (double)run_ns(c, state, n) / (double)n;
	qsort(each, MICRO_RUNS, sizeof each[0], compare_doubles);
	(void)printf("%-44s %12.1f  %11.1f..%-11.1f %11.1f\n", c->name,
	    each[MICRO_RUNS / 2], each[MICRO_RUNS / 4],
	    each[MICRO_RUNS * 3 / 4], each[0]);
	(void)fflush(stdout);
}

static void run_case(const struct micro_case *c, bool once)
{
	void *state = c->open(c->size);

	br_assert(state);
	if (once) {
		(void)run_ns(c, state, 1);
		(void)printf("%s\n", c->name);
	} else {
		measure(c, state);
	}
	c->close(state);
}

int micro_main(
    int argc, char **argv, const struct micro_case *cases, size_t n_cases)
{
	bool once = argc > 1 && !strcmp(argv[1], "--once");
	const char *part = argc > 1 && !once ? argv[1] : "";
	bool found = false;

	if (argc > 2) {
		(void)fprintf(stderr, "usage: %s [--once | NAME]\n", argv[0]);
		return 64;
	}
	if (!once)
		(void)printf("%-44s %12s  %11s  %-11s %11s\n",
		    "ns an operation", "median", "quartiles", "", "least");
	for (size_t i = 0; i < n_cases; i++) {
		if (!strstr(cases[i].name, part))
			continue;
		found = true;
		run_case(&cases[i], once);
	}
	return found ? 0 : 1;
}
