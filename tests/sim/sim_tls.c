/* SPDX-License-Identifier: Apache-2.0 */
/* TLS at either end and at both: bytes exact, ends told truly, handshakes that
 * fail, wait or come in crowds; with real sessions as peers. */
#include "lb/tls_end.h"

#include "base/assert.h"
#include "io/tls_internal.h"
#include "io/tls_memory.h"
#include "lb/flow_state.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_tls_end.h"
#include "tests/sim/sim_tls_kit.h"

#include <errno.h>
#include <openssl/ssl.h>

/* -- bytes ------------------------------------------------------------- */

START_TEST(test_exact)
{
	static const uint32_t writes[] = {UINT32_MAX, 1, 77, 5000, 20000};
	static const uint32_t reads[] = {UINT32_MAX, 100, 3000, 17000};
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;
	uint32_t n = writes[_i % 5] == 1 ? 2000 : 100000;

	start((uint64_t)_i + 1, &options);
	fake.random = _i % 7 != 0;
	fake.recv_max = _i % 4 == 1 ? 700 : 0;
	fake.send_max = _i % 6 == 1 ? 500 : 0;
	fake.loud_sends = _i % 11 == 3;
	if (_i % 8 == 5)
		fake.queue_room = 2048;
	answer_bytes = n / 2 * 3;
	client = sim_client(&sim, n);
	client->write_max = writes[_i % 5];
	client->read_max = reads[_i % 4];
	run_to_clean_end(client);
	stop();
}
END_TEST

/* Reading stops while the sink is full, so what is held stays bounded. */
START_TEST(test_full_sink_stops_reading)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	bool down = _i >= 3;
	struct sim_options options = with(ends);
	struct sim_peer *client, *server;

	start(1, &options);
	answer_bytes = down ? 1u << 20 : 0;
	client = sim_client(&sim, down ? 0 : 1u << 20);
	server = both_ready(client);
	if (down)
		client->read_max = 0;
	else
		server->read_max = 0;
	rounds(300);
	ck_assert_uint_gt(count(&sim.worker->metrics->parks), 0);
	ck_assert_uint_le(sim.worker->chunk_slab.used, 6);
	if (down)
		ck_assert_uint_lt(server->sent, 200000);
	else
		ck_assert_uint_lt(client->sent, 200000);
	client->read_max = server->read_max = UINT32_MAX;
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* -- ends -------------------------------------------------------------- */

static void ends_late(struct sim_peer *server)
{
	server->waits_for_end = true;
}

START_TEST(test_half_close)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	start(1, &options);
	answer_bytes = 50000;
	client = sim_client(&sim, 30000);
	if (_i < 3) /* the client first: its end is heard before the answer's */
		set_up = ends_late;
	else
		client->waits_for_end = true;
	run_to_clean_end(client);
	stop();
}
END_TEST

static void cuts(struct sim_peer *server)
{
	server->cuts = true;
}

/* The answer arrives, and is not taken for complete. */
START_TEST(test_server_cuts)
{
	enum ends ends = (enum ends)(2 + _i % 2);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	start(1, &options);
	fake.slow_acks = true;
	set_up = cuts;
	answer_bytes = 100000;
	client = sim_client(&sim, 1000);
	/* The client's end comes before, or never. */
	client->keeps_open = _i < 2;
	client->read_max = 5000;
	for (int i = 0; i < 3000 && !client->got_reset; i++) {
		sim_turn(&sim, 1);
		sim_steps(&sim);
	}
	ck_assert(client->got_reset && !client->got_fin);
	ck_assert_uint_eq(client->received, 100000);
	ck_assert(sim_run_to_end(&sim, 1000));
	ck_assert_uint_eq(
	    count(
		&sim.worker->metrics->tls_server_failures[TLS_CAUSE_truncated]),
	    1);
	stop();
}
END_TEST

START_TEST(test_client_cuts)
{
	enum ends ends = _i ? BOTH_ENDS : CLIENT_END;
	struct sim_options options = with(ends);
	struct sim_peer *client, *server;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	client->to_send = 3000;
	client->cuts = true;
	client->keeps_open = false;
	ck_assert(sim_run_to_end(&sim, 1000));
	sim_read(server);
	ck_assert(server->got_reset && !server->got_fin);
	stop();
}
END_TEST

/* close_notify alone is an end; the transport's may come late or never. */
START_TEST(test_close_notify_without_fin)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client, *server;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	if (_i % 2) { /* multishot by then */
		for (int i = 0; i < 20; i++) {
			client->to_send += 10;
			server->to_send += 10;
			rounds(2);
		}
	}
	client->tls->no_fin = server->tls->no_fin = true;
	if (_i < 2)
		sim_fin(client);
	else
		sim_fin(server);
	rounds(10);
	ck_assert(_i < 2 ? server->got_fin : client->got_fin);
	if (_i < 2)
		sim_fin(server);
	else
		sim_fin(client);
	ck_assert(sim_run_to_end(&sim, 1000));
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	stop();
}
END_TEST

/* A record that fails its check. */
START_TEST(test_garbage_in_mid_stream)
{
	static const uint8_t record[] = {23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7,
	    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client, *server, *bad;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	bad = _i ? server : client;
	ck_assert_uint_eq(
	    fake_peer_write(bad->conn, record, sizeof record), sizeof record);
	rounds(20);
	ck_assert_str_eq(sim_end_of(&sim, 0), _i ? "SD" : "CD");
	ck_assert_uint_eq(
	    count(&(_i ? sim.worker->metrics->tls_server_failures
		       : sim.worker->metrics
			     ->tls_client_failures)[TLS_CAUSE_bad_record]),
	    1);
	sim_read(client);
	sim_read(server);
	ck_assert(!client->got_fin && !server->got_fin);
	stop();
}
END_TEST

/* -- messages beside the data ------------------------------------------ */

START_TEST(test_key_updates)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client, *server;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	for (int i = 0; i < 20; i++) {
		ck_assert(!tls_session_update_keys(
		    &(i % 2 ? client : server)->tls->session, i % 3));
		client->to_send += 100;
		server->to_send += 20000;
		rounds(3);
	}
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* Whoever floods us with them ends the flow; what a server said before that
 * still arrives. */
START_TEST(test_key_update_flood)
{
	struct sim_options options = with(BOTH_ENDS);
	const struct counter *failures;
	struct sim_peer *client, *server;
	struct tls_session *flooding;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	flooding = &(_i ? server : client)->tls->session;
	failures = _i ? sim.worker->metrics->tls_server_failures
		      : sim.worker->metrics->tls_client_failures;
	client->read_max = server->read_max = 0;
	for (int i = 0; i < 1000 && sim.worker->flow_slab.used; i++) {
		ck_assert(!tls_session_update_keys(flooding, true));
		(_i ? server : client)->to_send++;
		rounds(1);
	}
	client->read_max = server->read_max = UINT32_MAX;
	rounds(20);
	ck_assert_str_eq(sim_end_of(&sim, 0), _i ? "SD" : "CD");
	ck_assert_uint_eq(count(&failures[TLS_CAUSE_message_flood]), 1);
	sim_read(client);
	sim_read(server);
	ck_assert(!client->got_fin && !server->got_fin);
	stop();
}
END_TEST

/* After our end was said there is nobody to answer. */
START_TEST(test_key_update_after_our_end)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client, *server, *first, *last;

	start(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	first = _i ? server : client;
	last = _i ? client : server;
	sim_fin(first);
	rounds(5);
	ck_assert(last->got_fin);
	ck_assert(!tls_session_update_keys(&last->tls->session, true));
	last->to_send = 50000;
	last->keeps_open = false;
	ck_assert(sim_run_to_end(&sim, 1000));
	ck_assert_uint_eq(first->received, 50000);
	ck_assert(first->got_fin);
	ck_assert_str_eq(sim_end_of(&sim, 0), "--");
	stop();
}
END_TEST

/* A key update and data in the segment that ends the handshake. */
START_TEST(test_key_update_with_finished)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;
	struct fake_conn *conn;
	uint32_t held;

	start(1, &options);
	answer_bytes = 4000;
	client = sim_client(&sim, 4000);
	conn = client->conn;
	/* Nothing is written until the client is done. */
	client->write_max = 0;
	client->tls->step_max = 1;
	for (int i = 0; i < 5000 && !client->tls->established; i++) {
		sim_turn(&sim, 1);
		sim_step(client);
	}
	client->tls->step_max = 0;
	/* One byte of Finished has gone; the rest and more go at once. */
	ck_assert_uint_gt(client->tls->out_end, client->tls->out_start);
	held = client->tls->out_end;
	ck_assert(!tls_session_update_keys(&client->tls->session, true));
	{
		struct sim_tls_end *end = client->tls;
		struct tls_out out = {
		    end->out + held, end->out + SIM_TLS_WIRE_BYTES};
		size_t taken;

		ck_assert_int_eq(
		    tls_session_write(&end->session, &out, "", 0, &taken),
		    TLS_DONE);
		end->out_end = (uint32_t)(out.at - end->out);
	}
	ck_assert_uint_gt(client->tls->out_end, held);
	(void)conn;
	client->write_max = UINT32_MAX;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* Tickets of 512 bytes and more, in two records each. */
static void in_fragments(struct sim_peer *server)
{
	SSL_set_max_send_fragment(server->tls->session.ssl, 512);
}

/* Half a message stands while there is something to send: OpenSSL then sends
 * nothing. It must not be tried for ever; such a server is given up. */
START_TEST(test_half_a_message)
{
	struct sim_options options = with(SERVER_END);
	struct sim_peer *client, *server;
	static const uint8_t ballast[600];
	struct fake_queue *wire;
	uint32_t held;

	options.tls.keys = &keys;
	start(1, &options);
	set_up = in_fragments;
	client = sim_client(&sim, 0);
	server_keeps_open = client->keeps_open = true;
	for (int i = 0; i < 50 && !client->other; i++)
		sim_turn(&sim, 1);
	server = client->other;
	ck_assert_ptr_nonnull(server);
	for (int i = 0; i < 50 && !server->tls->established; i++) {
		SSL_SESSION *session =
		    SSL_get_session(server->tls->session.ssl);

		if (session)
			SSL_SESSION_set1_ticket_appdata(
			    session, ballast, sizeof ballast);
		sim_turn(&sim, 1);
		sim_step(server);
	}
	/* The tickets are on the wire; all but one record is kept back. */
	wire = &server->conn->to_proxy;
	ck_assert_uint_gt(wire->length, 600);
	held = wire->length;
	wire->length =
	    (uint32_t)(wire->bytes[(wire->head + 3) % wire->room] << 8) +
	    wire->bytes[(wire->head + 4) % wire->room] + 5;
	ck_assert_uint_lt(wire->length, held);
	rounds(3);
	sim_write(client, 100);
	rounds(3);
	ck_assert_uint_eq(
	    count(
		&sim.worker->metrics->tls_server_failures[TLS_CAUSE_malformed]),
	    1);
	worker_kill_flows(sim.worker);
	rounds(3);
	stop();
}
END_TEST

/* -- handshakes with servers ------------------------------------------- */

static enum { TALKS_PLAIN, CLOSES, RESETS, IS_SILENT, N_WAYS } way;

static void fails_handshake(struct sim_peer *server)
{
	if (server->server != 0)
		return;
	sim_tls_end_free(server->tls);
	server->tls = NULL;
	server->deaf = true;
	if (way == TALKS_PLAIN)
		server->to_send = 500;
	else
		server->to_send = 0;
	server->keeps_open = way == TALKS_PLAIN || way == IS_SILENT;
	if (way == RESETS)
		server->reset_at = 0;
}

START_TEST(test_elsewhere)
{
	struct sim_options options = with(_i % 2 ? BOTH_ENDS : SERVER_END);
	struct sim_peer *client;

	way = (unsigned)_i / 2;
	start(1, &options);
	set_up = fails_handshake;
	answer_bytes = 40000;
	client = sim_client(&sim, 30000);
	run_to_clean_end(client);
	ck_assert_uint_eq(client->other->server, 1);
	ck_assert_uint_eq(count(&sim.worker->metrics->retries), 1);
	stop();
}
END_TEST

/* The second server's socket gets TCP_NODELAY too. */
START_TEST(test_nothing_of_the_first_server_stays)
{
	struct sim_options options = with(SERVER_END);
	struct sim_peer *client;
	struct flow *flow;

	way = TALKS_PLAIN;
	start(1, &options);
	set_up = fails_handshake;
	client = sim_client(&sim, 100);
	client->keeps_open = true;
	for (int i = 0; i < 300 && !(client->other && client->other->server);
	     i++)
		sim_turn(&sim, 1),
		    sim_step(client->other ? client->other : client);
	flow = sim_flow(&sim);
	ck_assert(!flow->up.nodelay_set);
	client->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* -- crowds, and those who leave --------------------------------------- */

/* More ClientHellos in one turn than there is room for. */
static void crowd(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sim_client(&sim, 100);
	for (int i = 0; i < 500 && sim.worker->flow_slab.used < n; i++)
		sim_turn(&sim, 1);
	sim_turn(&sim, 0);
	for (uint32_t i = 0; i < n; i++)
		sim_step(&sim.peers[i]);
	for (int i = 0; i < 3 && list_empty(&sim.worker->shaking); i++)
		sim_turn(&sim, 0);
	ck_assert(!list_empty(&sim.worker->shaking));
}

START_TEST(test_storm)
{
	struct sim_options options = with(_i ? BOTH_ENDS : CLIENT_END);
	uint32_t n = 3 * TLS_HANDSHAKES_A_TURN;

	options.buffers = 2 * n;
	start(1, &options);
	answer_bytes = 100;
	crowd(n);
	ck_assert(sim_run_to_end(&sim, 5000));
	ck_assert_uint_eq(
	    count(&sim.worker->metrics->tls_client_handshakes), n);
	for (uint32_t i = 0; i < n; i++) {
		sim_read(&sim.peers[i]);
		ck_assert_uint_eq(sim.peers[i].received, 100);
		ck_assert(sim.peers[i].got_fin);
	}
	stop();
}
END_TEST

START_TEST(test_deferred_ends)
{
	struct sim_options options = with(CLIENT_END);
	uint32_t n = 3 * TLS_HANDSHAKES_A_TURN;

	options.buffers = 2 * n;
	options.handshake_ms = 100;
	start(1, &options);
	crowd(n);
	if (_i == 0) {
		worker_kill_flows(sim.worker);
	} else if (_i == 1) {
		for (uint32_t i = 0; i < n; i++)
			sim_reset(&sim.peers[i]);
	} else {
		fake.now_ns += 200 * NS_PER_MS;
	}
	for (int i = 0; i < 100; i++)
		sim_turn(&sim, 10);
	ck_assert(list_empty(&sim.worker->flows));
	ck_assert_uint_eq(sim.n_records, n);
	stop();
}
END_TEST

/* -- in each state of a handshake -------------------------------------- */

/* The peers take `_i` steps of some bytes each, then one of them goes away,
 * or there are no buffers for a while. */
enum event { RESET_C, RESET_S, FIN_C, FIN_S, KILL, STARVE, N_EVENTS };

START_TEST(test_at_each_step)
{
	struct sim_options options = with(BOTH_ENDS);
	enum event event = (enum event)(_i % N_EVENTS);
	int steps = _i / N_EVENTS;
	struct sim_peer *client, *server;

	options.retries = 1;
	start(1, &options);
	answer_bytes = 3000;
	client = sim_client(&sim, 3000);
	client->tls->step_max = 150;
	for (int i = 0; i < steps; i++) {
		sim_turn(&sim, 1);
		if (client->other && client->other->tls)
			client->other->tls->step_max = 150;
		sim_steps(&sim);
	}
	server = client->other;
	switch (event) {
	case RESET_C:
		if (!client->fin_sent)
			sim_reset(client);
		break;
	case RESET_S:
		if (server && !server->reset_sent && !server->fin_sent)
			sim_reset(server);
		break;
	case FIN_C:
		if (!client->fin_sent) {
			client->cuts = true;
			sim_fin(client);
		}
		break;
	case FIN_S:
		if (server && !server->fin_sent) {
			server->cuts = true;
			sim_fin(server);
		}
		break;
	case KILL:
		worker_kill_flows(sim.worker);
		break;
	default:
		fake_take_buffers(&sim.worker->ring, 0);
		rounds(20);
		fake_give_buffers(&sim.worker->ring);
		run_to_clean_end(client);
		stop();
		return;
	}
	ck_assert(sim_run_to_end(&sim, 20000));
	stop();
}
END_TEST

/* -- memory ------------------------------------------------------------ */

START_TEST(test_memory_fails)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client;

	start(1, &options);
	answer_bytes = 20000;
	client = sim_client(&sim, 20000);
	client->keeps_open = true;
	/* Only Braid's part: the peers' steps are between its turns. */
	for (int i = 0; i < 400 && !list_empty(&sim.worker->flows) + !i; i++) {
		static uint32_t left;

		if (!i)
			left = (uint32_t)_i * 13 + 1;
		tls_memory_fail_nth(i == _i / 40 ? left % 40 + 1 : 0, _i % 2);
		sim_turn(&sim, 1);
		tls_memory_fail_nth(0, false);
		sim_steps(&sim);
	}
	client->keeps_open = false;
	if (!client->got_reset && !client->reset_sent)
		sim_run_to_end(&sim, 2000);
	worker_kill_flows(sim.worker);
	ck_assert(sim_run_to_end(&sim, 100));
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("tls");
	int code;

	kit_begin();
	tcase_add_loop_test(tcase, test_exact, 0, 42);
	tcase_add_loop_test(tcase, test_full_sink_stops_reading, 0, 6);
	tcase_add_loop_test(tcase, test_half_close, 0, 6);
	tcase_add_loop_test(tcase, test_server_cuts, 0, 4);
	tcase_add_loop_test(tcase, test_client_cuts, 0, 2);
	tcase_add_loop_test(tcase, test_close_notify_without_fin, 0, 4);
	tcase_add_loop_test(tcase, test_garbage_in_mid_stream, 0, 2);
	tcase_add_test(tcase, test_key_updates);
	tcase_add_loop_test(tcase, test_key_update_flood, 0, 2);
	tcase_add_loop_test(tcase, test_key_update_after_our_end, 0, 2);
	tcase_add_test(tcase, test_key_update_with_finished);
	tcase_add_test(tcase, test_half_a_message);
	tcase_add_loop_test(tcase, test_elsewhere, 0, 2 * N_WAYS);
	tcase_add_test(tcase, test_nothing_of_the_first_server_stays);
	tcase_add_loop_test(tcase, test_storm, 0, 2);
	tcase_add_loop_test(tcase, test_deferred_ends, 0, 3);
	tcase_add_loop_test(tcase, test_at_each_step, 0, 20 * N_EVENTS);
	tcase_add_loop_test(tcase, test_memory_fails, 0, 80);
	code = sim_check_main(tcase);
	kit_end();
	return code;
}
