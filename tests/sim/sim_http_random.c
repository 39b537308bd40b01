/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random conversations in http mode, cut at random places both ways, pipelined
 * or not, plain and with TLS at either end, over servers that close when they
 * like: the client hears exactly what was said to it. A failing seed is
 * printed and can be given as argument.
 *
 * Then with ends, resets and shortages at any moment: nothing wrong is heard,
 * and nothing is left behind. Then the same conversation while the n-th allocation, operation or call
 * fails: it ends, with all bytes or visibly.
 */
#include "tests/sim/sim_talk.h"
#include "tests/sim/sim_tls_kit.h"
#include "tests/sim/sim_seed.h"
#include "tests/sim/sim_victim.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 200
#define N_MAX 5000

static struct talk talk;

static uint32_t below(uint32_t n)
{
	return rng_below(&fake.rng, n);
}

/* -- messages ---------------------------------------------------------- */

static uint32_t some_length(void)
{
	switch (below(4)) {
	case 0:
		return below(20);
	case 1:
		return below(5000);
	case 2:
		return below(60000);
	default:
		return below(3) ? below(2000) : below(900000);
	}
}

static uint32_t put(uint8_t *to, uint32_t at, const char *text)
{
	memcpy(to + at, text, strlen(text));
	return at + (uint32_t)strlen(text);
}

static uint32_t put_data(uint8_t *to, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[at + i] = (uint8_t)((at + i) * 2654435761u >> 11);
	return at + n;
}

static uint32_t put_fields(uint8_t *to, uint32_t at)
{
	char line[64];

	for (uint32_t i = below(6); i; i--) {
		(void)snprintf(line, sizeof line, "X-F%u: ", i);
		at = put(to, at, line);
		for (uint32_t j = below(below(9) ? 40 : 4000); j; j--)
			to[at++] = 'v';
		at = put(to, at, "\r\n");
	}
	return at;
}

/* Behind the fields: how the body is delimited, the empty line, the body. */
static uint32_t put_body(uint8_t *to, uint32_t at, uint32_t length)
{
	char line[64];

	if (below(2)) {
		(void)snprintf(
		    line, sizeof line, "Content-Length: %u\r\n\r\n", length);
		at = put(to, at, line);
		return put_data(to, at, length);
	}
	at = put(to, at, "Transfer-Encoding: chunked\r\n\r\n");
	while (length) {
		uint32_t n = 1 + below(length > 30000 ? 30000 : length);

		(void)snprintf(line, sizeof line, "%X%s\r\n", n,
		    below(4) ? "" : ";ext=\"1\"");
		at = put(to, at, line);
		at = put_data(to, at, n);
		at = put(to, at, "\r\n");
		length -= n;
	}
	return put(to, at, below(3) ? "0\r\n\r\n" : "0\r\nX-Tail: 1\r\n\r\n");
}

/* An exchange; true: it may be asked again elsewhere. */
static bool add_exchange(void)
{
	static uint8_t up[2u << 20], down[2u << 20];
	uint32_t kind = below(6), a = 0, b = 0;
	bool get = kind < 3, head = kind == 3;

	a = put(up, a, get ? "GET " : head ? "HEAD " : "POST ");
	a = put(up, a, "/some/path?q HTTP/1.1\r\nHost: a\r\n");
	a = put_fields(up, a);
	a = get || head ? put(up, a, "\r\n") : put_body(up, a, some_length());
	while (!below(5))
		b = put(down, b, "HTTP/1.1 103 Hints\r\nX: y\r\n\r\n");
	if (head || !below(6)) {
		b = put(down, b,
		    head ? "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n"
			 : "HTTP/1.1 304 Not Modified\r\n");
		b = put_fields(down, b);
		b = put(down, b, "\r\n");
	} else {
		b = put(down, b, "HTTP/1.1 200 OK\r\n");
		b = put_fields(down, b);
		b = put_body(down, b, some_length());
	}
	talk_add_bytes(&talk, up, a, down, b);
	return get || head;
}

static void some_talk(void)
{
	uint32_t n = 1 + below(10);

	while (n--) {
		bool repeats = add_exchange();
		uint32_t i = talk.n - 1;

		/* An end may meet what comes behind it, which must be such as
		 * may be asked again. */
		if (i && !repeats)
			talk.end[i - 1] = TALK_STAYS;
		if (!below(4))
			talk.end[i] =
			    below(2) ? TALK_CLOSES_BEHIND : TALK_RESETS_BEHIND;
		else if (repeats && !below(5))
			talk.end[i] =
			    below(2) ? TALK_CLOSES_BEFORE : TALK_RESETS_BEFORE;
	}
	talk.pipelines = below(2);
}

/* -- runs -------------------------------------------------------------- */

static struct sim_options http_options(uint32_t ends)
{
	struct sim_options options = with((enum ends)ends);

	options.shard_range = CONF_SHARD_AUTO;
	return options;
}

static void talk_end(void)
{
	if (!talk.client->fin_sent && !talk.client->got_reset)
		sim_fin(talk.client);
	if (talk.server)
		talk.server->deaf = true;
	talk.client->deaf = true;
	for (uint32_t i = 0; i < sim.n_peers; i++)
		sim.peers[i].keeps_open = false;
	ck_assert(sim_run_to_end(&sim, 20000));
}

static struct sim_options some_options(void)
{
	uint32_t ends = below(2) ? 0 : below(4);
	struct sim_options options;

	options = http_options(ends);
	options.splice = below(3) ? CONF_SPLICE_AUTO : below(3);
	options.buffers = below(2) ? 4u << below(3) : 64;
	options.buffer_bytes = below(2) ? 512 : 8192;
	options.n_servers = 1 + below(4);
	options.retries = 3;
	options.profiler = below(2);
	fake.random = below(5) != 0;
	fake.loud_sends = below(4) == 0;
	fake.queue_room = 1024u << below(8);
	fake.ktls = below(2);
	fake.ktls_record_max = 8000;
	return options;
}

static void run(void)
{
	struct sim_options options;

	fake_init(seed);
	options = some_options();
	sim_start(&sim, &options);
	talk_start(&talk);
	some_talk();
	talk_begin(&talk, &sim);
	talk.client->write_max = below(2) ? UINT32_MAX : 1 + below(3000);
	talk.client->read_max = below(2) ? UINT32_MAX : 1 + below(9000);
	talk.server_write_max = below(2) ? UINT32_MAX : 1 + below(3000);
	ck_assert_msg(talk_run(&talk, &sim, 200000),
	    "seed %llu does not go on: %llu of %u bytes",
	    (unsigned long long)seed, (unsigned long long)talk.client->received,
	    talk.down_bytes);
	ck_assert_msg(talk.client->received == talk.down_bytes,
	    "seed %llu ends early: %llu of %u bytes, reset %d, end %s",
	    (unsigned long long)seed, (unsigned long long)talk.client->received,
	    talk.down_bytes, talk.client->got_reset,
	    sim.n_records ? sim_end_of(&sim, sim.n_records - 1) : "none");
	ck_assert_uint_eq(count(&sim.worker->metrics->http_requests), talk.n);
	ck_assert_uint_eq(count(&sim.worker->metrics->http_opaque), 0);
	talk_end();
	sim_stop(&sim);
	fake_fini();
	talk_free(&talk);
}

static void give_buffers(void *context)
{
	(void)context;
	fake_give_buffers(&sim.worker->ring);
}

/* Somebody ends or breaks, at any moment. */
static void disturb(void)
{
	struct sim_peer *server = talk.server, *client = talk.client;
	bool up = server && !server->fin_sent && !server->reset_sent &&
		  !server->got_reset && server->conn->fd >= 0;

	switch (below(7)) {
	case 0:
		/* A session may still hold what counts as said. */
		if (up && !server->tls)
			sim_reset(server);
		break;
	case 1:
		if (up)
			sim_fin(server);
		break;
	case 2:
		if (!client->fin_sent && !client->reset_sent)
			sim_reset(client);
		break;
	case 3:
		if (!client->fin_sent && !client->reset_sent)
			sim_fin(client);
		break;
	case 4:
		if (sim_flow(&sim) && sim_flow(&sim)->state != FLOW_CLOSING)
			flow_kill(sim_flow(&sim), BR_E_DRAINED);
		break;
	default:
		fake_take_buffers(&sim.worker->ring, below(3));
		fake_at((1 + below(10)) * NS_PER_MS, give_buffers, NULL);
	}
}

/* What is heard is right as far as it goes (the peers see to it), and nothing
 * is left behind. */
static void run_disturbed(void)
{
	struct sim_options options;

	fake_init(seed);
	options = some_options();
	options.idle_ms = options.half_closed_ms = 3000;
	options.server_connections = 1 + below(2);
	options.queue_length = below(2) * 5;
	options.queue_ms = 200;
	options.parked_bytes =
	    below(3) ? 4u << 20 : CHUNK_BYTES * (2 + below(8));
	sim_start(&sim, &options);
	talk_start(&talk);
	some_talk();
	/* Shortages may make it so. */
	talk.opaque = true;
	talk_begin(&talk, &sim);
	talk.client->write_max = below(2) ? UINT32_MAX : 1 + below(3000);
	talk.client->read_max = below(2) ? UINT32_MAX : 1 + below(9000);
	talk.server_write_max = below(2) ? UINT32_MAX : 1 + below(3000);
	for (uint32_t i = 1 + below(4); i; i--) {
		(void)talk_run(&talk, &sim, below(60));
		disturb();
	}
	(void)talk_run(&talk, &sim, 300);
	talk_end();
	sim_stop(&sim);
	fake_fini();
	talk_free(&talk);
}

START_TEST(test_random)
{
	seed_run_all(SEEDS, run);
}
END_TEST

START_TEST(test_disturbed)
{
	seed_run_all(SEEDS, run_disturbed);
}
END_TEST

/* -- failures ---------------------------------------------------------- */

static void add_all_kinds(void)
{
	static const char get[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
	static const enum talk_end ends[] = {TALK_STAYS, TALK_CLOSES_BEHIND,
	    TALK_STAYS, TALK_CLOSES_BEFORE, TALK_RESETS_BEHIND, TALK_STAYS};

	for (uint32_t i = 0; i < 6; i++) {
		talk_add(&talk, get, 0,
		    "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n",
		    400000);
		talk.end[i] = ends[i];
	}
	talk_add(&talk,
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n",
	    50000, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0);
	talk.pipelines = true;
}

static bool run_failing(enum victim victim, uint32_t n, uint32_t ends)
{
	struct sim_options options = http_options(ends);
	bool reached = false, ended;

	options.idle_ms = 2000;
	fake_init(1);
	fake.queue_room = 32768;
	sim_start(&sim, &options);
	talk_start(&talk);
	add_all_kinds();
	/* What fails may make a flow opaque, and then all comes at once. */
	talk.opaque = true;
	talk_begin(&talk, &sim);
	talk.client->write_max = 5000;
	victim_arm(victim, n);
	for (uint32_t i = 0; i < 20 && !reached; i++) {
		ended = talk_run(&talk, &sim, 500);
		reached = ended || list_empty(&sim.worker->flows);
	}
	ck_assert_msg(reached, "n %u does not end", n);
	reached = victim_reached(&sim, victim, n);
	victim_arm(victim, 0);
	sim_read(talk.client);
	ck_assert_msg(talk.client->received == talk.down_bytes ||
			  talk.client->got_reset || talk.client->got_fin ||
			  fake_peer_sees_reset(talk.client->conn),
	    "the client was left without an end (n %u)", n);
	talk_end();
	sim_stop(&sim);
	fake_fini();
	talk_free(&talk);
	return reached;
}

START_TEST(test_fail_nth)
{
	uint32_t n = 1;

	while (n < N_MAX && run_failing((enum victim)(_i % N_VICTIMS), n,
				_i < N_VICTIMS ? 0 : CLIENT_END))
		n++;
	ck_assert_uint_gt(n, 3);
	ck_assert_uint_lt(n, N_MAX);
}
END_TEST

int main(int argc, char **argv)
{
	TCase *tcase = tcase_create("http_random");
	int failed;

	seed_begin(argc, argv);
	kit_begin();
	tcase_add_test(tcase, test_random);
	tcase_add_test(tcase, test_disturbed);
	if (!only_seed)
		tcase_add_loop_test(tcase, test_fail_nth, 0, 2 * N_VICTIMS);
	failed = sim_check_main(tcase);
	kit_end();
	return failed;
}
