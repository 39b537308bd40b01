/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow.h"

#include "base/assert.h"
#include "base/source_table.h"
#include "fleet/outlier.h"
#include "io/sock.h"
#include "lb/flow_log.h"
#include "lb/flow_profile.h"
#include "lb/flow_state.h"
#include "lb/flow_steps.h"
#include "lb/front.h"
#include "lb/http_flow.h"
#include "lb/listener.h"
#include "lb/path.h"
#include "lb/shard_flow.h"
#include "lb/tls_end.h"
#include "lb/worker.h"

#include <errno.h>
#include <string.h>

static void flow_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

const struct op_class flow_class = {
    .magic = FLOW_MAGIC,
    .name = "flow",
    .on_complete = flow_on_complete,
};

static void flow_on_timer(struct timer *timer, struct mono now)
{
	struct flow *flow = br_container_of(timer, struct flow, timer);

	(void)now;
	br_assert(flow->op.magic == FLOW_MAGIC);
	br_assert(flow_states[flow->state].on_timer);
	flow_states[flow->state].on_timer(flow);
}

/* -- accepted ---------------------------------------------------------- */

void flow_client_set(struct flow_client *ret, const struct addr *addr)
{
	ret->family = (uint8_t)addr->sa.sa_family;
	ret->port = addr_port(addr);
	if (addr->sa.sa_family == AF_INET)
		memcpy(ret->ip, &addr->in.sin_addr, 4);
	else if (addr->sa.sa_family == AF_INET6)
		memcpy(ret->ip, &addr->in6.sin6_addr, 16);
}

void flow_client_addr(const struct flow_client *client, struct addr *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->sa.sa_family = client->family;
	switch (client->family) {
	case AF_INET:
		memcpy(&ret->in.sin_addr, client->ip, 4);
		ret->in.sin_port = htons(client->port);
		ret->length = sizeof ret->in;
		break;
	case AF_INET6:
		memcpy(&ret->in6.sin6_addr, client->ip, 16);
		ret->in6.sin6_port = htons(client->port);
		ret->length = sizeof ret->in6;
		break;
	case AF_UNIX:
		ret->length = sizeof ret->sa.sa_family;
		break;
	default:
		break;
	}
}

/* The address is asked for now because a reset connection has none. */
void flow_note_client(struct flow *flow)
{
	struct addr addr;

	if (!sock_peer(flow->client_fd, &addr))
		flow_client_set(&flow->client, &addr);
}

int flow_accept(struct worker *worker, struct listener *listener, int client_fd)
{
	uint32_t source_slot = SOURCE_UNTRACKED;
	struct flow_client client = {.family = 0};
	struct flow *flow;

	if (listener->guarded) {
		int err = guard_accept(
		    worker, listener, client_fd, &client, &source_slot);

		if (err)
			return err;
	}
	flow = slab_new(&worker->flow_slab);
	if (!flow) {
		guard_release(worker, source_slot);
		return -ENOMEM;
	}
	memset(flow, 0, sizeof *flow);
	flow->op.magic = FLOW_MAGIC;
	flow->op.class = &flow_class;
	timer_init(&flow->timer, flow_on_timer);
	list_node_init(&flow->link);
	list_node_init(&flow->queue_link);
	direction_init(&flow->up, true);
	direction_init(&flow->down, false);
	flow->worker = worker;
	flow->listener = listener;
	flow->source_slot = source_slot;
	flow->client = client;
	if (listener->fronted && !side_new(flow)) {
		guard_release(worker, source_slot);
		slab_free(&worker->flow_slab, flow);
		return -ENOMEM;
	}
	flow->id = worker->next_flow_id;
	worker->next_flow_id += worker->shared->limits.n_workers;
	flow->client_fd = client_fd;
	flow->server_fd = -1;
	flow->accepted_at = flow->active_at = worker_now(worker);
	if (!listener->guarded &&
	    (listener->needs_client ||
		atomic_load_explicit(
		    &worker->shared->log_access, memory_order_relaxed)))
		flow_note_client(flow);
	listener_pin(listener, worker);
	list_push_back(&worker->flows, &flow->link);
	counter_inc(&worker->metrics->flows_started);
	counter_inc(&worker->metrics->flows_open);
	if (listener->fronted) {
		front_begin(flow);
		return 0;
	}
	flow_route(flow, listener->upstream);
	flow_enter(flow, FLOW_CHOOSING);
	return 0;
}

void flow_route(struct flow *flow, struct upstream *upstream)
{
	flow->upstream = upstream;
	flow->bulk_rule = &bulk_rules[upstream->pool->splice];
	upstream_pin(upstream, flow->worker);
}
/* -- the end ----------------------------------------------------------- */

void flow_blame_server(const struct flow *flow, int error)
{
	counter_inc(&flow_server_metrics(flow)->failures);
	outlier_failed(flow->upstream->pool, flow->server->row, error);
}

void flow_release_server(struct flow *flow)
{
	struct server *server = flow->server;

	flow->server = NULL;
	if (server)
		upstream_release(flow->upstream, flow->worker, server);
}

void flow_fail(struct flow *flow, char by, char phase, int error)
{
	struct worker *worker = flow->worker;

	if (flow->state == FLOW_CLOSING)
		return;
	if (flow->state == FLOW_QUEUED && list_linked(&flow->queue_link))
		upstream_dequeue(flow->upstream, worker, flow);
	else if (flow->state == FLOW_TLS_ACCEPT)
		list_remove(&flow->queue_link); /* of worker.shaking */
	flow->end_by = by;
	flow->end_phase = phase;
	flow->error = error;
	flow->reset_client = flow->reset_server = true;
	if (phase == 'D' && (by == 'C' || by == 'S'))
		counter_inc(&worker->metrics->resets_passed);
	if (phase == 'D' && by == 'S' && flow->server)
		counter_inc(&flow_server_metrics(flow)->resets);
	/* What comes after the answer has begun may be the client's doing. */
	if (phase == 'D' && flow->server &&
	    (by == 's' || (by == 'S' && !flow->down.bytes)))
		flow_blame_server(flow, error);
	flow_enter(flow, FLOW_CLOSING);
}

void flow_kill(struct flow *flow, int error)
{
	flow_fail_now(flow, 'K', error);
}

void flow_fail_now(struct flow *flow, char by, int error)
{
	flow_fail(flow, by, flow_states[flow->state].phase, error);
}

void flow_when_quiet(struct flow *flow)
{
	if (!flow->op.in_flight && shard_quiet(flow) &&
	    !list_linked(&flow->queue_link))
		list_push_back(&flow->worker->closing, &flow->queue_link);
}

void flow_close(struct flow *flow)
{
	struct worker *worker = flow->worker;

	timer_disarm(&worker->wheel, &flow->timer);
	list_remove(&flow->up.wait_link);
	list_remove(&flow->down.wait_link);
	shard_abort(flow);
	if (flow->op.in_flight) {
		ring_cancel_fd(&worker->ring, flow->client_fd);
		if (flow->server_fd >= 0)
			ring_cancel_fd(&worker->ring, flow->server_fd);
		/* Inline sends report success only at the end of a turn. */
		ring_hurry(&worker->ring);
	}
	flow_when_quiet(flow);
}

static void flow_close_fd(struct worker *worker, int fd, bool reset)
{
	if (fd < 0)
		return;
	if (reset)
		(void)sock_set_reset_on_close(fd);
	ring_close(&worker->ring, fd);
}

static void flow_account(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct listener_metrics *listener =
	    &flow->listener->row->metrics[worker->index];
	struct flow_record *record;

	counter_inc(&listener->closed);
	histogram_add_ns(&worker->metrics->flow_time,
	    mono_diff_ns(worker_now(worker), flow->accepted_at));
	if (http_is_between(flow) ||
	    !atomic_load_explicit(
		&worker->shared->log_access, memory_order_relaxed))
		return;
	record = flow_log_room(worker->log);
	if (!record) {
		counter_inc(&worker->metrics->log_dropped);
		return;
	}
	flow_record_fill(record, flow);
	http_record_end(flow, record);
	record_queue_put(worker->log);
}

void flow_finish(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct listener *listener = flow->listener;
	struct upstream *upstream = flow->upstream;

	br_assert(flow->state == FLOW_CLOSING && !flow->op.in_flight);
	shard_free(flow);
	direction_release(flow, &flow->up);
	direction_release(flow, &flow->down);
	flow_account(flow);
	flow_profile_end(flow);
	side_free(flow);
	flow_close_fd(worker, flow->client_fd, flow->reset_client);
	flow_close_fd(worker, flow->server_fd, flow->reset_server);
	flow_release_server(flow);
	guard_release(worker, flow->source_slot);
	list_remove(&flow->link);
	flow->op.magic = 0;
	slab_free(&worker->flow_slab, flow);
	shared_give(&worker->shared->connections);
	shared_give(&listener->row->connections);
	counter_inc(&worker->metrics->flows_ended);
	counter_sub(&worker->metrics->flows_open, 1);
	listener_unpin(listener, worker);
	if (upstream)
		upstream_unpin(upstream, worker);
	acceptor_slot_freed(worker);
}
/* -- completions ------------------------------------------------------- */

static void flow_on_closing(
    struct flow *flow, unsigned tag, struct op_result result)
{
	if (result.flags & OP_BUFFER)
		ring_buffer_return(&flow->worker->ring, result.buffer);
	else if (tag == FLOW_TAG_SEND_UP)
		relay_last_sent(flow, &flow->up, result.res);
	else if (tag == FLOW_TAG_SEND_DOWN)
		relay_last_sent(flow, &flow->down, result.res);
	flow_when_quiet(flow);
}

/* Before it is established, a flow may have a receive from the client and
 * sends of its handshakes under way. */
static void flow_on_early(
    struct flow *flow, unsigned tag, struct op_result result)
{
	switch ((enum flow_tag)tag) {
	case FLOW_TAG_CONNECT:
		flow_on_connected(flow, result.res);
		break;
	case FLOW_TAG_WATCH:
		flow_on_watch(flow, result.res);
		break;
	case FLOW_TAG_RECV_UP:
		/* Another server is sought between two requests. */
		if (flow->up.framed)
			direction_on_receive(flow, &flow->up, result);
		else
			front_on_receive(flow, result);
		break;
	case FLOW_TAG_SEND_DOWN:
		if (relay_sent(flow, &flow->down, result.res))
			(void)relay_send(flow, &flow->down);
		break;
	case FLOW_TAG_RECV_DOWN:
		tls_connect_on_receive(flow, result);
		break;
	case FLOW_TAG_SEND_UP:
		tls_connect_on_sent(flow, result);
		break;
	default:
		br_assert(false);
	}
}

void flow_resume(struct flow *flow, struct direction *d)
{
	if (flow->state == FLOW_ESTABLISHED || d->framed)
		direction_resume(flow, d);
	else if (d->up)
		front_receive(flow);
	else
		tls_connect_resume(flow);
	http_turn(flow);
}

static void flow_on_data(
    struct flow *flow, unsigned tag, struct op_result result)
{
	switch ((enum flow_tag)tag) {
	case FLOW_TAG_CONNECT:
		br_assert(false);
		break;
	case FLOW_TAG_WATCH: /* cancelled: receives will tell */
		break;
	case FLOW_TAG_RECV_UP:
		direction_on_receive(flow, &flow->up, result);
		break;
	case FLOW_TAG_RECV_DOWN:
		direction_on_receive(flow, &flow->down, result);
		break;
	case FLOW_TAG_SEND_UP:
		direction_on_sent(flow, &flow->up, result);
		break;
	case FLOW_TAG_SEND_DOWN:
		direction_on_sent(flow, &flow->down, result);
		break;
	case FLOW_TAG_POLL_IN_UP:
		direction_on_poll(flow, &flow->up, false, result);
		break;
	case FLOW_TAG_POLL_IN_DOWN:
		direction_on_poll(flow, &flow->down, false, result);
		break;
	case FLOW_TAG_POLL_OUT_UP:
		direction_on_poll(flow, &flow->up, true, result);
		break;
	case FLOW_TAG_POLL_OUT_DOWN:
		direction_on_poll(flow, &flow->down, true, result);
		break;
	}
}

static void flow_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct flow *flow = br_container_of(owner, struct flow, op);

	br_assert(flow->state < FLOW_N_STATES);
	br_assert(flow_states[flow->state].in_flight & (1u << tag));
	if (flow->state == FLOW_CLOSING) {
		flow_on_closing(flow, tag, result);
		return;
	}
	if (flow->state == FLOW_ESTABLISHED)
		flow_on_data(flow, tag, result);
	else
		flow_on_early(flow, tag, result);
	http_turn(flow);
}

struct flow *flow_of_direction(struct direction *d)
{
	return d->up ? br_container_of(d, struct flow, up)
		     : br_container_of(d, struct flow, down);
}
