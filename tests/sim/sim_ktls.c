/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks whose TLS records the kernel makes, with a model of it (fake_ktls.c)
 * and real sessions as peers: bytes exact, ends told truly, and whatever the
 * kernel refuses goes on as before. */
#include "io/ktls.h"

#include "lb/tls_end.h"
#include "tests/sim/sim_tls_end.h"
#include "tests/sim/sim_tls_kit.h"

#include <openssl/ssl.h>
#include <string.h>

#define BULK (1u << 20)

static const struct worker_metrics *metrics(void)
{
	return sim.worker->metrics;
}

static void begin(uint64_t seed, const struct sim_options *options)
{
	struct sim_options exact = *options;

	/* When a direction is bulk is counted here. */
	exact.profiler = false;
	start(seed, &exact);
	fake.ktls = true;
	fake.queue_room = 32768;
	fake.ktls_record_max = 8000;
}

/* A connection that has heard the end of its peer is not given to the kernel,
 * which wants it established: who is to be kept in it ends last. */
static void ends_late(struct sim_peer *server)
{
	server->waits_for_end = true;
}

static uint64_t tried(void)
{
	return count(&metrics()->ktls_directions) +
	       count(&metrics()->ktls_refused);
}

/* -- bytes ------------------------------------------------------------- */

START_TEST(test_exact)
{
	static const uint32_t writes[] = {UINT32_MAX, 20000, 9000};
	static const uint32_t reads[] = {UINT32_MAX, 3000, 17000, 1000};
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	if (_i % 5 == 1)
		options.pipes = 0; /* relay, not splice */
	options.tls.keys = _i % 2 ? &keys : NULL;
	begin((uint64_t)_i + 1, &options);
	fake.random = _i % 7 != 0;
	fake.send_max = _i % 6 == 1 ? 5000 : 0;
	fake.slow_acks = _i % 4 == 3;
	if (_i % 8 == 5)
		fake.ktls_record_max = 700;
	answer_bytes = BULK + 12345;
	client = sim_client(&sim, BULK);
	if (_i % 9 < 3 && ends == CLIENT_END)
		client->waits_for_end = true;
	else if (_i % 9 < 3 && ends == SERVER_END)
		set_up = ends_late;
	else if (_i % 9 < 3)
		client->keeps_open = server_keeps_open = true;
	client->write_max = writes[_i % 3];
	client->read_max = reads[_i % 4];
	for (int i = 0; i < 20000 && client->received < answer_bytes; i++)
		rounds(1);
	client->keeps_open = false;
	if (client->other)
		client->other->keeps_open = false;
	run_to_clean_end(client);
	/* In small pieces it may not have become bulk. */
	if (!fake.random)
		ck_assert_uint_eq(tried(), ends == BOTH_ENDS ? 2 : 1);
	if (_i % 9 < 3)
		ck_assert_uint_eq(count(&metrics()->ktls_refused), 0);
	stop();
}
END_TEST

static void speaks_tls12(struct sim_peer *peer)
{
	ck_assert(
	    SSL_set_max_proto_version(peer->tls->session.ssl, TLS1_2_VERSION));
}

/* Its records have nonces of their own, and other lengths. */
START_TEST(test_tls12)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	begin((uint64_t)_i + 1, &options);
	fake.random = _i >= 3;
	answer_bytes = BULK;
	if (ends & SERVER_END)
		set_up = speaks_tls12;
	client = sim_client(&sim, BULK);
	if (ends & CLIENT_END)
		speaks_tls12(client);
	client->read_max = 5000;
	run_to_clean_end(client);
	if (!fake.random)
		ck_assert_uint_eq(tried(), ends == BOTH_ENDS ? 2 : 1);
	stop();
}
END_TEST

/* One direction is bulk; where its source is plain it is spliced. */
START_TEST(test_spliced)
{
	enum ends ends = _i ? SERVER_END : CLIENT_END;
	struct sim_options options = with(ends);
	struct sim_peer *client;

	begin(1, &options);
	answer_bytes = _i ? 100 : BULK;
	client = sim_client(&sim, _i ? BULK : 100);
	if (_i)
		set_up = ends_late;
	else
		client->waits_for_end = true;
	run_to_clean_end(client);
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 1);
	ck_assert_uint_eq(count(&metrics()->promotions), 1);
	ck_assert_uint_gt(count(&metrics()->bytes_spliced), BULK / 2);
	stop();
}
END_TEST

/* Small turns stay with the session: they would not gain. */
START_TEST(test_small_stays)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client;

	begin(1, &options);
	answer_bytes = 60000;
	client = sim_client(&sim, 60000);
	client->write_max = 500;
	run_to_clean_end(client);
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 0);
	ck_assert_uint_eq(count(&metrics()->ktls_refused), 0);
	stop();
}
END_TEST

/* Back from splice, requests and answers go on in the kernel's records. */
START_TEST(test_slow_again)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client, *server;

	options.idle_ms = 60000;
	begin(1, &options);
	answer_bytes = BULK;
	client = sim_client(&sim, 0);
	server = both_ready(client);
	for (int i = 0; i < 2000 && client->received < BULK; i++)
		rounds(1);
	ck_assert_uint_eq(client->received, BULK);
	sim_run_ms(&sim, 12000);
	ck_assert_uint_eq(count(&metrics()->demotions), 1);
	for (int i = 0; i < 30; i++) {
		client->to_send += 100;
		server->to_send += 300;
		rounds(3);
	}
	ck_assert_uint_eq(client->received, BULK + 30 * 300);
	/* And bulk once more. */
	server->to_send += BULK;
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 1);
	stop();
}
END_TEST

/* -- ends -------------------------------------------------------------- */

/* The last record did not fit when it was sent, and is not lost. */
START_TEST(test_slow_reader_gets_the_end)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;

	options.pipes = _i % 2 ? 0 : options.pipes;
	begin((uint64_t)_i, &options);
	fake.queue_room = 20000 + (uint32_t)_i * 301;
	answer_bytes = BULK + (uint64_t)_i * 1009;
	client = sim_client(&sim, 0);
	client->waits_for_end = true;
	client->read_max = 1500;
	run_to_clean_end(client);
	ck_assert_uint_gt(fake.ktls_stuck, 10);
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 1);
	stop();
}
END_TEST

START_TEST(test_half_close)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	begin(1, &options);
	answer_bytes = BULK;
	client = sim_client(&sim, BULK);
	if (_i < 3)
		set_up = ends_late;
	else
		client->waits_for_end = true;
	run_to_clean_end(client);
	ck_assert_uint_gt(count(&metrics()->ktls_directions), 0);
	stop();
}
END_TEST

/* Both are connected, and what each sends to a TLS end the kernel encrypts. */
static struct sim_peer *both_offloaded(struct sim_peer *client)
{
	struct sim_peer *server = both_ready(client);

	client->to_send += 400000;
	server->to_send += 400000;
	for (int i = 0; i < 2000 && (client->received < server->to_send ||
					server->received < client->to_send);
	     i++)
		rounds(1);
	ck_assert_uint_eq(client->received, server->to_send);
	ck_assert_uint_eq(server->received, client->to_send);
	ck_assert_uint_gt(count(&metrics()->ktls_directions), 0);
	return server;
}

/* The end is told only behind what the peer has acknowledged. */
static struct sim_peer *waiting_for_the_end(const struct sim_options *options)
{
	struct sim_peer *client, *server;

	begin(1, options);
	client = sim_client(&sim, 0);
	server = both_offloaded(client);
	client->read_max = 0;
	server->to_send += 20000;
	server->keeps_open = false;
	rounds(20);
	ck_assert(server->fin_sent);
	ck_assert(sim_flow(&sim)->down.eof && !sim_flow(&sim)->down.fin_passed);
	return client;
}

enum meanwhile { READS, RESETS_IT, KILLED, IDLE, N_MEANWHILE };

START_TEST(test_while_the_end_waits)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;

	options.idle_ms = 5000;
	client = waiting_for_the_end(&options);
	switch ((enum meanwhile)_i) {
	case READS:
		client->read_max = UINT32_MAX;
		client->keeps_open = false;
		run_to_clean_end(client);
		break;
	case RESETS_IT:
		sim_reset(client);
		ck_assert_str_eq(sim_end_of(&sim, 0), "CD");
		break;
	case KILLED:
		worker_kill_flows(sim.worker);
		ck_assert_str_eq(sim_end_of(&sim, 0), "KD");
		break;
	default:
		sim_run_ms(&sim, 6000);
		ck_assert_str_eq(sim_end_of(&sim, 0), "cD");
	}
	ck_assert(sim_run_to_end(&sim, 1000));
	stop();
}
END_TEST

/* Who takes what the kernel holds is not idle, however slowly. */
START_TEST(test_slow_is_not_idle)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;

	options.idle_ms = options.half_closed_ms = 1000;
	client = waiting_for_the_end(&options);
	client->read_max = 500;
	for (int i = 0; i < 100 && !client->conn->proxy_fin; i++) {
		sim_run_ms(&sim, 500);
		sim_step(client);
	}
	ck_assert(client->conn->proxy_fin);
	ck_assert_uint_eq(client->conn->to_peer.length, 0);
	client->read_max = UINT32_MAX;
	client->keeps_open = false;
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
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client;

	begin(1, &options);
	set_up = cuts;
	answer_bytes = 500000;
	client = sim_client(&sim, 1000);
	client->keeps_open = true;
	client->read_max = 5000;
	for (int i = 0; i < 3000 && !client->got_reset; i++)
		rounds(1);
	ck_assert(client->got_reset && !client->got_fin);
	ck_assert(sim_run_to_end(&sim, 1000));
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 1);
	stop();
}
END_TEST

/* Either goes at any point; what is called complete is (sim_check_peer). */
START_TEST(test_resets)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	struct sim_peer *client;

	begin((uint64_t)_i + 1, &options);
	fake.random = _i % 2;
	client = sim_client(&sim, 0);
	both_offloaded(client);
	client->keeps_open = client->other->keeps_open = false;
	client->to_send += 300000;
	client->other->to_send += 300000;
	(_i % 4 < 2 ? client : client->other)->reset_at =
	    400000 + (uint64_t)_i * 9973;
	ck_assert(sim_run_to_end(&sim, 20000));
	stop();
}
END_TEST

/* -- the sink -------------------------------------------------------------- */

START_TEST(test_full_sink_stops_reading)
{
	enum ends ends = (enum ends)(1 + _i % 3);
	struct sim_options options = with(ends);
	bool down = ends == CLIENT_END || (ends == BOTH_ENDS && _i / 3 == 1);
	struct sim_peer *client, *server, *from;
	uint64_t before;

	options.pipes = _i / 3 == 2 ? 0 : options.pipes;
	begin(1, &options);
	client = sim_client(&sim, 0);
	server = both_offloaded(client);
	from = down ? server : client;
	(down ? client : server)->read_max = 0;
	from->to_send += BULK;
	before = from->sent;
	rounds(300);
	ck_assert_uint_le(sim.worker->chunk_slab.used, 6);
	ck_assert_uint_lt(from->sent - before, down ? 300000 : 900000);
	client->read_max = server->read_max = UINT32_MAX;
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

START_TEST(test_no_buffers)
{
	struct sim_options options = with((enum ends)(1 + _i));
	struct sim_peer *client, *server;

	options.pipes = 0;
	begin(1, &options);
	client = sim_client(&sim, 0);
	server = both_offloaded(client);
	for (int i = 0; i < 10; i++) {
		fake_take_buffers(&sim.worker->ring, 0);
		client->to_send += 50000;
		server->to_send += 50000;
		rounds(10);
		fake_give_buffers(&sim.worker->ring);
		rounds(10);
	}
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* -- what the session still says ---------------------------------------- */

/* The client is told why, in a record of the kernel's. */
static void check_hears(struct sim_peer *client, const char *alert)
{
	char text[200];

	for (int i = 0; i < 20 && !client->conn->to_peer.length; i++)
		sim_turn(&sim, 1);
	sim_step(client);
	ck_assert(client->tls->failed);
	tls_session_explain(&client->tls->session, text, sizeof text);
	ck_assert_msg(strstr(text, alert), "%s", text);
}

/* A record that fails its check. */
START_TEST(test_garbage)
{
	static const uint8_t record[] = {23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7,
	    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;

	begin(1, &options);
	client = sim_client(&sim, 0);
	both_offloaded(client);
	ck_assert_uint_eq(fake_peer_write(client->conn, record, sizeof record),
	    sizeof record);
	check_hears(client, "bad record mac");
	ck_assert_str_eq(sim_end_of(&sim, 0), "CD");
	ck_assert_uint_eq(
	    count(&metrics()->tls_client_failures[TLS_CAUSE_bad_record]), 1);
	stop();
}
END_TEST

/* Has the client begin a handshake anew, which sessions of ours never do. */
static void renegotiates(struct sim_tls_end *end)
{
	struct tls_out out = {end->out, end->out + SIM_TLS_WIRE_BYTES};
	SSL *ssl = end->session.ssl;

	SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	end->session.out = &out;
	ck_assert_int_le(SSL_do_handshake(ssl), 0);
	end->session.out = NULL;
	end->out_end = (uint32_t)(out.at - end->out);
	ck_assert_uint_gt(end->out_end, 100);
}

/* A warning, after which the flow goes on; OpenSSL as a client gives up. */
START_TEST(test_renegotiation_is_refused)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client;

	begin(1, &options);
	client = sim_client(&sim, 0);
	speaks_tls12(client);
	both_offloaded(client);
	renegotiates(client->tls);
	sim_step(client);
	ck_assert(!client->tls->failed);
	/* Its library names no cause. */
	check_hears(client, "");
	ck_assert_int_eq(sim_flow(&sim)->state, FLOW_ESTABLISHED);
	worker_kill_flows(sim.worker);
	ck_assert(sim_run_to_end(&sim, 100));
	stop();
}
END_TEST

START_TEST(test_new_keys)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client, *server;
	bool asks = _i;

	begin(1, &options);
	client = sim_client(&sim, 0);
	server = both_offloaded(client);
	ck_assert(!tls_session_update_keys(&client->tls->session, asks));
	client->to_send += 100;
	sim_step(client);
	if (asks) {
		check_hears(client, "internal error");
		ck_assert_str_eq(sim_end_of(&sim, 0), "CD");
		ck_assert_uint_eq(
		    count(&metrics()->tls_client_failures[TLS_CAUSE_rekey]), 1);
		ck_assert(!server->got_fin);
	} else {
		server->to_send += BULK;
		client->keeps_open = server->keeps_open = false;
		run_to_clean_end(client);
	}
	stop();
}
END_TEST

/* Before: the session has other keys than it told, and keeps them. */
START_TEST(test_new_keys_before)
{
	struct sim_options options = with(CLIENT_END);
	struct sim_peer *client, *server;

	begin(1, &options);
	client = sim_client(&sim, 0);
	server = both_ready(client);
	ck_assert(!tls_session_update_keys(&client->tls->session, true));
	client->to_send += 100;
	rounds(5);
	server->to_send += BULK;
	for (int i = 0; i < 2000 && client->received < BULK; i++)
		rounds(1);
	ck_assert_uint_eq(count(&metrics()->ktls_refused), 1);
	client->keeps_open = server->keeps_open = false;
	run_to_clean_end(client);
	stop();
}
END_TEST

/* -- what the kernel refuses ------------------------------------------- */

static bool run_with_failure(uint32_t n, enum ends ends)
{
	struct sim_options options = with(ends);
	struct sim_peer *client;
	bool failed;

	begin(1, &options);
	answer_bytes = 400000;
	client = sim_client(&sim, ends == CLIENT_END ? 100 : 400000);
	client->waits_for_end = ends == CLIENT_END;
	client->read_max = 9000;
	fake.fail_call = n;
	ck_assert(sim_run_to_end(&sim, 20000));
	failed = fake.has_failed;
	fake.fail_call = 0;
	sim_read(client);
	ck_assert(client->got_fin || client->got_reset ||
		  fake_peer_sees_reset(client->conn));
	sim_check_peer(client);
	stop();
	return failed;
}

START_TEST(test_nth_call_fails)
{
	enum ends ends = (enum ends)(1 + _i);
	uint32_t n = 1;

	while (n < 3000 && run_with_failure(n, ends))
		n++;
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_lt(n, 3000);
	printf("sim_ktls: %u calls that fail, ends %d\n", n - 1, ends);
}
END_TEST

START_TEST(test_no_kernel)
{
	struct sim_options options = with(BOTH_ENDS);
	struct sim_peer *client;

	begin(1, &options);
	fake.ktls = false;
	answer_bytes = BULK;
	client = sim_client(&sim, BULK);
	run_to_clean_end(client);
	ck_assert_uint_eq(count(&metrics()->ktls_directions), 0);
	ck_assert_uint_eq(count(&metrics()->ktls_refused), 2);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("ktls");
	int code;

	kit_begin();
	ktls_switch(true);
	tcase_add_loop_test(tcase, test_exact, 0, 60);
	tcase_add_loop_test(tcase, test_tls12, 0, 12);
	tcase_add_loop_test(tcase, test_spliced, 0, 2);
	tcase_add_test(tcase, test_small_stays);
	tcase_add_test(tcase, test_slow_again);
	tcase_add_loop_test(tcase, test_slow_reader_gets_the_end, 0, 20);
	tcase_add_loop_test(tcase, test_half_close, 0, 6);
	tcase_add_loop_test(tcase, test_while_the_end_waits, 0, N_MEANWHILE);
	tcase_add_test(tcase, test_slow_is_not_idle);
	tcase_add_test(tcase, test_server_cuts);
	tcase_add_loop_test(tcase, test_resets, 0, 36);
	tcase_add_loop_test(tcase, test_full_sink_stops_reading, 0, 9);
	tcase_add_loop_test(tcase, test_no_buffers, 0, 3);
	tcase_add_test(tcase, test_garbage);
	tcase_add_test(tcase, test_renegotiation_is_refused);
	tcase_add_loop_test(tcase, test_new_keys, 0, 2);
	tcase_add_test(tcase, test_new_keys_before);
	tcase_add_loop_test(tcase, test_nth_call_fails, 0, 3);
	tcase_add_test(tcase, test_no_kernel);
	code = sim_check_main(tcase);
	kit_end();
	return code;
}
