/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Writer of OpenMetrics 1.0 text, and of its predecessor (Prometheus text
 * 0.0.4) for old scrapers. Suffixes, escaping and the order of the heads are
 * its business; the caller writes a family and then all of its samples.
 *
 *     # TYPE braid_server_flows counter
 *     # HELP braid_server_flows Flows handed to this server.
 *     braid_server_flows_total{pool="origins",server="a"} 7
 *     # EOF
 *
 * Thread:  any; one writer on one thread.
 * Memory:  appends to the caller's strbuf; families are the caller's.
 * Units:   seconds and bytes, named at the end of the family's name.
 */
#include <stdint.h>

#include "base/metric.h"
#include "base/strbuf.h"

enum metrics_format { METRICS_OPENMETRICS, METRICS_PROMETHEUS };

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
	METRIC_INFO,
};

#define METRIC_NAME_MAX 80

struct metric_family {
	char name[METRIC_NAME_MAX]; /* with its unit, without _total */
	enum metric_kind kind;
	const char *unit; /* "", "seconds", "bytes" */
	const char *labels; /* "pool, server": for people */
	const char *help; /* without a full stop */
};

struct metric_label {
	const char *name, *value;
};

#define METRIC_LABELS_MAX 4

struct tally;

struct metrics_writer {
	struct strbuf *out;
	struct tally *more; /* of other generations; may be NULL */
	char sample[METRIC_NAME_MAX + 8]; /* name, "" in a histogram */
	enum metrics_format format;
	const struct metric_family *family;
};

/* What `more` has of a sample is added to it, and of a family appended. */
void metrics_begin(struct metrics_writer *w, struct strbuf *out,
    enum metrics_format format, struct tally *more);
void metrics_family(
    struct metrics_writer *w, const struct metric_family *family);
/* A sample of the current family, not a histogram. */
void metrics_uint(struct metrics_writer *w, const struct metric_label *labels,
    uint32_t n_labels, uint64_t value);
void metrics_double(struct metrics_writer *w, const struct metric_label *labels,
    uint32_t n_labels, double value);
/* All samples of a histogram family, in seconds, from counts per bucket as
 * base/metric.h has them. */
void metrics_histogram(struct metrics_writer *w,
    const uint64_t bucket[HISTOGRAM_BUCKETS], uint64_t sum_us);
void metrics_end(struct metrics_writer *w);

const char *metric_kind_name(enum metric_kind kind);
/* What a sample's name has beyond the family's: "_total", "_info", "". */
const char *metric_kind_suffix(enum metric_kind kind);
