/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * All that /metrics shows, read once into plain arrays: what the text prints
 * of one server then agrees with itself, and the configuration in force is
 * held only for the reading, not for the printing.
 *
 *      plan ──pools, listeners, gauges──┐
 *      board ──rows, also of the gone───┼──> view ──> metrics_text
 *      workers' counters, process ──────┘
 *
 * Thread:  one that is registered as reader of daemon->plan (api). Nobody
 *          waits for it but the clerk, when it retires a plan.
 * Memory:  metrics_view_init() .. metrics_view_fini(); names point into board
 *          rows, which board_enter() holds until then.
 * Errors:  out of memory ends the process with a message, as in base/strbuf.
 * Limits:  those of the configuration and of the board.
 */
#include "daemon/daemon.h"
#include "daemon/metrics_dns.h"
#include "daemon/metrics_table.h"
#include "fleet/name.h"

struct view_listener {
	char name[CONF_NAME_MAX + 1];
	bool configured;
	uint32_t connections, limit;
	int64_t expiry_s; /* 0: no certificate */
	struct listener_metrics sum;
};

struct view_pool {
	char name[CONF_NAME_MAX + 1];
	uint32_t servers, usable, queued, queue_limit;
	uint32_t local_percent;
	bool fails_open, backups;
};

struct view_pop {
	char name[CONF_NAME_MAX + 1];
	uint32_t addresses, addresses_up, weight_percent;
	uint32_t reports, report_percent;
	bool report_up;
	double report_age_seconds; /* below 0: never heard */
	double leaves_seconds; /* since the epoch; 0: not planned */
	bool up, ready;
};

struct view_server {
	const char *pool, *server;
	bool configured; /* else only counters */
	bool up, ready, ejected;
	uint32_t slow_start_percent;
	uint32_t weight, connections, limit, check_us, addresses;
	uint64_t checks, checks_failed, changes, ejections;
	uint64_t agent_checks, agent_failed;
	struct server_metrics sum;
};

struct view_histogram {
	uint64_t bucket[HISTOGRAM_BUCKETS];
	uint64_t sum_us;
};

struct metrics_view {
	struct board *board;
	uint64_t singles[METRIC_IDS]; /* whole-numbered ones of the process */
	uint64_t answers[NAME_RESULTS]; /* of the DNS */
	double start_seconds, loaded_seconds, cpu_seconds;
	uint32_t agent_percent;
	struct view_histogram connect_time, queue_time, flow_time;
	uint32_t n_workers;
	const struct worker_metrics *workers; /* read when printed */
	const struct probe_metrics *checks; /* likewise */
	uint32_t n_listeners, n_pools, n_pops, n_servers;
	uint32_t room_listeners, room_servers;
	struct view_listener *listeners; /* by name */
	struct view_pool *pools; /* in the order of the file */
	struct view_pop *pops; /* likewise */
	struct view_server *servers; /* by pool and name */
	struct metrics_dns dns;
};

void metrics_view_init(struct metrics_view *view, struct daemon *daemon,
    struct snapshot_reader *reader);
void metrics_view_fini(struct metrics_view *view);
