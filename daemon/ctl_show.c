/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"
#include "daemon/dns_pops.h"
#include "fleet/shares.h"

#include <stdio.h>
#include <string.h>

/* Tables of listeners, pools and servers. Long ones are composed over several
 * turns; when a reload comes between, the table begins anew, so that it is
 * of one configuration. */
#define RESTARTS_MAX 8

static uint64_t sum_server(
    const struct server *server, uint32_t n_workers, size_t offset)
{
	const char *metrics = (const char *)server->row->metrics;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n_workers; i++)
		sum += counter_read((const struct counter *)(const void
			*)(metrics + i * sizeof(struct server_metrics) +
			   offset));
	return sum;
}

static void put_server_counters(
    struct json *j, const struct server *server, uint32_t n_workers)
{
#define X(name, help)                                                          \
	json_uint(j, #name,                                                    \
	    sum_server(                                                        \
		server, n_workers, offsetof(struct server_metrics, name)));
	SERVER_METRIC_LIST(X)
#undef X
}

/* What beside health and the operator decides over its share. */
static void put_standing(struct ctl_call *call, const struct pool *pool,
    const struct server *server, const struct board_facts *facts)
{
	int64_t now_ns = control_now(call->control).ns;
	struct json *j = &call->json;

	if (server->zone)
		json_string(j, "zone", server->zone);
	else
		json_null(j, "zone");
	json_bool(j, "backup", server->backup);
	json_uint(j, "slow_start_percent",
	    shares_slow_start_percent(pool, facts, now_ns));
	json_bool(j, "ejected", facts->ejected_until_ns != 0);
	json_uint(j, "ejections", facts->ejections);
	json_string(j, "ejected_cause",
	    facts->ejected_ns ? br_strerror(facts->eject_error) : "");
	if (facts->ejected_until_ns)
		json_double(j, "ejected_since_seconds",
		    ctl_seconds_since(call, facts->ejected_ns));
	else
		json_null(j, "ejected_since_seconds");
	if (facts->ejected_until_ns)
		json_double(j, "ejected_for_seconds",
		    (double)(facts->ejected_until_ns - now_ns) / 1e9);
	else
		json_null(j, "ejected_for_seconds");
}

/* Of the health in force. */
static void put_cause(struct json *j, const struct board_facts *facts)
{
	char cause[BOARD_CAUSE_MAX];

	if (!facts->agent.down || facts->agent.reports) {
		json_string(j, "cause", facts->cause);
		return;
	}
	(void)snprintf(cause, sizeof cause, "agent: %s", facts->agent.said);
	json_string(j, "cause", cause);
}

static void put_agent(struct ctl_call *call, const struct pool *pool,
    const struct board_facts *facts)
{
	const struct board_agent *agent = &facts->agent;
	struct json *j = &call->json;

	if (!pool->agent.port) {
		json_null(j, "agent");
		return;
	}
	json_object_begin(j, "agent");
	json_string(j, "said", agent->said);
	if (agent->heard_ns)
		json_double(j, "heard_seconds",
		    ctl_seconds_since(call, agent->heard_ns));
	else
		json_null(j, "heard_seconds");
	json_uint(j, "checks", agent->asked);
	json_uint(j, "checks_failed", agent->failed);
	json_object_end(j);
}

static void put_server(
    struct ctl_call *call, const struct pool *pool, const struct server *server)
{
	struct json *j = &call->json;
	struct board_facts facts;

	server_read(server, &facts);
	json_object_begin(j, NULL);
	json_string(j, "pool", pool->name);
	json_string(j, "server", server->name);
	json_string(j, "instance", server->instance);
	json_string(j, "address", server->addr_text);
	if (server->host)
		json_string(j, "host", server->host);
	else
		json_null(j, "host");
	json_string(j, "health", ctl_health_name(board_health_now(&facts)));
	json_string(j, "admin", ctl_admin_name(board_admin_now(&facts)));
	put_cause(j, &facts);
	if (board_health_since_ns(&facts))
		json_double(j, "health_since_seconds",
		    ctl_seconds_since(call, board_health_since_ns(&facts)));
	else
		json_null(j, "health_since_seconds");
	if (facts.admin_since_ns)
		json_double(j, "admin_since_seconds",
		    ctl_seconds_since(call, facts.admin_since_ns));
	else
		json_null(j, "admin_since_seconds");
	json_uint(j, "weight_configured", server->weight);
	json_bool(
	    j, "weight_overridden", facts.weight_override != BOARD_WEIGHT_NONE);
	json_uint(j, "weight", server_weight_now(server, &facts));
	put_standing(call, pool, server, &facts);
	json_uint(j, "connections", board_slots_used(server->row));
	json_uint(j, "max_connections", server_limit_now(server, &facts));
	json_uint(j, "checks", facts.checks);
	json_uint(j, "checks_failed", facts.checks_failed);
	json_double(j, "check_seconds", facts.check_us / 1e6);
	put_agent(call, pool, &facts);
	put_server_counters(
	    j, server, control_daemon(call->control)->n_workers);
	json_object_end(j);
}

bool ctl_same_plan(struct ctl_call *call, const char *list, bool *ret_failed)
{
	const struct plan *plan = control_plan(call->control);

	*ret_failed = false;
	if (plan->number == call->plan_number)
		return true;
	if (call->plan_number && ++call->restarts > RESTARTS_MAX) {
		*ret_failed = true;
		ctl_fail(call, CTL_TEMPORARY,
		    "the configuration changes too often; ask again");
		return false;
	}
	call->plan_number = plan->number;
	call->pool = call->server = 0;
	ctl_begin(call);
	json_array_begin(&call->json, list);
	return false;
}

static void servers_step(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	const char *only = ctl_argument(call, 0);
	uint32_t rows = 0;
	bool failed;

	(void)ctl_same_plan(call, "servers", &failed);
	if (failed)
		return;
	/* Addresses of a POP are shown to who asks for them. */
	for (; call->pool < plan->n_upstreams + plan->n_pops; call->pool++) {
		const struct pool *pool = plan_pool_at(plan, call->pool);

		if (only ? strcmp(only, pool->name) != 0
			 : call->pool >= plan->n_upstreams)
			continue;
		for (; call->server < pool->n_servers; call->server++) {
			if (rows++ == CTL_STEP_ROWS) {
				ctl_continue(call, servers_step);
				return;
			}
			put_server(call, pool, &pool->servers[call->server]);
		}
		call->server = 0;
	}
	json_array_end(&call->json);
	ctl_end(call);
}

void ctl_servers(struct ctl_call *call)
{
	const char *only = ctl_argument(call, 0);

	if (only && dns_pops_is(only)) {
		if (ctl_find_pop(call))
			servers_step(call);
		return;
	}
	if (!only || ctl_find_pool(call, only))
		servers_step(call);
}

static const char *balance_name(enum conf_balance balance)
{
	switch (balance) {
	case CONF_BALANCE_RR:
		return "rr";
	case CONF_BALANCE_LEAST:
		return "least";
	case CONF_BALANCE_P2C:
		return "p2c";
	case CONF_BALANCE_MAGLEV:
		return "maglev";
	case CONF_BALANCE_SOURCE:
		return "source";
	case CONF_BALANCE_FIRST:
		return "first";
	}
	return "?";
}

struct pool_sums {
	uint32_t down, drained, usable, ejected, connections;
	struct server_metrics metrics;
};

/* Usable is what health, drain and weight say, as in the table of servers; a
 * pool that fails open uses others beside these. */
static void add_up_pool(
    struct pool_sums *sums, const struct pool *pool, uint32_t n_workers)
{
	struct board_facts facts;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		const struct server *server = &pool->servers[i];

		server_read(server, &facts);
		sums->down += board_health_now(&facts) == BOARD_DOWN;
		sums->drained += board_admin_now(&facts) != BOARD_READY;
		sums->usable += server_weight_now(server, &facts) > 0;
		sums->ejected += facts.ejected_until_ns != 0;
		sums->connections += board_slots_used(server->row);
#define X(name, help)                                                          \
	counter_add(                                                           \
	    &sums->metrics.name, sum_server(server, n_workers,                 \
				     offsetof(struct server_metrics, name)));
		SERVER_METRIC_LIST(X)
#undef X
	}
}

static void put_pool(struct ctl_call *call, struct upstream *upstream)
{
	const struct pool *pool = upstream->pool;
	uint32_t n_workers = control_daemon(call->control)->n_workers;
	struct pool_sums sums = {.down = 0};
	struct shares_summary summary;
	struct json *j = &call->json;

	shares_summarize(pool, control_now(call->control).ns, &summary);
	add_up_pool(&sums, pool, n_workers);
	json_object_begin(j, NULL);
	json_string(j, "pool", pool->name);
	json_string(j, "balance", balance_name(pool->balance));
	json_uint(j, "servers", pool->n_servers);
	json_uint(j, "usable", sums.usable);
	json_uint(j, "down", sums.down);
	json_uint(j, "drained", sums.drained);
	json_uint(j, "ejected", sums.ejected);
	json_bool(j, "fails_open", summary.fails_open);
	json_bool(j, "backups", summary.backups);
	json_uint(j, "local_percent", summary.local_percent);
	json_uint(
	    j, "queued", __atomic_load_n(&upstream->queued, __ATOMIC_RELAXED));
	json_uint(j, "queue_length", pool->queue_length);
	json_uint(j, "connections", sums.connections);
#define X(name, help) json_uint(j, #name, counter_read(&sums.metrics.name));
	SERVER_METRIC_LIST(X)
#undef X
	json_object_end(j);
}

static void pools_step(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	uint32_t rows = 0;
	bool failed;

	(void)ctl_same_plan(call, "pools", &failed);
	if (failed)
		return;
	for (; call->pool < plan->n_upstreams; call->pool++) {
		struct upstream *upstream = plan->upstreams[call->pool];

		/* A pool costs as much as its servers. */
		if (rows > CTL_STEP_ROWS) {
			ctl_continue(call, pools_step);
			return;
		}
		rows += 1 + upstream->pool->n_servers / 4;
		put_pool(call, upstream);
	}
	json_array_end(&call->json);
	ctl_end(call);
}

void ctl_pools(struct ctl_call *call)
{
	pools_step(call);
}

static void put_binds(
    struct json *j, const struct plan *plan, const struct listener *listener)
{
	json_array_begin(j, "bind");
	for (uint32_t i = 0; i < plan->n_binds; i++) {
		if (plan->binds[i].listener == listener)
			json_string(j, NULL, plan->binds[i].text);
	}
	json_array_end(j);
}

static void put_listener(
    struct ctl_call *call, const struct plan *plan, const struct listener *l)
{
	uint32_t n_workers = control_daemon(call->control)->n_workers;
	struct listener_metrics sums = {.accepted = {0}};
	struct json *j = &call->json;

	for (uint32_t i = 0; i < n_workers; i++) {
#define X(name, help)                                                          \
	counter_add(&sums.name, counter_read(&l->row->metrics[i].name));
		LISTENER_METRIC_LIST(X)
#undef X
	}
	json_object_begin(j, NULL);
	json_string(j, "listener", l->name);
	put_binds(j, plan, l);
	json_string(j, "pool", l->upstream->pool->name);
	json_uint(j, "connections",
	    __atomic_load_n(&l->row->connections, __ATOMIC_RELAXED));
	json_uint(j, "max_connections", l->max_connections);
#define X(name, help) json_uint(j, #name, counter_read(&sums.name));
	LISTENER_METRIC_LIST(X)
#undef X
	json_object_end(j);
}

/* At most CONF_LISTENERS_MAX, few of which have many addresses: a turn's work
 * is bounded by stopping after so many rows here, too. */
static void listeners_step(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	uint32_t rows = 0;
	bool failed;

	(void)ctl_same_plan(call, "listeners", &failed);
	if (failed)
		return;
	for (; call->pool < plan->n_listeners; call->pool++) {
		if (rows++ == CTL_STEP_ROWS / 4) {
			ctl_continue(call, listeners_step);
			return;
		}
		put_listener(call, plan, plan->listeners[call->pool]);
	}
	json_array_end(&call->json);
	ctl_end(call);
}

void ctl_listeners(struct ctl_call *call)
{
	listeners_step(call);
}
