/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about POPs: the list of them, and what an operator sets. */
#include "daemon/ctl_command.h"

#include <string.h>

#include "conf/value.h"
#include "daemon/dns_pops.h"
#include "daemon/plan.h"

/* How long before a drain may be planned. */
#define DRAIN_IN_MAX_MS (UINT64_C(30) * 24 * 3600 * 1000)

/* What is shown of all addresses together. */
struct addresses {
	uint32_t up;
	enum board_admin admin;
	int64_t health_since_ns, admin_since_ns;
	int64_t heard_ns; /* the last report, however old; 0: none */
	char cause[BOARD_CAUSE_MAX]; /* of the first that is down */
	char said[BOARD_SAID_MAX]; /* in that report */
};

static void look_at_report(
    struct addresses *all, const struct board_agent *agent)
{
	if (agent->heard_ns <= all->heard_ns)
		return;
	all->heard_ns = agent->heard_ns;
	memcpy(all->said, agent->said, sizeof all->said);
}

static struct addresses look(const struct pool *pool)
{
	struct addresses all = {.admin = BOARD_READY};
	struct board_facts facts;

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		board_read(pool->servers[i].row, &facts);
		if (board_health_now(&facts) != BOARD_DOWN)
			all.up++;
		else if (!all.cause[0])
			memcpy(all.cause, facts.cause, sizeof all.cause);
		look_at_report(&all, &facts.agent);
		if (facts.health_since_ns > all.health_since_ns)
			all.health_since_ns = facts.health_since_ns;
		if (board_admin_now(&facts) == BOARD_READY)
			continue;
		all.admin = board_admin_now(&facts);
		all.admin_since_ns = facts.admin_since_ns;
	}
	return all;
}

static void put_since(struct ctl_call *call, const char *key, int64_t since_ns)
{
	if (since_ns)
		json_double(
		    &call->json, key, ctl_seconds_since(call, since_ns));
	else
		json_null(&call->json, key);
}

static const char *report_state(const struct pop_report *report)
{
	if (!report->n)
		return "none";
	if (pop_report_drains(report))
		return "drain";
	return report->n_up ? "up" : "down";
}

/* Of all addresses together, as the weights go by it. */
static void put_report(
    struct ctl_call *call, const struct pool *pool, const struct addresses *all)
{
	struct dns_pops_state now =
	    dns_pops_state(pool, control_now(call->control));
	uint32_t percent = pop_report_percent(&now.report);
	struct json *j = &call->json;

	if (!pool->agent.port) {
		json_null(j, "report");
		return;
	}
	json_object_begin(j, "report");
	json_string(j, "state", report_state(&now.report));
	if (percent)
		json_uint(j, "percent", percent);
	else
		json_null(j, "percent");
	json_string(j, "checks",
	    now.own == POP_CHECKS_NONE ? "none"
	    : now.own == POP_CHECKS_UP ? "up"
				       : "down");
	json_bool(j, "differs", now.differs);
	json_uint(j, "addresses", now.report.n);
	put_since(call, "heard_seconds", all->heard_ns);
	json_string(j, "said", all->said);
	json_object_end(j);
}

static void put_members(struct ctl_call *call, const struct pool *pool)
{
	struct addresses all = look(pool);
	struct json *j = &call->json;
	struct pop_facts facts;
	bool overridden;

	dns_pops_read(pool, &facts);
	overridden = facts.weight_override != POP_WEIGHT_CONFIGURED;
	json_string(j, "pop", dns_pops_name(pool));
	json_string(j, "health",
	    !facts.known ? "unknown"
	    : facts.up   ? "up"
			 : "down");
	json_string(j, "admin", ctl_admin_name(all.admin));
	json_uint(j, "addresses", pool->n_servers);
	json_uint(j, "addresses_up", all.up);
	json_bool(j, "checked", pool->health.type != CONF_HEALTH_NONE);
	json_uint(j, "weight_percent",
	    overridden ? facts.weight_override : DNS_POPS_WEIGHT);
	json_bool(j, "weight_overridden", overridden);
	put_since(call, "health_since_seconds", all.health_since_ns);
	put_since(call, "admin_since_seconds", all.admin_since_ns);
	if (facts.leaves.ns)
		json_double(j, "drains_in_seconds",
		    -ctl_seconds_since(call, dns_pops_leaves(pool)));
	else
		json_null(j, "drains_in_seconds");
	put_report(call, pool, &all);
	json_string(j, "cause", all.cause);
}

/* CONF_POPS_MAX of them at most: within one turn. */
void ctl_pops(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	struct json *j = &call->json;

	ctl_begin(call);
	json_array_begin(j, "pops");
	for (uint32_t i = 0; i < plan->n_pops; i++) {
		json_object_begin(j, NULL);
		put_members(call, plan->pops[i]);
		json_object_end(j);
	}
	json_array_end(j);
	ctl_end(call);
}

struct pool *ctl_find_pop(struct ctl_call *call)
{
	const char *name = ctl_argument(call, 0);
	struct pool *pool = plan_any_pool(control_plan(call->control), name);

	if (!pool)
		ctl_fail(call, CTL_NO_ENTRY,
		    "no POP \"%s\" in the configuration in force",
		    name + sizeof(DNS_POPS_PREFIX) - 1);
	return pool;
}

/* What is set holds for all of a POP. */
static struct pool *find_whole(struct ctl_call *call, uint32_t arguments)
{
	if (call->request.n_arguments == arguments)
		return ctl_find_pop(call);
	ctl_usage(call);
	return NULL;
}

static void answer(struct ctl_call *call, const struct pool *pool)
{
	ctl_begin(call);
	put_members(call, pool);
	ctl_end(call);
}

/* "--in" and how long, behind the POP. */
static void plan_drain(struct ctl_call *call, struct pool *pool)
{
	const char *text = ctl_argument(call, 2);
	uint64_t in_ms;

	if (value_duration(text, &in_ms) || in_ms > DRAIN_IN_MAX_MS)
		ctl_fail(call, CTL_USAGE,
		    "--in: \"%s\" is no time like 90s, 5m or 2h, of 720 h "
		    "at most",
		    text);
	else if (control_plan_pop_drain(call->control, pool, in_ms))
		ctl_fail(call, CTL_FAILED,
		    "POP \"%s\" is out of service as it is: nothing was "
		    "planned",
		    dns_pops_name(pool));
	else
		answer(call, pool);
}

void ctl_pop_drain(struct ctl_call *call)
{
	const char *option = ctl_argument(call, 1);
	struct pool *pool;

	if (!option) {
		ctl_pop_admin(call, BOARD_DRAIN);
		return;
	}
	if (strcmp(option, "--in") != 0) {
		ctl_usage(call);
		return;
	}
	pool = find_whole(call, 3);
	if (pool)
		plan_drain(call, pool);
}

void ctl_pop_admin(struct ctl_call *call, enum board_admin admin)
{
	struct pool *pool = find_whole(call, 1);

	if (!pool)
		return;
	control_set_pop_admin(call->control, pool, admin);
	answer(call, pool);
}

void ctl_pop_weight(struct ctl_call *call)
{
	uint32_t weight = BOARD_WEIGHT_NONE;
	struct pool *pool = find_whole(call, 2);

	if (!pool || !ctl_parse_weight(call, ctl_argument(call, 1), &weight))
		return;
	control_set_pop_weight(call->control, pool, weight);
	answer(call, pool);
}
