/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random flows over a random kernel: everything that the other simulations
 * try one by one, at once and in any order. A failing seed is printed and can
 * be given as argument.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_seed.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 200
#define TURNS_MAX 60000

static struct sim sim;

static uint32_t below(uint32_t n)
{
	return rng_below(&fake.rng, n);
}

/* Mostly small, sometimes bulk. */
static uint64_t some_bytes(void)
{
	switch (below(5)) {
	case 0:
		return 0;
	case 1:
		return below(64);
	case 2:
		return below(20000);
	case 3:
		return below(300000);
	default:
		return below(3) ? below(60000) : 300000 + below(900000);
	}
}

static void some_habits(struct sim_peer *peer)
{
	static const uint32_t steps[] = {1, 100, 1000, 5000, UINT32_MAX};

	peer->to_send = some_bytes();
	peer->write_max = steps[1 + below(4)];
	peer->read_max = steps[1 + below(4)];
	if (!below(10))
		peer->read_max = 0;
	if (!below(6))
		peer->reset_at = below((uint32_t)peer->to_send + 1);
	peer->waits_for_end = !below(3);
	peer->keeps_open = !below(12);
}

static void on_server(struct sim *s, struct sim_peer *server)
{
	(void)s;
	some_habits(server);
}

static void new_client(void *context)
{
	(void)context;
	some_habits(sim_client(&sim, 0));
}

/* The readers that had stopped go on, or the idle timeout ends them. */
static void wake_readers(void *context)
{
	(void)context;
	for (uint32_t i = 0; i < sim.n_peers; i++)
		if (!sim.peers[i].read_max && below(2))
			sim.peers[i].read_max = 1000;
	fake_at(50 * NS_PER_MS, wake_readers, NULL);
}

static void give_buffers(void *context)
{
	(void)context;
	fake_give_buffers(&sim.worker->ring);
}

static void take_buffers(void *context)
{
	(void)context;
	fake_take_buffers(&sim.worker->ring, below(3));
	fake_at((1 + below(10)) * NS_PER_MS, give_buffers, NULL);
	fake_at(below(200) * NS_PER_MS, take_buffers, NULL);
}

static struct sim_options some_options(void)
{
	struct sim_options options = sim_defaults();

	options.splice = below(3) ? CONF_SPLICE_AUTO : below(3);
	options.n_servers = 1 + below(4);
	options.server_connections = below(2) ? 0 : 1 + below(4);
	options.retries = below(4);
	options.queue_length = below(2) ? 0 : 1 + below(20);
	options.queue_ms = 50 + below(500);
	options.connect_ms = 100;
	options.idle_ms = 500 + below(3000);
	options.half_closed_ms = 200 + below(3000);
	options.buffers = below(2) ? 4u << below(3) : 64;
	options.buffer_bytes = below(2) ? 512 : 8192;
	options.parked_bytes =
	    below(3) ? 4u << 20 : CHUNK_BYTES * (1 + below(8));
	options.pipes = below(3) ? 8 : below(3);
	options.connections = below(3) ? 256 : 4 + below(8);
	return options;
}

static void run(void)
{
	struct sim_options options;
	uint32_t n_clients;
	bool ended;

	fake_init(seed);
	fake.random = below(5) != 0;
	fake.loud_sends = below(4) == 0;
	fake.queue_room = 1024u << below(7);
	options = some_options();
	sim_start(&sim, &options);
	if (below(2))
		sim.worker->bulk_turn_bytes = 4096 + below(32u << 10);
	sim.on_server = on_server;
	sim.connect_delay_ns = below(2) ? 0 : below(50) * NS_PER_MS;
	for (uint32_t i = 0; i < options.n_servers; i++)
		if (below(4) == 0)
			sim.behaviour[i] = below(2) ? SIM_REFUSES : SIM_HANGS;
	if (below(6) == 0)
		fake.fd_limit = 4 + below(10);
	n_clients = 1 + below(30);
	for (uint32_t i = 0; i < n_clients; i++)
		fake_at(below(300) * NS_PER_MS, new_client, NULL);
	fake_at(50 * NS_PER_MS, wake_readers, NULL);
	if (below(2))
		fake_at(0, take_buffers, NULL);
	sim_run_ms(&sim, 1);
	for (int i = 0; i < 300; i++) {
		sim_turn(&sim, 1);
		sim_steps(&sim);
	}
	ended = sim_run_to_end(&sim, TURNS_MAX);
	if (!ended) {
		ck_abort_msg("seed %llu does not end, %u flows are left",
		    (unsigned long long)seed, sim.worker->flow_slab.used);
	}
	sim_stop(&sim);
	fake_fini();
}

START_TEST(test_random)
{
	seed_run_all(SEEDS, run);
}
END_TEST

int main(int argc, char **argv)
{
	TCase *tcase = tcase_create("random");

	seed_begin(argc, argv);
	tcase_add_test(tcase, test_random);
	return sim_check_main(tcase);
}
