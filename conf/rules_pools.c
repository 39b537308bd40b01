/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of pools: addresses, weights, queue, health checks. */
#include "conf/rules.h"

#include <string.h>

/* The default: who writes it down anyway is not mistaken. */
#define RULES_TABLE 65537u

/* The rows that the rules speak about, looked up once. */
#define RULES_POOL_ROWS(X)                                                     \
	X(balance, "pools.*.balance")                                          \
	X(servers, "pools.*.servers")                                          \
	X(zone, "pools.*.servers.*.zone")                                      \
	X(table, "pools.*.maglev.table")                                       \
	X(address, "pools.*.servers.*.address")                                \
	X(queue_length, "pools.*.queue.length")                                \
	X(queue_timeout, "pools.*.queue.timeout")                              \
	X(resolve_family, "pools.*.resolve.family")                            \
	X(source, "pools.*.source")

struct rules_pools {
	struct draft *draft;
	const struct addr_map *binds;
#define X(name, path) const struct schema_row *name;
	RULES_POOL_ROWS(X)
#undef X
};

struct rules_pool {
	const struct rules_pools *all;
	const struct scope *scope;
	struct conf_pool *pool;
};

static struct conf_pos rules_pos(
    const struct rules_pool *p, const struct schema_row *row)
{
	return *draft_seen(p->scope, row);
}

static const struct scope *rules_server_scope(
    const struct rules_pool *p, uint32_t i)
{
	return p->all->draft->entries[MAP_SERVERS]
	    .at[p->scope->below[MAP_SERVERS].first + i];
}

static void rules_weights(const struct rules_pool *p)
{
	for (uint32_t i = 0; i < p->pool->n_servers; i++)
		if (p->pool->servers[i].weight)
			return;
	if (p->pool->n_servers)
		draft_warning(p->all->draft, p->scope, p->all->servers,
		    rules_pos(p, p->all->servers),
		    "every weight is 0, so no server gets connections");
}

static bool rules_is_prime(uint32_t n)
{
	for (uint32_t i = 2; i <= n / i; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

/* A prime, so that every server's walk over the table meets each place. */
static void rules_maglev(const struct rules_pool *p)
{
	struct conf_pos pos = rules_pos(p, p->all->table);
	struct draft *draft = p->all->draft;
	uint32_t table = p->pool->maglev_table, next = table;

	if (p->pool->balance != CONF_BALANCE_MAGLEV) {
		if (pos.line && table != RULES_TABLE && !p->scope->bad)
			draft_warning(draft, p->scope, p->all->table, pos,
			    "has no effect without balance: maglev");
		return;
	}
	if (!table)
		return; /* it was wrong */
	while (!rules_is_prime(next))
		next++;
	if (next != table)
		draft_error(draft, p->scope, p->all->table, pos,
		    "%u is no prime; the next one is %u", table, next);
	else if (table < p->pool->n_servers)
		draft_error(draft, p->scope, p->all->table, pos,
		    "%u places for %u servers: want more places than servers",
		    table, p->pool->n_servers);
}

/* `first` goes on to the next server only from one that is full. */
static void rules_first(const struct rules_pool *p)
{
	for (uint32_t i = 0; p->pool->balance == CONF_BALANCE_FIRST &&
			     i + 1 < p->pool->n_servers;
	     i++) {
		const struct conf_server *server = &p->pool->servers[i];

		if (server->max_connections || server->backup ||
		    !server->weight || p->scope->bad)
			continue;
		draft_warning(p->all->draft, p->scope, p->all->balance,
		    rules_pos(p, p->all->balance),
		    "first fills a server up to its max_connections, and "
		    "server %s has none: those after it get nothing while it "
		    "is up",
		    server->name);
		return;
	}
}

/* Settles which servers are near. */
static void rules_zones(const struct rules_pool *p)
{
	const char *own = p->all->draft->conf->global.zone;
	bool warned = false;

	p->pool->zoned = own != NULL;
	for (uint32_t i = 0; i < p->pool->n_servers; i++) {
		struct conf_server *server = &p->pool->servers[i];

		if (!server->zone)
			continue;
		if (own) {
			server->local = strcmp(server->zone, own) == 0;
		} else if (!warned) {
			warned = true;
			draft_warning(p->all->draft, rules_server_scope(p, i),
			    p->all->zone,
			    *draft_seen(rules_server_scope(p, i), p->all->zone),
			    "has no effect without global.zone, which says "
			    "where Braid itself stands");
		}
	}
}

static void rules_backups(const struct rules_pool *p)
{
	for (uint32_t i = 0; i < p->pool->n_servers; i++)
		if (!p->pool->servers[i].backup)
			return;
	if (p->pool->n_servers)
		draft_warning(p->all->draft, p->scope, p->all->servers,
		    rules_pos(p, p->all->servers),
		    "every server is a backup, so none is");
}

static void rules_queue(const struct rules_pool *p)
{
	struct conf_pos timeout = rules_pos(p, p->all->queue_timeout);
	struct conf_pos length = rules_pos(p, p->all->queue_length);

	if (timeout.line && !length.line && !p->scope->bad)
		draft_warning(p->all->draft, p->scope, p->all->queue_timeout,
		    timeout, "has no effect without queue.length, which is 0");
}

static struct conf_pos rules_address_pos(const struct rules_pool *p, uint32_t i)
{
	return *draft_seen(rules_server_scope(p, i), p->all->address);
}

/* From its own address a client reaches servers of one family only, so a pool
 * with both would fail each client now and then. */
static void rules_source_client(const struct rules_pool *p, uint32_t i)
{
	const struct conf_server *first = &p->pool->servers[0];
	const struct addr *addr = &p->pool->servers[i].addr;

	if (addr_is_unix(addr))
		draft_error(p->all->draft, rules_server_scope(p, i),
		    p->all->address, rules_address_pos(p, i),
		    "a unix socket cannot be reached from the client's address "
		    "(source, line %u)",
		    rules_pos(p, p->all->source).line);
	else if (first->addr.length && !addr_is_unix(&first->addr) &&
		 first->addr.sa.sa_family != addr->sa.sa_family)
		draft_error(p->all->draft, rules_server_scope(p, i),
		    p->all->address, rules_address_pos(p, i),
		    "%s, but server %s is %s: with source: client make two "
		    "pools, and routes by source to them",
		    addr->sa.sa_family == AF_INET6 ? "IPv6" : "IPv4",
		    first->name,
		    addr->sa.sa_family == AF_INET6 ? "IPv4" : "IPv6");
}

/* A source address reaches servers of its own family only. */
static void rules_source(const struct rules_pool *p, uint32_t i)
{
	const struct addr *source = &p->pool->source;
	const struct addr *addr = &p->pool->servers[i].addr;

	if (!source->length || !addr->length ||
	    source->sa.sa_family == addr->sa.sa_family)
		return;
	if (conf_source_is_client(source)) {
		rules_source_client(p, i);
		return;
	}
	draft_error(p->all->draft, rules_server_scope(p, i), p->all->address,
	    rules_address_pos(p, i),
	    addr_is_unix(addr) ? "a unix socket cannot be reached from the "
				 "pool's source address (line %u)"
	    : addr->sa.sa_family == AF_INET6
		? "IPv6, but the pool's source address (line %u) is IPv4"
		: "IPv4, but the pool's source address (line %u) is IPv6",
	    rules_pos(p, p->all->source).line);
}

/* From a source address of one family no other can be reached. */
static void rules_resolve(const struct rules_pool *p)
{
	const struct addr *source = &p->pool->source;
	enum conf_family family = p->pool->resolve_family;

	if (!source->length || conf_source_is_client(source) ||
	    family == CONF_FAMILY_ANY ||
	    (family == CONF_FAMILY_IPV4) == (source->sa.sa_family == AF_INET))
		return;
	draft_error(p->all->draft, p->scope, p->all->resolve_family,
	    rules_pos(p, p->all->resolve_family),
	    "not the family of the pool's source address (line %u)",
	    rules_pos(p, p->all->source).line);
}

/* Who of this configuration accepts connections to that address: a bind to
 * it, or on loopback a bind to all addresses. */
static const struct rules_bind *rules_own_bind(
    const struct rules_pools *all, const struct addr *addr)
{
	const struct rules_bind *bind = addr_map_get(all->binds, addr);
	struct addr any = *addr;

	if (bind || !addr_is_loopback(addr) || addr_is_unix(addr))
		return bind;
	if (addr->sa.sa_family == AF_INET)
		any.in.sin_addr.s_addr = htonl(INADDR_ANY);
	else
		any.in6.sin6_addr = in6addr_any;
	return addr_map_get(all->binds, &any);
}

static void rules_loop(const struct rules_pool *p, uint32_t i)
{
	struct draft *draft = p->all->draft;
	const struct addr *addr = &p->pool->servers[i].addr;
	const struct rules_bind *bind = rules_own_bind(p->all, addr);
	const struct conf_listener *listener;
	char text[ADDR_TEXT_MAX];

	if (!bind || !bind->listener)
		return;
	listener = bind->listener->element;
	addr_format(addr, text);
	/* Without a reference the index says nothing. */
	if (bind->listener->ref &&
	    &draft->conf->pools[listener->pool] == p->pool)
		draft_error(draft, rules_server_scope(p, i), p->all->address,
		    rules_address_pos(p, i),
		    "%s is listener %s, which uses this pool: connections "
		    "would go round for ever",
		    text, listener->name);
	else
		draft_warning(draft, rules_server_scope(p, i), p->all->address,
		    rules_address_pos(p, i),
		    "%s is listener %s of this configuration", text,
		    listener->name);
}

static bool rules_is_responder(const struct draft *draft, const struct addr *at)
{
	const struct conf_dns *dns = &draft->conf->dns;

	for (uint32_t i = 0; i < dns->n_binds; i++) {
		const struct addr *bind = &dns->binds[i].addr;

		if (addr_equal(bind, at) ||
		    (addr_is_any(bind) && addr_is_loopback(at) &&
			bind->sa.sa_family == at->sa.sa_family &&
			addr_port(bind) == addr_port(at)))
			return true;
	}
	return false;
}

/* DNS over TLS. Without a header the responder takes the pool for the client
 * of all that comes through it; and one that it does not expect is no query. */
static void rules_responder(const struct rules_pool *p, uint32_t i)
{
	struct draft *draft = p->all->draft;
	const struct addr *addr = &p->pool->servers[i].addr;
	bool says = p->pool->proxy_out != CONF_PROXY_OFF;
	char text[ADDR_TEXT_MAX];

	if (!rules_is_responder(draft, addr))
		return;
	addr_format(addr, text);
	if (says && !draft->conf->dns.tcp_proxies.n)
		draft_error(draft, rules_server_scope(p, i), p->all->address,
		    rules_address_pos(p, i),
		    "%s is the DNS responder, which understands the PROXY "
		    "header only from addresses in dns.tcp.proxy_from",
		    text);
	else if (!says)
		draft_warning(draft, rules_server_scope(p, i), p->all->address,
		    rules_address_pos(p, i),
		    "%s is the DNS responder, to which all clients of this "
		    "pool are one (dns.tcp.per_source is %u): want "
		    "proxy_protocol: v2 and the pool's source in "
		    "dns.tcp.proxy_from",
		    text, draft->conf->dns.tcp_per_source);
}

static void rules_servers(const struct rules_pool *p)
{
	struct draft *draft = p->all->draft;
	struct addr_map *seen =
	    addr_map_new(draft->scratch, p->pool->n_servers);
	char text[ADDR_TEXT_MAX];

	for (uint32_t i = 0; i < p->pool->n_servers; i++) {
		struct conf_server *server = &p->pool->servers[i];
		struct conf_server *before;

		if (!server->addr.length)
			continue;
		before = addr_map_add(seen, &server->addr, server);
		addr_format(&server->addr, text);
		if (before)
			draft_warning(draft, rules_server_scope(p, i),
			    p->all->address, rules_address_pos(p, i),
			    "%s is the address of server %s too (line %u)",
			    text, before->name, before->pos.line);
		if (addr_is_any(&server->addr))
			draft_error(draft, rules_server_scope(p, i),
			    p->all->address, rules_address_pos(p, i),
			    "%s is no address that a server can have", text);
		rules_source(p, i);
		rules_loop(p, i);
		rules_responder(p, i);
	}
}

void rules_pools(struct draft *draft, const struct addr_map *binds)
{
	const struct scope_list *list = &draft->entries[MAP_POOLS];
	struct rules_pools all = {.draft = draft,
	    .binds = binds,
#define X(name, path) .name = schema_find(path),
	    RULES_POOL_ROWS(X)
#undef X
	};

	for (uint32_t i = 0; i < list->n; i++) {
		struct rules_pool pool = {
		    .all = &all,
		    .scope = list->at[i],
		    .pool = list->at[i]->element,
		};

		rules_weights(&pool);
		rules_maglev(&pool);
		rules_first(&pool);
		rules_zones(&pool);
		rules_backups(&pool);
		rules_queue(&pool);
		rules_health(draft, list->at[i]);
		rules_resolve(&pool);
		rules_shards(draft, list->at[i]);
		rules_servers(&pool);
	}
}
