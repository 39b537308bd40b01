/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A pool and its servers as the workers use them: immutable facts from the
 * configuration, joined with the live board rows.
 *
 * Thread:  built by the clerk or at boot; const for everyone afterwards
 *          except the words marked as shared.
 * Memory:  pool_new() allocates one block; pool_free() drops the board rows
 *          (control) and the block. Nothing in it points into the
 *          configuration tree. Who may still use it is counted by
 *          lb/upstream.
 * Errors:  out of memory ends the process with a message.
 */
#include "conf/conf.h"
#include "fleet/board.h"

struct server {
	const char *name;
	/* The name, or one address of it: "NAME/ADDRESS". No two servers of a
	 * pool have the same. */
	const char *instance;
	const char *host; /* whose address it is; NULL: the file has it */
	struct addr addr; /* length 0: no address is known, weight 0 */
	struct addr health_addr; /* length 0: checked at addr */
	char addr_text[ADDR_TEXT_MAX];
	uint32_t weight, max_connections;
	uint32_t index; /* in pool.servers */
	bool local; /* in Braid's own zone */
	bool backup;
	const char *zone; /* NULL: none */
	struct board_row *row;
};

struct tls_context;

struct pool {
	const char *name;
	enum conf_balance balance;
	uint32_t n_servers;
	struct server *servers;
	uint64_t connect_timeout_ms, queue_timeout_ms;
	uint32_t connect_retries, queue_length;
	uint64_t slow_start_ms;
	uint32_t maglev_table;
	bool zoned; /* Braid has a zone, so local means something */
	struct conf_outlier outlier;
	struct conf_health health;
	struct conf_agent agent;
	struct addr source; /* length 0: the kernel chooses */
	bool source_client; /* flows come from their client's address */
	enum conf_proxy proxy_out;
	enum conf_splice splice;
	struct conf_shard shard;
	/* Of a pool that speaks TLS: what it is asked for and must prove (NULL:
	 * the address), and control's own context for checks, which whoever
	 * gave it frees after the pool. */
	bool speaks_tls;
	const char *tls_name;
	struct tls_context *check_tls;
	/* Shared by all objects of this name. Control bumps its generation
	 * after any change of a board row of this pool; workers rebuild their
	 * view of usable servers when it has moved. */
	struct board_pool *row;
};

/* Takes board rows by control's rules: call on control or at boot. */
struct pool *pool_new(const struct conf_pool *conf, struct board *board);
void pool_free(struct pool *pool, struct board *board);

/* The facts of the server's row; one without an address is down. */
void server_read(const struct server *server, struct board_facts *ret);
/* The configured weight, the agent's share of it (rounded up), or before both
 * what the operator has set; 0 without an address. */
uint32_t server_weight_in_force(
    const struct server *server, const struct board_facts *facts);
/* The weight a server has now for new flows: 0 when down, draining or in
 * maintenance, whoever says so, or ejected. What it then gets also depends on
 * the others: fleet/shares.h. */
uint32_t server_weight_now(
    const struct server *server, const struct board_facts *facts);
/* The limit of connections in force, without slow start; 0: none. */
uint32_t server_limit_now(
    const struct server *server, const struct board_facts *facts);

/* Whether less than fail_open_percent of the weight is usable, so that all
 * that are not drained or in maintenance count as up (those two are left out
 * of both sides). The weight is the configured one or its override: a server
 * set to 0 at run time serves nobody and must not count as a reserve. Never
 * while a backup is usable. In fleet/shares.c, where it belongs. */
bool pool_fails_open(const struct pool *pool);
/* The first server of that name, or that instance; with `after` the next of
 * them, for names that stand for several addresses. */
struct server *pool_find_server(
    struct pool *pool, const char *name, const struct server *after);

static inline uint32_t pool_generation(const struct pool *pool)
{
	return __atomic_load_n(&pool->row->generation, __ATOMIC_ACQUIRE);
}
static inline void pool_changed(struct pool *pool)
{
	__atomic_fetch_add(&pool->row->generation, 1, __ATOMIC_RELEASE);
}
