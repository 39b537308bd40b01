/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How late our own thread is: a heartbeat on the timer wheel that knows when
 * it should have fired. What it was late by adds up, and whoever measures
 * something notes the sum before and after.
 *
 *      beat      beat                         beat
 *       |---------|·····························|
 *                 due <──── late by this ────>  ran
 *
 * A stall is seen up to one period too short, and only while the heartbeat
 * runs. Late completions come before late timers in a turn of the loop, so
 * a beat that is overdue at the moment of asking counts too.
 *
 * Thread:  the owner of the wheel.
 */
#include "base/timer.h"

struct lateness {
	struct timer timer;
	struct timer_wheel *wheel;
	struct mono due;
	int64_t period_ns;
	int64_t late_ns; /* in all */
	bool running;
};

void lateness_init(struct lateness *lateness, struct timer_wheel *wheel);
/* From the next beat on. */
void lateness_set_period(struct lateness *lateness, int64_t period_ns);
void lateness_start(struct lateness *lateness, struct mono now);
void lateness_stop(struct lateness *lateness);
int64_t lateness_sum_ns(const struct lateness *lateness, struct mono now);
