/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads over several servers that break at random, in virtual time. What
 * the client hears of a body is that of the head it was told, byte for byte; it
 * gets all of it or sees a reset, never an end before; and nothing is left
 * over. Then the same while the n-th allocation, operation or call fails.
 *
 *     sim_shard [SEED]
 */
#include "lb/shard_conn.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_seed.h"
#include "tests/sim/sim_victim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SEEDS 10
#define N_MAX 4000
#define CONNS_MAX 512
#define STEP_NS (2 * NS_PER_MS)
#define TURNS_MAX 200000u
#define DOWNLOADS 2
#define SERVERS 4
#define SILENT_NS (3 * NS_PER_S)

enum fault {
	NO_FAULT,
	RESETS, /* somewhere in the body */
	ENDS,
	FALLS_SILENT,
	CLOSES_BEHIND, /* and says so */
	SAYS_NOTHING, /* ends in place of an answer */
	OTHER_TAG,
	IGNORES_RANGE,
	WRONG_RANGE,
	GIVES_LESS,
	FAILS_500,
	N_FAULTS
};

/* One connection as its server sees it. */
struct origin {
	struct fake_conn *conn;
	uint32_t server;
	char in[2048], head[512];
	uint32_t in_bytes, head_bytes, head_sent;
	uint64_t at, to, breaks_at; /* of the body; breaks_at: there */
	enum fault fault;
	uint8_t version;
	bool answering, over;
};

static struct sim sim;
static struct origin origins[CONNS_MAX];
static uint32_t n_origins;
static struct rng dice;
static uint64_t size;
static uint32_t fault_one_in, write_max;
/* The only server that lives, counted from 1, or 0: all do. It says nothing
 * before that time. */
static uint32_t alone;
static int64_t silent_until_ns;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(rng_u64(&dice) % n);
}

static uint8_t content(uint8_t version, uint64_t at)
{
	return (uint8_t)((at * 2654435761u >> 11) + version * 97u);
}

/* -- the servers ------------------------------------------------------- */

static int on_connect(struct fake_conn *conn, const struct sockaddr *to,
    struct op_owner *owner, int64_t *ret_delay_ns)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)to;
	uint32_t server = ntohs(in->sin_port) - 9000u;

	br_assert(
	    owner->magic == FLOW_MAGIC || owner->magic == SHARD_CONN_MAGIC);
	*ret_delay_ns = (int64_t)below(3) * NS_PER_MS;
	if (alone && server + 1 != alone)
		return -ECONNREFUSED;
	if (fault_one_in && !below(4 * fault_one_in))
		return -ECONNREFUSED;
	br_assert(n_origins < CONNS_MAX);
	origins[n_origins++] = (struct origin){.conn = conn, .server = server};
	return 0;
}

static enum fault some_fault(void)
{
	if (!fault_one_in || below(fault_one_in))
		return NO_FAULT;
	return (enum fault)(1 + below(N_FAULTS - 1));
}

static void say_part(struct origin *o, uint64_t first, uint64_t last)
{
	uint64_t moved = o->fault == WRONG_RANGE && first ? 1 : 0;

	if (o->fault == GIVES_LESS && last > first)
		last = first + (last - first) / 2;
	o->at = first;
	o->to = last + 1;
	o->head_bytes = (uint32_t)snprintf(o->head, sizeof o->head,
	    "HTTP/1.1 206 Partial Content\r\nContent-Length: %llu\r\n"
	    "Content-Range: bytes %llu-%llu/%llu\r\nETag: \"v%u\"\r\n%s\r\n",
	    (unsigned long long)(o->to - o->at),
	    (unsigned long long)(first - moved),
	    (unsigned long long)(last - moved), (unsigned long long)size,
	    o->version,
	    o->fault == CLOSES_BEHIND ? "Connection: close\r\n" : "");
}

static void say_whole(struct origin *o)
{
	o->at = 0;
	o->to = size;
	o->head_bytes = (uint32_t)snprintf(o->head, sizeof o->head,
	    "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\nETag: \"v%u\"\r\n"
	    "Accept-Ranges: bytes\r\n%s\r\n",
	    (unsigned long long)size, o->version,
	    o->fault == CLOSES_BEHIND ? "Connection: close\r\n" : "");
}

static void answer(struct origin *o)
{
	const char *range = strstr(o->in, "\r\nRange: bytes=");
	unsigned long long first = 0, last = 0;

	o->fault = some_fault();
	o->version = o->fault == OTHER_TAG ? 2 : 1;
	o->head_sent = 0;
	o->answering = true;
	if (o->fault == FAILS_500) {
		o->at = o->to = 0;
		o->head_bytes = (uint32_t)snprintf(o->head, sizeof o->head,
		    "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
	} else if (range && o->fault != IGNORES_RANGE) {
		ck_assert_int_eq(
		    sscanf(range + 15, "%llu-%llu", &first, &last), 2);
		ck_assert(first <= last && last < size + (1u << 20));
		say_part(o, first, last < size ? last : size - 1);
	} else {
		say_whole(o);
	}
	o->breaks_at = o->at + rng_u64(&dice) % (o->to - o->at + 1);
}

static void step_request(struct origin *o)
{
	char *end;
	uint32_t n;

	o->in_bytes += fake_peer_read(o->conn, o->in + o->in_bytes,
	    (uint32_t)sizeof o->in - 1 - o->in_bytes);
	o->in[o->in_bytes] = 0;
	end = strstr(o->in, "\r\n\r\n");
	if (o->answering || !end)
		return;
	answer(o);
	n = (uint32_t)(end + 4 - o->in);
	memmove(o->in, o->in + n, o->in_bytes - n);
	o->in_bytes -= n;
	if (o->fault == SAYS_NOTHING) {
		fake_peer_fin(o->conn);
		o->over = true;
	}
}

/* True: it is over with it. */
static bool breaks(struct origin *o)
{
	if (o->at < o->breaks_at)
		return false;
	if (o->fault == RESETS)
		fake_peer_reset(o->conn);
	else if (o->fault == ENDS)
		fake_peer_fin(o->conn);
	else if (o->fault != FALLS_SILENT)
		return false;
	return true;
}

static void step_answer(struct origin *o)
{
	uint8_t bytes[4096];
	uint32_t left = write_max, n = 1;

	if (o->head_sent < o->head_bytes)
		o->head_sent += fake_peer_write(o->conn, o->head + o->head_sent,
		    o->head_bytes - o->head_sent);
	if (o->head_sent < o->head_bytes)
		return;
	while (left && n && o->at < o->to && !(o->over = breaks(o))) {
		n = left < sizeof bytes ? left : (uint32_t)sizeof bytes;
		if (n > o->to - o->at)
			n = (uint32_t)(o->to - o->at);
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = content(o->version, o->at + i);
		n = fake_peer_write(o->conn, bytes, n);
		o->at += n;
		left -= n;
	}
	if (o->at < o->to || o->over)
		return;
	o->answering = false;
	if (o->fault == CLOSES_BEHIND) {
		fake_peer_fin(o->conn);
		o->over = true;
	}
}

static void step_servers(void)
{
	for (uint32_t i = 0; i < n_origins; i++) {
		struct origin *o = &origins[i];

		if (o->over || o->conn->fd < 0 || o->conn->proxy_reset)
			continue;
		if (alone && o->server + 1 != alone) {
			fake_peer_reset(o->conn);
			o->over = true;
			continue;
		}
		if (fake.now_ns < silent_until_ns)
			continue;
		step_request(o);
		if (o->answering && !o->over)
			step_answer(o);
	}
}

/* -- the client -------------------------------------------------------- */

struct client {
	struct fake_conn *conn;
	char head[2048];
	uint32_t head_bytes, read_max;
	uint64_t got, length;
	uint8_t version; /* 0: no such body */
	bool in_body, whole, reset;
};

static void ask(struct client *client)
{
	static const char request[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

	client->head_bytes = 0;
	client->got = client->length = 0;
	client->in_body = client->whole = false;
	ck_assert_uint_eq(
	    fake_peer_write(client->conn, request, sizeof request - 1),
	    sizeof request - 1);
}

static void read_head(struct client *client)
{
	const char *at;

	/* Bytewise, so that the body stays where it is. */
	while (fake_peer_read(
	    client->conn, client->head + client->head_bytes, 1)) {
		br_assert(++client->head_bytes < sizeof client->head - 1);
		client->head[client->head_bytes] = 0;
		if (client->head_bytes < 4 ||
		    strcmp(client->head + client->head_bytes - 4, "\r\n\r\n") !=
			0)
			continue;
		at = strstr(client->head, "Content-Length: ");
		ck_assert(at != NULL);
		client->length = strtoull(at + 16, NULL, 10);
		at = strstr(client->head, "ETag: \"v");
		client->version = at ? (uint8_t)(at[8] - '0') : 0;
		/* Nobody has asked for a part. */
		ck_assert(!strstr(client->head, " 206 "));
		ck_assert(!strstr(client->head, "Content-Range"));
		ck_assert(!client->version || client->length == size);
		client->in_body = true;
		return;
	}
}

static void read_body(struct client *client)
{
	uint8_t bytes[8192];
	uint32_t most = client->read_max, n = 1;

	while (most && n && client->got < client->length) {
		n = fake_peer_read(client->conn, bytes,
		    most < sizeof bytes ? most : (uint32_t)sizeof bytes);
		for (uint32_t i = 0; i < n; i++)
			ck_assert_msg(bytes[i] == content(client->version,
						      client->got + i),
			    "seed %llu: byte %llu is wrong",
			    (unsigned long long)seed,
			    (unsigned long long)(client->got + i));
		client->got += n;
		most -= n;
	}
	ck_assert(client->got <= client->length);
	client->whole = client->got == client->length;
}

static void step_client(struct client *client)
{
	if (!client->in_body)
		read_head(client);
	if (client->in_body && !client->whole)
		read_body(client);
	client->reset = fake_peer_sees_reset(client->conn);
}

static void step(struct client *client)
{
	sim_turn(&sim, 1);
	step_servers();
	step_client(client);
	fake.now_ns += STEP_NS;
}

/* False: it has not ended, one way or the other. */
static bool download(struct client *client)
{
	for (uint32_t i = 0; i < TURNS_MAX; i++) {
		step(client);
		if (client->whole || client->reset)
			return true;
		if (!fake_peer_sees_fin(client->conn))
			continue;
		/* Before a head, or behind one that said so. */
		ck_assert_msg(!client->in_body,
		    "seed %llu: an end after %llu of %llu bytes",
		    (unsigned long long)seed, (unsigned long long)client->got,
		    (unsigned long long)client->length);
		return true;
	}
	return false;
}

/* -- runs -------------------------------------------------------------- */

/* n_servers 0: some. */
static void start(uint32_t n_servers)
{
	struct sim_options options = sim_defaults();

	rng_seed(&dice, seed);
	n_origins = 0;
	alone = 0;
	silent_until_ns = 0;
	options.n_servers = 1 + below(SIM_SERVERS_MAX);
	if (n_servers)
		options.n_servers = n_servers;
	options.shard_range = below(3) ? CONF_SHARD_ON : CONF_SHARD_AUTO;
	options.shard_piece = 65536u << below(3);
	options.shard_max = 1 + below(6);
	options.shard_min_size = below(2) ? 65536 : 400000;
	options.retries = 3;
	options.idle_ms = options.half_closed_ms = 8000;
	options.connect_ms = 1000;
	options.pipes = below(4) ? 8 : 0;
	fake_init(seed);
	fake.random = below(2);
	fake.queue_room = 40000 + below(200000);
	size = 70000 + below(below(4) ? 600000 : 2000000);
	fault_one_in = below(4) ? 2 + below(20) : 0;
	write_max = 500 + below(60000);
	sim_start(&sim, &options);
	fake.on_connect = on_connect;
}

static void stop(struct client *client)
{
	if (!client->reset && !client->conn->peer_reset)
		fake_peer_reset(client->conn);
	for (uint32_t i = 0; i < 2000 && !list_empty(&sim.worker->flows); i++) {
		sim_turn(&sim, 10);
		step_servers();
	}
	ck_assert(list_empty(&sim.worker->flows));
	/* Lanes that were given up end by themselves. */
	sim_run_ms(&sim, 200);
	ck_assert(!sim.worker->shard_slab.used);
	ck_assert(!sim.worker->shard_conn_slab.used);
	ck_assert(!sim.shared.sharded_flows && !sim.shared.shard_connections);
	ck_assert(!sim.shared.shard_kernel);
	sim_stop(&sim);
	fake_fini();
}

static void run(void)
{
	struct client client = {0};

	start(0);
	client.conn = fake_client(sim.listen_fd);
	client.read_max = below(3) ? UINT32_MAX : 100 + below(20000);
	for (uint32_t i = 0; i < DOWNLOADS && !client.reset; i++) {
		ask(&client);
		ck_assert_msg(download(&client),
		    "seed %llu: nothing ends: %llu of %llu bytes",
		    (unsigned long long)seed, (unsigned long long)client.got,
		    (unsigned long long)client.length);
		if (!fault_one_in)
			ck_assert(client.whole && client.version == 1);
		if (!client.whole || strstr(client.head, "close"))
			break;
	}
	stop(&client);
}

START_TEST(test_random)
{
	seed_run_all(SEEDS, run);
}
END_TEST

static bool run_failing(enum victim victim, uint32_t n)
{
	struct client client = {.read_max = UINT32_MAX};
	bool reached;

	/* Four servers without faults, several lanes. */
	seed = 3;
	start(0);
	fault_one_in = 0;
	size = 200000;
	write_max = 20000;
	client.conn = fake_client(sim.listen_fd);
	/* What fails before there is a flow is sim_fail_nth's. */
	while (!sim_flow(&sim) || sim_flow(&sim)->state != FLOW_ESTABLISHED)
		sim_turn(&sim, 1);
	victim_arm(victim, n);
	ask(&client);
	ck_assert_msg(download(&client), "n %u does not end", n);
	reached = victim_reached(&sim, victim, n);
	victim_arm(victim, 0);
	stop(&client);
	return reached;
}

START_TEST(test_fail_nth)
{
	uint32_t n = 1;

	/* Each of the first, then ever fewer: the later ones are alike. */
	while (n < N_MAX && run_failing((enum victim)_i, n))
		n += 1 + n / 2;
	ck_assert_uint_gt(n, 2);
	ck_assert_uint_lt(n, N_MAX);
}
END_TEST

/* All servers but one are dead, and that one is silent: the refusals of the
 * others, many in the same time, use up nobody's patience. */
START_TEST(test_only_living_tarries)
{
	struct client client = {.read_max = UINT32_MAX};

	seed = 3;
	start(SERVERS);
	fault_one_in = 0;
	size = 800000;
	write_max = 20000;
	client.conn = fake_client(sim.listen_fd);
	ask(&client);
	while (client.got < size / 4)
		step(&client);
	ck_assert(!client.whole);
	alone = 1 + (uint32_t)_i;
	silent_until_ns = fake.now_ns + SILENT_NS;
	ck_assert(download(&client));
	ck_assert_msg(client.whole, "server %d: a reset after %llu bytes", _i,
	    (unsigned long long)client.got);
	ck_assert(fake.now_ns >= silent_until_ns);
	stop(&client);
}
END_TEST

int main(int argc, char **argv)
{
	TCase *tcase = tcase_create("shard");

	seed_begin(argc, argv);
	tcase_add_test(tcase, test_random);
	if (only_seed)
		return sim_check_main(tcase);
	tcase_add_loop_test(tcase, test_fail_nth, 0, N_VICTIMS);
	tcase_add_loop_test(tcase, test_only_living_tarries, 0, 2);
	return sim_check_main(tcase);
}
