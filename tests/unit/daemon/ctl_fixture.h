/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The control socket over a real ring and real sockets, with a control thread
 * made of this file: its time is stepped by hand, workers, the clerk and an
 * upgrade's thread answer when the test says so.
 *
 * Thread:  the test's.
 * Memory:  control_new() .. control_free().
 */
#include "daemon/ctl.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/source_table.h"
#include "daemon/control.h"
#include "daemon/ctl_command.h"
#include "daemon/dns_pops.h"
#include "daemon/dns_refresh.h"
#include "daemon/reload.h"
#include "daemon/upgrade.h"
#include "io/sock.h"

struct control {
	struct daemon daemon;
	struct ring ring;
	struct ring_metrics ring_metrics;
	struct timer_wheel wheel;
	struct mono now;
	struct conf conf;
	struct conf_server conf_servers[2];
	struct conf_pool conf_pool;
	struct upstream upstream, *upstreams[1];
	struct addr pop_addresses[2];
	struct pool *pops[1];
	struct plan plan;
	struct ctl *ctl;
	char folder[64], path[96];
	struct listing *listing; /* asked for and not answered */
	struct flow_killing *killing; /* the same */
	upgrade_on_done *upgrade_done;
	void *upgrade_context;
	char upgrade_binary[64];
	reload_on_done *reload_done;
	void *reload_context;
	bool forgotten;
};

struct daemon *control_daemon(struct control *control)
{
	return &control->daemon;
}

struct ring *control_ring(struct control *control)
{
	return &control->ring;
}

struct timer_wheel *control_wheel(struct control *control)
{
	return &control->wheel;
}

struct mono control_now(const struct control *control)
{
	return control->now;
}

struct plan *control_plan(const struct control *control)
{
	return (struct plan *)&control->plan;
}

void control_show_agent(const struct control *control, struct json *j)
{
	(void)control;
	json_null(j, "agent");
}

void control_list(struct control *control, struct listing *listing)
{
	ck_assert_ptr_null(control->listing);
	control->listing = listing;
}

void control_kill_flows(struct control *control, struct flow_killing *killing)
{
	ck_assert_ptr_null(control->killing);
	control->killing = killing;
}

static inline void set_facts(struct server *server,
    const enum board_admin *admin, const uint32_t *weight)
{
	struct board_facts facts;

	board_read(server->row, &facts);
	if (admin)
		facts.admin = *admin;
	if (weight)
		facts.weight_override = *weight;
	board_write(server->row, &facts);
}

void control_set_admin(struct control *control, struct pool *pool,
    struct server *server, enum board_admin admin)
{
	(void)control;
	(void)pool;
	set_facts(server, &admin, NULL);
}

void control_set_weight(struct control *control, struct pool *pool,
    struct server *server, uint32_t weight)
{
	(void)control;
	(void)pool;
	set_facts(server, NULL, &weight);
}

void control_set_pop_admin(
    struct control *control, struct pool *pool, enum board_admin admin)
{
	for (uint32_t i = 0; i < pool->n_servers; i++)
		control_set_admin(control, pool, &pool->servers[i], admin);
}

int control_plan_pop_drain(
    struct control *control, struct pool *pool, uint64_t in_ms)
{
	struct board_facts facts;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		if (facts.admin != BOARD_READY)
			return -EALREADY;
		facts.leaves_ns = mono_add_ms(control->now, (int64_t)in_ms).ns;
		board_write(pool->servers[i].row, &facts);
	}
	return 0;
}

void control_set_pop_weight(
    struct control *control, struct pool *pool, uint32_t percent)
{
	for (uint32_t i = 0; i < pool->n_servers; i++)
		control_set_weight(control, pool, &pool->servers[i], percent);
}

int reload_request(
    struct control *control, reload_on_done *on_done, void *context)
{
	if (control->reload_done)
		return BR_E_LIMIT;
	control->reload_done = on_done;
	control->reload_context = context;
	return 0;
}

int upgrade_request(struct control *control, const char *binary,
    upgrade_on_done *on_done, void *context, const char **ret_reason)
{
	if (control->upgrade_done) {
		*ret_reason = "an upgrade is under way";
		return -EBUSY;
	}
	(void)snprintf(control->upgrade_binary, sizeof control->upgrade_binary,
	    "%s", binary ? binary : "-");
	control->upgrade_done = on_done;
	control->upgrade_context = context;
	return 0;
}

void upgrade_forget(struct control *control, const void *context)
{
	ck_assert_ptr_eq(control->upgrade_context, context);
	control->forgotten = true;
}

void reload_forget(struct control *control, void *context)
{
	ck_assert_ptr_eq(control->reload_context, context);
	control->forgotten = true;
}

int dns_refresh_zone(struct control *control, uint32_t zone,
    dns_reload_on_done *on_done, void *context)
{
	(void)control;
	(void)zone;
	(void)on_done;
	(void)context;
	return -EBUSY;
}

void dns_refresh_forget(struct control *control, void *context)
{
	(void)control;
	(void)context;
}

static inline void step_ms(struct control *c, int64_t ms)
{
	c->now = mono_add_ms(c->now, ms);
	timer_wheel_advance(&c->wheel, c->now);
}

/* Turns until nothing is left to do: the kernel's work here is done at once,
 * so a few turns without a wait are enough for it, and each is 1 ms. */
static inline void settle(struct control *c)
{
	for (int i = 0; i < 20; i++) {
		ring_turn(&c->ring, 0);
		step_ms(c, 1);
	}
}

static inline struct control *control_new(void)
{
	struct control *c = aligned_alloc(64, (sizeof(*c) + 63) & ~63ul);
	struct ring_options options = {.cq_entries = 2 * RING_ENTRIES};
	int fd;

	memset(c, 0, sizeof(*c));
	snprintf(c->folder, sizeof(c->folder), "/tmp/braid-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(c->folder));
	snprintf(c->path, sizeof(c->path), "%s/control.sock", c->folder);
	ck_assert_int_eq(ring_init(&c->ring, &options, &c->ring_metrics), 0);
	c->now.ns = NS_PER_S;
	timer_wheel_init(&c->wheel, c->now);
	c->daemon.n_workers = 2;
	c->daemon.ktls = "off";
	c->daemon.board = board_new(2);
	c->daemon.shared.sources = source_table_new(100, SOURCE_IPV6_BITS, 1);
	c->daemon.shared.metrics =
	    aligned_alloc(64, 2 * sizeof(*c->daemon.shared.metrics));
	memset(
	    c->daemon.shared.metrics, 0, 2 * sizeof(*c->daemon.shared.metrics));
	for (int i = 0; i < 2; i++) {
		c->conf_servers[i] =
		    (struct conf_server){.name = i ? "b" : "a", .weight = 3};
		ck_assert_int_eq(addr_parse(&c->conf_servers[i].addr,
				     i ? "127.0.0.1:2" : "127.0.0.1:1"),
		    0);
	}
	c->conf_pool = (struct conf_pool){
	    .name = "p", .servers = c->conf_servers, .n_servers = 2};
	c->upstream.pool = pool_new(&c->conf_pool, c->daemon.board);
	c->upstreams[0] = &c->upstream;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(addr_parse_ip(&c->pop_addresses[i],
				     i ? "2001:db8::20" : "192.0.2.20"),
		    0);
	c->pops[0] = dns_pops_pool_new(
	    &(struct conf_pop){
		.name = "ams", .addresses = c->pop_addresses, .n_addresses = 2},
	    c->daemon.board);
	c->conf.file = "braid.yaml";
	c->conf.profiler.model = "builtin";
	c->plan = (struct plan){.number = 1,
	    .conf = &c->conf,
	    .n_upstreams = 1,
	    .upstreams = c->upstreams,
	    .n_pops = 1,
	    .pops = c->pops};
	fd = ctl_listen(c->path, getuid(), getgid());
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ctl_start(c, fd, &c->ctl), 0);
	settle(c);
	return c;
}

static inline void control_free(struct control *c)
{
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	ck_assert_uint_eq(c->wheel.armed, 0);
	ctl_free(c->ctl);
	ring_fini(&c->ring);
	pool_free(c->upstream.pool, c->daemon.board);
	pool_free(c->pops[0], c->daemon.board);
	board_free(c->daemon.board);
	source_table_free(c->daemon.shared.sources);
	free(c->daemon.shared.metrics);
	unlink(c->path);
	rmdir(c->folder);
	free(c);
}

static inline int client_open(struct control *c)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", c->path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static inline void say(int fd, const char *text)
{
	ck_assert_int_eq(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come: NULL when the stream is still open, else all of it. */
static inline const char *hear(int fd)
{
	static char text[1 << 20];
	static size_t length;
	ssize_t n;

	length = 0;
	while ((n = recv(fd, text + length, sizeof(text) - 1 - length, 0)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	return n < 0 && errno == EAGAIN ? NULL : text;
}

static inline const char *ask(struct control *c, const char *request)
{
	int fd = client_open(c);
	const char *answer;

	say(fd, request);
	settle(c);
	answer = hear(fd);
	ck_assert_msg(answer != NULL, "no answer to %s", request);
	close(fd);
	return answer;
}

static inline void expect(
    struct control *c, const char *request, const char *part)
{
	const char *answer = ask(c, request);

	ck_assert_msg(strstr(answer, part) != NULL, "%s: %s", request, answer);
}
