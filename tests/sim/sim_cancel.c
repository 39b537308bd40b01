/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives between a cancel and the terminal completion of what it
 * cancels: an end, data, no buffer, an error. For a direction that stops
 * towards one-shot, one that stops towards splice, one that leaves splice,
 * and a flow that closes. Bytes must stay exact, ends must be passed on.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <string.h>

/* A direction is spliced within so many turns, whatever the verdict is. */
#define BULK_TURNS 300

enum arrival { NOTHING, DATA, END, DATA_AND_END, NO_BUFFER, ERROR, N_ARRIVALS };

static struct sim sim;
static struct sim_peer *client, *server;
static enum arrival arrival;
static enum fake_op_kind awaited;
static uint32_t arrived;

/* The client's side does it, seen by the operation that is cancelled. */
static void on_cancel(const struct fake_op *op)
{
	if (op->kind != awaited || arrived || op->fd != client->conn->fd)
		return;
	arrived++;
	switch (arrival) {
	case NOTHING:
		break;
	case DATA:
	case DATA_AND_END:
		sim_write(client, 3000);
		if (arrival == DATA_AND_END)
			sim_fin(client);
		break;
	case END:
		sim_fin(client);
		break;
	case NO_BUFFER:
		fake_take_buffers(&sim.worker->ring, 0);
		sim_write(client, 100);
		break;
	case ERROR:
		sim_reset(client);
		break;
	case N_ARRIVALS:
		break;
	}
	fake_poke(op->fd);
}

static void start(uint32_t queue_room)
{
	struct sim_options options = sim_defaults();

	fake_init(1);
	fake.queue_room = queue_room;
	sim_start(&sim, &options);
	arrived = 0;
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	fake.on_cancel = on_cancel;
}

/* What is left is sent, both ends end; the checks are in the peers. */
static void end_well(void)
{
	fake_give_buffers(&sim.worker->ring);
	for (int i = 0; i < 200; i++) {
		sim_turn(&sim, 1);
		sim_read(server);
		sim_read(client);
	}
	if (arrival == ERROR) {
		ck_assert(server->got_reset);
	} else {
		ck_assert_uint_eq(server->received, client->sent);
		if (!client->fin_sent)
			sim_fin(client);
		sim_run_ms(&sim, 20);
		sim_read(server);
		ck_assert(server->got_fin && !server->got_reset);
		sim_fin(server);
		sim_run_ms(&sim, 20);
		sim_read(client);
		ck_assert(client->got_fin);
	}
	ck_assert_ptr_null(sim_flow(&sim));
	fake.on_cancel = NULL;
	sim_stop(&sim);
	fake_fini();
}

static void go_many(void)
{
	for (int i = 0; i < 12; i++) {
		sim_write(client, 10);
		sim_turn(&sim, 1);
		sim_turn(&sim, 0);
		sim_read(server);
	}
	ck_assert_int_eq(sim_flow(&sim)->up.mode, DIR_MANY);
}

/* A sink that takes nothing makes multishot stop towards one-shot. */
START_TEST(test_stopping_towards_oneshot)
{
	arrival = (enum arrival)_i;
	awaited = FAKE_RECV_MANY;
	start(16384);
	go_many();
	for (int i = 0; i < 60 && !arrived; i++) {
		sim_write(client, 1000);
		sim_turn(&sim, 1);
	}
	ck_assert_uint_eq(arrived, 1);
	ck_assert_uint_gt(counter_read(&sim.worker->metrics->parks), 0);
	end_well();
}
END_TEST

START_TEST(test_stopping_towards_splice)
{
	struct flow *flow;

	arrival = (enum arrival)_i;
	awaited = FAKE_RECV_MANY;
	start(65536);
	go_many();
	flow = sim_flow(&sim);
	for (int i = 0; i < BULK_TURNS && !arrived; i++) {
		sim_write(client, 30000);
		sim_turn(&sim, 1);
		sim_read(server);
	}
	ck_assert_uint_eq(arrived, 1);
	if (arrival == NOTHING || arrival == DATA) {
		for (int i = 0; i < 10 && flow->up.mode != DIR_SPLICE; i++) {
			sim_turn(&sim, 1);
			sim_read(server);
		}
		ck_assert_int_eq(flow->up.mode, DIR_SPLICE);
	}
	end_well();
}
END_TEST

static void go_splice(void)
{
	for (int i = 0; i < BULK_TURNS; i++) {
		if (client->conn->to_proxy.length < 30000)
			sim_write(client, 30000);
		sim_turn(&sim, 1);
		sim_read(server);
	}
	ck_assert_int_eq(sim_flow(&sim)->up.mode, DIR_SPLICE);
}

/* Slow for five seconds: back to relay by way of a cancelled poll. */
START_TEST(test_leaving_splice)
{
	arrival = (enum arrival)_i;
	awaited = FAKE_POLL;
	start(65536);
	go_splice();
	for (int i = 0; i < 30 && !arrived; i++)
		sim_run_ms(&sim, 1000);
	ck_assert_uint_eq(arrived, 1);
	ck_assert_uint_eq(counter_read(&sim.worker->metrics->demotions), 1);
	if (arrival == NOTHING) {
		sim_turn(&sim, 1);
		ck_assert_int_eq(sim_flow(&sim)->up.mode, DIR_ONESHOT);
	}
	end_well();
}
END_TEST

/* The server resets: whatever the client sends meanwhile, both are reset and
 * nothing is left. */
static void close_with(void (*prepare)(void), enum fake_op_kind kind, int i)
{
	arrival = (enum arrival)i;
	awaited = kind;
	start(65536);
	if (prepare)
		prepare();
	sim_reset(server);
	sim_turn(&sim, 1);
	for (int turn = 0; turn < 10 && sim_flow(&sim); turn++)
		sim_turn(&sim, 1);
	ck_assert_uint_eq(arrived, 1);
	ck_assert_ptr_null(sim_flow(&sim));
	sim_turn(&sim, 0);
	ck_assert(arrival == ERROR || fake_peer_sees_reset(client->conn));
	ck_assert_str_eq(sim_end_of(&sim, 0), "SD");
	fake.on_cancel = NULL;
	fake_give_buffers(&sim.worker->ring);
	sim_stop(&sim);
	fake_fini();
}

START_TEST(test_closing_with_oneshot)
{
	close_with(NULL, FAKE_RECV, _i);
}
END_TEST

START_TEST(test_closing_with_many)
{
	close_with(go_many, FAKE_RECV_MANY, _i);
}
END_TEST

START_TEST(test_closing_with_splice)
{
	close_with(go_splice, FAKE_POLL, _i);
}
END_TEST

/* A connect that completes although its cancel was sent is used. */
START_TEST(test_connect_beats_its_cancel)
{
	struct sim_options options = sim_defaults();

	options.connect_ms = 200;
	fake_init(1);
	sim_start(&sim, &options);
	/* Both are due in the same millisecond. */
	sim.connect_delay_ns = (int64_t)options.connect_ms * NS_PER_MS;
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	ck_assert_uint_eq(counter_read(&sim.worker->metrics->retries), 0);
	sim_fin(client);
	sim_fin(server);
	sim_run_ms(&sim, 5);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	sim_stop(&sim);
	fake_fini();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("cancel");

	tcase_add_loop_test(
	    tcase, test_stopping_towards_oneshot, 0, N_ARRIVALS);
	tcase_add_loop_test(tcase, test_stopping_towards_splice, 0, N_ARRIVALS);
	tcase_add_loop_test(tcase, test_leaving_splice, 0, N_ARRIVALS);
	tcase_add_loop_test(tcase, test_closing_with_oneshot, 0, N_ARRIVALS);
	tcase_add_loop_test(tcase, test_closing_with_many, 0, N_ARRIVALS);
	tcase_add_loop_test(tcase, test_closing_with_splice, 0, N_ARRIVALS);
	tcase_add_test(tcase, test_connect_beats_its_cancel);
	return sim_check_main(tcase);
}
