/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/dns_pops.h"
#include "fleet/shares.h"

#include <inttypes.h>
#include <stdlib.h>

/* -- what the operator sets at run time -------------------------------- */

const char *admin_state_name(enum board_admin admin)
{
	switch (admin) {
	case BOARD_READY:
		return "ready";
	case BOARD_DRAIN:
		return "drain";
	case BOARD_MAINT:
		return "maintenance";
	}
	return "unknown";
}

static void apply(struct control *control, struct pool *pool,
    struct server *server, const struct board_facts *facts)
{
	board_write(server->row, facts);
	pool_changed(pool);
	probe_set_admin_changed(control->probes, server->row);
}

bool admin_put_state(struct control *control, struct pool *pool,
    struct server *server, enum board_admin admin, enum board_admin *ret_before)
{
	struct board_facts facts, old;

	board_read(server->row, &facts);
	old = facts;
	if (old.admin == admin)
		return false;
	facts.admin = admin;
	facts.admin_since_ns = mono_now().ns;
	facts.leaves_ns = 0;
	shares_note_return(&old, &facts, control_now(control).ns);
	apply(control, pool, server, &facts);
	*ret_before = old.admin;
	return true;
}

void control_set_admin(struct control *control, struct pool *pool,
    struct server *server, enum board_admin admin)
{
	enum board_admin before;

	/* "ready" means: use it, whatever took it out. */
	if (admin == BOARD_READY)
		ejections_end(control, pool, server);
	if (!admin_put_state(control, pool, server, admin, &before))
		return;
	log_event(LOG_INFO, "server state set",
	    "pool=%s server=%s address=%s state=%s before=%s", pool->name,
	    server->name, server->addr_text, admin_state_name(admin),
	    admin_state_name(before));
}

bool admin_put_leave(struct control *control, struct pool *pool,
    struct server *server, int64_t leaves_ns)
{
	struct board_facts facts;

	board_read(server->row, &facts);
	if (facts.leaves_ns == leaves_ns)
		return false;
	facts.leaves_ns = leaves_ns;
	apply(control, pool, server, &facts);
	return true;
}

bool admin_put_weight(struct control *control, struct pool *pool,
    struct server *server, uint32_t weight)
{
	struct board_facts facts;

	board_read(server->row, &facts);
	if (facts.weight_override == weight)
		return false;
	facts.weight_override = weight;
	apply(control, pool, server, &facts);
	return true;
}

void control_set_weight(struct control *control, struct pool *pool,
    struct server *server, uint32_t weight)
{
	if (!admin_put_weight(control, pool, server, weight))
		return;
	if (weight == BOARD_WEIGHT_NONE)
		log_event(LOG_INFO, "server weight reset",
		    "pool=%s server=%s weight=%u", pool->name, server->name,
		    server->weight);
	else
		log_event(LOG_INFO, "server weight set",
		    "pool=%s server=%s weight=%u configured=%u", pool->name,
		    server->name, weight, server->weight);
}

void admin_end_overrides(
    struct control *control, struct board_row **rows, uint32_t n)
{
	struct board_facts facts;

	(void)control;
	for (uint32_t i = 0; i < n; i++) {
		board_read(rows[i], &facts);
		if (facts.weight_override == BOARD_WEIGHT_NONE)
			continue;
		facts.weight_override = BOARD_WEIGHT_NONE;
		/* The pool is a new object, which nobody has looked at. */
		board_write(rows[i], &facts);
		log_event(LOG_INFO, "server weight override ended",
		    "pool=%s server=%s cause=%s", rows[i]->pool,
		    rows[i]->server, "the weight in the file changed");
	}
}

static void mark_rows(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_upstreams + plan->n_pops; i++) {
		const struct pool *pool = plan_pool_at(plan, i);

		for (uint32_t k = 0; k < pool->n_servers; k++)
			pool->servers[k].row->plan = plan->number;
	}
}

/* The next of the servers that are one to the operator: those of one name, or
 * all addresses of a POP. */
static struct server *next_sibling(
    struct pool *pool, const char *name, const struct server *after)
{
	uint32_t i = after ? after->index + 1 : 0;

	if (!dns_pops_is(pool->name))
		return pool_find_server(pool, name, after);
	return i < pool->n_servers ? &pool->servers[i] : NULL;
}

/* A new address of a server that has had some is a part of the same server to
 * the operator: what he has set for all of them holds for it too. */
static void inherit(
    const struct plan *old, struct pool *pool, struct server *server)
{
	struct pool *before = plan_any_pool(old, pool->name);
	struct board_facts facts, first = {0};
	struct server *at = NULL;
	bool any = false;

	while (before && (at = next_sibling(before, server->name, at))) {
		board_read(at->row, &facts);
		if (any && !board_set_alike(&facts, &first))
			return;
		first = facts;
		any = true;
	}
	board_read(server->row, &facts);
	if (!any || board_set_alike(&facts, &first))
		return;
	board_take_set(&facts, &first);
	board_write(server->row, &facts);
}

/* Rows outlive plans, but what was set or found out about a server before it
 * was taken out of the file says nothing about the one that is there now. */
void admin_start_afresh(struct plan *next, const struct plan *old)
{
	mark_rows(old);
	for (uint32_t i = 0; i < next->n_upstreams + next->n_pops; i++) {
		struct pool *pool = plan_pool_at(next, i);

		for (uint32_t k = 0; k < pool->n_servers; k++) {
			struct board_row *row = pool->servers[k].row;

			if (row->plan != old->number) {
				board_reset(row);
				if (pool->servers[k].host ||
				    dns_pops_is(pool->name))
					inherit(old, pool, &pool->servers[k]);
				pool_changed(pool);
			}
		}
	}
}

/* -- health ------------------------------------------------------------ */

static int64_t seconds_in(
    const struct board_facts *before, const struct board_facts *after)
{
	return (after->health_since_ns - before->health_since_ns) / NS_PER_S;
}

static void on_health(void *context, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	if (dns_pops_is(pool->name)) {
		admin_pop_health(context, pool, server, before, after);
		return;
	}
	if (after->health == BOARD_DOWN)
		log_event(LOG_WARN, "server down",
		    "pool=%s server=%s address=%s up_for=%" PRId64 "s "
		    "cause=%s",
		    pool->name, server->name, server->addr_text,
		    before->health == BOARD_UP ? seconds_in(before, after) : 0,
		    after->cause);
	else if (after->health == BOARD_UP && before->health == BOARD_DOWN)
		log_event(LOG_INFO, "server up",
		    "pool=%s server=%s address=%s down_for=%" PRId64 "s "
		    "cause=%s",
		    pool->name, server->name, server->addr_text,
		    seconds_in(before, after), after->cause);
	else
		/* The usual first verdict of each server after a start. */
		log_event(LOG_DEBUG, "server health",
		    "pool=%s server=%s address=%s health=%s cause=%s",
		    pool->name, server->name, server->addr_text,
		    after->health == BOARD_UP ? "up" : "unknown", after->cause);
}

static const char *health_name(enum board_health health)
{
	return health == BOARD_DOWN ? "down"
	       : health == BOARD_UP ? "up"
				    : "unknown";
}

void admin_said_field(const struct board_agent *agent, const char *key,
    char ret[ADMIN_SAID_FIELD_MAX])
{
	(void)log_field(ret, 0, ADMIN_SAID_FIELD_MAX, key,
	    agent->said[0] ? agent->said : "no agent any more");
}

/* What follows for the server, and in the agent's words why. */
static void on_agent(void *context, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	enum board_health health = board_health_now(after);
	bool went_down =
	    health == BOARD_DOWN && board_health_now(before) != BOARD_DOWN;
	uint32_t limit = server_limit_now(server, after);
	char cause[ADMIN_SAID_FIELD_MAX];

	if (dns_pops_is(pool->name)) {
		admin_pop_report(context, pool, server, before, after);
		return;
	}
	admin_said_field(&after->agent, "cause", cause);
	log_event(went_down ? LOG_WARN : LOG_INFO,
	    went_down ? "server down by its agent" : "agent changed its server",
	    "pool=%s server=%s address=%s health=%s state=%s weight=%u "
	    "max_connections=%u %s",
	    pool->name, server->name, server->addr_text, health_name(health),
	    admin_state_name(board_admin_now(after)),
	    server_weight_now(server, after), limit, cause);
}

static void on_agent_failed(void *context, const struct pool *pool,
    const struct server *server, const char *cause)
{
	(void)context;
	if (dns_pops_is(pool->name))
		log_event(LOG_WARN, "POP not reported of",
		    "pop=%s address=%s cause=%s", dns_pops_name(pool),
		    server->addr_text, cause);
	else
		log_event(LOG_INFO, "agent not heard",
		    "pool=%s server=%s address=%s cause=%s", pool->name,
		    server->name, server->addr_text, cause);
}

static void on_fail_open(void *context, const struct pool *pool, bool open)
{
	(void)context;
	if (open)
		log_event(LOG_WARN, "too few servers are up: all are used",
		    "pool=%s below=%u%%", pool->name,
		    pool->health.fail_open_percent);
	else
		log_event(LOG_INFO, "enough servers are up again", "pool=%s",
		    pool->name);
}

struct probe_hooks admin_probe_hooks(struct control *control)
{
	return (struct probe_hooks){
	    .context = control,
	    .on_health = on_health,
	    .on_agent = on_agent,
	    .on_agent_failed = on_agent_failed,
	    .on_fail_open = on_fail_open,
	};
}

void admin_sync_probes(struct control *control)
{
	const struct plan *plan = control->plan;
	uint32_t n = plan->n_upstreams + plan->n_pops;
	struct pool **pools = calloc((size_t)n + 1, sizeof(struct pool *));

	if (!pools)
		br_out_of_memory("the list of pools", n * 8);
	for (uint32_t i = 0; i < n; i++)
		pools[i] = plan_pool_at(plan, i);
	probe_set_sync(control->probes, pools, n);
	free(pools);
}
