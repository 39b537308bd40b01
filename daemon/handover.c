/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handover.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/dns_sockets.h"
#include "daemon/generations.h"
#include "daemon/resolver.h"
#include "dnsd/dns_tcp.h"
#include "dnsd/dns_udp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_fd(struct handover *handover, int fd)
{
	if (handover->n_fds == handover->room) {
		handover->room = handover->room ? handover->room * 2 : 64;
		handover->fds = realloc(
		    handover->fds, handover->room * sizeof *handover->fds);
		if (!handover->fds)
			br_out_of_memory("an upgrade", handover->room);
	}
	handover->fds[handover->n_fds++] = fd;
}

static void add_control(struct handover *handover, const struct daemon *daemon)
{
	char text[ADDR_TEXT_MAX];

	if (daemon->control_fd < 0)
		return;
	(void)snprintf(text, sizeof text, "unix:%s", daemon->control_path);
	if (!addr_parse(&handover->manifest.control, text))
		add_fd(handover, daemon->control_fd);
}

static void add_api(struct handover *handover, const struct daemon *daemon)
{
	if (daemon->api_fd < 0)
		return;
	handover->manifest.api = daemon->api_addr;
	add_fd(handover, daemon->api_fd);
}

static void add_sockets(
    struct handover *handover, const struct plan_sockets *sockets)
{
	struct manifest_sockets record = {.addr = sockets->addr,
	    .device = sockets->device,
	    .inode = sockets->inode,
	    .n_fds = addr_is_unix(&sockets->addr) ? 1 : sockets->n_fds};

	manifest_add_sockets(&handover->manifest, &record);
	for (uint32_t i = 0; i < record.n_fds; i++)
		add_fd(handover, sockets->fds[i]);
}

static void add_dns(struct handover *handover, const struct dns_sockets *from)
{
	struct manifest_sockets udp = {
	    .addr = from->addr, .use = MANIFEST_DNS_UDP, .n_fds = from->n_udp};
	struct manifest_sockets tcp = {
	    .addr = from->addr, .use = MANIFEST_DNS_TCP, .n_fds = from->n_tcp};

	manifest_add_sockets(&handover->manifest, &udp);
	for (uint32_t i = 0; i < from->n_udp; i++)
		add_fd(handover, dns_udp_fd(from->udp[i]));
	manifest_add_sockets(&handover->manifest, &tcp);
	for (uint32_t i = 0; i < from->n_tcp; i++)
		add_fd(handover, dns_tcp_fd(from->tcp[i]));
}

static void add_agent(struct handover *handover, const struct daemon *daemon)
{
	struct manifest_sockets record = {
	    .addr = daemon->agent_addr, .use = MANIFEST_AGENT, .n_fds = 1};

	if (daemon->agent_fd < 0)
		return;
	manifest_add_sockets(&handover->manifest, &record);
	add_fd(handover, daemon->agent_fd);
}

static void add_generations(
    struct handover *handover, const struct generations *generations)
{
	struct manifest *manifest = &handover->manifest;

	manifest->process = generations->self;
	for (uint32_t i = 0; i < generations->n; i++) {
		const struct generation *older = &generations->items[i];

		manifest->older[manifest->n_older++] = older->who;
		add_fd(handover, older->channel);
		add_fd(handover, older->counters.fd);
	}
	add_fd(handover, generations->own.fd);
}

static void add_server(struct manifest *manifest, const struct pool *pool,
    const struct server *server)
{
	struct manifest_server record = {
	    .addr = server->row->addr, .weight = server->weight};

	/* What is set for a name without address goes with this process. */
	if (!server->addr.length)
		return;
	(void)snprintf(record.pool, sizeof record.pool, "%s", pool->name);
	(void)snprintf(record.server, sizeof record.server, "%s", server->name);
	board_read(server->row, &record.facts);
	manifest_add_server(manifest, &record);
}

static enum log_level level_now(void)
{
	enum log_level level = LOG_ERROR;

	while (level < LOG_DEBUG && log_enabled(level + 1))
		level++;
	return level;
}

void handover_state(
    struct manifest *ret, const struct daemon *daemon, const struct plan *plan)
{
	ret->process = daemon->generations->self;
	ret->log = (struct manifest_log){
	    true, plan->conf->global.log_level, level_now()};
	for (uint32_t i = 0; i < plan->n_upstreams + plan->n_pops; i++) {
		const struct pool *pool = plan_pool_at(plan, i);

		for (uint32_t k = 0; k < pool->n_servers; k++)
			add_server(ret, pool, &pool->servers[k]);
	}
}

/* The order of descriptors is the manifest's. */
void handover_init(
    struct handover *handover, struct daemon *daemon, const struct plan *plan)
{
	memset(handover, 0, sizeof *handover);
	manifest_init(&handover->manifest);
	handover_state(&handover->manifest, daemon, plan);
	if (daemon->tls.keys) {
		handover->manifest.tls = (const uint8_t *)daemon->tls.keys;
		handover->manifest.n_tls = sizeof *daemon->tls.keys;
	}
	if (daemon->resolver)
		handover->manifest.names = resolver_view(daemon->resolver);
	add_control(handover, daemon);
	add_api(handover, daemon);
	for (uint32_t i = 0; i < plan->n_binds; i++)
		add_sockets(handover, plan->binds[i].sockets);
	for (uint32_t i = 0; i < plan->n_dns_binds; i++)
		add_dns(handover, plan->dns_binds[i].sockets);
	/* Behind those whose numbers the plan knows. */
	add_agent(handover, daemon);
	add_generations(handover, daemon->generations);
	br_assert(handover->n_fds == manifest_fds(&handover->manifest));
}

void handover_fini(struct handover *handover)
{
	manifest_fini(&handover->manifest);
	free(handover->fds);
}
