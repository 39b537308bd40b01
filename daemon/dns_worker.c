/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_worker.h"

#include "base/log.h"
#include "base/prefix_map.h"
#include "daemon/daemon.h"
#include "daemon/dns_counts.h"
#include "daemon/dns_sockets.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "dnsd/dns_tcp.h"
#include "dnsd/dns_udp.h"
#include "dnsd/transfer.h"
#include "lb/proxy_proto.h"

#include <errno.h>
#include <string.h>

static const struct dns_published *look(struct dns_worker *dns)
{
	if (!dns->now)
		dns->now = snapshot_enter(dns->reader);
	return dns->now;
}

static size_t answer(void *context, const struct dns_client *client,
    const uint8_t *query, size_t length, uint8_t *out, size_t room,
    struct query_facts *ret)
{
	struct dns_worker *dns = context;
	struct dns_counts *counts = &dns->daemon->dns_counts[dns->index];
	size_t size;

	size = responder_answer(
	    &look(dns)->view, client, query, length, out, room, ret);
	dns_metrics_count(
	    &counts->answers, ret, client->transport, length, size);
	if (size && ret->counter != QUERY_NO_COUNTER)
		counter_inc(&counts->shares[ret->counter]);
	return size;
}

/* Behind an answer() of this turn. */
static struct dns_transfer *transfer(void *context,
    const struct dns_client *client, const uint8_t *query, size_t length,
    const struct query_facts *facts)
{
	struct dns_worker *dns = context;
	const struct dns_store_transfer *rule =
	    dns_store_transfer(dns->now->store, facts->zone);
	struct transfer_options options = {
	    .zone = rule->zone, .key = rule->key, .now = client->now};

	options.is_allowed = rule->allow && prefix_map_find(rule->allow,
						&client->source) != PREFIX_NONE;
	return transfer_new(&options, query, length);
}

static bool is_proxy(void *context, const struct addr *peer)
{
	const struct conf_prefixes *proxies = look(context)->proxies;
	struct prefix at;

	if (!proxies || !prefix_of_addr(&at, peer))
		return false;
	for (uint32_t i = 0; i < proxies->n; i++)
		if (prefix_covers(&proxies->at[i], &at))
			return true;
	return false;
}

static int read_proxy(
    void *context, const uint8_t *bytes, size_t length, struct addr *source)
{
	struct proxy_header header;
	enum proxy_cause cause;
	struct prefix named;
	uint32_t need;

	(void)context;
	switch (proxy_parse(bytes, length, &header, &need, &cause)) {
	case PROXY_MORE:
		return 0;
	case PROXY_MALFORMED:
		return -EPROTO;
	case PROXY_DONE:
		break;
	}
	if (header.source.length && prefix_of_addr(&named, &header.source))
		*source = header.source;
	return (int)header.bytes;
}

void dns_worker_turn_over(struct dns_worker *dns)
{
	if (!dns->now)
		return;
	snapshot_leave(dns->reader);
	dns->now = NULL;
}

void dns_worker_init(struct dns_worker *dns, struct daemon *daemon,
    struct worker *worker, uint32_t index)
{
	*dns = (struct dns_worker){
	    .daemon = daemon, .worker = worker, .index = index};
	dns->reader = snapshot_reader_new(daemon->dns);
}

void dns_worker_fini(struct dns_worker *dns)
{
	dns_worker_turn_over(dns);
	if (dns->server && dns_worker_idle(dns))
		dns_server_free(dns->server);
	if (dns->reader)
		snapshot_reader_free(dns->reader);
}

static void make_server(
    struct dns_worker *dns, const struct dns_server_limits *limits)
{
	struct daemon *daemon = dns->daemon;
	struct dns_server_options options = {
	    .ring = &dns->worker->ring,
	    .wheel = &dns->worker->wheel,
	    .hooks = {.answer = answer,
		.transfer = transfer,
		.is_proxy = is_proxy,
		.read_proxy = read_proxy,
		.context = dns},
	    .rrl = daemon->dns_rrl,
	    .sources = daemon->shared.sources,
	    .tcp_connections = &daemon->dns_tcp_connections,
	    .tcp_max = DNS_TCP_CONNECTIONS_MAX,
	    .metrics = &daemon->dns_counts[dns->index].sockets,
	    .limits = *limits,
	};

	dns->server = dns_server_new(&options);
	if (!dns->server)
		log_event(LOG_ERROR, "DNS is not answered",
		    "worker=%u cause=\"no memory\"", dns->index);
}

/* Of the sockets of an address this worker has one of each kind, or more after
 * an upgrade from more workers. */
static void start(struct dns_worker *dns, const struct dns_sockets *sockets)
{
	uint32_t step = dns->daemon->n_workers;

	for (uint32_t i = dns->index; i < sockets->n_udp; i += step)
		dns_udp_start(sockets->udp[i], dns->server);
	for (uint32_t i = dns->index; i < sockets->n_tcp; i += step)
		dns_tcp_start(sockets->tcp[i], dns->server);
}

static bool had(const struct plan *before, const struct dns_sockets *sockets)
{
	for (uint32_t i = 0; before && i < before->n_dns_binds; i++)
		if (before->dns_binds[i].sockets == sockets)
			return true;
	return false;
}

void dns_worker_adopt(
    struct dns_worker *dns, const struct plan *plan, const struct plan *before)
{
	struct dns_server_limits limits = dns_limits_of(&plan->conf->dns);

	if (!plan->n_dns_binds)
		return;
	if (dns->server)
		dns_server_set_limits(dns->server, &limits);
	else
		make_server(dns, &limits);
	for (uint32_t i = 0; i < plan->n_dns_binds && dns->server; i++)
		if (!had(before, plan->dns_binds[i].sockets))
			start(dns, plan->dns_binds[i].sockets);
}

void dns_worker_stop(struct dns_worker *dns, const struct dns_sockets *sockets)
{
	uint32_t step = dns->daemon->n_workers;

	for (uint32_t i = dns->index; i < sockets->n_udp; i += step)
		dns_udp_stop(sockets->udp[i]);
	for (uint32_t i = dns->index; i < sockets->n_tcp; i += step)
		dns_tcp_stop(sockets->tcp[i]);
}

bool dns_worker_stopped(
    const struct dns_worker *dns, const struct dns_sockets *sockets)
{
	uint32_t step = dns->daemon->n_workers;

	for (uint32_t i = dns->index; i < sockets->n_udp; i += step)
		if (!dns_udp_done(sockets->udp[i]))
			return false;
	for (uint32_t i = dns->index; i < sockets->n_tcp; i += step)
		if (!dns_tcp_done(sockets->tcp[i]))
			return false;
	return true;
}

void dns_worker_drain(struct dns_worker *dns)
{
	if (dns->server)
		dns_tcp_drain(dns->server);
}

void dns_worker_kill(struct dns_worker *dns)
{
	if (dns->server)
		dns_tcp_kill(dns->server);
}

bool dns_worker_idle(const struct dns_worker *dns)
{
	return !dns->server || !dns_tcp_open(dns->server);
}
