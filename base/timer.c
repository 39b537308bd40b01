/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

/*
 * Where a timer lies depends on how far its deadline was away when it was
 * put there, d = deadline_tick - now_tick:
 *
 *      d <= 0            slot of now_tick itself, fired by the next turn
 *      d < 2^8           level 0
 *      d < 2^14, 2^20    level 1, 2
 *      else              level 3, at most 2^26 - 1 ticks ahead
 *
 * When now_tick reaches the first tick of a slot of a higher level, the slot
 * cascades: its timers are placed anew, now nearer. A bit a slot says where
 * something may lie, so a jump of hours visits only slots in use, in order.
 */
#define BITS0 8
#define BITS 6
#define SLOT0_MASK (TIMER_SLOTS0 - 1)
#define SLOT_MASK (TIMER_SLOTS - 1)
#define UPPER_LEVELS (TIMER_LEVELS - 1)
#define REACH_TICKS (INT64_C(1) << (BITS0 + UPPER_LEVELS * BITS))

_Static_assert(TIMER_SLOTS0 == 1 << BITS0 && TIMER_SLOTS == 1 << BITS,
    "slots and bits must agree");
_Static_assert(TIMER_SLOTS == 64, "one word of bits a level");

/* The width of one slot of upper level i (0 is level 1), as a shift. */
static int level_shift(int i)
{
	return BITS0 + i * BITS;
}

static int64_t tick_floor(struct mono t)
{
	return t.ns / TIMER_TICK_NS;
}

static int64_t tick_ceil(struct mono t)
{
	return t.ns / TIMER_TICK_NS + (t.ns % TIMER_TICK_NS > 0);
}

void timer_wheel_init(struct timer_wheel *wheel, struct mono now)
{
	*wheel = (struct timer_wheel){.now_tick = tick_floor(now)};
	for (int i = 0; i < TIMER_SLOTS0; i++)
		list_init(&wheel->level0[i]);
	for (int i = 0; i < UPPER_LEVELS; i++) {
		for (int j = 0; j < TIMER_SLOTS; j++)
			list_init(&wheel->level[i][j]);
	}
}

void timer_init(struct timer *timer, timer_on_expire *on_expire)
{
	list_node_init(&timer->link);
	timer->deadline_tick = 0;
	timer->on_expire = on_expire;
}

static void place_level0(
    struct timer_wheel *wheel, struct timer *timer, int64_t tick)
{
	uint32_t slot = (uint32_t)tick & SLOT0_MASK;

	wheel->level0_used[slot / 64] |= UINT64_C(1) << (slot % 64);
	list_push_back(&wheel->level0[slot], &timer->link);
}

static void place(struct timer_wheel *wheel, struct timer *timer)
{
	int64_t tick = timer->deadline_tick;
	int64_t ahead = tick - wheel->now_tick;
	uint32_t slot;
	int i = 0;

	if (ahead < TIMER_SLOTS0) {
		place_level0(wheel, timer, ahead > 0 ? tick : wheel->now_tick);
		return;
	}
	if (ahead >= REACH_TICKS)
		tick = wheel->now_tick + REACH_TICKS - 1;
	while (
	    i < UPPER_LEVELS - 1 && ahead >= INT64_C(1) << level_shift(i + 1))
		i++;
	slot = (uint32_t)(tick >> level_shift(i)) & SLOT_MASK;
	wheel->level_used[i] |= UINT64_C(1) << slot;
	list_push_back(&wheel->level[i][slot], &timer->link);
}

void timer_arm(
    struct timer_wheel *wheel, struct timer *timer, struct mono deadline)
{
	br_assert(timer->on_expire);
	if (timer_armed(timer))
		list_remove(&timer->link);
	else
		wheel->armed++;
	timer->deadline_tick = tick_ceil(deadline);
	place(wheel, timer);
}

void timer_disarm(struct timer_wheel *wheel, struct timer *timer)
{
	if (!timer_armed(timer))
		return;
	list_remove(&timer->link);
	br_assert(wheel->armed > 0);
	wheel->armed--;
}

/* The first tick in (now_tick, last] whose slot of level 0 holds something,
 * or INT64_MAX. */
static int64_t next_level0(const struct timer_wheel *wheel, int64_t last)
{
	int64_t tick = wheel->now_tick + 1;

	while (tick <= last) {
		uint32_t slot = (uint32_t)tick & SLOT0_MASK;
		uint64_t bits = wheel->level0_used[slot / 64] >> (slot % 64);

		if (!bits) {
			tick += 64 - slot % 64;
			continue;
		}
		tick += __builtin_ctzll(bits);
		if (tick > last)
			break;
		if (!list_empty(&wheel->level0[tick & SLOT0_MASK]))
			return tick;
		tick++;
	}
	return INT64_MAX;
}

/* The first tick after now_tick at which a slot of upper level i that holds
 * something cascades, or INT64_MAX. */
static int64_t next_cascade(const struct timer_wheel *wheel, int i)
{
	int64_t first = (wheel->now_tick >> level_shift(i)) + 1;
	uint32_t turn = (uint32_t)first & SLOT_MASK;
	uint64_t used = wheel->level_used[i];
	uint64_t bits = turn ? used >> turn | used << (64 - turn) : used;

	for (; bits; bits &= bits - 1) {
		int64_t at = first + __builtin_ctzll(bits);

		if (!list_empty(&wheel->level[i][at & SLOT_MASK]))
			return at << level_shift(i);
	}
	return INT64_MAX;
}

/* The first tick after now_tick at which there is anything to do. */
static int64_t next_stop(const struct timer_wheel *wheel)
{
	int64_t boundary = wheel->now_tick | SLOT0_MASK;
	int64_t next;

	/* No cascade comes before the next round of level 0: the usual case
	 * of a busy loop ends here. */
	next = next_level0(wheel, boundary);
	if (next != INT64_MAX)
		return next;
	next = next_level0(wheel, wheel->now_tick + SLOT0_MASK);
	for (int i = 0; i < UPPER_LEVELS; i++) {
		int64_t at = next_cascade(wheel, i);

		if (at < next)
			next = at;
	}
	return next;
}

static void cascade(struct timer_wheel *wheel, int i)
{
	uint32_t slot =
	    (uint32_t)(wheel->now_tick >> level_shift(i)) & SLOT_MASK;
	struct list moved;
	struct list_node *node;

	wheel->level_used[i] &= ~(UINT64_C(1) << slot);
	list_init(&moved);
	list_splice_back(&moved, &wheel->level[i][slot]);
	while ((node = list_pop_front(&moved)))
		place(wheel, br_container_of(node, struct timer, link));
}

/* What has become due at now_tick goes to the end of `due`. */
static void collect(struct timer_wheel *wheel, struct list *due)
{
	uint32_t slot = (uint32_t)wheel->now_tick & SLOT0_MASK;

	for (int i = UPPER_LEVELS - 1; i >= 0; i--) {
		int64_t width = INT64_C(1) << level_shift(i);

		if ((wheel->now_tick & (width - 1)) == 0)
			cascade(wheel, i);
	}
	wheel->level0_used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	list_splice_back(due, &wheel->level0[slot]);
}

/*
 * First all that is due moves to a list of its own and the wheel stands at
 * the new tick; then the callbacks run. So a callback may arm, move or disarm
 * any timer: one on the list is simply unlinked from it, and one armed for
 * the past lies in the current slot until the next turn, so a timer that
 * keeps re-arming itself cannot hold the loop.
 */
uint32_t timer_wheel_advance(struct timer_wheel *wheel, struct mono now)
{
	int64_t target = tick_floor(now);
	struct list due;
	struct list_node *node;
	uint32_t fired = 0;

	if (!wheel->armed) {
		if (target > wheel->now_tick)
			wheel->now_tick = target;
		return 0;
	}
	list_init(&due);
	collect(wheel, &due);
	while (wheel->now_tick < target) {
		int64_t next = next_stop(wheel);

		wheel->now_tick = next < target ? next : target;
		collect(wheel, &due);
	}
	while ((node = list_pop_front(&due))) {
		struct timer *timer = br_container_of(node, struct timer, link);

		wheel->armed--;
		fired++;
		timer->on_expire(timer, now);
	}
	return fired;
}

int64_t timer_wheel_sleep_ns(
    const struct timer_wheel *wheel, struct mono now, int64_t max_ns)
{
	int64_t next, sleep_ns;

	if (!wheel->armed)
		return max_ns;
	if (!list_empty(&wheel->level0[wheel->now_tick & SLOT0_MASK]))
		return 0;
	next = next_stop(wheel);
	if (next > INT64_MAX / TIMER_TICK_NS)
		return max_ns;
	sleep_ns = next * TIMER_TICK_NS - now.ns;
	if (sleep_ns < 0)
		return 0;
	return sleep_ns < max_ns ? sleep_ns : max_ns;
}
