/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "daemon/plan.h"
#include "tests/unit/base/port_slots.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKERS 2

static struct board *board;
static struct arena *arena;
static struct conf_diff diff;
static unsigned port, second_port, third_port; /* nobody else's */
static char unix_path[64];

static bool port_is_free(unsigned candidate)
{
	char text[32];
	struct addr addr;

	(void)snprintf(text, sizeof text, "127.0.0.1:%u", candidate);
	return !addr_parse(&addr, text) && !plan_sockets_probe(&addr, false);
}

static void setup(void)
{
	board = board_new(WORKERS);
	arena = arena_new();
	if (!port) {
		port = port_take();
		second_port = port_take();
		third_port = port_take();
	}
	(void)snprintf(unix_path, sizeof unix_path, "/tmp/test_plan.%d.sock",
	    (int)getpid());
}

static void teardown(void)
{
	arena_free(arena);
	board_free(board);
}

static struct plan_source source_given;

/* What a plan is built from; lives until the next call. */
static const struct plan_source *source_of(
    struct conf *conf, const struct conf_diff *changes)
{
	static const struct tls_process no_tls;
	struct conf_errors errors;

	conf_errors_init(&errors);
	source_given = (struct plan_source){
	    .conf = conf, .tls_process = &no_tls, .diff = changes};
	ck_assert_int_eq(
	    tls_store_load(conf, NULL, &errors, &source_given.tls), 0);
	conf_errors_fini(&errors);
	return &source_given;
}

static struct conf *conf_of(const char *listeners, const char *pools)
{
	char text[2048];
	struct conf_errors errors;
	struct conf *conf = NULL;
	int err;

	(void)snprintf(text, sizeof text, "listeners: {%s}\npools: {%s}\n",
	    listeners, pools);
	conf_errors_init(&errors);
	err = conf_parse("test.yaml", text, strlen(text), &conf, &errors);
	ck_assert_msg(!err, "%s",
	    errors.n_errors ? errors.errors[0].text : br_strerror(err));
	conf_errors_fini(&errors);
	return conf;
}

/* A listener "name" on 127.0.0.1:port with more keys after it. */
static const char *on_port(const char *name, unsigned at, const char *keys)
{
	static char text[4][256];
	static unsigned turn;
	char *ret = text[turn++ % 4];

	(void)snprintf(ret, sizeof text[0],
	    "%s: {bind: \"127.0.0.1:%u\", pool: p%s}", name, at, keys);
	return ret;
}

#define POOL_P "p: {servers: {a: {address: \"127.0.0.1:9\"}}}"
#define POOL_P_WEIGHT "p: {servers: {a: {address: \"127.0.0.1:9\", weight: 7}}}"
#define POOL_Q "q: {servers: {a: {address: \"127.0.0.1:9\"}}}"

static struct plan *first(const char *listeners, const char *pools)
{
	struct plan_error error;
	struct plan *plan = NULL;
	struct conf *conf = conf_of(listeners, pools);
	int err = plan_build(
	    source_of(conf, NULL), NULL, board, WORKERS, &plan, &error);

	ck_assert_msg(!err, "%s", error.text);
	return plan;
}

static struct plan *next(
    struct plan *before, const char *listeners, const char *pools)
{
	struct plan_error error;
	struct plan *plan = NULL;
	struct conf *conf = conf_of(listeners, pools);
	int err;

	conf_diff(before->conf, conf, arena, &diff);
	err = plan_build(
	    source_of(conf, &diff), before, board, WORKERS, &plan, &error);
	ck_assert_msg(!err, "%s", error.text);
	return plan;
}

START_TEST(test_same_file_same_objects)
{
	const char *web = on_port("web", port, "");
	struct plan *a = first(web, POOL_P), *b = next(a, web, POOL_P);

	ck_assert_uint_eq(a->number, 1);
	ck_assert_uint_eq(b->number, 2);
	ck_assert_ptr_eq(a->upstreams[0], b->upstreams[0]);
	ck_assert_ptr_eq(a->listeners[0], b->listeners[0]);
	ck_assert_ptr_eq(a->binds[0].sockets, b->binds[0].sockets);
	ck_assert_uint_eq(b->n_gone, 0);
	ck_assert_uint_eq(b->upstreams[0]->references, 2);
	plan_free(a, board);
	ck_assert_uint_eq(b->upstreams[0]->references, 1);
	ck_assert(!port_is_free(port));
	plan_free(b, board);
	ck_assert(port_is_free(port));
}
END_TEST

START_TEST(test_changed_pool_gets_new_upstream_and_listener)
{
	const char *web = on_port("web", port, "");
	struct plan *a = first(web, POOL_P ", " POOL_Q);
	struct plan *b = next(a, web, POOL_P_WEIGHT ", " POOL_Q);

	ck_assert_ptr_ne(a->upstreams[0], b->upstreams[0]);
	ck_assert_ptr_eq(a->upstreams[1], b->upstreams[1]);
	/* It points to the pool that is new. */
	ck_assert_ptr_ne(a->listeners[0], b->listeners[0]);
	ck_assert_ptr_eq(b->listeners[0]->upstream, b->upstreams[0]);
	ck_assert_ptr_eq(a->listeners[0]->upstream, a->upstreams[0]);
	/* What outlives reloads is shared all the same. */
	ck_assert_ptr_eq(a->listeners[0]->row, b->listeners[0]->row);
	ck_assert_ptr_eq(a->upstreams[0]->pool->servers[0].row,
	    b->upstreams[0]->pool->servers[0].row);
	ck_assert_ptr_eq(a->binds[0].sockets, b->binds[0].sockets);
	plan_free(a, board);
	plan_free(b, board);
}
END_TEST

START_TEST(test_address_moves_between_listeners)
{
	char before[512], after[512];
	struct plan *a, *b;

	(void)snprintf(before, sizeof before, "%s, %s",
	    on_port("one", port, ""), on_port("two", second_port, ""));
	(void)snprintf(after, sizeof after, "%s, %s",
	    on_port("one", second_port, ""), on_port("two", port, ""));
	a = first(before, POOL_P);
	b = next(a, after, POOL_P);
	ck_assert_ptr_eq(a->binds[0].sockets, b->binds[1].sockets);
	ck_assert_ptr_eq(a->binds[1].sockets, b->binds[0].sockets);
	ck_assert_str_eq(b->binds[1].listener->name, "two");
	ck_assert_uint_eq(b->n_gone, 0);
	plan_free(a, board);
	plan_free(b, board);
}
END_TEST

START_TEST(test_removed_address_is_gone_after_supersede)
{
	struct plan *a = first(on_port("web", port, ""), POOL_P);
	struct plan *b = next(a, on_port("web", second_port, ""), POOL_P);

	ck_assert_uint_eq(b->n_gone, 1);
	plan_supersede(a, b);
	ck_assert_uint_eq(b->n_gone, 0);
	ck_assert_uint_eq(a->n_gone, 1);
	ck_assert_ptr_eq(a->gone[0], a->binds[0].sockets);
	plan_free(a, board);
	ck_assert(port_is_free(port));
	ck_assert(!port_is_free(second_port));
	plan_free(b, board);
}
END_TEST

START_TEST(test_kept_sockets_get_new_options)
{
	struct plan *a = first(on_port("web", port, ""), POOL_P);
	struct plan *b = next(a,
	    on_port("web", port,
		", backlog: 77, tcp: {keepalive: 0s, user_timeout: 9s}"),
	    POOL_P);
	const struct plan_sockets *sockets = b->binds[0].sockets;
	int on = 1;
	socklen_t length = sizeof on;

	ck_assert_ptr_eq(a->binds[0].sockets, sockets);
	ck_assert_uint_eq(sockets->options.backlog, 77);
	ck_assert_uint_eq(sockets->options.user_timeout_ms, 9000);
	for (int i = 0; i < WORKERS; i++) {
		ck_assert_int_eq(getsockopt(sockets->fds[i], SOL_SOCKET,
				     SO_KEEPALIVE, &on, &length),
		    0);
		ck_assert_int_eq(on, 0);
	}
	plan_free(a, board);
	plan_free(b, board);
}
END_TEST

/* The second of two new addresses is taken: the first is closed again, and
 * the plan in force is as it was. */
START_TEST(test_error_undoes_everything)
{
	struct sock_listen_options options = {.backlog = 1};
	struct plan *a = first(on_port("web", port, ""), POOL_P);
	struct plan *b = NULL;
	char after[512], taken[32];
	struct plan_error error;
	struct conf *conf;
	struct addr addr;
	int fd;

	(void)snprintf(taken, sizeof taken, "127.0.0.1:%u", second_port);
	ck_assert_int_eq(addr_parse(&addr, taken), 0);
	fd = sock_listen(&addr, &options);
	ck_assert_int_ge(fd, 0);
	(void)snprintf(after, sizeof after, "%s, %s, %s",
	    on_port("web", port, ", backlog: 5"),
	    on_port("new", third_port, ""), on_port("taken", second_port, ""));
	conf = conf_of(after, POOL_P_WEIGHT);
	conf_diff(a->conf, conf, arena, &diff);
	ck_assert_int_eq(
	    plan_build(source_of(conf, &diff), a, board, WORKERS, &b, &error),
	    -EADDRINUSE);
	tls_store_free(source_given.tls);
	ck_assert_ptr_null(b);
	ck_assert_int_eq(error.code, -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(error.text, "listener taken"));
	ck_assert_ptr_nonnull(strstr(error.text, taken));
	ck_assert(port_is_free(third_port));
	ck_assert_uint_eq(a->upstreams[0]->references, 1);
	ck_assert_uint_eq(a->listeners[0]->references, 1);
	ck_assert_uint_eq(a->binds[0].sockets->references, 1);
	ck_assert_uint_ne(a->binds[0].sockets->options.backlog, 5);
	sock_close(fd);
	conf_free(conf);
	plan_free(a, board);
}
END_TEST

START_TEST(test_boot_sees_another_process_of_ours)
{
	struct sock_listen_options options = {.backlog = 1, .reuse_port = true};
	struct plan_error error;
	struct plan *plan = NULL;
	struct conf *conf = conf_of(on_port("web", port, ""), POOL_P);
	int fd = sock_listen(&conf->listeners[0].binds[0].addr, &options);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(plan_build(source_of(conf, NULL), NULL, board, WORKERS,
			     &plan, &error),
	    -EADDRINUSE);
	tls_store_free(source_given.tls);
	sock_close(fd);
	conf_free(conf);
}
END_TEST

START_TEST(test_unix_socket_is_one_and_its_file_goes)
{
	char listener[256];
	struct plan *a, *b;
	struct stat st;

	(void)snprintf(listener, sizeof listener,
	    "web: {bind: \"unix:%s\", pool: p}", unix_path);
	a = first(listener, POOL_P);
	ck_assert_int_eq(
	    a->binds[0].sockets->fds[0], a->binds[0].sockets->fds[1]);
	b = next(a, listener, POOL_P);
	ck_assert_ptr_eq(a->binds[0].sockets, b->binds[0].sockets);
	plan_free(a, board);
	ck_assert_int_eq(stat(unix_path, &st), 0);
	plan_free(b, board);
	ck_assert_int_ne(stat(unix_path, &st), 0);
}
END_TEST

START_TEST(test_pins_hold_only_what_is_not_shared)
{
	const char *web = on_port("web", port, "");
	struct plan *a = first(web, POOL_P);
	struct plan *b = next(a, web, POOL_P_WEIGHT);
	struct worker worker = {.index = 1};

	ck_assert(!plan_pinned(a));
	upstream_pin(a->upstreams[0], &worker);
	ck_assert(plan_pinned(a));
	ck_assert(!plan_pinned(b));
	upstream_unpin(a->upstreams[0], &worker);
	listener_pin(a->listeners[0], &worker);
	ck_assert(plan_pinned(a));
	listener_unpin(a->listeners[0], &worker);
	ck_assert(!plan_pinned(a));
	plan_free(a, board);
	a = next(b, web, POOL_P_WEIGHT);
	upstream_pin(b->upstreams[0], &worker);
	ck_assert(!plan_pinned(b));
	upstream_unpin(b->upstreams[0], &worker);
	plan_free(b, board);
	plan_free(a, board);
}
END_TEST

START_TEST(test_reweighted_names_only_changed_weights)
{
	const char *web = on_port("web", port, "");
	struct plan *a = first(web,
	    "p: {servers: {a: {address: \"127.0.0.1:9\"}, "
	    "b: {address: \"127.0.0.1:10\"}, c: {address: \"127.0.0.1:11\"}}}");
	/* a: other weight; b: other address; c: as before; d: new. */
	struct plan *b = next(a, web,
	    "p: {servers: {d: {address: \"127.0.0.1:9\", weight: 2}, "
	    "c: {address: \"127.0.0.1:11\"}, "
	    "b: {address: \"127.0.0.1:12\", weight: 2}, "
	    "a: {address: \"127.0.0.1:9\", weight: 2}}}");
	struct board_row **rows = NULL;

	ck_assert_uint_eq(plan_reweighted(a, b, &diff, &rows), 1);
	ck_assert_ptr_eq(rows[0], a->upstreams[0]->pool->servers[0].row);
	free(rows);
	plan_free(a, board);
	plan_free(b, board);
}
END_TEST

START_TEST(test_find_pool)
{
	struct plan *a = first(on_port("web", port, ""), POOL_P ", " POOL_Q);

	ck_assert_ptr_eq(plan_find_pool(a, "q"), a->upstreams[1]);
	ck_assert_ptr_null(plan_find_pool(a, "r"));
	plan_free(a, board);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_same_file_same_objects);
	tcase_add_test(tcase, test_changed_pool_gets_new_upstream_and_listener);
	tcase_add_test(tcase, test_address_moves_between_listeners);
	tcase_add_test(tcase, test_removed_address_is_gone_after_supersede);
	tcase_add_test(tcase, test_kept_sockets_get_new_options);
	tcase_add_test(tcase, test_error_undoes_everything);
	tcase_add_test(tcase, test_boot_sees_another_process_of_ours);
	tcase_add_test(tcase, test_unix_socket_is_one_and_its_file_goes);
	tcase_add_test(tcase, test_pins_hold_only_what_is_not_shared);
	tcase_add_test(tcase, test_reweighted_names_only_changed_weights);
	tcase_add_test(tcase, test_find_pool);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
