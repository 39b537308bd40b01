/* SPDX-License-Identifier: Apache-2.0 */
/* Where a check of a target goes, and in what it is wrapped. */
#include <arpa/inet.h>
#include <errno.h>

#include "io/tls_context.h"
#include "probe/probe_target.h"

/* A check that goes elsewhere than the flows is not wrapped as they are,
 * unless told so: what answers there is mostly a plain page. */
static bool goes_elsewhere(const struct pool *pool, const struct server *server)
{
	return pool->health.port || server->health_addr.length;
}

static bool wants_tls(const struct pool *pool, const struct server *server)
{
	switch (pool->health.type) {
	case CONF_HEALTH_TLS:
		return true;
	case CONF_HEALTH_HTTP:
	case CONF_HEALTH_SEND_EXPECT:
		break;
	case CONF_HEALTH_NONE:
	case CONF_HEALTH_TCP:
		return false;
	}
	if (pool->health.tls == CONF_HEALTH_TLS_AUTO)
		return pool->speaks_tls && !goes_elsewhere(pool, server);
	return pool->health.tls == CONF_HEALTH_TLS_ON;
}

bool probe_target_borrows(const struct pool *pool)
{
	return pool->check_tls != NULL;
}

static void on_problem(void *owner, const struct tls_problem *problem)
{
	(void)owner, (void)problem;
}

static int make_any_tls(struct probe_set *set)
{
	struct tls_client_options options = {.verify = TLS_VERIFY_NONE};
	int err = 0;

	/* Nothing is read from disk, since nobody is verified. */
	if (!set->any_client)
		err = tls_client_load(
		    &options, on_problem, NULL, &set->any_client);
	if (!err && !set->any_tls)
		err = tls_context_new_client(set->any_client, &set->any_tls);
	return err ? -ENOMEM : 0;
}

void probe_set_free_tls(struct probe_set *set)
{
	if (set->any_tls)
		tls_context_free(set->any_tls);
	if (set->any_client)
		tls_client_free(set->any_client);
}

/* The name is NULL for what is no IP address. */
static const char *ip_text(const struct addr *addr, char *text)
{
	if (addr->sa.sa_family == AF_INET)
		return inet_ntop(
		    AF_INET, &addr->in.sin_addr, text, INET6_ADDRSTRLEN);
	if (addr->sa.sa_family == AF_INET6)
		return inet_ntop(
		    AF_INET6, &addr->in6.sin6_addr, text, INET6_ADDRSTRLEN);
	return NULL;
}

static int request_tls(struct probe_target *target, struct check_request *ret)
{
	const struct pool *pool = target->pool->pool;
	int err;

	if (pool->check_tls) {
		const struct server *server = target->server;
		const char *name =
		    pool->tls_name ? pool->tls_name : server->host;

		ret->tls = pool->check_tls;
		ret->peer.sni = name;
		ret->peer.verify_name =
		    name ? name : ip_text(&server->addr, target->set->address);
		return 0;
	}
	err = make_any_tls(target->set);
	ret->tls = target->set->any_tls;
	ret->peer.sni = pool->tls_name;
	return err;
}

int probe_target_request(struct probe_target *target, struct check_request *ret)
{
	const struct server *server = target->server;
	const struct pool *pool = target->pool->pool;

	*ret =
	    (struct check_request){.to = server->addr, .source = pool->source};
	if (!server->health_addr.length)
		ret->name = server->host;
	if (target->asks_agent) {
		ret->agent = &pool->agent;
		if (pool->agent.address.length)
			ret->to = pool->agent.address;
		addr_set_port(&ret->to, pool->agent.port);
		return 0;
	}
	ret->health = &pool->health;
	if (server->health_addr.length)
		ret->to = server->health_addr;
	else if (pool->health.port && !addr_is_unix(&ret->to))
		addr_set_port(&ret->to, pool->health.port);
	if (!goes_elsewhere(pool, server))
		ret->greeting = pool->proxy_out;
	return wants_tls(pool, server) ? request_tls(target, ret) : 0;
}
