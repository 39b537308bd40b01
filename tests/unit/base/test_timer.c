/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#define HOUR_MS INT64_C(3600000)

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ms * NS_PER_MS};
}

/* -- single timers ------------------------------------------------------- */

struct probe {
	struct timer timer;
	int fired;
	int order; /* of the firing within all of the test */
};

static int firings;

static void on_probe(struct timer *timer, struct mono now)
{
	struct probe *probe = br_container_of(timer, struct probe, timer);

	(void)now;
	ck_assert(!timer_armed(timer));
	probe->fired++;
	probe->order = ++firings;
}

static void probe_arm(
    struct timer_wheel *wheel, struct probe *probe, struct mono deadline)
{
	*probe = (struct probe){0};
	timer_init(&probe->timer, on_probe);
	timer_arm(wheel, &probe->timer, deadline);
}

START_TEST(test_never_early_and_at_most_one_tick_late)
{
	static const int64_t ahead_ms[] = {1, 2, 255, 256, 257, 16383, 16384,
	    16385, 1048575, 1048576, 1048577, 67108863, 67108864, 67108865,
	    100 * HOUR_MS};
	/* Some starts lie just before and after a boundary of each level. */
	static const int64_t start_ms[] = {0, 1, 255, 256, 16383, 16384,
	    1048575, 1048577, 67108863, 67108864, 67109119};
	static struct timer_wheel wheel;

	for (size_t i = 0; i < BR_COUNT(start_ms); i++) {
		for (size_t j = 0; j < BR_COUNT(ahead_ms); j++) {
			struct probe probe;
			struct mono deadline = at_ms(start_ms[i] + ahead_ms[j]);

			timer_wheel_init(&wheel, at_ms(start_ms[i]));
			probe_arm(&wheel, &probe, deadline);
			timer_wheel_advance(&wheel, mono_add_ns(deadline, -1));
			ck_assert_int_eq(probe.fired, 0);
			timer_wheel_advance(&wheel, deadline);
			ck_assert_int_eq(probe.fired, 1);
			ck_assert_uint_eq(wheel.armed, 0);
		}
	}
}
END_TEST

START_TEST(test_part_of_a_tick_rounds_up)
{
	static struct timer_wheel wheel;
	struct probe probe;

	timer_wheel_init(&wheel, at_ms(10));
	probe_arm(&wheel, &probe, mono_add_ns(at_ms(12), 1));
	timer_wheel_advance(&wheel, mono_add_ns(at_ms(12), 999999));
	ck_assert_int_eq(probe.fired, 0);
	timer_wheel_advance(&wheel, at_ms(13));
	ck_assert_int_eq(probe.fired, 1);
}
END_TEST

START_TEST(test_past_deadline_fires_next_turn)
{
	static struct timer_wheel wheel;
	struct probe probe;

	timer_wheel_init(&wheel, at_ms(5000));
	probe_arm(&wheel, &probe, at_ms(3));
	ck_assert_int_eq(timer_wheel_sleep_ns(&wheel, at_ms(5000), 77), 0);
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(5000)), 1);
	ck_assert_int_eq(probe.fired, 1);
	/* Also when the time has jumped over several rounds since. */
	probe_arm(&wheel, &probe, at_ms(4));
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(90000)), 1);
}
END_TEST

START_TEST(test_time_going_backwards_is_harmless)
{
	static struct timer_wheel wheel;
	struct probe probe;

	timer_wheel_init(&wheel, at_ms(1000));
	probe_arm(&wheel, &probe, at_ms(1010));
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(900)), 0);
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(1010)), 1);
}
END_TEST

START_TEST(test_a_jump_of_hours_fires_in_order)
{
	static struct timer_wheel wheel;
	struct probe a, b, c, d;

	timer_wheel_init(&wheel, at_ms(123));
	probe_arm(&wheel, &c, at_ms(2 * HOUR_MS));
	probe_arm(&wheel, &a, at_ms(1000));
	probe_arm(&wheel, &d, at_ms(30 * HOUR_MS));
	probe_arm(&wheel, &b, at_ms(60000));
	firings = 0;
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(29 * HOUR_MS)), 3);
	ck_assert_int_eq(a.order, 1);
	ck_assert_int_eq(b.order, 2);
	ck_assert_int_eq(c.order, 3);
	ck_assert_int_eq(d.fired, 0);
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(30 * HOUR_MS)), 1);
}
END_TEST

START_TEST(test_the_end_of_time_is_never_reached)
{
	static struct timer_wheel wheel;
	struct probe probe;

	timer_wheel_init(&wheel, at_ms(0));
	probe_arm(&wheel, &probe, (struct mono){INT64_MAX});
	/* A century, in one jump. */
	ck_assert_uint_eq(
	    timer_wheel_advance(&wheel, at_ms(876000 * HOUR_MS)), 0);
	ck_assert(timer_armed(&probe.timer));
	timer_disarm(&wheel, &probe.timer);
	timer_disarm(&wheel, &probe.timer);
	ck_assert_uint_eq(wheel.armed, 0);
}
END_TEST

/* A loop that sleeps as told wakes a few times for the cascades and then
 * exactly on the tick, and disarmed timers wake it not at all. */
START_TEST(test_sleep_is_long_and_exact)
{
	static struct timer_wheel wheel;
	struct mono now = at_ms(777);
	struct mono deadline = at_ms(777 + 17 * HOUR_MS);
	struct probe probe, others[200];
	int wakes = 0;

	timer_wheel_init(&wheel, now);
	ck_assert_int_eq(timer_wheel_sleep_ns(&wheel, now, 99), 99);
	for (int i = 0; i < 200; i++) {
		probe_arm(&wheel, &others[i], at_ms(778 + i * i * i));
		timer_disarm(&wheel, &others[i].timer);
	}
	probe_arm(&wheel, &probe, deadline);
	while (!probe.fired && wakes < 100) {
		now = mono_add_ns(
		    now, timer_wheel_sleep_ns(&wheel, now, INT64_MAX));
		timer_wheel_advance(&wheel, now);
		wakes++;
	}
	ck_assert_int_eq(now.ns, deadline.ns);
	ck_assert_int_le(wakes, TIMER_LEVELS);
}
END_TEST

/* -- timers that act on themselves and on others ------------------------- */

struct actor {
	struct timer timer;
	struct timer_wheel *wheel;
	struct actor *other;
	int64_t again_ms; /* relative; INT64_MIN: not */
	int64_t move_other_ms;
	bool disarm_other;
	int fired;
};

static void on_actor(struct timer *timer, struct mono now)
{
	struct actor *a = br_container_of(timer, struct actor, timer);

	a->fired++;
	if (a->again_ms != INT64_MIN)
		timer_arm(a->wheel, timer, mono_add_ms(now, a->again_ms));
	if (a->disarm_other)
		timer_disarm(a->wheel, &a->other->timer);
	if (a->move_other_ms)
		timer_arm(a->wheel, &a->other->timer,
		    mono_add_ms(now, a->move_other_ms));
}

static void actors_init(
    struct timer_wheel *wheel, struct actor *a, struct actor *b)
{
	*a = (struct actor){.wheel = wheel, .other = b, .again_ms = INT64_MIN};
	*b = (struct actor){.wheel = wheel, .other = a, .again_ms = INT64_MIN};
	timer_init(&a->timer, on_actor);
	timer_init(&b->timer, on_actor);
	timer_wheel_init(wheel, at_ms(100));
}

START_TEST(test_rearming_for_the_past_fires_once_a_turn)
{
	static struct timer_wheel wheel;
	struct actor a, b;

	actors_init(&wheel, &a, &b);
	a.again_ms = -5;
	timer_arm(&wheel, &a.timer, at_ms(101));
	for (int turn = 1; turn <= 5; turn++) {
		ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(101)), 1);
		ck_assert_int_eq(a.fired, turn);
	}
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(9999)), 1);
}
END_TEST

START_TEST(test_disarming_one_that_is_due_in_the_same_turn)
{
	static struct timer_wheel wheel;
	struct actor a, b;

	actors_init(&wheel, &a, &b);
	a.disarm_other = b.disarm_other = true;
	timer_arm(&wheel, &a.timer, at_ms(105));
	timer_arm(&wheel, &b.timer, at_ms(105));
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(200)), 1);
	ck_assert_int_eq(a.fired + b.fired, 1);
	ck_assert_uint_eq(wheel.armed, 0);
	ck_assert(!timer_armed(&a.timer) && !timer_armed(&b.timer));
}
END_TEST

START_TEST(test_moving_one_that_is_due_in_the_same_turn)
{
	static struct timer_wheel wheel;
	struct actor a, b;

	actors_init(&wheel, &a, &b);
	a.move_other_ms = 50;
	timer_arm(&wheel, &a.timer, at_ms(105));
	timer_arm(&wheel, &b.timer, at_ms(106));
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(200)), 1);
	ck_assert_int_eq(b.fired, 0);
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(249)), 0);
	ck_assert_uint_eq(timer_wheel_advance(&wheel, at_ms(250)), 1);
	ck_assert_int_eq(b.fired, 1);
}
END_TEST

/* -- against a naive model ----------------------------------------------- */

/* In the loops over all timers br_assert() stands for Check's assertions,
 * each of which makes a system call. */

#define MODEL_TIMERS 64
#define MODEL_TURNS 20000

struct model_timer {
	struct timer timer;
	bool armed;
	int64_t deadline_ns;
	int armed_turn;
};

static struct {
	struct timer_wheel wheel;
	struct model_timer timers[MODEL_TIMERS];
	struct rng rng;
	int turn;
	uint32_t fired;
} model;

static int64_t random_distance_ns(void)
{
	static const int64_t scale_ns[] = {NS_PER_MS, 300 * NS_PER_MS,
	    20 * NS_PER_S, 1200 * NS_PER_S, 90000 * NS_PER_S};
	int64_t scale = scale_ns[rng_below(&model.rng, BR_COUNT(scale_ns))];
	double part = (double)rng_below(&model.rng, 1000000) / 1e6;

	return (int64_t)(part * (double)scale) - scale / 20;
}

static void model_arm(struct model_timer *m, struct mono now)
{
	struct mono deadline = mono_add_ns(now, random_distance_ns());

	timer_arm(&model.wheel, &m->timer, deadline);
	m->armed = true;
	m->deadline_ns = deadline.ns;
	m->armed_turn = model.turn;
}

static void model_disarm(struct model_timer *m)
{
	timer_disarm(&model.wheel, &m->timer);
	m->armed = false;
}

static struct model_timer *model_pick(void)
{
	return &model.timers[rng_below(&model.rng, MODEL_TIMERS)];
}

static void on_model(struct timer *timer, struct mono now)
{
	struct model_timer *m =
	    br_container_of(timer, struct model_timer, timer);

	ck_assert(m->armed);
	ck_assert_int_le(m->deadline_ns, now.ns);
	m->armed = false;
	model.fired++;
	switch (rng_below(&model.rng, 5)) {
	case 0:
		model_arm(m, now);
		break;
	case 1:
		model_arm(model_pick(), now);
		break;
	case 2:
		model_disarm(model_pick());
		break;
	default:
		break;
	}
}

/* The first tick on which an armed timer is due; INT64_MAX for none. */
static int64_t model_first_tick(uint32_t *ret_armed)
{
	int64_t first = INT64_MAX;

	*ret_armed = 0;
	for (int i = 0; i < MODEL_TIMERS; i++) {
		const struct model_timer *m = &model.timers[i];
		int64_t tick =
		    (m->deadline_ns + TIMER_TICK_NS - 1) / TIMER_TICK_NS;

		br_assert(m->armed == timer_armed(&m->timer));
		if (!m->armed)
			continue;
		(*ret_armed)++;
		if (tick < first)
			first = tick;
	}
	return first;
}

static void model_check(struct mono now)
{
	int64_t sleep_ns, first, now_tick = now.ns / TIMER_TICK_NS;
	uint32_t armed;

	for (int i = 0; i < MODEL_TIMERS; i++) {
		const struct model_timer *m = &model.timers[i];

		/* What is still armed and due was armed by a callback. */
		if (m->armed && m->deadline_ns <= now_tick * TIMER_TICK_NS)
			br_assert(m->armed_turn == model.turn);
	}
	first = model_first_tick(&armed);
	ck_assert_uint_eq(armed, model.wheel.armed);
	sleep_ns = timer_wheel_sleep_ns(&model.wheel, now, INT64_MAX);
	ck_assert_int_ge(sleep_ns, 0);
	if (!armed)
		ck_assert_int_eq(sleep_ns, INT64_MAX);
	else if (first <= now_tick)
		ck_assert_int_eq(sleep_ns, 0);
	else
		ck_assert_int_le(now.ns + sleep_ns, first * TIMER_TICK_NS);
}

START_TEST(test_random_operations_against_the_model)
{
	struct mono now = {INT64_C(50000000) * NS_PER_MS + 123456};

	rng_seed(&model.rng, (uint64_t)_i + 1);
	timer_wheel_init(&model.wheel, now);
	model.fired = 0;
	for (int i = 0; i < MODEL_TIMERS; i++) {
		model.timers[i] = (struct model_timer){0};
		timer_init(&model.timers[i].timer, on_model);
	}
	for (model.turn = 0; model.turn < MODEL_TURNS; model.turn++) {
		uint32_t operations = rng_below(&model.rng, 4);
		int64_t step = random_distance_ns();

		for (uint32_t i = 0; i < operations; i++) {
			if (rng_below(&model.rng, 4))
				model_arm(model_pick(), now);
			else
				model_disarm(model_pick());
		}
		if (step > 0)
			now = mono_add_ns(now, step);
		timer_wheel_advance(&model.wheel, now);
		model_check(now);
	}
	ck_assert_uint_gt(model.fired, MODEL_TURNS / 10);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("timer");

	tcase_add_test(tcase, test_never_early_and_at_most_one_tick_late);
	tcase_add_test(tcase, test_part_of_a_tick_rounds_up);
	tcase_add_test(tcase, test_past_deadline_fires_next_turn);
	tcase_add_test(tcase, test_time_going_backwards_is_harmless);
	tcase_add_test(tcase, test_a_jump_of_hours_fires_in_order);
	tcase_add_test(tcase, test_the_end_of_time_is_never_reached);
	tcase_add_test(tcase, test_sleep_is_long_and_exact);
	tcase_add_test(tcase, test_rearming_for_the_past_fires_once_a_turn);
	tcase_add_test(tcase, test_disarming_one_that_is_due_in_the_same_turn);
	tcase_add_test(tcase, test_moving_one_that_is_due_in_the_same_turn);
	tcase_add_loop_test(
	    tcase, test_random_operations_against_the_model, 0, 8);
	return check_main(tcase);
}
