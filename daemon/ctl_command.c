/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl_command.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

const struct ctl_command ctl_commands[] = {
    {"status", "", "state, configuration, connections", 0, 0, ctl_status},
    {"flows",
	"[pool=NAME] [server=NAME] [listener=NAME] [class=CLASS] [limit=N]",
	"flows that are open now", 0, 5, ctl_flows},
    {"shards", "[pool=NAME] [limit=N]",
	"downloads that come from several servers now", 0, 2, ctl_shards},
    {"kill", "FLOW-ID | --server POOL/SERVER",
	"reset one flow, or all flows of a server", 1, 2, ctl_kill},
    {"pools", "", "pools and their load", 0, 0, ctl_pools},
    {"servers", "[POOL]", "servers, their health and load", 0, 1, ctl_servers},
    {"names", "", "names of servers and what the DNS says", 0, 0, ctl_names},
    {"listeners", "", "listeners and their load", 0, 0, ctl_listeners},
    {"reload", "", "read the configuration again; waits for the verdict", 0, 0,
	ctl_reload},
    {"pops", "", "POPs, their health and weight", 0, 0, ctl_pops},
    {"dns",
	"[stats | explain NAME [TYPE] [--from ADDR|PREFIX] | reload ZONE | "
	"dump ZONE | key ZONE FILE]",
	"zones, and what is answered from them", 0, 5, ctl_dns},
    {"drain", "POOL SERVER | pop:NAME [--in TIME]",
	"no new flows; running ones stay", 1, 3, ctl_drain},
    {"maint", "POOL SERVER | pop:NAME", "as drain, and health checks stop", 1,
	2, ctl_maint},
    {"ready", "POOL SERVER | pop:NAME", "end drain or maintenance", 1, 2,
	ctl_ready},
    {"weight", "POOL SERVER N|reset | pop:NAME PERCENT|reset",
	"set the weight, or the configured one", 2, 3, ctl_weight},
    {"log-level", "error|warn|info|debug",
	"what is logged, until its key in the file changes", 1, 1,
	ctl_log_level},
    {"upgrade", "[BINARY]", "hand over to a new process; waits for it", 0, 1,
	ctl_upgrade},
    /* Of later versions. */
    {"nodes", "", "", 0, 0, NULL},
    {"heatmap", "", "", 0, 0, NULL},
    {"shadow", "", "", 0, 0, NULL},
};
const uint32_t ctl_n_commands = BR_COUNT(ctl_commands);

static void on_timer(struct timer *timer, struct mono now)
{
	struct ctl_call *call = br_container_of(timer, struct ctl_call, timer);

	(void)now;
	call->step(call);
}

void ctl_call_init(struct ctl_call *call, struct control *control,
    void (*on_answered)(struct ctl_call *call))
{
	memset(call, 0, sizeof(*call));
	call->control = control;
	call->on_answered = on_answered;
	strbuf_init(&call->text);
	timer_init(&call->timer, on_timer);
}

void ctl_call_fini(struct ctl_call *call)
{
	br_assert(!timer_armed(&call->timer) && !call->state);
	strbuf_fini(&call->text);
}

void ctl_abandon(struct ctl_call *call)
{
	timer_disarm(control_wheel(call->control), &call->timer);
	if (call->on_abandon)
		call->on_abandon(call);
	call->on_abandon = NULL;
}

static void begin(struct ctl_call *call, enum ctl_exit status, const char *text)
{
	strbuf_clear(&call->text);
	json_init(&call->json, &call->text);
	json_object_begin(&call->json, NULL);
	json_int(&call->json, "exit", status);
	if (text)
		json_string(&call->json, "error", text);
	else
		json_null(&call->json, "error");
	json_object_begin(&call->json, "data");
}

void ctl_begin(struct ctl_call *call)
{
	begin(call, CTL_OK, NULL);
}

void ctl_begin_error(
    struct ctl_call *call, enum ctl_exit status, const char *text)
{
	begin(call, status, text);
}

void ctl_end(struct ctl_call *call)
{
	json_object_end(&call->json);
	json_object_end(&call->json);
	strbuf_addc(&call->text, '\n');
	call->on_abandon = NULL;
	call->on_answered(call);
}

void ctl_fail(
    struct ctl_call *call, enum ctl_exit status, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	begin(call, status, text);
	ctl_end(call);
}

void ctl_continue(struct ctl_call *call, void (*step)(struct ctl_call *call))
{
	call->step = step;
	timer_arm(control_wheel(call->control), &call->timer,
	    control_now(call->control));
}

const char *ctl_argument(const struct ctl_call *call, uint32_t n)
{
	return n < call->request.n_arguments ? call->request.arguments[n]
					     : NULL;
}

static const struct ctl_command *find_command(const char *name)
{
	for (uint32_t i = 0; i < ctl_n_commands; i++) {
		if (!strcmp(ctl_commands[i].name, name))
			return &ctl_commands[i];
	}
	return NULL;
}

static void fail_unknown(struct ctl_call *call)
{
	struct strbuf names;

	strbuf_init(&names);
	for (uint32_t i = 0; i < ctl_n_commands; i++) {
		if (ctl_commands[i].run)
			strbuf_addf(&names, " %s", ctl_commands[i].name);
	}
	ctl_fail(call, CTL_USAGE, "unknown command \"%s\"; there are:%s",
	    call->request.command, strbuf_text(&names));
	strbuf_fini(&names);
}

static void fail_usage(struct ctl_call *call, const struct ctl_command *command)
{
	ctl_fail(call, CTL_USAGE, "usage: %s%s%s", command->name,
	    *command->usage ? " " : "", command->usage);
}

void ctl_usage(struct ctl_call *call)
{
	fail_usage(call, find_command(call->request.command));
}

void ctl_run(struct ctl_call *call)
{
	const struct ctl_command *command = find_command(call->request.command);
	uint32_t n = call->request.n_arguments;

	if (!command)
		fail_unknown(call);
	else if (!command->run)
		ctl_fail(
		    call, CTL_USAGE, "%s: not in this version", command->name);
	else if (n < command->min_arguments || n > command->max_arguments)
		fail_usage(call, command);
	else
		command->run(call);
}

struct upstream *ctl_find_pool(struct ctl_call *call, const char *name)
{
	struct upstream *found =
	    plan_find_pool(control_plan(call->control), name);

	if (!found)
		ctl_fail(call, CTL_NO_ENTRY,
		    "no pool \"%s\" in the configuration in force", name);
	return found;
}

struct server *ctl_find_server(
    struct ctl_call *call, struct pool *pool, const char *name)
{
	struct server *found = pool_find_server(pool, name, NULL);

	if (!found)
		ctl_fail(call, CTL_NO_ENTRY, "no server \"%s\" in pool \"%s\"",
		    name, pool->name);
	return found;
}

double ctl_seconds_since(const struct ctl_call *call, int64_t ns)
{
	return (double)(control_now(call->control).ns - ns) / 1e9;
}

const char *ctl_health_name(enum board_health health)
{
	if (health == BOARD_UP)
		return "up";
	return health == BOARD_DOWN ? "down" : "unknown";
}

const char *ctl_admin_name(enum board_admin admin)
{
	if (admin == BOARD_READY)
		return "ready";
	return admin == BOARD_DRAIN ? "drain" : "maint";
}
