/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/listener.h"

#include "base/assert.h"
#include "io/sock.h"
#include "lb/acceptor_room.h"
#include "io/tls_context.h"
#include "base/arena.h"
#include "base/prefix_map.h"
#include "lb/flow.h"
#include "lb/route.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTOR_PAUSE_MS 20
/* ... while promises of others are on their way back. */
#define ACCEPTOR_NARROW_MS 1
/* A worker hands over when it has this many more flows than the least loaded
 * plus a quarter: moving one costs a message and a cold cache. */
#define HANDOVER_SLACK 16
/* Taken after one poll before other events get their turn. */
#define ACCEPTOR_BATCH 64

enum acceptor_tag { ACCEPTOR_TAG_ACCEPT, ACCEPTOR_TAG_POLL };

static void acceptor_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result);

static const struct op_class acceptor_class = {
    .magic = ACCEPTOR_MAGIC,
    .name = "acceptor",
    .on_complete = acceptor_on_complete,
};

/* -- listeners --------------------------------------------------------- */

static const struct prefix_map *listener_prefixes(
    struct arena *arena, const struct conf_prefixes *from)
{
	struct prefix_entry *entries;

	if (!from->n)
		return NULL;
	entries = arena_alloc(arena, from->n * sizeof *entries);
	for (uint32_t i = 0; i < from->n; i++)
		entries[i] = (struct prefix_entry){from->at[i], i};
	return prefix_map_new(arena, entries, from->n, PREFIX_LOWEST);
}

static void listener_set_routes(struct listener *listener,
    const struct conf_listener *conf, struct upstream *const *upstreams)
{
	struct arena *arena = listener->arena;
	struct route_rule *rules;

	listener->n_routes = conf->n_routes;
	if (!conf->n_routes)
		return;
	rules = arena_alloc(arena, conf->n_routes * sizeof *rules);
	listener->route_upstreams = arena_alloc(
	    arena, conf->n_routes * sizeof *listener->route_upstreams);
	for (uint32_t i = 0; i < conf->n_routes; i++) {
		const struct conf_route *route = &conf->routes[i];

		rules[i] = (struct route_rule){
		    .sources = route->source.at,
		    .n_sources = route->source.n,
		    .names = route->sni.at,
		    .n_names = route->sni.n,
		    .alpns = route->alpn.at,
		    .n_alpns = route->alpn.n,
		    .protocols = route->protocols,
		};
		listener->route_upstreams[i] = upstreams[route->pool];
	}
	listener->routes = route_table_new(arena, rules, conf->n_routes);
}

static void listener_set_front(
    struct listener *listener, const struct conf_listener *conf)
{
	listener->wait_ms = conf->wait_ms;
	listener->first_bytes_ms = conf->first_bytes_ms;
	listener->handshake_ms = conf->handshake_ms;
	listener->transparent = conf->transparent;
	listener->reads_proxy = conf->proxy_in == CONF_PROXY_IN_ACCEPT;
	listener->proxy_from =
	    listener_prefixes(listener->arena, &conf->proxy_from);
	listener->fronted = listener->reads_proxy || conf->n_routes;
	listener->needs_client =
	    listener->reads_proxy ||
	    (listener->routes && route_table_by_source(listener->routes));
	guard_init(&listener->guard, listener->arena, conf);
	listener->guarded =
	    guard_is_on(&listener->guard) && !listener->reads_proxy;
}

/* Where a connection wanted to go needs no asking when there is but one
 * address that it can have come to. */
static void listener_set_address(
    struct listener *listener, const struct conf_listener *conf)
{
	if (conf->n_binds == 1 && !conf->transparent &&
	    !addr_is_unix(&conf->binds[0].addr) &&
	    !addr_is_any(&conf->binds[0].addr))
		listener->address = conf->binds[0].addr;
}

bool listener_leads_to(const struct listener *listener,
    const struct conf_listener *conf, struct upstream *const *upstreams)
{
	if (listener->upstream != upstreams[conf->pool])
		return false;
	for (uint32_t i = 0; i < listener->n_routes; i++)
		if (listener->route_upstreams[i] !=
		    upstreams[conf->routes[i].pool])
			return false;
	return true;
}

void listener_set_tls(struct listener *listener, struct tls_context **contexts)
{
	listener->tls = contexts;
	listener->fronted = true;
}

static void listener_free_tls(struct listener *listener)
{
	for (uint32_t i = 0; listener->tls && i < listener->n_workers; i++)
		tls_context_free(listener->tls[i]);
	free(listener->tls);
}

struct listener *listener_new(const struct conf_listener *conf,
    struct upstream *const *upstreams, struct board_listener *row,
    uint32_t n_workers)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return NULL;
	listener->pins = calloc(n_workers, sizeof *listener->pins);
	if (!listener->pins) {
		free(listener);
		return NULL;
	}
	/* The row outlives every configuration, so its name does too. */
	listener->name = row->name;
	listener->upstream = upstreams[conf->pool];
	listener->arena = arena_new();
	listener_set_routes(listener, conf, upstreams);
	listener_set_front(listener, conf);
	listener_set_address(listener, conf);
	listener->max_connections = conf->max_connections;
	listener->backlog = conf->backlog;
	if (conf->n_binds)
		listener->port = addr_port(&conf->binds[0].addr);
	listener->idle_ms = conf->idle_ms;
	listener->half_closed_ms = conf->half_closed_ms;
	listener->row = row;
	listener->n_workers = n_workers;
	return listener;
}

void listener_free(struct listener *listener)
{
	listener_free_tls(listener);
	arena_free(listener->arena);
	free(listener->pins);
	free(listener);
}

bool listener_pinned(const struct listener *listener)
{
	if (shared_read(&listener->in_transit))
		return true;
	for (uint32_t i = 0; i < listener->n_workers; i++)
		if (counter_read(&listener->pins[i]))
			return true;
	return false;
}

void listener_pin(struct listener *listener, const struct worker *worker)
{
	counter_inc(&listener->pins[worker->index]);
}

void listener_unpin(struct listener *listener, const struct worker *worker)
{
	counter_sub(&listener->pins[worker->index], 1);
}

/* -- acceptors --------------------------------------------------------- */

static void acceptor_on_timer(struct timer *timer, struct mono now);

struct acceptor *acceptor_new(int fd, bool shared_fd)
{
	struct acceptor *acceptor =
	    aligned_alloc(_Alignof(struct acceptor), sizeof(struct acceptor));

	if (!acceptor)
		return NULL;
	/* Who is held is touched when there is one. */
	memset(acceptor, 0, offsetof(struct acceptor, held));
	acceptor->op.magic = ACCEPTOR_MAGIC;
	acceptor->op.class = &acceptor_class;
	acceptor->state = ACCEPTOR_NEW;
	acceptor->fd = fd;
	acceptor->shared_fd = shared_fd;
	timer_init(&acceptor->timer, acceptor_on_timer);
	list_node_init(&acceptor->paused_link);
	list_node_init(&acceptor->eager_link);
	return acceptor;
}

void acceptor_free(struct acceptor *acceptor)
{
	if (acceptor->state == ACCEPTOR_NEW && !acceptor->shared_fd)
		sock_close(acceptor->fd);
	free(acceptor);
}

/* -- arming ------------------------------------------------------------ */

static void acceptor_arm(struct acceptor *acceptor)
{
	struct ring *ring = &acceptor->worker->ring;

	acceptor->armed = true;
	acceptor->cancelled = false;
	acceptor->by_poll = !acceptor_room_promise(acceptor);
	if (acceptor->by_poll)
		ring_poll(ring, &acceptor->op, ACCEPTOR_TAG_POLL, acceptor->fd,
		    POLLIN);
	else
		ring_accept_many(
		    ring, &acceptor->op, ACCEPTOR_TAG_ACCEPT, acceptor->fd);
}

static void acceptor_disarm(struct acceptor *acceptor)
{
	if (!acceptor->armed || acceptor->cancelled)
		return;
	acceptor->cancelled = true;
	ring_cancel(&acceptor->worker->ring, &acceptor->op,
	    acceptor->by_poll ? ACCEPTOR_TAG_POLL : ACCEPTOR_TAG_ACCEPT);
}

void acceptor_narrow(struct worker *worker, const struct board_listener *row)
{
	LIST_FOREACH (node, &worker->eager) {
		struct acceptor *acceptor =
		    br_container_of(node, struct acceptor, eager_link);

		if (!row || acceptor->listener->row == row)
			acceptor_disarm(acceptor);
	}
}

static void acceptor_tell_narrow(
    struct worker *worker, struct board_listener *row)
{
	const struct lb_shared *shared = worker->shared;
	struct message message = {.kind = WORKER_NARROW, .pointer = row};

	acceptor_narrow(worker, row);
	/* One that is not told because its mailbox is full is told by the
	 * next look, ACCEPTOR_NARROW_MS later. */
	for (uint32_t i = 0; i < shared->limits.n_workers; i++)
		if (i != worker->index)
			(void)!mailbox_post(
			    shared->office, worker->index, i, message);
}

/* Promises that take what this acceptor could use are asked back; says
 * whether there are any. */
static bool acceptor_widen(struct acceptor *acceptor)
{
	struct board_listener *row;

	if (!acceptor_room_squeezed(acceptor, &row))
		return false;
	acceptor_tell_narrow(acceptor->worker, row);
	return true;
}

static void acceptor_wait(struct acceptor *acceptor)
{
	struct worker *worker = acceptor->worker;

	if (!list_linked(&acceptor->paused_link))
		list_push_back(&worker->paused, &acceptor->paused_link);
	timer_arm(&worker->wheel, &acceptor->timer,
	    mono_add_ms(worker_now(worker), acceptor_widen(acceptor)
						? ACCEPTOR_NARROW_MS
						: ACCEPTOR_PAUSE_MS));
}

static struct listener_metrics *acceptor_metrics(struct acceptor *acceptor)
{
	return &acceptor->listener->row->metrics[acceptor->worker->index];
}

/* What is in the kernel's queue stays there until there is room again. */
static void acceptor_pause(struct acceptor *acceptor)
{
	if (acceptor->state == ACCEPTOR_OPEN) {
		counter_inc(&acceptor_metrics(acceptor)->accept_pauses);
		acceptor->state = ACCEPTOR_PAUSED;
		acceptor_disarm(acceptor);
	}
	acceptor_wait(acceptor);
}

static void acceptor_hold(struct acceptor *acceptor, int fd)
{
	if (acceptor->n_held == ACCEPTOR_HELD_MAX) {
		counter_inc(&acceptor_metrics(acceptor)->refused);
		ring_close(&acceptor->worker->ring, fd);
	} else {
		acceptor->held[acceptor->n_held++] = fd;
	}
	acceptor_pause(acceptor);
}

static bool acceptor_take_slots(struct acceptor *acceptor)
{
	if (acceptor_room_take(acceptor))
		return true;
	if (!acceptor->promised)
		return false;
	/* What the promise is for; it is not renewed. */
	acceptor_room_use_promise(acceptor);
	acceptor_disarm(acceptor);
	return true;
}

/* The least loaded worker, if it is worth moving there. */
static uint32_t acceptor_better_worker(const struct worker *worker)
{
	const struct lb_shared *shared = worker->shared;
	uint64_t mine = counter_read(&worker->metrics->flows_open);
	uint64_t least = mine;
	uint32_t found = worker->index;

	for (uint32_t i = 0; i < shared->limits.n_workers; i++) {
		uint64_t open = counter_read(&shared->metrics[i].flows_open);

		if (open < least) {
			least = open;
			found = i;
		}
	}
	return mine > least + least / 4 + HANDOVER_SLACK ? found
							 : worker->index;
}

static bool acceptor_hand_over(struct acceptor *acceptor, int fd)
{
	struct worker *worker = acceptor->worker;
	struct listener *listener = acceptor->listener;
	struct message message = {.kind = WORKER_HANDOVER,
	    .number = (uint64_t)fd,
	    .pointer = listener};
	uint32_t to = acceptor_better_worker(worker);

	if (to == worker->index)
		return false;
	__atomic_fetch_add(&listener->in_transit, 1, __ATOMIC_SEQ_CST);
	if (!mailbox_post(worker->shared->office, worker->index, to, message)) {
		counter_inc(&worker->metrics->handovers);
		return true;
	}
	shared_give(&listener->in_transit);
	return false;
}

void acceptor_receive(struct worker *worker, struct listener *listener, int fd)
{
	int err = flow_accept(worker, listener, fd);

	if (err == -ENOMEM)
		counter_inc(&listener->row->metrics[worker->index].refused);
	if (err) {
		ring_close(&worker->ring, fd);
		acceptor_room_give(worker, listener);
	}
	shared_give(&listener->in_transit);
}

/* Makes a flow of it, or refuses it; false when there is no room now. */
static bool acceptor_serve(struct acceptor *acceptor, int fd)
{
	struct worker *worker = acceptor->worker;
	int err = 0;

	if (!acceptor_take_slots(acceptor))
		return false;
	if (worker->shared->limits.n_workers == 1 ||
	    !acceptor_hand_over(acceptor, fd))
		err = flow_accept(worker, acceptor->listener, fd);
	if (err)
		acceptor_room_give(worker, acceptor->listener);
	if (err == -ENOMEM)
		return false;
	if (err)
		ring_close(&worker->ring, fd);
	counter_inc(&acceptor_metrics(acceptor)->accepted);
	return true;
}

static void acceptor_take(struct acceptor *acceptor, int fd)
{
	/* Nobody overtakes those who are held. */
	if (acceptor->n_held || !acceptor_serve(acceptor, fd))
		acceptor_hold(acceptor, fd);
}

static bool acceptor_serve_held(struct acceptor *acceptor)
{
	uint32_t served = 0;

	while (served < acceptor->n_held &&
	       acceptor_serve(acceptor, acceptor->held[served]))
		served++;
	acceptor->n_held -= served;
	if (served)
		memmove(acceptor->held, acceptor->held + served,
		    acceptor->n_held * sizeof acceptor->held[0]);
	return acceptor->n_held == 0;
}

static void acceptor_resume(struct acceptor *acceptor)
{
	if (!acceptor_serve_held(acceptor) || !acceptor_room(acceptor)) {
		acceptor_wait(acceptor);
		return;
	}
	list_remove(&acceptor->paused_link);
	timer_disarm(&acceptor->worker->wheel, &acceptor->timer);
	if (acceptor->state != ACCEPTOR_PAUSED)
		return;
	acceptor->state = ACCEPTOR_OPEN;
	if (!acceptor->armed)
		acceptor_arm(acceptor);
}

static void acceptor_on_timer(struct timer *timer, struct mono now)
{
	(void)now;
	acceptor_resume(br_container_of(timer, struct acceptor, timer));
}

void acceptor_slot_freed(struct worker *worker)
{
	struct list_node *first = list_first(&worker->paused);
	struct acceptor *acceptor;

	if (!first)
		return;
	acceptor = br_container_of(first, struct acceptor, paused_link);
	/* Out of descriptors it waits for its timer: one that came free is
	 * not yet closed. */
	if (acceptor_room(acceptor))
		acceptor_resume(acceptor);
}

static void acceptor_move(struct acceptor *acceptor, struct listener *listener)
{
	if (acceptor->listener == listener)
		return;
	acceptor_room_move(acceptor, listener);
	acceptor->listener = listener;
	if (!acceptor->by_poll)
		acceptor_disarm(acceptor);
}

void acceptor_start(
    struct acceptor *acceptor, struct worker *worker, struct listener *listener)
{
	if (acceptor->state != ACCEPTOR_NEW) {
		acceptor_move(acceptor, listener);
		return;
	}
	acceptor->listener = listener;
	acceptor->worker = worker;
	acceptor->state = ACCEPTOR_OPEN;
	acceptor_arm(acceptor);
}

/* Takes what waits in the kernel's queue, then closes. New connections that
 * arrive between the last look and the close are refused by the kernel, as
 * by any listener that goes away. */
static void acceptor_finish(struct acceptor *acceptor)
{
	int fd;

	while ((fd = sock_accept(acceptor->fd)) >= 0)
		acceptor_take(acceptor, fd);
	if (!acceptor->shared_fd)
		ring_close(&acceptor->worker->ring, acceptor->fd);
	acceptor_room_return(acceptor);
	acceptor->state = ACCEPTOR_CLOSED;
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (acceptor->state == ACCEPTOR_CLOSED ||
	    acceptor->state == ACCEPTOR_STOPPING)
		return;
	acceptor->state = ACCEPTOR_STOPPING;
	if (acceptor->armed)
		acceptor_disarm(acceptor);
	else
		acceptor_finish(acceptor);
}

/* An error of one connection, or none at all (accept(2), "Error handling"). All
 * others would come again at once: of descriptors and memory, of the socket
 * itself, and those that nobody has thought of. */
static bool acceptor_may_go_on(int32_t res)
{
	switch (res) {
	case -EAGAIN:
	case -EINTR:
	case -ECANCELED:
	case -ECONNABORTED:
	case -EPROTO:
	case -ENETDOWN:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -EHOSTUNREACH:
		return true;
	default:
		return res >= 0;
	}
}

/* The queue has something: takes what there is room for. */
static void acceptor_take_some(struct acceptor *acceptor)
{
	for (uint32_t i = 0; i < ACCEPTOR_BATCH; i++) {
		int fd;

		if (!acceptor_room(acceptor)) {
			acceptor_pause(acceptor);
			return;
		}
		fd = sock_accept(acceptor->fd);
		if (fd == -EAGAIN)
			return;
		if (!acceptor_may_go_on(fd)) {
			acceptor_pause(acceptor);
			return;
		}
		if (fd >= 0)
			acceptor_take(acceptor, fd);
	}
}

static void acceptor_on_readable(struct acceptor *acceptor, int32_t res)
{
	if (acceptor_may_go_on(res))
		acceptor_take_some(acceptor);
	else
		acceptor_pause(acceptor);
}

static void acceptor_on_accept(struct acceptor *acceptor, int32_t res)
{
	if (res >= 0)
		acceptor_take(acceptor, res);
	else if (!acceptor_may_go_on(res) && acceptor->state == ACCEPTOR_OPEN)
		acceptor_pause(acceptor);
}

static void acceptor_on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct acceptor *acceptor = br_container_of(owner, struct acceptor, op);

	br_assert(acceptor->armed && acceptor->state != ACCEPTOR_NEW);
	if (!(result.flags & OP_MORE))
		acceptor->armed = false;
	if (tag == ACCEPTOR_TAG_ACCEPT)
		acceptor_on_accept(acceptor, result.res);
	else if (acceptor->state == ACCEPTOR_OPEN)
		acceptor_on_readable(acceptor, result.res);
	if (acceptor->armed)
		return;
	if (acceptor->state == ACCEPTOR_STOPPING) {
		acceptor_finish(acceptor);
		return;
	}
	acceptor_room_return(acceptor);
	if (acceptor->state == ACCEPTOR_OPEN)
		acceptor_arm(acceptor);
}
