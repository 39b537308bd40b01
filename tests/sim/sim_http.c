/* SPDX-License-Identifier: Apache-2.0 */
/* http mode: messages delimited, one request at a time, servers that come and
 * go between them, and what makes a flow opaque. */
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_talk.h"

#include "lb/http_flow.h"

static struct sim sim;
static struct talk talk;

#define GET "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct sim_options http_options(void)
{
	struct sim_options options = sim_defaults();

	options.shard_range = CONF_SHARD_AUTO;
	return options;
}

static void start_with(struct sim_options options)
{
	fake_init(1);
	sim_start(&sim, &options);
	talk_start(&talk);
}

static void start(void)
{
	start_with(http_options());
}

static void stop(void)
{
	sim_stop(&sim);
	fake_fini();
	talk_free(&talk);
}

static uint64_t count(const struct counter *c)
{
	return counter_read(c);
}

static void run(void)
{
	talk_begin(&talk, &sim);
	ck_assert(talk_run(&talk, &sim, 20000));
}

/* The client ends, and hears the end of all that was said. */
static void end(void)
{
	ck_assert_uint_eq(talk.client->received, talk.down_bytes);
	if (!talk.client->fin_sent)
		sim_fin(talk.client);
	talk.server->keeps_open = false;
	talk.server->waits_for_end = true;
	ck_assert(sim_run_to_end(&sim, 5000));
	sim_read(talk.client);
	ck_assert(talk.client->got_fin);
}

static void expect(uint64_t requests, uint64_t opaque, uint32_t connections)
{
	const struct worker_metrics *metrics = sim.worker->metrics;

	ck_assert_uint_eq(count(&metrics->http_requests), requests);
	ck_assert_uint_eq(count(&metrics->http_opaque), opaque);
	ck_assert_uint_eq(talk.n_connections, connections);
}

/* -- messages ---------------------------------------------------------- */

START_TEST(test_keep_alive)
{
	start();
	for (int i = 0; i < 12; i++)
		talk_add(&talk, GET, 0, HELLO, 0);
	run();
	end();
	expect(12, 0, 1);
	/* One a request, and none for the connection. */
	ck_assert_uint_eq(sim.n_records, 12);
	ck_assert_uint_eq(sim.records[3].bytes_up, sizeof GET - 1);
	ck_assert_uint_eq(sim.records[3].bytes_down, sizeof HELLO - 1);
	stop();
}
END_TEST

START_TEST(test_pipelined)
{
	start();
	for (int i = 0; i < 12; i++)
		talk_add(&talk, GET, 0, HELLO, 0);
	talk.pipelines = true;
	run();
	end();
	expect(12, 0, 1);
	stop();
}
END_TEST

START_TEST(test_bodies)
{
	start();
	talk_add(&talk,
	    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
	    100000, "HTTP/1.1 204 No Content\r\n\r\n", 0);
	talk_add(&talk, GET, 0,
	    "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", 3000000);
	talk_add(&talk, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", 0,
	    "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", 0);
	talk_add(&talk, GET, 0, "HTTP/1.1 304 Not Modified\r\n\r\n", 0);
	talk_add(&talk,
	    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
	    0,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3;x=y\r\nabc\r\n0\r\n\r\n",
	    0);
	talk_add(&talk,
	    "PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	    "Content-Length: 3\r\n\r\nabc",
	    0, "HTTP/1.1 100 Continue\r\n\r\n" HELLO, 0);
	run();
	end();
	expect(6, 0, 1);
	stop();
}
END_TEST

/* Known bytes in bulk go through a pipe, to the last and no further. */
START_TEST(test_bulk_is_spliced)
{
	start();
	for (int i = 0; i < 3; i++)
		talk_add(&talk, GET, 0,
		    "HTTP/1.1 200 OK\r\nContent-Length: 1200000\r\n\r\n",
		    1200000);
	talk.pipelines = true;
	run();
	end();
	expect(3, 0, 1);
	ck_assert_uint_gt(count(&sim.worker->metrics->bytes_spliced), 500000);
	stop();
}
END_TEST

START_TEST(test_close_is_honoured)
{
	start();
	talk_add(&talk, GET, 0, HELLO, 0);
	talk_add(&talk, GET, 0,
	    "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	    "Content-Length: 2\r\n\r\nok",
	    0);
	run();
	sim_run_ms(&sim, 5);
	sim_read(talk.client);
	ck_assert(talk.client->got_fin);
	ck_assert_uint_eq(talk.client->received, talk.down_bytes);
	sim_fin(talk.client);
	talk.server->deaf = true;
	ck_assert(sim_run_to_end(&sim, 5000));
	talk.client->deaf = true;
	expect(2, 0, 1);
	stop();
}
END_TEST

/* -- servers that come and go ------------------------------------------ */

static void connections_case(enum talk_end how, uint64_t replays)
{
	start();
	for (uint32_t i = 0; i < 5; i++) {
		talk_add(&talk, GET, 0, HELLO, 0);
		talk.end[i] = i % 2 ? how : TALK_STAYS;
	}
	run();
	end();
	expect(5, 0, 3);
	ck_assert_uint_eq(count(&sim.worker->metrics->http_reopened), 2);
	ck_assert_uint_eq(count(&sim.worker->metrics->http_replays), replays);
	stop();
}

START_TEST(test_server_closes_between)
{
	connections_case(TALK_CLOSES_BEHIND, 0);
}
END_TEST

START_TEST(test_server_resets_between)
{
	connections_case(TALK_RESETS_BEHIND, 0);
}
END_TEST

START_TEST(test_request_meets_the_close)
{
	connections_case(TALK_CLOSES_BEFORE, 2);
}
END_TEST

START_TEST(test_request_meets_the_reset)
{
	connections_case(TALK_RESETS_BEFORE, 2);
}
END_TEST

/* A server that wants no more of a request has an answer to it and resets,
 * while the request is on its way: sending fails first, and then comes what it
 * has said, which is the answer. */
START_TEST(test_answer_meets_the_reset)
{
	start();
	talk_add(&talk, GET, 0, HELLO, 0);
	talk_add(&talk, GET, 0, HELLO, 0);
	talk_begin(&talk, &sim);
	while (talk.client->received < talk.down_end[0])
		ck_assert(!talk_run(&talk, &sim, 1));
	sim_write(talk.client, talk.up_bytes - (uint32_t)talk.client->sent);
	while (!sim_flow(&sim)->up.sending)
		sim_turn(&sim, 1);
	talk.server->to_send = talk.down_bytes;
	sim_write(talk.server, talk.down_bytes - talk.down_end[0]);
	sim_reset(talk.server);
	ck_assert(talk_run(&talk, &sim, 2000));
	ck_assert(sim_run_to_end(&sim, 2000));
	ck_assert_uint_eq(talk.client->received, talk.down_bytes);
	ck_assert(talk.client->got_reset);
	ck_assert_uint_eq(talk.n_connections, 1);
	stop();
}
END_TEST

/* Repeated bytes might be a double order. */
START_TEST(test_post_is_not_replayed)
{
	start();
	talk_add(&talk, GET, 0, HELLO, 0);
	talk_add(&talk,
	    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 0,
	    HELLO, 0);
	talk.end[1] = TALK_RESETS_BEFORE;
	talk_begin(&talk, &sim);
	ck_assert(talk_run(&talk, &sim, 2000));
	ck_assert(talk.client->got_reset);
	ck_assert_uint_eq(talk.n_connections, 1);
	ck_assert_uint_eq(talk.client->received, talk.down_end[0]);
	ck_assert_str_eq(sim_end_of(&sim, 1), "SD");
	stop();
}
END_TEST

/* A flow without a server may end for any reason. */
START_TEST(test_ends_without_server)
{
	start();
	talk_add(&talk, GET, 0, HELLO, 0);
	talk.end[0] = TALK_CLOSES_BEHIND;
	run();
	sim_run_ms(&sim, 10);
	ck_assert_int_eq(sim_flow(&sim)->server_fd, -1);
	ck_assert_ptr_null(sim_flow(&sim)->server);
	if (_i == 0)
		sim_reset(talk.client);
	else if (_i == 1)
		flow_kill(sim_flow(&sim), BR_E_DRAINED);
	else if (_i == 2)
		sim_run_ms(&sim, 400000);
	else
		sim_fin(talk.client);
	ck_assert(sim_run_to_end(&sim, 5000));
	talk.client->deaf = talk.server->deaf = true;
	stop();
}
END_TEST

/* -- ends -------------------------------------------------------------- */

/* A client that has said all and ended its side gets its answers. */
START_TEST(test_client_ends_early)
{
	start();
	for (int i = 0; i < 3; i++)
		talk_add(&talk, GET, 0, HELLO, 0);
	talk.pipelines = true;
	talk_begin(&talk, &sim);
	talk.client->to_send = talk.up_bytes;
	talk.client->keeps_open = false;
	ck_assert(talk_run(&talk, &sim, 2000));
	end();
	expect(3, 0, 1);
	stop();
}
END_TEST

START_TEST(test_excess_ends_the_connection)
{
	start();
	talk_add(&talk, GET, 0, HELLO, 0);
	talk_begin(&talk, &sim);
	ck_assert(talk_run(&talk, &sim, 2000));
	fake_peer_write(talk.server->conn, "HTTP/1.1 200 OK\r\n", 17);
	sim_run_ms(&sim, 5);
	sim_read(talk.client);
	ck_assert(talk.client->got_fin);
	ck_assert_uint_eq(talk.client->received, talk.down_bytes);
	ck_assert_uint_eq(count(&sim.worker->metrics->http_excess), 1);
	talk.client->deaf = talk.server->deaf = true;
	sim_fin(talk.client);
	ck_assert(sim_run_to_end(&sim, 2000));
	stop();
}
END_TEST

/* -- what is not taken apart ------------------------------------------- */

static const struct {
	const char *request, *answer;
	bool by_answer;
} opaque_cases[] = {
    {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil the end", 0},
    {"GET / HTTP/1.1\nHost: a\n\n", "HTTP/1.1 400 Bad\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
     "Content-Length: 6\r\n\r\nabcdef",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
     "Content-Length: 5\r\n\r\nabcde",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"
     "0\r\n\r\n",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"
     "0\r\n\r\n",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\nhello\r\n0\r\n\r\n",
	EMPTY, 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde", EMPTY, 0},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nbytes",
	"HTTP/1.1 200 OK\r\n\r\nmore", 0},
    {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: NTLM abc\r\n\r\n", EMPTY, 0},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "whatever", 0},
    {"\x16\x03\x01 no HTTP at all", "neither this", 0},
    {GET,
	"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n"
	"WWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
	1},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
	"HTTP/1.1 101 Switching\r\n\r\ntunnel", 1},
    {GET, "HTTP/1.1 200 OK\r\n\r\nuntil the end", 1},
    {GET, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 1},
    {GET,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
	"0\r\n\r\n",
	1},
    {GET,
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	"Content-Length: 2\r\n\r\n0\r\n\r\n",
	1},
    {GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n",
	1},
    {GET, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 1},
    {GET, "no answer in HTTP", 1},
};

/* Second on its connection, and cut anywhere. */
START_TEST(test_opaque)
{
	for (uint32_t step = 1; step < 40; step += step < 4 ? 1 : 7) {
		for (int before = 0; before < 2; before++) {
			start();
			if (before)
				talk_add(&talk, GET, 0, HELLO, 0);
			talk_add(&talk, opaque_cases[_i].request, 0,
			    opaque_cases[_i].answer, 0);
			talk_add(&talk, "more\r\n", 3000, "and\n", 9000);
			talk.opaque = true;
			talk_begin(&talk, &sim);
			talk.client->write_max = step;
			talk.client->waits_for_end = true;
			ck_assert(talk_run(&talk, &sim, 20000));
			ck_assert_uint_eq(
			    talk.client->received, talk.down_bytes);
			talk.server->keeps_open = false;
			sim_run_ms(&sim, 5);
			sim_step(talk.server);
			talk.client->keeps_open = false;
			ck_assert(sim_run_to_end(&sim, 2000));
			sim_read(talk.client);
			ck_assert(talk.client->got_fin);
			expect((uint64_t)before, 1, 1);
			stop();
		}
	}
}
END_TEST

/* Longer than there is room for. */
START_TEST(test_long_heads)
{
	static char head[40000];
	static const uint32_t lengths[] = {3000, 3100, 16000, 17000, 30000};
	uint32_t n = lengths[_i];

	start();
	memset(head, 'x', sizeof head);
	memcpy(head, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
	memcpy(head + n, "\r\n\r\n", 5);
	talk_add(&talk, head, 0, HELLO, 0);
	memset(head, 'x', sizeof head);
	memcpy(head, "HTTP/1.1 204 No\r\nX: ", 20);
	memcpy(head + n, "\r\n\r\n", 5);
	talk_add(&talk, GET, 0, head, 0);
	run();
	end();
	ck_assert_uint_eq(
	    count(&sim.worker->metrics->http_opaque), n > CHUNK_ROOM);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("http");

	tcase_add_test(tcase, test_keep_alive);
	tcase_add_test(tcase, test_pipelined);
	tcase_add_test(tcase, test_bodies);
	tcase_add_test(tcase, test_bulk_is_spliced);
	tcase_add_test(tcase, test_close_is_honoured);
	tcase_add_test(tcase, test_server_closes_between);
	tcase_add_test(tcase, test_server_resets_between);
	tcase_add_test(tcase, test_request_meets_the_close);
	tcase_add_test(tcase, test_request_meets_the_reset);
	tcase_add_test(tcase, test_answer_meets_the_reset);
	tcase_add_test(tcase, test_post_is_not_replayed);
	tcase_add_loop_test(tcase, test_ends_without_server, 0, 4);
	tcase_add_test(tcase, test_client_ends_early);
	tcase_add_test(tcase, test_excess_ends_the_connection);
	tcase_add_loop_test(tcase, test_opaque, 0,
	    (int)(sizeof opaque_cases / sizeof *opaque_cases));
	tcase_add_loop_test(tcase, test_long_heads, 0, 5);
	return sim_check_main(tcase);
}
