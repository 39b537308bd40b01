/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "daemon/dns_pops.h"
#include "daemon/reload.h"

/* Commands that change something. */

#define WEIGHT_MAX 65535u

/* -- run-time settings of a server -- */
/* Of several instances the facts are those of the first, which now share what
 * was set, and the numbers are sums. */
static void answer_server(struct ctl_call *call, struct pool *pool,
    const struct server *server, const char *name)
{
	uint64_t weight = 0, configured = 0, connections = 0;
	struct json *j = &call->json;
	struct board_facts facts;
	uint32_t n = 0;

	for (struct server *at = NULL;
	     (at = pool_find_server(pool, name, at)) != NULL; n++) {
		server_read(at, &facts);
		configured += at->weight;
		weight += server_weight_now(at, &facts);
		connections += board_slots_used(at->row);
	}
	server_read(server, &facts);
	ctl_begin(call);
	json_string(j, "pool", pool->name);
	json_string(j, "server", name);
	json_uint(j, "instances", n);
	json_string(j, "health", ctl_health_name(board_health_now(&facts)));
	json_string(j, "admin", ctl_admin_name(board_admin_now(&facts)));
	json_uint(j, "weight_configured", configured);
	json_bool(
	    j, "weight_overridden", facts.weight_override != BOARD_WEIGHT_NONE);
	json_uint(j, "weight", weight);
	json_uint(j, "connections", connections);
	ctl_end(call);
}

/* The pool and server of the first two arguments; false after ctl_fail(). */
static bool find_both(
    struct ctl_call *call, struct pool **ret_pool, struct server **ret_server)
{
	struct upstream *upstream = ctl_find_pool(call, ctl_argument(call, 0));

	if (!upstream)
		return false;
	*ret_pool = upstream->pool;
	*ret_server =
	    ctl_find_server(call, upstream->pool, ctl_argument(call, 1));
	return *ret_server != NULL;
}

static void set_admin(struct ctl_call *call, enum board_admin admin)
{
	struct server *server;
	struct pool *pool;

	if (dns_pops_is(ctl_argument(call, 0))) {
		ctl_pop_admin(call, admin);
		return;
	}
	if (call->request.n_arguments != 2) {
		ctl_usage(call);
		return;
	}
	if (!find_both(call, &pool, &server))
		return;
	for (struct server *at = server; at;
	     at = pool_find_server(pool, ctl_argument(call, 1), at))
		control_set_admin(call->control, pool, at, admin);
	answer_server(call, pool, server, ctl_argument(call, 1));
}

void ctl_drain(struct ctl_call *call)
{
	if (dns_pops_is(ctl_argument(call, 0)))
		ctl_pop_drain(call);
	else
		set_admin(call, BOARD_DRAIN);
}

void ctl_ready(struct ctl_call *call)
{
	set_admin(call, BOARD_READY);
}

void ctl_maint(struct ctl_call *call)
{
	set_admin(call, BOARD_MAINT);
}

/* Digits only: strtoul() would take blanks and signs. */
static bool parse_weight(const char *text, uint32_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (!digits || digits > 5 || text[digits])
		return false;
	value = strtoul(text, NULL, 10);
	if (value > WEIGHT_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool ctl_parse_weight(struct ctl_call *call, const char *text, uint32_t *ret)
{
	uint32_t weight = BOARD_WEIGHT_NONE;

	if (strcmp(text, "reset") != 0 && !parse_weight(text, &weight)) {
		ctl_fail(call, CTL_USAGE,
		    "weight: \"%s\" is neither a number from 0 to %u nor "
		    "\"reset\"",
		    text, WEIGHT_MAX);
		return false;
	}
	*ret = weight;
	return true;
}

void ctl_weight(struct ctl_call *call)
{
	uint32_t weight = BOARD_WEIGHT_NONE;
	struct server *server;
	struct pool *pool;

	if (dns_pops_is(ctl_argument(call, 0))) {
		ctl_pop_weight(call);
		return;
	}
	if (call->request.n_arguments < 3) {
		ctl_usage(call);
		return;
	}
	if (!ctl_parse_weight(call, ctl_argument(call, 2), &weight))
		return;
	if (!find_both(call, &pool, &server))
		return;
	for (struct server *at = server; at;
	     at = pool_find_server(pool, ctl_argument(call, 1), at))
		control_set_weight(call->control, pool, at, weight);
	answer_server(call, pool, server, ctl_argument(call, 1));
}

void ctl_log_level(struct ctl_call *call)
{
	const char *text = ctl_argument(call, 0);
	enum log_level level;

	if (!log_level_parse(text, &level)) {
		ctl_fail(call, CTL_USAGE,
		    "log-level: \"%s\" is none of error, warn, info, debug",
		    text);
		return;
	}
	log_configure(log_format_current(), level);
	ctl_begin(call);
	json_string(&call->json, "level", text);
	ctl_end(call);
}

/* -- reload -- */
static void on_reloaded(void *context, const struct reload_result *result)
{
	struct ctl_call *call = context;
	struct json *j = &call->json;

	call->on_abandon = NULL;
	if (result->accepted)
		ctl_begin(call);
	else
		ctl_begin_error(call, CTL_CONFIG, result->summary);
	json_bool(j, "accepted", result->accepted);
	json_uint(j, "number", result->number);
	json_string(j, "summary", result->summary);
	json_array_begin(j, "lines");
	for (uint32_t i = 0; i < result->n_lines; i++)
		json_string(j, NULL, result->lines[i]);
	json_array_end(j);
	ctl_end(call);
}

static void on_reload_abandoned(struct ctl_call *call)
{
	reload_forget(call->control, call);
}

void ctl_reload(struct ctl_call *call)
{
	int err;

	call->on_abandon = on_reload_abandoned;
	err = reload_request(call->control, on_reloaded, call);
	if (err == -EBUSY)
		ctl_fail(call, CTL_TEMPORARY,
		    "no reload now: the process is ending or hands over to "
		    "another");
	else if (err)
		ctl_fail(call, CTL_TEMPORARY, "reload: %s", br_strerror(err));
}
