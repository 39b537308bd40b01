/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/control.h"
#include "daemon/ctl_command.h"
#include "daemon/reload.h"
#include "daemon/upgrade.h"
#include "io/sock.h"
#include "lb/source_table.h"

/*
 * The control socket over a real ring and real sockets, with a control thread
 * made of this file: its time is stepped by hand, workers and the clerk answer
 * when the test says so.
 */
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
	struct plan plan;
	struct ctl *ctl;
	char folder[64], path[96];
	struct flow_listing *listing; /* asked for and not answered */
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

void control_list_flows(struct control *control, struct flow_listing *listing)
{
	ck_assert_ptr_null(control->listing);
	control->listing = listing;
}

void control_kill_flows(struct control *control, struct flow_killing *killing)
{
	ck_assert_ptr_null(control->killing);
	control->killing = killing;
}

static void set_facts(struct server *server, const enum board_admin *admin,
    const uint32_t *weight)
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

static void step_ms(struct control *c, int64_t ms)
{
	c->now = mono_add_ms(c->now, ms);
	timer_wheel_advance(&c->wheel, c->now);
}

/* Turns until nothing is left to do: the kernel's work here is done at once,
 * so a few turns without a wait are enough for it, and each is 1 ms. */
static void settle(struct control *c)
{
	for (int i = 0; i < 20; i++) {
		ring_turn(&c->ring, 0);
		step_ms(c, 1);
	}
}

static struct control *control_new(void)
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
	c->conf.file = "braid.yaml";
	c->plan = (struct plan){.number = 1,
	    .conf = &c->conf,
	    .n_upstreams = 1,
	    .upstreams = c->upstreams};
	fd = ctl_listen(c->path, getuid(), getgid());
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ctl_start(c, fd, &c->ctl), 0);
	settle(c);
	return c;
}

static void control_free(struct control *c)
{
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	ck_assert_uint_eq(c->wheel.armed, 0);
	ctl_free(c->ctl);
	ring_fini(&c->ring);
	pool_free(c->upstream.pool, c->daemon.board);
	board_free(c->daemon.board);
	source_table_free(c->daemon.shared.sources);
	free(c->daemon.shared.metrics);
	unlink(c->path);
	rmdir(c->folder);
	free(c);
}

static int client_open(struct control *c)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", c->path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come: NULL when the stream is still open, else all of it. */
static const char *hear(int fd)
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

static const char *ask(struct control *c, const char *request)
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

static void expect(struct control *c, const char *request, const char *part)
{
	const char *answer = ask(c, request);

	ck_assert_msg(strstr(answer, part) != NULL, "%s: %s", request, answer);
}
#include "tests/unit/daemon/ctl_fixture.h"

START_TEST(test_commands)
{
	struct control *c = control_new();

	expect(c, "{\"command\":\"status\"}\n", "\"file\":\"braid.yaml\"");
	expect(c, "{\"command\":\"pools\"}\n", "\"usable\":2");
	expect(c, "{\"command\":\"listeners\"}\n", "\"listeners\":[]");
	expect(c, "{\"command\":\"servers\"}\n", "\"server\":\"b\"");
	expect(c, "{\"command\":\"servers\",\"arguments\":[\"q\"]}\n",
	    "{\"exit\":66,");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"p\",\"a\"]}\n",
	    "\"admin\":\"drain\"");
	expect(c, "{\"command\":\"pools\"}\n", "\"usable\":1");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"9\"]}\n",
	    "\"weight\":9");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"65536\"]}\n",
	    "{\"exit\":64,");
	expect(c,
	    "{\"command\":\"weight\",\"arguments\":[\"p\",\"b\",\"reset\"]}\n",
	    "\"weight\":3");
	expect(c, "{\"command\":\"maint\",\"arguments\":[\"p\",\"z\"]}\n",
	    "{\"exit\":66,");
	expect(c, "{\"command\":\"drain\",\"arguments\":[\"p\"]}\n",
	    "usage: drain POOL SERVER");
	expect(c, "{\"command\":\"shards\"}\n", "not in this version");
	expect(c, "{\"command\":\"stop\"}\n", "{\"exit\":64,");
	expect(c, "garbage\n", "{\"exit\":64,");
	control_free(c);
}
END_TEST

START_TEST(test_request_in_pieces)
{
	struct control *c = control_new();
	const char *request = "{\"command\":\"pools\"}\n";
	int fd = client_open(c);
	char piece[2] = "";

	for (size_t i = 0; request[i]; i++) {
		piece[0] = request[i];
		say(fd, piece);
		settle(c);
	}
	ck_assert_ptr_nonnull(hear(fd));
	close(fd);

	/* Without a line's end: the stream's end does. */
	fd = client_open(c);
	say(fd, "{\"command\":\"pools\"}");
	settle(c);
	ck_assert_ptr_null(hear(fd));
	shutdown(fd, SHUT_WR);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"pool\":\"p\""));
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_longest_request)
{
	struct control *c = control_new();
	char *text = malloc(CTL_REQUEST_MAX + 1);
	int fd = client_open(c);
	const char *answer;

	memset(text, ' ', CTL_REQUEST_MAX);
	text[CTL_REQUEST_MAX] = '\0';
	say(fd, text);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(strstr(answer, "longer than"));
	close(fd);
	free(text);
	control_free(c);
}
END_TEST

/* Dribbling does not extend the time for a request. */
START_TEST(test_mute_client_is_closed)
{
	struct control *c = control_new();
	int fd = client_open(c);

	settle(c);
	step_ms(c, CTL_IDLE_MS / 2);
	say(fd, "{");
	settle(c);
	ck_assert_ptr_null(hear(fd));
	step_ms(c, CTL_IDLE_MS / 2);
	settle(c);
	ck_assert_str_eq(hear(fd), "");
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_more_connections_wait)
{
	struct control *c = control_new();
	int fds[CTL_CONNECTIONS_MAX], late;

	for (int i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		fds[i] = client_open(c);
		settle(c);
	}
	late = client_open(c);
	say(late, "{\"command\":\"pools\"}\n");
	settle(c);
	ck_assert_ptr_null(hear(late));
	close(fds[7]);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(late), "\"pool\":\"p\""));
	close(late);
	for (int i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (i != 7)
			close(fds[i]);
	}
	settle(c);
	control_free(c);
}
END_TEST

static void list_one(
    struct control *c, uint64_t id, const char *server, bool complete)
{
	struct flow_listing *listing = c->listing;

	ck_assert_ptr_nonnull(listing);
	c->listing = NULL;
	listing->n = 1;
	listing->complete = complete;
	memset(&listing->rows[0], 0, sizeof(listing->rows[0]));
	listing->rows[0].id = id;
	snprintf(listing->rows[0].listener_name,
	    sizeof(listing->rows[0].listener_name), "web");
	snprintf(listing->rows[0].pool, sizeof(listing->rows[0].pool), "p");
	snprintf(listing->rows[0].server, sizeof(listing->rows[0].server), "%s",
	    server);
	listing->on_listed(listing);
}

START_TEST(test_flows)
{
	struct control *c = control_new();
	int fd = client_open(c);
	const char *answer;

	say(fd, "{\"command\":\"flows\",\"arguments\":[\"server=a\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->listing->worker, 0);
	ck_assert_uint_eq(c->listing->after, 0);
	list_one(c, 5, "a", false);
	ck_assert_uint_eq(c->listing->worker, 0);
	ck_assert_uint_eq(c->listing->after, 5);
	list_one(c, 8, "b", true);
	ck_assert_uint_eq(c->listing->worker, 1);
	ck_assert_uint_eq(c->listing->after, 0);
	list_one(c, 6, "a", true);
	ck_assert_ptr_null(c->listing);
	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_nonnull(strstr(answer, "\"id\":5,"));
	ck_assert_ptr_null(strstr(answer, "\"id\":8,"));
	ck_assert_ptr_nonnull(strstr(answer, "\"id\":6,"));
	ck_assert_ptr_nonnull(strstr(answer, "\"complete\":true"));
	close(fd);
	control_free(c);
}
END_TEST

/* The answer of the worker that was asked. */
static void kill_some(struct control *c, uint64_t n, bool complete)
{
	struct flow_killing *killing = c->killing;

	ck_assert_ptr_nonnull(killing);
	c->killing = NULL;
	killing->killed += n;
	killing->complete = complete;
	killing->on_killed(killing);
}

static void expect_heard(struct control *c, int fd, const char *part)
{
	const char *answer;

	settle(c);
	answer = hear(fd);
	ck_assert_ptr_nonnull(answer);
	ck_assert_msg(strstr(answer, part) != NULL, "%s: %s", part, answer);
	close(fd);
}

START_TEST(test_kill_one)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":[\"42\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->killing->id, 42);
	kill_some(c, 0, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 1, true);
	expect_heard(c, fd, "\"data\":{\"killed\":1,\"id\":42}");
	ck_assert_ptr_null(c->killing);

	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":[\"42\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":1,\"error\":\"no flow 42 is open");
	control_free(c);
}
END_TEST

START_TEST(test_kill_of_a_server)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/a\"]}\n");
	settle(c);
	ck_assert_uint_eq(c->killing->id, 0);
	ck_assert_str_eq(c->killing->pool, "p");
	ck_assert_str_eq(c->killing->server, "a");
	kill_some(c, 256, false);
	ck_assert_uint_eq(c->killing->worker, 0);
	kill_some(c, 4, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 2, true);
	expect_heard(c, fd, "\"killed\":262,");

	/* Configured and idle is no error; unknown is, unless a flow still
	 * has it from before a reload. */
	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/b\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":0,");
	fd = client_open(c);
	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/gone\"]}\n");
	settle(c);
	kill_some(c, 0, true);
	kill_some(c, 0, true);
	expect_heard(c, fd, "{\"exit\":66,");
	control_free(c);
}
END_TEST

START_TEST(test_kill_refuses)
{
	static const char *const bad[] = {"\"x\"", "\"0\"", "\"-1\"",
	    "\"99999999999999999999\"", "\"\"", "\"--server\"",
	    "\"--server\",\"p\"", "\"--server\",\"/a\"", "\"--server\",\"p/\"",
	    "\"--pool\",\"p/a\"", "\"1\",\"2\"",
	    "\"--server\",\"p/"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "\""};
	struct control *c = control_new();
	char request[256];

	for (size_t i = 0; i < BR_COUNT(bad); i++) {
		snprintf(request, sizeof(request),
		    "{\"command\":\"kill\",\"arguments\":[%s]}\n", bad[i]);
		expect(c, request, "{\"exit\":64,");
		ck_assert_ptr_null(c->killing);
	}
	control_free(c);
}
END_TEST

/* The client leaves while a worker kills: what it asked for is done. */
START_TEST(test_kill_goes_on_alone)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"kill\",\"arguments\":"
		"[\"--server\",\"p/a\"]}\n");
	settle(c);
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	close(fd);
	kill_some(c, 256, false);
	kill_some(c, 0, true);
	ck_assert_uint_eq(c->killing->worker, 1);
	kill_some(c, 0, true);
	ck_assert_ptr_null(c->killing);
	control_free(c);
}
END_TEST

START_TEST(test_flows_limit)
{
	struct control *c = control_new();
	int fd = client_open(c);

	say(fd, "{\"command\":\"flows\",\"arguments\":[\"limit=1\"]}\n");
	settle(c);
	list_one(c, 5, "a", false);
	list_one(c, 6, "a", false);
	ck_assert_ptr_null(c->listing);
	settle(c);
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"complete\":false"));
	close(fd);
	expect(c, "{\"command\":\"flows\",\"arguments\":[\"limit=-1\"]}\n",
	    "{\"exit\":64,");
	control_free(c);
}
END_TEST

/* A worker still has the listing when the connection is given up. */
START_TEST(test_stop_while_listing)
{
	struct control *c = control_new();
	struct flow_listing *listing;
	int fd = client_open(c);

	say(fd, "{\"command\":\"flows\"}\n");
	settle(c);
	listing = c->listing;
	ctl_stop(c->ctl);
	settle(c);
	ck_assert(ctl_done(c->ctl));
	ck_assert_str_eq(hear(fd), "");
	listing->on_listed(listing);
	close(fd);
	control_free(c);
}
END_TEST

START_TEST(test_listen)
{
	struct control *c = control_new();
	struct stat st;
	char path[300];
	int fd;

	ck_assert_int_eq(stat(c->path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert_int_eq(ctl_listen(c->path, getuid(), getgid()), -EADDRINUSE);
	snprintf(path, sizeof(path), "%s/none/control.sock", c->folder);
	ck_assert_int_eq(ctl_listen(path, getuid(), getgid()), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(ctl_listen(path, getuid(), getgid()), -ENAMETOOLONG);
	control_free(c);

	/* What a braidd that was killed left behind is replaced. */
	c = control_new();
	ctl_stop(c->ctl);
	settle(c);
	fd = ctl_listen(c->path, getuid(), getgid());
	ck_assert_int_ge(fd, 0);
	sock_close(fd);
	control_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tcase = tcase_create("ctl");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_commands);
	tcase_add_test(tcase, test_request_in_pieces);
	tcase_add_test(tcase, test_longest_request);
	tcase_add_test(tcase, test_mute_client_is_closed);
	tcase_add_test(tcase, test_more_connections_wait);
	tcase_add_test(tcase, test_flows);
	tcase_add_test(tcase, test_flows_limit);
	tcase_add_test(tcase, test_kill_one);
	tcase_add_test(tcase, test_kill_of_a_server);
	tcase_add_test(tcase, test_kill_refuses);
	tcase_add_test(tcase, test_kill_goes_on_alone);
	tcase_add_test(tcase, test_stop_while_listing);
	tcase_add_test(tcase, test_listen);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
