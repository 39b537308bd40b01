/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_demand.h"

#include "tests/unit/base/check_main.h"

#define MIB (UINT64_C(1) << 20)
#define STEP_NS (10 * NS_PER_MS)

/* A client of one rate, and servers that bring another each, up to what all of
 * them share. */
struct world {
	uint64_t client_rate, server_rate, shared_rate;
	struct shard_demand demand;
	struct mono now;
};

static uint64_t served(const struct world *w)
{
	uint64_t rate = w->demand.lanes * w->server_rate;

	return rate < w->shared_rate ? rate : w->shared_rate;
}

static void world_run(struct world *w, int64_t ns)
{
	for (int64_t end = w->now.ns + ns; w->now.ns < end;) {
		uint64_t rate = served(w);
		/* Of this step, how much the client is full, or waits. */
		bool full = rate >= w->client_rate;

		if (full)
			rate = w->client_rate;
		shard_demand_client(&w->demand,
		    full ? SHARD_CLIENT_FULL : SHARD_CLIENT_WAITS, w->now);
		w->now = mono_add_ns(w->now, STEP_NS);
		shard_demand_moved(
		    &w->demand, rate * STEP_NS / (uint64_t)NS_PER_S);
		(void)shard_demand_review(&w->demand, w->now);
	}
}

static struct world world_of(uint64_t client, uint64_t server, uint64_t shared)
{
	struct world w = {.client_rate = client * MIB,
	    .server_rate = server * MIB,
	    .shared_rate = shared * MIB};

	shard_demand_start(&w.demand, 1, 4, w.now);
	return w;
}

START_TEST(test_more_while_it_pays)
{
	struct world w = world_of(1000, 10, 1000);

	world_run(&w, 2 * NS_PER_S);
	ck_assert_uint_eq(w.demand.lanes, 4);
	ck_assert_uint_eq(shard_demand_verdict(&w.demand), 4);
}
END_TEST

/* All servers are behind one link: a second lane brings nothing. */
START_TEST(test_no_gain)
{
	struct world w = world_of(1000, 10, 10);
	unsigned trials = 0;

	for (int i = 0; i < 600; i++) {
		bool before = w.demand.on_trial;

		world_run(&w, STEP_NS * 10);
		trials += !before && w.demand.on_trial;
		ck_assert_uint_eq(shard_demand_verdict(&w.demand), 1);
	}
	/* In a minute: at once, after 2, 4, 8, 16 s. */
	ck_assert_uint_ge(trials, 4);
	ck_assert_uint_le(trials, 6);
}
END_TEST

START_TEST(test_slow_client)
{
	struct world w = world_of(5, 10, 1000);

	world_run(&w, 5 * NS_PER_S);
	ck_assert_uint_eq(w.demand.lanes, 1);
	/* One that becomes slow gives back what it had. */
	w.client_rate = 1000 * MIB;
	world_run(&w, 3 * NS_PER_S);
	ck_assert_uint_eq(w.demand.lanes, 4);
	w.client_rate = 5 * MIB;
	world_run(&w, NS_PER_S);
	ck_assert_uint_eq(w.demand.lanes, 1);
}
END_TEST

/* Between: the third lane makes the client the bottleneck, and is given back
 * or kept, but nothing swings by more than that. */
START_TEST(test_between)
{
	struct world w = world_of(25, 10, 1000);

	world_run(&w, 5 * NS_PER_S);
	for (int i = 0; i < 500; i++) {
		world_run(&w, STEP_NS);
		ck_assert_uint_ge(w.demand.lanes, 2);
		ck_assert_uint_le(w.demand.lanes, 3);
	}
}
END_TEST

/* Bytes are on their way all the time: nobody waits, nothing is added. */
START_TEST(test_nobody_waits)
{
	struct world w = world_of(1000, 10, 1000);

	shard_demand_client(&w.demand, SHARD_CLIENT_TAKES, w.now);
	for (int i = 0; i < 100; i++) {
		w.now = mono_add_ns(w.now, STEP_NS);
		ck_assert_uint_eq(shard_demand_review(&w.demand, w.now), 1);
	}
	/* A quarter of the time is enough. */
	for (int i = 0; i < 100 && w.demand.lanes == 1; i++) {
		shard_demand_client(&w.demand,
		    i % 4 ? SHARD_CLIENT_TAKES : SHARD_CLIENT_WAITS, w.now);
		w.now = mono_add_ns(w.now, STEP_NS);
		(void)shard_demand_review(&w.demand, w.now);
	}
	ck_assert_uint_eq(w.demand.lanes, 2);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("shard_demand");

	tcase_add_test(tcase, test_more_while_it_pays);
	tcase_add_test(tcase, test_no_gain);
	tcase_add_test(tcase, test_slow_client);
	tcase_add_test(tcase, test_between);
	tcase_add_test(tcase, test_nobody_waits);
	return check_main(tcase);
}
