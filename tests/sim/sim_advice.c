/* SPDX-License-Identifier: Apache-2.0 */
/* What the profiler has advised is not for ever: a pace is lifted when the flow
 * keeps up to it, and all is taken back when the profiler no longer acts. */
#include "lb/flow_profile.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#define TICK_MS 50

static struct sim sim;
static struct sim_peer *client, *server;
static struct profiling streams, watches;

static void start(const struct profiling *profiling)
{
	struct sim_options options = sim_defaults();

	streams = (struct profiling){.acts = true};
	streams.pins.any = CONF_PIN(FLOW_CLASS_STREAM);
	watches = streams;
	watches.acts = false;
	fake_init(1);
	sim_start(&sim, &options);
	sim.worker->profiling = profiling;
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	sim_write(client, 100);
	sim_turn(&sim, TICK_MS);
}

static void stop(void)
{
	sim_fin(client);
	sim_fin(server);
	ck_assert(sim_run_to_end(&sim, 1000));
	sim_stop(&sim);
	fake_fini();
}

/* The server brings so much a tick for so long. */
static void bring(uint32_t bytes, int64_t ms)
{
	for (int64_t t = 0; t < ms; t += TICK_MS) {
		uint32_t left = bytes;

		while (left) {
			uint32_t n = left < 4096 ? left : 4096;

			sim_write(server, n);
			sim_turn(&sim, 1);
			sim_turn(&sim, 1);
			sim_read(client);
			left -= n;
		}
		sim_run_ms(&sim, TICK_MS);
	}
}

/* 40 KB/s. */
#define SLOW 2000u

START_TEST(test_pace_stays)
{
	start(&streams);
	bring(SLOW, 30000);
	ck_assert_uint_eq(client->conn->pacing_bps, 256 << 10);
	ck_assert_uint_gt(client->conn->unsent_bytes, 0);
	stop();
}
END_TEST

/* A slow flow was taken for a stream, and then has much to bring. */
START_TEST(test_pace_is_lifted)
{
	start(&streams);
	bring(SLOW, 6000);
	ck_assert_uint_gt(client->conn->pacing_bps, 0);
	bring(20 * SLOW, 4000);
	ck_assert_uint_eq(client->conn->pacing_bps, 0);
	/* For good. */
	bring(SLOW, 6000);
	ck_assert_uint_eq(client->conn->pacing_bps, 0);
	stop();
}
END_TEST

static void check_taken_back(const struct profiling *then)
{
	start(&streams);
	bring(SLOW, 6000);
	ck_assert_uint_gt(client->conn->pacing_bps, 0);
	sim.worker->profiling = then;
	bring(SLOW, 100);
	ck_assert_uint_eq(client->conn->pacing_bps, 0);
	ck_assert_uint_eq(client->conn->unsent_bytes, 0);
	stop();
}

START_TEST(test_taken_back_when_off)
{
	check_taken_back(NULL);
}
END_TEST

START_TEST(test_taken_back_when_watching)
{
	check_taken_back(&watches);
}
END_TEST

/* Switched on in the middle of a flow's life. */
START_TEST(test_no_profile_from_the_middle)
{
	start(NULL);
	sim.worker->profiling = &streams;
	bring(SLOW, 500);
	ck_assert_ptr_null(sim_flow(&sim)->profile);
	ck_assert_uint_eq(client->conn->unsent_bytes, 0);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("advice");

	tcase_add_test(tcase, test_pace_stays);
	tcase_add_test(tcase, test_pace_is_lifted);
	tcase_add_test(tcase, test_taken_back_when_off);
	tcase_add_test(tcase, test_taken_back_when_watching);
	tcase_add_test(tcase, test_no_profile_from_the_middle);
	return sim_check_main(tcase);
}
