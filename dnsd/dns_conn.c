/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_conn.h"

#include "base/assert.h"
#include "base/source_table.h"
#include "io/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define DNS_CONN_MAGIC 0xb1a1d0c0
#define HEAD_BYTES 2u
/* Messages of a transfer before others get their turn. */
#define TRANSFER_TURN_MAX 16u
/* RFC 7828 section 3.1. */
#define KEEPALIVE_UNIT_MS 100u

enum conn_state { CONN_IDLE, CONN_BUSY, CONN_CLOSING };

/* Bytes that were read and are not answered yet. */
struct input {
	uint32_t length;
	uint8_t bytes[];
};

/* Answers that the socket had no room for. */
struct output {
	uint32_t at, length;
	uint8_t bytes[DNS_CONN_OUT_BYTES];
};

struct dns_conn {
	struct op_owner op;
	enum conn_state state;
	int fd;
	bool ended; /* the client has asked all */
	bool last; /* closes when all is sent */
	bool asked; /* a query has been answered */
	bool hurried; /* its last deadline is set (a drain) */
	bool headed; /* a proxy's header comes before the first query */
	uint32_t skip; /* bytes of a query that is too long */
	uint32_t slot; /* of the source table */
	struct dns_server *server;
	struct input *input;
	struct output *output;
	struct dns_transfer *transfer;
	struct mono deadline;
	struct timer timer;
	struct list_node link; /* server.idle or busy */
	struct addr source;
} __attribute__((aligned(64)));

static void conn_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);
static void conn_on_timer(struct timer *timer, struct mono now);

static const struct op_class conn_class = {
    .magic = DNS_CONN_MAGIC,
    .name = "dns_conn",
    .on_complete = conn_on_complete,
};

/* -- memory ------------------------------------------------------------ */

static uint32_t input_room(const struct dns_server *server)
{
	return HEAD_BYTES + DNS_TCP_QUERY_MAX + server->ring->buffer_bytes;
}

int dns_conn_init_memory(struct dns_server *server)
{
	uint32_t n = server->tcp_max + DNS_CONN_CLOSING_MAX;
	int err;

	server->scratch = malloc(DNS_CONN_OUT_BYTES);
	if (!server->scratch)
		return -ENOMEM;
	err = slab_init(&server->conns, "dns_conn", sizeof(struct dns_conn), n);
	if (!err)
		err = slab_init(&server->inputs, "dns_input",
		    sizeof(struct input) + input_room(server), n);
	if (!err)
		err = slab_init(
		    &server->outputs, "dns_output", sizeof(struct output), n);
	return err;
}

void dns_conn_fini_memory(struct dns_server *server)
{
	br_assert(!server->conns.used);
	slab_fini(&server->outputs);
	slab_fini(&server->inputs);
	slab_fini(&server->conns);
	free(server->scratch);
}

/* -- its end ----------------------------------------------------------- */

static void conn_free(struct dns_conn *conn)
{
	struct dns_server *server = conn->server;

	ring_close(server->ring, conn->fd);
	if (server->sources)
		source_release(server->sources, conn->slot);
	slab_free(&server->conns, conn);
	(void)__atomic_fetch_sub(server->tcp_connections, 1, __ATOMIC_RELAXED);
	counter_sub(&server->metrics->tcp_open, 1);
}

static void conn_close(struct dns_conn *conn)
{
	struct dns_server *server = conn->server;

	br_assert(conn->state != CONN_CLOSING);
	conn->state = CONN_CLOSING;
	list_remove(&conn->link);
	timer_disarm(server->wheel, &conn->timer);
	if (conn->transfer)
		conn->transfer->end(conn->transfer);
	conn->transfer = NULL;
	if (conn->input)
		slab_free(&server->inputs, conn->input);
	if (conn->output)
		slab_free(&server->outputs, conn->output);
	if (conn->op.in_flight)
		ring_cancel(server->ring, &conn->op, 0);
	else
		conn_free(conn);
}

static void conn_fail(struct dns_conn *conn)
{
	counter_inc(&conn->server->metrics->tcp_resets);
	conn_close(conn);
}

/* -- time -------------------------------------------------------------- */

/* The timer stays where it is and looks at the deadline when it fires: moving
 * it with every query would cost more. */
static uint64_t idle_ms(const struct dns_server *server)
{
	uint64_t ms = server->limits.tcp_idle_ms;

	return server->draining && ms > DNS_TCP_DRAIN_MS ? DNS_TCP_DRAIN_MS
							 : ms;
}

static void conn_live_on(struct dns_conn *conn)
{
	struct dns_server *server = conn->server;

	conn->deadline =
	    mono_add_ms(server->ring->now, (int64_t)idle_ms(server));
	if (!timer_armed(&conn->timer))
		timer_arm(server->wheel, &conn->timer, conn->deadline);
}

static void conn_on_timer(struct timer *timer, struct mono now)
{
	struct dns_conn *conn = br_container_of(timer, struct dns_conn, timer);
	struct dns_server_metrics *metrics = conn->server->metrics;

	if (mono_diff_ns(conn->deadline, now) > 0) {
		timer_arm(conn->server->wheel, timer, conn->deadline);
		return;
	}
	if (conn->state == CONN_BUSY) {
		/* What the kernel still holds for this client is freed, too. */
		counter_inc(&metrics->tcp_stalled);
		(void)sock_set_reset_on_close(conn->fd);
	} else {
		counter_inc(&metrics->tcp_idle_closed);
	}
	conn_close(conn);
}

/* Once: what drips in must not hold up the end of the process. */
static void conn_hurry(struct dns_conn *conn)
{
	if (conn->hurried)
		return;
	conn->hurried = true;
	timer_disarm(conn->server->wheel, &conn->timer);
	conn_live_on(conn);
}

static uint32_t connections_max(const struct dns_server *server)
{
	return server->limits.tcp_connections < server->tcp_max
		   ? server->limits.tcp_connections
		   : server->tcp_max;
}

/* How long a client may keep the connection (RFC 7828 section 3.3.2). 0 asks
 * it to close: where places run out, and where the server goes. */
static uint16_t keepalive_of(const struct dns_server *server)
{
	uint32_t open =
	    __atomic_load_n(server->tcp_connections, __ATOMIC_RELAXED);
	uint32_t max = connections_max(server);
	uint64_t units = server->limits.tcp_idle_ms / KEEPALIVE_UNIT_MS;

	if (server->draining || open > max - max / 8)
		return 0;
	return units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

/* -- sending ----------------------------------------------------------- */

/* Messages that are gathered in the server's scratch memory. */
struct gathered {
	uint32_t length;
	bool failed;
};

static uint8_t *message_room(
    const struct dns_conn *conn, const struct gathered *g)
{
	return conn->server->scratch + g->length + HEAD_BYTES;
}

static void gather(struct dns_conn *conn, struct gathered *g, size_t length)
{
	uint8_t *head = conn->server->scratch + g->length;

	br_assert(length <= DNS_MESSAGE_MAX);
	head[0] = (uint8_t)(length >> 8);
	head[1] = (uint8_t)length;
	g->length += HEAD_BYTES + (uint32_t)length;
	counter_inc(&conn->server->metrics->tcp_answers);
}

static void keep_unsent(
    struct dns_conn *conn, const struct gathered *g, uint32_t sent)
{
	conn->output = slab_new(&conn->server->outputs);
	/* One for each connection there can be. */
	br_assert(conn->output);
	conn->output->at = 0;
	conn->output->length = g->length - sent;
	memcpy(conn->output->bytes, conn->server->scratch + sent,
	    conn->output->length);
}

/* What is gathered goes, or waits in an output. */
static void flush(struct dns_conn *conn, struct gathered *g)
{
	struct iovec part = {conn->server->scratch, g->length};
	int64_t sent;

	if (!g->length)
		return;
	sent = sock_send_vector(conn->fd, &part, 1, false);
	if (sent > 0)
		conn_live_on(conn);
	if (sent < 0 && sent != -EAGAIN)
		g->failed = true;
	else if (sent < (int64_t)g->length)
		keep_unsent(conn, g, sent > 0 ? (uint32_t)sent : 0);
	g->length = 0;
}

/* Sends on; false while something is left. */
static bool send_output(struct dns_conn *conn, struct gathered *g)
{
	struct output *output = conn->output;
	struct iovec part = {
	    output->bytes + output->at, output->length - output->at};
	int64_t sent = sock_send_vector(conn->fd, &part, 1, false);

	if (sent < 0) {
		g->failed = sent != -EAGAIN;
		return false;
	}
	conn_live_on(conn);
	output->at += (uint32_t)sent;
	if (output->at < output->length)
		return false;
	slab_free(&conn->server->outputs, output);
	conn->output = NULL;
	return true;
}

/* -- queries ----------------------------------------------------------- */

static bool is_blocked(const struct dns_conn *conn, const struct gathered *g)
{
	return conn->output || conn->transfer || conn->last || g->failed;
}

static void begin_transfer(struct dns_conn *conn,
    const struct dns_client *client, const uint8_t *query, size_t length,
    const struct query_facts *facts)
{
	struct dns_server *server = conn->server;

	if (server->hooks.transfer)
		conn->transfer = server->hooks.transfer(
		    server->hooks.context, client, query, length, facts);
	if (conn->transfer)
		counter_inc(&server->metrics->tcp_transfers);
	else
		conn->last = true;
}

static void answer_query(struct dns_conn *conn, struct gathered *g,
    const struct dns_client *client, const uint8_t *query, size_t length)
{
	struct dns_server *server = conn->server;
	struct query_facts facts;
	size_t size;

	counter_inc(&server->metrics->tcp_queries);
	conn->asked = true;
	conn_live_on(conn);
	size = server->hooks.answer(server->hooks.context, client, query,
	    length, message_room(conn, g), DNS_MESSAGE_MAX, &facts);
	if (size) {
		gather(conn, g, size);
	} else if (facts.kind == DNS_KIND_transfer) {
		begin_transfer(conn, client, query, length, &facts);
	} else {
		counter_inc(&server->metrics->tcp_bad_frames);
		conn->last = true;
	}
	if (g->length > DNS_CONN_GATHER_BYTES)
		flush(conn, g);
}

/* The bytes of the frame at `at` that are looked at; 0: it is not there yet. */
static uint32_t frame_at(const uint8_t *at, uint32_t left, uint32_t *ret_length)
{
	uint32_t length, known;

	if (left < HEAD_BYTES)
		return 0;
	length = (uint32_t)at[0] << 8 | at[1];
	known = length < DNS_TCP_QUERY_MAX ? length : DNS_TCP_QUERY_MAX;
	if (left - HEAD_BYTES < known)
		return 0;
	*ret_length = length;
	return HEAD_BYTES + known;
}

/* -- whose it is ------------------------------------------------------- */

static bool take_source(
    struct dns_server *server, const struct addr *source, uint32_t *ret_slot)
{
	struct source_limit limit = {
	    .connections = server->limits.tcp_per_source};
	struct source_admission got;

	if (!server->sources)
		return true;
	got = source_admit(
	    server->sources, DNS_TCP_SCOPE, source, &limit, server->ring->now);
	*ret_slot = got.slot;
	if (got.verdict == SOURCE_ADMITTED)
		return true;
	counter_inc(&server->metrics->tcp_source_full);
	return false;
}

/* Returns how many bytes are done with: all of them if it ends here. */
static uint32_t read_proxy(
    struct dns_conn *conn, const uint8_t *bytes, uint32_t length)
{
	struct dns_server *server = conn->server;
	int n = server->hooks.read_proxy(
	    server->hooks.context, bytes, length, &conn->source);

	if (!n)
		return 0;
	if (n < 0)
		counter_inc(&server->metrics->tcp_bad_frames);
	if (n < 0 || !take_source(server, &conn->source, &conn->slot)) {
		conn->last = true;
		return length;
	}
	conn->headed = false;
	return (uint32_t)n;
}

/* Answers whole queries until something must be waited for. Returns how many
 * bytes are done with. */
static uint32_t answer_queries(struct dns_conn *conn, struct gathered *g,
    const uint8_t *bytes, uint32_t length)
{
	uint32_t at = conn->headed ? read_proxy(conn, bytes, length) : 0;
	struct dns_client client = {.source = conn->source,
	    .transport = DNS_TCP,
	    .tcp_idle_100ms = keepalive_of(conn->server),
	    .now = wall_now()};

	if (conn->headed)
		return at;
	while (at < length && !is_blocked(conn, g)) {
		uint32_t full, frame;

		if (conn->skip) {
			frame =
			    conn->skip < length - at ? conn->skip : length - at;
			conn->skip -= frame;
			at += frame;
			continue;
		}
		frame = frame_at(bytes + at, length - at, &full);
		if (!frame)
			break;
		answer_query(conn, g, &client, bytes + at + HEAD_BYTES,
		    frame - HEAD_BYTES);
		conn->skip = HEAD_BYTES + full - frame;
		at += frame;
	}
	return at;
}

static void keep_input(
    struct dns_conn *conn, const uint8_t *bytes, uint32_t length)
{
	if (!length)
		return;
	if (!conn->input) {
		conn->input = slab_new(&conn->server->inputs);
		br_assert(conn->input);
		conn->input->length = 0;
	}
	br_assert(conn->input->length + length <= input_room(conn->server));
	memcpy(conn->input->bytes + conn->input->length, bytes, length);
	conn->input->length += length;
}

static void answer_input(struct dns_conn *conn, struct gathered *g)
{
	struct input *input = conn->input;
	uint32_t done = answer_queries(conn, g, input->bytes, input->length);

	input->length -= done;
	if (input->length) {
		memmove(input->bytes, input->bytes + done, input->length);
		return;
	}
	slab_free(&conn->server->inputs, input);
	conn->input = NULL;
}

/* -- a turn ------------------------------------------------------------ */

static void send_transfer(struct dns_conn *conn, struct gathered *g)
{
	for (uint32_t i = 0; i < TRANSFER_TURN_MAX; i++) {
		size_t size = conn->transfer->next(
		    conn->transfer, message_room(conn, g), DNS_MESSAGE_MAX);

		if (!size) {
			conn->transfer->end(conn->transfer);
			conn->transfer = NULL;
			break;
		}
		gather(conn, g, size);
		if (g->length > DNS_CONN_GATHER_BYTES)
			flush(conn, g);
		if (conn->output || g->failed)
			break;
	}
}

static void move_to(
    struct dns_conn *conn, enum conn_state state, struct list *list)
{
	conn->state = state;
	list_remove(&conn->link);
	list_push_back(list, &conn->link);
}

/* Whether a query is under way: a part of it has come, it waits to be
 * received, or the client has only just connected and is about to ask. */
static bool is_asking(const struct dns_conn *conn)
{
	return conn->input || conn->skip || !conn->asked ||
	       sock_peek(conn->fd) > 0;
}

static void conn_wait(struct dns_conn *conn)
{
	struct dns_server *server = conn->server;

	if (conn->output || conn->transfer) {
		move_to(conn, CONN_BUSY, &server->busy);
		ring_poll(server->ring, &conn->op, 0, conn->fd, POLLOUT);
	} else if (conn->ended || conn->last ||
		   (server->draining && !is_asking(conn))) {
		conn_close(conn);
	} else {
		if (server->draining)
			conn_hurry(conn);
		move_to(conn, CONN_IDLE, &server->idle);
		/* Polled first: a client that has sent more already would
		 * else be served again before others in the same turn. */
		ring_recv(server->ring, &conn->op, 0, conn->fd, true);
	}
}

/* All that can be done now, then one operation that waits for more. */
static void conn_go_on(struct dns_conn *conn, struct gathered *g)
{
	if (conn->transfer && !conn->output)
		send_transfer(conn, g);
	if (conn->input && !is_blocked(conn, g))
		answer_input(conn, g);
	flush(conn, g);
	if (g->failed)
		conn_fail(conn);
	else
		conn_wait(conn);
}

static void conn_on_received(struct dns_conn *conn, struct op_result result)
{
	struct ring *ring = conn->server->ring;
	struct gathered g = {0};
	const uint8_t *bytes;
	uint32_t done = 0;

	/* No buffers is normal, io/README.md; and a drain cancels, to look at
	 * what each connection is about. */
	if (result.res == -ENOBUFS || result.res == -ECANCELED) {
		conn_wait(conn);
		return;
	}
	if (result.res < 0) {
		conn_fail(conn);
		return;
	}
	conn->ended = result.res == 0;
	if (result.flags & OP_BUFFER) {
		bytes = (const uint8_t *)ring_buffer(ring, result.buffer);
		if (!conn->input)
			done = answer_queries(
			    conn, &g, bytes, (uint32_t)result.res);
		keep_input(conn, bytes + done, (uint32_t)result.res - done);
		ring_buffer_return(ring, result.buffer);
	}
	conn_go_on(conn, &g);
}

static void conn_on_room(struct dns_conn *conn)
{
	struct gathered g = {0};

	if (!conn->output || send_output(conn, &g))
		conn_go_on(conn, &g);
	else if (g.failed)
		conn_fail(conn);
	else
		conn_wait(conn);
}

static void conn_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct dns_conn *conn = br_container_of(owner, struct dns_conn, op);

	(void)tag;
	switch (conn->state) {
	case CONN_IDLE:
		conn_on_received(conn, result);
		break;
	case CONN_BUSY:
		conn_on_room(conn);
		break;
	case CONN_CLOSING:
		if (result.flags & OP_BUFFER)
			ring_buffer_return(conn->server->ring, result.buffer);
		conn_free(conn);
		break;
	}
}

/* -- its beginning ----------------------------------------------------- */

/* A place of dns.tcp.connections: at the limit that of the connection which
 * has been idle for longest. */
static bool take_place(struct dns_server *server)
{
	uint32_t before =
	    __atomic_fetch_add(server->tcp_connections, 1, __ATOMIC_RELAXED);
	struct list_node *oldest = list_first(&server->idle);

	if (before < connections_max(server))
		return true;
	if (oldest) {
		counter_inc(&server->metrics->tcp_made_room);
		conn_close(br_container_of(oldest, struct dns_conn, link));
		return true;
	}
	(void)__atomic_fetch_sub(server->tcp_connections, 1, __ATOMIC_RELAXED);
	counter_inc(&server->metrics->tcp_full);
	return false;
}

static void conn_start(struct dns_server *server, struct dns_conn *conn, int fd,
    const struct addr *source, uint32_t slot, bool headed)
{
	*conn = (struct dns_conn){
	    .op = {.magic = DNS_CONN_MAGIC, .class = &conn_class},
	    .fd = fd,
	    .slot = slot,
	    .headed = headed,
	    .server = server,
	    .source = *source,
	};
	timer_init(&conn->timer, conn_on_timer);
	list_node_init(&conn->link);
	counter_inc(&server->metrics->tcp_accepted);
	counter_add(&server->metrics->tcp_open, 1);
	conn_live_on(conn);
	conn_wait(conn);
}

static bool is_proxy(const struct dns_server *server, const struct addr *peer)
{
	return server->hooks.is_proxy &&
	       server->hooks.is_proxy(server->hooks.context, peer);
}

/* False: gone already, or refused. */
static bool look_at_peer(struct dns_server *server, int fd, struct addr *source,
    uint32_t *ret_slot, bool *ret_headed)
{
	if (sock_peer(fd, source))
		return false;
	*ret_headed = is_proxy(server, source);
	return *ret_headed || take_source(server, source, ret_slot);
}

void dns_conn_open(struct dns_server *server, int fd)
{
	uint32_t slot = SOURCE_UNTRACKED;
	struct dns_conn *conn;
	struct addr source;
	bool headed;

	/* RST or FIN: nothing is said before TLS or DNS. */
	if (!look_at_peer(server, fd, &source, &slot, &headed)) {
		ring_close(server->ring, fd);
		return;
	}
	if (take_place(server)) {
		conn = slab_new(&server->conns);
		if (conn) {
			conn_start(server, conn, fd, &source, slot, headed);
			return;
		}
		(void)__atomic_fetch_sub(
		    server->tcp_connections, 1, __ATOMIC_RELAXED);
		counter_inc(&server->metrics->tcp_full);
	}
	if (server->sources)
		source_release(server->sources, slot);
	ring_close(server->ring, fd);
}

/* -- all of them ------------------------------------------------------- */

/* A query that the kernel has received for us already completes the receive
 * before the cancellation does: none is lost. */
void dns_tcp_drain(struct dns_server *server)
{
	if (server->draining)
		return;
	server->draining = true;
	LIST_FOREACH (node, &server->idle)
		ring_cancel(server->ring,
		    &br_container_of(node, struct dns_conn, link)->op, 0);
}

void dns_tcp_kill(struct dns_server *server)
{
	server->draining = true;
	LIST_FOREACH_SAFE (node, next, &server->idle)
		conn_close(br_container_of(node, struct dns_conn, link));
	LIST_FOREACH_SAFE (node, next, &server->busy) {
		struct dns_conn *conn =
		    br_container_of(node, struct dns_conn, link);

		(void)sock_set_reset_on_close(conn->fd);
		conn_close(conn);
	}
}

uint32_t dns_tcp_open(const struct dns_server *server)
{
	return server->conns.used;
}
