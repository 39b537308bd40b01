/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_udp.h"

#include "base/assert.h"
#include "dnsd/dns_server_state.h"
#include "dnsd/rrl.h"
#include "dnsd/slip.h"
#include "io/datagram.h"
#include "io/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define DNS_UDP_MAGIC 0xb1a1d0dd

enum udp_state { UDP_NEW, UDP_OPEN, UDP_STOPPING, UDP_CLOSED };

struct dns_udp {
	struct op_owner op;
	enum udp_state state;
	int fd;
	bool wildcard;
	struct dns_server *server;
} __attribute__((aligned(64)));

static void udp_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class udp_class = {
    .magic = DNS_UDP_MAGIC,
    .name = "dns_udp",
    .on_complete = udp_on_complete,
};

struct dns_udp *dns_udp_new(int fd)
{
	struct dns_udp *udp = aligned_alloc(OP_OWNER_ALIGN, sizeof *udp);

	if (!udp)
		return NULL;
	*udp = (struct dns_udp){
	    .op = {.magic = DNS_UDP_MAGIC, .class = &udp_class},
	    .state = UDP_NEW,
	    .fd = fd,
	    .wildcard = datagram_is_wildcard(fd),
	};
	return udp;
}

void dns_udp_free(struct dns_udp *udp)
{
	if (!udp)
		return;
	br_assert(dns_udp_done(udp));
	if (udp->fd >= 0)
		sock_close(udp->fd);
	free(udp);
}

int dns_udp_fd(const struct dns_udp *udp)
{
	return udp->fd;
}

bool dns_udp_done(const struct dns_udp *udp)
{
	return !udp->op.in_flight &&
	       (udp->state == UDP_NEW || udp->state == UDP_CLOSED);
}

/* -- a batch ----------------------------------------------------------- */

/* What is sent in place of an answer that rrl has refused. */
static size_t udp_refused(
    struct dns_server *server, uint8_t *answer, size_t length)
{
	uint32_t slip = server->limits.rrl_slip;

	if (slip && ++server->refused % slip == 0) {
		counter_inc(&server->metrics->udp_rate_slipped);
		return slip_truncate(answer, length);
	}
	counter_inc(&server->metrics->udp_rate_dropped);
	return 0;
}

/* A valid cookie proves that the address is not forged (RFC 7873 section
 * 5.2.3). */
static bool udp_is_admitted(struct dns_server *server,
    const struct dns_client *client, const struct query_facts *facts)
{
	return !server->rrl || !server->limits.rrl_rate ||
	       facts->cookie == DNS_COOKIE_valid ||
	       rrl_admit(server->rrl, &client->source, server->limits.rrl_rate,
		   server->ring->now);
}

static void udp_answer(
    struct dns_server *server, struct dns_client *client, uint32_t i)
{
	struct datagram_batch *batch = server->batch;
	uint8_t *out = datagram_out(batch, i);
	struct query_facts facts;
	const uint8_t *in;
	size_t length;

	in = datagram_in(batch, i, &length);
	client->source = *datagram_from(batch, i);
	length = server->hooks.answer(server->hooks.context, client, in, length,
	    out, RESPONDER_UDP_MAX, &facts);
	if (length && !udp_is_admitted(server, client, &facts))
		length = udp_refused(server, out, length);
	datagram_set_out(batch, i, length);
}

static void udp_send(struct dns_udp *udp)
{
	struct dns_server_metrics *metrics = udp->server->metrics;
	struct datagram_sent sent = datagram_send(udp->server->batch, udp->fd);

	counter_add(&metrics->udp_answers, sent.sent);
	if (sent.full)
		counter_add(&metrics->udp_send_full, sent.full);
	if (sent.refused)
		counter_add(&metrics->udp_send_errors, sent.refused);
}

/* How many there were; fewer than a batch: no more are waiting. */
static uint32_t udp_batch(struct dns_udp *udp)
{
	struct dns_server *server = udp->server;
	struct dns_client client = {.transport = DNS_UDP};
	int n = datagram_receive(server->batch, udp->fd, udp->wildcard);

	if (n <= 0) {
		if (n < 0)
			counter_inc(&server->metrics->udp_receive_errors);
		return 0;
	}
	client.now = wall_now();
	for (uint32_t i = 0; i < (uint32_t)n; i++)
		udp_answer(server, &client, i);
	counter_add(&server->metrics->udp_queries, (uint32_t)n);
	udp_send(udp);
	return (uint32_t)n;
}

/* -- turns ------------------------------------------------------------- */

static void udp_poll(struct dns_udp *udp)
{
	ring_poll(udp->server->ring, &udp->op, 0, udp->fd, POLLIN);
}

static void udp_turn(struct dns_udp *udp)
{
	for (uint32_t i = 0; i < DNS_UDP_TURN_MAX / DATAGRAM_BATCH; i++)
		if (udp_batch(udp) < DATAGRAM_BATCH)
			break;
}

static void udp_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct dns_udp *udp = (struct dns_udp *)owner;

	(void)tag;
	(void)result;
	br_assert(udp->state == UDP_OPEN || udp->state == UDP_STOPPING);
	udp_turn(udp);
	if (udp->state == UDP_OPEN) {
		udp_poll(udp);
		return;
	}
	sock_close(udp->fd);
	udp->fd = -1;
	udp->state = UDP_CLOSED;
}

void dns_udp_start(struct dns_udp *udp, struct dns_server *server)
{
	br_assert(udp->state == UDP_NEW);
	udp->server = server;
	udp->state = UDP_OPEN;
	udp_poll(udp);
}

void dns_udp_stop(struct dns_udp *udp)
{
	if (udp->state != UDP_OPEN)
		return;
	udp->state = UDP_STOPPING;
	ring_cancel(udp->server->ring, &udp->op, 0);
}
