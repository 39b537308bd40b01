/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/lateness.h"

#include <stddef.h>

/* What the wheel itself may be late by. */
#define WHEEL_NS TIMER_TICK_NS

static int64_t overdue_ns(const struct lateness *lateness, struct mono now)
{
	int64_t late = mono_diff_ns(now, lateness->due) - WHEEL_NS;

	return late > 0 ? late : 0;
}

static void beat(struct lateness *lateness, struct mono now)
{
	lateness->due = mono_add_ns(now, lateness->period_ns);
	timer_arm(lateness->wheel, &lateness->timer, lateness->due);
}

static void on_beat(struct timer *timer, struct mono now)
{
	struct lateness *lateness =
	    br_container_of(timer, struct lateness, timer);

	lateness->late_ns += overdue_ns(lateness, now);
	beat(lateness, now);
}

void lateness_init(struct lateness *lateness, struct timer_wheel *wheel)
{
	*lateness = (struct lateness){
	    .wheel = wheel,
	    .period_ns = 25 * NS_PER_MS,
	};
	timer_init(&lateness->timer, on_beat);
}

void lateness_set_period(struct lateness *lateness, int64_t period_ns)
{
	br_assert(period_ns > 0);
	lateness->period_ns = period_ns;
}

void lateness_start(struct lateness *lateness, struct mono now)
{
	if (lateness->running)
		return;
	lateness->running = true;
	beat(lateness, now);
}

void lateness_stop(struct lateness *lateness)
{
	lateness->running = false;
	timer_disarm(lateness->wheel, &lateness->timer);
}

int64_t lateness_sum_ns(const struct lateness *lateness, struct mono now)
{
	if (!lateness->running)
		return lateness->late_ns;
	return lateness->late_ns + overdue_ns(lateness, now);
}
