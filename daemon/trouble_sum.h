/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * When a kind of trouble is said again: at most once in TROUBLE_QUIET_MS,
 * then with all that has happened since.
 *
 * Thread:  control.
 */
#include <stdbool.h>
#include <stdint.h>

#define TROUBLE_QUIET_MS 10000

/* How much was counted when it was last said, and when that was. */
struct trouble_sum {
	uint64_t said;
	int64_t said_ns;
};

/* Whether so much more has happened that a line is due; remembers it as said.
 * Pure but for *sum. */
bool trouble_due(
    struct trouble_sum *sum, uint64_t count, int64_t now_ns, uint64_t *ret_new);
