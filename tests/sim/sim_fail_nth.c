/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same scenario again and again while the n-th allocation, ring operation
 * or system call fails, until it runs through without reaching n. Each time:
 * no assertion, nothing left over, and each peer has all bytes and a clean
 * end, or sees a reset.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_victim.h"

#include <stdio.h>
#include <string.h>

#define N_MAX 5000

/* ctest runs one program each, so that they run side by side. */
static const char *const victims[] = {"allocation", "operation", "call"};

static struct sim sim;

static void on_server(struct sim *s, struct sim_peer *server)
{
	(void)s;
	server->to_send = server->other->to_send / 2 + 1000;
	server->read_max = 5000;
	server->waits_for_end = server->id % 2 == 0;
}

static uint64_t allocations(void)
{
	return sim.worker->flow_slab.touched + sim.worker->chunk_slab.touched;
}

/* A queue, a refused connect, small turns, bulk, a full sink, both ends. */
static void run_scenario(void)
{
	static const uint64_t sizes[] = {200, 700000, 30000, 0};

	sim.behaviour[0] = SIM_REFUSES;
	for (uint32_t i = 0; i < 4; i++) {
		struct sim_peer *client = sim_client(&sim, sizes[i]);

		client->write_max = i == 0 ? 10 : UINT32_MAX;
		client->read_max = 3000;
		sim_turn(&sim, 1);
	}
	ck_assert(sim_run_to_end(&sim, 20000));
}

static bool run_once(enum victim victim, uint32_t n)
{
	struct sim_options options = sim_defaults();
	bool reached;

	options.server_connections = 2;
	options.queue_length = 4;
	options.idle_ms = 2000;
	options.half_closed_ms = 1000;
	options.source_connections = 100;
	fake_init(1);
	fake.queue_room = 32768;
	sim_start(&sim, &options);
	sim.on_server = on_server;
	victim_arm(victim, n);
	run_scenario();
	reached = victim_reached(&sim, victim, n);
	victim_arm(victim, 0);
	ck_assert_uint_gt(allocations(), 0);
	/* Once each, also when the first attempt lacked memory. */
	ck_assert_uint_eq(counter_read(&sim.row->metrics->accepted), 4);
	for (uint32_t i = 0; i < sim.n_peers; i++) {
		const struct sim_peer *peer = &sim.peers[i];

		sim_read(&sim.peers[i]);
		if (!peer->client)
			continue;
		ck_assert_msg(peer->got_fin || peer->got_reset ||
				  fake_peer_sees_reset(peer->conn),
		    "client %u was left without an end (n %u)", peer->id, n);
	}
	sim_stop(&sim);
	fake_fini();
	return reached;
}

START_TEST(test_fail_nth)
{
	uint32_t n = 1;

	while (n < N_MAX && run_once((enum victim)_i, n))
		n++;
	printf("sim_fail_nth: %s: %u points of failure\n", victims[_i], n - 1);
	ck_assert_uint_gt(n, 5);
	ck_assert_uint_lt(n, N_MAX);
}
END_TEST

/* sim_fail_nth [VICTIM]: all of them when none is named. */
int main(int argc, char **argv)
{
	TCase *tcase = tcase_create("fail_nth");
	bool known = argc < 2;

	for (int i = 0; i < N_VICTIMS; i++) {
		if (argc > 1 && strcmp(argv[1], victims[i]) != 0)
			continue;
		known = true;
		tcase_add_loop_test(tcase, test_fail_nth, i, i + 1);
	}
	if (!known) {
		fprintf(stderr, "no such victim: %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	return sim_check_main(tcase);
}
