/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_server.h"

#include "base/assert.h"
#include "dnsd/dns_conn.h"
#include "dnsd/dns_server_state.h"
#include "dnsd/dns_udp.h"
#include "dnsd/rrl.h"
#include "io/datagram.h"

#include <stdlib.h>

static void server_take(
    struct dns_server *server, const struct dns_server_options *options)
{
	server->ring = options->ring;
	server->wheel = options->wheel;
	server->hooks = options->hooks;
	server->metrics = options->metrics;
	server->rrl = options->rrl;
	server->sources = options->sources;
	server->tcp_connections = options->tcp_connections;
	server->tcp_max = options->tcp_max < DNS_TCP_CONNECTIONS_MAX
			      ? options->tcp_max
			      : DNS_TCP_CONNECTIONS_MAX;
	list_init(&server->idle);
	list_init(&server->busy);
	dns_server_set_limits(server, &options->limits);
}

struct dns_server *dns_server_new(const struct dns_server_options *options)
{
	struct dns_server *server = calloc(1, sizeof *server);

	if (!server)
		return NULL;
	server_take(server, options);
	server->batch =
	    datagram_batch_new(DNS_UDP_QUERY_MAX, RESPONDER_UDP_MAX);
	if (!server->batch || dns_conn_init_memory(server)) {
		dns_server_free(server);
		return NULL;
	}
	return server;
}

void dns_server_free(struct dns_server *server)
{
	if (!server)
		return;
	dns_conn_fini_memory(server);
	datagram_batch_free(server->batch);
	free(server);
}

void dns_server_set_limits(
    struct dns_server *server, const struct dns_server_limits *limits)
{
	br_assert(limits->rrl_rate <= RRL_RATE_MAX);
	server->limits = *limits;
}
