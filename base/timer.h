/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Hierarchical timer wheel: O(1) to arm, disarm and expire, with the
 * precision of one tick. Timers are embedded in the objects they time.
 *
 *      level 0: 256 slots of 1 tick | level 1: 64 of 256 | ... | level 3
 *
 * A timer never fires early; it may fire up to one tick late. After Varghese
 * and Lauck, "Hashed and Hierarchical Timing Wheels" (1987), scheme 6.
 *
 * Thread:  the owner of the wheel.
 * Memory:  timers belong to the caller and must be disarmed before they die.
 * Units:   deadlines are struct mono; TIMER_TICK_NS a tick.
 * Limits:  a deadline beyond the last level (18 hours) fires there and is
 *          re-armed by the wheel until it is due.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

#define TIMER_TICK_NS (NS_PER_MS)
#define TIMER_LEVELS 4
#define TIMER_SLOTS0 256
#define TIMER_SLOTS 64

struct timer;
typedef void timer_on_expire(struct timer *timer, struct mono now);

struct timer {
	struct list_node link;
	int64_t deadline_tick;
	timer_on_expire *on_expire;
};

struct timer_wheel {
	int64_t now_tick;
	uint32_t armed;
	uint64_t level0_used[TIMER_SLOTS0 / 64]; /* may overstate */
	uint64_t level_used[TIMER_LEVELS - 1]; /* likewise */
	struct list level0[TIMER_SLOTS0];
	struct list level[TIMER_LEVELS - 1][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, struct mono now);
void timer_init(struct timer *timer, timer_on_expire *on_expire);
static inline bool timer_armed(const struct timer *timer)
{
	return list_linked(&timer->link);
}
/* Arms, or moves an armed timer. A deadline in the past fires next turn. */
void timer_arm(
    struct timer_wheel *wheel, struct timer *timer, struct mono deadline);
void timer_disarm(struct timer_wheel *wheel, struct timer *timer);
/* Fires what is due, calling on_expire with the timer already disarmed (so it
 * may arm itself again). Returns how many fired. */
uint32_t timer_wheel_advance(struct timer_wheel *wheel, struct mono now);
/* How long to sleep at most: nanoseconds until the next tick on which
 * something may be due, at most max_ns. 0 when something is due. */
int64_t timer_wheel_sleep_ns(
    const struct timer_wheel *wheel, struct mono now, int64_t max_ns);
