/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_printer.h"

#include <string.h>

#include "tools/braidctl_bar.h"
#include "tools/braidctl_client.h"
#include "tools/braidctl_print.h"

#define BAR_WIDTH 76u

static void print_summary(struct printer *p, const json_t *s)
{
	uint64_t first = client_uint(s, "first"), end = client_uint(s, "end");
	uint64_t sent = client_uint(s, "next_out") - first;
	char a[HUMAN_MAX], b[HUMAN_MAX], age[HUMAN_MAX];
	char title[64];

	(void)snprintf(title, sizeof title, "flow %llu",
	    (unsigned long long)client_uint(s, "id"));
	style_add(p->out, p->colour, STYLE_BOLD, title);
	strbuf_addf(p->out, "  %s  %s to %s  %s\n", client_text(s, "pool"),
	    client_text(s, "listener"), client_text(s, "client"),
	    human_seconds(client_number(s, "age_seconds"), age));
	strbuf_addf(p->out, "%s of %s, %llu%%  %llu piece%s  ",
	    human_bytes((double)sent, a), human_bytes((double)(end - first), b),
	    (unsigned long long)(end > first ? sent * 100 / (end - first) : 0),
	    (unsigned long long)client_uint(s, "pieces"),
	    plural(client_uint(s, "pieces")));
	(void)snprintf(title, sizeof title, "%llu migrated, %llu stall%s",
	    (unsigned long long)client_uint(s, "migrations"),
	    (unsigned long long)client_uint(s, "stalls"),
	    plural(client_uint(s, "stalls")));
	style_add(p->out, p->colour,
	    client_uint(s, "migrations") || client_uint(s, "stalls")
		? STYLE_YELLOW
		: STYLE_PLAIN,
	    title);
	strbuf_addf(p->out, "  %llu lane%s wanted  buffers %s\n",
	    (unsigned long long)client_uint(s, "lanes_wanted"),
	    plural(client_uint(s, "lanes_wanted")),
	    human_bytes((double)client_uint(s, "kernel_bytes"), a));
}

/* Behind the last piece nothing is lost: it may have been asked for, by a
 * client's whole request, but will be asked for again in pieces. */
static void fill_bar(struct bar *bar, const json_t *s)
{
	const json_t *lanes = json_object_get(s, "lanes");

	*bar = (struct bar){.from = client_uint(s, "first"),
	    .to = client_uint(s, "end"),
	    .sent = client_uint(s, "next_out"),
	    .frontier = client_uint(s, "next_out")};
	for (size_t i = 0;
	     i < json_array_size(lanes) && bar->n_pieces < BAR_PIECES_MAX;
	     i++) {
		const json_t *lane = json_array_get(lanes, i);
		uint64_t to = client_uint(lane, "to"); /* null: 0 */

		if (to > bar->frontier)
			bar->frontier = to;
		if (to)
			bar->pieces[bar->n_pieces++] = (struct bar_piece){
			    .from = client_uint(lane, "next"),
			    .to = to,
			    .arrived = client_uint(lane, "arrived"),
			    .lane = (uint32_t)i};
	}
}

/* The whole, and below it, larger, what has been asked for and not left. */
static void print_bars(struct printer *p, const json_t *s)
{
	struct bar bar;

	fill_bar(&bar, s);
	strbuf_adds(p->out, "all  |");
	bar_draw(&bar, BAR_WIDTH, p->colour, p->out);
	strbuf_adds(p->out, "|\n");
	bar.from = bar.sent;
	bar.to = bar.frontier;
	if (bar.to <= bar.from)
		return;
	strbuf_adds(p->out, "next |");
	bar_draw(&bar, BAR_WIDTH, p->colour, p->out);
	strbuf_adds(p->out, "|\n");
}

static void put_piece(struct table *table, const json_t *lane)
{
	uint64_t next = client_uint(lane, "next");
	uint64_t arrived = client_uint(lane, "arrived");
	char text[HUMAN_MAX];

	if (!json_is_integer(json_object_get(lane, "to"))) {
		for (int i = 0; i < 3; i++)
			table_text(table, STYLE_DIM, "-");
		return;
	}
	cell_bytes(table, lane, "from");
	table_text(table, STYLE_PLAIN,
	    human_bytes(
		(double)(client_uint(lane, "to") - client_uint(lane, "from")),
		text));
	table_text(table, STYLE_PLAIN,
	    human_bytes((double)(arrived > next ? arrived - next : 0), text));
}

static void print_lanes(struct printer *p, const json_t *lanes)
{
	static const char *const titles[] = {">LANE", "SERVER", "STATE",
	    ">PIECE AT", ">SIZE", ">WAITS", ">RATE", NULL};
	struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < json_array_size(lanes); i++) {
		const json_t *lane = json_array_get(lanes, i);
		uint64_t rate = client_uint(lane, "bytes_per_second");
		bool turn = client_bool(lane, "turn");
		char text[HUMAN_MAX];

		table_addf(&table, STYLE_PLAIN, "%zu", i);
		table_text(&table, STYLE_PLAIN, client_text(lane, "server"));
		table_text(&table, turn ? STYLE_GREEN : STYLE_PLAIN,
		    turn ? "leaves" : client_text(lane, "step"));
		put_piece(&table, lane);
		if (rate)
			table_addf(&table, STYLE_PLAIN, "%s/s",
			    human_bytes((double)rate, text));
		else
			table_text(&table, STYLE_DIM, "-");
	}
	print_table(p, &table);
}

void print_shards(struct printer *p, const json_t *data)
{
	const json_t *shards = json_object_get(data, "shards");

	for (size_t i = 0; i < json_array_size(shards); i++) {
		const json_t *s = json_array_get(shards, i);

		if (i)
			strbuf_addc(p->out, '\n');
		print_summary(p, s);
		print_bars(p, s);
		print_lanes(p, json_object_get(s, "lanes"));
	}
	if (!json_array_size(shards))
		strbuf_adds(p->out, "no download comes from several servers "
				    "now\n");
	if (!client_bool(data, "complete"))
		strbuf_addf(p->out,
		    "only the first %zu are shown: narrow them down with "
		    "pool=, or raise limit=\n",
		    json_array_size(shards));
}
