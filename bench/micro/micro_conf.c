/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/strbuf.h"
#include "conf/diff.h"

#include <stdlib.h>

/* Servers a pool: as an orchestrator writes such a file. */
#define POOL_SERVERS 100

struct bench {
	struct strbuf text[2];
	struct conf *conf[2];
	uint32_t n_servers;
};

static void write_file(struct strbuf *text, uint32_t n, uint32_t weight)
{
	strbuf_init(text);
	strbuf_adds(text, "listeners:\n"
			  "  web: {bind: \"127.0.0.1:8080\", pool: p0}\n"
			  "pools:\n");
	for (uint32_t i = 0; i < n; i++) {
		if (i % POOL_SERVERS == 0)
			strbuf_addf(
			    text, "  p%u:\n    servers:\n", i / POOL_SERVERS);
		strbuf_addf(text,
		    "      s%u: {address: \"10.%u.%u.%u:9000\", weight: %u}\n",
		    i, i >> 16 & 255, i >> 8 & 255, i & 255, weight + i % 7);
	}
}

static struct conf *load(const struct strbuf *text)
{
	struct conf_errors errors;
	struct conf *conf = NULL;

	conf_errors_init(&errors);
	br_assert(!conf_parse(
	    "bench.yaml", text->text, text->length, &conf, &errors));
	conf_errors_fini(&errors);
	return conf;
}

static void *bench_open(uint32_t n_servers)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->n_servers = n_servers;
	for (uint32_t i = 0; i < 2; i++) {
		write_file(&b->text[i], n_servers, 1 + i);
		b->conf[i] = load(&b->text[i]);
	}
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	for (int i = 0; i < 2; i++) {
		conf_free(b->conf[i]);
		strbuf_fini(&b->text[i]);
	}
	free(b);
}

static void run_load(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct conf *conf = load(&b->text[0]);

		br_assert(conf->n_pools ==
			  (b->n_servers + POOL_SERVERS - 1) / POOL_SERVERS);
		conf_free(conf);
	}
}

static void run_diff(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct arena *arena = arena_new();
		struct conf_diff diff;

		conf_diff(b->conf[0], b->conf[1], arena, &diff);
		br_assert(diff.servers_changed == b->n_servers);
		arena_free(arena);
	}
}

#define CASE(what, run_it, n)                                                  \
	{                                                                      \
		.name = "conf: " what, .open = bench_open, .run = run_it,      \
		.close = bench_close, .size = n                                \
	}

static const struct micro_case cases[] = {
    CASE("load and check 10 servers", run_load, 10),
    CASE("load and check 10,000 servers", run_load, 10000),
    CASE("differences of 10,000 servers", run_diff, 10000),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
