/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/upstream.h"

#include "base/assert.h"
#include "io/tls_context.h"
#include "io/tls_session.h"
#include "lb/balance_key.h"
#include "lb/balance_table.h"
#include "lb/flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A slot may be lost to another worker between pick and take. */
#define CHOOSE_TRIES 4

static struct upstream_worker *upstream_mine(
    struct upstream *upstream, const struct worker *worker)
{
	return &upstream->workers[worker->index];
}

/* -- lifetime ---------------------------------------------------------- */

struct upstream *upstream_new(struct pool *pool, uint32_t n_workers)
{
	struct upstream *upstream = calloc(1, sizeof *upstream);
	size_t bytes = n_workers * sizeof *upstream->workers;

	if (!upstream)
		return NULL;
	upstream->pool = pool;
	upstream->workers =
	    aligned_alloc(_Alignof(struct upstream_worker), bytes);
	if (balance_keyed(pool->balance))
		upstream->table = balance_table_new(pool);
	if (!upstream->workers ||
	    (balance_keyed(pool->balance) && !upstream->table)) {
		upstream_free(upstream);
		return NULL;
	}
	memset(upstream->workers, 0, bytes);
	for (uint32_t i = 0; i < n_workers; i++) {
		struct upstream_worker *mine = &upstream->workers[i];

		list_node_init(&mine->waiting_link);
		list_init(&mine->queue);
		mine->upstream = upstream;
		mine->oldest_ns = INT64_MAX;
		if (balance_init(&mine->balance, pool, upstream->table)) {
			upstream_free(upstream);
			return NULL;
		}
		upstream->n_workers = i + 1;
	}
	return upstream;
}

static void upstream_free_tls(struct upstream *upstream)
{
	if (!upstream->tls)
		return;
	for (uint32_t i = 0; i < upstream->n_workers; i++) {
		struct tls_resume *resume = upstream->workers[i].resume;

		for (uint32_t j = 0; resume && j < upstream->pool->n_servers;
		     j++)
			tls_resume_clear(&resume[j]);
		free(resume);
		tls_context_free(upstream->tls[i]);
	}
	free(upstream->tls);
	free(upstream->tls_name);
}

void upstream_free(struct upstream *upstream)
{
	upstream_free_tls(upstream);
	for (uint32_t i = 0; i < upstream->n_workers; i++)
		balance_fini(&upstream->workers[i].balance);
	balance_table_free(upstream->table);
	free(upstream->workers);
	free(upstream);
}

bool upstream_pinned(const struct upstream *upstream)
{
	for (uint32_t i = 0; i < upstream->n_workers; i++)
		if (counter_read(&upstream->workers[i].pins))
			return true;
	return false;
}

void upstream_pin(struct upstream *upstream, const struct worker *worker)
{
	counter_inc(&upstream_mine(upstream, worker)->pins);
}

void upstream_unpin(struct upstream *upstream, const struct worker *worker)
{
	counter_sub(&upstream_mine(upstream, worker)->pins, 1);
}

/* -- TLS towards servers ----------------------------------------------- */

int upstream_set_tls(
    struct upstream *upstream, struct tls_context **contexts, const char *name)
{
	upstream->tls = contexts;
	if (name && !(upstream->tls_name = strdup(name)))
		return -ENOMEM;
	for (uint32_t i = 0; i < upstream->n_workers; i++) {
		struct upstream_worker *mine = &upstream->workers[i];

		mine->resume =
		    calloc(upstream->pool->n_servers, sizeof *mine->resume);
		if (!mine->resume)
			return -ENOMEM;
	}
	return 0;
}

/* The name is NULL for what is no IP address. */
static const char *upstream_ip_text(
    const struct addr *addr, char *room, size_t n)
{
	if (addr->sa.sa_family == AF_INET)
		return inet_ntop(
		    AF_INET, &addr->in.sin_addr, room, (socklen_t)n);
	if (addr->sa.sa_family == AF_INET6)
		return inet_ntop(
		    AF_INET6, &addr->in6.sin6_addr, room, (socklen_t)n);
	return NULL;
}

void upstream_tls_peer(struct upstream *upstream, const struct worker *worker,
    const struct server *server, struct tls_peer *ret)
{
	struct upstream_worker *mine = upstream_mine(upstream, worker);
	const char *name =
	    upstream->tls_name ? upstream->tls_name : server->host;

	*ret = (struct tls_peer){
	    .sni = name,
	    .verify_name = name,
	    .resume = &mine->resume[server->index],
	};
	if (!name)
		ret->verify_name = upstream_ip_text(
		    &server->addr, worker->scratch, WORKER_SCRATCH_BYTES);
}

/* -- choosing ---------------------------------------------------------- */

bool upstream_wants_client(const struct upstream *upstream)
{
	return balance_keyed(upstream->pool->balance) ||
	       upstream->pool->source_client;
}

int upstream_choose(struct upstream *upstream, struct worker *worker,
    const struct flow_client *client, const uint32_t *tried, uint32_t n_tried,
    struct server **ret)
{
	struct balance *balance = &upstream_mine(upstream, worker)->balance;
	struct balance_ask ask = {
	    .tried = tried,
	    .n_tried = n_tried,
	    .now_ns = worker_now(worker).ns,
	};
	bool full = false;

	if (balance_keyed(upstream->pool->balance))
		ask.key = balance_key(client, &worker->rng);
	for (int i = 0; i < CHOOSE_TRIES; i++) {
		const struct balance_entry *entry =
		    balance_pick(balance, &ask, &worker->rng, &full);

		if (!entry)
			return full ? BR_E_LIMIT : BR_E_NO_SERVER;
		if (board_slot_take(entry->server->row, entry->limit)) {
			*ret = entry->server;
			return 0;
		}
	}
	return BR_E_LIMIT;
}

bool upstream_may_choose(struct upstream *upstream, const struct worker *worker,
    const struct server *server)
{
	return balance_may_pick(&upstream_mine(upstream, worker)->balance,
	    server, worker_now(worker).ns);
}

/* -- the queue --------------------------------------------------------- */

/* Others read it to find who has waited longest. */
static void upstream_publish_oldest(struct upstream_worker *mine)
{
	struct list_node *first = list_first(&mine->queue);
	int64_t oldest = INT64_MAX;

	if (first) {
		struct flow *flow =
		    br_container_of(first, struct flow, queue_link);

		oldest = flow->accepted_at.ns;
	}
	__atomic_store_n(&mine->oldest_ns, oldest, __ATOMIC_SEQ_CST);
}

int upstream_enqueue(
    struct upstream *upstream, struct worker *worker, struct flow *flow)
{
	struct upstream_worker *mine = upstream_mine(upstream, worker);

	if (!upstream->pool->queue_length ||
	    !shared_take(&upstream->queued, upstream->pool->queue_length))
		return BR_E_QUEUE_FULL;
	list_push_back(&mine->queue, &flow->queue_link);
	mine->queued++;
	upstream_publish_oldest(mine);
	if (!list_linked(&mine->waiting_link))
		list_push_back(&worker->waiting, &mine->waiting_link);
	worker_watch_queues(worker);
	return 0;
}

void upstream_dequeue(
    struct upstream *upstream, struct worker *worker, struct flow *flow)
{
	struct upstream_worker *mine = upstream_mine(upstream, worker);

	br_assert(list_linked(&flow->queue_link) && mine->queued > 0);
	list_remove(&flow->queue_link);
	mine->queued--;
	shared_give(&upstream->queued);
	upstream_publish_oldest(mine);
	if (!mine->queued)
		list_remove(&mine->waiting_link);
}

/* The worker whose first flow has waited longest; UINT32_MAX: none. */
static uint32_t upstream_longest_waiting(const struct upstream *upstream)
{
	uint32_t found = UINT32_MAX;
	int64_t oldest = INT64_MAX;

	for (uint32_t i = 0; i < upstream->n_workers; i++) {
		int64_t at = __atomic_load_n(
		    &upstream->workers[i].oldest_ns, __ATOMIC_SEQ_CST);

		if (at < oldest) {
			oldest = at;
			found = i;
		}
	}
	return found;
}

void upstream_wake(struct upstream *upstream, struct worker *worker)
{
	struct upstream_worker *mine = upstream_mine(upstream, worker);
	struct list_node *node;

	/* A flow whose connect fails at once gives its slot back right here:
	 * the loop above it on the stack goes on with the next. */
	if (mine->waking)
		return;
	mine->waking = true;
	while ((node = list_first(&mine->queue)) != NULL) {
		struct flow *flow =
		    br_container_of(node, struct flow, queue_link);
		struct server *server;

		/* First come, first served also over workers: one that looks
		 * by itself leaves the slot to whom has waited longer, who
		 * looks as often. */
		if (upstream_longest_waiting(upstream) != worker->index)
			break;
		if (upstream_choose(
			upstream, worker, &flow->client, NULL, 0, &server))
			break;
		upstream_dequeue(upstream, worker, flow);
		flow_dequeued(flow, server);
	}
	mine->waking = false;
}

/*
 * No wake-up is lost: who queues announces itself (queued, oldest_ns) and
 * then looks for a slot once more; who releases gives the slot back and then
 * looks for waiting flows; all of it sequentially consistent, so at least one
 * of the two sees the other. A full mailbox drops the message: the waiting
 * worker also looks by itself every few milliseconds.
 */
void upstream_release(
    struct upstream *upstream, struct worker *worker, struct server *server)
{
	struct message message = {
	    .kind = WORKER_WAKE_QUEUE, .pointer = upstream};
	uint32_t to;

	board_slot_release(server->row);
	if (!shared_read(&upstream->queued))
		return;
	to = upstream_longest_waiting(upstream);
	if (to == UINT32_MAX)
		return;
	if (to == worker->index)
		upstream_wake(upstream, worker);
	else if (mailbox_post(
		     worker->shared->office, worker->index, to, message))
		return;
}
