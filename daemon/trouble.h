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
#include "daemon/trouble_listeners.h"
#include "daemon/trouble_tls.h"

#include <stdint.h>

#define TROUBLE_LOOK_MS 1000
#define TROUBLE_KINDS_MAX 16

struct control;

struct trouble {
	struct timer timer;
	struct trouble_sum kinds[TROUBLE_KINDS_MAX];
	struct trouble_tls tls;
	struct trouble_sum checks; /* that are behind their intervals */
	/* Of the plan with this number, in its order. */
	uint64_t plan_number;
	struct trouble_sum *pools;
	struct trouble_listeners listeners;
};

void trouble_start(struct control *control);
void trouble_stop(struct control *control);
