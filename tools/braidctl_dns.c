/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of `dns` say, for people. */
#include "tools/braidctl_client.h"
#include "tools/braidctl_printer.h"

#include <string.h>

static void print_zones(struct printer *p, const json_t *zones)
{
	static const char *const titles[] = {"ZONE", ">SERIAL", ">NAMES",
	    ">RESOURCES", "SIGNED", ">MEMORY", ">LOADED", "FILE", NULL};
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(zones); i++) {
		const json_t *z = json_array_get(zones, i);
		char text[HUMAN_MAX];

		table_text(&table, STYLE_PLAIN, client_text(z, "zone"));
		/* All digits of it count. */
		table_addf(&table, STYLE_PLAIN, "%llu",
		    (unsigned long long)client_uint(z, "serial"));
		cell_count(&table, z, "names");
		cell_count(&table, z, "resources");
		table_text(&table, STYLE_PLAIN,
		    client_bool(z, "signed") ? "yes" : "no");
		cell_bytes(&table, z, "bytes");
		table_text(&table, STYLE_PLAIN,
		    human_seconds(
			client_number(z, "loaded_since_seconds"), text));
		table_text(&table, STYLE_DIM, client_text(z, "file"));
	}
	print_table(p, &table);
}

static void print_queries(struct printer *p, const json_t *data)
{
	char count[HUMAN_MAX], rate[HUMAN_MAX];

	strbuf_addf(p->out, "\n%s queries so far, %s/s in the last seconds\n",
	    human_count((double)client_uint(data, "queries"), count),
	    human_count(client_number(data, "queries_per_second"), rate));
}

/* The rows of a group that are not 0, in the order they came. */
static void print_group(struct printer *p, const json_t *data, const char *key)
{
	const json_t *group = json_object_get(data, key), *value;
	const char *name;
	bool any = false;

	json_object_foreach((json_t *)(uintptr_t)group, name, value)
	{
		char text[HUMAN_MAX];

		if (!json_integer_value(value))
			continue;
		if (!any)
			style_add(p->out, p->colour, STYLE_BOLD, key);
		any = true;
		strbuf_addf(p->out, "  %s %s", name,
		    human_count((double)json_integer_value(value), text));
	}
	if (any)
		strbuf_addc(p->out, '\n');
}

static uint64_t answers_of(const json_t *rows, const json_t *like)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (!strcmp(
			client_text(row, "zone"), client_text(like, "zone")) &&
		    !strcmp(client_text(row, "resource"),
			client_text(like, "resource")))
			sum += client_uint(row, "answers");
	}
	return sum;
}

static void print_shares(struct printer *p, const json_t *rows)
{
	static const char *const titles[] = {
	    "ZONE", "RESOURCE", "POP", ">ANSWERS", ">SHARE", NULL};
	struct table table;

	if (!json_array_size(rows))
		return;
	strbuf_addc(p->out, '\n');
	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		table_text(&table, STYLE_PLAIN, client_text(row, "zone"));
		table_text(&table, STYLE_PLAIN, client_text(row, "resource"));
		table_text(&table, STYLE_PLAIN, client_text(row, "pop"));
		cell_count(&table, row, "answers");
		table_addf(&table, STYLE_PLAIN, "%.1f%%",
		    100.0 * client_number(row, "answers") /
			(double)answers_of(rows, row));
	}
	print_table(p, &table);
}

static void print_stats(struct printer *p, const json_t *data)
{
	static const char *const groups[] = {"answers", "sockets", "types",
	    "rcodes", "kinds", "cookies", "drops"};

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		print_group(p, data, groups[i]);
	print_shares(p, json_object_get(data, "resources"));
}

static void print_lines(struct printer *p, const json_t *data, const char *key)
{
	const json_t *lines = json_object_get(data, key);

	for (size_t i = 0; i < json_array_size(lines); i++)
		strbuf_addf(p->out, "%s\n",
		    json_string_value(json_array_get(lines, i)));
}

static void print_explanation(struct printer *p, const json_t *data)
{
	static const char *const sections[] = {
	    "answer", "authority", "additional"};

	strbuf_addf(p->out, "%-9s %s %s\n", "question",
	    client_text(data, "name"), client_text(data, "type"));
	strbuf_addf(p->out, "%-9s %s\n", "zone",
	    json_is_string(json_object_get(data, "zone"))
		? client_text(data, "zone")
		: "none of ours");
	strbuf_addf(p->out, "%-9s %s, %s%s\n", "result",
	    client_text(data, "rcode"), client_text(data, "kind"),
	    client_bool(data, "wildcard") ? ", by a wildcard" : "");
	strbuf_adds(p->out, client_text(data, "text"));
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		if (!json_array_size(json_object_get(data, sections[i])))
			continue;
		strbuf_addf(p->out, "\n; %s\n", sections[i]);
		print_lines(p, data, sections[i]);
	}
}

static void print_dump(struct printer *p, const json_t *data)
{
	const json_t *resources = json_object_get(data, "resources");

	for (size_t i = 0; i < json_array_size(resources); i++)
		strbuf_addf(p->out, "; a resource answers: %s\n",
		    json_string_value(json_array_get(resources, i)));
	print_lines(p, data, "records");
}

static void print_zone_reload(struct printer *p, const json_t *data)
{
	print_lines(p, data, "lines");
	if (client_bool(data, "accepted"))
		strbuf_addf(p->out, "zone %s is in force as its file is now\n",
		    client_text(data, "zone"));
}

void print_dns(struct printer *p, const json_t *data)
{
	static const struct {
		const char *member;
		void (*print)(struct printer *p, const json_t *data);
	} answers[] = {
	    {"sockets", print_stats},
	    {"rcode", print_explanation},
	    {"records", print_dump},
	    {"accepted", print_zone_reload},
	};

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (json_object_get(data, answers[i].member)) {
			answers[i].print(p, data);
			return;
		}
	}
	print_zones(p, json_object_get(data, "zones"));
	print_queries(p, data);
}
