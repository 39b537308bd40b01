/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_tcp.h"

#include "tests/unit/base/check_main.h"
#include "tests/unit/dnsd/dns_stream.h"

#include <stdio.h>
#include <sys/resource.h>

/* Their answers are more than two sockets hold. */
#define SLOW_QUERIES 500

/* -- queries ----------------------------------------------------------- */

START_TEST(test_one)
{
	int fd = connect_accepted();

	ask(fd, 1, 0);
	expect(fd, 1, QUERY);
	ask(fd, 2, 500);
	expect(fd, 2, 500);
	ck_assert_uint_eq(COUNT(tcp_queries), 2);
	ck_assert_uint_eq(COUNT(tcp_answers), 2);
	ck_assert(addr_is_loopback(&dns_check.source));
	close(fd);
}
END_TEST

/* RFC 7766 section 6.2.1.1: several in one go, more than one read takes. */
START_TEST(test_pipelined)
{
	static uint8_t bytes[1000 * (2 + QUERY)];
	int fd = connect_accepted();
	size_t length = 0;

	for (uint16_t i = 0; i < 1000; i++)
		length += frame(bytes + length, i, (uint16_t)(12 + i % 300));
	push(fd, bytes, length);
	for (uint16_t i = 0; i < 1000; i++)
		expect(fd, i, (uint16_t)(12 + i % 300));
	close(fd);
}
END_TEST

/* RFC 7766 section 8: a query may come in any pieces. */
START_TEST(test_pieces)
{
	uint8_t bytes[5 * (2 + QUERY)];
	int fd = connect_accepted();
	size_t length = 0;

	for (uint16_t i = 0; i < 5; i++)
		length += frame(bytes + length, i, 0);
	for (size_t piece = 1; piece < 2 * (2 + QUERY); piece++) {
		for (size_t i = 0; i < length; i += piece) {
			push(fd, bytes + i,
			    length - i < piece ? length - i : piece);
			dns_check_turn();
		}
		for (uint16_t i = 0; i < 5; i++)
			expect(fd, i, QUERY);
	}
	ck_assert_uint_eq(COUNT(tcp_bad_frames), 0);
	close(fd);
}
END_TEST

/* What is too long to be a query is answered as its beginning, and skipped. */
START_TEST(test_long)
{
	static uint8_t bytes[2 + 65535 + 2 + QUERY];
	int fd = connect_accepted();

	bytes[0] = bytes[1] = 0xff;
	dns_check_query(bytes + 2, 65535, 7, 50, 0, 0);
	(void)frame(bytes + 2 + 65535, 8, 0);
	push(fd, bytes, sizeof bytes);
	expect(fd, 7, 50);
	expect(fd, 8, QUERY);
	close(fd);
}
END_TEST

START_TEST(test_bad_frames)
{
	static const uint8_t empty[] = {0, 0}, tiny[] = {0, 3, 'a', 'b', 'c'},
			     http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = connect_accepted();

	/* What came before is answered. */
	ask(fd, 1, 0);
	push(fd, empty, sizeof empty);
	expect(fd, 1, QUERY);
	expect_end(fd);
	fd = connect_accepted();
	push(fd, tiny, sizeof tiny);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_bad_frames), 2);
	/* Waits for the 18245 bytes that "GE" promises. */
	fd = connect_accepted();
	push(fd, http, sizeof http - 1);
	dns_check_settle();
	dns_check_pass(DNS_CHECK_IDLE_MS + 10);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_idle_closed), 1);
}
END_TEST

/* -- ends -------------------------------------------------------------- */

/* RFC 7766 section 6.2.3: who has asked all still gets the answers. */
START_TEST(test_half_closed)
{
	int fd = connect_accepted();

	for (uint16_t i = 0; i < 3; i++)
		ask(fd, i, 60000);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (uint16_t i = 0; i < 3; i++)
		expect(fd, i, 60000);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_resets), 0);
}
END_TEST

START_TEST(test_half_query)
{
	int fd = connect_accepted();

	push(fd, "\0\24abc", 5);
	dns_check_settle();
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
	dns_check_until(!dns_tcp_open(dns_check.server));
}
END_TEST

START_TEST(test_reset)
{
	int fd = connect_accepted();

	ask(fd, 1, 0);
	dns_check_settle();
	reset(fd);
	dns_check_until(COUNT(tcp_resets) == 1);
	/* Also while answers wait for it. */
	fd = connect_accepted();
	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		ask(fd, i, 60000);
	dns_check_settle();
	reset(fd);
	dns_check_until(COUNT(tcp_resets) == 2);
	dns_check_until(!dns_tcp_open(dns_check.server));
}
END_TEST

/* RFC 7766 section 6.2.3, and a client that drips bytes does not stay. */
START_TEST(test_idle)
{
	int fd = connect_accepted();

	dns_check_pass(DNS_CHECK_IDLE_MS - 1000);
	ask(fd, 1, 0);
	expect(fd, 1, QUERY);
	dns_check_settle();
	ck_assert_uint_eq(COUNT(tcp_idle_closed), 0);
	dns_check_pass(DNS_CHECK_IDLE_MS + 10);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_idle_closed), 1);
}
END_TEST

/* A query moves the end on. */
START_TEST(test_not_idle)
{
	int fd = connect_accepted();
	struct dns_server_limits longer = usual;

	longer.tcp_idle_ms = 3 * DNS_CHECK_IDLE_MS;
	dns_server_set_limits(dns_check.server, &longer);
	ask(fd, 1, 0);
	expect(fd, 1, QUERY);
	dns_check_pass(DNS_CHECK_IDLE_MS + 10);
	ask(fd, 2, 0);
	expect(fd, 2, QUERY);
	dns_check_pass(3 * DNS_CHECK_IDLE_MS + 1000);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_idle_closed), 1);
}
END_TEST

START_TEST(test_drip)
{
	int fd = connect_accepted();

	/* Real time hardly goes on: only a whole query moves the deadline. */
	for (int i = 0; i < 5; i++) {
		push(fd, i ? "x" : "\0", 1);
		dns_check_settle();
	}
	dns_check_pass(DNS_CHECK_IDLE_MS + 10);
	expect_end(fd);
	ck_assert_uint_eq(COUNT(tcp_idle_closed), 1);
}
END_TEST

/* -- slow readers ------------------------------------------------------ */

/* A client that does not read is not read either; what it asked is answered
 * as it takes the answers, all of it and in order. */
START_TEST(test_slow_reader)
{
	static uint8_t bytes[SLOW_QUERIES * (2 + QUERY)];
	int fd = connect_accepted();
	uint64_t queries;
	size_t length = 0;

	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		length += frame(bytes + length, i, 60000);
	push(fd, bytes, length);
	dns_check_settle();
	queries = COUNT(tcp_queries);
	ck_assert_uint_lt(queries, SLOW_QUERIES / 2);
	dns_check_settle();
	ck_assert_uint_eq(COUNT(tcp_queries), queries);
	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		expect(fd, i, 60000);
	/* And goes on as before. */
	ask(fd, 9, 0);
	expect(fd, 9, QUERY);
	ck_assert_uint_eq(COUNT(tcp_stalled), 0);
	close(fd);
}
END_TEST

/* Sockets that take a little at a time. */
START_TEST(test_small_socket)
{
	int room = 1, fd;

	ck_assert_int_eq(setsockopt(dns_tcp_fd(tcp), SOL_SOCKET, SO_SNDBUF,
			     &room, sizeof room),
	    0);
	ck_assert_int_eq(setsockopt(dns_tcp_fd(tcp), SOL_SOCKET, SO_RCVBUF,
			     &room, sizeof room),
	    0);
	for (int window = 0; window < 2; window++) {
		fd = connect_with(window);
		for (uint16_t i = 0; i < 20; i++)
			ask(fd, i, (uint16_t)(i % 2 ? 60000 : 100));
		for (uint16_t i = 0; i < 20; i++)
			expect(fd, i, (uint16_t)(i % 2 ? 60000 : 100));
		close(fd);
	}
}
END_TEST

/* More clients in one turn than there are ring buffers. */
START_TEST(test_no_buffers)
{
	int fds[40];

	for (int i = 0; i < 40; i++)
		fds[i] = connect_accepted();
	for (uint16_t i = 0; i < 40; i++)
		ask(fds[i], i, 0);
	for (uint16_t i = 0; i < 40; i++)
		expect(fds[i], i, QUERY);
	ck_assert_uint_gt(
	    dns_check_count(&dns_check.ring_metrics.buffers_empty), 0);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
}
END_TEST

START_TEST(test_stalled)
{
	int fd = connect_accepted();

	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		ask(fd, i, 60000);
	dns_check_settle();
	dns_check_pass(DNS_CHECK_IDLE_MS + 10);
	dns_check_until(!dns_tcp_open(dns_check.server));
	ck_assert_uint_eq(COUNT(tcp_stalled), 1);
	dns_check_until(sock_has_error(fd));
	close(fd);
}
END_TEST

/* -- limits ------------------------------------------------------------ */

static void set_limits(uint32_t connections, uint32_t per_source)
{
	dns_server_set_limits(dns_check.server,
	    &(struct dns_server_limits){.tcp_idle_ms = DNS_CHECK_IDLE_MS,
		.tcp_connections = connections,
		.tcp_per_source = per_source});
}

/* At the limit the one that has been idle for longest goes. */
START_TEST(test_makes_room)
{
	int a, b, c;

	set_limits(2, 0);
	a = connect_accepted();
	b = connect_accepted();
	ask(a, 1, 0);
	expect(a, 1, QUERY);
	c = connect_accepted();
	expect_end(b);
	ask(a, 2, 0);
	expect(a, 2, QUERY);
	ask(c, 3, 0);
	expect(c, 3, QUERY);
	ck_assert_uint_eq(COUNT(tcp_made_room), 1);
	dns_check_until(dns_tcp_open(dns_check.server) == 2);
	close(a);
	close(c);
}
END_TEST

/* None of them is idle: the new one is refused. */
START_TEST(test_full)
{
	int busy, refused;

	set_limits(1, 0);
	busy = connect_accepted();
	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		ask(busy, i, 60000);
	dns_check_settle();
	refused = connect_one();
	expect_end(refused);
	ck_assert_uint_eq(COUNT(tcp_full), 1);
	ck_assert_uint_eq(dns_tcp_open(dns_check.server), 1);
	close(busy);
}
END_TEST

START_TEST(test_per_source)
{
	int a, b, refused;

	set_limits(64, 2);
	a = connect_accepted();
	b = connect_accepted();
	refused = connect_one();
	expect_end(refused);
	ck_assert_uint_eq(COUNT(tcp_source_full), 1);
	close(a);
	dns_check_until(dns_tcp_open(dns_check.server) == 1);
	a = connect_accepted();
	ask(a, 1, 0);
	expect(a, 1, QUERY);
	close(a);
	close(b);
}
END_TEST

/* RFC 7828: so long may it stay; 0, please go, when places run out. */
START_TEST(test_keepalive)
{
	int a = connect_accepted(), b, c;

	ask(a, 1, 0);
	expect(a, 1, QUERY);
	ck_assert_uint_eq(dns_check.idle_100ms, DNS_CHECK_IDLE_MS / 100);
	set_limits(3, 0);
	b = connect_accepted();
	ask(b, 1, 0);
	expect(b, 1, QUERY);
	ck_assert_uint_eq(dns_check.idle_100ms, DNS_CHECK_IDLE_MS / 100);
	set_limits(8, 0);
	c = connect_accepted();
	ask(c, 1, 0);
	expect(c, 1, QUERY);
	ck_assert_uint_eq(dns_check.idle_100ms, DNS_CHECK_IDLE_MS / 100);
	set_limits(3, 0);
	ask(c, 1, 0);
	expect(c, 1, QUERY);
	ck_assert_uint_eq(dns_check.idle_100ms, 100);
	set_limits(2, 0);
	ask(c, 1, 0);
	expect(c, 1, QUERY);
	ck_assert_uint_eq(dns_check.idle_100ms, 0);
	close(a);
	close(b);
	close(c);
}
END_TEST

/* The process as a whole has no limit per source where there is no table. */
START_TEST(test_no_sources)
{
	int fd;

	stop_tcp();
	dns_tcp_free(tcp);
	dns_server_free(dns_check.server);
	source_table_free(dns_check.options.sources);
	dns_check.options.sources = NULL;
	dns_check.options.limits.tcp_per_source = 1;
	start_server();
	fd = connect_accepted();
	close(connect_accepted());
	ask(fd, 1, 0);
	expect(fd, 1, QUERY);
	close(fd);
}
END_TEST

static struct rlimit descriptors;

/* None are left above the client's own. */
static int connect_without_descriptors(void)
{
	struct rlimit low;
	int fd = connect_one();

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
	low = descriptors;
	low.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	ask(fd, 1, 0);
	dns_check_settle();
	ck_assert_uint_eq(COUNT(tcp_accepted), 0);
	return fd;
}

/* Out of descriptors those who wait are served later, not turned away. */
START_TEST(test_no_descriptors)
{
	int fd = connect_without_descriptors();

	dns_check_pass(100);
	dns_check_settle();
	ck_assert_uint_eq(COUNT(tcp_accepted), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
	dns_check_pass(200);
	expect(fd, 1, QUERY);
	close(fd);
}
END_TEST

START_TEST(test_no_descriptors_stop)
{
	int fd = connect_without_descriptors();

	dns_tcp_stop(tcp);
	ck_assert(dns_tcp_done(tcp));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
	close(fd);
}
END_TEST

/* -- the server's end -------------------------------------------------- */

START_TEST(test_drain)
{
	int idle = connect_accepted(), busy = connect_accepted();

	ask(idle, 1, QUERY);
	expect(idle, 1, QUERY);
	for (uint16_t i = 0; i < 100; i++)
		ask(busy, i, 60000);
	dns_check_settle();
	dns_tcp_drain(dns_check.server);
	expect_end(idle);
	for (uint16_t i = 0; i < 100; i++)
		expect(busy, i, 60000);
	expect_end(busy);
	ck_assert_uint_eq(dns_check.idle_100ms, 0);
}
END_TEST

/* What has been sent when the drain begins is answered, by whichever side of
 * it the kernel has it; also on a connection that had asked before. */
START_TEST(test_drain_asking)
{
	int fresh = connect_accepted(), again = connect_accepted();

	ask(again, 1, QUERY);
	expect(again, 1, QUERY);
	dns_check_settle();
	ask(again, 2, QUERY);
	dns_tcp_drain(dns_check.server);
	expect(again, 2, QUERY);
	expect_end(again);
	dns_check_settle();
	ask(fresh, 3, QUERY);
	expect(fresh, 3, QUERY);
	expect_end(fresh);
}
END_TEST

/* One that never asks is not waited for. */
START_TEST(test_drain_mute)
{
	int mute = connect_accepted();

	dns_tcp_drain(dns_check.server);
	dns_check_settle();
	ck_assert_uint_eq(dns_tcp_open(dns_check.server), 1);
	dns_check_pass(DNS_TCP_DRAIN_MS + 100);
	expect_end(mute);
}
END_TEST

START_TEST(test_kill)
{
	int busy = connect_accepted();

	for (uint16_t i = 0; i < SLOW_QUERIES; i++)
		ask(busy, i, 60000);
	dns_check_settle();
	dns_tcp_kill(dns_check.server);
	dns_check_until(!dns_tcp_open(dns_check.server));
	dns_check_until(sock_has_error(busy));
	close(busy);
}
END_TEST

/* What a client has sent when the end comes is not looked at, and its buffer
 * is given back. */
START_TEST(test_kill_with_query)
{
	int fds[10];

	for (int i = 0; i < 10; i++)
		fds[i] = connect_accepted();
	dns_check_settle();
	for (int i = 0; i < 10; i++)
		ask(fds[i], 1, 0);
	dns_tcp_kill(dns_check.server);
	dns_check_until(!dns_tcp_open(dns_check.server));
	ck_assert_uint_eq(COUNT(tcp_queries), 0);
	dns_check_settle();
	ck_assert_uint_eq(
	    dns_check.ring.buffers_free, dns_check.ring.n_buffers);
	for (int i = 0; i < 10; i++)
		close(fds[i]);
}
END_TEST

/* Never started: it closes what it was given. */
START_TEST(test_never_started)
{
	struct addr bind_to = dns_check_ip("127.0.0.1");
	int fd = sock_listen(
	    &bind_to, &(struct sock_listen_options){.backlog = 100});
	struct dns_tcp *other = dns_tcp_new(fd);

	ck_assert_ptr_nonnull(other);
	dns_tcp_free(other);
	dns_tcp_free(NULL);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

/* A listener that goes leaves its connections. */
START_TEST(test_stop)
{
	int fd = connect_accepted(), queued = connect_one();

	stop_tcp();
	ck_assert_int_eq(dns_tcp_fd(tcp), -1);
	ask(fd, 1, 0);
	expect(fd, 1, QUERY);
	ask(queued, 2, 0);
	expect(queued, 2, QUERY);
	close(fd);
	close(queued);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("dns_tcp");

	tcase_add_checked_fixture(tcase, dns_stream_start, dns_stream_stop);
	tcase_add_test(tcase, test_one);
	tcase_add_test(tcase, test_pipelined);
	tcase_add_test(tcase, test_pieces);
	tcase_add_test(tcase, test_long);
	tcase_add_test(tcase, test_bad_frames);
	tcase_add_test(tcase, test_half_closed);
	tcase_add_test(tcase, test_half_query);
	tcase_add_test(tcase, test_reset);
	tcase_add_test(tcase, test_idle);
	tcase_add_test(tcase, test_not_idle);
	tcase_add_test(tcase, test_drip);
	tcase_add_test(tcase, test_slow_reader);
	tcase_add_test(tcase, test_small_socket);
	tcase_add_test(tcase, test_no_buffers);
	tcase_add_test(tcase, test_stalled);
	tcase_add_test(tcase, test_makes_room);
	tcase_add_test(tcase, test_full);
	tcase_add_test(tcase, test_per_source);
	tcase_add_test(tcase, test_keepalive);
	tcase_add_test(tcase, test_no_sources);
	tcase_add_test(tcase, test_no_descriptors);
	tcase_add_test(tcase, test_no_descriptors_stop);
	tcase_add_test(tcase, test_drain);
	tcase_add_test(tcase, test_drain_asking);
	tcase_add_test(tcase, test_drain_mute);
	tcase_add_test(tcase, test_kill);
	tcase_add_test(tcase, test_kill_with_query);
	tcase_add_test(tcase, test_never_started);
	tcase_add_test(tcase, test_stop);
	return check_main(tcase);
}
