/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The part of /metrics that is about the responder: read once, with what is
 * published held for the reading only, then printed.
 *
 *      workers' counters ──sum──┐
 *      zones, policy, plan ─────┴──> struct metrics_dns ──> metrics_dns_print
 *
 * Thread:  as of daemon/metrics_view.h; it registers as reader of daemon->dns
 *          itself.
 * Memory:  metrics_dns_read() .. metrics_dns_fini().
 * Errors:  out of memory ends the process with a message, as in base/strbuf.
 * Limits:  METRICS_DNS_ROWS_MAX zones have gauges, and as many weights are
 *          shown; what is beyond is left out. Counters: daemon/dns_shares.h.
 */
#include "daemon/dns_counts.h"
#include "daemon/metrics_format.h"

struct arena;
struct daemon;
struct plan;

#define METRICS_DNS_ROWS_MAX 4096u

struct metrics_dns_zone {
	const char *name;
	uint32_t serial, names;
	uint64_t bytes;
	double loaded_seconds;
};

struct metrics_dns_weight {
	const char *zone, *resource, *pop;
	const char *region; /* "": clients of no region */
	double share; /* of all weight */
};

struct metrics_dns {
	struct dns_counts *sum;
	uint64_t epoch; /* 0: there is no DNS */
	uint32_t n_zones, n_shown; /* all, those that have a row */
	struct metrics_dns_zone *zones;
	uint32_t n_weights;
	struct metrics_dns_weight *weights;
	struct arena *arena; /* of names */
};

/* `plan` is in force, and held by the caller; NULL: none is. */
void metrics_dns_read(
    struct metrics_dns *ret, struct daemon *daemon, const struct plan *plan);
void metrics_dns_fini(struct metrics_dns *dns);
void metrics_dns_print(struct metrics_writer *w, const struct metrics_dns *dns);
