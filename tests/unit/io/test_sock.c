/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sock.h"

#include "tests/unit/io/io_check.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct sock_listen_options plain = {.backlog = 8};
static const struct addr nowhere;

static struct addr address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse_ip(&addr, text), 0);
	return addr;
}

static struct addr unix_address(void)
{
	struct addr addr;
	char text[64];

	(void)snprintf(
	    text, sizeof text, "unix:/tmp/test_sock.%d", (int)getpid());
	ck_assert_int_eq(addr_parse(&addr, text), 0);
	(void)unlink(addr.un.sun_path);
	return addr;
}

static int option(int fd, int level, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

/* A listening address; the port is filled in. */
static int listen_at(struct addr *at, const struct sock_listen_options *options)
{
	int fd = sock_listen(at, options);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_local(fd, at), 0);
	return fd;
}

static int connect_to(const struct addr *to, const struct addr *source)
{
	int fd = sock_stream(to, source);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	(void)fcntl(fd, F_SETFL, 0);
	ck_assert_int_eq(connect(fd, &to->sa, to->length), 0);
	return fd;
}

static int accept_from(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int fd;

	ck_assert_int_eq(poll(&p, 1, -1), 1);
	fd = sock_accept(listener);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(test_options_are_inherited)
{
	struct sock_listen_options options = {.backlog = 8,
	    .reuse_port = true,
	    .keepalive_ms = 61500,
	    .user_timeout_ms = 30000};
	struct addr at = address(_i ? "::1" : "127.0.0.1");
	int listener = listen_at(&at, &options), second, client, server;

	ck_assert_int_ne(fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(sock_accept(listener), -EAGAIN);
	/* Another worker's socket on the same port. */
	second = sock_listen(&at, &options);
	ck_assert_int_ge(second, 0);
	sock_close(second);
	client = connect_to(&at, &nowhere);
	server = accept_from(listener);
	ck_assert_int_eq(option(server, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option(server, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option(server, IPPROTO_TCP, TCP_KEEPIDLE), 62);
	ck_assert_int_eq(option(server, IPPROTO_TCP, TCP_KEEPINTVL), 62);
	ck_assert_int_eq(option(server, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	if (_i)
		ck_assert_int_eq(
		    option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
}
END_TEST

START_TEST(test_plain_listener)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain);
	int client = connect_to(&at, &nowhere), server = accept_from(listener);

	ck_assert_int_eq(option(server, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_eq(option(server, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	/* In use, and not shared. */
	ck_assert_int_eq(sock_listen(&at, &plain), -EADDRINUSE);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
}
END_TEST

START_TEST(test_addresses)
{
	struct addr at = address("127.0.0.1"), seen, other;
	int listener = listen_at(&at, &plain);
	int client = connect_to(&at, &nowhere), server = accept_from(listener);

	ck_assert_int_eq(sock_peer(client, &seen), 0);
	ck_assert(addr_equal(&seen, &at));
	ck_assert_int_eq(sock_peer(server, &seen), 0);
	ck_assert_int_eq(sock_local(client, &other), 0);
	ck_assert(addr_equal(&seen, &other));
	ck_assert_int_eq(sock_peer(listener, &seen), -ENOTCONN);
	ck_assert_uint_eq(seen.length, 0);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
}
END_TEST

/* -- unix -------------------------------------------------------------- */

START_TEST(test_stale_unix_socket_is_replaced)
{
	struct addr at = unix_address();
	int listener = sock_listen(&at, &plain), again, client;

	ck_assert_int_ge(listener, 0);
	/* Somebody accepts there. */
	ck_assert_int_eq(sock_listen(&at, &plain), -EADDRINUSE);
	client = connect_to(&at, &nowhere);
	sock_close(client);
	/* Its process died: the path stays. */
	sock_close(listener);
	again = sock_listen(&at, &plain);
	ck_assert_int_ge(again, 0);
	client = connect_to(&at, &nowhere);
	sock_close(client);
	sock_close(again);
	ck_assert_int_eq(unlink(at.un.sun_path), 0);
}
END_TEST

START_TEST(test_other_files_are_left_alone)
{
	struct addr at = unix_address();
	struct stat st;
	int fd = open(at.un.sun_path, O_CREAT | O_EXCL | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(sock_listen(&at, &plain), -EADDRINUSE);
	ck_assert_int_eq(lstat(at.un.sun_path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(unlink(at.un.sun_path), 0);
}
END_TEST

/* -- towards servers --------------------------------------------------- */

START_TEST(test_source_address)
{
	struct addr at = address(_i ? "::1" : "127.0.0.1"), seen;
	struct addr source = address(_i ? "::1" : "127.0.0.2");
	int listener = listen_at(&at, &plain);
	int first = connect_to(&at, &source), second = connect_to(&at, &source);
	int server = accept_from(listener);

	ck_assert_int_eq(sock_peer(server, &seen), 0);
	addr_set_port(&seen, 0);
	ck_assert(addr_equal(&seen, &source));
	sock_close(first);
	sock_close(second);
	sock_close(server);
	sock_close(listener);
}
END_TEST

START_TEST(test_source_that_is_not_ours)
{
	struct addr at = address("127.0.0.1"), source = address("192.0.2.7");

	ck_assert_int_eq(sock_stream(&at, &source), -EADDRNOTAVAIL);
}
END_TEST

/* -- addresses of others ----------------------------------------------- */

static const struct sock_listen_options transparent = {
    .backlog = 8, .transparent = true};

static void check_transparent(int family_six)
{
	struct addr to = address(family_six ? "::1" : "127.0.0.1"), seen;
	struct addr other = address(family_six ? "2001:db8::7" : "192.0.2.7");
	int fd = sock_stream_as(&to, &other);
	int level = family_six ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = family_six ? IPV6_TRANSPARENT : IP_TRANSPARENT;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_local(fd, &seen), 0);
	/* The port is chosen when it connects. */
	ck_assert(addr_equal(&seen, &other));
	sock_close(fd);
	ck_assert_int_eq(sock_listen(&other, &plain), -EADDRNOTAVAIL);
	fd = sock_listen(&other, &transparent);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(option(fd, level, name), 1);
	ck_assert_int_eq(sock_set_transparent(fd, to.sa.sa_family, false), 0);
	ck_assert_int_eq(option(fd, level, name), 0);
	ck_assert_int_eq(sock_set_transparent(fd, to.sa.sa_family, true), 0);
	ck_assert_int_eq(option(fd, level, name), 1);
	sock_close(fd);
}

START_TEST(test_addresses_of_others)
{
	if (geteuid() == 0 && !sock_may_be_transparent())
		check_transparent(_i);
	else
		printf("not checked: this user may not be transparent\n");
}
END_TEST

/* 0 when all is refused. */
static int all_is_refused(void)
{
	struct addr at = address("127.0.0.1"), other = address("192.0.2.7");

	if (geteuid() == 0 && setresuid(65534, 65534, 65534))
		return 1;
	if (sock_may_be_transparent() != -EPERM)
		return 2;
	if (sock_stream_as(&at, &other) != -EPERM)
		return 3;
	return sock_listen(&at, &transparent) == -EPERM ? 0 : 4;
}

START_TEST(test_not_without_the_capability)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(all_is_refused());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* -- ends -------------------------------------------------------------- */

START_TEST(test_reset_on_close)
{
	char byte;
	int fds[2];

	io_tcp_pair(fds);
	/* Bytes under way do not soften it. */
	io_write(fds[0], "x", 1);
	ck_assert_int_eq(sock_set_reset_on_close(fds[0]), 0);
	sock_close(fds[0]);
	for (int i = 0; i < 2; i++)
		if (recv(fds[1], &byte, 1, 0) < 0)
			break;
	ck_assert_int_eq(errno, ECONNRESET);
	sock_close(fds[1]);
	io_tcp_pair(fds);
	sock_close(fds[0]);
	ck_assert_int_eq(recv(fds[1], &byte, 1, 0), 0);
	sock_close(fds[1]);
}
END_TEST

static bool may_repair(int fd)
{
	int on = 1, off = 0;

	return !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) &&
	       !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off);
}

/* As we are, and without privileges. Loopback delivers a reset at once, also
 * one that may not pass a router. */
START_TEST(test_silent_close)
{
	char byte;
	int fds[2];

	if (_i && !geteuid())
		ck_assert_int_eq(seteuid(65534), 0);
	io_tcp_pair(fds);
	if (may_repair(fds[0])) {
		ck_assert_int_eq(sock_set_silent_close(fds[0]), 0);
		sock_close(fds[0]);
		ck_assert_int_eq(recv(fds[1], &byte, 1, MSG_DONTWAIT), -1);
		ck_assert_int_eq(errno, EAGAIN);
	} else {
		ck_assert_int_eq(sock_set_silent_close(fds[0]), 0);
		ck_assert_int_eq(option(fds[0], IPPROTO_IP, IP_TTL), 1);
		sock_close(fds[0]);
		ck_assert_int_eq(recv(fds[1], &byte, 1, 0), -1);
		ck_assert_int_eq(errno, ECONNRESET);
	}
	sock_close(fds[1]);
	/* The leak checker traces this process as who started it. */
	if (_i && !getuid())
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(test_half_close)
{
	char byte;
	int fds[2];

	io_tcp_pair(fds);
	ck_assert_int_eq(sock_shutdown_write(fds[0]), 0);
	ck_assert_int_eq(recv(fds[1], &byte, 1, 0), 0);
	io_write(fds[1], "x", 1);
	ck_assert_int_eq(recv(fds[0], &byte, 1, 0), 1);
	sock_close(fds[0]);
	sock_close(fds[1]);
}
END_TEST

START_TEST(test_send_vector)
{
	static char part[100000];
	struct iovec parts[3] = {{part, 10}, {part, sizeof part}, {part, 5}};
	int64_t n, total = 0, got = 0;
	int fds[2];

	io_unix_pair(fds);
	ck_assert_int_eq(sock_send_vector(fds[0], parts, 1, false), 10);
	total = 10;
	while ((n = sock_send_vector(fds[0], parts, 3, false)) > 0)
		total += n;
	ck_assert_int_eq(n, -EAGAIN);
	while ((n = recv(fds[1], part, sizeof part, MSG_DONTWAIT)) > 0)
		got += n;
	ck_assert_int_eq(got, total);
	sock_close(fds[1]);
	/* No signal either. */
	ck_assert_int_eq(sock_send_vector(fds[0], parts, 1, false), -EPIPE);
	sock_close(fds[0]);
}
END_TEST

START_TEST(test_receive)
{
	char got[16];
	int fds[2];

	io_unix_pair(fds);
	ck_assert_int_eq(sock_receive(fds[0], got, sizeof got), -EAGAIN);
	io_write(fds[1], "abcdef", 6);
	ck_assert_int_eq(sock_receive(fds[0], got, 4), 4);
	ck_assert_mem_eq(got, "abcd", 4);
	ck_assert_int_eq(sock_receive(fds[0], got, sizeof got), 2);
	ck_assert_mem_eq(got, "ef", 2);
	sock_close(fds[1]);
	ck_assert_int_eq(sock_receive(fds[0], got, sizeof got), 0);
	sock_close(fds[0]);
}
END_TEST

static uint32_t packets_out(int fd)
{
	/* The kernel's struct tcp_info up to tcpi_segs_out, which the libc's
	 * does not have. */
	uint32_t info[35] = {0};
	socklen_t length = sizeof info;

	ck_assert_int_eq(
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length), 0);
	return info[34];
}

/* Packets that left a socket which connects and sends at once. A machine that
 * stands still for 200 ms in between makes it one more. */
static uint32_t packets_of_connect(bool delay)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain);
	int fd = sock_stream(&at, &nowhere);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	uint32_t packets;
	int server;

	if (delay)
		ck_assert_int_eq(sock_delay_ack(fd), 0);
	if (connect(fd, &at.sa, at.length))
		ck_assert_int_eq(errno, EINPROGRESS);
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(sock_ack_now(fd), 0);
	packets = packets_out(fd);
	p = (struct pollfd){.fd = listener, .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	server = sock_accept(listener);
	ck_assert_int_ge(server, 0);
	sock_close(server);
	sock_close(fd);
	sock_close(listener);
	return packets;
}

static uint32_t least_packets_of_connect(bool delay)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < 20; i++) {
		uint32_t n = packets_of_connect(delay);

		least = n < least ? n : least;
	}
	return least;
}

START_TEST(test_ack_goes_with_the_first_bytes)
{
	ck_assert_uint_eq(least_packets_of_connect(true), 2);
	ck_assert_uint_eq(least_packets_of_connect(false), 3);
}
END_TEST

/* Nobody sends: it goes when asked for. */
START_TEST(test_ack_goes_now)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain);
	int fd = sock_stream(&at, &nowhere), server;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	ck_assert_int_eq(sock_delay_ack(fd), 0);
	if (connect(fd, &at.sa, at.length))
		ck_assert_int_eq(errno, EINPROGRESS);
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	ck_assert_int_eq(sock_ack_now(fd), 0);
	ck_assert_uint_ge(packets_out(fd), 2);
	server = accept_from(listener);
	sock_close(server);
	sock_close(fd);
	sock_close(listener);
}
END_TEST

/* However the kernel packs them, all bytes come, and then the end. */
START_TEST(test_last_bytes_leave_with_the_end)
{
	struct iovec part = {"bytes", 5};
	char got[8];
	int fds[2];

	io_tcp_pair(fds);
	ck_assert_int_eq(sock_send_vector(fds[0], &part, 1, true), 5);
	ck_assert_int_eq(sock_shutdown_write(fds[0]), 0);
	ck_assert_int_eq(recv(fds[1], got, sizeof got, 0), 5);
	ck_assert_int_eq(recv(fds[1], got, sizeof got, 0), 0);
	sock_close(fds[0]);
	sock_close(fds[1]);
}
END_TEST

START_TEST(test_error_of_a_failed_connect)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain), fd;
	struct pollfd p = {.events = POLLOUT};

	sock_close(listener);
	fd = sock_stream(&at, &nowhere);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_error(fd), 0);
	if (connect(fd, &at.sa, at.length) && errno == EINPROGRESS) {
		p.fd = fd;
		ck_assert_int_eq(poll(&p, 1, -1), 1);
		ck_assert_int_eq(sock_error(fd), -ECONNREFUSED);
	} else {
		ck_assert_int_eq(errno, ECONNREFUSED);
	}
	sock_close(fd);
	ck_assert_int_eq(sock_error(-1), -EBADF);
}
END_TEST

/* -- what the profiler asks for ---------------------------------------- */

/* Bytes that the window of the other end has no room for. */
static int not_sent(int fd)
{
	int bytes = 0;

	ck_assert_int_eq(ioctl(fd, SIOCOUTQNSD, &bytes), 0);
	return bytes;
}

START_TEST(test_unsent_bytes_hold_back)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain), room = 1 << 20;
	int client = connect_to(&at, &nowhere), server = accept_from(listener);
	struct pollfd p = {.fd = server, .events = POLLOUT};
	static const char some[8192];

	ck_assert_int_eq(
	    setsockopt(server, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
	/* Nobody reads at the other end: a tail stays here. */
	while (not_sent(server) < 4 * (int)sizeof some)
		ck_assert_int_gt(
		    send(server, some, sizeof some, MSG_DONTWAIT), 0);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(sock_set_unsent(server, sizeof some), 0);
	ck_assert_int_eq(
	    option(server, IPPROTO_TCP, TCP_NOTSENT_LOWAT), sizeof some);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	ck_assert_int_eq(sock_set_unsent(server, 1 << 20), 0);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(sock_set_unsent(-1, 1), -EBADF);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
}
END_TEST

static uint64_t pacing_of(int fd)
{
	uint64_t rate = 0;
	socklen_t length = sizeof rate;

	ck_assert_int_eq(
	    getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &length), 0);
	ck_assert_uint_eq(length, sizeof rate);
	return rate;
}

START_TEST(test_pacing)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain);
	int client = connect_to(&at, &nowhere), server = accept_from(listener);

	ck_assert_uint_eq(pacing_of(server), UINT64_MAX);
	ck_assert_int_eq(sock_set_pacing(server, 1250000), 0);
	ck_assert_uint_eq(pacing_of(server), 1250000);
	/* Beyond 32 bits: 34 Gbit/s and more. */
	ck_assert_int_eq(sock_set_pacing(server, UINT64_C(5) << 32), 0);
	ck_assert_uint_eq(pacing_of(server), UINT64_C(5) << 32);
	ck_assert_int_eq(sock_set_pacing(server, 0), 0);
	ck_assert_uint_eq(pacing_of(server), UINT64_MAX);
	ck_assert_int_eq(sock_set_pacing(-1, 1), -EBADF);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
}
END_TEST

START_TEST(test_measured)
{
	struct addr at = address("127.0.0.1");
	int listener = listen_at(&at, &plain), pair[2];
	int client = connect_to(&at, &nowhere), server = accept_from(listener);
	static char some[8192];
	uint32_t rtt_us = 0;
	uint64_t rate_bps = 0;

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(
		    send(server, some, sizeof some, 0), sizeof some);
		ck_assert_int_eq(
		    recv(client, some, sizeof some, MSG_WAITALL), sizeof some);
	}
	ck_assert_int_eq(send(client, some, 1, 0), 1);
	ck_assert_int_eq(recv(server, some, 1, MSG_WAITALL), 1);
	ck_assert_int_eq(sock_measured(server, &rtt_us, &rate_bps), 0);
	ck_assert_uint_gt(rtt_us, 0);
	ck_assert_uint_gt(rate_bps, 0);
	sock_close(client);
	sock_close(server);
	sock_close(listener);
	/* Others have none, and what was there stays. */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	rtt_us = 77;
	rate_bps = 88;
	ck_assert_int_eq(sock_measured(pair[0], &rtt_us, &rate_bps), -ENOTSUP);
	ck_assert_uint_eq(rtt_us, 77);
	ck_assert_uint_eq(rate_bps, 88);
	sock_close(pair[0]);
	sock_close(pair[1]);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("sock");

	tcase_add_loop_test(tcase, test_options_are_inherited, 0, 2);
	tcase_add_test(tcase, test_plain_listener);
	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_stale_unix_socket_is_replaced);
	tcase_add_test(tcase, test_other_files_are_left_alone);
	tcase_add_loop_test(tcase, test_source_address, 0, 2);
	tcase_add_test(tcase, test_source_that_is_not_ours);
	tcase_add_loop_test(tcase, test_addresses_of_others, 0, 2);
	tcase_add_test(tcase, test_not_without_the_capability);
	tcase_add_test(tcase, test_reset_on_close);
	tcase_add_loop_test(tcase, test_silent_close, 0, 2);
	tcase_add_test(tcase, test_half_close);
	tcase_add_test(tcase, test_send_vector);
	tcase_add_test(tcase, test_receive);
	tcase_add_test(tcase, test_last_bytes_leave_with_the_end);
	tcase_add_test(tcase, test_ack_goes_with_the_first_bytes);
	tcase_add_test(tcase, test_ack_goes_now);
	tcase_add_test(tcase, test_error_of_a_failed_connect);
	tcase_add_test(tcase, test_unsent_bytes_hold_back);
	tcase_add_test(tcase, test_pacing);
	tcase_add_test(tcase, test_measured);
	return io_check_main(tcase);
}
