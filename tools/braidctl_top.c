/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braidctl_top.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/braidctl_client.h"
#include "tools/braidctl_print.h"
#include "tools/braidctl_rates.h"
#include "tools/braidctl_screen.h"
#include "tools/braidctl_table.h"

#define PERIOD_MS 1000
#define GAUGE_COLUMNS 30
#define SHARE_COLUMNS 10
#define BAR_BYTES 256
#define PLAIN_ROWS 40

struct view {
	struct strbuf out;
	bool colour, bars, screen;
	uint32_t columns, rows;
};

/* -- bars: eighths of a column, or # where there is no UTF-8 -- */
static const char *bar(const struct view *view, double share, uint32_t columns,
    char ret[BAR_BYTES])
{
	static const char *const eighths[] = {
	    " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
	double clamped = share < 0 ? 0 : share > 1 ? 1 : share;
	uint32_t filled = (uint32_t)(clamped * columns * 8 + 0.5);
	size_t at = 0;

	/* What is not nothing is seen. */
	if (clamped > 0 && filled == 0)
		filled = 1;
	for (uint32_t i = 0; i < columns; i++) {
		uint32_t part = filled > i * 8 ? filled - i * 8 : 0;

		part = part > 8 ? 8 : part;
		at += (size_t)snprintf(ret + at, BAR_BYTES - at, "%s",
		    view->bars ? eighths[part] : (part >= 4 ? "#" : "."));
	}
	return ret;
}

static void add_sparks(struct view *view, const struct rates_series *series,
    uint32_t columns, enum style style)
{
	static const char *const levels[] = {
	    "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double most = 0;
	struct strbuf text;

	columns = columns > RATES_HISTORY ? RATES_HISTORY : columns;
	strbuf_init(&text);
	for (uint32_t i = RATES_HISTORY - columns; i < RATES_HISTORY; i++)
		most = series->values[i] > most ? series->values[i] : most;
	for (uint32_t i = RATES_HISTORY - columns; i < RATES_HISTORY; i++) {
		double share = most > 0 ? series->values[i] / most : 0;

		strbuf_adds(&text, series->values[i] > 0
				       ? levels[(int)(share * 7 + 0.5)]
				       : " ");
	}
	style_add(&view->out, view->colour, style, strbuf_text(&text));
	strbuf_fini(&text);
}

/* -- the head -- */
static void add_title(struct view *view, const struct rates *rates)
{
	const json_t *p = rates->process;
	const json_t *config = json_object_get(p, "config");
	const char *state = client_text(p, "state");
	char up[HUMAN_MAX], clock[16];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	style_add(&view->out, view->colour, STYLE_BOLD, "braidd ");
	style_add(
	    &view->out, view->colour, STYLE_BOLD, client_text(p, "version"));
	strbuf_adds(&view->out, "  ");
	style_add(&view->out, view->colour,
	    !strcmp(state, "serving") ? STYLE_GREEN : STYLE_YELLOW, state);
	strbuf_addf(&view->out, "  up %s  config %llu %s  ",
	    human_seconds(client_number(p, "uptime_seconds"), up),
	    (unsigned long long)client_uint(config, "number"),
	    client_text(config, "file"));
	style_add(&view->out, view->colour, STYLE_DIM, clock);
	strbuf_addc(&view->out, '\n');
}

static void add_key(struct view *view, const char *key)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%-12s", key);
	style_add(&view->out, view->colour, STYLE_CYAN, text);
}

static enum style load_style(double share)
{
	if (share >= 0.9)
		return STYLE_RED;
	return share >= 0.7 ? STYLE_YELLOW : STYLE_GREEN;
}

static void add_gauge(
    struct view *view, const char *key, double share, const char *text)
{
	char blocks[BAR_BYTES];

	add_key(view, key);
	if (view->screen) {
		style_add(&view->out, view->colour, STYLE_DIM,
		    view->bars ? "▕" : "[");
		style_add(&view->out, view->colour, load_style(share),
		    bar(view, share, GAUGE_COLUMNS, blocks));
		style_add(&view->out, view->colour, STYLE_DIM,
		    view->bars ? "▏ " : "] ");
	}
	strbuf_addf(&view->out, "%s\n", text);
}

static void add_gauges(struct view *view, const struct rates *rates)
{
	const json_t *p = rates->process;
	const json_t *connections = json_object_get(p, "connections");
	const json_t *parked = json_object_get(p, "parked");
	double now = (double)client_uint(connections, "now");
	double max = (double)client_uint(connections, "max");
	double held = (double)client_uint(parked, "bytes");
	double limit = (double)client_uint(parked, "limit");
	double workers = (double)client_uint(p, "workers");
	char text[128], a[HUMAN_MAX], b[HUMAN_MAX];

	(void)snprintf(text, sizeof(text), "%.0f of %.0f", now, max);
	add_gauge(view, "connections", max > 0 ? now / max : 0, text);
	(void)snprintf(text, sizeof(text), "%.0f%% of a core, %.0f worker%s",
	    rates->cpu * 100, workers, plural((unsigned long long)workers));
	add_gauge(view, "cpu", workers > 0 ? rates->cpu / workers : 0, text);
	(void)snprintf(text, sizeof(text), "%s of %s", human_bytes(held, a),
	    human_bytes(limit, b));
	add_gauge(view, "parked", limit > 0 ? held / limit : 0, text);
}

static void add_series(struct view *view, const char *key, const char *value,
    const struct rates_series *series, enum style style)
{
	uint32_t taken = 12 + 14;

	add_key(view, key);
	strbuf_addf(&view->out, "%-14s", value);
	if (view->screen && view->bars && view->columns > taken)
		add_sparks(view, series, view->columns - taken, style);
	strbuf_addc(&view->out, '\n');
}

static void add_traffic(struct view *view, const struct rates *rates)
{
	char number[HUMAN_MAX], text[64];

	add_series(view, "flows/s", human_count(rates->flows, number),
	    &rates->flows_history, STYLE_CYAN);
	(void)snprintf(
	    text, sizeof(text), "%s/s", human_bytes(rates->to_bytes, number));
	add_series(view, "to servers", text, &rates->to_history, STYLE_GREEN);
	(void)snprintf(
	    text, sizeof(text), "%s/s", human_bytes(rates->from_bytes, number));
	add_series(view, "to clients", text, &rates->from_history, STYLE_GREEN);
	if (client_uint(json_object_get(rates->process, "dns"), "zones"))
		add_series(view, "queries/s",
		    human_count(rates->queries, number),
		    &rates->queries_history, STYLE_CYAN);
	add_key(view, "errors/s");
	style_add(&view->out, view->colour,
	    rates->errors > 0 ? STYLE_RED : STYLE_PLAIN,
	    human_count(rates->errors, number));
	strbuf_addc(&view->out, '\n');
}

static void add_fail_open(struct view *view, const struct rates *rates)
{
	const json_t *pools =
	    json_object_get(rates->process, "pools_failing_open");
	size_t n = json_array_size(pools);

	if (!n)
		return;
	add_key(view, "fail-open");
	for (size_t i = 0; i < n && i < 8; i++) {
		style_add(&view->out, view->colour, STYLE_RED,
		    json_string_value(json_array_get(pools, i)));
		strbuf_addc(&view->out, ' ');
	}
	if (n > 8)
		strbuf_addf(&view->out, "and %zu more", n - 8);
	strbuf_addc(&view->out, '\n');
}

/* -- servers -- */
static bool is_down(const struct rates_server *server)
{
	return !strcmp(client_text(server->now, "health"), "down");
}

/* When not all fit: those in trouble first, then the busiest. */
static int compare_servers(const void *a, const void *b)
{
	const struct rates_server *x = a, *y = b;
	double dx = x->to_bytes + x->from_bytes + x->flows;
	double dy = y->to_bytes + y->from_bytes + y->flows;

	if (is_down(x) != is_down(y))
		return is_down(x) ? -1 : 1;
	if ((x->errors > 0) != (y->errors > 0))
		return x->errors > 0 ? -1 : 1;
	return dx > dy ? -1 : dx < dy;
}

static void add_rate(struct table *table, bool valid, const char *text)
{
	table_text(table, STYLE_PLAIN, valid ? text : "-");
}

static void add_server(struct view *view, struct table *table,
    const struct rates *rates, const struct rates_server *s)
{
	unsigned long long limit = client_uint(s->now, "max_connections");
	unsigned long long used = client_uint(s->now, "connections");
	char text[HUMAN_MAX], blocks[BAR_BYTES];
	char state[HUMAN_MAX];
	enum style style;
	const char *word = health_word(s->now, &style, state);

	table_text(table, STYLE_PLAIN, client_text(s->now, "pool"));
	table_text(table, STYLE_PLAIN, client_text(s->now, "server"));
	table_text(table, style, word);
	table_addf(table,
	    client_bool(s->now, "weight_overridden") ? STYLE_YELLOW
						     : STYLE_PLAIN,
	    "%llu", (unsigned long long)client_uint(s->now, "weight"));
	if (limit)
		table_addf(table, used >= limit ? STYLE_YELLOW : STYLE_PLAIN,
		    "%llu/%llu", used, limit);
	else
		table_addf(table, STYLE_PLAIN, "%llu", used);
	table_text(
	    table, STYLE_GREEN, bar(view, s->share, SHARE_COLUMNS, blocks));
	add_rate(table, rates->valid, human_count(s->flows, text));
	add_rate(table, rates->valid, human_bytes(s->to_bytes, text));
	add_rate(table, rates->valid, human_bytes(s->from_bytes, text));
	table_text(table, s->errors > 0 ? STYLE_RED : STYLE_DIM,
	    human_count(s->errors, text));
	table_text(
	    table, STYLE_DIM, is_down(s) ? client_text(s->now, "cause") : "");
}

static uint32_t lines_in(const struct strbuf *text)
{
	uint32_t lines = 0;

	for (size_t i = 0; i < text->length; i++)
		lines += text->text[i] == '\n';
	return lines;
}

static void add_servers(struct view *view, const struct rates *rates)
{
	static const char *const titles[] = {"POOL", "SERVER", "STATE",
	    ">WEIGHT", ">CONNS", "SHARE", ">FLOWS/S", ">SENT/S", ">RECEIVED/S",
	    ">ERRORS/S", "CAUSE", NULL};
	uint32_t used = lines_in(&view->out) + 1; /* and the titles */
	uint32_t room = view->rows > used + 2 ? view->rows - used : 2;
	struct table table;

	if (rates->n_servers > room) {
		room--; /* the line that says how many more */
		qsort(rates->table, rates->n_servers, sizeof(*rates->table),
		    compare_servers);
	}
	table_init(&table, titles);
	for (uint32_t i = 0; i < rates->n_servers && i < room; i++)
		add_server(view, &table, rates, &rates->table[i]);
	table_print(&table, view->colour, 0, view->screen ? view->columns : 0,
	    &view->out);
	table_fini(&table);
	if (rates->n_servers > room)
		strbuf_addf(&view->out, "and %u more server%s\n",
		    rates->n_servers - room, plural(rates->n_servers - room));
}

static void render(struct view *view, const struct rates *rates)
{
	strbuf_clear(&view->out);
	view->rows = PLAIN_ROWS;
	view->columns = 0;
	if (view->screen)
		screen_size(&view->columns, &view->rows);
	add_title(view, rates);
	if (view->screen)
		strbuf_addc(&view->out, '\n');
	add_gauges(view, rates);
	add_traffic(view, rates);
	add_fail_open(view, rates);
	strbuf_addc(&view->out, '\n');
	add_servers(view, rates);
}

static bool show(struct view *view, const struct rates *rates)
{
	render(view, rates);
	if (view->screen) {
		screen_show(&view->out);
		return true;
	}
	printf("%s\n", strbuf_text(&view->out));
	return fflush(stdout) == 0;
}

/* Waits for the next period; a new size shows the old numbers again. */
static bool wait_period(struct view *view, const struct rates *rates)
{
	enum screen_event event;

	while (
	    (event = screen_wait(PERIOD_MS, view->screen)) == SCREEN_RESIZED) {
		if (view->screen)
			(void)show(view, rates);
	}
	return event == SCREEN_TICK;
}

/* The first sample has no rates: it is shown on a screen, so that one does not
 * look at nothing, but is no block of plain output and does not count. */
static int loop(struct view *view, const struct top_options *options)
{
	struct rates rates;
	uint32_t shown = 0;
	int code;

	rates_init(&rates);
	for (;;) {
		code = rates_sample(&rates, options->socket);
		if (code)
			break;
		if (rates.n > 1)
			shown++;
		if ((shown || view->screen) && !show(view, &rates)) {
			code = CLIENT_FAILED;
			break;
		}
		if ((options->count && shown == options->count) ||
		    !wait_period(view, &rates))
			break;
	}
	rates_fini(&rates);
	return code;
}

int top_run(const struct top_options *options)
{
	struct view view = {.colour = options->colour,
	    .bars = !strcmp(nl_langinfo(CODESET), "UTF-8")};
	int code;

	strbuf_init(&view.out);
	screen_signals();
	view.screen = screen_enter();
	code = loop(&view, options);
	screen_leave();
	strbuf_fini(&view.out);
	return code;
}
