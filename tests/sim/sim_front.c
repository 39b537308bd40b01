/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before a server is chosen: PROXY headers, ClientHellos that are
 * passed through, the wait for first bytes; and what is held meanwhile. */
#include "lb/front.h"

#include "base/assert.h"
#include "lb/flow_line.h"
#include "lb/flow_state.h"
#include "lb/route.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"

#include <errno.h>
#include <string.h>

#define NAME "www.example.com"

static struct sim sim;
static uint8_t header[PROXY_V2_BYTES_MAX], hello[4096];
static uint32_t hello_length;
static uint32_t route; /* of the flow that connected last */
static uint64_t answer_bytes;
static struct sim_prefix hears;

static void on_server(struct sim *s, struct sim_peer *server)
{
	const struct flow *flow = sim_flow(s);

	route = flow->side->route;
	server->to_send = answer_bytes;
	server->hears = hears;
}

static void start(const struct sim_options *options)
{
	fake_init(1);
	sim_start(&sim, options);
	sim.on_server = on_server;
	answer_bytes = 3000;
	hears = (struct sim_prefix){NULL, 0};
	route = UINT32_MAX;
}

static void stop(void)
{
	sim_stop(&sim);
	fake_fini();
}

static struct sim_options with_proxy(void)
{
	struct sim_options options = sim_defaults();

	options.reads_proxy = true;
	return options;
}

static struct sim_options with_route(void)
{
	struct sim_options options = sim_defaults();

	options.route_name = NAME;
	return options;
}

static uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

static void check_reset(struct sim_peer *client)
{
	sim_turn(&sim, 0);
	if (!client->reset_sent)
		ck_assert(fake_peer_sees_reset(client->conn));
}

/* -- PROXY headers ----------------------------------------------------- */

static uint32_t make_header(int version)
{
	struct proxy_out out = {.crc32c = true};
	int n;

	ck_assert(!addr_parse(&out.source, "203.0.113.7:4711"));
	ck_assert(!addr_parse(&out.destination, "203.0.113.1:443"));
	out.authority = (struct proxy_slice){(const uint8_t *)NAME, 15};
	out.unique_id = (struct proxy_slice){(const uint8_t *)"id-1", 4};
	n = version == 1 ? proxy_build_v1(header, sizeof header, &out)
			 : proxy_build_v2(header, sizeof header, &out);
	ck_assert_int_gt(n, 20);
	return (uint32_t)n;
}

static void check_source(void)
{
	char text[FLOW_CLIENT_TEXT_MAX];

	(void)flow_client_format(&sim.records[0].client, text);
	ck_assert_str_eq(text, "203.0.113.7:4711");
}

/* The header in two parts, what follows with the second. */
static void split_at(uint32_t length, uint32_t at)
{
	struct sim_options options = with_proxy();
	struct sim_peer *client;

	start(&options);
	client = sim_client_saying(&sim, header, length, 5000);
	sim_turn(&sim, 1);
	sim_write(client, at);
	sim_turn(&sim, 1);
	sim_turn(&sim, 1);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, 5000);
	check_source();
	ck_assert_uint_eq(count(&sim.worker->metrics->proxy_headers), 1);
	stop();
}

START_TEST(test_proxy_every_split)
{
	uint32_t length = make_header(_i);

	for (uint32_t at = 1; at <= length; at++)
		split_at(length, at);
}
END_TEST

START_TEST(test_proxy_byte_by_byte)
{
	struct sim_options options = with_proxy();
	uint32_t length = make_header(_i);
	struct sim_peer *client;

	start(&options);
	client = sim_client_saying(&sim, header, length, 50);
	client->write_max = 1;
	sim_run_to_clean_end(&sim, client);
	check_source();
	stop();
}
END_TEST

START_TEST(test_proxy_malformed)
{
	static const char *const lines[] = {"GET / HTTP/1.1\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
	    "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
	    "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c"};
	struct sim_options options = with_proxy();
	uint32_t length = _i < 3 ? (uint32_t)strlen(lines[_i]) : 16;
	struct sim_peer *client;

	start(&options);
	client = sim_client_saying(&sim, lines[_i], length, 0);
	sim_write(client, length);
	ck_assert_str_eq(sim_end_of(&sim, 0), "PP");
	ck_assert_uint_eq(count(&sim.worker->metrics->proxy_malformed), 1);
	ck_assert_uint_eq(count(&sim.worker->metrics->connects), 0);
	check_reset(client);
	stop();
}
END_TEST

START_TEST(test_proxy_too_slow)
{
	struct sim_options options = with_proxy();
	uint32_t length = make_header(1);
	struct sim_peer *client;

	start(&options);
	client = sim_client_saying(&sim, header, length, 0);
	sim_turn(&sim, 1);
	/* Each byte is progress, but it does not buy time. */
	for (uint32_t i = 0; i + 1 < length && !sim.n_records; i++) {
		sim_write(client, 1);
		sim_run_ms(&sim, 200);
	}
	ck_assert_str_eq(sim_end_of(&sim, 0), "cP");
	ck_assert_uint_eq(count(&sim.worker->metrics->first_bytes_timeouts), 1);
	check_reset(client);
	stop();
}
END_TEST

START_TEST(test_proxy_untrusted)
{
	struct sim_options options = with_proxy();
	struct sim_peer *client;

	options.proxy_from = _i ? "198.51.100.0/24" : "10.0.0.0/8";
	start(&options);
	client = sim_client_saying(&sim, header, make_header(2), 100);
	if (_i) {
		sim_run_to_clean_end(&sim, client);
		check_source();
	} else {
		ck_assert_str_eq(sim_end_of(&sim, 0), "PP");
		ck_assert_int_eq(sim.records[0].error, BR_E_UNTRUSTED);
		check_reset(client);
	}
	stop();
}
END_TEST

/* As a health check that connects and resets at once. */
START_TEST(test_proxy_gone_before_accept)
{
	struct sim_options options = with_proxy();

	options.proxy_from = "198.51.100.0/24";
	start(&options);
	(void)sim_client_saying(&sim, header, make_header(2), 100);
	fake.fail_call = 1; /* getpeername() */
	ck_assert_str_eq(sim_end_of(&sim, 0), "CP");
	ck_assert_int_eq(sim.records[0].error, -ECONNRESET);
	ck_assert_uint_eq(count(&sim.worker->metrics->proxy_untrusted), 0);
	stop();
}
END_TEST

START_TEST(test_proxy_local)
{
	struct sim_options options = with_proxy();
	struct proxy_out out = {.local = true};
	struct sim_peer *client;
	char text[FLOW_CLIENT_TEXT_MAX];
	int n = proxy_build_v2(header, sizeof header, &out);

	ck_assert_int_ge(n, 16);
	start(&options);
	client = sim_client_saying(&sim, header, (uint32_t)n, 100);
	sim_run_to_clean_end(&sim, client);
	(void)flow_client_format(&sim.records[0].client, text);
	ck_assert_str_eq(text, "198.51.100.1:0");
	stop();
}
END_TEST

/* The server hears of whom the first proxy heard, in its own header. */
START_TEST(test_proxy_passed_on)
{
	struct sim_options options = with_proxy();
	uint8_t expected[PROXY_V2_BYTES_MAX];
	uint32_t length = make_header(_i);
	struct sim_peer *client;

	options.proxy_out = _i == 1 ? CONF_PROXY_V1 : CONF_PROXY_V2;
	start(&options);
	memcpy(expected, header, length);
	hears = (struct sim_prefix){expected, length};
	sim.behaviour[0] = SIM_REFUSES;
	client = sim_client_saying(&sim, header, length, 40000);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, length + 40000);
	stop();
}
END_TEST

/* -- ClientHello ------------------------------------------------------- */

/* As a real client makes it. */
static void make_hello(void)
{
	struct tls_client_options options = {.verify = TLS_VERIFY_NONE};
	struct tls_peer peer = {.sni = NAME};
	struct tls_in none = {NULL, NULL};
	struct tls_out out = {hello, hello + sizeof hello};
	struct tls_session session;
	struct tls_context *context;
	struct tls_client *client;

	br_assert(!tls_start());
	br_assert(!tls_client_load(&options, NULL, NULL, &client));
	br_assert(!tls_context_new_client(client, &context));
	br_assert(!tls_session_init_client(&session, context, &peer));
	br_assert(
	    tls_session_handshake(&session, &none, &out) == TLS_WANT_INPUT);
	hello_length = (uint32_t)(out.at - hello);
	br_assert(hello_length > 100);
	tls_session_fini(&session);
	tls_context_free(context);
	tls_client_free(client);
}

static struct sim_peer *client_hello(uint64_t behind)
{
	hears = (struct sim_prefix){hello, hello_length};
	return sim_client_saying(&sim, hello, hello_length, behind);
}

START_TEST(test_hello_routes)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	client = client_hello(2000);
	if (_i)
		client->write_max = (uint32_t)_i;
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, hello_length + 2000);
	ck_assert_uint_eq(route, 0);
	stop();
}
END_TEST

START_TEST(test_hello_behind_proxy_header)
{
	static uint8_t both[sizeof header + sizeof hello];
	struct sim_options options = with_route();
	uint32_t n = make_header(2);
	struct sim_peer *client;

	options.reads_proxy = true;
	start(&options);
	memcpy(both, header, n);
	memcpy(both + n, hello, hello_length);
	hears = (struct sim_prefix){hello, hello_length};
	client = sim_client_saying(&sim, both, n + hello_length, 2000);
	client->write_max = _i ? (uint32_t)_i : UINT32_MAX;
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, hello_length + 2000);
	ck_assert_uint_eq(route, 0);
	check_source();
	stop();
}
END_TEST

START_TEST(test_not_tls_goes_on)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	hears = (struct sim_prefix){"SSH-2.0-x\r\n", 11};
	client = sim_client_saying(&sim, "SSH-2.0-x\r\n", 11, 9000);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(route, ROUTE_DEFAULT);
	stop();
}
END_TEST

START_TEST(test_hello_malformed)
{
	struct sim_options options = with_route();
	static uint8_t bad[sizeof hello];
	struct sim_peer *client;

	start(&options);
	memcpy(bad, hello, hello_length);
	bad[43] = 0xff; /* the session id's length */
	client = sim_client_saying(&sim, bad, hello_length, 0);
	sim_write(client, hello_length);
	ck_assert_str_eq(sim_end_of(&sim, 0), "PF");
	ck_assert_uint_eq(count(&sim.worker->metrics->hello_malformed), 1);
	check_reset(client);
	stop();
}
END_TEST

START_TEST(test_hello_too_slow)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	client = client_hello(0);
	sim_turn(&sim, 1);
	for (uint32_t i = 0; i + 1 < hello_length && !sim.n_records; i++) {
		sim_write(client, 1);
		sim_run_ms(&sim, 100);
	}
	ck_assert_str_eq(sim_end_of(&sim, 0), "cF");
	ck_assert_uint_eq(count(&sim.worker->metrics->connects), 0);
	check_reset(client);
	stop();
}
END_TEST

/* -- a client that waits for the server -------------------------------- */

/* The armed receive is taken over; what it brings at any moment of the
 * connect comes first, once and in order. */
START_TEST(test_wait_then_bytes)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	sim.connect_delay_ns = 60 * NS_PER_MS;
	client = sim_client(&sim, 30000);
	sim_turn(&sim, 1);
	sim_run_ms(&sim, 10 * _i);
	sim_write(client, 1000);
	sim_turn(&sim, 1);
	sim_write(client, 500);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, 30000);
	ck_assert_uint_eq(client->received, 3000);
	stop();
}
END_TEST

START_TEST(test_server_speaks_first)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	client = sim_client(&sim, 0);
	client->keeps_open = true;
	sim_turn(&sim, 1);
	sim_run_ms(&sim, 100);
	ck_assert_ptr_nonnull(client->other);
	sim_write(client->other, 200);
	sim_run_ms(&sim, 2);
	sim_read(client);
	ck_assert_uint_eq(client->received, 200);
	client->keeps_open = false;
	sim_run_to_clean_end(&sim, client);
	stop();
}
END_TEST

START_TEST(test_held_bytes_go_to_who_serves)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	sim.behaviour[0] = _i ? SIM_HANGS : SIM_REFUSES;
	client = client_hello(3000);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, hello_length + 3000);
	ck_assert_uint_eq(count(&sim.worker->metrics->retries), 1);
	stop();
}
END_TEST

START_TEST(test_queued_with_held_bytes)
{
	struct sim_options options = with_route();
	struct sim_peer *first, *second;

	options.n_servers = 1;
	options.server_connections = 1;
	options.queue_length = 2;
	start(&options);
	first = client_hello(100);
	first->keeps_open = true;
	sim_connected(&sim, first);
	second = client_hello(7000);
	sim_turn(&sim, 1);
	sim_write(second, hello_length + 100);
	sim_run_ms(&sim, 20);
	ck_assert_uint_eq(sim.upstream->queued, 1);
	first->keeps_open = false;
	ck_assert(sim_run_to_end(&sim, 20000));
	sim_read(second->other);
	ck_assert_uint_eq(second->other->received, hello_length + 7000);
	ck_assert(second->other->got_fin);
	stop();
}
END_TEST

/* -- what happens in each early state ---------------------------------- */

enum place { IN_PROXY, IN_HELLO, IN_QUEUE, IN_CONNECT, IN_RETRY, N_PLACES };

/* A flow in this state with some bytes held, or (bare) a receive armed. */
static struct sim_peer *bring_to(enum place place, bool bare)
{
	static const enum flow_state states[] = {FLOW_PROXY_HEADER,
	    FLOW_FIRST_BYTES, FLOW_QUEUED, FLOW_CONNECTING, FLOW_RETRY_WAIT};
	struct sim_options options =
	    place == IN_PROXY ? with_proxy() : with_route();
	struct sim_peer *client, *before = NULL;

	options.n_servers = 1;
	options.queue_length = 2;
	options.server_connections = place == IN_QUEUE ? 1 : 0;
	options.connect_ms = 60000;
	start(&options);
	if (place == IN_QUEUE) {
		before = client_hello(0);
		before->keeps_open = true;
		sim_connected(&sim, before);
		sim_steps(&sim);
	}
	if (place == IN_CONNECT)
		sim.behaviour[0] = SIM_HANGS;
	if (place == IN_RETRY)
		sim.behaviour[0] = SIM_REFUSES;
	client = place == IN_PROXY
		     ? sim_client_saying(&sim, header, make_header(2), 100)
		     : client_hello(100);
	sim_turn(&sim, 1);
	if (!bare)
		sim_write(client, place <= IN_HELLO ? 10 : hello_length);
	sim_turn(&sim, 1);
	if (bare && place > IN_HELLO)
		sim_run_ms(&sim, 60);
	for (int i = 0; i < 5; i++)
		sim_turn(&sim, 1);
	ck_assert_int_eq(
	    br_container_of(sim.worker->flows.head.prev, struct flow, link)
		->state,
	    states[place]);
	return client;
}

static void end_others(void)
{
	sim.behaviour[0] = SIM_ACCEPTS;
	for (uint32_t i = 0; i < sim.n_peers; i++)
		if (!sim.peers[i].reset_sent && !sim.peers[i].fin_sent &&
		    !sim.peers[i].conn->proxy_reset)
			sim_reset(&sim.peers[i]);
	worker_kill_flows(sim.worker);
	ck_assert(sim_run_to_end(&sim, 2000));
}

START_TEST(test_reset_early)
{
	static const char *const ends[] = {"CP", "CF", "CQ", "CC", "CC"};
	struct sim_peer *client = bring_to((enum place)(_i / 2), _i % 2);

	/* With its first bytes held nothing is armed that would tell, but in
	 * the queue a watch is. */
	sim_reset(client);
	if (_i % 2 || _i / 2 <= IN_QUEUE)
		ck_assert_str_eq(sim_end_of(&sim, 0), ends[_i / 2]);
	end_others();
	stop();
}
END_TEST

START_TEST(test_end_early)
{
	enum place place = (enum place)(_i / 2);
	struct sim_peer *client = bring_to(place, _i % 2);

	/* A partial hello and its end go to the server as they are. */
	client->to_send = client->sent;
	sim_fin(client);
	if (place == IN_PROXY) {
		ck_assert_str_eq(sim_end_of(&sim, 0), "CP");
		check_reset(client);
	} else if (place == IN_HELLO) {
		for (int i = 0; i < 50 && !client->other; i++)
			sim_turn(&sim, 10);
		ck_assert_ptr_nonnull(client->other);
		ck_assert(sim_run_to_end(&sim, 2000));
		sim_read(client->other);
		ck_assert(client->other->got_fin);
		ck_assert_uint_eq(client->other->received, client->sent);
	}
	end_others();
	stop();
}
END_TEST

START_TEST(test_kill_early)
{
	static const char *const ends[] = {"KP", "KF", "KQ", "KC", "KC"};
	enum place place = (enum place)(_i / 2);
	struct sim_peer *client = bring_to(place, _i % 2);
	uint32_t last = place == IN_QUEUE;

	worker_kill_flows(sim.worker);
	sim_end_of(&sim, last);
	/* The order of ends within a turn is not of interest. */
	ck_assert(!strcmp(sim_end_of(&sim, last), ends[place]) ||
		  !strcmp(sim_end_of(&sim, 0), ends[place]));
	check_reset(client);
	stop();
}
END_TEST

START_TEST(test_starved_early)
{
	struct sim_options options = _i % 2 ? with_proxy() : with_route();
	struct sim_peer *client;

	start(&options);
	sim.connect_delay_ns = 30 * NS_PER_MS;
	client = _i % 2 ? sim_client_saying(&sim, header, make_header(1), 3000)
			: client_hello(3000);
	fake_take_buffers(&sim.worker->ring, 0);
	sim_turn(&sim, 1);
	sim_write(client, 20);
	/* Shorter and longer than the wait. */
	sim_run_ms(&sim, _i < 2 ? 20 : 70);
	ck_assert_uint_gt(count(&sim.worker->metrics->starved), 0);
	fake_give_buffers(&sim.worker->ring);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(
	    client->other->received, 3000 + (_i % 2 ? 0 : hello_length));
	stop();
}
END_TEST

/* Starved when it is established: the receive is still owed. */
START_TEST(test_starved_until_established)
{
	struct sim_options options = with_route();
	struct sim_peer *client;

	start(&options);
	client = sim_client(&sim, 4000);
	fake_take_buffers(&sim.worker->ring, 0);
	sim_turn(&sim, 1);
	sim_write(client, 20);
	sim_run_ms(&sim, 100);
	ck_assert_int_eq(sim_flow(&sim)->state, FLOW_ESTABLISHED);
	fake_give_buffers(&sim.worker->ring);
	sim_run_to_clean_end(&sim, client);
	ck_assert_uint_eq(client->other->received, 4000);
	stop();
}
END_TEST

START_TEST(test_parked_limit)
{
	struct sim_options options = with_route();
	struct sim_peer *clients[4];

	/* A page each: two fit. */
	options.parked_bytes = 2 * 4096;
	start(&options);
	for (int i = 0; i < 4; i++) {
		clients[i] = client_hello(100);
		sim_turn(&sim, 1);
		sim_write(clients[i], 10);
		sim_run_ms(&sim, 5);
	}
	ck_assert_str_eq(sim_end_of(&sim, 0), "RF");
	ck_assert_str_eq(sim_end_of(&sim, 1), "RF");
	ck_assert_uint_eq(count(&sim.worker->metrics->parked_full), 2);
	ck_assert(fake_peer_sees_reset(clients[2]->conn));
	ck_assert(fake_peer_sees_reset(clients[3]->conn));
	/* What one gives back the next can have. */
	sim_reset(clients[0]);
	sim_run_ms(&sim, 5);
	clients[2] = client_hello(100);
	sim_turn(&sim, 1);
	sim_write(clients[2], 10);
	sim_run_ms(&sim, 5);
	ck_assert_uint_eq(count(&sim.worker->metrics->parked_full), 2);
	end_others();
	stop();
}
END_TEST

START_TEST(test_random)
{
	struct sim_options options = with_route();

	options.reads_proxy = _i % 2;
	options.buffers = 8;
	fake_init((uint64_t)_i + 1);
	sim_start(&sim, &options);
	sim.on_server = on_server;
	answer_bytes = 30000;
	fake.random = true;
	sim.connect_delay_ns = _i % 4 * 20 * NS_PER_MS;
	sim.behaviour[0] = _i % 5 ? SIM_ACCEPTS : SIM_REFUSES;
	hears = (struct sim_prefix){NULL, 0};
	for (uint32_t i = 0; i < 12; i++) {
		uint32_t n = make_header(1 + _i / 2 % 2);
		struct sim_peer *client =
		    options.reads_proxy
			? sim_client_saying(&sim, header, n, 20000)
			: sim_client(&sim, 20000);

		client->write_max = 1 + (uint32_t)_i * 37 % 900;
		client->reset_at = i % 5 == 4 ? 30 + i * 100 : UINT64_MAX;
		sim_turn(&sim, 1);
	}
	ck_assert(sim_run_to_end(&sim, 100000));
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("front");

	make_hello();
	tcase_add_loop_test(tcase, test_proxy_every_split, 1, 3);
	tcase_add_loop_test(tcase, test_proxy_byte_by_byte, 1, 3);
	tcase_add_loop_test(tcase, test_proxy_malformed, 0, 4);
	tcase_add_test(tcase, test_proxy_too_slow);
	tcase_add_loop_test(tcase, test_proxy_untrusted, 0, 2);
	tcase_add_test(tcase, test_proxy_gone_before_accept);
	tcase_add_test(tcase, test_proxy_local);
	tcase_add_loop_test(tcase, test_proxy_passed_on, 1, 3);
	tcase_add_loop_test(tcase, test_hello_routes, 0, 3);
	tcase_add_loop_test(tcase, test_hello_behind_proxy_header, 0, 3);
	tcase_add_test(tcase, test_not_tls_goes_on);
	tcase_add_test(tcase, test_hello_malformed);
	tcase_add_test(tcase, test_hello_too_slow);
	tcase_add_loop_test(tcase, test_wait_then_bytes, 0, 14);
	tcase_add_test(tcase, test_server_speaks_first);
	tcase_add_loop_test(tcase, test_held_bytes_go_to_who_serves, 0, 2);
	tcase_add_test(tcase, test_queued_with_held_bytes);
	tcase_add_loop_test(tcase, test_reset_early, 0, 2 * N_PLACES);
	tcase_add_loop_test(tcase, test_end_early, 0, 2 * N_PLACES);
	tcase_add_loop_test(tcase, test_kill_early, 0, 2 * N_PLACES);
	tcase_add_loop_test(tcase, test_starved_early, 0, 4);
	tcase_add_test(tcase, test_starved_until_established);
	tcase_add_test(tcase, test_parked_limit);
	tcase_add_loop_test(tcase, test_random, 0, 30);
	return sim_check_main(tcase);
}
