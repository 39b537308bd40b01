/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk takes turns where the profiler acts: small flows go first, bulk is
 * neither starved nor unfair to its like. */
#include "lb/bulk_turn.h"
#include "lb/flow_profile.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <errno.h>

#define BULKS 6
#define ROOM 65536u
#define SPLICE 32768u /* what a pipe of the fake takes */
#define REQUEST 64u

static struct sim sim;
static struct sim_peer *bulk[BULKS], *small;
static uint32_t step; /* what bulk moves at a time here */

static uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

static struct flow *flow_of(const struct sim_peer *client)
{
	LIST_FOREACH (node, &sim.worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		if (flow->client_fd == client->conn->fd)
			return flow;
	}
	return NULL;
}

/* Servers have all that fits to say, clients have read all. */
static void refill(void)
{
	for (int i = 0; i < BULKS; i++) {
		struct sim_peer *server = bulk[i]->other;

		sim_read(bulk[i]);
		sim_write(server, ROOM - server->conn->to_proxy.length);
	}
}

static uint64_t bulk_bytes(void)
{
	uint64_t bytes = 0;

	for (int i = 0; i < BULKS; i++)
		bytes += flow_of(bulk[i])->down.bytes;
	return bytes;
}

/* BULKS downloads that count as bulk, beside a flow of small turns. */
static void start(bool acts, uint32_t pipes)
{
	static const struct profiling profiling[2] = {
	    {.acts = false}, {.acts = true}};
	struct sim_options options = sim_defaults();

	options.pipes = pipes;
	fake_init(1);
	fake.queue_room = ROOM;
	sim_start(&sim, &options);
	sim.worker->profiling = &profiling[acts];
	small = sim_client(&sim, 0);
	sim_connected(&sim, small);
	for (int i = 0; i < BULKS; i++) {
		bulk[i] = sim_client(&sim, 0);
		sim_connected(&sim, bulk[i]);
	}
	for (int i = 0; i < 200; i++) {
		refill();
		sim_turn(&sim, 0);
	}
	for (int i = 0; i < BULKS; i++) {
		const struct direction *d = &flow_of(bulk[i])->down;

		ck_assert(d->bulk);
		ck_assert_int_eq(d->mode == DIR_SPLICE, pipes > 0);
		step = pipes ? SPLICE : options.buffer_bytes;
	}
	/* All is passed on and read. */
	for (int i = 0; i < 50; i++) {
		sim_turn(&sim, 0);
		for (int j = 0; j < BULKS; j++)
			sim_read(bulk[j]);
	}
}

static void stop(void)
{
	for (int i = 0; i < BULKS; i++) {
		sim_fin(bulk[i]);
		sim_fin(bulk[i]->other);
	}
	sim_fin(small);
	sim_fin(small->other);
	ck_assert(sim_run_to_end(&sim, 1000));
	sim_stop(&sim);
	fake_fini();
}

/* The request is on its way in the turn that found it beside all of bulk, and
 * only so much of bulk went before the next look. Without a profiler that
 * acts it is as it was: all of bulk, then the request. */
START_TEST(test_small_flows_go_first)
{
	bool acts = _i;
	uint64_t before;

	start(acts, 8);
	sim.worker->bulk_turn_bytes = step;
	refill();
	sim_write(small, REQUEST);
	before = bulk_bytes();
	sim_turn(&sim, 0);
	ck_assert_uint_eq(
	    small->other->conn->to_peer.length, acts ? REQUEST : 0);
	ck_assert_uint_eq(bulk_bytes() - before, step * (acts ? 1 : BULKS));
	ck_assert(list_empty(&sim.worker->bulk_waiting) == !acts);
	ck_assert_int_eq(count(&sim.worker->metrics->bulk_waits) > 0, acts);
	stop();
}
END_TEST

/* Small turns never end, bulk has its part of each turn, and all the same. */
START_TEST(test_bulk_is_served_in_turn)
{
	uint64_t before[BULKS], all, most = 0, least = UINT64_MAX;
	const int turns = 20 * BULKS;

	start(true, 8);
	sim.worker->bulk_turn_bytes = 2 * step;
	refill();
	for (int i = 0; i < BULKS; i++)
		before[i] = flow_of(bulk[i])->down.bytes;
	all = bulk_bytes();
	for (int i = 0; i < turns; i++) {
		sim_write(small, REQUEST);
		refill();
		sim_turn(&sim, 1);
		sim_read(small->other);
	}
	ck_assert_uint_ge(bulk_bytes() - all, turns * (uint64_t)step);
	ck_assert_uint_le(bulk_bytes() - all, turns * 2 * (uint64_t)step);
	for (int i = 0; i < BULKS; i++) {
		uint64_t n = flow_of(bulk[i])->down.bytes - before[i];

		most = n > most ? n : most;
		least = n < least ? n : least;
	}
	ck_assert_uint_le(most - least, step);
	ck_assert_uint_ge(small->other->received, (turns - 2) * REQUEST);
	stop();
}
END_TEST

/* While bulk waits for its turn the worker does not sleep. */
START_TEST(test_waiting_bulk_keeps_awake)
{
	int64_t began_ns;

	start(true, 8);
	sim.worker->bulk_turn_bytes = 4096 / BULK_CALM_FACTOR;
	refill();
	began_ns = fake.now_ns;
	for (int i = 0; i < BULKS; i++)
		sim_turn(&sim, 1000);
	ck_assert_int_lt(fake.now_ns - began_ns, 100 * NS_PER_MS);
	for (int i = 0; i < BULKS; i++)
		ck_assert_uint_eq(bulk[i]->conn->to_peer.length, 4096);
	stop();
}
END_TEST

/* Without pipes bulk is relayed, in turns as well; four times as long ones,
 * as nobody waits. */
START_TEST(test_relayed_bulk_takes_turns)
{
	bool acts = _i;
	uint64_t before, most = 0;

	start(acts, 0);
	sim.worker->bulk_turn_bytes = 2 * step / BULK_CALM_FACTOR;
	for (int i = 0; i < 10 * BULKS; i++) {
		refill();
		before = bulk_bytes();
		sim_turn(&sim, 1);
		if (bulk_bytes() - before > most && i > BULKS)
			most = bulk_bytes() - before;
	}
	ck_assert_uint_eq(most, (acts ? 2 : BULKS) * step);
	stop();
}
END_TEST

/* A flow that ends while it waits takes its place with it. */
START_TEST(test_ends_while_it_waits)
{
	start(true, _i % 2 ? 8 : 0);
	sim.worker->bulk_turn_bytes = 4096 / BULK_CALM_FACTOR;
	for (int i = 0; i < 2 * BULKS; i++) {
		refill();
		sim_turn(&sim, 0);
	}
	ck_assert(!list_empty(&sim.worker->bulk_waiting));
	for (int i = 0; i < BULKS; i++) {
		if (_i < 2)
			sim_reset(bulk[i]);
		else if (_i < 4)
			sim_reset(bulk[i]->other);
		else
			flow_kill(flow_of(bulk[i]), -ECANCELED);
		if (i % 2)
			sim_turn(&sim, 0);
	}
	sim_fin(small);
	sim_fin(small->other);
	ck_assert(sim_run_to_end(&sim, 1000));
	sim_stop(&sim);
	fake_fini();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("turns");

	tcase_add_loop_test(tcase, test_small_flows_go_first, 0, 2);
	tcase_add_test(tcase, test_bulk_is_served_in_turn);
	tcase_add_test(tcase, test_waiting_bulk_keeps_awake);
	tcase_add_loop_test(tcase, test_relayed_bulk_takes_turns, 0, 2);
	tcase_add_loop_test(tcase, test_ends_while_it_waits, 0, 6);
	return sim_check_main(tcase);
}
