/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_expand.h"

#include "base/arena.h"
#include "base/assert.h"
#include "fleet/name_weight.h"

#include <stdlib.h>
#include <string.h>

/* An address that a server may get. */
struct candidate {
	struct addr addr;
	const char *host;
	uint16_t priority;
	uint32_t weight;
};

struct expand {
	struct conf *conf;
	const struct name_view *view;
	uint32_t n_servers; /* over all pools, so far */
	/* -- of the server at hand -- */
	const struct conf_pool *pool;
	struct candidate *candidates;
	uint32_t n, room;
};

static void add_candidate(struct expand *e, const struct candidate *candidate)
{
	if (e->n == e->room) {
		e->room = e->room ? e->room * 2 : 64;
		e->candidates =
		    realloc(e->candidates, e->room * sizeof *e->candidates);
		if (!e->candidates)
			br_out_of_memory("addresses of a name",
			    e->room * sizeof *e->candidates);
	}
	e->candidates[e->n++] = *candidate;
}

static void add_type(struct expand *e, enum name_type type,
    const struct candidate *like, uint16_t port)
{
	const struct name_view_row *row =
	    name_view_find(e->view, like->host, type);
	struct candidate candidate = *like;

	for (uint32_t i = 0; row && i < row->n; i++) {
		candidate.addr = row->records[i].addr;
		addr_set_port(&candidate.addr, port);
		add_candidate(e, &candidate);
	}
}

/* From a source of one family only that can be reached. */
static bool wants_family(const struct conf_pool *pool, int family)
{
	if (pool->source.length && !conf_source_is_client(&pool->source) &&
	    pool->source.sa.sa_family != family)
		return false;
	return pool->resolve_family !=
	       (family == AF_INET ? CONF_FAMILY_IPV6 : CONF_FAMILY_IPV4);
}

static void add_host(
    struct expand *e, const struct candidate *like, uint16_t port)
{
	if (wants_family(e->pool, AF_INET))
		add_type(e, NAME_A, like, port);
	if (wants_family(e->pool, AF_INET6))
		add_type(e, NAME_AAAA, like, port);
}

static void add_service(struct expand *e, const struct conf_server *server)
{
	const struct name_view_row *row =
	    name_view_find(e->view, server->host, NAME_SRV);

	for (uint32_t i = 0; row && i < row->n; i++) {
		const struct name_record *record = &row->records[i];
		struct candidate like = {
		    .host = record->target,
		    .priority = record->priority,
		    .weight =
			name_weight(row->records, row->n, i, server->weight),
		};

		add_host(e, &like, record->port);
	}
}

/* -- which of them, in which order ------------------------------------- */

static int compare_addrs(const struct addr *a, const struct addr *b)
{
	int order;

	if (a->sa.sa_family != b->sa.sa_family)
		return a->sa.sa_family == AF_INET ? -1 : 1;
	if (a->sa.sa_family == AF_INET)
		order = memcmp(&a->in.sin_addr, &b->in.sin_addr, 4);
	else
		order = memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16);
	return order ? order : (int)addr_port(a) - (int)addr_port(b);
}

/* A host that two records of a service name counts by the better one. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = compare_addrs(&x->addr, &y->addr);

	if (order)
		return order;
	if (x->priority != y->priority)
		return (int)x->priority - (int)y->priority;
	return x->weight < y->weight ? 1 : x->weight > y->weight ? -1 : 0;
}

static int compare_priorities(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->priority != y->priority)
		return (int)x->priority - (int)y->priority;
	return compare_addrs(&x->addr, &y->addr);
}

static void choose(struct expand *e)
{
	uint32_t n = 0;

	if (!e->n)
		return;
	qsort(e->candidates, e->n, sizeof *e->candidates, compare_candidates);
	for (uint32_t i = 1; i < e->n; i++)
		if (compare_addrs(
			&e->candidates[n].addr, &e->candidates[i].addr))
			e->candidates[++n] = e->candidates[i];
	e->n = n + 1;
	if (e->n <= e->pool->resolve_max)
		return;
	/* Rather all of a better priority than some of each. */
	qsort(e->candidates, e->n, sizeof *e->candidates, compare_priorities);
	e->n = e->pool->resolve_max;
	qsort(e->candidates, e->n, sizeof *e->candidates, compare_candidates);
}

/* -- servers ----------------------------------------------------------- */

static void put_instance(struct expand *e, struct conf_server *to,
    const struct conf_server *server, uint32_t i)
{
	const struct candidate *candidate = &e->candidates[i];
	char text[ADDR_TEXT_MAX];

	*to = *server;
	to->addr = candidate->addr;
	/* Of a service it is a record's, which lives as long as the view. */
	to->host = arena_strdup(e->conf->arena, candidate->host);
	to->weight = candidate->weight;
	addr_format(&candidate->addr, text);
	to->instance =
	    arena_printf(e->conf->arena, "%s/%s", server->name, text);
	for (uint32_t k = 0; k < e->n; k++)
		if (e->candidates[k].priority < candidate->priority)
			to->backup = true;
}

static uint32_t expand_server(struct expand *e, struct conf_server *to,
    const struct conf_server *server, uint32_t room)
{
	struct candidate like = {
	    .host = server->host, .weight = server->weight};
	uint32_t n;

	*to = *server;
	if (!server->host)
		return 1;
	e->n = 0;
	if (server->srv)
		add_service(e, server);
	else
		add_host(e, &like, server->host_port);
	choose(e);
	if (!e->n) {
		to->weight = 0;
		return 1;
	}
	n = e->n < room ? e->n : room;
	for (uint32_t i = 0; i < n; i++)
		put_instance(e, &to[i], server, i);
	return n;
}

static bool pool_has_names(const struct conf_pool *pool)
{
	for (uint32_t i = 0; i < pool->n_servers; i++)
		if (pool->servers[i].host)
			return true;
	return false;
}

static void expand_pool(struct expand *e, struct conf_pool *pool)
{
	const struct conf_server *servers = pool->servers;
	uint32_t n_servers = pool->n_servers, n = 0;
	size_t room = 0;

	e->pool = pool;
	for (uint32_t i = 0; i < n_servers; i++)
		room += servers[i].host ? pool->resolve_max : 1;
	if (!pool_has_names(pool)) {
		e->n_servers += n_servers;
		return;
	}
	if (room > CONF_SERVERS_MAX)
		room = CONF_SERVERS_MAX;
	pool->servers =
	    arena_alloc(e->conf->arena, room * sizeof *pool->servers);
	for (uint32_t i = 0; i < n_servers; i++) {
		/* One place for each that follows, and for all other pools
		 * what they have in the file. */
		size_t left = room - n - (n_servers - i - 1);
		size_t all = CONF_SERVERS_MAX - e->n_servers;

		if (left > all)
			left = all ? all : 1;
		n += expand_server(
		    e, &pool->servers[n], &servers[i], (uint32_t)left);
	}
	pool->n_servers = n;
	e->n_servers += n;
}

struct conf *name_expand(struct conf *origin, const struct name_view *view)
{
	struct expand e = {.conf = conf_derive(origin), .view = view};

	for (uint32_t i = 0; i < e.conf->n_pools; i++)
		expand_pool(&e, &e.conf->pools[i]);
	free(e.candidates);
	return e.conf;
}

/* -- what is asked for ------------------------------------------------- */

uint32_t name_wants_of(const struct conf *conf, struct name_want **ret)
{
	struct name_want *wants;
	uint32_t n = 0, at = 0;

	for (uint32_t i = 0; i < conf->n_pools; i++)
		for (uint32_t k = 0; k < conf->pools[i].n_servers; k++)
			n += conf->pools[i].servers[k].host != NULL;
	wants = calloc(n + 1, sizeof *wants);
	if (!wants)
		br_out_of_memory("names", n * sizeof *wants);
	for (uint32_t i = 0; i < conf->n_pools; i++) {
		const struct conf_pool *pool = &conf->pools[i];

		for (uint32_t k = 0; k < pool->n_servers; k++)
			if (pool->servers[k].host)
				wants[at++] = (struct name_want){
				    .host = pool->servers[k].host,
				    .srv = pool->servers[k].srv,
				    .ipv4 = wants_family(pool, AF_INET),
				    .ipv6 = wants_family(pool, AF_INET6),
				};
	}
	*ret = wants;
	return n;
}
