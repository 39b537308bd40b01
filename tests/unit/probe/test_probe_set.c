/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real ring, real sockets, stepped clock: every turn of the loop moves time by
 * one millisecond, however long it took, so no verdict depends on how busy the
 * machine is.
 */
#include "probe/probe_set.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slab.h"
#include "io/sock.h"
#include "tests/unit/probe/script_server.h"

#define TURNS_MAX 20000
#define SERVERS_MAX 16

static struct mono test_time;
static struct ring ring;
static struct ring_metrics ring_metrics;
static struct timer_wheel wheel;
static struct rng rng;
static struct board *board;
static struct probe_set *set;
static struct script_server *servers[SERVERS_MAX];
static uint32_t n_servers;
static uint32_t fds_before;

static struct {
	uint32_t health_calls, open_calls;
	enum board_health before, after;
	char cause[BOARD_CAUSE_MAX];
	char server[64];
	bool open;
} seen;

static struct mono test_now(void)
{
	return test_time;
}

static void on_health(void *context, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	struct board_facts on_board;

	ck_assert_ptr_eq(context, &seen);
	ck_assert_ptr_nonnull(pool);
	board_read(server->row, &on_board);
	ck_assert_int_eq(on_board.health, after->health);
	seen.health_calls++;
	seen.before = before->health;
	seen.after = after->health;
	snprintf(seen.cause, sizeof(seen.cause), "%s", after->cause);
	snprintf(seen.server, sizeof(seen.server), "%s", server->name);
}

static void on_fail_open(void *context, const struct pool *pool, bool open)
{
	ck_assert_ptr_eq(context, &seen);
	ck_assert_int_eq(pool_fails_open(pool), open);
	seen.open_calls++;
	seen.open = open;
}

static uint32_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void make_set(uint32_t in_flight_max)
{
	struct probe_options options = {
	    .ring = &ring,
	    .wheel = &wheel,
	    .rng = &rng,
	    .in_flight_max = in_flight_max,
	    .now = test_now,
	    .hooks = {&seen, on_health, on_fail_open},
	};

	ck_assert_int_eq(probe_set_new(&options, &set), 0);
}

static void setup(void)
{
	struct ring_options options = {0};
	int err;

	fds_before = count_fds();
	memset(&seen, 0, sizeof(seen));
	n_servers = 0;
	test_time = (struct mono){100 * NS_PER_S};
	err = ring_init(&ring, &options, &ring_metrics);
	ck_assert_msg(err == 0, "%s", ring_explain(err));
	timer_wheel_init(&wheel, test_time);
	rng_seed(&rng, 42);
	board = board_new(1);
	make_set(0);
}

/* One turn of the loop, after which ms milliseconds have passed. */
static void turn(int64_t ms)
{
	ring_turn(&ring, 0);
	for (uint32_t i = 0; i < n_servers; i++)
		script_server_turn(servers[i]);
	/* Loopback needs no time, but the kernel may finish its work for us
	 * only when we come by again. */
	ring_turn(&ring, 0);
	test_time = mono_add_ms(test_time, ms);
	timer_wheel_advance(&wheel, test_time);
}

#define turn_until(condition)                                                  \
	do {                                                                   \
		uint32_t turns = 0;                                            \
		while (!(condition)) {                                         \
			ck_assert_msg(                                         \
			    turns++ < TURNS_MAX, "never: %s", #condition);     \
			turn(1);                                               \
		}                                                              \
	} while (0)

static void teardown(void)
{
	probe_set_stop(set);
	turn_until(probe_set_idle(set));
	probe_set_free(set);
	ck_assert_uint_eq(wheel.armed, 0);
	for (uint32_t i = 0; i < n_servers; i++) {
		script_server_close(servers[i]);
		free(servers[i]);
	}
	board_free(board);
	ring_fini(&ring);
	ck_assert_uint_eq(count_fds(), fds_before);
}

static struct script_server *serve(
    enum script_kind kind, const char *answer, uint32_t piece)
{
	struct script_server *server = calloc(1, sizeof(*server));

	ck_assert_uint_lt(n_servers, SERVERS_MAX);
	script_server_open(server, NULL);
	server->kind = kind;
	server->answer = answer;
	server->piece = piece;
	servers[n_servers++] = server;
	return server;
}

static struct addr closed_port(void)
{
	struct script_server server = {0};

	script_server_open(&server, NULL);
	script_server_close(&server);
	return server.addr;
}

/* A pool with one server per address, named a, b, ... */
static struct pool *make_pool(enum conf_health_type type,
    const struct addr *addrs, uint32_t n, const char *name)
{
	static const char *const names[] = {
	    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
	struct conf_server conf_servers[12] = {0};
	struct conf_pool conf = {
	    .name = name,
	    .servers = conf_servers,
	    .n_servers = n,
	    .health = {.type = type,
		.interval_ms = 200,
		.timeout_ms = 100,
		.rise = 2,
		.fall = 3,
		.path = "/up",
		.n_status = 1,
		.status = {{200, 399}}},
	};

	for (uint32_t i = 0; i < n; i++) {
		conf_servers[i].name = names[i];
		conf_servers[i].weight = 1;
		conf_servers[i].addr = addrs[i];
	}
	return pool_new(&conf, board);
}

static struct board_facts facts_of(const struct pool *pool, uint32_t index)
{
	struct board_facts facts;

	board_read(pool->servers[index].row, &facts);
	return facts;
}

static void set_admin(struct pool *pool, uint32_t index, enum board_admin admin)
{
	struct board_facts facts = facts_of(pool, index);

	facts.admin = admin;
	board_write(pool->servers[index].row, &facts);
	pool_changed(pool);
	probe_set_admin_changed(set, pool->servers[index].row);
}

static uint64_t metric(const struct counter *counter)
{
	return counter_read(counter);
}

#define METRIC(name) metric(&probe_set_metrics(set)->name)

/* Checks one server until there is a verdict and returns the facts. */
static struct board_facts verdict_of(
    enum conf_health_type type, const struct addr *addr)
{
	struct pool *pool = make_pool(type, addr, 1, "p");
	uint32_t generation = pool_generation(pool);
	struct board_facts facts;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health != BOARD_UNKNOWN);
	facts = facts_of(pool, 0);
	ck_assert_uint_eq(facts.changes, 1);
	ck_assert_uint_eq(facts.checks, 1);
	ck_assert_int_ne(facts.checked_ns, 0);
	ck_assert_int_eq(facts.health_since_ns, facts.checked_ns);
	ck_assert_uint_ne(pool_generation(pool), generation);
	ck_assert_uint_eq(seen.health_calls, 1);
	ck_assert_int_eq(seen.before, BOARD_UNKNOWN);
	ck_assert_int_eq(seen.after, facts.health);
	ck_assert_str_eq(seen.server, "a");
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
	return facts;
}

/* -- single results ---------------------------------------------------- */

START_TEST(test_tcp_up)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_TCP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_UP);
	ck_assert_str_eq(facts.cause, "connected");
	turn_until(server->accepted == 1 && server->resets == 1);
	ck_assert_uint_eq(server->ends, 0);
}
END_TEST

static void check_refused(enum conf_health_type type)
{
	struct addr addr = closed_port();
	struct board_facts facts = verdict_of(type, &addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_uint_eq(facts.checks_failed, 1);
	ck_assert_str_eq(facts.cause, "connect: Connection refused");
}

START_TEST(test_tcp_refused)
{
	check_refused(CONF_HEALTH_TCP);
}
END_TEST

START_TEST(test_http_refused)
{
	check_refused(CONF_HEALTH_HTTP);
}
END_TEST

START_TEST(test_http_up)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);
	char address[ADDR_TEXT_MAX], want[512];

	ck_assert_int_eq(facts.health, BOARD_UP);
	ck_assert_str_eq(facts.cause, "status 200");
	addr_format(&server->addr, address);
	snprintf(want, sizeof(want),
	    "GET /up HTTP/1.1\r\nHost: %s\r\nUser-Agent: braid-check\r\n"
	    "Connection: close\r\nAccept: */*\r\n\r\n",
	    address);
	ck_assert_str_eq(server->last_request, want);
	turn_until(server->resets == 1);
	ck_assert_uint_eq(server->ends, 0);
}
END_TEST

START_TEST(test_http_in_pieces)
{
	struct script_server *server = serve(SCRIPT_ANSWER,
	    "HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 399 Far\r\n", 1);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_UP);
	ck_assert_str_eq(facts.cause, "status 399");
}
END_TEST

START_TEST(test_http_bad_status)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 503 Busy\r\n\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "status 503");
}
END_TEST

START_TEST(test_http_other_protocol)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "220 \x01mail\" ready\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "not HTTP: \"220 .mail. ready..\"");
}
END_TEST

START_TEST(test_http_banner_before_request)
{
	struct script_server *server =
	    serve(SCRIPT_BANNER, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "not HTTP: \"SSH-2.0-OpenSSH_9.2p1 De\"");
}
END_TEST

START_TEST(test_http_endless_line)
{
	static char answer[6000];
	struct script_server *server;
	struct board_facts facts;

	memset(answer, 'x', sizeof(answer) - 1);
	memcpy(answer, "HTTP/1.1 200 ", 13);
	server = serve(SCRIPT_ANSWER, answer, 0);
	facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);
	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(
	    facts.cause, "not HTTP: no status line within 4096 bytes");
}
END_TEST

START_TEST(test_http_closed_without_answer)
{
	struct script_server *server = serve(SCRIPT_CLOSE, NULL, 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "closed without an answer");
}
END_TEST

START_TEST(test_http_closed_early)
{
	struct script_server *server = serve(SCRIPT_CLOSE, "HTTP/1.1 200 O", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "closed within the status line");
}
END_TEST

START_TEST(test_http_timeout)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause,
	    "timeout after 100 ms while waiting for the status line");
	ck_assert_uint_ge(facts.check_us, 100000);
	turn_until(server->resets == 1);
}
END_TEST

/* A listener whose queue is full drops the SYN: the connect hangs. */
START_TEST(test_tcp_timeout)
{
	struct sock_listen_options options = {.backlog = 0};
	struct addr addr = closed_port(), none = {0};
	int listener = sock_listen(&addr, &options), fill[4];
	struct board_facts facts;

	ck_assert_int_ge(listener, 0);
	for (int i = 0; i < 4; i++) {
		fill[i] = sock_stream(&addr, &none);
		ck_assert_int_ge(fill[i], 0);
		ck_assert_int_eq(connect(fill[i], &addr.sa, addr.length), -1);
		ck_assert_int_eq(errno, EINPROGRESS);
	}
	facts = verdict_of(CONF_HEALTH_TCP, &addr);
	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "timeout after 100 ms while connecting");
	for (int i = 0; i < 4; i++)
		sock_close(fill[i]);
	sock_close(listener);
}
END_TEST

static void check_unix(enum conf_health_type type, const char *cause)
{
	struct script_server *server = calloc(1, sizeof(*server));
	struct board_facts facts;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/braid-probe-%d", getpid());
	script_server_open(server, path);
	server->kind = SCRIPT_ANSWER;
	server->answer = "HTTP/1.0 204\r\n\r\n";
	servers[n_servers++] = server;
	facts = verdict_of(type, &server->addr);
	ck_assert_int_eq(facts.health, BOARD_UP);
	ck_assert_str_eq(facts.cause, cause);
	if (type == CONF_HEALTH_HTTP)
		ck_assert_ptr_nonnull(
		    strstr(server->last_request, "Host: localhost\r\n"));
	unlink(path);
}

START_TEST(test_unix_tcp)
{
	check_unix(CONF_HEALTH_TCP, "connected");
}
END_TEST

START_TEST(test_unix_http)
{
	check_unix(CONF_HEALTH_HTTP, "status 204");
}
END_TEST

START_TEST(test_port_and_source_and_host)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct addr wrong = closed_port();
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &wrong, 1, "p");
	struct addr source;

	pool->health.port = addr_port(&server->addr);
	pool->health.host = "www.example";
	ck_assert_int_eq(addr_parse_ip(&source, "127.0.0.5"), 0);
	pool->source = source;
	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	addr_set_port(&source, addr_port(&server->last_peer));
	ck_assert(addr_equal(&server->last_peer, &source));
	ck_assert_ptr_nonnull(
	    strstr(server->last_request, "Host: www.example\r\n"));
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* A connect from a port to that very port succeeds (simultaneous open), as a
 * connect to a dead local server does when the kernel picks its port. */
START_TEST(test_reaching_itself_is_refused)
{
	struct addr addr = closed_port();
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");

	pool->source = addr;
	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).checks == 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	ck_assert_str_eq(
	    facts_of(pool, 0).cause, "connect: Connection refused");
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_foreign_source_is_a_failure)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &server->addr, 1, "p");

	ck_assert_int_eq(addr_parse_ip(&pool->source, "192.0.2.1"), 0);
	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).checks == 2);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	ck_assert_str_eq(
	    facts_of(pool, 0).cause, "socket: Cannot assign requested address");
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* -- over time --------------------------------------------------------- */

START_TEST(test_down_and_up_again)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct board_facts facts;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	facts = facts_of(pool, 0);
	ck_assert_uint_eq(facts.checks_failed, 3);
	ck_assert_str_eq(facts.cause, "status 500");
	/* Another reason for the same health is told, not counted. */
	server->answer = "HTTP/1.1 502 No\r\n";
	turn_until(strcmp(facts_of(pool, 0).cause, "status 502") == 0);
	ck_assert_uint_eq(facts_of(pool, 0).changes, 2);
	server->answer = "HTTP/1.1 200 OK\r\n";
	facts = facts_of(pool, 0);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(facts_of(pool, 0).checks - facts.checks, 2);
	ck_assert_uint_eq(facts_of(pool, 0).changes, 3);
	ck_assert_uint_eq(seen.health_calls, 3);
	ck_assert_uint_eq(METRIC(changes), 3);
	ck_assert_uint_eq(METRIC(checks), facts_of(pool, 0).checks);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_fail_open_is_reported)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct addr addrs[2] = {server->addr, closed_port()};
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, addrs, 2, "p");

	pool->health.fail_open_percent = 50;
	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 1).health == BOARD_DOWN &&
		   facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	turn_until(seen.open_calls == 1);
	ck_assert(seen.open);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	server->answer = "HTTP/1.1 200 OK\r\n";
	turn_until(seen.open_calls == 2);
	ck_assert(!seen.open);
	/* An operator's hand counts, too. */
	set_admin(pool, 0, BOARD_DRAIN);
	turn_until(seen.open_calls == 3);
	ck_assert(seen.open);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_maintenance_stops_checks)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 500 No\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	uint32_t accepted;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	set_admin(pool, 0, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	accepted = server->accepted;
	for (int i = 0; i < 2000; i++) /* ten intervals */
		turn(1);
	ck_assert_uint_eq(server->accepted, accepted);
	/* Repaired meanwhile: the first success brings it back, although two
	 * are asked for otherwise. */
	server->answer = "HTTP/1.1 200 OK\r\n";
	set_admin(pool, 0, BOARD_READY);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, accepted + 1);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_maintenance_while_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	set_admin(pool, 0, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(facts_of(pool, 0).checks, 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* -- this process's own trouble ---------------------------------------- */

START_TEST(test_late_result_is_discarded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	turn(5000); /* this thread was not there */
	turn_until(METRIC(late) == 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(METRIC(checks), 0);
	/* Punctual again, the same silence is the server's. */
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	ck_assert_uint_eq(METRIC(late), 1);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_late_in_the_middle_is_discarded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(server->accepted == 1);
	/* Within the timeout, but half of it was lost here. */
	turn(50);
	turn_until(METRIC(late) + METRIC(checks) == 1);
	ck_assert_uint_eq(METRIC(late), 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_no_descriptor_postpones)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct rlimit before, tight;
	int lowest = dup(0);

	ck_assert_int_ge(lowest, 0);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)lowest;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	probe_set_sync(set, &pool, 1);
	turn_until(METRIC(postponed) >= 3);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	ck_assert_uint_eq(METRIC(checks), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	ck_assert_uint_eq(METRIC(checks_failed), 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_no_memory_postpones)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &server->addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	slab_fail_nth(1);
	turn_until(METRIC(postponed) == 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	slab_fail_nth(0);
	ck_assert_uint_eq(METRIC(checks_failed), 0);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_checks_in_flight_are_bounded)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr addrs[10];
	struct pool *pool;
	uint32_t most = 0;

	probe_set_free(set);
	make_set(3);
	for (int i = 0; i < 10; i++)
		addrs[i] = server->addr;
	pool = make_pool(CONF_HEALTH_HTTP, addrs, 10, "p");
	probe_set_sync(set, &pool, 1);
	ck_assert_uint_eq(probe_set_targets(set), 10);
	while (METRIC(checks) < 30) {
		uint32_t n = probe_set_in_flight(set);

		ck_assert_uint_le(n, 3);
		most = n > most ? n : most;
		ck_assert_int_lt(
		    mono_diff_ns(test_time, (struct mono){0}), 200 * NS_PER_S);
		turn(1);
	}
	ck_assert_uint_eq(most, 3);
	ck_assert_uint_gt(METRIC(queued), 0);
	/* Nobody starved. */
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_uint_ge(facts_of(pool, i).checks, 2);
	/* Taken out while they queue. */
	for (uint32_t i = 0; i < 10; i++)
		set_admin(pool, i, BOARD_MAINT);
	turn_until(probe_set_idle(set));
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* Room that the next in the queue cannot use goes to the one behind it. */
START_TEST(test_queue_passes_over_maintenance)
{
	static const char *const names[] = {"p", "q", "r"};
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *pools[3];
	struct board_facts facts;

	probe_set_free(set);
	make_set(1);
	for (uint32_t i = 0; i < 3; i++) {
		pools[i] =
		    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, names[i]);
		pools[i]->health.interval_ms = 600000;
		pools[i]->health.timeout_ms = 5000;
		probe_set_sync(set, pools, i + 1);
		turn_until(
		    probe_set_in_flight(set) == 1 && METRIC(queued) == i);
	}
	facts = facts_of(pools[1], 0);
	facts.admin = BOARD_MAINT;
	board_write(pools[1]->servers[0].row, &facts);
	turn_until(facts_of(pools[2], 0).checks == 1);
	ck_assert_uint_eq(facts_of(pools[0], 0).checks, 1);
	ck_assert_uint_eq(facts_of(pools[1], 0).checks, 0);
	probe_set_sync(set, NULL, 0);
	for (uint32_t i = 0; i < 3; i++)
		pool_free(pools[i], board);
}
END_TEST

/* -- reloads ----------------------------------------------------------- */

START_TEST(test_resync_keeps_counts)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 200 OK\r\n", 0);
	struct pool *pool = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct board_facts facts;

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_UP);
	server->answer = "HTTP/1.1 500 No\r\n";
	for (uint32_t i = 1; i <= 3; i++) {
		struct pool *after =
		    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

		after->health.fail_open_percent = i; /* not the checks' */
		ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UP);
		probe_set_sync(set, &after, 1);
		pool_free(pool, board);
		pool = after;
		turn_until(facts_of(pool, 0).checks_failed == i);
	}
	/* Three in a row over three reloads: fallen neither early nor late. */
	facts = facts_of(pool, 0);
	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_uint_eq(facts.changes, 2);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

START_TEST(test_resync_keeps_check_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct pool *before =
	    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");

	probe_set_sync(set, &before, 1);
	turn_until(server->accepted == 1);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	server->kind = SCRIPT_ANSWER;
	server->answer = "HTTP/1.1 200 OK\r\n";
	turn_until(facts_of(after, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, 1);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_removed_while_in_flight)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr addrs[2] = {server->addr, server->addr};
	struct pool *before = make_pool(CONF_HEALTH_HTTP, addrs, 2, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, addrs, 1, "p");
	struct board_row *row = before->servers[1].row;
	struct board_facts facts;

	probe_set_sync(set, &before, 1);
	turn_until(server->accepted == 2);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	ck_assert_uint_eq(probe_set_targets(set), 1);
	turn_until(facts_of(after, 0).health == BOARD_DOWN);
	board_read(row, &facts);
	ck_assert_uint_eq(facts.checks, 0);
	ck_assert_int_eq(facts.health, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_changed_check_decides_at_once)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "HTTP/1.1 404 No\r\n", 0);
	struct pool *before =
	    make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_HTTP, &server->addr, 1, "p");
	uint32_t accepted;

	probe_set_sync(set, &before, 1);
	turn_until(facts_of(before, 0).health == BOARD_DOWN);
	turn_until(probe_set_idle(set));
	accepted = server->accepted;
	after->health.status[0].high = 404;
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	/* The old verdict holds until there is a new one. */
	ck_assert_int_eq(facts_of(after, 0).health, BOARD_DOWN);
	turn_until(facts_of(after, 0).health == BOARD_UP);
	ck_assert_uint_eq(server->accepted, accepted + 1);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_unchecked_server_becomes_unknown)
{
	struct addr addr = closed_port();
	struct pool *before = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");
	struct pool *after = make_pool(CONF_HEALTH_NONE, &addr, 1, "p");

	probe_set_sync(set, &before, 1);
	turn_until(facts_of(before, 0).health == BOARD_DOWN);
	probe_set_sync(set, &after, 1);
	pool_free(before, board);
	ck_assert_uint_eq(probe_set_targets(set), 0);
	ck_assert_int_eq(facts_of(after, 0).health, BOARD_UNKNOWN);
	ck_assert_int_eq(seen.after, BOARD_UNKNOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(after, board);
}
END_TEST

START_TEST(test_server_that_was_away_starts_unknown)
{
	struct addr addr = closed_port();
	struct pool *pool = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");

	probe_set_sync(set, &pool, 1);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
	pool = make_pool(CONF_HEALTH_TCP, &addr, 1, "p");
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_DOWN);
	probe_set_sync(set, &pool, 1);
	ck_assert_int_eq(facts_of(pool, 0).health, BOARD_UNKNOWN);
	turn_until(facts_of(pool, 0).health == BOARD_DOWN);
	probe_set_sync(set, NULL, 0);
	pool_free(pool, board);
}
END_TEST

/* Every server of several pools has its verdict within the first half second,
 * and the pools do not mix up. */
START_TEST(test_first_verdicts_are_quick)
{
	struct script_server *server = serve(SCRIPT_SILENT, NULL, 0);
	struct addr up[10], down[10];
	struct pool *pools[2];
	struct mono start = test_time;

	for (int i = 0; i < 10; i++) {
		up[i] = server->addr;
		down[i] = closed_port();
	}
	pools[0] = make_pool(CONF_HEALTH_TCP, up, 10, "p");
	pools[1] = make_pool(CONF_HEALTH_TCP, down, 10, "q");
	pools[0]->health.interval_ms = pools[1]->health.interval_ms = 60000;
	probe_set_sync(set, pools, 2);
	turn_until(METRIC(checks) == 20);
	/* Stepped time: 500 ms and a few turns of the loop. */
	ck_assert_int_le(mono_diff_ns(test_time, start), 520 * NS_PER_MS);
	for (uint32_t i = 0; i < 10; i++) {
		ck_assert_int_eq(facts_of(pools[0], i).health, BOARD_UP);
		ck_assert_int_eq(facts_of(pools[1], i).health, BOARD_DOWN);
	}
	probe_set_sync(set, NULL, 0);
	pool_free(pools[0], board);
	pool_free(pools[1], board);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_tcp_up);
	tcase_add_test(tcase, test_tcp_refused);
	tcase_add_test(tcase, test_http_refused);
	tcase_add_test(tcase, test_http_up);
	tcase_add_test(tcase, test_http_in_pieces);
	tcase_add_test(tcase, test_http_bad_status);
	tcase_add_test(tcase, test_http_other_protocol);
	tcase_add_test(tcase, test_http_banner_before_request);
	tcase_add_test(tcase, test_http_endless_line);
	tcase_add_test(tcase, test_http_closed_without_answer);
	tcase_add_test(tcase, test_http_closed_early);
	tcase_add_test(tcase, test_http_timeout);
	tcase_add_test(tcase, test_tcp_timeout);
	tcase_add_test(tcase, test_unix_tcp);
	tcase_add_test(tcase, test_unix_http);
	tcase_add_test(tcase, test_port_and_source_and_host);
	tcase_add_test(tcase, test_reaching_itself_is_refused);
	tcase_add_test(tcase, test_foreign_source_is_a_failure);
	tcase_add_test(tcase, test_down_and_up_again);
	tcase_add_test(tcase, test_fail_open_is_reported);
	tcase_add_test(tcase, test_maintenance_stops_checks);
	tcase_add_test(tcase, test_maintenance_while_in_flight);
	tcase_add_test(tcase, test_late_result_is_discarded);
	tcase_add_test(tcase, test_late_in_the_middle_is_discarded);
	tcase_add_test(tcase, test_no_descriptor_postpones);
	tcase_add_test(tcase, test_no_memory_postpones);
	tcase_add_test(tcase, test_checks_in_flight_are_bounded);
	tcase_add_test(tcase, test_queue_passes_over_maintenance);
	tcase_add_test(tcase, test_resync_keeps_counts);
	tcase_add_test(tcase, test_resync_keeps_check_in_flight);
	tcase_add_test(tcase, test_removed_while_in_flight);
	tcase_add_test(tcase, test_changed_check_decides_at_once);
	tcase_add_test(tcase, test_unchecked_server_becomes_unknown);
	tcase_add_test(tcase, test_server_that_was_away_starts_unknown);
	tcase_add_test(tcase, test_first_verdicts_are_quick);
}

int main(void)
{
	Suite *suite = suite_create("probe_set");
	TCase *tcase = tcase_create("probe_set");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	add_tests(tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
