/* SPDX-License-Identifier: Apache-2.0 */
/* What one check finds, from the wire to the board. */
#include "tests/unit/probe/probe_fixture.h"

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
	ck_assert_str_eq(facts.cause, "status 503, expected 200-399");
}
END_TEST

START_TEST(test_http_other_protocol)
{
	struct script_server *server =
	    serve(SCRIPT_ANSWER, "220 \x01mail\" ready\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(facts.cause, "not HTTP: \"220 .mail. ready\"");
}
END_TEST

START_TEST(test_http_banner_before_request)
{
	struct script_server *server =
	    serve(SCRIPT_BANNER, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 0);
	struct board_facts facts = verdict_of(CONF_HEALTH_HTTP, &server->addr);

	ck_assert_int_eq(facts.health, BOARD_DOWN);
	ck_assert_str_eq(
	    facts.cause, "not HTTP: \"SSH-2.0-OpenSSH_9.2p1 Debian-2\"");
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
}

int main(void)
{
	return run_suite("probe_results", add_tests);
}
