/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of health checks that span several keys: which type uses what, the
 * script of send_expect, addresses to check, agents. */
#include "base/assert.h"
#include "conf/rules.h"
#include "conf/value.h"

struct rules_check {
	struct draft *draft;
	const struct scope *scope;
	const char *parent; /* path of the health block */
	enum schema_map steps;
	const struct conf_health *health;
	const struct conf_pool *pool; /* NULL: of a POP */
};

static const struct schema_row *check_row(
    const struct rules_check *r, const char *key)
{
	return schema_child(schema_find(r->parent), key);
}

static struct conf_pos check_pos(
    const struct rules_check *r, const struct schema_row *row)
{
	return *draft_seen(r->scope, row);
}

static const struct scope *check_server_scope(
    const struct rules_check *r, uint32_t i)
{
	return r->draft->entries[MAP_SERVERS]
	    .at[r->scope->below[MAP_SERVERS].first + i];
}

static void check_unused(const struct rules_check *r)
{
	static const char *const types[] = {
	    [CONF_HEALTH_NONE] = "none",
	    [CONF_HEALTH_TCP] = "tcp",
	    [CONF_HEALTH_HTTP] = "http",
	    [CONF_HEALTH_TLS] = "tls",
	    [CONF_HEALTH_SEND_EXPECT] = "send_expect",
	};
	enum conf_health_type type = r->health->type;
	const struct schema_row *row = NULL;

	if (type == CONF_HEALTH_NONE)
		return;
	while ((row = schema_next_child(schema_find(r->parent), row))) {
		struct conf_pos pos = *draft_seen(r->scope, row);
		bool script =
		    row->script_only && type != CONF_HEALTH_SEND_EXPECT;

		if (!pos.line ||
		    (!script && (!row->http_only || type == CONF_HEALTH_HTTP)))
			continue;
		draft_warning(r->draft, r->scope, row, pos,
		    "has no effect with type %s; set type: %s", types[type],
		    script ? "send_expect" : "http");
	}
}

static void check_step(const struct rules_check *r, uint32_t i)
{
	static const char *const keys[] = {
	    "send", "send_hex", "expect", "expect_hex"};
	const struct scope *scope =
	    r->draft->entries[r->steps].at[r->scope->below[r->steps].first + i];
	uint32_t n = 0;

	for (size_t k = 0; k < BR_COUNT(keys); k++)
		n += draft_seen(scope, schema_child(scope->row, keys[k]))
			 ->line != 0;
	if (n != 1 && !scope->bad)
		draft_error(r->draft, scope, scope->row, scope->pos,
		    "want one of send, send_hex, expect, expect_hex, not %s",
		    n ? "several; make them steps of their own" : "none");
}

static void check_script(const struct rules_check *r)
{
	const struct conf_health *health = r->health;
	const struct schema_row *row;
	struct conf_pos pos;
	uint64_t bytes = 0;

	if (health->type != CONF_HEALTH_SEND_EXPECT && !health->n_steps)
		return;
	row = check_row(r, "script");
	pos = check_pos(r, row);
	if (health->type == CONF_HEALTH_SEND_EXPECT && !pos.line)
		draft_error(r->draft, r->scope, row,
		    check_pos(r, check_row(r, "type")),
		    "type send_expect needs a script, as in %s", row->example);
	for (uint32_t i = 0; i < health->n_steps; i++) {
		check_step(r, i);
		bytes += health->steps[i].send.n + health->steps[i].expect.n;
	}
	if (health->n_steps > CONF_SCRIPT_STEPS_MAX)
		draft_error(r->draft, r->scope, row, pos,
		    "%u steps, want at most %d", health->n_steps,
		    CONF_SCRIPT_STEPS_MAX);
	else if (bytes > CONF_SCRIPT_BYTES_MAX)
		draft_error(r->draft, r->scope, row, pos,
		    "%u bytes in all, want at most %d", (unsigned)bytes,
		    CONF_SCRIPT_BYTES_MAX);
}

/* There is one check at a time, so what does not answer is checked, and
 * counted by fall, only as often as the timeout allows. */
static void check_times(const struct rules_check *r)
{
	const struct conf_health *health = r->health;
	const struct schema_row *row;
	struct strbuf sb;
	bool given;

	if (health->type == CONF_HEALTH_NONE || r->scope->bad ||
	    health->timeout_ms <= health->interval_ms)
		return;
	row = check_row(r, "timeout");
	given = check_pos(r, row).line != 0;
	if (!given)
		row = check_row(r, "interval");
	strbuf_init(&sb);
	value_add_duration(
	    &sb, given ? health->timeout_ms : health->interval_ms);
	strbuf_addf(&sb, " is %s of ",
	    given ? "longer than the interval"
		  : "shorter than the default timeout");
	value_add_duration(
	    &sb, given ? health->interval_ms : health->timeout_ms);
	strbuf_addf(&sb, ": %s that does not answer is checked every ",
	    r->pool ? "a server" : "an address");
	value_add_duration(&sb, health->timeout_ms);
	strbuf_addf(&sb, " only, and is down after %u of these", health->fall);
	draft_warning(
	    r->draft, r->scope, row, check_pos(r, row), "%s", strbuf_text(&sb));
	strbuf_fini(&sb);
}

static void check_address(const struct rules_check *r, uint32_t i)
{
	const struct addr *to = &r->pool->servers[i].health_address;
	const struct addr *source = &r->pool->source;
	const struct scope *scope = check_server_scope(r, i);
	const struct schema_row *row;
	struct conf_pos pos;

	if (!to->length)
		return;
	row = schema_find("pools.*.servers.*.health_address");
	pos = *draft_seen(scope, row);
	if (r->pool->health.type == CONF_HEALTH_NONE && !r->scope->bad)
		draft_warning(r->draft, scope, row, pos,
		    "has no effect without health checks; set health: {}");
	if (source->length && !conf_source_is_client(source) &&
	    !addr_is_unix(to) && source->sa.sa_family != to->sa.sa_family)
		draft_error(r->draft, scope, row, pos,
		    "not of the family of the pool's source address (line %u)",
		    check_pos(r, schema_find("pools.*.source")).line);
}

/* A unix socket has no port that could be another one. */
static void check_ports(const struct rules_check *r, uint32_t i)
{
	const struct conf_server *server = &r->pool->servers[i];
	const struct schema_row *agent = schema_find("pools.*.agent.port");
	static const char what[] =
	    "server %s is a unix socket, which has no port";

	if (!addr_is_unix(&server->addr))
		return;
	if (r->health->port && !server->health_address.length)
		draft_error(r->draft, r->scope, check_row(r, "port"),
		    check_pos(r, check_row(r, "port")), what, server->name);
	if (r->pool->agent.port)
		draft_error(r->draft, r->scope, agent, check_pos(r, agent),
		    what, server->name);
}

void rules_health(struct draft *draft, const struct scope *scope)
{
	const struct conf_pool *pool = scope->element;
	struct rules_check r = {
	    .draft = draft,
	    .scope = scope,
	    .parent = "pools.*.health",
	    .steps = MAP_STEPS,
	    .health = &pool->health,
	    .pool = pool,
	};

	if (!scope->bad)
		check_unused(&r);
	check_script(&r);
	check_times(&r);
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		if (!pool->servers[i].addr.length)
			continue;
		check_address(&r, i);
		check_ports(&r, i);
	}
}

void rules_health_pop(struct draft *draft, const struct scope *scope)
{
	const struct conf_pop *pop = scope->element;
	struct rules_check r = {
	    .draft = draft,
	    .scope = scope,
	    .parent = "pops.*.health",
	    .steps = MAP_POP_STEPS,
	    .health = &pop->health,
	};

	if (!scope->bad)
		check_unused(&r);
	check_script(&r);
	check_times(&r);
}
