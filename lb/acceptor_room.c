/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/acceptor_room.h"

#include "lb/listener.h"

/* Promised beyond the queue: what comes in while it is emptied. */
#define ACCEPTOR_SLACK 64

static uint32_t acceptor_room_below(
    const uint32_t *count, const uint32_t *promised, uint32_t max)
{
	uint64_t used = (uint64_t)shared_read(count) + shared_read(promised);

	return used < max ? (uint32_t)(max - used) : 0;
}

uint32_t acceptor_room(const struct acceptor *acceptor)
{
	const struct lb_shared *shared = acceptor->worker->shared;
	const struct listener *listener = acceptor->listener;
	uint32_t room = acceptor_room_below(&shared->connections,
	    &shared->promised, shared->limits.max_connections);
	uint32_t own = UINT32_MAX;

	if (listener->max_connections)
		own = acceptor_room_below(&listener->row->connections,
		    &listener->row->promised, listener->max_connections);
	return own < room ? own : room;
}

/* So much must stay free beside a new promise, so that near a limit promises
 * do not come and go with every connection. */
static uint32_t acceptor_room_spare(uint32_t max)
{
	return max / 16;
}

bool acceptor_room_promise(struct acceptor *acceptor)
{
	struct lb_shared *shared = acceptor->worker->shared;
	struct listener *listener = acceptor->listener;
	uint32_t n = listener->backlog + ACCEPTOR_SLACK;
	uint32_t max = shared->limits.max_connections;

	/* A look first: a promise that is taken back disturbs others. */
	if (acceptor_room(acceptor) < n)
		return false;
	if (!shared_promise(&shared->connections, &shared->promised, n,
		acceptor_room_spare(max), max))
		return false;
	max = listener->max_connections;
	if (!shared_promise(&listener->row->connections,
		&listener->row->promised, n, acceptor_room_spare(max), max)) {
		__atomic_fetch_sub(&shared->promised, n, __ATOMIC_SEQ_CST);
		return false;
	}
	acceptor->promised = n;
	list_push_back(&acceptor->worker->eager, &acceptor->eager_link);
	return true;
}

void acceptor_room_return(struct acceptor *acceptor)
{
	uint32_t n = acceptor->promised;

	list_remove(&acceptor->eager_link);
	acceptor->promised = 0;
	if (!n)
		return;
	__atomic_fetch_sub(
	    &acceptor->worker->shared->promised, n, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(
	    &acceptor->listener->row->promised, n, __ATOMIC_SEQ_CST);
}

/* Counted before it leaves the promise, so that nobody sees it free. */
void acceptor_room_use_promise(struct acceptor *acceptor)
{
	struct lb_shared *shared = acceptor->worker->shared;
	struct board_listener *row = acceptor->listener->row;

	__atomic_fetch_add(&shared->connections, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&row->connections, 1, __ATOMIC_SEQ_CST);
	shared_give(&shared->promised);
	shared_give(&row->promised);
	acceptor->promised--;
}

bool acceptor_room_take(struct acceptor *acceptor)
{
	struct lb_shared *shared = acceptor->worker->shared;
	struct listener *listener = acceptor->listener;

	if (!shared_take_beside(&shared->connections, &shared->promised,
		shared->limits.max_connections))
		return false;
	if (shared_take_beside(&listener->row->connections,
		&listener->row->promised, listener->max_connections))
		return true;
	shared_give(&shared->connections);
	return false;
}

void acceptor_room_give(struct worker *worker, struct listener *listener)
{
	shared_give(&worker->shared->connections);
	shared_give(&listener->row->connections);
}

void acceptor_room_move(struct acceptor *acceptor, struct listener *to)
{
	__atomic_fetch_add(
	    &to->row->promised, acceptor->promised, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&acceptor->listener->row->promised,
	    acceptor->promised, __ATOMIC_SEQ_CST);
}

bool acceptor_room_squeezed(
    const struct acceptor *acceptor, struct board_listener **ret_row)
{
	const struct lb_shared *shared = acceptor->worker->shared;
	const struct listener *listener = acceptor->listener;
	struct board_listener *row = listener->row;

	if (shared_read(&shared->promised) &&
	    !acceptor_room_below(&shared->connections, &shared->promised,
		shared->limits.max_connections)) {
		*ret_row = NULL;
		return true;
	}
	if (!listener->max_connections || !shared_read(&row->promised) ||
	    acceptor_room_below(
		&row->connections, &row->promised, listener->max_connections))
		return false;
	*ret_row = row;
	return true;
}
