/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Harness of the micro benchmarks: runs each case of a table often enough to
 * be measured, several times over, and prints what one operation costs.
 *
 *     open ──> run(n) n doubled until it takes MICRO_RUN_NS ──┐ calibration
 *               └──> run(n) x MICRO_RUNS ──> median, quartiles, least
 *
 * Thread:  run() may start threads of its own and must have joined them.
 * Memory:  open() makes the state, close() frees it; both are not measured.
 * Units:   nanoseconds an operation; what an operation is, the name says.
 * Errors:  a case asserts that its results are right (br_assert), so a run
 *          under a sanitizer is a test of it as well.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define MICRO_RUN_NS INT64_C(20000000)
#define MICRO_RUNS 21

enum micro_clock {
	MICRO_CPU, /* of the thread: what else runs does not count */
	MICRO_WALL, /* for cases with several threads */
};

struct micro_case {
	const char *name;
	void *(*open)(uint32_t size);
	/* n operations. What is done outside of micro_stop() and micro_go()
	 * is not counted. */
	void (*run)(void *state, uint64_t n);
	void (*close)(void *state);
	uint32_t size; /* for open */
	enum micro_clock clock;
};

/* Takes the place of main(). Arguments: nothing, or --once (each case with
 * one operation, nothing printed but names: a smoke test), or a part of the
 * names to run. */
int micro_main(
    int argc, char **argv, const struct micro_case *cases, size_t n_cases);
/* Within run(): leaves out preparations between them. */
void micro_stop(void);
void micro_go(void);
/* Keeps the compiler from dropping the computation of the value. */
static inline void micro_use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}
/* malloc'ed and zeroed, aligned to a cache line; ends the process on lack. */
void *micro_alloc(size_t count, size_t bytes);
/* 0..n-1 in random order, the same in each run; the caller frees it. */
uint32_t *micro_shuffled(uint32_t n);
