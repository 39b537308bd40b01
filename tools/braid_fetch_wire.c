/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_wire.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/rng.h"
#include "dnsd/dname.h"
#include "dnsd/edns.h"
#include "dnsd/rr_type.h"
#include "dnsd/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each server is asked so often; the wait is doubled each time. */
#define ROUNDS_MAX 3u
#define UDP_WAIT_MS 1000
#define TCP_WAIT_MS 4000
/* Length of a message on a stream, header, question, OPT. */
#define QUERY_MAX (2u + WIRE_HEADER_BYTES + DNAME_MAX + 4u + 11u)
/* DNS Flag Day 2020: fits without fragments everywhere. */
#define UDP_BYTES 1232u

struct carried {
	bool open, tcp, plain; /* plain: without EDNS */
	int fd; /* -1: none */
	uint32_t tries; /* over UDP, of all servers */
	struct mono due;
	uint8_t name[DNAME_MAX];
	size_t name_size;
	uint16_t type, id;
	uint8_t query[QUERY_MAX]; /* as on a stream, its length first */
	size_t query_size, sent;
	size_t received; /* over TCP, into the wire's room of this question */
	uint8_t *answer; /* of a stream; NULL: not needed yet */
	fetch_wire_on_end *on_end;
	void *context;
};

struct fetch_wire {
	struct rng rng;
	uint32_t n_servers;
	struct addr servers[FETCH_WIRE_SERVERS_MAX];
	struct carried carried[FETCH_WIRE_OPEN_MAX];
	uint8_t datagram[WIRE_MESSAGE_MAX];
};

static void attempt(struct fetch_wire *wire, struct carried *c);

struct fetch_wire *fetch_wire_new(const struct addr *servers, uint32_t n)
{
	struct fetch_wire *wire = calloc(1, sizeof *wire);

	if (!wire)
		br_out_of_memory("a lookup", sizeof *wire);
	br_assert(n > 0);
	rng_seed_random(&wire->rng);
	while (
	    wire->n_servers < n && wire->n_servers < FETCH_WIRE_SERVERS_MAX) {
		wire->servers[wire->n_servers] = servers[wire->n_servers];
		wire->n_servers++;
	}
	return wire;
}

static void close_socket(struct carried *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void release(struct carried *c)
{
	close_socket(c);
	free(c->answer);
	c->answer = NULL;
	c->open = false;
}

void fetch_wire_free(struct fetch_wire *wire)
{
	for (uint32_t i = 0; wire && i < FETCH_WIRE_OPEN_MAX; i++)
		if (wire->carried[i].open)
			release(&wire->carried[i]);
	free(wire);
}

/* `bytes` may be the question's own. */
static void end(
    struct carried *c, const uint8_t *bytes, size_t length, const char *wrong)
{
	uint8_t *answer = c->answer;

	c->answer = NULL;
	release(c);
	c->on_end(c->context, bytes, length, wrong);
	free(answer);
}

static const struct addr *server_of(
    const struct fetch_wire *wire, const struct carried *c)
{
	return &wire->servers[c->tries % wire->n_servers];
}

/* -- questions --------------------------------------------------------- */

static void write_query(struct carried *c)
{
	struct cursor_out out = cursor_out_of(c->query, sizeof c->query);
	uint16_t edns = c->plain ? 0 : 1;
	size_t size = WIRE_HEADER_BYTES + c->name_size + 4u + edns * 11u;
	uint16_t head[] = {(uint16_t)size, c->id, 0, 1, 0, 0, edns};
	bool ok = true;

	for (size_t i = 0; i < BR_COUNT(head); i++)
		ok &= cursor_put_be16(&out, head[i]);
	ok &= cursor_put(&out, c->name, c->name_size) &&
	      cursor_put_be16(&out, c->type) &&
	      cursor_put_be16(&out, RR_CLASS_IN);
	if (edns)
		ok &= cursor_put_u8(&out, 0) &&
		      cursor_put_be16(&out, EDNS_TYPE) &&
		      cursor_put_be16(&out, UDP_BYTES) &&
		      cursor_put_be32(&out, 0) && cursor_put_be16(&out, 0);
	br_assert(ok);
	c->query_size = cursor_out_length(&out);
}

/* A new number each time, so that a late answer to the last one is none. */
static bool send_datagram(struct fetch_wire *wire, struct carried *c)
{
	const struct addr *to = server_of(wire, c);

	c->tcp = false;
	c->id = (uint16_t)rng_u64(&wire->rng);
	write_query(c);
	c->fd = socket(
	    to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->due = mono_add_ms(
	    mono_now(), (int64_t)UDP_WAIT_MS << (c->tries / wire->n_servers));
	return c->fd >= 0 && !connect(c->fd, &to->sa, to->length) &&
	       send(c->fd, c->query + 2, c->query_size - 2, MSG_NOSIGNAL) > 0;
}

static void next_server(
    struct fetch_wire *wire, struct carried *c, const char *wrong)
{
	close_socket(c);
	if (++c->tries == ROUNDS_MAX * wire->n_servers)
		end(c, NULL, 0, wrong);
	else
		attempt(wire, c);
}

/* What cannot even be sent is as good as no answer. */
static void attempt(struct fetch_wire *wire, struct carried *c)
{
	while (!send_datagram(wire, c)) {
		close_socket(c);
		if (++c->tries == ROUNDS_MAX * wire->n_servers) {
			end(c, NULL, 0, "its servers cannot be reached");
			return;
		}
	}
}

static void open_stream(struct fetch_wire *wire, struct carried *c)
{
	const struct addr *to = server_of(wire, c);

	close_socket(c);
	c->tcp = true;
	c->sent = c->received = 0;
	c->due = mono_add_ms(mono_now(), TCP_WAIT_MS);
	if (!c->answer)
		c->answer = malloc(2u + WIRE_MESSAGE_MAX);
	if (!c->answer)
		br_out_of_memory("an answer", WIRE_MESSAGE_MAX);
	c->fd = socket(
	    to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 ||
	    (connect(c->fd, &to->sa, to->length) && errno != EINPROGRESS))
		next_server(wire, c, "its servers take no connection");
}

void fetch_wire_ask(struct fetch_wire *wire, const uint8_t *name, uint16_t type,
    fetch_wire_on_end *on_end, void *context)
{
	for (uint32_t i = 0; i < FETCH_WIRE_OPEN_MAX; i++) {
		struct carried *c = &wire->carried[i];

		if (c->open)
			continue;
		*c = (struct carried){.open = true,
		    .fd = -1,
		    .type = type,
		    .on_end = on_end,
		    .context = context};
		c->name_size = dname_copy(c->name, name);
		attempt(wire, c);
		return;
	}
	on_end(context, NULL, 0, "too many questions at a time");
}

/* -- answers ----------------------------------------------------------- */

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

/* The question's name as it was sent, in whatever case: a server may change
 * that. Lengths of labels are no letters. */
static bool has_name(const struct carried *c, struct cursor *in)
{
	uint8_t byte;

	for (size_t i = 0; i < c->name_size; i++)
		if (!cursor_u8(in, &byte) || lower(byte) != lower(c->name[i]))
			return false;
	return true;
}

/* Whether it is about this question; a server that could not read it may leave
 * that out (RFC 1035 section 4.1.1 is silent, many do). */
static bool is_answer(const struct carried *c, const uint8_t *bytes,
    size_t length, uint16_t *ret_flags)
{
	struct cursor in = cursor_of(bytes, length);
	uint16_t id, questions, counts[3], type, class;

	if (!cursor_be16(&in, &id) || !cursor_be16(&in, ret_flags) ||
	    !cursor_be16(&in, &questions) || !cursor_be16(&in, &counts[0]) ||
	    !cursor_be16(&in, &counts[1]) || !cursor_be16(&in, &counts[2]) ||
	    id != c->id || !(*ret_flags & WIRE_QR) || *ret_flags & WIRE_OPCODE)
		return false;
	if (questions != 1)
		return !questions && (*ret_flags & WIRE_RCODE) == WIRE_FORMERR;
	return has_name(c, &in) && cursor_be16(&in, &type) &&
	       cursor_be16(&in, &class) && type == c->type &&
	       class == RR_CLASS_IN;
}

static bool is_failure(uint16_t rcode)
{
	return rcode == WIRE_SERVFAIL || rcode == WIRE_REFUSED ||
	       rcode == WIRE_NOTIMP || rcode == WIRE_FORMERR;
}

static void judge(struct fetch_wire *wire, struct carried *c,
    const uint8_t *bytes, size_t length, uint16_t flags)
{
	uint16_t rcode = flags & WIRE_RCODE;

	if (rcode == WIRE_FORMERR && !c->plain) {
		/* RFC 6891 section 7: it knows no EDNS. */
		close_socket(c);
		c->plain = true;
		attempt(wire, c);
	} else if (is_failure(rcode) && c->tries + 1 < wire->n_servers) {
		/* Another one may do better. */
		next_server(wire, c, "its servers fail");
	} else if (flags & WIRE_TC && !c->tcp) {
		open_stream(wire, c);
	} else {
		end(c, bytes, length, NULL);
	}
}

static void hear_datagram(struct fetch_wire *wire, struct carried *c)
{
	ssize_t n = recv(c->fd, wire->datagram, sizeof wire->datagram, 0);
	uint16_t flags;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		next_server(wire, c, "nobody answers at its servers' port");
	else if (is_answer(c, wire->datagram, (size_t)n, &flags))
		judge(wire, c, wire->datagram, (size_t)n, flags);
}

/* -- streams ----------------------------------------------------------- */

/* False: it is over with this server. */
static bool send_more(struct carried *c)
{
	ssize_t n = send(
	    c->fd, c->query + c->sent, c->query_size - c->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)n;
	return true;
}

static size_t wanted(const struct carried *c)
{
	if (c->received < 2)
		return 2;
	return 2u + ((size_t)c->answer[0] << 8 | c->answer[1]);
}

static bool receive_more(struct carried *c)
{
	ssize_t n =
	    recv(c->fd, c->answer + c->received, wanted(c) - c->received, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->received += (size_t)n;
	return n > 0;
}

static void hear_stream(struct fetch_wire *wire, struct carried *c)
{
	uint16_t flags;

	if (!(c->sent < c->query_size ? send_more(c) : receive_more(c))) {
		next_server(wire, c, "its servers end the connection");
		return;
	}
	if (c->received < 2 || c->received < wanted(c))
		return;
	if (is_answer(c, c->answer + 2, c->received - 2, &flags))
		judge(wire, c, c->answer + 2, c->received - 2, flags);
	else
		next_server(wire, c, "its servers answer something else");
}

/* -- turns ------------------------------------------------------------- */

static void look_at(
    struct fetch_wire *wire, struct carried *c, short events, struct mono now)
{
	if (events && c->tcp)
		hear_stream(wire, c);
	else if (events)
		hear_datagram(wire, c);
	else if (mono_diff_ns(c->due, now) <= 0)
		next_server(wire, c, "its servers do not answer");
}

static int wait_ms(const struct fetch_wire *wire, int64_t ns)
{
	struct mono now = mono_now();

	for (uint32_t i = 0; i < FETCH_WIRE_OPEN_MAX; i++) {
		const struct carried *c = &wire->carried[i];

		if (c->open && mono_diff_ns(c->due, now) < ns)
			ns = mono_diff_ns(c->due, now);
	}
	return ns > 0 ? (int)(ns / NS_PER_MS) + 1 : 0;
}

void fetch_wire_turn(struct fetch_wire *wire, int64_t ns)
{
	struct pollfd polled[FETCH_WIRE_OPEN_MAX];

	/* poll() passes over what has no descriptor. */
	for (uint32_t i = 0; i < FETCH_WIRE_OPEN_MAX; i++) {
		const struct carried *c = &wire->carried[i];
		bool sends = c->tcp && c->sent < c->query_size;

		polled[i] = (struct pollfd){.fd = c->open ? c->fd : -1,
		    .events = sends ? POLLOUT : POLLIN};
	}
	(void)poll(polled, FETCH_WIRE_OPEN_MAX, wait_ms(wire, ns));
	for (uint32_t i = 0; i < FETCH_WIRE_OPEN_MAX; i++)
		if (polled[i].fd >= 0)
			look_at(wire, &wire->carried[i], polled[i].revents,
			    mono_now());
}
