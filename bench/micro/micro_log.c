/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/assert.h"
#include "base/log.h"
#include "bench/micro/micro_pool.h"
#include "daemon/daemon.h"
#include "lb/flow_line.h"
#include "lb/flow_log.h"
#include "lb/listener.h"
#include "lb/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS_A_LOOK 500

struct bench {
	struct micro_pool p;
	struct listener listener;
	struct flow_record record;
	struct record_queue *log;
	struct worker worker; /* of which a record names the number and time */
	struct flow flow;
	int null;
};

static void *bench_open(uint32_t format)
{
	struct bench *b = micro_alloc(1, sizeof *b);

	b->p = micro_pool_open(CONF_BALANCE_P2C, 1, 1);
	b->listener.name = "web";
	b->record = (struct flow_record){.id = 1234567,
	    .ended_at = wall_now(),
	    .listener = &b->listener,
	    .pool = b->p.pool,
	    .server = &b->p.pool->servers[0],
	    .client = {.ip = {192, 0, 2, 7}, .port = 51234, .family = AF_INET},
	    .worker = 1,
	    .end_by = '-',
	    .end_phase = '-',
	    .queue_ns = 0,
	    .connect_ns = 130500,
	    .first_byte_ns = 1250000,
	    .total_ns = 31250000,
	    .bytes_up = 4711,
	    .bytes_down = 1234567890};
	b->log = flow_log_new(FLOW_LOG_RECORDS);
	br_assert(b->log);
	b->worker.index = 1;
	b->flow.worker = &b->worker;
	b->flow.listener = &b->listener;
	b->flow.client = b->record.client;
	b->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	br_assert(b->null >= 0);
	log_set_fd(b->null);
	log_configure((enum log_format)format, LOG_INFO);
	br_assert(!log_start_queue(1024));
	return b;
}

static void bench_close(void *state)
{
	struct bench *b = state;

	log_stop_queue();
	br_assert(!log_dropped());
	log_set_fd(STDERR_FILENO);
	(void)close(b->null);
	record_queue_free(b->log);
	micro_pool_close(&b->p);
	free(b);
}

static void run_access(void *state, uint64_t n)
{
	struct bench *b = state;
	char text[LOG_LINE_MAX];

	for (uint64_t i = 0; i < n; i++) {
		b->record.id++;
		micro_use((uint64_t)flow_line_compose(
		    &b->record, text, (int)sizeof text));
	}
}

/* What the worker does of it, and that the clerk finds it: a batch at a time,
 * as the clerk looks every 50 ms. */
static void run_record(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		struct flow_record *record = flow_log_room(b->log);

		b->flow.id = i;
		flow_record_fill(record, &b->flow);
		record_queue_put(b->log);
		if (i % RECORDS_A_LOOK != RECORDS_A_LOOK - 1 && i + 1 < n)
			continue;
		for (uint64_t id = i - i % RECORDS_A_LOOK; id <= i; id++) {
			br_assert(flow_log_peek(b->log)->id == id);
			record_queue_drop(b->log);
		}
	}
}

static void run_event(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++) {
		log_event(LOG_WARN, "server down",
		    "pool=%s server=%s address=%s up_for=%us", b->p.pool->name,
		    b->p.pool->servers[0].name, b->p.pool->servers[0].addr_text,
		    (uint32_t)i);
		if (i % 64 == 63)
			(void)log_drain();
	}
	(void)log_drain();
}

static void run_off(void *state, uint64_t n)
{
	struct bench *b = state;

	for (uint64_t i = 0; i < n; i++)
		log_event(LOG_DEBUG, "not printed", "pool=%s number=%u",
		    b->p.pool->name, (uint32_t)i);
}

#define CASE(what, run_it, format)                                             \
	{                                                                      \
		.name = "log: " what, .open = bench_open, .run = run_it,       \
		.close = bench_close, .size = format                           \
	}

static const struct micro_case cases[] = {
    CASE("a line of the access log, logfmt", run_access, LOG_LOGFMT),
    CASE("a line of the access log, JSON", run_access, LOG_JSON),
    CASE("a record of the access log, filled, put and found", run_record,
	LOG_LOGFMT),
    CASE("an event, queued and written, logfmt", run_event, LOG_LOGFMT),
    CASE("an event below the level", run_off, LOG_LOGFMT),
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
