/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "bench/micro/micro_pool.h"
#include "daemon/metrics_text.h"
#include "daemon/plan.h"

#include <stdlib.h>
#include <string.h>

#define WORKERS 2

/* What metrics_view reads of a daemon: one pool, no listener. */
struct bench {
	struct daemon daemon;
	struct upstream upstream, *upstreams[1];
	struct plan plan;
	struct snapshot_reader *reader;
	struct micro_pool p;
};

static void *bench_open(uint32_t n_servers)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->p = micro_pool_open(CONF_BALANCE_P2C, n_servers, WORKERS);
	for (uint32_t i = 0; i < n_servers; i++) {
		struct server_metrics *m = b->p.pool->servers[i].row->metrics;

		counter_add(&m[0].flows, i);
		counter_add(&m[1].bytes_from, UINT64_C(123456789) * i);
	}
	b->daemon.n_workers = WORKERS;
	b->daemon.board = b->p.board;
	b->daemon.shared.metrics =
	    micro_alloc(WORKERS, sizeof *b->daemon.shared.metrics);
	b->upstream.pool = b->p.pool;
	b->upstreams[0] = &b->upstream;
	b->plan = (struct plan){.n_upstreams = 1, .upstreams = b->upstreams};
	b->daemon.plan = snapshot_new(&b->plan);
	b->reader = snapshot_reader_new(b->daemon.plan);
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	snapshot_reader_free(b->reader);
	snapshot_free(b->daemon.plan);
	free(b->daemon.shared.metrics);
	micro_pool_close(&b->p);
	free(b);
}

static void run_view(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct metrics_view view;

		metrics_view_init(&view, &b->daemon, b->reader);
		br_assert(view.n_servers == b->p.pool->n_servers);
		metrics_view_fini(&view);
	}
}

static void run_text(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct metrics_view view;
		struct strbuf text;

		strbuf_init(&text);
		metrics_view_init(&view, &b->daemon, b->reader);
		metrics_text_print(&view, METRICS_OPENMETRICS, NULL, &text);
		metrics_view_fini(&view);
		br_assert(!strcmp(text.text + text.length - 6, "# EOF\n"));
		strbuf_fini(&text);
	}
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "metrics: " what, .open = bench_open, .run = run_it,   \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("view of 10,000 servers", run_view, 10000),
    CASE("view and text of 10 servers", run_text, 10),
    CASE("view and text of 10,000 servers", run_text, 10000),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
