/* SPDX-License-Identifier: Apache-2.0 */
/* io/sock.h and io/pipe.h over fake_net.c. A pipe has few slots, as the
 * kernel's: small transfers fill it early. */
#include "io/pipe.h"

#include "base/assert.h"
#include "io/sock.h"
#include "tests/sim/fake_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- sockets ----------------------------------------------------------- */

int sock_listen(
    const struct addr *at, const struct sock_listen_options *options)
{
	(void)at;
	(void)options;
	return fake_listener();
}

int sock_stream(const struct addr *to, const struct addr *source)
{
	(void)to;
	(void)source;
	if (fake_call_fails() || fake.open_fds >= fake.fd_limit)
		return -EMFILE;
	return fake_open(fake_conn_new());
}

int sock_stream_as(const struct addr *to, const struct addr *source)
{
	br_assert(source->sa.sa_family == to->sa.sa_family);
	br_assert(addr_port(source) == 0);
	return sock_stream(to, source);
}

int sock_set_transparent(int fd, int family, bool on)
{
	(void)fake_conn_of(fd);
	(void)family;
	(void)on;
	return fake_call_fails() ? -EPERM : 0;
}

int sock_may_be_transparent(void)
{
	return fake_call_fails() ? -EPERM : 0;
}

int sock_set_nodelay(int fd)
{
	(void)fake_conn_of(fd);
	return fake_call_fails() ? -EINVAL : 0;
}

int sock_set_unsent(int fd, uint32_t bytes)
{
	if (fake_call_fails())
		return -EINVAL;
	fake_conn_of(fd)->unsent_bytes = bytes;
	return 0;
}

int sock_set_pacing(int fd, uint64_t rate_bps)
{
	if (fake_call_fails())
		return -EINVAL;
	fake_conn_of(fd)->pacing_bps = rate_bps;
	return 0;
}

int sock_measured(int fd, uint32_t *ret_rtt_us, uint64_t *ret_delivery_bps)
{
	(void)fake_conn_of(fd);
	if (fake_call_fails())
		return -ENOTSUP;
	*ret_rtt_us = 100;
	*ret_delivery_bps = 1000000;
	return 0;
}

int sock_delay_ack(int fd)
{
	if (fake_call_fails())
		return -EINVAL;
	fake_conn_of(fd)->ack_waits = true;
	return 0;
}

int sock_ack_now(int fd)
{
	fake_conn_of(fd)->ack_waits = false;
	return 0;
}

/* Cannot fail on an open socket, and nothing could be done if it did. */
int sock_set_reset_on_close(int fd)
{
	fake_conn_of(fd)->reset_on_close = true;
	return 0;
}

int sock_set_silent_close(int fd)
{
	fake_conn_of(fd)->silent_close = true;
	return 0;
}

int sock_shutdown_write(int fd)
{
	struct fake_conn *conn = fake_conn_of(fd);

	if (conn->peer_reset || fake_call_fails())
		return -ENOTCONN;
	br_assert(!fake_pending_kind(fd, FAKE_SEND_NOW));
	br_assert(!fake_pending_kind(fd, FAKE_SEND_WAIT));
	fake_ktls_end(conn);
	conn->proxy_fin = true;
	return 0;
}

int64_t sock_send_vector(
    int fd, const struct iovec *parts, uint32_t n, bool last)
{
	struct fake_conn *conn = fake_conn_of(fd);
	int64_t sent = 0;

	br_assert(!fake_pending_kind(fd, FAKE_SEND_NOW));
	br_assert(!fake_pending_kind(fd, FAKE_SEND_WAIT));
	/* A record that waits for more would wait for ever. */
	br_assert(!last || !fake_ktls_on(conn));
	if (fake_call_fails())
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int32_t res = fake_send(
		    conn, parts[i].iov_base, (uint32_t)parts[i].iov_len);

		if (res < 0)
			return sent ? sent : res;
		sent += res;
		if (res < (int32_t)parts[i].iov_len)
			return sent;
	}
	conn->corked = last;
	return sent;
}

int64_t sock_receive(int fd, void *ret, size_t room)
{
	struct fake_conn *conn = fake_conn_of(fd);
	int32_t n;

	br_assert(!fake_pending_kind(fd, FAKE_RECV));
	if (fake_call_fails())
		return -ECONNRESET;
	n = fake_recv(conn, ret, (uint32_t)room);
	if (n == -ECONNRESET)
		conn->error_told = true;
	return n;
}

int sock_peek(int fd)
{
	const struct fake_conn *conn = fake_conn_of(fd);

	if (fake_call_fails())
		return -ECONNRESET;
	if (conn->to_proxy.length)
		return 1;
	if (conn->peer_reset)
		return -ECONNRESET;
	return conn->peer_fin ? 0 : -EAGAIN;
}

int64_t sock_look(int fd, void *ret, size_t room)
{
	struct fake_conn *conn = fake_conn_of(fd);
	const struct fake_queue *q = &conn->to_proxy;
	uint32_t n = q->length < room ? q->length : (uint32_t)room;

	if (fake_call_fails())
		return -ECONNRESET;
	for (uint32_t i = 0; i < n; i++)
		((uint8_t *)ret)[i] = q->bytes[(q->head + i) % q->room];
	if (n)
		return n;
	if (conn->peer_reset)
		return -ECONNRESET;
	return conn->peer_fin ? 0 : -EAGAIN;
}

uint32_t sock_waiting(int fd)
{
	return fake_call_fails() ? 0 : fake_conn_of(fd)->to_proxy.length;
}

int sock_set_receive_room(int fd, uint32_t bytes)
{
	(void)fake_conn_of(fd);
	(void)bytes;
	return fake_call_fails() ? -ENOBUFS : 0;
}

uint32_t sock_receive_room(int fd)
{
	return 2 * fake_conn_of(fd)->to_proxy.room;
}

int sock_accept(int fd)
{
	return fake_call_fails() ? -EMFILE : fake_take_accepted(fd);
}

/* 198.51.100.1 and the connection's number as port. */
int sock_peer(int fd, struct addr *ret)
{
	if (fake_call_fails())
		return -ENOTCONN;
	ret->length = sizeof ret->in;
	ret->in = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(0xc6336401),
	    .sin_port = htons((uint16_t)fake_conn_of(fd)->id)};
	return 0;
}

int sock_local(int fd, struct addr *ret)
{
	return sock_peer(fd, ret);
}

int sock_error(int fd)
{
	return fake_conn_of(fd)->peer_reset ? -ECONNRESET : 0;
}

void sock_close(int fd)
{
	fake_close_fd(fd);
}

/* -- pipes ------------------------------------------------------------- */

#define PIPE_SLOTS 8

struct contents {
	uint8_t *bytes;
	uint32_t head, slots_used;
};

static struct contents *contents_of(const struct pipe *pipe)
{
	return (struct contents *)(uintptr_t)pipe->link.next;
}

/* A borrowed pipe is in no list: its link holds its contents. */
static void pipe_hold(struct pipe *pipe, struct contents *contents)
{
	pipe->link.next = (struct list_node *)(void *)contents;
}

int pipe_pool_init(struct pipe_pool *pool, uint32_t limit, uint32_t want_bytes)
{
	memset(pool, 0, sizeof *pool);
	list_init(&pool->idle);
	list_init(&pool->unused);
	pool->limit = limit;
	pool->want_bytes = want_bytes;
	pool->pipes = calloc(limit ? limit : 1, sizeof *pool->pipes);
	if (!pool->pipes)
		return -ENOMEM;
	for (uint32_t i = 0; i < limit; i++)
		list_push_back(&pool->unused, &pool->pipes[i].link);
	return 0;
}

void pipe_pool_fini(struct pipe_pool *pool)
{
	br_assert(pool->made == 0);
	free(pool->pipes);
	memset(pool, 0, sizeof *pool);
}

/* Pipes are not kept: so a lost one shows in pool->made. */
int pipe_borrow(struct pipe_pool *pool, struct pipe **ret)
{
	struct list_node *node;
	struct contents *contents;
	struct pipe *pipe;

	if (fake_call_fails())
		return -EAGAIN;
	node = list_pop_front(&pool->unused);
	if (!node)
		return -EAGAIN;
	pipe = br_container_of(node, struct pipe, link);
	contents = calloc(1, sizeof *contents);
	br_assert(contents);
	contents->bytes = malloc(pool->want_bytes);
	br_assert(contents->bytes);
	*pipe = (struct pipe){.capacity_bytes = pool->want_bytes};
	pipe_hold(pipe, contents);
	pool->made++;
	*ret = pipe;
	return 0;
}

void pipe_return(struct pipe_pool *pool, struct pipe *pipe)
{
	struct contents *contents = contents_of(pipe);

	free(contents->bytes);
	free(contents);
	list_node_init(&pipe->link);
	list_push_front(&pool->unused, &pipe->link);
	pool->made--;
}

int64_t pipe_fill(struct pipe *pipe, int from_fd, uint32_t most)
{
	struct contents *contents = contents_of(pipe);
	int64_t total = 0;

	br_assert(most && pipe->bytes + most <= pipe->capacity_bytes);
	if (fake_call_fails())
		return -ENOMEM;
	if (!pipe->bytes)
		contents->slots_used = 0;
	memmove(contents->bytes, contents->bytes + contents->head, pipe->bytes);
	contents->head = 0;
	while (contents->slots_used < PIPE_SLOTS && total < most) {
		uint32_t room = most - (uint32_t)total;
		int32_t n = fake_recv(fake_conn_of(from_fd),
		    contents->bytes + pipe->bytes, room < 4096 ? room : 4096);

		if (n <= 0)
			return total ? total : n;
		total += n;
		pipe->bytes += (uint32_t)n;
		contents->slots_used++;
	}
	return total ? total : -EAGAIN;
}

int64_t pipe_drain(struct pipe *pipe, int to_fd)
{
	struct contents *contents = contents_of(pipe);
	int32_t n;

	br_assert(pipe->bytes > 0);
	if (fake_call_fails())
		return -ENOMEM;
	n = fake_send(
	    fake_conn_of(to_fd), contents->bytes + contents->head, pipe->bytes);
	if (n <= 0)
		return n;
	contents->head += (uint32_t)n;
	pipe->bytes -= (uint32_t)n;
	return n;
}
