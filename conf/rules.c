/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/rules.h"

#include <string.h>

static void rules_resolve(struct draft *draft)
{
	const struct conf_global *global = &draft->conf->global;
	const struct schema_row *row = schema_find("global.resolve.max_ttl");

	if (global->resolve_min_ttl_ms <= global->resolve_max_ttl_ms)
		return;
	if (!draft_seen(&draft->file, row)->line)
		row = schema_find("global.resolve.min_ttl");
	draft_error(draft, &draft->file, row, *draft_seen(&draft->file, row),
	    "min_ttl is above max_ttl");
}

/* A socket at which people and machines ask: false when it cannot be one, then
 * that was said. */
static bool is_askable(struct draft *draft, const char *key,
    const struct addr *addr, struct conf_pos pos)
{
	if (!addr_is_unix(addr))
		return true;
	draft_error(draft, &draft->file, schema_find(key), pos,
	    "want an IP address and port, or off; unix sockets are not "
	    "supported here");
	return false;
}

static void rules_agent(struct draft *draft)
{
	const struct conf_node_agent *agent = &draft->conf->agent;
	const struct addr *api = &draft->conf->api.listen;
	const struct schema_row *row = schema_find("agent.listen");
	char text[ADDR_TEXT_MAX];

	if (!agent->listen.length || !is_askable(draft, "agent.listen",
					 &agent->listen, agent->listen_pos))
		return;
	addr_format(&agent->listen, text);
	if (rules_overlap(api, &agent->listen))
		draft_error(draft, &draft->file, row, agent->listen_pos,
		    "%s is already taken by api.listen", text);
	else if (!addr_is_loopback(&agent->listen) && !agent->allow.n)
		draft_warning(draft, &draft->file, row, agent->listen_pos,
		    "%s can be reached from other machines; agent.allow says "
		    "who may ask",
		    text);
}

static void rules_global(struct draft *draft)
{
	const struct conf *conf = draft->conf;
	const struct addr *api = &conf->api.listen;
	char text[ADDR_TEXT_MAX];

	if (strcmp(conf->global.user, "root") == 0)
		draft_warning(draft, &draft->file, schema_find("global.user"),
		    conf->global.user_pos,
		    "root keeps all its rights while it handles traffic; an "
		    "own user is safer");
	if (!api->length)
		return;
	if (!is_askable(draft, "api.listen", api, conf->api.listen_pos) ||
	    addr_is_loopback(api))
		return;
	addr_format(api, text);
	draft_warning(draft, &draft->file, schema_find("api.listen"),
	    conf->api.listen_pos,
	    "%s can be reached from other machines and asks for no password",
	    text);
}

void rules_apply(struct draft *draft)
{
	struct addr_map *binds;

	rules_global(draft);
	rules_agent(draft);
	rules_resolve(draft);
	rules_dns(draft);
	rules_pops(draft);
	binds = rules_listeners(draft);
	rules_pools(draft, binds);
	rules_profiler(draft);
}
