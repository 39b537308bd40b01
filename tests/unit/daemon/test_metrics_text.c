/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_text.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is printed is read back by a strict reader of OpenMetrics 1.0, written
 * from the specification and knowing nothing of the writer.
 */
#define SERIES_MAX 8192
#define FAMILIES_MAX 256

struct seen_family {
	char name[128], type[16], unit[16];
	bool help, samples, ended;
};

struct reading {
	struct seen_family families[FAMILIES_MAX];
	uint32_t n_families;
	char *series[SERIES_MAX]; /* name and labels */
	double values[SERIES_MAX];
	uint32_t n_series;
	bool eof;
};

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]) || text[n] == '_' ||
	       text[n] == ':' || (n && isdigit((unsigned char)text[n])))
		n++;
	return n;
}

/* Past {a="b",...}; checks syntax and escapes. */
static const char *skip_labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		size_t n = name_length(++at);

		ck_assert_uint_gt(n, 0);
		at += n;
		ck_assert_int_eq(at[0], '=');
		ck_assert_int_eq(at[1], '"');
		for (at += 2; *at != '"'; at++) {
			ck_assert_int_ne(*at, '\0');
			if (*at == '\\') {
				at++;
				ck_assert(*at && strchr("n\\\"", *at));
			}
		}
		at++;
	} while (*at == ',');
	ck_assert_int_eq(*at, '}');
	return at + 1;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static struct seen_family *current(struct reading *r)
{
	ck_assert_uint_gt(r->n_families, 0);
	return &r->families[r->n_families - 1];
}

static void read_head(struct reading *r, const char *line)
{
	char what[8], name[128], rest[512];
	struct seen_family *f;

	ck_assert_int_eq(
	    sscanf(line, "# %7s %127s %511[^\n]", what, name, rest), 3);
	if (!strcmp(what, "TYPE")) {
		for (uint32_t i = 0; i < r->n_families; i++)
			ck_assert_str_ne(r->families[i].name, name);
		ck_assert_uint_lt(r->n_families, FAMILIES_MAX);
		f = &r->families[r->n_families++];
		snprintf(f->name, sizeof(f->name), "%s", name);
		snprintf(f->type, sizeof(f->type), "%.15s", rest);
		ck_assert(!strcmp(rest, "counter") || !strcmp(rest, "gauge") ||
			  !strcmp(rest, "histogram") || !strcmp(rest, "info"));
		ck_assert(!ends_with(name, "_total"));
		return;
	}
	f = current(r);
	ck_assert_str_eq(f->name, name);
	ck_assert(!f->samples);
	if (!strcmp(what, "UNIT")) {
		snprintf(f->unit, sizeof(f->unit), "_%.14s", rest);
		ck_assert(ends_with(name, f->unit));
		return;
	}
	ck_assert_str_eq(what, "HELP");
	ck_assert(!f->help);
	f->help = true;
}

static void check_suffix(const struct seen_family *f, const char *suffix)
{
	if (!strcmp(f->type, "counter"))
		ck_assert_str_eq(suffix, "_total");
	else if (!strcmp(f->type, "info"))
		ck_assert_str_eq(suffix, "_info");
	else if (!strcmp(f->type, "gauge"))
		ck_assert_str_eq(suffix, "");
	else
		ck_assert(!strcmp(suffix, "_bucket") ||
			  !strcmp(suffix, "_count") || !strcmp(suffix, "_sum"));
}

static void read_sample(struct reading *r, const char *line)
{
	struct seen_family *f = current(r);
	size_t n = name_length(line);
	const char *at = skip_labels(line + n);
	char suffix[128], *end;

	ck_assert_uint_ge(n, strlen(f->name));
	ck_assert_int_eq(strncmp(line, f->name, strlen(f->name)), 0);
	snprintf(suffix, sizeof(suffix), "%.*s", (int)(n - strlen(f->name)),
	    line + strlen(f->name));
	check_suffix(f, suffix);
	f->samples = true;
	ck_assert_uint_lt(r->n_series, SERIES_MAX);
	r->series[r->n_series] = strndup(line, (size_t)(at - line));
	ck_assert_int_eq(*at, ' ');
	r->values[r->n_series] = strtod(at + 1, &end);
	ck_assert_ptr_ne(end, at + 1);
	ck_assert_int_eq(*end, '\n');
	for (uint32_t i = 0; i < r->n_series; i++)
		ck_assert_str_ne(r->series[i], r->series[r->n_series]);
	r->n_series++;
}

static struct reading *read_all(const char *text)
{
	struct reading *r = calloc(1, sizeof(*r));

	while (*text) {
		const char *line = text, *end = strchr(text, '\n');

		ck_assert_ptr_nonnull(end);
		ck_assert(!r->eof);
		text = end + 1;
		if (!strncmp(line, "# EOF\n", 6))
			r->eof = true;
		else if (*line == '#')
			read_head(r, line);
		else
			read_sample(r, line);
	}
	ck_assert(r->eof);
	for (uint32_t i = 0; i < r->n_families; i++)
		ck_assert(r->families[i].help);
	return r;
}

static void reading_free(struct reading *r)
{
	for (uint32_t i = 0; i < r->n_series; i++)
		free(r->series[i]);
	free(r);
}

/* NULL when there is no such series. */
static const double *value_of(const struct reading *r, const char *series)
{
	for (uint32_t i = 0; i < r->n_series; i++) {
		if (!strcmp(r->series[i], series))
			return &r->values[i];
	}
	return NULL;
}

#define ASSERT_VALUE(r, series, expected)                                      \
	do {                                                                   \
		const double *found_ = value_of(r, series);                    \
		ck_assert_msg(found_ != NULL, "%s is missing", series);        \
		ck_assert_msg(*found_ == (expected), "%s is %g, not %g",       \
		    series, *found_, (double)(expected));                      \
	} while (0)

/* -- a daemon of two workers, one listener, one pool of two servers -- */
struct fixture {
	struct daemon daemon;
	struct conf_server conf_servers[2];
	struct conf_pool conf_pool;
	struct upstream upstream, *upstreams[1];
	struct listener listener, *listeners[1];
	struct plan plan;
	struct snapshot_reader *reader;
	struct board_listener *row;
};

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(&a, text), 0);
	return a;
}

static struct fixture *fixture_new(void)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~63ul);
	struct daemon *d = &f->daemon;

	memset(f, 0, sizeof(*f));
	d->n_workers = 2;
	d->board = board_new(2);
	d->shared.metrics = aligned_alloc(64, 2 * sizeof(*d->shared.metrics));
	memset(d->shared.metrics, 0, 2 * sizeof(*d->shared.metrics));
	d->shared.limits.max_connections = 1000;
	d->started_at.ns = INT64_C(1700000000500000000);
	f->conf_servers[0] = (struct conf_server){
	    .name = "a", .weight = 3, .addr = addr_of("127.0.0.1:9001")};
	f->conf_servers[1] = (struct conf_server){.name = "b",
	    .weight = 1,
	    .max_connections = 7,
	    .addr = addr_of("127.0.0.1:9002")};
	f->conf_pool = (struct conf_pool){
	    .name = "origins", .servers = f->conf_servers, .n_servers = 2};
	f->upstream.pool = pool_new(&f->conf_pool, d->board);
	f->upstreams[0] = &f->upstream;
	f->row = board_listener_get(d->board, "web");
	f->listener.name = "web";
	f->listener.max_connections = 20;
	f->listeners[0] = &f->listener;
	f->plan = (struct plan){.number = 1,
	    .n_upstreams = 1,
	    .n_listeners = 1,
	    .upstreams = f->upstreams,
	    .listeners = f->listeners};
	d->plan = snapshot_new(&f->plan);
	f->reader = snapshot_reader_new(d->plan);
	return f;
}

static void fixture_free(struct fixture *f)
{
	snapshot_reader_free(f->reader);
	snapshot_free(f->daemon.plan);
	pool_free(f->upstream.pool, f->daemon.board);
	board_free(f->daemon.board);
	free(f->daemon.shared.metrics);
	free(f);
}

static char *print(struct fixture *f, enum metrics_format format)
{
	struct metrics_view view;
	struct strbuf text;

	strbuf_init(&text);
	metrics_view_init(&view, &f->daemon, f->reader);
	metrics_text_print(&view, format, NULL, &text);
	metrics_view_fini(&view);
	return strbuf_take(&text);
}

static struct reading *scrape(struct fixture *f)
{
	char *text = print(f, METRICS_OPENMETRICS);
	struct reading *r = read_all(text);

	free(text);
	return r;
}

/* Summed over workers; a row of a resource has its names, what has come too
 * late is "other". */
START_TEST(test_dns)
{
	struct fixture *f = fixture_new();
	struct dns_counts *counts = calloc(2, sizeof *counts);
	uint32_t row =
	    dns_shares_row((const uint8_t *)"\3cdn\7example", "shop", "near");
	struct reading *r;

	dns_shares_keep();
	ck_assert_ptr_nonnull(counts);
	f->daemon.dns_counts = counts;
	counter_add(&counts[0].answers.queries_udp, 3);
	counter_add(&counts[1].answers.queries_udp, 4);
	counter_add(&counts[1].answers.types[DNS_TYPE_aaaa], 5);
	counter_add(&counts[0].answers.drops[DNS_DROP_response], 6);
	counter_add(&counts[0].sockets.tcp_open, 2);
	counter_add(&counts[1].sockets.tcp_open, 1);
	counter_add(&counts[0].shares[row], 7);
	counter_add(&counts[1].shares[row], 8);
	counter_add(&counts[1].shares[DNS_SHARES_OTHER], 9);
	r = scrape(f);
	ASSERT_VALUE(r, "braid_dns_queries_udp_total", 7);
	ASSERT_VALUE(r, "braid_dns_queries_by_type_total{type=\"aaaa\"}", 5);
	ASSERT_VALUE(
	    r, "braid_dns_queries_dropped_total{cause=\"response\"}", 6);
	ASSERT_VALUE(r, "braid_dns_tcp_connections", 3);
	ASSERT_VALUE(r,
	    "braid_dns_resource_answers_total{zone=\"cdn.example\","
	    "resource=\"shop\",pop=\"near\"}",
	    15);
	ASSERT_VALUE(r,
	    "braid_dns_resource_answers_total{zone=\"other\","
	    "resource=\"other\",pop=\"other\"}",
	    9);
	ASSERT_VALUE(r, "braid_dns_zones", 0);
	reading_free(r);
	free(counts);
	fixture_free(f);
	dns_shares_end();
}
END_TEST

START_TEST(test_values)
{
	struct fixture *f = fixture_new();
	struct server *b = &f->upstream.pool->servers[1];
	struct reading *r;

	counter_add(&f->daemon.shared.metrics[1].bytes_relayed, 4711);
	counter_add(&f->daemon.shared.metrics[1].ring.turns, 3);
	counter_add(&f->row->metrics[0].accepted, 2);
	counter_add(&f->row->metrics[1].accepted, 5);
	counter_add(&b->row->metrics[0].bytes_to, 10);
	counter_add(&b->row->metrics[1].bytes_to, 20);
	ck_assert(board_slot_take(b->row, 7));
	f->daemon.shared.connections = 9;
	r = scrape(f);
	ASSERT_VALUE(r, "braid_build_info{version=\"" BRAID_VERSION "\"}", 1);
	ASSERT_VALUE(r, "braid_start_time_seconds", 1700000000.5);
	ASSERT_VALUE(r, "braid_workers", 2);
	ASSERT_VALUE(r, "braid_connections", 9);
	ASSERT_VALUE(r, "braid_connections_limit", 1000);
	ASSERT_VALUE(r, "braid_worker_relayed_bytes_total{worker=\"1\"}", 4711);
	ASSERT_VALUE(r, "braid_worker_relayed_bytes_total{worker=\"0\"}", 0);
	ASSERT_VALUE(r, "braid_ring_turns_total{worker=\"1\"}", 3);
	ASSERT_VALUE(r, "braid_listener_accepted_total{listener=\"web\"}", 7);
	ASSERT_VALUE(
	    r, "braid_listener_connections_limit{listener=\"web\"}", 20);
	ASSERT_VALUE(r, "braid_pool_servers{pool=\"origins\"}", 2);
	ASSERT_VALUE(r, "braid_pool_servers_usable{pool=\"origins\"}", 2);
	ASSERT_VALUE(r,
	    "braid_server_to_bytes_total{pool=\"origins\",server=\"b\"}", 30);
	ASSERT_VALUE(
	    r, "braid_server_weight{pool=\"origins\",server=\"a\"}", 3);
	ASSERT_VALUE(
	    r, "braid_server_connections{pool=\"origins\",server=\"b\"}", 1);
	ASSERT_VALUE(r,
	    "braid_server_connections_limit{pool=\"origins\",server=\"b\"}", 7);
	ck_assert_ptr_null(value_of(r,
	    "braid_server_connections_limit{pool=\"origins\",server=\"a\"}"));
	reading_free(r);
	fixture_free(f);
}
END_TEST

START_TEST(test_health_and_drain)
{
	struct fixture *f = fixture_new();
	struct server *a = &f->upstream.pool->servers[0];
	struct server *b = &f->upstream.pool->servers[1];
	struct board_facts facts;
	struct reading *r;

	board_read(a->row, &facts);
	facts.health = BOARD_DOWN;
	facts.checks = 5;
	facts.checks_failed = 4;
	facts.check_us = 1500;
	board_write(a->row, &facts);
	board_read(b->row, &facts);
	facts.admin = BOARD_DRAIN;
	board_write(b->row, &facts);
	r = scrape(f);
	ASSERT_VALUE(r, "braid_server_up{pool=\"origins\",server=\"a\"}", 0);
	ASSERT_VALUE(r, "braid_server_ready{pool=\"origins\",server=\"a\"}", 1);
	ASSERT_VALUE(
	    r, "braid_server_weight{pool=\"origins\",server=\"a\"}", 0);
	ASSERT_VALUE(r,
	    "braid_server_checks_failed_total{pool=\"origins\",server=\"a\"}",
	    4);
	ASSERT_VALUE(r,
	    "braid_server_check_time_seconds{pool=\"origins\",server=\"a\"}",
	    0.0015);
	ASSERT_VALUE(r, "braid_server_up{pool=\"origins\",server=\"b\"}", 1);
	ASSERT_VALUE(r, "braid_server_ready{pool=\"origins\",server=\"b\"}", 0);
	ASSERT_VALUE(r, "braid_pool_servers_usable{pool=\"origins\"}", 0);
	reading_free(r);
	fixture_free(f);
}
END_TEST

/* Counters of what has left the configuration stay; its gauges go. Rows of
 * one server at several addresses are one series. */
START_TEST(test_servers_that_left)
{
	struct fixture *f = fixture_new();
	struct board *board = f->daemon.board;
	struct addr other = addr_of("127.0.0.1:9009");
	struct board_row *gone = board_row_get(board, "origins", "c", &other);
	struct board_row *moved = board_row_get(board, "origins", "a", &other);
	struct reading *r;

	counter_add(&gone->metrics[0].flows, 6);
	counter_add(&moved->metrics[0].flows, 2);
	counter_add(&f->upstream.pool->servers[0].row->metrics[1].flows, 3);
	board_row_unref(board, gone);
	board_row_unref(board, moved);
	board_listener_unref(board, board_listener_get(board, "old"));
	r = scrape(f);
	ASSERT_VALUE(
	    r, "braid_server_flows_total{pool=\"origins\",server=\"c\"}", 6);
	ASSERT_VALUE(
	    r, "braid_server_flows_total{pool=\"origins\",server=\"a\"}", 5);
	ck_assert_ptr_null(
	    value_of(r, "braid_server_up{pool=\"origins\",server=\"c\"}"));
	ASSERT_VALUE(r, "braid_server_up{pool=\"origins\",server=\"a\"}", 1);
	ASSERT_VALUE(r, "braid_listener_accepted_total{listener=\"old\"}", 0);
	reading_free(r);
	fixture_free(f);
}
END_TEST

START_TEST(test_histogram)
{
	struct fixture *f = fixture_new();
	struct histogram *h = &f->daemon.shared.metrics[0].connect_time;
	struct reading *r;

	histogram_add_ns(h, 3 * NS_PER_US);
	histogram_add_ns(
	    &f->daemon.shared.metrics[1].connect_time, 3 * NS_PER_US);
	histogram_add_ns(h, 2 * NS_PER_S);
	histogram_add_ns(h, 10000 * NS_PER_S);
	r = scrape(f);
	ASSERT_VALUE(r, "braid_connect_time_seconds_bucket{le=\"2e-06\"}", 0);
	ASSERT_VALUE(r, "braid_connect_time_seconds_bucket{le=\"4e-06\"}", 2);
	ASSERT_VALUE(
	    r, "braid_connect_time_seconds_bucket{le=\"1.048576\"}", 2);
	ASSERT_VALUE(
	    r, "braid_connect_time_seconds_bucket{le=\"2.097152\"}", 3);
	ASSERT_VALUE(r, "braid_connect_time_seconds_bucket{le=\"+Inf\"}", 4);
	ASSERT_VALUE(r, "braid_connect_time_seconds_count", 4);
	ASSERT_VALUE(r, "braid_connect_time_seconds_sum", 10002.000006);
	ASSERT_VALUE(r, "braid_queue_time_seconds_count", 0);
	reading_free(r);
	fixture_free(f);
}
END_TEST

START_TEST(test_label_values_are_escaped)
{
	struct fixture *f = fixture_new();
	struct addr other = addr_of("127.0.0.1:9009");
	struct board_row *row =
	    board_row_get(f->daemon.board, "q\"\\\n", "s} 1", &other);
	struct reading *r;

	counter_add(&row->metrics[0].flows, 1);
	r = scrape(f);
	ASSERT_VALUE(r,
	    "braid_server_flows_total{pool=\"q\\\"\\\\\\n\",server=\"s} 1\"}",
	    1);
	reading_free(r);
	fixture_free(f);
}
END_TEST

/* Text format 0.0.4: a counter's head bears the sample's name, no units. */
START_TEST(test_older_format)
{
	struct fixture *f = fixture_new();
	char *text = print(f, METRICS_PROMETHEUS);

	ck_assert_ptr_nonnull(
	    strstr(text, "# TYPE braid_server_flows_total counter\n"));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE braid_build_info gauge\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nbraid_server_flows_total{pool=\"origins\",server=\"a\"} 0\n"));
	ck_assert_ptr_null(strstr(text, "# UNIT"));
	ck_assert_ptr_null(strstr(text, "# EOF"));
	free(text);
	fixture_free(f);
}
END_TEST

START_TEST(test_without_plan)
{
	struct fixture *f = fixture_new();
	struct reading *r;

	(void)snapshot_publish(f->daemon.plan, NULL);
	r = scrape(f);
	ck_assert_ptr_null(value_of(r, "braid_pool_servers{pool=\"origins\"}"));
	ASSERT_VALUE(
	    r, "braid_server_flows_total{pool=\"origins\",server=\"a\"}", 0);
	reading_free(r);
	fixture_free(f);
}
END_TEST

/* docs/metrics.md is what the tables say; BRAID_UPDATE=1 rewrites it. */
START_TEST(test_docs_are_fresh)
{
	const char *source = getenv("BRAID_SOURCE");
	struct strbuf wanted;
	char path[4096], *text;
	size_t n;
	FILE *file;

	strbuf_init(&wanted);
	metrics_print_docs(&wanted);
	snprintf(
	    path, sizeof(path), "%s/docs/metrics.md", source ? source : ".");
	if (getenv("BRAID_UPDATE")) {
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		fputs(strbuf_text(&wanted), file);
		fclose(file);
	}
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	text = calloc(1, wanted.length + 2);
	n = fread(text, 1, wanted.length + 1, file);
	fclose(file);
	ck_assert_msg(n == wanted.length && !strcmp(text, wanted.text),
	    "docs/metrics.md is stale: run this test with BRAID_UPDATE=1");
	free(text);
	strbuf_fini(&wanted);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics_text");
	TCase *tcase = tcase_create("metrics_text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_dns);
	tcase_add_test(tcase, test_health_and_drain);
	tcase_add_test(tcase, test_servers_that_left);
	tcase_add_test(tcase, test_histogram);
	tcase_add_test(tcase, test_label_values_are_escaped);
	tcase_add_test(tcase, test_older_format);
	tcase_add_test(tcase, test_without_plan);
	tcase_add_test(tcase, test_docs_are_fresh);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
