/* SPDX-License-Identifier: Apache-2.0 */
#include "io/datagram.h"

#include "tests/unit/io/io_check.h"

#include "io/sock.h"
#include "tests/unit/io/datagram_arrived.h"

#include <netinet/udp.h>
#include <poll.h>

static struct datagram_batch *batch;

static struct addr ip(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

static int server_at(const char *text, struct addr *ret)
{
	struct addr at = ip(text);
	int fd =
	    datagram_open(&at, &(struct datagram_options){.reuse_port = true});

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_local(fd, ret), 0);
	return fd;
}

static int client_to(const struct addr *to)
{
	int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	/* Connected: what comes from another address is not received. */
	ck_assert_int_eq(connect(fd, &to->sa, to->length), 0);
	return fd;
}

static void wait_for(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&one, 1, 5000), 1);
}

/* Sends each of `n` datagrams back, with a byte in front. */
static void echo(int fd, uint32_t n)
{
	datagram_wait_arrived(fd, n);
	ck_assert_int_eq(
	    datagram_receive(batch, fd, datagram_is_wildcard(fd)), (int)n);
	for (uint32_t i = 0; i < n; i++) {
		size_t length;
		const uint8_t *in = datagram_in(batch, i, &length);
		uint8_t *out = datagram_out(batch, i);

		out[0] = '>';
		memcpy(out + 1, in, length);
		datagram_set_out(batch, i, length + 1);
	}
	ck_assert_uint_eq(datagram_send(batch, fd).sent, n);
}

static void expect(int client, const char *text)
{
	char got[64];
	ssize_t n;

	wait_for(client);
	n = recv(client, got, sizeof got, 0);
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	ck_assert_mem_eq(got, text, strlen(text));
}

static void ask(int client, const char *text)
{
	ck_assert_int_eq(
	    send(client, text, strlen(text), 0), (ssize_t)strlen(text));
}

START_TEST(test_specific)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), a = client_to(&at),
	    b = client_to(&at);

	ck_assert(!datagram_is_wildcard(server));
	ask(a, "one");
	ask(b, "two");
	ask(a, "three");
	echo(server, 3);
	expect(a, ">one");
	expect(b, ">two");
	expect(a, ">three");
	close(a);
	close(b);
	close(server);
}
END_TEST

/* RFC 1035 section 4.2.1, RFC 2181 section 4.1: clients throw away what comes
 * from another address than they asked; here their kernel does. */
START_TEST(test_wildcard)
{
	struct addr at, other = ip("127.0.0.77");
	int server = server_at("0.0.0.0", &at), client;

	ck_assert(datagram_is_wildcard(server));
	addr_set_port(&other, addr_port(&at));
	client = client_to(&other);
	ask(client, "here");
	echo(server, 1);
	expect(client, ">here");
	close(client);
	close(server);
}
END_TEST

START_TEST(test_wildcard_v6)
{
	struct addr at, one = ip("::1");
	int server, client, probe = socket(AF_INET6, SOCK_DGRAM, 0);

	/* A machine may have none. */
	if (probe < 0 || bind(probe, &one.sa, one.length)) {
		if (probe >= 0)
			close(probe);
		return;
	}
	close(probe);
	server = server_at("::", &at);
	addr_set_port(&one, addr_port(&at));
	client = client_to(&one);
	ask(client, "six");
	echo(server, 1);
	expect(client, ">six");
	close(client);
	close(server);
}
END_TEST

/* One batch serves sockets of both kinds, in turn. */
START_TEST(test_both_kinds)
{
	struct addr at, any, other = ip("127.0.0.78");
	int server = server_at("127.0.0.1", &at),
	    wild = server_at("0.0.0.0", &any), a = client_to(&at), b;

	addr_set_port(&other, addr_port(&any));
	b = client_to(&other);
	for (int i = 0; i < 3; i++) {
		ask(a, "a");
		/* More than there were before: each place is made ready. */
		for (int k = 0; k < 5; k++)
			ask(b, "b");
		echo(server, 1);
		echo(wild, 5);
		expect(a, ">a");
		for (int k = 0; k < 5; k++)
			expect(b, ">b");
	}
	close(a);
	close(b);
	close(server);
	close(wild);
}
END_TEST

START_TEST(test_more_than_a_batch)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), client = client_to(&at);
	char text[16];

	for (uint32_t i = 0; i < DATAGRAM_BATCH + 3; i++) {
		(void)snprintf(text, sizeof text, "%u", i);
		ask(client, text);
	}
	datagram_wait_arrived(server, DATAGRAM_BATCH + 3);
	echo(server, DATAGRAM_BATCH);
	echo(server, 3);
	ck_assert_int_eq(datagram_receive(batch, server, false), 0);
	for (uint32_t i = 0; i < DATAGRAM_BATCH + 3; i++) {
		(void)snprintf(text, sizeof text, ">%u", i);
		expect(client, text);
	}
	close(client);
	close(server);
}
END_TEST

/* Not every question has an answer, and what a client cannot be sent costs
 * the others nothing. */
START_TEST(test_some_answers)
{
	struct addr at, nowhere = ip("127.0.0.1");
	int server = server_at("127.0.0.1", &at), a = client_to(&at),
	    b = client_to(&at);
	struct datagram_sent sent;

	ask(a, "1");
	ask(b, "2");
	ask(a, "3");
	datagram_wait_arrived(server, 3);
	ck_assert_int_eq(datagram_receive(batch, server, false), 3);
	/* Port 0 can be sent to by nobody. */
	addr_set_port(&nowhere, 0);
	memcpy((struct addr *)(uintptr_t)datagram_from(batch, 0), &nowhere,
	    sizeof nowhere);
	memcpy(datagram_out(batch, 0), "x", 1);
	datagram_set_out(batch, 0, 1);
	datagram_set_out(batch, 1, 0);
	memcpy(datagram_out(batch, 2), "y", 1);
	datagram_set_out(batch, 2, 1);
	sent = datagram_send(batch, server);
	ck_assert_uint_eq(sent.sent, 1);
	ck_assert_uint_eq(sent.refused, 1);
	ck_assert_uint_eq(sent.full, 0);
	expect(a, "y");
	close(a);
	close(b);
	close(server);
}
END_TEST

/* A full socket: what does not go is dropped at once. A unix socket, since
 * one of loopback is never full. */
START_TEST(test_full)
{
	struct datagram_sent sent;
	int pair[2], small = 1;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small),
	    0);
	for (int i = 0; i < 8; i++)
		ask(pair[1], "q");
	ck_assert_int_eq(datagram_receive(batch, pair[0], false), 8);
	for (uint32_t i = 0; i < 8; i++) {
		memset(datagram_out(batch, i), 0, 1232);
		datagram_set_out(batch, i, 1232);
	}
	sent = datagram_send(batch, pair[0]);
	ck_assert_uint_ge(sent.sent, 1);
	ck_assert_uint_ge(sent.full, 1);
	ck_assert_uint_eq(sent.sent + sent.full, 8);
	/* Nothing of it is sent later. */
	ck_assert_uint_eq(datagram_send(batch, pair[0]).sent, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(test_long)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), client = client_to(&at);
	char bytes[5000] = {'a'};
	size_t length;

	ck_assert_int_eq(send(client, bytes, sizeof bytes, 0), 5000);
	wait_for(server);
	ck_assert_int_eq(datagram_receive(batch, server, false), 1);
	ck_assert_int_eq(datagram_in(batch, 0, &length)[0], 'a');
	ck_assert_uint_eq(length, 2048);
	close(client);
	close(server);
}
END_TEST

START_TEST(test_open)
{
	struct addr at, nobodys = ip("192.0.2.1"), path;
	struct datagram_options options = {0};
	int fd;

	ck_assert_int_eq(datagram_open(&nobodys, &options), -EADDRNOTAVAIL);
	options.free_bind = true;
	fd = datagram_open(&nobodys, &options);
	ck_assert_int_ge(fd, 0);
	close(fd);
	options = (struct datagram_options){.receive_bytes = 1 << 18};
	at = ip("127.0.0.1");
	fd = datagram_open(&at, &options);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_ge(sock_receive_room(fd), 1 << 18);
	ck_assert_int_eq(sock_local(fd, &at), 0);
	/* Only with reuse_port may two have a port. */
	ck_assert_int_eq(datagram_open(&at, &options), -EADDRINUSE);
	close(fd);
	ck_assert_int_eq(addr_parse(&path, "unix:/tmp/x"), 0);
	ck_assert_int_eq(datagram_open(&path, &options), -EAFNOSUPPORT);
	ck_assert_int_eq(datagram_receive(batch, -1, false), -EBADF);
}
END_TEST

/* -- joined answers ---------------------------------------------------- */

/* With UDP_GRO a socket of loopback gets what was sent as one message as it
 * was sent; others get each answer by itself. */
static void take_joined(int fd)
{
	int one = 1;

	ck_assert_int_eq(
	    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one), 0);
}

START_TEST(test_joined)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), a = client_to(&at),
	    b = client_to(&at);

	take_joined(a);
	take_joined(b);
	/* As long as the first, then a shorter one, which is the last. */
	ask(a, "one");
	ask(a, "two");
	ask(a, "3");
	ask(a, "4");
	/* A longer one begins anew, and so does another peer. */
	ask(a, "five");
	ask(b, "six.");
	ask(a, "sev.");
	ask(a, "eig.");
	echo(server, 8);
	expect(a, ">one>two>3");
	expect(a, ">4");
	expect(a, ">five");
	expect(a, ">sev.>eig.");
	expect(b, ">six.");
	/* Nothing of it is left. */
	ask(a, "one");
	echo(server, 1);
	expect(a, ">one");
	close(a);
	close(b);
	close(server);
}
END_TEST

static void ask_at(int client, const struct addr *to, const char *text)
{
	ck_assert_int_eq(
	    sendto(client, text, strlen(text), 0, &to->sa, to->length),
	    (ssize_t)strlen(text));
}

static void expect_from(int client, const struct addr *from, const char *text)
{
	struct addr got = {.length = sizeof got.in6};
	char bytes[64];
	ssize_t n;

	wait_for(client);
	n = recvfrom(client, bytes, sizeof bytes, 0, &got.sa, &got.length);
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	ck_assert_mem_eq(bytes, text, strlen(text));
	ck_assert(addr_equal(&got, from));
}

/* One peer, but each answer from the address that was asked. */
START_TEST(test_joined_wildcard)
{
	struct addr at, one = ip("127.0.0.77"), two = ip("127.0.0.78");
	int server = server_at("0.0.0.0", &at);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	addr_set_port(&one, addr_port(&at));
	addr_set_port(&two, addr_port(&at));
	take_joined(client);
	ask_at(client, &one, "a");
	ask_at(client, &one, "b");
	ask_at(client, &two, "c");
	ask_at(client, &two, "d");
	ask_at(client, &one, "e");
	echo(server, 5);
	expect_from(client, &one, ">a>b");
	expect_from(client, &two, ">c>d");
	expect_from(client, &one, ">e");
	close(client);
	close(server);
}
END_TEST

/* More than one packet may have. */
START_TEST(test_joined_long)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), client = client_to(&at);
	char got[2048];

	for (uint32_t i = 0; i < DATAGRAM_BATCH; i++)
		ask(client, "q");
	datagram_wait_arrived(server, DATAGRAM_BATCH);
	ck_assert_int_eq(
	    datagram_receive(batch, server, false), DATAGRAM_BATCH);
	for (uint32_t i = 0; i < DATAGRAM_BATCH; i++) {
		memset(datagram_out(batch, i), (int)i, 1232);
		datagram_set_out(batch, i, 1232);
	}
	ck_assert_uint_eq(datagram_send(batch, server).sent, DATAGRAM_BATCH);
	for (uint32_t i = 0; i < DATAGRAM_BATCH; i++) {
		wait_for(client);
		ck_assert_int_eq(recv(client, got, sizeof got, 0), 1232);
		ck_assert_int_eq(got[0], (char)i);
		ck_assert_int_eq(got[1231], (char)i);
	}
	close(client);
	close(server);
}
END_TEST

/* Where the kernel does not take joined answers, each goes by itself: it
 * takes none from a socket that makes no checksums. */
START_TEST(test_joined_refused)
{
	struct addr at;
	int server = server_at("127.0.0.1", &at), a = client_to(&at),
	    b = client_to(&at), one = 1;

	ck_assert_int_eq(
	    setsockopt(server, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one), 0);
	take_joined(a);
	for (int i = 0; i < 2; i++) {
		ask(b, "0");
		ask(a, "1");
		ask(a, "2");
		ask(a, "3");
		ask(b, "4");
		ask(b, "5");
		echo(server, 6);
		expect(b, ">0");
		expect(a, ">1");
		expect(a, ">2");
		expect(a, ">3");
		expect(b, ">4");
		expect(b, ">5");
	}
	close(a);
	close(b);
	close(server);
}
END_TEST

static void start(void)
{
	batch = datagram_batch_new(2048, 1232);
	ck_assert_ptr_nonnull(batch);
}

static void stop(void)
{
	datagram_batch_free(batch);
}

int main(void)
{
	TCase *tcase = tcase_create("datagram");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, test_specific);
	tcase_add_test(tcase, test_wildcard);
	tcase_add_test(tcase, test_wildcard_v6);
	tcase_add_test(tcase, test_both_kinds);
	tcase_add_test(tcase, test_more_than_a_batch);
	tcase_add_test(tcase, test_some_answers);
	tcase_add_test(tcase, test_full);
	tcase_add_test(tcase, test_long);
	tcase_add_test(tcase, test_open);
	tcase_add_test(tcase, test_joined);
	tcase_add_test(tcase, test_joined_wildcard);
	tcase_add_test(tcase, test_joined_long);
	tcase_add_test(tcase, test_joined_refused);
	return io_check_main(tcase);
}
