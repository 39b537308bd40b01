/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tools/braidctl_client.h"

void rates_init(struct rates *rates)
{
	memset(rates, 0, sizeof(*rates));
}

void rates_fini(struct rates *rates)
{
	json_decref(rates->status);
	json_decref(rates->servers);
	json_decref(rates->servers_before);
	free(rates->table);
}

static int ask(const char *socket, const char *command, json_t **ret)
{
	json_t *answer;
	int code = client_ask(socket, command, 0, NULL, &answer);

	if (code)
		return code;
	code = client_exit_of(answer);
	if (code) {
		fprintf(stderr, "braidctl: %s\n", client_error_of(answer));
		json_decref(answer);
		return code;
	}
	*ret = answer;
	return CLIENT_OK;
}

static void push(struct rates_series *series, double value)
{
	memmove(series->values, series->values + 1,
	    sizeof(series->values) - sizeof(series->values[0]));
	series->values[RATES_HISTORY - 1] = value;
}

static const json_t *list_of(const json_t *answer)
{
	return json_object_get(client_data_of(answer), "servers");
}

/* A counter's growth a second; 0 when the two are of different processes. */
static double rate(const struct rates *rates, const json_t *now,
    const json_t *before, const char *key)
{
	double from = (double)client_uint(before, key);
	double to = (double)client_uint(now, key);

	return rates->valid && to > from ? (to - from) / rates->seconds : 0;
}

/* Servers keep their places but for reloads; then one sample has no rates. */
static bool same_server(const json_t *a, const json_t *b)
{
	return b && !strcmp(client_text(a, "pool"), client_text(b, "pool")) &&
	       !strcmp(client_text(a, "server"), client_text(b, "server"));
}

static void rate_server(const struct rates *rates, struct rates_server *server,
    const json_t *before)
{
	const json_t *now = server->now;

	if (!same_server(now, before))
		return;
	server->flows = rate(rates, now, before, "flows");
	server->to_bytes = rate(rates, now, before, "bytes_to");
	server->from_bytes = rate(rates, now, before, "bytes_from");
	server->errors = rate(rates, now, before, "connect_errors") +
			 rate(rates, now, before, "connect_timeouts") +
			 rate(rates, now, before, "resets");
}

static double bytes_of(const struct rates_server *server)
{
	return server->to_bytes + server->from_bytes;
}

/* Servers of one pool stand together. */
static void share_pool(struct rates_server *servers, uint32_t n)
{
	double bytes = 0, flows = 0;

	for (uint32_t i = 0; i < n; i++) {
		bytes += bytes_of(&servers[i]);
		flows += servers[i].flows;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (bytes > 0)
			servers[i].share = bytes_of(&servers[i]) / bytes;
		else if (flows > 0)
			servers[i].share = servers[i].flows / flows;
	}
}

static void share_all(struct rates *rates)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i <= rates->n_servers; i++) {
		if (i < rates->n_servers &&
		    !strcmp(client_text(rates->table[i].now, "pool"),
			client_text(rates->table[first].now, "pool")))
			continue;
		share_pool(&rates->table[first], i - first);
		first = i;
	}
}

static void rate_servers(struct rates *rates)
{
	const json_t *now = list_of(rates->servers);
	const json_t *before = list_of(rates->servers_before);
	size_t n = json_array_size(now);

	free(rates->table);
	rates->table = calloc(n + 1, sizeof(*rates->table));
	if (!rates->table)
		br_out_of_memory("servers", n);
	rates->n_servers = (uint32_t)n;
	rates->to_bytes = rates->from_bytes = rates->errors = 0;
	for (size_t i = 0; i < n; i++) {
		struct rates_server *server = &rates->table[i];

		server->now = json_array_get(now, i);
		rate_server(rates, server, json_array_get(before, i));
		rates->to_bytes += server->to_bytes;
		rates->from_bytes += server->from_bytes;
		rates->errors += server->errors;
	}
	share_all(rates);
}

static void rate_process(struct rates *rates)
{
	const json_t *data = client_data_of(rates->status);
	const json_t *flows = json_object_get(data, "flows");
	double uptime = client_number(data, "uptime_seconds");
	double cpu = client_number(data, "cpu_seconds");
	double started = (double)client_uint(flows, "started");
	double queries =
	    (double)client_uint(json_object_get(data, "dns"), "queries");
	uint64_t pid = client_uint(data, "pid");

	rates->process = data;
	rates->seconds = uptime - rates->uptime_before;
	rates->valid =
	    rates->n > 0 && pid == rates->pid_before && rates->seconds > 0;
	rates->cpu = rates->flows = rates->queries = 0;
	if (rates->valid) {
		rates->cpu = (cpu - rates->cpu_before) / rates->seconds;
		rates->flows = (started - rates->flows_before) / rates->seconds;
		rates->queries =
		    (queries - rates->queries_before) / rates->seconds;
	}
	rates->uptime_before = uptime;
	rates->cpu_before = cpu;
	rates->flows_before = started;
	rates->queries_before = queries;
	rates->pid_before = pid;
}

int rates_sample(struct rates *rates, const char *socket)
{
	json_t *status, *servers;
	int code = ask(socket, "status", &status);

	if (code)
		return code;
	code = ask(socket, "servers", &servers);
	if (code) {
		json_decref(status);
		return code;
	}
	json_decref(rates->status);
	json_decref(rates->servers_before);
	rates->status = status;
	rates->servers_before = rates->servers;
	rates->servers = servers;
	rate_process(rates);
	rate_servers(rates);
	rates->n++;
	push(&rates->flows_history, rates->flows);
	push(&rates->queries_history, rates->queries);
	push(&rates->to_history, rates->to_bytes);
	push(&rates->from_history, rates->from_bytes);
	return CLIENT_OK;
}
