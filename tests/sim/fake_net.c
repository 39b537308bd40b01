/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, the descriptors and both ends of the connections. */
#include "tests/sim/fake_io.h"

#include "base/assert.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 4096
#define BACKLOG_MAX 256

struct event {
	int64_t at_ns;
	void (*run)(void *context);
	void *context;
};

enum fd_kind { FD_FREE, FD_CONN, FD_LISTENER };

struct fd_slot {
	enum fd_kind kind;
	struct fake_conn *conn;
	struct fake_conn *backlog[BACKLOG_MAX];
	uint32_t n_backlog;
};

struct fake fake;
static struct fd_slot slots[FAKE_FDS];
static struct fake_conn *conns[FAKE_CONNS];
static uint32_t n_conns;
static struct event events[EVENTS_MAX];
static uint32_t n_events;

/* -- chance and time --------------------------------------------------- */

void fake_init(uint64_t seed)
{
	memset(&fake, 0, sizeof fake);
	memset(slots, 0, sizeof slots);
	rng_seed(&fake.rng, seed);
	fake.now_ns = 1000 * NS_PER_S;
	fake.queue_room = 16384;
	fake.fd_limit = FAKE_FDS;
	n_conns = n_events = 0;
}

void fake_fini(void)
{
	br_assert(fake.open_fds == 0);
	for (uint32_t i = 0; i < n_conns; i++) {
		fake_ktls_free(conns[i]);
		free(conns[i]->to_proxy.bytes);
		free(conns[i]->to_peer.bytes);
		free(conns[i]);
	}
	n_conns = n_events = 0;
}

bool fake_chance(uint32_t one_in)
{
	return fake.random && rng_below(&fake.rng, one_in) == 0;
}

uint32_t fake_some(uint32_t n)
{
	return fake_chance(2) ? 1 + rng_below(&fake.rng, n) : n;
}

bool fake_call_fails(void)
{
	if (!fake.fail_call || --fake.fail_call)
		return false;
	fake.has_failed = true;
	return true;
}

bool fake_op_fails(void)
{
	if (!fake.fail_op || --fake.fail_op)
		return false;
	fake.has_failed = true;
	return true;
}

void fake_at(int64_t delay_ns, void (*run)(void *context), void *context)
{
	int64_t at_ns = fake.now_ns + delay_ns;
	uint32_t i = n_events;

	br_assert(n_events < EVENTS_MAX);
	/* Equals keep their order. */
	for (; i > 0 && events[i - 1].at_ns > at_ns; i--)
		events[i] = events[i - 1];
	events[i] = (struct event){at_ns, run, context};
	n_events++;
}

void fake_forget_events(void)
{
	n_events = 0;
}

int64_t fake_next_event_ns(void)
{
	return n_events ? events[0].at_ns : INT64_MAX;
}

void fake_run_events(void)
{
	while (n_events && events[0].at_ns <= fake.now_ns) {
		struct event event = events[0];

		n_events--;
		memmove(events, events + 1, n_events * sizeof events[0]);
		event.run(event.context);
	}
}

/* -- queues ------------------------------------------------------------ */

static uint32_t queue_put(
    struct fake_queue *q, const uint8_t *bytes, uint32_t n)
{
	uint32_t at, straight;

	if (n > q->room - q->length)
		n = q->room - q->length;
	at = (q->head + q->length) % q->room;
	straight = n < q->room - at ? n : q->room - at;
	memcpy(q->bytes + at, bytes, straight);
	memcpy(q->bytes, bytes + straight, n - straight);
	q->length += n;
	return n;
}

static uint32_t queue_get(struct fake_queue *q, uint8_t *ret, uint32_t n)
{
	uint32_t straight;

	if (n > q->length)
		n = q->length;
	straight = n < q->room - q->head ? n : q->room - q->head;
	memcpy(ret, q->bytes + q->head, straight);
	memcpy(ret + straight, q->bytes, n - straight);
	q->head = (q->head + n) % q->room;
	q->length -= n;
	return n;
}

static void queue_init(struct fake_queue *q)
{
	*q = (struct fake_queue){.room = fake.queue_room};
	q->bytes = malloc(q->room);
	br_assert(q->bytes);
}

/* -- descriptors ------------------------------------------------------- */

static struct fd_slot *slot_of(int fd, enum fd_kind kind)
{
	br_assert(fd >= FAKE_FIRST_FD && fd < FAKE_FIRST_FD + FAKE_FDS);
	br_assert(slots[fd - FAKE_FIRST_FD].kind == kind);
	return &slots[fd - FAKE_FIRST_FD];
}

static int slot_take(enum fd_kind kind, struct fake_conn *conn)
{
	if (fake.open_fds >= fake.fd_limit)
		return -EMFILE;
	for (int i = 0; i < FAKE_FDS; i++) {
		if (slots[i].kind != FD_FREE)
			continue;
		slots[i].kind = kind;
		slots[i].conn = conn;
		slots[i].n_backlog = 0;
		fake.open_fds++;
		return FAKE_FIRST_FD + i;
	}
	return -EMFILE;
}

int fake_listener(void)
{
	return slot_take(FD_LISTENER, NULL);
}

struct fake_conn *fake_conn_new(void)
{
	struct fake_conn *conn = calloc(1, sizeof *conn);

	br_assert(conn && n_conns < FAKE_CONNS);
	queue_init(&conn->to_proxy);
	queue_init(&conn->to_peer);
	conn->fd = -1;
	conn->id = n_conns;
	conns[n_conns++] = conn;
	return conn;
}

int fake_open(struct fake_conn *conn)
{
	int fd = slot_take(FD_CONN, conn);

	if (fd >= 0)
		conn->fd = fd;
	return fd;
}

struct fake_conn *fake_conn_of(int fd)
{
	return slot_of(fd, FD_CONN)->conn;
}

/* As Linux does: unread bytes or a zero linger make it a reset. */
static void conn_close(struct fake_conn *conn)
{
	fake_ktls_end(conn);
	if (conn->silent_close) {
		conn->to_peer.length = 0;
	} else if (conn->reset_on_close || conn->to_proxy.length) {
		conn->proxy_reset = true;
		conn->to_peer.length = 0;
	} else {
		conn->proxy_fin = true;
	}
	conn->fd = -1;
}

void fake_close_fd(int fd)
{
	struct fd_slot *slot = &slots[fd - FAKE_FIRST_FD];

	br_assert(fd >= FAKE_FIRST_FD && fd < FAKE_FIRST_FD + FAKE_FDS);
	br_assert(slot->kind != FD_FREE);
	br_assert(fake_pending(fd) == 0);
	if (slot->kind == FD_CONN)
		conn_close(slot->conn);
	for (uint32_t i = 0; i < slot->n_backlog; i++)
		slot->backlog[i]->proxy_reset = true;
	slot->kind = FD_FREE;
	fake.open_fds--;
}

int fake_take_accepted(int listener_fd)
{
	struct fd_slot *slot = slot_of(listener_fd, FD_LISTENER);
	int fd;

	if (!slot->n_backlog)
		return -EAGAIN;
	if (fake.accept_error)
		return fake.accept_error;
	fd = fake_open(slot->backlog[0]);
	if (fd < 0)
		return fd;
	slot->n_backlog--;
	memmove(slot->backlog, slot->backlog + 1,
	    slot->n_backlog * sizeof slot->backlog[0]);
	return fd;
}

/* -- the proxy's side -------------------------------------------------- */

int32_t fake_recv(struct fake_conn *conn, void *ret, uint32_t room)
{
	/* As on Linux, what came in ahead of a reset can still be read; the
	 * error is told once. */
	if (!conn->to_proxy.length && conn->peer_reset)
		return conn->error_told ? 0 : -ECONNRESET;
	if (!conn->to_proxy.length)
		return conn->peer_fin ? 0 : -EAGAIN;
	if (fake.recv_max && room > fake.recv_max)
		room = fake.recv_max;
	return (int32_t)queue_get(&conn->to_proxy, ret, fake_some(room));
}

int32_t fake_send(struct fake_conn *conn, const void *bytes, uint32_t n)
{
	br_assert(!conn->proxy_fin);
	conn->corked = conn->ack_waits = false;
	if (conn->peer_reset) {
		conn->error_told = true;
		return -EPIPE;
	}
	if (conn->peer_gone) {
		conn->peer_reset = true;
		return (int32_t)n;
	}
	if (conn->to_peer.length == conn->to_peer.room)
		return -EAGAIN;
	if (fake.send_max && n > fake.send_max)
		n = fake.send_max;
	if (fake_ktls_on(conn))
		return fake_ktls_send(
		    conn, TLS_RECORD_DATA, bytes, fake_some(n));
	return (int32_t)queue_put(&conn->to_peer, bytes, fake_some(n));
}

uint32_t fake_put(struct fake_conn *conn, const uint8_t *bytes, uint32_t n)
{
	return queue_put(&conn->to_peer, bytes, n);
}

uint32_t fake_poll_events(const struct fake_conn *conn, uint32_t asked)
{
	uint32_t there = 0;

	if (conn->to_proxy.length || conn->peer_fin)
		there |= POLLIN;
	if (conn->peer_fin)
		there |= POLLRDHUP;
	if (conn->to_peer.length < conn->to_peer.room)
		there |= POLLOUT;
	if (conn->peer_fin && conn->proxy_fin)
		there |= POLLHUP;
	if (conn->peer_reset)
		there |= POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP;
	return there & (asked | POLLERR | POLLHUP);
}

uint32_t fake_poll_fd(int fd, uint32_t asked)
{
	const struct fd_slot *slot = &slots[fd - FAKE_FIRST_FD];

	br_assert(fd >= FAKE_FIRST_FD && fd < FAKE_FIRST_FD + FAKE_FDS);
	if (slot->kind == FD_LISTENER)
		return slot->n_backlog ? asked & POLLIN : 0;
	return fake_poll_events(fake_conn_of(fd), asked);
}

uint32_t sock_unsent(int fd)
{
	const struct fake_conn *conn = fake_conn_of(fd);

	/* Records stick only where the peer is slow. */
	return fake.slow_acks || fake_ktls_on(conn) ? conn->to_peer.length : 0;
}

bool sock_has_error(int fd)
{
	return fake_poll_events(fake_conn_of(fd), 0) & POLLERR;
}

/* -- the peers --------------------------------------------------------- */

struct fake_conn *fake_client(int listener_fd)
{
	struct fd_slot *slot = slot_of(listener_fd, FD_LISTENER);
	struct fake_conn *conn = fake_conn_new();

	br_assert(slot->n_backlog < BACKLOG_MAX);
	slot->backlog[slot->n_backlog++] = conn;
	return conn;
}

uint32_t fake_peer_write(struct fake_conn *conn, const void *bytes, uint32_t n)
{
	br_assert(!conn->peer_fin && !conn->peer_reset);
	if (conn->proxy_reset)
		return 0;
	return queue_put(&conn->to_proxy, bytes, n);
}

uint32_t fake_peer_read(struct fake_conn *conn, void *ret, uint32_t room)
{
	/* What was held back leaves only with more, or with the end. */
	if (conn->corked && !conn->proxy_fin)
		return 0;
	room = queue_get(&conn->to_peer, ret, room);
	if (room)
		fake_ktls_room(conn);
	return room;
}

void fake_peer_fin(struct fake_conn *conn)
{
	conn->peer_fin = true;
}

void fake_peer_close(struct fake_conn *conn)
{
	conn->peer_fin = conn->peer_gone = true;
	/* Unread bytes make it a reset. */
	if (conn->to_peer.length)
		fake_peer_reset(conn);
}

void fake_peer_reset(struct fake_conn *conn)
{
	conn->peer_reset = true;
	conn->to_peer.length = 0;
}

bool fake_peer_sees_fin(const struct fake_conn *conn)
{
	return conn->proxy_fin && !conn->proxy_reset && !conn->to_peer.length;
}

bool fake_peer_sees_reset(const struct fake_conn *conn)
{
	return conn->proxy_reset;
}
