/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What servers of a zone send to braid-fetch, over UDP and then TCP. The input
 * is a row of replies: two bytes of length, of which the highest bits say
 * whether the number is the question's, and whether a stream gets the bytes as
 * they are, without a length before them. Whatever they are, a question ends
 * once, with a message that is about it or with a reason.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/cursor.h"
#include "dnsd/rr_type.h"
#include "dnsd/wire.h"
#include "tools/braid_fetch_wire.h"

#define RIGHT_NUMBER 0x8000u
#define RAW 0x4000u
/* Each reply may take a turn to send, one to connect, one to be read. */
#define TURNS_MAX 200

static const uint8_t www[] = "\3www\4test";
static int udp = -1, tcp = -1;
static struct addr at;

struct run {
	struct cursor in;
	bool raw; /* the reply taken last */
	int stream; /* of the client; -1: none */
	unsigned n_ends;
};

static void open_sockets(void)
{
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	br_assert(udp >= 0 && tcp >= 0);
}

/* A port of which both kinds are free. */
static void listen_once(void)
{
	struct addr any;
	socklen_t length;

	br_assert(!addr_parse_ip(&any, "127.0.0.1"));
	while (udp < 0) {
		at = any;
		length = sizeof at.in;
		open_sockets();
		br_assert(!bind(udp, &any.sa, any.length));
		br_assert(!getsockname(udp, &at.sa, &length));
		if (!bind(tcp, &at.sa, at.length) && !listen(tcp, 8))
			return;
		close(udp);
		close(tcp);
		udp = -1;
	}
}

/* The next one, at most `room` bytes; 0 at the end of the input. */
static size_t next_reply(
    struct run *run, const uint8_t *question, uint8_t *ret, size_t room)
{
	uint16_t head;
	size_t size;

	if (!cursor_be16(&run->in, &head))
		return 0;
	run->raw = head & RAW;
	size = head & ~(RIGHT_NUMBER | RAW);
	if (size > cursor_left(&run->in))
		size = cursor_left(&run->in);
	if (size > room)
		size = room;
	br_assert(cursor_copy(&run->in, ret, size));
	if (head & RIGHT_NUMBER && size >= 2)
		memcpy(ret, question, 2);
	return size;
}

static void serve_datagrams(struct run *run)
{
	uint8_t question[512], reply[2048];
	struct addr from;
	socklen_t length = sizeof from.in6;
	ssize_t n;
	size_t size;

	while ((n = recvfrom(udp, question, sizeof question, 0, &from.sa,
		    &length)) > 0) {
		br_assert(n >= WIRE_HEADER_BYTES);
		size = next_reply(run, question, reply, sizeof reply);
		/* It may have gone meanwhile. */
		(void)sendto(udp, reply, size, 0, &from.sa, length);
		length = sizeof from.in6;
	}
}

static void end_stream(struct run *run)
{
	struct linger at_once = {.l_onoff = 1};

	if (run->stream < 0)
		return;
	(void)setsockopt(
	    run->stream, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(run->stream);
	run->stream = -1;
}

static void serve_streams(struct run *run)
{
	uint8_t question[512], reply[4096];
	int fd = accept4(tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t size;
	ssize_t n;

	if (fd >= 0) {
		end_stream(run);
		run->stream = fd;
	}
	if (run->stream < 0)
		return;
	n = recv(run->stream, question, sizeof question, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	size = n > 4
		   ? next_reply(run, question + 2, reply + 2, sizeof reply - 2)
		   : 0;
	if (!size) {
		end_stream(run);
		return;
	}
	reply[0] = (uint8_t)(size >> 8);
	reply[1] = (uint8_t)size;
	if (run->raw)
		(void)send(run->stream, reply + 2, size, MSG_NOSIGNAL);
	else
		(void)send(run->stream, reply, size + 2, MSG_NOSIGNAL);
}

static void on_end(
    void *context, const uint8_t *bytes, size_t length, const char *wrong)
{
	struct run *run = context;

	run->n_ends++;
	br_assert(!bytes == !!wrong);
	br_assert(wrong || length >= WIRE_HEADER_BYTES);
	br_assert(wrong || bytes[2] & WIRE_QR >> 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.in = cursor_of(data, size), .stream = -1};
	struct addr servers[2];
	struct fetch_wire *wire;

	listen_once();
	servers[0] = servers[1] = at;
	wire = fetch_wire_new(servers, 2);
	fetch_wire_ask(wire, www, RR_A, on_end, &run);
	for (int i = 0; i < TURNS_MAX && !run.n_ends; i++) {
		bool silent = !cursor_left(&run.in);

		serve_datagrams(&run);
		serve_streams(&run);
		fetch_wire_turn(wire, 0);
		if (silent)
			break;
	}
	br_assert(run.n_ends <= 1);
	fetch_wire_free(wire);
	end_stream(&run);
	/* What the last question has left is nobody's. */
	run.in = cursor_of(data, 0);
	serve_datagrams(&run);
	serve_streams(&run);
	return 0;
}
