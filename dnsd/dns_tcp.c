/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_tcp.h"

#include "base/assert.h"
#include "dnsd/dns_conn.h"
#include "io/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define DNS_TCP_MAGIC 0xb1a1d0cc
/* Taken after one poll before other events get their turn. */
#define DNS_TCP_BATCH 64
/* Out of descriptors or memory: what waits stays in the kernel's queue. */
#define DNS_TCP_PAUSE_MS 20

enum tcp_state { TCP_NEW, TCP_OPEN, TCP_PAUSED, TCP_STOPPING, TCP_STOPPED };

struct dns_tcp {
	struct op_owner op;
	enum tcp_state state;
	int fd;
	struct dns_server *server;
	struct timer timer;
} __attribute__((aligned(64)));

static void tcp_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);
static void tcp_on_timer(struct timer *timer, struct mono now);

static const struct op_class tcp_class = {
    .magic = DNS_TCP_MAGIC,
    .name = "dns_tcp",
    .on_complete = tcp_on_complete,
};

struct dns_tcp *dns_tcp_new(int fd)
{
	struct dns_tcp *tcp = aligned_alloc(OP_OWNER_ALIGN, sizeof *tcp);

	if (!tcp)
		return NULL;
	*tcp = (struct dns_tcp){
	    .op = {.magic = DNS_TCP_MAGIC, .class = &tcp_class},
	    .state = TCP_NEW,
	    .fd = fd,
	};
	timer_init(&tcp->timer, tcp_on_timer);
	return tcp;
}

void dns_tcp_free(struct dns_tcp *tcp)
{
	if (!tcp)
		return;
	br_assert(dns_tcp_done(tcp));
	if (tcp->fd >= 0)
		sock_close(tcp->fd);
	free(tcp);
}

int dns_tcp_fd(const struct dns_tcp *tcp)
{
	return tcp->fd;
}

bool dns_tcp_done(const struct dns_tcp *tcp)
{
	return !tcp->op.in_flight &&
	       (tcp->state == TCP_NEW || tcp->state == TCP_STOPPED);
}

/* -- accepting --------------------------------------------------------- */

static void tcp_poll(struct dns_tcp *tcp)
{
	tcp->state = TCP_OPEN;
	ring_poll(tcp->server->ring, &tcp->op, 0, tcp->fd, POLLIN);
}

/* False when there is no descriptor or memory for more. */
static bool tcp_accept(struct dns_tcp *tcp)
{
	for (int i = 0; i < DNS_TCP_BATCH; i++) {
		int fd = sock_accept(tcp->fd);

		if (fd >= 0)
			dns_conn_open(tcp->server, fd);
		else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ||
			 fd == -ENOBUFS)
			return false;
		else if (fd == -EAGAIN)
			break;
		/* Others are of one connection that is gone (accept(2)). */
	}
	return true;
}

static void tcp_close(struct dns_tcp *tcp)
{
	(void)tcp_accept(tcp);
	sock_close(tcp->fd);
	tcp->fd = -1;
	tcp->state = TCP_STOPPED;
}

static void tcp_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct dns_tcp *tcp = br_container_of(owner, struct dns_tcp, op);
	struct dns_server *server = tcp->server;

	(void)tag;
	(void)result;
	br_assert(tcp->state == TCP_OPEN || tcp->state == TCP_STOPPING);
	if (tcp->state == TCP_STOPPING) {
		tcp_close(tcp);
		return;
	}
	if (tcp_accept(tcp)) {
		tcp_poll(tcp);
		return;
	}
	tcp->state = TCP_PAUSED;
	timer_arm(server->wheel, &tcp->timer,
	    mono_add_ms(server->ring->now, DNS_TCP_PAUSE_MS));
}

static void tcp_on_timer(struct timer *timer, struct mono now)
{
	(void)now;
	tcp_poll(br_container_of(timer, struct dns_tcp, timer));
}

void dns_tcp_start(struct dns_tcp *tcp, struct dns_server *server)
{
	br_assert(tcp->state == TCP_NEW);
	tcp->server = server;
	tcp_poll(tcp);
}

void dns_tcp_stop(struct dns_tcp *tcp)
{
	if (tcp->state != TCP_OPEN && tcp->state != TCP_PAUSED)
		return;
	if (tcp->state == TCP_PAUSED) {
		timer_disarm(tcp->server->wheel, &tcp->timer);
		tcp_close(tcp);
		return;
	}
	tcp->state = TCP_STOPPING;
	ring_cancel(tcp->server->ring, &tcp->op, 0);
}
