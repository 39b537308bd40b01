/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"

/*
 * Ends one flow, or all flows of a server, by asking one worker after the
 * other, FLOW_KILLING_STEP flows a time:
 *
 *      killing ──> worker 0 ──> back ──> worker 0 ... complete: worker 1 ...
 *                                        last, or the one flow found: answered
 *
 * The flows end within the turns that follow, with code K.
 */
struct kill {
	struct control *control;
	struct ctl_call *call; /* NULL: abandoned while a worker has it */
	bool configured; /* the server is in the configuration in force */
	struct flow_killing killing;
};

static void log_killed(const struct flow_killing *killing)
{
	if (killing->id)
		log_event(LOG_INFO, "flow killed by an operator", "id=%" PRIu64,
		    killing->id);
	else
		log_event(LOG_INFO, "flows killed by an operator",
		    "pool=%s server=%s count=%" PRIu64, killing->pool,
		    killing->server, killing->killed);
}

static void answer(struct kill *kill)
{
	const struct flow_killing *killing = &kill->killing;
	struct ctl_call *call = kill->call;

	if (killing->id && !killing->killed) {
		ctl_fail(call, CTL_FAILED,
		    "no flow %" PRIu64
		    " is open; \"flows\" lists those that are",
		    killing->id);
		return;
	}
	if (!kill->configured && !killing->killed && !killing->id) {
		ctl_fail(call, CTL_NO_ENTRY,
		    "no server \"%s/%s\" in the configuration in force, nor a "
		    "flow to one of that name",
		    killing->pool, killing->server);
		return;
	}
	ctl_begin(call);
	json_uint(&call->json, "killed", killing->killed);
	if (killing->id) {
		json_uint(&call->json, "id", killing->id);
	} else {
		json_string(&call->json, "pool", killing->pool);
		json_string(&call->json, "server", killing->server);
	}
	ctl_end(call);
}

static void on_killed(struct flow_killing *killing)
{
	struct kill *kill = killing->context;
	struct ctl_call *call = kill->call;
	bool over;

	/* The client has left, its order stands. */
	if (killing->complete)
		killing->worker++;
	over = (killing->id && killing->killed) ||
	       killing->worker == control_daemon(kill->control)->n_workers;
	if (!over) {
		control_kill_flows(kill->control, killing);
		return;
	}
	if (killing->killed)
		log_killed(killing);
	if (call) {
		call->state = NULL;
		answer(kill);
	}
	free(kill);
}

/* A worker has it: it goes on, and is freed when it comes back last. */
static void on_abandoned(struct ctl_call *call)
{
	struct kill *kill = call->state;

	kill->call = NULL;
	call->state = NULL;
}

/* Digits only, as weights. */
static bool parse_id(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 19 || text[digits])
		return false;
	*ret = strtoull(text, NULL, 10);
	return *ret > 0;
}

/* "POOL/SERVER" or "POOL/SERVER/ADDRESS"; names hold no slash. */
static bool parse_server(const char *text, struct flow_killing *ret)
{
	const char *slash = strchr(text, '/');
	size_t pool = slash ? (size_t)(slash - text) : 0;
	size_t server = slash ? strlen(slash + 1) : 0;

	if (!pool || pool > CONF_NAME_MAX || !server ||
	    strcspn(slash + 1, "/") > CONF_NAME_MAX ||
	    server > CONF_INSTANCE_MAX)
		return false;
	memcpy(ret->pool, text, pool);
	memcpy(ret->server, slash + 1, server);
	return true;
}

static bool is_configured(struct ctl_call *call, const struct flow_killing *k)
{
	struct upstream *found =
	    plan_find_pool(control_plan(call->control), k->pool);

	return found && pool_find_server(found->pool, k->server, NULL);
}

void ctl_kill(struct ctl_call *call)
{
	const char *first = ctl_argument(call, 0);
	const char *second = ctl_argument(call, 1);
	struct kill *kill = calloc(1, sizeof(*kill));
	bool understood;

	if (!kill) {
		ctl_fail(call, CTL_TEMPORARY, "kill: out of memory");
		return;
	}
	kill->call = call;
	kill->control = call->control;
	kill->killing.on_killed = on_killed;
	kill->killing.context = kill;
	if (second)
		understood = !strcmp(first, "--server") &&
			     parse_server(second, &kill->killing);
	else
		understood = parse_id(first, &kill->killing.id);
	if (!understood) {
		free(kill);
		ctl_fail(call, CTL_USAGE,
		    "usage: kill FLOW-ID, or kill --server POOL/SERVER");
		return;
	}
	kill->configured = second && is_configured(call, &kill->killing);
	call->state = kill;
	call->on_abandon = on_abandoned;
	control_kill_flows(call->control, &kill->killing);
}
