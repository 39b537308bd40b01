/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seeds of simulations that choose at random: all of 1..n, or the only one
 * that the command line names; and which one it was when an assertion of the
 * code under test ends the process.
 *
 * Thread:  the only one of a test program.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t seed, only_seed;

static void seed_on_abort(int signal_number)
{
	char text[48];
	int n = snprintf(text, sizeof text, "failing seed: %llu\n",
	    (unsigned long long)seed);

	(void)!write(STDERR_FILENO, text, (size_t)n);
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

static inline void seed_begin(int argc, char **argv)
{
	if (argc > 1)
		only_seed = strtoull(argv[1], NULL, 10);
	(void)signal(SIGABRT, seed_on_abort);
}

static inline void seed_run_all(uint64_t n, void (*run)(void))
{
	uint64_t last = only_seed ? only_seed : n;

	for (seed = only_seed ? only_seed : 1; seed <= last; seed++)
		run();
}
