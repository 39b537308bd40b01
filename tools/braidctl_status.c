/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_printer.h"

#include <stdio.h>
#include <string.h>

#include "tools/braidctl_client.h"
#include "tools/braidctl_print.h"

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

/* Nothing before there was one. */
static void print_shards_summary(struct printer *p, const json_t *data)
{
	const json_t *s = json_object_get(data, "shards");
	char a[HUMAN_MAX], b[HUMAN_MAX];

	if (!client_uint(s, "started") && !client_uint(s, "refused"))
		return;
	add_key(p, "shards");
	strbuf_addf(p->out,
	    "%llu of %llu downloads  %llu of %llu connections  buffers %s of "
	    "%s\n",
	    (unsigned long long)client_uint(s, "flows"),
	    (unsigned long long)client_uint(s, "flows_limit"),
	    (unsigned long long)client_uint(s, "connections"),
	    (unsigned long long)client_uint(s, "connections_limit"),
	    human_bytes((double)client_uint(s, "kernel_bytes"), a),
	    human_bytes((double)client_uint(s, "kernel_limit"), b));
	add_key(p, "");
	strbuf_addf(p->out,
	    "so far %llu downloads, %llu failed, %llu continued  %llu pieces, "
	    "%llu migrated  stalls %llu  refused %llu  %s\n",
	    (unsigned long long)client_uint(s, "started"),
	    (unsigned long long)client_uint(s, "failed"),
	    (unsigned long long)client_uint(s, "continued"),
	    (unsigned long long)client_uint(s, "pieces"),
	    (unsigned long long)client_uint(s, "migrations"),
	    (unsigned long long)client_uint(s, "stalls"),
	    (unsigned long long)client_uint(s, "refused"),
	    human_bytes((double)client_uint(s, "bytes"), a));
}

/* Nothing while it is off. */
/* Where there is some. */
static void print_dns_summary(struct printer *p, const json_t *data)
{
	const json_t *dns = json_object_get(data, "dns");
	unsigned long long zones = client_uint(dns, "zones");
	char text[HUMAN_MAX];

	if (!zones)
		return;
	add_key(p, "dns");
	strbuf_addf(p->out, "%llu zone%s, %s queries, %llu TCP connections\n",
	    zones, plural(zones),
	    human_count((double)client_uint(dns, "queries"), text),
	    (unsigned long long)client_uint(dns, "tcp_connections"));
}

static void print_agent(struct printer *p, const json_t *data)
{
	const json_t *agent = json_object_get(data, "agent");

	if (!json_is_object(agent))
		return;
	add_key(p, "agent");
	strbuf_addf(p->out,
	    "%s  at %s, %llu answers, CPU %.0f%%, connections %.0f%% used\n",
	    client_text(agent, "says"), client_text(agent, "listen"),
	    (unsigned long long)client_uint(agent, "answers"),
	    100 * client_number(agent, "cpu_used_ratio"),
	    100 * client_number(agent, "connections_used_ratio"));
}

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

void print_status(struct printer *p, const json_t *data)
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
	print_shards_summary(p, data);
	print_profiler(p, data);
	print_dns_summary(p, data);
	print_agent(p, data);
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
