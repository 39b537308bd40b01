/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/plan.h"

#include "base/assert.h"
#include "base/hash.h"
#include "daemon/dns_pops.h"
#include "daemon/dns_sockets.h"
#include "daemon/dns_store.h"
#include "daemon/plan_index.h"
#include "daemon/profiling_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one plan_build() works on. */
struct build {
	struct plan *plan;
	const struct plan *before;
	const struct plan_source *source;
	const struct conf_diff *diff;
	struct board *board;
	struct plan_error *error;
	struct plan_index sockets_before; /* places in before->binds */
	bool *kept; /* [before->n_binds] */
	bool *dns_kept; /* [before->n_dns_binds] */
};

/* A named array; never NULL, also for 0. */
static void *plan_array(size_t n, size_t bytes)
{
	void *array = calloc(n ? n : 1, bytes);

	if (!array)
		br_out_of_memory("a plan", n * bytes);
	return array;
}

static uint32_t count_binds(const struct conf *conf)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf->n_listeners; i++)
		n += conf->listeners[i].n_binds;
	return n;
}

static struct plan *plan_new(
    struct conf *conf, const struct plan *before, uint32_t n_workers)
{
	struct plan *plan = plan_array(1, sizeof *plan);

	plan->conf = conf;
	plan->number = before ? before->number + 1 : 1;
	plan->loaded_at = wall_now();
	plan->n_workers = n_workers;
	plan->upstreams = plan_array(conf->n_pools, sizeof(void *));
	plan->pops = plan_array(conf->n_pops, sizeof(void *));
	plan->listeners = plan_array(conf->n_listeners, sizeof(void *));
	plan->binds = plan_array(count_binds(conf), sizeof *plan->binds);
	plan->dns_binds =
	    plan_array(conf->dns.n_binds, sizeof *plan->dns_binds);
	plan->leaving = plan_array(n_workers, sizeof *plan->leaving);
	for (uint32_t i = 0; i < n_workers; i++) {
		list_node_init(&plan->leaving[i].link);
		plan->leaving[i].plan = plan;
	}
	list_node_init(&plan->retired);
	return plan;
}

/* -- pools and listeners ----------------------------------------------- */

/* The contexts of a new object; it owns them afterwards. */
static int give_upstream_tls(
    struct build *b, uint32_t i, struct upstream *upstream)
{
	const struct conf_pool *conf = &b->plan->conf->pools[i];
	struct tls_context **contexts;
	int err =
	    tls_store_pool(b->source->tls, i, b->plan->n_workers, &contexts);

	if (err || !contexts)
		return err;
	err =
	    tls_store_pool_check(b->source->tls, i, &upstream->pool->check_tls);
	if (err) {
		for (uint32_t k = 0; k < b->plan->n_workers; k++)
			tls_context_free(contexts[k]);
		free(contexts);
		return err;
	}
	return upstream_set_tls(upstream, contexts, conf->tls.sni);
}

static bool upstream_is_same(const struct build *b, uint32_t i)
{
	return b->before && b->diff->pools[i] == CONF_SAME &&
	       tls_store_same_pool(
		   b->source->tls, i, b->before->tls, b->diff->pool_before[i]);
}

static int build_upstream(struct build *b, uint32_t i)
{
	const struct conf_pool *conf = &b->plan->conf->pools[i];
	struct upstream *upstream;
	struct pool *pool;

	if (upstream_is_same(b, i)) {
		upstream = b->before->upstreams[b->diff->pool_before[i]];
	} else {
		pool = pool_new(conf, b->board);
		upstream = upstream_new(pool, b->plan->n_workers);
		if (!upstream || give_upstream_tls(b, i, upstream)) {
			if (upstream)
				upstream_free(upstream);
			if (pool->check_tls)
				tls_context_free(pool->check_tls);
			pool_free(pool, b->board);
			return -ENOMEM;
		}
	}
	upstream->references++;
	b->plan->upstreams[i] = upstream;
	b->plan->n_upstreams = i + 1;
	return 0;
}

static int give_listener_tls(
    struct build *b, uint32_t i, struct listener *listener)
{
	struct tls_context **contexts;
	int err = tls_store_listener(b->source->tls, i, b->source->tls_process,
	    b->plan->n_workers, &contexts);

	if (!err && contexts)
		listener_set_tls(listener, contexts);
	return err;
}

static struct listener *listener_before(const struct build *b, uint32_t i)
{
	uint32_t j;

	if (!b->before || b->diff->listeners[i] != CONF_SAME)
		return NULL;
	j = b->diff->listener_before[i];
	return tls_store_same_listener(b->source->tls, i, b->before->tls, j)
		   ? b->before->listeners[j]
		   : NULL;
}

static int build_listener(struct build *b, uint32_t i)
{
	const struct conf_listener *conf = &b->plan->conf->listeners[i];
	struct upstream *const *upstreams = b->plan->upstreams;
	struct listener *listener = listener_before(b, i);

	/* An unchanged listener in front of a changed pool needs to point to
	 * the new one. */
	if (!listener || !listener_leads_to(listener, conf, upstreams)) {
		struct board_listener *row =
		    board_listener_get(b->board, conf->name);

		listener =
		    listener_new(conf, upstreams, row, b->plan->n_workers);
		if (!listener || give_listener_tls(b, i, listener)) {
			if (listener)
				listener_free(listener);
			board_listener_unref(b->board, row);
			return -ENOMEM;
		}
	}
	listener->references++;
	b->plan->listeners[i] = listener;
	b->plan->n_listeners = i + 1;
	return 0;
}

/* Their rows live on over the plans; the objects are soon made. */
static void build_pops(struct build *b)
{
	struct plan *plan = b->plan;

	for (; plan->n_pops < plan->conf->n_pops; plan->n_pops++)
		plan->pops[plan->n_pops] = dns_pops_pool_new(
		    &plan->conf->pops[plan->n_pops], b->board);
}

/* -- sockets ----------------------------------------------------------- */

struct sought {
	const struct plan *plan;
	const struct addr *addr;
};

static bool bind_matches(const void *context, uint32_t place)
{
	const struct sought *sought = context;

	return addr_equal(&sought->plan->binds[place].addr, sought->addr);
}

static struct plan_sockets *find_before(struct build *b, const struct addr *at)
{
	struct sought sought = {.plan = b->before, .addr = at};
	uint32_t place;

	if (!b->before)
		return NULL;
	place = plan_index_find(
	    &b->sockets_before, addr_hash(at, 0), bind_matches, &sought);
	if (place == PLAN_INDEX_NONE)
		return NULL;
	b->kept[place] = true;
	return b->before->binds[place].sockets;
}

static struct sock_listen_options options_of(const struct conf_listener *conf)
{
	return (struct sock_listen_options){
	    .backlog = conf->backlog,
	    .keepalive_ms = conf->keepalive_ms,
	    .user_timeout_ms = conf->user_timeout_ms,
	    .transparent = conf->transparent,
	};
}

static int build_bind(struct build *b, uint32_t listener, const struct addr *at)
{
	const struct conf_listener *conf = &b->plan->conf->listeners[listener];
	struct sock_listen_options options = options_of(conf);
	struct plan_bind *bind = &b->plan->binds[b->plan->n_binds];
	struct plan_sockets *sockets = find_before(b, at);
	int err;

	if (sockets) {
		sockets->references++;
	} else {
		err = plan_sockets_open(
		    at, &options, b->plan->n_workers, &sockets);
		if (err) {
			plan_sockets_explain(
			    b->error, "listener ", conf->name, at, err);
			return err;
		}
	}
	bind->addr = *at;
	addr_format(at, bind->text);
	bind->listener = b->plan->listeners[listener];
	bind->sockets = sockets;
	b->plan->n_binds++;
	return 0;
}

static int build_binds(struct build *b)
{
	const struct conf *conf = b->plan->conf;

	for (uint32_t i = 0; i < conf->n_listeners; i++)
		for (uint32_t j = 0; j < conf->listeners[i].n_binds; j++) {
			int err =
			    build_bind(b, i, &conf->listeners[i].binds[j].addr);

			if (err)
				return err;
		}
	return 0;
}

static int fail_dns(struct build *b, const struct addr *at, int err)
{
	plan_sockets_explain(b->error, "dns.", "bind", at, err);
	return err;
}

static struct dns_sockets *find_dns_before(
    struct build *b, const struct addr *at)
{
	for (uint32_t i = 0; b->before && i < b->before->n_dns_binds; i++)
		if (addr_equal(&b->before->dns_binds[i].addr, at)) {
			b->dns_kept[i] = true;
			return b->before->dns_binds[i].sockets;
		}
	return NULL;
}

static int build_dns_binds(struct build *b)
{
	struct plan *plan = b->plan;
	const struct conf_dns *conf = &plan->conf->dns;

	for (uint32_t i = 0; i < conf->n_binds; i++) {
		const struct addr *at = &conf->binds[i].addr;
		struct dns_sockets *sockets = find_dns_before(b, at);
		int err = 0;

		if (sockets)
			sockets->references++;
		else
			err = dns_sockets_open(
			    at, conf->free_bind, plan->n_workers, &sockets);
		if (err)
			return fail_dns(b, at, err);
		plan->dns_binds[plan->n_dns_binds++] =
		    (struct plan_dns_bind){.addr = *at, .sockets = sockets};
	}
	return 0;
}

static int probe_dns_binds(struct build *b)
{
	const struct conf_dns *conf = &b->plan->conf->dns;

	for (uint32_t i = 0; i < conf->n_binds && !b->before; i++) {
		int err =
		    dns_sockets_probe(&conf->binds[i].addr, conf->free_bind);

		if (err)
			return fail_dns(b, &conf->binds[i].addr, err);
	}
	return 0;
}

/* At boot every address is tried before any is opened: afterwards our own
 * sockets would be in the way ("0.0.0.0:80" beside "127.0.0.1:80"). */
static int probe_binds(struct build *b)
{
	const struct conf *conf = b->plan->conf;

	for (uint32_t i = 0; i < conf->n_listeners && !b->before; i++)
		for (uint32_t j = 0; j < conf->listeners[i].n_binds; j++) {
			const struct addr *at =
			    &conf->listeners[i].binds[j].addr;
			int err = plan_sockets_probe(
			    at, conf->listeners[i].transparent);

			if (err) {
				plan_sockets_explain(b->error, "listener ",
				    conf->listeners[i].name, at, err);
				return err;
			}
		}
	return 0;
}

void plan_open_beside(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_binds; i++)
		plan_sockets_open_beside(plan->binds[i].sockets);
	for (uint32_t i = 0; i < plan->n_dns_binds; i++)
		dns_sockets_open_beside(plan->dns_binds[i].sockets);
}

/* Nothing below can fail. */
static void adjust_sockets(struct plan *plan)
{
	const struct conf *conf = plan->conf;
	uint32_t at = 0;

	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		struct sock_listen_options options =
		    options_of(&conf->listeners[i]);

		for (uint32_t j = 0; j < conf->listeners[i].n_binds; j++)
			plan_sockets_adjust(
			    plan->binds[at++].sockets, &options);
	}
}

static void note_gone(struct build *b)
{
	struct plan *plan = b->plan;

	plan->gone = plan_array(b->before->n_binds, sizeof *plan->gone);
	for (uint32_t i = 0; i < b->before->n_binds; i++)
		if (!b->kept[i])
			plan->gone[plan->n_gone++] =
			    b->before->binds[i].sockets;
	plan->dns_gone =
	    plan_array(b->before->n_dns_binds, sizeof *plan->dns_gone);
	for (uint32_t i = 0; i < b->before->n_dns_binds; i++)
		if (!b->dns_kept[i])
			plan->dns_gone[plan->n_dns_gone++] =
			    b->before->dns_binds[i].sockets;
}

/* -- the whole --------------------------------------------------------- */

static int build_profiling(struct build *b)
{
	struct plan *plan = b->plan;

	if (!b->source->keeps_files)
		return profiling_open(plan->conf, &plan->profiling,
		    b->error->text, sizeof b->error->text);
	plan->profiling = profiling_share(b->before->profiling);
	return 0;
}

static int build_all(struct build *b)
{
	const struct conf *conf = b->plan->conf;
	int err = probe_binds(b);

	if (!err)
		err = probe_dns_binds(b);
	for (uint32_t i = 0; i < conf->n_pools && !err; i++)
		err = build_upstream(b, i);
	for (uint32_t i = 0; i < conf->n_listeners && !err; i++)
		err = build_listener(b, i);
	build_pops(b);
	if (!err)
		err = build_profiling(b);
	if (!err)
		err = build_binds(b);
	if (!err)
		err = build_dns_binds(b);
	return err;
}

int plan_build(const struct plan_source *source, const struct plan *before,
    struct board *board, uint32_t n_workers, struct plan **ret,
    struct plan_error *ret_error)
{
	struct build b = {
	    .plan = plan_new(source->conf, before, n_workers),
	    .before = before,
	    .source = source,
	    .diff = source->diff,
	    .board = board,
	    .error = ret_error,
	};
	uint32_t n_before = before ? before->n_binds : 0;
	int err;

	plan_index_init(&b.sockets_before, n_before);
	b.kept = plan_array(n_before, sizeof *b.kept);
	b.dns_kept =
	    plan_array(before ? before->n_dns_binds : 0, sizeof *b.dns_kept);
	for (uint32_t i = 0; i < n_before; i++)
		plan_index_add(
		    &b.sockets_before, addr_hash(&before->binds[i].addr, 0), i);
	ret_error->text[0] = '\0';
	err = build_all(&b);
	if (err) {
		b.plan->conf = NULL; /* stays the caller's */
		plan_free(b.plan, board);
		ret_error->code = err;
		if (!ret_error->text[0])
			(void)snprintf(ret_error->text, sizeof ret_error->text,
			    "pools and listeners: %s", br_strerror(err));
	} else {
		b.plan->tls = source->tls;
		b.plan->dns = source->dns;
		adjust_sockets(b.plan);
		if (before)
			note_gone(&b);
		*ret = b.plan;
	}
	free(b.kept);
	free(b.dns_kept);
	plan_index_fini(&b.sockets_before);
	return err;
}

static void upstream_unref(struct upstream *upstream, struct board *board)
{
	struct pool *pool = upstream->pool;

	br_assert(upstream->references > 0);
	if (--upstream->references)
		return;
	upstream_free(upstream);
	if (pool->check_tls)
		tls_context_free(pool->check_tls);
	pool_free(pool, board);
}

static void listener_unref(struct listener *listener, struct board *board)
{
	struct board_listener *row = listener->row;

	br_assert(listener->references > 0);
	if (--listener->references)
		return;
	listener_free(listener);
	board_listener_unref(board, row);
}

void plan_free(struct plan *plan, struct board *board)
{
	for (uint32_t i = 0; i < plan->n_binds; i++)
		plan_sockets_unref(plan->binds[i].sockets);
	for (uint32_t i = 0; i < plan->n_dns_binds; i++)
		dns_sockets_unref(plan->dns_binds[i].sockets);
	for (uint32_t i = 0; i < plan->n_listeners; i++)
		listener_unref(plan->listeners[i], board);
	for (uint32_t i = 0; i < plan->n_upstreams; i++)
		upstream_unref(plan->upstreams[i], board);
	for (uint32_t i = 0; i < plan->n_pops; i++)
		pool_free(plan->pops[i], board);
	tls_store_free(plan->tls);
	dns_store_unref(plan->dns);
	profiling_close(plan->profiling);
	if (plan->conf)
		conf_free(plan->conf);
	free(plan->gone);
	free(plan->dns_gone);
	free(plan->leaving);
	free(plan->binds);
	free(plan->dns_binds);
	free(plan->listeners);
	free(plan->upstreams);
	free(plan->pops);
	free(plan);
}

bool plan_pinned(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_listeners; i++)
		if (plan->listeners[i]->references == 1 &&
		    listener_pinned(plan->listeners[i]))
			return true;
	for (uint32_t i = 0; i < plan->n_upstreams; i++)
		if (plan->upstreams[i]->references == 1 &&
		    upstream_pinned(plan->upstreams[i]))
			return true;
	return false;
}

struct upstream *plan_find_pool(const struct plan *plan, const char *name)
{
	for (uint32_t i = 0; i < plan->n_upstreams; i++)
		if (!strcmp(plan->upstreams[i]->pool->name, name))
			return plan->upstreams[i];
	return NULL;
}

struct pool *plan_pool_at(const struct plan *plan, uint32_t i)
{
	return i < plan->n_upstreams ? plan->upstreams[i]->pool
				     : plan->pops[i - plan->n_upstreams];
}

struct pool *plan_any_pool(const struct plan *plan, const char *name)
{
	for (uint32_t i = 0; i < plan->n_upstreams + plan->n_pops; i++)
		if (!strcmp(plan_pool_at(plan, i)->name, name))
			return plan_pool_at(plan, i);
	return NULL;
}

void plan_supersede(struct plan *old, struct plan *next)
{
	br_assert(!old->n_gone && !old->n_dns_gone);
	free(old->gone);
	old->gone = next->gone;
	old->n_gone = next->n_gone;
	next->gone = NULL;
	next->n_gone = 0;
	free(old->dns_gone);
	old->dns_gone = next->dns_gone;
	old->n_dns_gone = next->n_dns_gone;
	next->dns_gone = NULL;
	next->n_dns_gone = 0;
}
