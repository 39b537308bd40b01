/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/inherit.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/dns_pops.h"
#include "daemon/passed.h"
#include "daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where a refusal goes; -1: nobody waits for one. */
static int refusals = -1;

void inherit_refuse(const char *text)
{
	size_t length = strlen(text);

	if (refusals < 0)
		return;
	if (length > CHANNEL_BYTES_MAX)
		length = CHANNEL_BYTES_MAX;
	(void)!channel_send(
	    refusals, CHANNEL_REFUSED, text, (uint32_t)length, NULL, 0);
	refusals = -1;
}

static int refuse(int err, const char *what)
{
	char text[256];

	(void)snprintf(text, sizeof text, "hand-over: %s: %s", what,
	    err == BR_E_VERSION ? "the old process speaks another version of it"
				: br_strerror(err));
	(void)fprintf(stderr, "braidd: %s\n", text);
	inherit_refuse(text);
	return err;
}

/* -- what comes in ----------------------------------------------------- */

static int receive(struct inherit *inherit, enum channel_type type,
    struct channel_message *ret)
{
	int err = channel_receive(inherit->channel, INHERIT_TIMEOUT_MS, ret);

	if (!err && ret->type != type) {
		channel_drop(ret);
		err = BR_E_PROTOCOL;
	}
	return err;
}

static int take_manifest(
    struct inherit *inherit, struct channel_message *message)
{
	int err = receive(inherit, CHANNEL_HELLO, message);

	if (err)
		return err;
	if (message->n_fds != 1) {
		channel_drop(message);
		return BR_E_PROTOCOL;
	}
	err = channel_file_read(
	    message->fds[0], &inherit->bytes, &inherit->n_bytes);
	channel_drop(message);
	if (err)
		return err;
	return manifest_decode(
	    &inherit->manifest, inherit->bytes, inherit->n_bytes);
}

/* All descriptors of the manifest, in its order. */
static int take_fds(struct inherit *inherit, struct channel_message *message,
    int *fds, uint64_t n)
{
	uint64_t have = 0;

	while (have < n) {
		int err = receive(inherit, CHANNEL_SOCKETS, message);

		if (!err && (message->n_fds == 0 || message->n_fds > n - have))
			err = BR_E_PROTOCOL;
		if (err) {
			channel_drop(message);
			while (have)
				close(fds[--have]);
			return err;
		}
		memcpy(fds + have, message->fds, message->n_fds * sizeof(int));
		have += message->n_fds;
	}
	return 0;
}

static void deal_out(struct inherit *inherit, const int *fds)
{
	const struct manifest *manifest = &inherit->manifest;

	if (manifest->control.length)
		inherit->control_fd = *fds++;
	if (manifest->api.length)
		inherit->api_fd = *fds++;
	for (uint32_t i = 0; i < manifest->n_sockets; i++) {
		passed_put(&manifest->sockets[i], fds);
		fds += manifest->sockets[i].n_fds;
	}
	for (uint32_t i = 0; i < manifest->n_older; i++) {
		inherit->older[i][0] = *fds++;
		inherit->older[i][1] = *fds++;
	}
	inherit->counters = *fds;
}

static int take_all(struct inherit *inherit)
{
	struct channel_message *message = malloc(sizeof *message);
	uint64_t n;
	int *fds;
	int err;

	if (!message)
		br_out_of_memory("an upgrade", sizeof *message);
	message->n_fds = 0;
	err = take_manifest(inherit, message);
	if (!err) {
		n = manifest_fds(&inherit->manifest);
		fds = calloc(n, sizeof(int));
		if (!fds)
			br_out_of_memory("an upgrade", n * sizeof(int));
		err = take_fds(inherit, message, fds, n);
		if (!err)
			deal_out(inherit, fds);
		free(fds);
	}
	free(message);
	return err;
}

static bool is_channel(int fd)
{
	socklen_t length = sizeof(int);
	int type;

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) &&
	       type == SOCK_SEQPACKET;
}

int inherit_open(struct inherit **ret)
{
	const char *text = getenv(SPAWN_ENVIRONMENT);
	struct inherit *inherit;
	int fd, err;

	*ret = NULL;
	if (!text)
		return 0;
	fd = (int)strtol(text, NULL, 10);
	(void)unsetenv(SPAWN_ENVIRONMENT);
	if (fd <= STDERR_FILENO || !is_channel(fd))
		return refuse(-EBADF, SPAWN_ENVIRONMENT);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	refusals = fd;
	inherit = calloc(1, sizeof *inherit);
	if (!inherit)
		br_out_of_memory("an upgrade", sizeof *inherit);
	inherit->channel = fd;
	inherit->control_fd = inherit->api_fd = inherit->counters = -1;
	manifest_init(&inherit->manifest);
	memset(inherit->older, 0xff, sizeof inherit->older);
	err = take_all(inherit);
	if (err) {
		(void)refuse(err, "what the old process sent");
		inherit_close(inherit);
		return err;
	}
	*ret = inherit;
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void inherit_close(struct inherit *inherit)
{
	if (!inherit)
		return;
	refusals = -1;
	passed_end();
	close_one(&inherit->channel);
	close_one(&inherit->control_fd);
	close_one(&inherit->api_fd);
	close_one(&inherit->counters);
	for (uint32_t i = 0; i < CONF_GENERATIONS_MAX; i++) {
		close_one(&inherit->older[i][0]);
		close_one(&inherit->older[i][1]);
	}
	manifest_fini(&inherit->manifest);
	if (inherit->bytes)
		explicit_bzero(inherit->bytes, inherit->n_bytes);
	free(inherit->bytes);
	free(inherit);
}

/* -- what is taken ----------------------------------------------------- */

int inherit_take_control(struct inherit *inherit, const char *path)
{
	const struct addr *at = &inherit->manifest.control;
	int fd = inherit->control_fd;

	if (fd < 0 || strcmp(at->un.sun_path, path) != 0)
		return -1;
	inherit->control_fd = -1;
	inherit->took_control = true;
	return fd;
}

int inherit_take_api(struct inherit *inherit, const struct addr *at)
{
	int fd = inherit->api_fd;

	if (fd < 0 || !addr_equal(&inherit->manifest.api, at))
		return -1;
	inherit->api_fd = -1;
	inherit->took_api = true;
	return fd;
}

static struct server *find_server(
    const struct plan *plan, const struct manifest_server *record)
{
	struct pool *pool = plan_any_pool(plan, record->pool);
	struct server *server = NULL;

	/* A name stands for several, told apart by their addresses. */
	while (
	    pool && (server = pool_find_server(pool, record->server, server)))
		if (addr_equal(&server->row->addr, &record->addr))
			return server;
	return NULL;
}

/* The later word holds: workers of this process may have ejected it, too,
 * since they began to accept. */
static void merge_ejection(
    struct board_facts *facts, const struct board_facts *from)
{
	if (from->ejected_ns < facts->ejected_ns)
		return;
	facts->ejected_ns = from->ejected_ns;
	facts->ejected_until_ns = from->ejected_until_ns;
	facts->eject_steps = from->eject_steps;
	facts->eject_error = from->eject_error;
	if (facts->returned_ns < from->returned_ns)
		facts->returned_ns = from->returned_ns;
}

static bool merge(struct board_facts *facts, const struct server *server,
    const struct manifest_server *record, bool health)
{
	const struct board_facts *from = &record->facts;
	struct board_facts before = *facts;

	facts->admin = from->admin;
	facts->admin_since_ns = from->admin_since_ns;
	facts->leaves_ns = from->leaves_ns;
	facts->weight_override = record->weight == server->weight
				     ? from->weight_override
				     : BOARD_WEIGHT_NONE;
	if (health) {
		facts->health = from->health;
		facts->health_since_ns = from->health_since_ns;
		facts->checked_ns = from->checked_ns;
		facts->returned_ns = from->returned_ns;
		facts->check_us = from->check_us;
		memcpy(facts->cause, from->cause, sizeof facts->cause);
		/* Its counters come with all others. */
		facts->agent = from->agent;
		facts->agent.asked = facts->agent.failed = 0;
		facts->agent.reports = dns_pops_is(record->pool);
	}
	merge_ejection(facts, from);
	return health || facts->admin != before.admin ||
	       facts->leaves_ns != before.leaves_ns ||
	       facts->ejected_until_ns != before.ejected_until_ns ||
	       facts->weight_override != before.weight_override;
}

/* -- new addresses of POPs --------------------------------------------- */

/* What an operator has set for all addresses of a POP; NULL: not the same for
 * all, or nothing is known. */
static const struct board_facts *set_for_all(
    const struct manifest *manifest, const struct pool *pool)
{
	const struct board_facts *first = NULL;

	for (uint32_t i = 0; i < manifest->n_servers; i++) {
		const struct manifest_server *record = &manifest->servers[i];

		if (strcmp(record->pool, pool->name) != 0)
			continue;
		if (first && !board_set_alike(first, &record->facts))
			return NULL;
		first = &record->facts;
	}
	return first;
}

static bool has_record(const struct manifest *manifest, const struct pool *pool,
    const struct server *server)
{
	for (uint32_t i = 0; i < manifest->n_servers; i++) {
		const struct manifest_server *record = &manifest->servers[i];

		if (!strcmp(record->pool, pool->name) &&
		    !strcmp(record->server, server->name))
			return true;
	}
	return false;
}

/* As with a reload (admin_start_afresh()). */
static void inherit_pop(const struct manifest *manifest, struct pool *pool,
    void (*on_changed)(void *context, struct server *server), void *context)
{
	const struct board_facts *from = set_for_all(manifest, pool);
	struct board_facts facts;

	for (uint32_t i = 0; from && i < pool->n_servers; i++) {
		struct server *server = &pool->servers[i];

		board_read(server->row, &facts);
		if (board_set_alike(&facts, from) ||
		    has_record(manifest, pool, server))
			continue;
		board_take_set(&facts, from);
		board_write(server->row, &facts);
		if (on_changed)
			on_changed(context, server);
	}
}

/* -- servers ----------------------------------------------------------- */

void inherit_servers(const struct manifest *manifest, const struct plan *plan,
    bool health, void (*on_changed)(void *context, struct server *server),
    void *context)
{
	for (uint32_t i = 0; i < manifest->n_servers; i++) {
		const struct manifest_server *record = &manifest->servers[i];
		struct server *server = find_server(plan, record);
		struct board_facts facts;

		if (!server)
			continue;
		board_read(server->row, &facts);
		if (!merge(&facts, server, record, health))
			continue;
		board_write(server->row, &facts);
		pool_changed(plan_any_pool(plan, record->pool));
		if (on_changed)
			on_changed(context, server);
	}
	for (uint32_t i = 0; i < plan->n_pops; i++)
		inherit_pop(manifest, plan->pops[i], on_changed, context);
}

void inherit_log(const struct manifest *manifest, const struct plan *plan)
{
	const struct conf_global *global = &plan->conf->global;
	const struct manifest_log *log = &manifest->log;

	if (log->known && log->configured == global->log_level &&
	    log->now != log->configured)
		log_configure(global->log_format, log->now);
}
