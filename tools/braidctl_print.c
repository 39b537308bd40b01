/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_print.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "tools/braidctl_client.h"
#include "tools/braidctl_printer.h"

void print_table(struct printer *p, struct table *table)
{
	table_print(table, p->colour, 0, 0, p->out);
	table_fini(table);
}

void cell_bytes(struct table *table, const json_t *object, const char *key)
{
	char text[HUMAN_MAX];

	table_text(table, STYLE_PLAIN,
	    human_bytes((double)client_uint(object, key), text));
}

void cell_count(struct table *table, const json_t *object, const char *key)
{
	char text[HUMAN_MAX];

	table_text(table, STYLE_PLAIN,
	    human_count((double)client_uint(object, key), text));
}

void cell_trouble(struct table *table, uint64_t count)
{
	char text[HUMAN_MAX];

	table_text(table, count ? STYLE_YELLOW : STYLE_DIM,
	    human_count((double)count, text));
}

void cell_of_limit(struct table *table, const json_t *object, const char *key,
    const char *limit_key)
{
	unsigned long long now = client_uint(object, key);
	unsigned long long limit = client_uint(object, limit_key);

	if (limit)
		table_addf(table, now >= limit ? STYLE_YELLOW : STYLE_PLAIN,
		    "%llu/%llu", now, limit);
	else
		table_addf(table, STYLE_PLAIN, "%llu", now);
}

const char *plural(unsigned long long n)
{
	return n == 1 ? "" : "s";
}

const char *health_word(
    const json_t *server, enum style *ret_style, char ret[HUMAN_MAX])
{
	const char *health = client_text(server, "health");
	const char *admin = client_text(server, "admin");
	unsigned long long left = client_uint(server, "connections");
	unsigned long long slow_start =
	    client_uint(server, "slow_start_percent");

	*ret_style = STYLE_YELLOW;
	if (strcmp(admin, "ready") != 0) {
		if (left)
			(void)snprintf(
			    ret, HUMAN_MAX, "%s, %llu left", admin, left);
		else
			(void)snprintf(ret, HUMAN_MAX, "%s, empty", admin);
		return ret;
	}
	if (client_bool(server, "ejected") && strcmp(health, "down") != 0) {
		const json_t *more =
		    json_object_get(server, "ejected_for_seconds");
		char text[HUMAN_MAX];

		*ret_style = STYLE_RED;
		(void)snprintf(ret, HUMAN_MAX, "ejected, %s left",
		    human_seconds(json_number_value(more), text));
		return ret;
	}
	if (slow_start && slow_start < 100 && strcmp(health, "down") != 0) {
		(void)snprintf(ret, HUMAN_MAX, "up, at %llu%%", slow_start);
		return ret;
	}
	if (!strcmp(health, "up"))
		*ret_style = STYLE_GREEN;
	else if (!strcmp(health, "down"))
		*ret_style = STYLE_RED;
	else
		*ret_style = STYLE_DIM;
	return !strcmp(health, "unknown") ? "unchecked" : health;
}

/* -- lists -- */
/* Since when the state that is shown holds. */
static const json_t *since_of(const json_t *server)
{
	if (strcmp(client_text(server, "admin"), "ready") != 0)
		return json_object_get(server, "admin_since_seconds");
	return json_object_get(server, client_bool(server, "ejected")
					   ? "ejected_since_seconds"
					   : "health_since_seconds");
}

/* Of what is up, the cause of its health says nothing new. */
static const char *cause_text(const json_t *server)
{
	if (strcmp(client_text(server, "health"), "down") != 0 &&
	    client_bool(server, "ejected"))
		return client_text(server, "ejected_cause");
	return strcmp(client_text(server, "health"), "up") != 0
		   ? client_text(server, "cause")
		   : "";
}

/* Of what is up, the cause says nothing new; its agent may. */
static void cell_cause(struct table *table, const json_t *server)
{
	const json_t *agent = json_object_get(server, "agent");
	const char *said =
	    json_is_object(agent) ? client_text(agent, "said") : "";

	const char *cause = cause_text(server);

	if (*cause)
		table_text(table, STYLE_DIM, cause);
	else
		table_addf(
		    table, STYLE_DIM, "%s%s", *said ? "agent: " : "", said);
}

static void print_servers(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"POOL", "SERVER", "ADDRESS",
	    "STATE", ">SINCE", ">WEIGHT", ">CONNS", ">FLOWS", ">CONN ERR",
	    ">RESETS", ">SENT", ">RECEIVED", "CAUSE", NULL};
	const json_t *servers = json_object_get(data, "servers");
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(servers); i++) {
		const json_t *s = json_array_get(servers, i);
		const json_t *since = since_of(s);
		bool overridden = client_bool(s, "weight_overridden");
		enum style style;
		char text[HUMAN_MAX], state[HUMAN_MAX];
		const char *word = health_word(s, &style, state);

		table_text(&table, STYLE_PLAIN, client_text(s, "pool"));
		table_text(&table, STYLE_PLAIN, client_text(s, "server"));
		table_text(&table, STYLE_DIM, client_text(s, "address"));
		table_text(&table, style, word);
		table_text(&table, STYLE_PLAIN,
		    json_is_number(since)
			? human_seconds(json_number_value(since), text)
			: "-");
		table_addf(&table, overridden ? STYLE_YELLOW : STYLE_PLAIN,
		    "%llu/%llu", (unsigned long long)client_uint(s, "weight"),
		    (unsigned long long)client_uint(s, "weight_configured"));
		cell_of_limit(&table, s, "connections", "max_connections");
		cell_count(&table, s, "flows");
		cell_trouble(&table, client_uint(s, "connect_errors") +
					 client_uint(s, "connect_timeouts"));
		cell_trouble(&table, client_uint(s, "resets"));
		cell_bytes(&table, s, "bytes_to");
		cell_bytes(&table, s, "bytes_from");
		cell_cause(&table, s);
	}
	print_table(p, &table);
}

static void add_records(struct table *table, const json_t *records)
{
	struct strbuf text;

	strbuf_init(&text);
	for (size_t i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);

		if (json_is_string(record))
			strbuf_addf(&text, "%s%s", i ? " " : "",
			    json_string_value(record));
		else
			strbuf_addf(&text, "%s%s:%llu (%llu %llu)",
			    i ? " " : "", client_text(record, "target"),
			    (unsigned long long)client_uint(record, "port"),
			    (unsigned long long)client_uint(record, "priority"),
			    (unsigned long long)client_uint(record, "weight"));
	}
	table_text(table, STYLE_PLAIN, text.length ? strbuf_text(&text) : "-");
	strbuf_fini(&text);
}

static unsigned long long failures_of(const json_t *name)
{
	const json_t *counts = json_object_get(name, "counts"), *value;
	unsigned long long n = 0;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)counts, key,
	    value) if (strcmp(key, "answer") != 0) n +=
	    (unsigned long long)json_integer_value(value);
	return n;
}

static void print_names(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"NAME", "TYPE", "RESULT",
	    ">ANSWERS", ">FAILURES", ">TTL", ">NEXT IN", "RECORDS", NULL};
	const json_t *names = json_object_get(data, "names");
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(names); i++) {
		const json_t *n = json_array_get(names, i);
		const json_t *next = json_object_get(n, "next_in_seconds");
		const char *result = client_text(n, "result");
		char text[HUMAN_MAX];

		table_text(&table, STYLE_PLAIN, client_text(n, "name"));
		table_text(&table, STYLE_DIM, client_text(n, "type"));
		table_text(&table,
		    client_bool(n, "failing") ? STYLE_RED : STYLE_PLAIN,
		    *result ? result : "asking");
		table_addf(&table, STYLE_PLAIN, "%llu",
		    (unsigned long long)client_uint(
			json_object_get(n, "counts"), "answer"));
		table_addf(&table, STYLE_PLAIN, "%llu", failures_of(n));
		table_text(&table, STYLE_PLAIN,
		    human_seconds(client_number(n, "ttl_seconds"), text));
		table_text(&table, STYLE_PLAIN,
		    json_is_number(next)
			? human_seconds(json_number_value(next), text)
			: "asking");
		add_records(&table, json_object_get(n, "records"));
	}
	print_table(p, &table);
}

static void print_pools(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"POOL", "BALANCE", "USABLE",
	    ">DOWN", ">EJECTED", ">DRAINED", ">CONNS", ">QUEUED", ">FLOWS",
	    ">CONN ERR", ">SENT", ">RECEIVED", NULL};
	const json_t *pools = json_object_get(data, "pools");
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(pools); i++) {
		const json_t *s = json_array_get(pools, i);
		unsigned long long usable = client_uint(s, "usable");
		bool open = client_bool(s, "fails_open");

		table_text(&table, STYLE_PLAIN, client_text(s, "pool"));
		table_text(&table, STYLE_DIM, client_text(s, "balance"));
		table_addf(&table, usable && !open ? STYLE_GREEN : STYLE_RED,
		    "%llu/%llu%s", usable,
		    (unsigned long long)client_uint(s, "servers"),
		    open                        ? " (failing open)"
		    : client_bool(s, "backups") ? " (backups serve)"
						: "");
		cell_trouble(&table, client_uint(s, "down"));
		cell_trouble(&table, client_uint(s, "ejected"));
		cell_trouble(&table, client_uint(s, "drained"));
		cell_count(&table, s, "connections");
		cell_of_limit(&table, s, "queued", "queue_length");
		cell_count(&table, s, "flows");
		cell_trouble(&table, client_uint(s, "connect_errors") +
					 client_uint(s, "connect_timeouts"));
		cell_bytes(&table, s, "bytes_to");
		cell_bytes(&table, s, "bytes_from");
	}
	print_table(p, &table);
}

static const char *report_state(const json_t *pop)
{
	return client_text(json_object_get(pop, "report"), "state");
}

/* Somebody reports of it, and that counts. */
static bool is_reported(const json_t *pop)
{
	const char *state = report_state(pop);

	return *state && strcmp(state, "none") != 0;
}

/* "up 73%, 2s ago"; what is too old counts for nothing. */
static void cell_report(struct table *table, const json_t *pop)
{
	const json_t *report = json_object_get(pop, "report");
	const json_t *heard = json_object_get(report, "heard_seconds");
	bool alarm = client_bool(report, "differs") || !is_reported(pop);
	char text[HUMAN_MAX], percent[16] = "";

	if (!json_is_object(report)) {
		table_text(table, STYLE_DIM, "-");
		return;
	}
	if (!json_is_number(heard)) {
		table_text(table, STYLE_YELLOW, "never heard");
		return;
	}
	if (json_is_integer(json_object_get(report, "percent")))
		(void)snprintf(percent, sizeof percent, " %u%%",
		    (unsigned)client_uint(report, "percent"));
	table_addf(table, alarm ? STYLE_YELLOW : STYLE_PLAIN, "%s%s, %s ago",
	    is_reported(pop) ? report_state(pop) : "too old", percent,
	    human_seconds(json_number_value(heard), text));
}

/* What the operator set goes before what the checks say. */
static void cell_pop_state(struct table *table, const json_t *pop)
{
	const json_t *in = json_object_get(pop, "drains_in_seconds");
	const char *state = client_text(pop, "admin");
	bool down = !strcmp(client_text(pop, "health"), "down");
	char text[HUMAN_MAX];

	if (strcmp(state, "ready") != 0) {
		table_text(table, STYLE_YELLOW, state);
		return;
	}
	state = client_bool(pop, "checked") || is_reported(pop)
		    ? client_text(pop, "health")
		    : "unchecked";
	if (!strcmp(report_state(pop), "drain"))
		table_addf(table, STYLE_YELLOW, "%s, drains itself", state);
	else if (json_is_number(in))
		table_addf(table, down ? STYLE_RED : STYLE_YELLOW,
		    "%s, drains in %s", state,
		    human_seconds(json_number_value(in), text));
	else
		table_text(table, down ? STYLE_RED : STYLE_GREEN, state);
}

static void print_pops(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"POP", "STATE", ">SINCE",
	    ">ADDRESSES UP", ">WEIGHT", "REPORT", "CAUSE", NULL};
	const json_t *pops = json_object_get(data, "pops");
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(pops); i++) {
		const json_t *pop = json_array_get(pops, i);
		const json_t *since = since_of(pop);
		char text[HUMAN_MAX];

		table_text(&table, STYLE_PLAIN, client_text(pop, "pop"));
		cell_pop_state(&table, pop);
		table_text(&table, STYLE_PLAIN,
		    json_is_number(since)
			? human_seconds(json_number_value(since), text)
			: "-");
		table_addf(&table, STYLE_PLAIN, "%llu/%llu",
		    (unsigned long long)client_uint(pop, "addresses_up"),
		    (unsigned long long)client_uint(pop, "addresses"));
		table_addf(&table,
		    client_bool(pop, "weight_overridden") ? STYLE_YELLOW
							  : STYLE_PLAIN,
		    "%llu%%",
		    (unsigned long long)client_uint(pop, "weight_percent"));
		cell_report(&table, pop);
		table_text(&table, STYLE_DIM, client_text(pop, "cause"));
	}
	print_table(p, &table);
}

static void print_listeners(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"LISTENER", "BIND", "POOL",
	    ">CONNS", ">ACCEPTED", ">REFUSED", ">PAUSES", ">RECEIVED", ">SENT",
	    NULL};
	const json_t *listeners = json_object_get(data, "listeners");
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *l = json_array_get(listeners, i);
		const json_t *binds = json_object_get(l, "bind");
		struct strbuf text;

		strbuf_init(&text);
		for (size_t k = 0; k < json_array_size(binds); k++)
			strbuf_addf(&text, "%s%s", k ? ", " : "",
			    json_string_value(json_array_get(binds, k)));
		table_text(&table, STYLE_PLAIN, client_text(l, "listener"));
		table_text(&table, STYLE_DIM, strbuf_text(&text));
		table_text(&table, STYLE_PLAIN, client_text(l, "pool"));
		cell_of_limit(&table, l, "connections", "max_connections");
		cell_count(&table, l, "accepted");
		cell_trouble(&table, client_uint(l, "refused") +
					 client_uint(l, "denied") +
					 client_uint(l, "source_full") +
					 client_uint(l, "source_fast"));
		cell_trouble(&table, client_uint(l, "accept_pauses"));
		cell_bytes(&table, l, "bytes_in");
		cell_bytes(&table, l, "bytes_out");
		strbuf_fini(&text);
	}
	print_table(p, &table);
}

/* -- what changes something -- */
static void print_pop(struct printer *p, const json_t *data)
{
	const json_t *in = json_object_get(data, "drains_in_seconds");
	char text[HUMAN_MAX];

	strbuf_addf(p->out, "POP %s: %s", client_text(data, "pop"),
	    client_text(data, "admin"));
	if (json_is_number(in))
		strbuf_addf(p->out, ", drains in %s",
		    human_seconds(json_number_value(in), text));
	strbuf_addf(p->out,
	    ", health %s, weight %llu%%, %llu of %llu addresses up\n",
	    client_text(data, "health"),
	    (unsigned long long)client_uint(data, "weight_percent"),
	    (unsigned long long)client_uint(data, "addresses_up"),
	    (unsigned long long)client_uint(data, "addresses"));
}

static void print_server(struct printer *p, const json_t *data)
{
	if (json_object_get(data, "pop")) {
		print_pop(p, data);
		return;
	}
	strbuf_addf(p->out, "%s/%s: %s, health %s, weight %llu",
	    client_text(data, "pool"), client_text(data, "server"),
	    client_text(data, "admin"), client_text(data, "health"),
	    (unsigned long long)client_uint(data, "weight"));
	if (client_bool(data, "weight_overridden"))
		strbuf_addf(p->out, " (configured %llu, overridden)",
		    (unsigned long long)client_uint(data, "weight_configured"));
	strbuf_addf(p->out, ", %llu connection%s\n",
	    (unsigned long long)client_uint(data, "connections"),
	    plural(client_uint(data, "connections")));
}

static void print_killed(struct printer *p, const json_t *data)
{
	unsigned long long killed = client_uint(data, "killed");

	if (json_object_get(data, "id"))
		strbuf_addf(p->out, "flow %llu killed\n",
		    (unsigned long long)client_uint(data, "id"));
	else
		strbuf_addf(p->out, "%s/%s: %llu flow%s killed\n",
		    client_text(data, "pool"), client_text(data, "server"),
		    killed, plural(killed));
}

static void print_reload(struct printer *p, const json_t *data)
{
	const json_t *lines = json_object_get(data, "lines");

	for (size_t i = 0; i < json_array_size(lines); i++)
		strbuf_addf(p->out, "%s\n",
		    json_string_value(json_array_get(lines, i)));
	if (client_bool(data, "accepted"))
		strbuf_addf(p->out, "configuration %llu is in force: %s\n",
		    (unsigned long long)client_uint(data, "number"),
		    client_text(data, "summary"));
}

static void print_upgrade(struct printer *p, const json_t *data)
{
	unsigned long long left = client_uint(data, "flows_left");

	strbuf_addf(p->out,
	    "generation %llu serves: pid %llu, after %llu ms; pid %llu keeps "
	    "%llu flow%s until they end\n",
	    (unsigned long long)client_uint(data, "generation"),
	    (unsigned long long)client_uint(data, "pid"),
	    (unsigned long long)client_uint(data, "took_ms"),
	    (unsigned long long)client_uint(data, "old_pid"), left,
	    plural(left));
}

static void print_level(struct printer *p, const json_t *data)
{
	strbuf_addf(p->out,
	    "log level %s, until global.log.level changes in the file\n",
	    client_text(data, "level"));
}

void print_answer(
    const char *command, const json_t *data, bool colour, struct strbuf *ret)
{
	static const struct {
		const char *command;
		void (*print)(struct printer *p, const json_t *data);
	} printers[] = {
	    {"status", print_status},
	    {"flows", print_flows},
	    {"shards", print_shards},
	    {"kill", print_killed},
	    {"pools", print_pools},
	    {"pops", print_pops},
	    {"dns", print_dns},
	    {"servers", print_servers},
	    {"listeners", print_listeners},
	    {"names", print_names},
	    {"reload", print_reload},
	    {"upgrade", print_upgrade},
	    {"drain", print_server},
	    {"maint", print_server},
	    {"ready", print_server},
	    {"weight", print_server},
	    {"log-level", print_level},
	};
	struct printer p = {ret, colour};

	for (size_t i = 0; i < BR_COUNT(printers); i++) {
		if (!strcmp(printers[i].command, command))
			printers[i].print(&p, data);
	}
}
