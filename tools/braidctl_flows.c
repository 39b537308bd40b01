/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_printer.h"

#include <string.h>

#include "tools/braidctl_client.h"
#include "tools/braidctl_print.h"

/* How bytes move: an operator's words for the modes of a direction. */
static const char *path_word(const json_t *flow, const char *key)
{
	const char *mode = client_text(flow, key);

	return !strcmp(mode, "splice") || !strcmp(mode, "shard") ? mode
								 : "relay";
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

void print_flows(struct printer *p, const json_t *data)
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
