/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The fixture of the probe_set tests: real ring, real sockets, stepped clock: every turn of the loop moves time by
 * one millisecond, however long it took, so no verdict depends on how busy the
 * machine is.
 */
#include "probe/probe_set.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
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
	uint32_t health_calls, agent_calls, agent_failures, open_calls;
	enum board_health before, after;
	char cause[BOARD_CAUSE_MAX];
	char server[64];
	bool open;
} seen;

static inline struct mono test_now(void)
{
	return test_time;
}

static inline void on_health(void *context, const struct pool *pool,
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

static inline void on_agent(void *context, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	struct board_facts on_board;

	ck_assert_ptr_eq(context, &seen);
	ck_assert_ptr_nonnull(pool);
	ck_assert_ptr_nonnull(before);
	board_read(server->row, &on_board);
	ck_assert_str_eq(on_board.agent.said, after->agent.said);
	seen.agent_calls++;
}

static inline void on_agent_failed(void *context, const struct pool *pool,
    const struct server *server, const char *cause)
{
	ck_assert_ptr_eq(context, &seen);
	ck_assert_ptr_nonnull(pool);
	ck_assert_ptr_nonnull(server);
	seen.agent_failures++;
	snprintf(seen.cause, sizeof(seen.cause), "%s", cause);
}

static inline void on_fail_open(
    void *context, const struct pool *pool, bool open)
{
	ck_assert_ptr_eq(context, &seen);
	ck_assert_int_eq(pool_fails_open(pool), open);
	seen.open_calls++;
	seen.open = open;
}

static inline uint32_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Each look at the clock of computing moves it by this. */
static int64_t work_step_ns;

static inline struct mono work_now(void)
{
	static struct mono now;

	return now = mono_add_ns(now, work_step_ns);
}

static struct probe_metrics probe_metrics;

static inline void make_set(uint32_t in_flight_max)
{
	struct probe_options options = {
	    .ring = &ring,
	    .wheel = &wheel,
	    .rng = &rng,
	    .in_flight_max = in_flight_max,
	    .now = test_now,
	    .work_clock = work_now,
	    .metrics = &probe_metrics,
	    .hooks = {.context = &seen,
		.on_health = on_health,
		.on_agent = on_agent,
		.on_agent_failed = on_agent_failed,
		.on_fail_open = on_fail_open},
	};

	ck_assert_int_eq(probe_set_new(&options, &set), 0);
}

static inline void setup(void)
{
	struct ring_options options = {0};
	int err;

	memset(&probe_metrics, 0, sizeof(probe_metrics));
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
static inline void turn(int64_t ms)
{
	ring_turn(&ring, 0);
	for (uint32_t i = 0; i < n_servers; i++)
		script_server_turn(servers[i]);
	/* Loopback needs no time, but the kernel may finish its work for us
	 * only when we come by again, or leave it to a thread of its own. */
	sched_yield();
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

static inline void teardown(void)
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

static inline struct script_server *serve(
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

static inline struct addr closed_port(void)
{
	struct script_server server = {0};

	script_server_open(&server, NULL);
	script_server_close(&server);
	return server.addr;
}

/* A pool with one server per address, named a, b, ... */
static inline struct pool *make_pool(enum conf_health_type type,
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

static inline struct board_facts facts_of(
    const struct pool *pool, uint32_t index)
{
	struct board_facts facts;

	board_read(pool->servers[index].row, &facts);
	return facts;
}

static inline void set_admin(
    struct pool *pool, uint32_t index, enum board_admin admin)
{
	struct board_facts facts = facts_of(pool, index);

	facts.admin = admin;
	board_write(pool->servers[index].row, &facts);
	pool_changed(pool);
	probe_set_admin_changed(set, pool->servers[index].row);
}

static inline uint64_t metric(const struct counter *counter)
{
	return counter_read(counter);
}

#define METRIC(name) metric(&probe_set_metrics(set)->name)

static inline int run_suite(const char *name, void (*add_tests)(TCase *tcase))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, script_ports_take, NULL);
	tcase_add_checked_fixture(tcase, setup, teardown);
	add_tests(tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
