/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/timer.h"

#include <stdlib.h>

/* Deadlines as those of flows: 1 ms to 60 s ahead. */
#define SPREAD_MS 60000
#define DEADLINES 4096

struct bench {
	struct timer_wheel wheel;
	struct timer *timers;
	uint32_t n, next, next_deadline;
	struct mono now;
	uint32_t *order;
	int64_t ahead_ns[DEADLINES];
	uint64_t fired;
};

static struct bench *running;

static struct mono next_deadline(struct bench *b)
{
	return mono_add_ns(b->now, b->ahead_ns[b->next_deadline++ % DEADLINES]);
}

static void on_expire(struct timer *timer, struct mono now)
{
	br_assert(timer->deadline_tick * TIMER_TICK_NS <= now.ns);
	running->fired++;
	timer_arm(&running->wheel, timer, next_deadline(running));
}

static void *bench_open(uint32_t n)
{
	struct bench *b = micro_alloc(1, sizeof *b);
	struct rng rng;

	rng_seed(&rng, 2);
	b->n = n;
	b->now.ns = NS_PER_S;
	b->timers = micro_alloc(n + 1, sizeof *b->timers);
	b->order = micro_shuffled(n);
	for (uint32_t i = 0; i < DEADLINES; i++)
		b->ahead_ns[i] =
		    (int64_t)(1 + rng_below(&rng, SPREAD_MS)) * NS_PER_MS;
	timer_wheel_init(&b->wheel, b->now);
	for (uint32_t i = 0; i <= n; i++)
		timer_init(&b->timers[i], on_expire);
	for (uint32_t i = 0; i < n; i++)
		timer_arm(&b->wheel, &b->timers[i], next_deadline(b));
	running = b;
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	free(b->timers);
	free(b->order);
	free(b);
}

static void run_arm_disarm(void *state, uint64_t n)
{
	struct bench *b = state;
	struct timer *timer = &b->timers[b->n];

	for (uint64_t i = 0; i < n; i++) {
		timer_arm(&b->wheel, timer, next_deadline(b));
		timer_disarm(&b->wheel, timer);
	}
	br_assert(b->wheel.armed == b->n);
}

static void run_move(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		timer_arm(
		    &b->wheel, &b->timers[b->order[b->next]], next_deadline(b));
		if (++b->next == b->n)
			b->next = 0;
	}
}

/* Time goes on until n timers have fired, each armed anew as it fires. */
static void run_expire(void *state, uint64_t n)
{
	struct bench *b = state;
	uint64_t until = b->fired + n;

	while (b->fired < until) {
		b->now = mono_add_ms(b->now, 1);
		(void)timer_wheel_advance(&b->wheel, b->now);
	}
}

static void run_tick(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		b->now = mono_add_ms(b->now, 1);
		micro_use(timer_wheel_advance(&b->wheel, b->now));
		micro_use((uint64_t)timer_wheel_sleep_ns(
		    &b->wheel, b->now, NS_PER_S));
	}
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "timer: " what, .open = bench_open, .run = run_it,     \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("arm and disarm, beside 1,000", run_arm_disarm, 1000),
    CASE("arm and disarm, beside 100,000", run_arm_disarm, 100000),
    CASE("move one of 1,000", run_move, 1000),
    CASE("move one of 100,000", run_move, 100000),
    CASE("expire and arm anew, of 1,000", run_expire, 1000),
    CASE("expire and arm anew, of 100,000", run_expire, 100000),
    CASE("one tick of 1,000, with its timers", run_tick, 1000),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
