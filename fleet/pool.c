/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "fleet/board_table.h"

#define WEIGHT_MAX 65535u

static size_t text_room(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies a text (or NULL) to *at and moves *at behind it. */
static const char *text_copy(char **at, const char *text)
{
	size_t room = text_room(text);
	char *copy = *at;

	if (!text)
		return NULL;
	memcpy(copy, text, room);
	*at += room;
	return copy;
}

/* The same of bytes. */
static struct conf_bytes bytes_copy(char **at, const struct conf_bytes *bytes)
{
	struct conf_bytes copy = {.at = *at, .n = bytes->n};

	if (bytes->n)
		memcpy(*at, bytes->at, bytes->n);
	*at += bytes->n;
	return copy;
}

static size_t texts_room(const struct conf_pool *conf)
{
	size_t room = text_room(conf->name) + text_room(conf->health.path) +
		      text_room(conf->health.host) + text_room(conf->tls.sni) +
		      conf->agent.send.n;

	for (uint32_t i = 0; i < conf->health.n_steps; i++)
		room += conf->health.steps[i].send.n +
			conf->health.steps[i].expect.n;
	for (uint32_t i = 0; i < conf->n_servers; i++)
		room += text_room(conf->servers[i].name) +
			text_room(conf->servers[i].instance) +
			text_room(conf->servers[i].host) +
			text_room(conf->servers[i].zone);
	return room;
}

static void server_init(struct server *server, const struct conf_server *conf,
    uint32_t index, char **texts, struct board_row *row)
{
	server->name = text_copy(texts, conf->name);
	server->instance = text_copy(texts, conf->instance);
	if (!server->instance)
		server->instance = server->name;
	server->host = text_copy(texts, conf->host);
	server->zone = text_copy(texts, conf->zone);
	server->addr = conf->addr;
	server->health_addr = conf->health_address;
	addr_format(&conf->addr, server->addr_text);
	server->weight = conf->weight;
	server->max_connections = conf->max_connections;
	server->local = conf->local;
	server->backup = conf->backup;
	server->index = index;
	server->row = row;
}

/* What the checks need; the steps lie before the texts. */
static void pool_copy_checks(struct pool *pool, const struct conf_pool *conf,
    struct conf_step *steps, char **texts)
{
	pool->health = conf->health;
	pool->health.path = text_copy(texts, conf->health.path);
	pool->health.host = text_copy(texts, conf->health.host);
	pool->health.steps = steps;
	for (uint32_t i = 0; i < conf->health.n_steps; i++) {
		const struct conf_step *step = &conf->health.steps[i];

		steps[i] =
		    (struct conf_step){.send = bytes_copy(texts, &step->send),
			.expect = bytes_copy(texts, &step->expect)};
	}
	pool->agent = conf->agent;
	pool->agent.send = bytes_copy(texts, &conf->agent.send);
	pool->speaks_tls = conf->tls.verify != CONF_TLS_OFF;
	pool->tls_name = text_copy(texts, conf->tls.sni);
}

struct pool *pool_new(const struct conf_pool *conf, struct board *board)
{
	size_t servers_bytes = conf->n_servers * sizeof(struct server);
	size_t steps_bytes = conf->health.n_steps * sizeof(struct conf_step);
	struct pool *pool = board_alloc(
	    sizeof(*pool) + servers_bytes + steps_bytes + texts_room(conf));
	char *steps = (char *)(pool + 1) + servers_bytes;
	char *texts = steps + steps_bytes;

	_Static_assert(sizeof(*pool) % _Alignof(struct server) == 0,
	    "the servers follow the pool");
	pool->servers = (struct server *)(void *)(pool + 1);
	pool->n_servers = conf->n_servers;
	pool->row = board_pool_get(board, conf->name);
	pool->name = text_copy(&texts, conf->name);
	pool->balance = conf->balance;
	pool->connect_timeout_ms = conf->connect_timeout_ms;
	pool->connect_retries = conf->connect_retries;
	pool->queue_timeout_ms = conf->queue_timeout_ms;
	pool->queue_length = conf->queue_length;
	pool->slow_start_ms = conf->slow_start_ms;
	pool->outlier = conf->outlier;
	pool->maglev_table = conf->maglev_table;
	pool->zoned = conf->zoned;
	pool_copy_checks(pool, conf, (void *)steps, &texts);
	pool->source_client = conf_source_is_client(&conf->source);
	/* Checks have no client. */
	if (!pool->source_client)
		pool->source = conf->source;
	pool->proxy_out = conf->proxy_out;
	pool->splice = conf->splice;
	pool->shard = conf->shard;
	for (uint32_t i = 0; i < conf->n_servers; i++) {
		const struct conf_server *server = &conf->servers[i];

		server_init(&pool->servers[i], server, i, &texts,
		    board_row_get(
			board, conf->name, server->name, &server->addr));
	}
	return pool;
}

void pool_free(struct pool *pool, struct board *board)
{
	for (uint32_t i = 0; i < pool->n_servers; i++)
		board_row_unref(board, pool->servers[i].row);
	board_pool_unref(board, pool->row);
	free(pool);
}

void server_read(const struct server *server, struct board_facts *ret)
{
	static const char cause[] = "no address is known for its name";

	board_read(server->row, ret);
	if (server->addr.length)
		return;
	ret->health = BOARD_DOWN;
	memcpy(ret->cause, cause, sizeof cause);
}

uint32_t server_weight_in_force(
    const struct server *server, const struct board_facts *facts)
{
	uint64_t share;

	if (!server->addr.length)
		return 0;
	if (facts->weight_override != BOARD_WEIGHT_NONE)
		return facts->weight_override;
	if (!facts->agent.has_percent)
		return server->weight;
	share = ((uint64_t)server->weight * facts->agent.percent + 99) / 100;
	return share < WEIGHT_MAX ? (uint32_t)share : WEIGHT_MAX;
}

uint32_t server_weight_now(
    const struct server *server, const struct board_facts *facts)
{
	if (board_admin_now(facts) != BOARD_READY ||
	    board_health_now(facts) == BOARD_DOWN || facts->ejected_until_ns)
		return 0;
	return server_weight_in_force(server, facts);
}

uint32_t server_limit_now(
    const struct server *server, const struct board_facts *facts)
{
	return facts->agent.has_maxconn ? facts->agent.maxconn
					: server->max_connections;
}

struct server *pool_find_server(
    struct pool *pool, const char *name, const struct server *after)
{
	for (uint32_t i = after ? after->index + 1 : 0; i < pool->n_servers;
	     i++) {
		struct server *server = &pool->servers[i];

		if (!strcmp(server->name, name) ||
		    !strcmp(server->instance, name))
			return server;
	}
	return NULL;
}
