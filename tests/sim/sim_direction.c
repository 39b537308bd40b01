/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes exact both ways, whatever the chunks, sinks, readers and paths. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <errno.h>

#define BULK (2u << 20)

static struct sim sim;
static uint64_t answer_bytes;
static uint32_t server_reads, server_writes;

static void on_server(struct sim *s, struct sim_peer *server)
{
	(void)s;
	server->to_send = answer_bytes;
	server->read_max = server_reads;
	server->write_max = server_writes;
}

static void start(uint64_t seed, struct sim_options options)
{
	fake_init(seed);
	sim_start(&sim, &options);
	sim.on_server = on_server;
	answer_bytes = 0;
	server_reads = server_writes = UINT32_MAX;
}

static void stop(void)
{
	sim_stop(&sim);
	fake_fini();
}

static uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

/* Both ends got all, and were told a clean end. */
static void run_to_clean_end(struct sim_peer *client)
{
	ck_assert(sim_run_to_end(&sim, 200000));
	sim_read(client);
	sim_read(client->other);
	ck_assert(client->got_fin && client->other->got_fin);
	ck_assert_uint_eq(client->other->received, client->to_send);
	ck_assert_uint_eq(client->received, client->other->to_send);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
}

/* -- bytes ------------------------------------------------------------- */

START_TEST(test_random_chunks)
{
	struct sim_peer *client;

	start((uint64_t)_i + 1, sim_defaults());
	fake.random = true;
	fake.recv_max = _i % 3 ? 3000 : 0;
	fake.send_max = _i % 2 ? 700 : 0;
	fake.loud_sends = _i % 4 == 3;
	answer_bytes = 400000;
	client = sim_client(&sim, 300000);
	client->write_max = 5000;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* Both are there when the bytes are received: one packet takes them on. */
START_TEST(test_end_goes_with_the_last_bytes)
{
	struct sim_peer *client, *server;
	uint64_t ops;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	sim_write(client, 60);
	sim_run_ms(&sim, 2);
	sim_write(server, 148);
	sim_fin(server);
	ops = fake.ops;
	sim_turn(&sim, 1);
	ck_assert(client->conn->corked && client->conn->proxy_fin);
	ck_assert_uint_eq(fake.ops, ops);
	sim_read(client);
	ck_assert_uint_eq(client->received, 148);
	ck_assert(client->got_fin);
	/* The other way goes on. */
	sim_write(client, 70);
	sim_fin(client);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	sim_turn(&sim, 0);
	sim_read(server);
	ck_assert_uint_eq(server->received, 130);
	ck_assert(server->got_fin);
	stop();
}
END_TEST

/* The look behind the last bytes finds an error, which no receive will then
 * tell of: it must not become a clean end. */
START_TEST(test_error_behind_the_last_bytes)
{
	struct sim_peer *client, *server;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	sim_turn(&sim, 1);
	sim_write(server, 148);
	sim_fin(server);
	fake.fail_call = 1;
	ck_assert_str_eq(sim_end_of(&sim, 0), "SD");
	/* Nor wait for an end that does not come. */
	ck_assert(!client->conn->corked);
	ck_assert_int_eq(sim.records[0].error, -ECONNRESET);
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(client->conn));
	ck_assert(fake_peer_sees_reset(server->conn));
	stop();
}
END_TEST

START_TEST(test_slow_readers_park)
{
	struct sim_peer *client;

	start(1, sim_defaults());
	answer_bytes = 150000;
	client = sim_client(&sim, 150000);
	client->read_max = server_reads = 900;
	client->write_max = server_writes = 3000;
	fake.queue_room = 2048; /* of the server's */
	run_to_clean_end(client);
	ck_assert_uint_gt(count(&sim.worker->metrics->parks), 0);
	stop();
}
END_TEST

/* While the sink is full the source is not read: what may be parked is what
 * was under way. */
START_TEST(test_full_sink_stops_reading)
{
	struct sim_peer *client, *server;
	uint64_t inside;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	for (int i = 0; i < 400; i++) {
		if (client->conn->to_proxy.length < 8000)
			sim_write(client, 8000);
		sim_turn(&sim, 1);
	}
	inside = client->sent - client->conn->to_proxy.length -
		 server->conn->to_peer.length;
	ck_assert_uint_gt(inside, 0);
	ck_assert_uint_le(inside, 3 * 8192);
	ck_assert_uint_eq(
	    sim.worker->ring.buffers_free, sim.worker->ring.n_buffers);
	for (int i = 0; i < 50; i++) {
		sim_read(server);
		sim_turn(&sim, 1);
	}
	ck_assert_uint_eq(server->received, client->sent);
	ck_assert_uint_eq(sim.shared.parked, 0);
	sim_fin(client);
	sim_fin(server);
	stop();
}
END_TEST

/* -- modes ------------------------------------------------------------- */

START_TEST(test_small_turns_go_many_then_bulk_splices)
{
	struct sim_peer *client, *server;
	struct flow *flow;

	start(1, sim_defaults());
	fake.queue_room = 65536;
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	flow = sim_flow(&sim);
	for (uint32_t i = 0; i < DIRECTION_SMALL_TURNS; i++) {
		ck_assert_int_eq(flow->up.mode, DIR_ONESHOT);
		sim_write(client, 100);
		sim_run_ms(&sim, 1);
	}
	ck_assert_int_eq(flow->up.mode, DIR_MANY);
	ck_assert_int_eq(flow->down.mode, DIR_ONESHOT);
	for (int i = 0; i < 200 && flow->up.mode != DIR_SPLICE; i++) {
		sim_write(client, 8000);
		sim_turn(&sim, 1);
		sim_read(server);
	}
	ck_assert_int_eq(flow->up.mode, DIR_SPLICE);
	ck_assert_uint_eq(sim.worker->pipes.made, 1);
	/* Less than 16 KiB/s for five seconds: back. */
	for (int i = 0; i < 12 && flow->up.mode == DIR_SPLICE; i++) {
		sim_write(client, 5000);
		sim_run_ms(&sim, 1000);
		sim_read(server);
	}
	sim_turn(&sim, 1);
	ck_assert_int_eq(flow->up.mode, DIR_ONESHOT);
	ck_assert_uint_eq(count(&sim.worker->metrics->demotions), 1);
	ck_assert_uint_eq(count(&sim.worker->metrics->flows_splicing), 0);
	sim_write(client, 777);
	sim_run_ms(&sim, 5);
	sim_read(server);
	ck_assert_uint_eq(server->received, client->sent);
	sim_fin(client);
	sim_fin(server);
	stop();
}
END_TEST

/* Many small answers are many bytes too, but are not spliced. */
START_TEST(test_small_answers_are_not_bulk)
{
	struct sim_peer *client, *server;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	for (int i = 0; i < 500; i++) {
		sim_write(server, 4096);
		sim_turn(&sim, 0);
		sim_turn(&sim, 0);
		sim_read(client);
	}
	ck_assert_uint_eq(count(&sim.worker->metrics->promotions), 0);
	ck_assert_uint_eq(client->received, server->sent);
	sim_fin(client);
	sim_fin(server);
	stop();
}
END_TEST

START_TEST(test_bulk_both_ways_by_splice)
{
	struct sim_peer *client;

	start((uint64_t)_i + 1, sim_defaults());
	fake.random = _i > 0;
	fake.queue_room = 65536;
	answer_bytes = BULK;
	client = sim_client(&sim, BULK);
	run_to_clean_end(client);
	ck_assert_uint_gt(count(&sim.worker->metrics->promotions), 1);
	/* From 1 MiB on at the latest, whatever the verdict is. */
	ck_assert_uint_gt(count(&sim.worker->metrics->bytes_spliced), BULK / 2);
	stop();
}
END_TEST

START_TEST(test_without_pipes_it_relays)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *client;

	options.pipes = _i;
	start(1, options);
	fake.queue_room = 65536;
	answer_bytes = BULK;
	client = sim_client(&sim, BULK);
	run_to_clean_end(client);
	ck_assert_uint_gt(count(&sim.worker->metrics->splice_no_pipe), 0);
	ck_assert(_i || !count(&sim.worker->metrics->promotions));
	stop();
}
END_TEST

/* The operator's word goes before any verdict. */
START_TEST(test_splice_by_hand)
{
	struct sim_options options = sim_defaults();
	bool always = _i;
	struct sim_peer *client;

	options.splice = always ? CONF_SPLICE_ALWAYS : CONF_SPLICE_NEVER;
	start(1, options);
	fake.queue_room = 65536;
	answer_bytes = always ? 700 : BULK;
	client = sim_client(&sim, answer_bytes);
	run_to_clean_end(client);
	ck_assert_uint_eq(
	    count(&sim.worker->metrics->promotions), always ? 2 : 0);
	ck_assert_uint_eq(
	    count(&sim.worker->metrics->bytes_relayed), always ? 0 : 2 * BULK);
	stop();
}
END_TEST

/* -- ends -------------------------------------------------------------- */

START_TEST(test_half_close_each_way)
{
	struct sim_peer *client, *first, *last;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	first = _i ? client : client->other;
	last = first->other;
	sim_write(first, 5000);
	sim_fin(first);
	sim_run_ms(&sim, 3);
	sim_read(last);
	ck_assert(last->got_fin);
	for (int i = 0; i < 20; i++) {
		sim_write(last, 1000);
		sim_run_ms(&sim, 1);
		sim_read(first);
	}
	ck_assert_uint_eq(first->received, 20000);
	ck_assert(!first->got_fin);
	sim_fin(last);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	sim_turn(&sim, 0);
	sim_read(first);
	ck_assert(first->got_fin);
	stop();
}
END_TEST

/* The end comes behind all that is parked. */
START_TEST(test_end_behind_a_full_sink)
{
	struct sim_peer *client;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	for (int i = 0; i < 6; i++) {
		sim_write(client->other, 8000);
		sim_run_ms(&sim, 2);
		if (client->other->conn->to_proxy.length > 8000)
			break;
	}
	sim_fin(client->other);
	sim_run_ms(&sim, 100);
	ck_assert(!fake_peer_sees_fin(client->conn));
	for (int i = 0; i < 50; i++) {
		sim_read(client);
		sim_run_ms(&sim, 1);
	}
	ck_assert(client->got_fin);
	ck_assert_uint_eq(client->received, client->other->sent);
	sim_fin(client);
	stop();
}
END_TEST

enum stage { FRESH, MANY, SPLICING, PARKED, HALF_CLOSED, N_STAGES };

static void reach(enum stage stage, struct sim_peer *from)
{
	uint32_t n = stage == MANY ? 10 : stage == SPLICING ? 200 : 6;

	if (stage == FRESH)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (from->conn->to_proxy.length < 8000)
			sim_write(from, stage == MANY ? 50 : 8000);
		sim_turn(&sim, 1);
		if (stage != PARKED)
			sim_read(from->other);
	}
	if (stage == HALF_CLOSED) {
		sim_fin(from->other);
		sim_run_ms(&sim, 2);
	}
}

/* Either side, at every stage, in either direction of the traffic: the other
 * side is reset, never told a clean end. */
START_TEST(test_reset_at_every_stage)
{
	enum stage stage = (enum stage)(_i / 4);
	struct sim_peer *client, *from, *broken;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	from = _i & 1 ? client : client->other;
	broken = _i & 2 ? client : client->other;
	reach(stage, from);
	sim_reset(broken);
	/* Who has nothing more to read learns of it from a send. */
	if (broken == from->other) {
		for (int i = 0; i < 20 && sim_flow(&sim); i++) {
			if (from->conn->to_proxy.length < 8000)
				sim_write(from, 8000);
			sim_turn(&sim, 1);
		}
	} else if (stage == PARKED) {
		for (int i = 0; i < 10; i++) {
			sim_run_ms(&sim, 1);
			sim_read(from->other);
		}
	}
	(void)sim_end_of(&sim, 0);
	ck_assert_int_eq(sim.records[0].end_by, broken == client ? 'C' : 'S');
	ck_assert_int_eq(sim.records[0].end_phase, 'D');
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(broken->other->conn));
	stop();
}
END_TEST

/* -- shortage ---------------------------------------------------------- */

/* More flows than buffers, all with data at the same moment: who came too
 * late is served in the next turn, not at the next event. */
START_TEST(test_starved_directions_do_not_sleep)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *clients[12];
	int64_t began_ns;
	uint32_t done = 0;

	options.buffers = 2;
	start(1, options);
	for (int i = 0; i < 12; i++) {
		clients[i] = sim_client(&sim, 0);
		sim_connected(&sim, clients[i]);
	}
	sim_run_ms(&sim, 10);
	began_ns = fake.now_ns;
	for (int i = 0; i < 12; i++)
		sim_write(clients[i], 100);
	for (int turn = 0; turn < 30 && done < 12; turn++) {
		sim_turn(&sim, 1000);
		done = 0;
		for (int i = 0; i < 12; i++) {
			sim_read(clients[i]->other);
			done += clients[i]->other->received == 100;
		}
	}
	ck_assert_uint_eq(done, 12);
	ck_assert_uint_gt(count(&sim.worker->metrics->starved), 0);
	/* Only the turn that brought the last of them has slept. */
	ck_assert_int_lt(fake.now_ns - began_ns, 1500 * NS_PER_MS);
	for (int i = 0; i < 12; i++) {
		sim_fin(clients[i]);
		sim_fin(clients[i]->other);
	}
	stop();
}
END_TEST

START_TEST(test_buffers_come_back)
{
	struct sim_peer *client;

	start(1, sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	for (int many = 0; many < 2; many++) {
		sim_run_ms(&sim, 5);
		fake_take_buffers(&sim.worker->ring, 0);
		sim_write(client, 500);
		sim_run_ms(&sim, 20);
		fake_give_buffers(&sim.worker->ring);
		sim_run_ms(&sim, 20);
		for (int i = 0; i < 10; i++) {
			sim_write(client, 10);
			sim_run_ms(&sim, 1);
		}
		sim_read(client->other);
		ck_assert_uint_eq(client->other->received, client->sent);
		ck_assert_int_eq(sim_flow(&sim)->up.mode, DIR_MANY);
	}
	ck_assert_uint_gt(fake.enobufs, 1);
	sim_fin(client);
	sim_fin(client->other);
	stop();
}
END_TEST

/* The limit of parked bytes ends a flow visibly; others go on. */
START_TEST(test_parked_limit)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *stuck, *other;

	options.parked_bytes = CHUNK_BYTES;
	options.buffer_bytes = 16384;
	start(1, options);
	fake.queue_room = 32768;
	stuck = sim_client(&sim, 0);
	sim_connected(&sim, stuck);
	other = sim_client(&sim, 0);
	sim_connected(&sim, other);
	for (int i = 0; i < 100 && !sim.n_records; i++) {
		if (stuck->other->conn->to_proxy.length < 16384)
			sim_write(stuck->other, 16384);
		if (!fake_peer_sees_reset(stuck->conn))
			sim_turn(&sim, 1);
	}
	ck_assert_str_eq(sim_end_of(&sim, 0), "RD");
	ck_assert_int_eq(sim.records[0].error, -ENOMEM);
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(stuck->conn));
	ck_assert_uint_eq(count(&sim.worker->metrics->parked_full), 1);
	sim_write(other, 1000);
	sim_run_ms(&sim, 2);
	sim_read(other->other);
	ck_assert_uint_eq(other->other->received, 1000);
	sim_fin(other);
	sim_fin(other->other);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("direction");

	tcase_add_loop_test(tcase, test_random_chunks, 0, 12);
	tcase_add_test(tcase, test_end_goes_with_the_last_bytes);
	tcase_add_test(tcase, test_error_behind_the_last_bytes);
	tcase_add_test(tcase, test_slow_readers_park);
	tcase_add_test(tcase, test_full_sink_stops_reading);
	tcase_add_test(tcase, test_small_turns_go_many_then_bulk_splices);
	tcase_add_test(tcase, test_small_answers_are_not_bulk);
	tcase_add_loop_test(tcase, test_bulk_both_ways_by_splice, 0, 4);
	tcase_add_loop_test(tcase, test_without_pipes_it_relays, 0, 2);
	tcase_add_loop_test(tcase, test_splice_by_hand, 0, 2);
	tcase_add_loop_test(tcase, test_half_close_each_way, 0, 2);
	tcase_add_test(tcase, test_end_behind_a_full_sink);
	tcase_add_loop_test(tcase, test_reset_at_every_stage, 0, 4 * N_STAGES);
	tcase_add_test(tcase, test_starved_directions_do_not_sleep);
	tcase_add_test(tcase, test_buffers_come_back);
	tcase_add_test(tcase, test_parked_limit);
	return sim_check_main(tcase);
}
