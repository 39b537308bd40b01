/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The error log of the data path. Workers only count; once a second control
 * compares their counters with what it last said and writes one line per kind
 * of trouble, at most one in TROUBLE_QUIET_MS each, with how often it
 * happened. So a storm of failures costs the log some lines and the workers
 * nothing, and an operator without an access log still hears of it.
 *
 *      worker counters ──sums──> more than last said? ──> one warning line
 *
 * Thread:  control.
 * Memory:  embedded in struct control; per-pool and per-listener sums are
 *          allocated per plan.
 */
#include "base/timer.h"

#include <stdint.h>

#define TROUBLE_LOOK_MS 1000
#define TROUBLE_QUIET_MS 10000
#define TROUBLE_KINDS_MAX 16
#define TROUBLE_LISTENER_KINDS 4

struct control;

/* How much was counted when it was last said, and when that was. */
struct trouble_sum {
	uint64_t said;
	int64_t said_ns;
};

struct trouble {
	struct timer timer;
	struct trouble_sum kinds[TROUBLE_KINDS_MAX];
	/* Of the plan with this number, in its order; of each listener
	 * TROUBLE_LISTENER_KINDS. */
	uint64_t plan_number;
	struct trouble_sum *pools, *listeners;
};

void trouble_start(struct control *control);
void trouble_stop(struct control *control);
/* Whether so much more has happened that a line is due; remembers it as said.
 * Pure but for *sum. */
bool trouble_due(
    struct trouble_sum *sum, uint64_t count, int64_t now_ns, uint64_t *ret_new);
