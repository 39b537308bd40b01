/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a flow over all its states, and the two letters it ends with. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <errno.h>

static struct sim sim;

static void start(struct sim_options options)
{
	fake_init(1);
	sim_start(&sim, &options);
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

static void end_both(struct sim_peer *client)
{
	sim_fin(client);
	sim_fin(client->other);
	sim_run_ms(&sim, 5);
}

/* -- the usual --------------------------------------------------------- */

START_TEST(test_request_and_answer)
{
	struct sim_peer *client, *server;
	const struct flow_record *record = &sim.records[0];

	start(sim_defaults());
	sim.connect_delay_ns = 3 * NS_PER_MS;
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	sim_write(client, 300);
	sim_run_ms(&sim, 2);
	sim_read(server);
	ck_assert_uint_eq(server->received, 300);
	fake.now_ns += 7 * NS_PER_MS;
	sim_write(server, 5000);
	sim_run_ms(&sim, 2);
	sim_read(client);
	ck_assert_uint_eq(client->received, 5000);
	sim_fin(server);
	sim_run_ms(&sim, 2);
	sim_read(client);
	ck_assert(client->got_fin);
	sim_fin(client);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	ck_assert_int_eq(record->error, 0);
	ck_assert_uint_eq(record->bytes_up, 300);
	ck_assert_uint_eq(record->bytes_down, 5000);
	ck_assert_int_eq(record->queue_ns, 0);
	ck_assert_int_eq(record->connect_ns / NS_PER_MS, 3);
	ck_assert_int_ge(record->first_byte_ns, 7 * NS_PER_MS);
	ck_assert_int_ge(record->total_ns, record->first_byte_ns);
	ck_assert_str_eq(record->server->name, "a");
	stop();
}
END_TEST

/* -- connecting -------------------------------------------------------- */

START_TEST(test_refused_goes_to_another_server)
{
	struct sim_peer *client;

	start(sim_defaults());
	sim.behaviour[0] = SIM_REFUSES;
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	end_both(client);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	ck_assert_uint_eq(sim.records[0].retries, 1);
	ck_assert_str_eq(sim.records[0].server->name, "b");
	ck_assert_uint_eq(
	    count(&sim.pool->servers[0].row->metrics->retries), 1);
	stop();
}
END_TEST

START_TEST(test_all_refuse)
{
	start(sim_defaults());
	sim.behaviour[0] = sim.behaviour[1] = SIM_REFUSES;
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "SC");
	ck_assert_int_eq(sim.records[0].error, -ECONNREFUSED);
	ck_assert_uint_eq(sim.records[0].retries, 3);
	ck_assert_uint_eq(count(&sim.worker->metrics->connects), 4);
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(sim.peers[0].conn));
	stop();
}
END_TEST

/* The pause before a server is tried again must be there. */
START_TEST(test_only_server_is_tried_again)
{
	struct sim_options options = sim_defaults();
	struct sim_peer *client;
	int64_t began_ns;

	options.n_servers = 1;
	start(options);
	sim.behaviour[0] = SIM_REFUSES;
	client = sim_client(&sim, 0);
	began_ns = fake.now_ns;
	sim_run_ms(&sim, 1);
	ck_assert_int_eq(sim_flow(&sim)->state, FLOW_RETRY_WAIT);
	sim.behaviour[0] = SIM_ACCEPTS;
	sim_connected(&sim, client);
	ck_assert_int_ge(fake.now_ns - began_ns, 100 * NS_PER_MS);
	end_both(client);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	stop();
}
END_TEST

START_TEST(test_connect_timeouts)
{
	struct sim_options options = sim_defaults();
	int64_t began_ns;

	options.n_servers = 1;
	options.retries = 1;
	options.connect_ms = 500;
	start(options);
	sim.behaviour[0] = SIM_HANGS;
	began_ns = fake.now_ns;
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "sC");
	ck_assert_int_eq(sim.records[0].error, -ETIMEDOUT);
	/* Twice the timeout and once the pause. */
	ck_assert_int_ge(fake.now_ns - began_ns, 1100 * NS_PER_MS);
	ck_assert_int_lt(fake.now_ns - began_ns, 1200 * NS_PER_MS);
	ck_assert_uint_eq(
	    count(&sim.pool->servers[0].row->metrics->connect_timeouts), 2);
	stop();
}
END_TEST

START_TEST(test_no_descriptor_for_the_server)
{
	struct sim_options options = sim_defaults();

	options.retries = 1;
	start(options);
	fake.fd_limit = 2; /* the listener and the client */
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "RC");
	ck_assert_int_eq(sim.records[0].error, -EMFILE);
	/* Ours, not the server's. */
	for (uint32_t i = 0; i < sim.pool->n_servers; i++)
		ck_assert_uint_eq(
		    count(&sim.pool->servers[i].row->metrics->connect_errors) +
			count(&sim.pool->servers[i].row->metrics->retries),
		    0);
	ck_assert_uint_eq(count(&sim.worker->metrics->connect_errors), 0);
	ck_assert_uint_eq(count(&sim.worker->metrics->connect_shortages), 2);
	stop();
}
END_TEST

/* -- the queue --------------------------------------------------------- */

static struct sim_options queueing(uint32_t length)
{
	struct sim_options options = sim_defaults();

	options.n_servers = 1;
	options.server_connections = 1;
	options.queue_length = length;
	options.queue_ms = 400;
	return options;
}

START_TEST(test_queue_is_off)
{
	struct sim_peer *first;

	start(queueing(0));
	first = sim_client(&sim, 0);
	sim_connected(&sim, first);
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "PQ");
	ck_assert_int_eq(sim.records[0].error, BR_E_QUEUE_FULL);
	end_both(first);
	stop();
}
END_TEST

START_TEST(test_queue_full_then_served_in_order)
{
	struct sim_peer *clients[4];

	start(queueing(2));
	for (int i = 0; i < 4; i++) {
		clients[i] = sim_client(&sim, 0);
		sim_run_ms(&sim, 2);
	}
	ck_assert_str_eq(sim_end_of(&sim, 0), "PQ");
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(clients[3]->conn));
	ck_assert_uint_eq(sim.upstream->queued, 2);
	for (int i = 0; i < 3; i++) {
		sim_run_ms(&sim, 10);
		ck_assert_ptr_nonnull(clients[i]->other);
		ck_assert(i == 2 || !clients[i + 1]->other);
		end_both(clients[i]);
		ck_assert_str_eq(sim_end_of(&sim, (uint32_t)i + 1), "--");
	}
	ck_assert_int_ge(sim.records[3].queue_ns, 20 * NS_PER_MS);
	stop();
}
END_TEST

START_TEST(test_queue_timeout)
{
	struct sim_peer *first;
	int64_t began_ns;

	start(queueing(5));
	first = sim_client(&sim, 0);
	sim_connected(&sim, first);
	began_ns = fake.now_ns;
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "sQ");
	ck_assert_int_ge(fake.now_ns - began_ns, 400 * NS_PER_MS);
	ck_assert_int_lt(fake.now_ns - began_ns, 410 * NS_PER_MS);
	ck_assert_int_eq(sim.records[0].queue_ns, -1);
	end_both(first);
	stop();
}
END_TEST

START_TEST(test_client_resets_while_queued)
{
	struct sim_peer *first, *second;

	start(queueing(5));
	first = sim_client(&sim, 0);
	sim_connected(&sim, first);
	second = sim_client(&sim, 0);
	sim_run_ms(&sim, 5);
	/* An end of its sending side is no reason to leave. */
	sim_fin(second);
	sim_run_ms(&sim, 5);
	ck_assert_uint_eq(sim.upstream->queued, 1);
	sim_reset(second);
	ck_assert_str_eq(sim_end_of(&sim, 0), "CQ");
	ck_assert_uint_eq(sim.upstream->queued, 0);
	end_both(first);
	stop();
}
END_TEST

static void set_health(enum board_health health)
{
	struct board_facts facts;

	board_read(sim.pool->servers[0].row, &facts);
	facts.health = health;
	board_write(sim.pool->servers[0].row, &facts);
	pool_changed(sim.pool);
}

START_TEST(test_dead_pool)
{
	struct sim_peer *client;

	/* Without a queue it is refused; with one it waits for a server. */
	start(queueing(0));
	set_health(BOARD_DOWN);
	(void)sim_client(&sim, 0);
	ck_assert_str_eq(sim_end_of(&sim, 0), "SC");
	ck_assert_int_eq(sim.records[0].error, BR_E_NO_SERVER);
	stop();
	start(queueing(1));
	set_health(BOARD_DOWN);
	client = sim_client(&sim, 0);
	sim_run_ms(&sim, 50);
	ck_assert_int_eq(sim_flow(&sim)->state, FLOW_QUEUED);
	set_health(BOARD_UP);
	sim_connected(&sim, client);
	end_both(client);
	stop();
}
END_TEST

/* -- timeouts ---------------------------------------------------------- */

static struct sim_options impatient(void)
{
	struct sim_options options = sim_defaults();

	options.idle_ms = 1000;
	options.half_closed_ms = 200;
	return options;
}

static int64_t wait_for_end(uint32_t record)
{
	int64_t began_ns = fake.now_ns;

	(void)sim_end_of(&sim, record);
	return (fake.now_ns - began_ns) / NS_PER_MS;
}

static void assert_about(int64_t ms, int64_t want_ms)
{
	ck_assert_int_ge(ms, want_ms - 10);
	ck_assert_int_le(ms, want_ms + 10);
}

START_TEST(test_idle_client)
{
	struct sim_peer *client;

	start(impatient());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	assert_about(wait_for_end(0), 1000);
	ck_assert_str_eq(sim_end_of(&sim, 0), "cD");
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(client->conn));
	ck_assert(fake_peer_sees_reset(client->other->conn));
	stop();
}
END_TEST

/* The request was sent silently: its report comes with the next event, which
 * is the timeout itself, and must not put it off. */
START_TEST(test_server_that_never_answers)
{
	struct sim_peer *client;

	start(impatient());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	sim_run_ms(&sim, 100);
	sim_write(client, 100);
	assert_about(wait_for_end(0), 1000);
	ck_assert_str_eq(sim_end_of(&sim, 0), "sD");
	stop();
}
END_TEST

START_TEST(test_traffic_puts_idle_off)
{
	struct sim_peer *client;

	start(impatient());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	for (int i = 0; i < 5; i++) {
		sim_run_ms(&sim, 900);
		sim_write(client->other, 10);
	}
	assert_about(wait_for_end(0), 1000);
	ck_assert_str_eq(sim_end_of(&sim, 0), "cD");
	stop();
}
END_TEST

START_TEST(test_reader_that_stopped)
{
	struct sim_peer *client;

	start(impatient());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	sim_write(client->other, 16384);
	sim_run_ms(&sim, 5);
	sim_write(client->other, 16384);
	assert_about(wait_for_end(0), 1000);
	ck_assert_str_eq(sim_end_of(&sim, 0), "cD");
	stop();
}
END_TEST

START_TEST(test_half_closed)
{
	struct sim_peer *client;

	start(impatient());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	sim_write(client, 10);
	sim_run_ms(&sim, 5);
	sim_fin(client);
	assert_about(wait_for_end(0), 200);
	ck_assert_str_eq(sim_end_of(&sim, 0), "sD");
	stop();
}
END_TEST

/* -- resets, drain ----------------------------------------------------- */

/* -- the handshake's last packet --------------------------------------- */

/* `n` flows with a request each; none of them makes the server wait. */
static void speak_first(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct sim_peer *client = sim_client(&sim, 0);
		struct sim_peer *server = sim_connected(&sim, client);

		ck_assert(!server->conn->ack_waits);
		sim_write(client, 60);
		sim_run_ms(&sim, 2);
		end_both(client);
	}
}

START_TEST(test_handshake_goes_with_the_request)
{
	struct sim_peer *client, *server;

	start(sim_defaults());
	speak_first(UPSTREAM_CLIENT_FIRST);
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	ck_assert(server->conn->ack_waits);
	sim_write(client, 60);
	sim_run_ms(&sim, 2);
	ck_assert(!server->conn->ack_waits);
	sim_read(server);
	ck_assert_uint_eq(server->received, 60);
	end_both(client);
	stop();
}
END_TEST

/* A client that says nothing does not keep its connection from the server. */
START_TEST(test_handshake_does_not_wait_long)
{
	struct sim_peer *client, *server;
	int64_t began_ns;

	start(sim_defaults());
	speak_first(UPSTREAM_CLIENT_FIRST);
	client = sim_client(&sim, 0);
	server = sim_connected(&sim, client);
	began_ns = fake.now_ns;
	while (server->conn->ack_waits)
		sim_turn(&sim, 1);
	ck_assert_int_le(fake.now_ns - began_ns, 12 * NS_PER_MS);
	/* The server speaks first after all: the next need not wait. */
	sim_write(server, 20);
	sim_run_ms(&sim, 2);
	end_both(client);
	speak_first(UPSTREAM_CLIENT_FIRST);
	stop();
}
END_TEST

START_TEST(test_resets_are_passed_on)
{
	struct sim_peer *client;

	start(sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	sim_reset(client);
	ck_assert_str_eq(sim_end_of(&sim, 0), "CD");
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(client->other->conn));
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	sim_write(client->other, 1000);
	sim_run_ms(&sim, 1);
	sim_reset(client->other);
	ck_assert_str_eq(sim_end_of(&sim, 1), "SD");
	sim_turn(&sim, 0);
	ck_assert(fake_peer_sees_reset(client->conn));
	stop();
}
END_TEST

/* The server answers, does not read the upload, and is reset by its kernel:
 * the send of the upload fails first, but the answer gets through. */
START_TEST(test_answer_before_a_reset)
{
	for (int upload = 0; upload < 2; upload++) {
		struct sim_peer *client;

		start(sim_defaults());
		fake.slow_acks = true;
		client = sim_client(&sim, 0);
		sim_connected(&sim, client);
		fake_take_buffers(&sim.worker->ring, 1);
		if (upload)
			sim_write(client, 100);
		sim_write(client->other, 16384);
		sim_reset(client->other);
		for (int i = 0; i < 20 && !sim.n_records; i++) {
			sim_run_ms(&sim, 5);
			sim_read(client);
		}
		ck_assert_str_eq(sim_end_of(&sim, 0), "SD");
		ck_assert_uint_eq(client->received, 16384);
		ck_assert(!client->got_fin);
		sim_turn(&sim, 0);
		ck_assert(fake_peer_sees_reset(client->conn));
		stop();
	}
}
END_TEST

/* The server does not read, so the client is not read either: its reset is
 * seen all the same, long before the idle timeout. */
START_TEST(test_client_resets_behind_a_full_server)
{
	struct sim_peer *client;

	start(sim_defaults());
	client = sim_client(&sim, 0);
	sim_connected(&sim, client);
	for (int i = 0; i < 4; i++) {
		sim_write(client, 8192);
		sim_run_ms(&sim, 5);
	}
	ck_assert_ptr_nonnull(sim_flow(&sim)->up.parked_first);
	sim_reset(client);
	sim_run_ms(&sim, 1100);
	ck_assert_uint_eq(sim.n_records, 1);
	ck_assert_str_eq(sim_end_of(&sim, 0), "CD");
	/* The look that found it was the flow's last. */
	ck_assert_uint_eq(sim.worker->wheel.armed, 0);
	sim_run_ms(&sim, 2000);
	stop();
}
END_TEST

START_TEST(test_drain_kills_in_every_state)
{
	struct sim_peer *first;

	start(queueing(5));
	first = sim_client(&sim, 0);
	sim_connected(&sim, first);
	(void)sim_client(&sim, 0);
	sim_run_ms(&sim, 5);
	worker_kill_flows(sim.worker);
	sim_run_ms(&sim, 5);
	ck_assert_uint_eq(sim.n_records, 2);
	for (uint32_t i = 0; i < 2; i++)
		ck_assert_int_eq(sim.records[i].end_by, 'K');
	ck_assert_int_ne(sim.records[0].end_phase, sim.records[1].end_phase);
	sim.behaviour[0] = SIM_HANGS;
	(void)sim_client(&sim, 0);
	sim_run_ms(&sim, 5);
	worker_kill_flows(sim.worker);
	ck_assert_str_eq(sim_end_of(&sim, 2), "KC");
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("flow");

	tcase_add_test(tcase, test_request_and_answer);
	tcase_add_test(tcase, test_refused_goes_to_another_server);
	tcase_add_test(tcase, test_all_refuse);
	tcase_add_test(tcase, test_only_server_is_tried_again);
	tcase_add_test(tcase, test_connect_timeouts);
	tcase_add_test(tcase, test_no_descriptor_for_the_server);
	tcase_add_test(tcase, test_queue_is_off);
	tcase_add_test(tcase, test_queue_full_then_served_in_order);
	tcase_add_test(tcase, test_queue_timeout);
	tcase_add_test(tcase, test_client_resets_while_queued);
	tcase_add_test(tcase, test_dead_pool);
	tcase_add_test(tcase, test_idle_client);
	tcase_add_test(tcase, test_server_that_never_answers);
	tcase_add_test(tcase, test_traffic_puts_idle_off);
	tcase_add_test(tcase, test_reader_that_stopped);
	tcase_add_test(tcase, test_half_closed);
	tcase_add_test(tcase, test_handshake_goes_with_the_request);
	tcase_add_test(tcase, test_handshake_does_not_wait_long);
	tcase_add_test(tcase, test_resets_are_passed_on);
	tcase_add_test(tcase, test_answer_before_a_reset);
	tcase_add_test(tcase, test_client_resets_behind_a_full_server);
	tcase_add_test(tcase, test_drain_kills_in_every_state);
	return sim_check_main(tcase);
}
