/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_wire.h"

#include "base/clock.h"
#include "dnsd/dname.h"
#include "dnsd/rr_type.h"
#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_NS (10 * NS_PER_S)
#define MESSAGE_MAX 600
/* A port that is free for UDP may be taken for TCP. */
#define PORT_TRIES 100

enum rcode { NOERROR, FORMERR, SERVFAIL };

/* Servers of this test, on loopback, at one port for UDP and TCP. */
static int udp[2], tcp;
static struct addr servers[2];
static struct fetch_wire *wire;

/* The end of the only question. */
static unsigned ended;
static uint8_t got[MESSAGE_MAX];
static size_t n_got;
static const char *why;

/* Port 0: any; -1: it is taken. */
static int bound(int type, struct addr *addr)
{
	/* What should have come and has not is a failure. */
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, type, 0);
	socklen_t length = sizeof addr->in;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
	    0);
	if (bind(fd, &addr->sa, addr->length)) {
		close(fd);
		return -1;
	}
	ck_assert_int_eq(getsockname(fd, &addr->sa, &length), 0);
	return fd;
}

static int any_port(struct addr *addr)
{
	ck_assert_int_eq(addr_parse(addr, "127.0.0.1:1"), 0);
	addr_set_port(addr, 0);
	return bound(SOCK_DGRAM, addr);
}

static void begin(uint32_t n_servers)
{
	udp[1] = any_port(&servers[1]);
	for (int i = 0; i < PORT_TRIES; i++) {
		udp[0] = any_port(&servers[0]);
		tcp = bound(SOCK_STREAM, &servers[0]);
		if (tcp >= 0)
			break;
		close(udp[0]);
	}
	ck_assert_int_eq(listen(tcp, 4), 0);
	wire = fetch_wire_new(servers, n_servers);
	ended = 0;
}

static void finish(void)
{
	fetch_wire_free(wire);
	for (int i = 0; i < 2; i++)
		close(udp[i]);
	close(tcp);
}

static void on_end(
    void *context, const uint8_t *bytes, size_t length, const char *wrong)
{
	ck_assert_ptr_eq(context, &ended);
	ck_assert(!bytes == (wrong != NULL));
	ck_assert_uint_le(length, sizeof got);
	ended++;
	why = wrong;
	n_got = length;
	if (bytes)
		memcpy(got, bytes, length);
}

static void ask(void)
{
	static const uint8_t name[] = "\3Www\4test";

	fetch_wire_ask(wire, name, RR_A, on_end, &ended);
}

struct asked {
	uint8_t bytes[MESSAGE_MAX];
	size_t length;
	struct addr from;
};

/* What a server is asked, the last time if that was often. */
static struct asked heard(int server)
{
	struct asked asked;
	int flags = 0;

	for (;;) {
		struct addr from = {.length = sizeof from.in6};
		uint8_t bytes[MESSAGE_MAX];
		ssize_t n = recvfrom(udp[server], bytes, sizeof bytes, flags,
		    &from.sa, &from.length);

		if (n < 0 && flags)
			return asked;
		ck_assert_int_gt(n, 12);
		memcpy(asked.bytes, bytes, sizeof bytes);
		asked.length = (size_t)n;
		asked.from = from;
		flags = MSG_DONTWAIT;
	}
}

/* Its answer: the question, and as many bytes behind it as it is asked for;
 * without its OPT. */
static size_t answer_of(
    const struct asked *asked, enum rcode rcode, bool cut, uint8_t *ret)
{
	size_t size = 12 + 10 + 4;

	memcpy(ret, asked->bytes, size);
	ret[2] = (uint8_t)(cut ? 0x86 : 0x84);
	ret[3] = (uint8_t)rcode;
	ret[10] = ret[11] = 0;
	return size;
}

static void say(
    int server, const struct asked *asked, const uint8_t *bytes, size_t length)
{
	ck_assert_int_eq(sendto(udp[server], bytes, length, 0, &asked->from.sa,
			     asked->from.length),
	    (ssize_t)length);
	ck_assert_uint_eq(ended, 0);
	fetch_wire_turn(wire, TURN_NS);
}

static void reply(
    int server, const struct asked *asked, enum rcode rcode, bool cut)
{
	uint8_t bytes[MESSAGE_MAX];

	say(server, asked, bytes, answer_of(asked, rcode, cut, bytes));
}

START_TEST(test_answer)
{
	struct asked asked;

	begin(1);
	ask();
	asked = heard(0);
	/* One question, EDNS with 1232 bytes, and nobody is to look further. */
	ck_assert_mem_eq(asked.bytes + 2, "\0\0\0\1\0\0\0\0\0\1", 10);
	ck_assert_mem_eq(asked.bytes + 12, "\3Www\4test\0\0\1\0\1", 14);
	ck_assert_mem_eq(asked.bytes + 26, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
	ck_assert_uint_eq(asked.length, 37);
	ck_assert_uint_eq(ended, 0);
	reply(0, &asked, NOERROR, false);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(n_got, 26);
	ck_assert_mem_eq(got, asked.bytes, 2);
	finish();
}
END_TEST

/* What does not fit the question is not there; case is of no matter. */
START_TEST(test_damaged)
{
	struct asked asked;
	uint8_t bytes[MESSAGE_MAX], copy[MESSAGE_MAX];
	size_t length;

	begin(1);
	ask();
	asked = heard(0);
	length = answer_of(&asked, NOERROR, false, bytes);
	for (size_t n = 0; n < length; n++)
		say(0, &asked, bytes, n);
	/* Its number, that it is an answer, opcode, questions, name, type. */
	for (size_t i = 0; i < length; i++) {
		if (i == 3 || (i >= 6 && i < 12))
			continue;
		memcpy(copy, bytes, length);
		copy[i] ^= i == 2 ? 0xf8 : 0x10;
		say(0, &asked, copy, length);
	}
	ck_assert_uint_eq(ended, 0);
	bytes[13] = 'W';
	bytes[14] = 'w';
	bytes[17] = 'T';
	say(0, &asked, bytes, length);
	ck_assert_uint_eq(ended, 1);
	finish();
}
END_TEST

START_TEST(test_without_edns)
{
	struct asked asked;
	uint8_t head[12];

	begin(1);
	ask();
	asked = heard(0);
	/* Not even the question is repeated. */
	memcpy(head, asked.bytes, sizeof head);
	memcpy(head + 2, "\x80\1\0\0\0\0\0\0\0\0", 10);
	say(0, &asked, head, sizeof head);
	asked = heard(0);
	ck_assert_uint_eq(asked.length, 26);
	reply(0, &asked, FORMERR, false);
	/* Nobody else is there to be asked. */
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(got[3], FORMERR);
	finish();
}
END_TEST

START_TEST(test_next_server)
{
	struct asked asked;

	begin(2);
	ask();
	asked = heard(0);
	reply(0, &asked, SERVFAIL, false);
	ck_assert_uint_eq(ended, 0);
	asked = heard(1);
	reply(1, &asked, NOERROR, false);
	ck_assert_uint_eq(ended, 1);
	/* The first has died. */
	close(udp[0]);
	ended = 0;
	ask();
	fetch_wire_turn(wire, TURN_NS);
	asked = heard(1);
	reply(1, &asked, SERVFAIL, false);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(got[3], SERVFAIL);
	udp[0] = dup(udp[1]);
	finish();
}
END_TEST

static void turns(int n)
{
	for (int i = 0; i < n; i++)
		fetch_wire_turn(wire, 50 * NS_PER_MS);
}

/* Over the stream: the same question, its length first. */
static int accepted(struct asked *ret)
{
	uint8_t bytes[MESSAGE_MAX];
	int fd;
	ssize_t n;

	turns(2);
	fd = accept(tcp, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	n = recv(fd, bytes, sizeof bytes, 0);
	ck_assert_int_eq(n, 39);
	ck_assert_uint_eq(bytes[1], 37);
	ret->length = (size_t)n - 2;
	memcpy(ret->bytes, bytes + 2, ret->length);
	return fd;
}

START_TEST(test_cut_short)
{
	struct asked asked;
	uint8_t bytes[MESSAGE_MAX] = {0};
	size_t length;
	int fd;

	begin(1);
	ask();
	asked = heard(0);
	reply(0, &asked, NOERROR, true);
	fd = accepted(&asked);
	/* It ends too early: once more, from the beginning. */
	ck_assert_int_eq(send(fd, "\0\x1a\0", 3, 0), 3);
	close(fd);
	turns(4);
	ck_assert_uint_eq(ended, 0);
	asked = heard(0);
	reply(0, &asked, NOERROR, true);
	fd = accepted(&asked);
	length = answer_of(&asked, NOERROR, false, bytes + 2);
	/* More than a datagram takes, byte by byte at first. */
	bytes[0] = 2;
	for (size_t i = 0; i < 40; i++) {
		ck_assert_int_eq(send(fd, bytes + i, 1, 0), 1);
		turns(1);
	}
	ck_assert_uint_lt(length, 40);
	ck_assert_uint_eq(ended, 0);
	ck_assert_int_eq(send(fd, bytes + 40, 2 + 512 - 40, 0), 2 + 512 - 40);
	turns(1);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(n_got, 512);
	close(fd);
	finish();
}
END_TEST

START_TEST(test_nobody)
{
	begin(2);
	close(udp[0]);
	close(udp[1]);
	ask();
	while (!ended)
		fetch_wire_turn(wire, TURN_NS);
	ck_assert_str_eq(why, "nobody answers at its servers' port");
	udp[0] = dup(tcp);
	udp[1] = dup(tcp);
	finish();
}
END_TEST

START_TEST(test_too_many)
{
	begin(1);
	for (uint32_t i = 0; i < FETCH_WIRE_OPEN_MAX; i++)
		ask();
	ck_assert_uint_eq(ended, 0);
	ask();
	ck_assert_uint_eq(ended, 1);
	ck_assert_str_eq(why, "too many questions at a time");
	/* Those that are open end with it, without a word. */
	finish();
	ck_assert_uint_eq(ended, 1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("braid_fetch_wire");

	tcase_add_test(tcase, test_answer);
	tcase_add_test(tcase, test_damaged);
	tcase_add_test(tcase, test_without_edns);
	tcase_add_test(tcase, test_next_server);
	tcase_add_test(tcase, test_cut_short);
	tcase_add_test(tcase, test_nobody);
	tcase_add_test(tcase, test_too_many);
	return check_main(tcase);
}
