/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_print.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "tools/braidctl_client.h"

struct printer {
	struct strbuf *out;
	bool colour;
};

static void print_table(struct printer *p, struct table *table)
{
	table_print(table, p->colour, 0, 0, p->out);
	table_fini(table);
}

static void cell_bytes(
    struct table *table, const json_t *object, const char *key)
{
	char text[HUMAN_MAX];

	table_text(table, STYLE_PLAIN,
	    human_bytes((double)client_uint(object, key), text));
}

static void cell_count(
    struct table *table, const json_t *object, const char *key)
{
	char text[HUMAN_MAX];

	table_text(table, STYLE_PLAIN,
	    human_count((double)client_uint(object, key), text));
}

/* What ought to be 0. */
static void cell_trouble(struct table *table, uint64_t count)
{
	char text[HUMAN_MAX];

	table_text(table, count ? STYLE_YELLOW : STYLE_DIM,
	    human_count((double)count, text));
}

/* "12" or "12/100". */
static void cell_of_limit(struct table *table, const json_t *object,
    const char *key, const char *limit_key)
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

/* -- status -- */
static void add_key(struct printer *p, const char *key)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%-13s", key);
	style_add(p->out, p->colour, STYLE_CYAN, text);
}

static enum style state_style(const char *state)
{
	return !strcmp(state, "serving") ? STYLE_GREEN : STYLE_YELLOW;
}

static void print_process(struct printer *p, const json_t *data)
{
	const json_t *config = json_object_get(data, "config");
	const char *state = client_text(data, "state");
	char text[HUMAN_MAX];

	style_add(p->out, p->colour, STYLE_BOLD, "braidd ");
	style_add(p->out, p->colour, STYLE_BOLD, client_text(data, "version"));
	strbuf_adds(p->out, "  ");
	style_add(p->out, p->colour, state_style(state), state);
	strbuf_addf(p->out,
	    "  pid %llu  up %s  used %.1fs of CPU  %llu worker%s\n",
	    (unsigned long long)client_uint(data, "pid"),
	    human_seconds(client_number(data, "uptime_seconds"), text),
	    client_number(data, "cpu_seconds"),
	    (unsigned long long)client_uint(data, "workers"),
	    plural(client_uint(data, "workers")));
	add_key(p, "config");
	strbuf_addf(p->out, "%s  number %llu  digest %s  loaded %s\n",
	    client_text(config, "file"),
	    (unsigned long long)client_uint(config, "number"),
	    client_text(config, "digest"), client_text(config, "loaded"));
	add_key(p, "");
	strbuf_addf(p->out,
	    "%llu listener%s  %llu pool%s  %llu reload%s done, %llu refused\n",
	    (unsigned long long)client_uint(config, "listeners"),
	    plural(client_uint(config, "listeners")),
	    (unsigned long long)client_uint(config, "pools"),
	    plural(client_uint(config, "pools")),
	    (unsigned long long)client_uint(config, "reloads"),
	    plural(client_uint(config, "reloads")),
	    (unsigned long long)client_uint(config, "refused"));
}

/* Only while there are several. */
static void print_generations(struct printer *p, const json_t *data)
{
	const json_t *rows = json_object_get(data, "generations");
	char text[HUMAN_MAX];

	for (size_t i = 0;
	     i < json_array_size(rows) && json_array_size(rows) > 1; i++) {
		const json_t *row = json_array_get(rows, i);

		add_key(p, i ? "" : "generations");
		strbuf_addf(p->out,
		    "generation %llu  pid %llu  version %s  age %s  %s, "
		    "%llu flow%s\n",
		    (unsigned long long)client_uint(row, "generation"),
		    (unsigned long long)client_uint(row, "pid"),
		    client_text(row, "version"),
		    human_seconds(client_number(row, "age_seconds"), text),
		    client_text(row, "state"),
		    (unsigned long long)client_uint(row, "flows"),
		    plural(client_uint(row, "flows")));
	}
}

static void print_health(struct printer *p, const json_t *data)
{
	const json_t *servers = json_object_get(data, "servers");
	const json_t *open = json_object_get(data, "pools_failing_open");
	unsigned long long down = client_uint(servers, "down");
	char text[64];

	add_key(p, "servers");
	strbuf_addf(p->out, "%llu configured  ",
	    (unsigned long long)client_uint(servers, "configured"));
	(void)snprintf(text, sizeof(text), "%llu down", down);
	style_add(p->out, p->colour, down ? STYLE_RED : STYLE_PLAIN, text);
	strbuf_addf(p->out, "  %llu drained or in maintenance\n",
	    (unsigned long long)client_uint(servers, "drained"));
	for (size_t i = 0; i < json_array_size(open); i++) {
		add_key(p, i ? "" : "fail-open");
		style_add(p->out, p->colour, STYLE_RED,
		    json_string_value(json_array_get(open, i)));
		strbuf_adds(p->out, ": too few servers are up, those that are "
				    "down get flows too\n");
	}
}

/* Connections that ended before a server was chosen for what they began with;
 * nothing where none did. */
static void print_first_bytes(struct printer *p, const json_t *data)
{
	const json_t *first = json_object_get(data, "first_bytes");
	uint64_t untrusted = client_uint(first, "proxy_untrusted");
	uint64_t proxy = client_uint(first, "proxy_malformed");
	uint64_t hello = client_uint(first, "hello_malformed");
	uint64_t timeouts = client_uint(first, "timeouts");

	if (!untrusted && !proxy && !hello && !timeouts)
		return;
	add_key(p, "first bytes");
	strbuf_addf(p->out,
	    "%llu not from proxy_from  %llu without a good PROXY header  "
	    "%llu malformed ClientHellos  %llu too slow\n",
	    (unsigned long long)untrusted, (unsigned long long)proxy,
	    (unsigned long long)hello, (unsigned long long)timeouts);
}

static void print_flows_summary(struct printer *p, const json_t *data)
{
	const json_t *flows = json_object_get(data, "flows");
	const json_t *connections = json_object_get(data, "connections");
	const json_t *refused = json_object_get(data, "refused");
	char relayed[HUMAN_MAX], spliced[HUMAN_MAX];

	add_key(p, "connections");
	strbuf_addf(p->out, "%llu of %llu\n",
	    (unsigned long long)client_uint(connections, "now"),
	    (unsigned long long)client_uint(connections, "max"));
	add_key(p, "flows");
	strbuf_addf(p->out,
	    "%llu open (%llu direction%s by splice)  %llu started  %llu ended\n",
	    (unsigned long long)client_uint(flows, "open"),
	    (unsigned long long)client_uint(flows, "directions_splicing"),
	    plural(client_uint(flows, "directions_splicing")),
	    (unsigned long long)client_uint(flows, "started"),
	    (unsigned long long)client_uint(flows, "ended"));
	add_key(p, "trouble");
	strbuf_addf(p->out,
	    "connects failed %llu, retried %llu  no usable server %llu  "
	    "queue timed out %llu, full %llu\n",
	    (unsigned long long)client_uint(flows, "connect_errors"),
	    (unsigned long long)client_uint(flows, "retries"),
	    (unsigned long long)client_uint(flows, "no_server"),
	    (unsigned long long)client_uint(flows, "queue_timeouts"),
	    (unsigned long long)client_uint(flows, "queue_refused"));
	if (client_uint(refused, "denied") ||
	    client_uint(refused, "source_full") ||
	    client_uint(refused, "source_fast")) {
		add_key(p, "refused");
		strbuf_addf(p->out,
		    "%llu by allow or deny  %llu by per_source.connections  "
		    "%llu by per_source.rate\n",
		    (unsigned long long)client_uint(refused, "denied"),
		    (unsigned long long)client_uint(refused, "source_full"),
		    (unsigned long long)client_uint(refused, "source_fast"));
	}
	print_first_bytes(p, data);
	add_key(p, "moved");
	strbuf_addf(p->out, "%s by relay  %s by splice\n",
	    human_bytes((double)client_uint(flows, "bytes_relayed"), relayed),
	    human_bytes((double)client_uint(flows, "bytes_spliced"), spliced));
}

static void print_memory(struct printer *p, const json_t *data)
{
	const json_t *parked = json_object_get(data, "parked");
	const json_t *pipes = json_object_get(data, "pipes");
	const json_t *tls = json_object_get(data, "tls");
	const json_t *ring = json_object_get(data, "ring_buffers");
	char a[HUMAN_MAX], b[HUMAN_MAX];

	add_key(p, "parked");
	strbuf_addf(p->out, "%s of %s\n",
	    human_bytes((double)client_uint(parked, "bytes"), a),
	    human_bytes((double)client_uint(parked, "limit"), b));
	if (client_uint(tls, "client_handshakes") ||
	    client_uint(tls, "client_failures") ||
	    client_uint(tls, "server_handshakes") ||
	    client_uint(tls, "server_failures")) {
		add_key(p, "tls");
		strbuf_addf(p->out,
		    "%s of %s  clients %llu, resumed %llu, failed %llu  "
		    "servers %llu, resumed %llu, failed %llu  ktls %s\n",
		    human_bytes((double)client_uint(tls, "memory_bytes"), a),
		    human_bytes((double)client_uint(tls, "memory_limit"), b),
		    (unsigned long long)client_uint(tls, "client_handshakes"),
		    (unsigned long long)client_uint(tls, "client_resumed"),
		    (unsigned long long)client_uint(tls, "client_failures"),
		    (unsigned long long)client_uint(tls, "server_handshakes"),
		    (unsigned long long)client_uint(tls, "server_resumed"),
		    (unsigned long long)client_uint(tls, "server_failures"),
		    client_text(tls, "ktls"));
	}
	add_key(p, "pipes");
	strbuf_addf(p->out, "%llu of %llu, %s each\n",
	    (unsigned long long)client_uint(pipes, "now"),
	    (unsigned long long)client_uint(pipes, "max"),
	    human_bytes((double)client_uint(pipes, "bytes_each"), a));
	add_key(p, "ring buffers");
	strbuf_addf(p->out, "%llu a worker, %s each; ran out %llu time%s\n",
	    (unsigned long long)client_uint(ring, "each_worker"),
	    human_bytes((double)client_uint(ring, "bytes_each"), a),
	    (unsigned long long)client_uint(ring, "found_empty"),
	    plural(client_uint(ring, "found_empty")));
}

/* Nothing while it is off. */
static void print_profiler(struct printer *p, const json_t *data)
{
	const json_t *profiler = json_object_get(data, "profiler");
	const char *mode = client_text(profiler, "mode");
	const char *name = client_text(profiler, "model_name");
	const char *hash = client_text(profiler, "model_hash");
	const char *class, *before = "";
	json_t *flows = json_object_get(profiler, "flows_ended");
	json_t *count;

	if (!*mode || !strcmp(mode, "off"))
		return;
	add_key(p, "profiler");
	strbuf_addf(
	    p->out, "%s  model %s", mode, client_text(profiler, "model"));
	if (*hash)
		strbuf_addf(p->out, " (%s, %s)", name, hash);
	strbuf_adds(p->out, "  ended: ");
	json_object_foreach(flows, class, count)
	{
		strbuf_addf(p->out, "%s%s %llu", before, class,
		    (unsigned long long)json_integer_value(count));
		before = ", ";
	}
	strbuf_addc(p->out, '\n');
	if (!*client_text(profiler, "record"))
		return;
	add_key(p, "");
	strbuf_addf(p->out, "recorded in %s  rows %llu, lost %llu\n",
	    client_text(profiler, "record"),
	    (unsigned long long)client_uint(profiler, "rows_recorded"),
	    (unsigned long long)client_uint(profiler, "rows_lost"));
}

static void print_status(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {"WORKER", ">FLOWS OPEN",
	    ">STARTED", ">WAKE-UPS", ">EVENTS", ">PARKED", NULL};
	const json_t *workers = json_object_get(data, "worker");
	struct table table;

	print_process(p, data);
	print_generations(p, data);
	print_health(p, data);
	print_flows_summary(p, data);
	print_memory(p, data);
	print_profiler(p, data);
	strbuf_addc(p->out, '\n');
	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *w = json_array_get(workers, i);

		table_addf(&table, STYLE_PLAIN, "%llu",
		    (unsigned long long)client_uint(w, "worker"));
		cell_count(&table, w, "flows");
		cell_count(&table, w, "flows_started");
		cell_count(&table, w, "turns");
		cell_count(&table, w, "completions");
		cell_bytes(&table, w, "parked_bytes");
	}
	print_table(p, &table);
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

/* How bytes move: an operator's two words for the modes of a direction. */
static const char *path_word(const json_t *flow, const char *key)
{
	return !strcmp(client_text(flow, key), "splice") ? "splice" : "relay";
}

static void add_path(struct table *table, const json_t *flow)
{
	const char *up = path_word(flow, "mode_up");
	const char *down = path_word(flow, "mode_down");

	if (!strcmp(up, down))
		table_text(table, STYLE_DIM, up);
	else
		table_addf(table, STYLE_DIM, "%s/%s", up, down);
}

/* "bulk 93% at 64KiB", the words of the access log. */
static void add_class(struct table *table, const json_t *flow)
{
	const char *class = client_text(flow, "class");

	if (*class)
		table_addf(table, STYLE_PLAIN, "%s %llu%% at %s", class,
		    (unsigned long long)client_uint(flow, "sure"),
		    client_text(flow, "class_at"));
	else
		table_text(table, STYLE_DIM, "-");
}

static void put_flow(struct table *table, const json_t *f, bool classes)
{
	const char *server = client_text(f, "server");
	char text[HUMAN_MAX];

	table_addf(table, STYLE_PLAIN, "%llu",
	    (unsigned long long)client_uint(f, "id"));
	table_text(table, STYLE_PLAIN, client_text(f, "listener"));
	table_text(table, STYLE_PLAIN, client_text(f, "client"));
	table_addf(table, STYLE_PLAIN, "%s/%s", client_text(f, "pool"),
	    *server ? server : "-");
	table_text(table,
	    strcmp(client_text(f, "state"), "established") != 0 ? STYLE_YELLOW
								: STYLE_PLAIN,
	    client_text(f, "state"));
	add_path(table, f);
	if (classes)
		add_class(table, f);
	table_text(table, STYLE_PLAIN,
	    human_seconds(client_number(f, "age_seconds"), text));
	table_text(table, STYLE_PLAIN,
	    human_seconds(client_number(f, "idle_seconds"), text));
	cell_bytes(table, f, "bytes_up");
	cell_bytes(table, f, "bytes_down");
	table_text(table,
	    client_uint(f, "parked_bytes") ? STYLE_YELLOW : STYLE_DIM,
	    human_bytes((double)client_uint(f, "parked_bytes"), text));
}

/* Without the profiler the column would be empty. */
static bool any_class(const json_t *flows)
{
	for (size_t i = 0; i < json_array_size(flows); i++)
		if (*client_text(json_array_get(flows, i), "class"))
			return true;
	return false;
}

static void print_flows(struct printer *p, const json_t *data)
{
	static const char *const titles[] = {">ID", "LISTENER", "CLIENT",
	    "POOL/SERVER", "STATE", "PATH", ">AGE", ">IDLE", ">TO SERVER",
	    ">TO CLIENT", ">PARKED", NULL};
	static const char *const with_class[] = {">ID", "LISTENER", "CLIENT",
	    "POOL/SERVER", "STATE", "PATH", "CLASS", ">AGE", ">IDLE",
	    ">TO SERVER", ">TO CLIENT", ">PARKED", NULL};
	const json_t *flows = json_object_get(data, "flows");
	bool classes = any_class(flows);
	struct table table;

	table_init(&table, classes ? with_class : titles);
	for (size_t i = 0; i < json_array_size(flows); i++)
		put_flow(&table, json_array_get(flows, i), classes);
	print_table(p, &table);
	if (!client_bool(data, "complete"))
		strbuf_addf(p->out,
		    "only the first %zu are shown: narrow them down with "
		    "pool=, server=, listener=, class=, or raise limit=\n",
		    json_array_size(flows));
}

/* -- what changes something -- */
static void print_server(struct printer *p, const json_t *data)
{
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
	    {"kill", print_killed},
	    {"pools", print_pools},
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
