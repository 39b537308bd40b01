/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_format.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/tally.h"

const char *metric_kind_name(enum metric_kind kind)
{
	static const char *const names[] = {
	    [METRIC_COUNTER] = "counter",
	    [METRIC_GAUGE] = "gauge",
	    [METRIC_HISTOGRAM] = "histogram",
	    [METRIC_INFO] = "info",
	};

	return names[kind];
}

const char *metric_kind_suffix(enum metric_kind kind)
{
	if (kind == METRIC_COUNTER)
		return "_total";
	return kind == METRIC_INFO ? "_info" : "";
}

void metrics_begin(struct metrics_writer *w, struct strbuf *out,
    enum metrics_format format, struct tally *more)
{
	*w =
	    (struct metrics_writer){.out = out, .more = more, .format = format};
}

/* Backslash, quote and line feed are escaped in label values; in help texts
 * the quote is escaped by OpenMetrics only, so help texts have none. */
static void add_escaped(struct strbuf *out, const char *text)
{
	for (const char *rest = text; *rest;) {
		size_t plain = strcspn(rest, "\\\"\n");

		strbuf_add(out, rest, plain);
		rest += plain;
		if (!*rest)
			break;
		strbuf_addc(out, '\\');
		strbuf_addc(out, *rest == '\n' ? 'n' : *rest);
		rest++;
	}
}

/* The older format knows no info type, and names a counter as its sample. */
static void add_head(
    struct metrics_writer *w, const char *head, const char *text)
{
	const struct metric_family *family = w->family;

	strbuf_adds(w->out, "# ");
	strbuf_adds(w->out, head);
	strbuf_addc(w->out, ' ');
	strbuf_adds(w->out, family->name);
	if (w->format == METRICS_PROMETHEUS)
		strbuf_adds(w->out, metric_kind_suffix(family->kind));
	strbuf_addc(w->out, ' ');
	add_escaped(w->out, text);
	strbuf_addc(w->out, '\n');
}

/* Samples that only other generations have: of a worker or server that this
 * one has not. */
static void end_family(struct metrics_writer *w)
{
	if (w->more && w->sample[0])
		tally_print_rest(w->more, w->sample, w->out);
	w->sample[0] = '\0';
}

static void begin_family(struct metrics_writer *w)
{
	const struct metric_family *family = w->family;

	if (family->kind != METRIC_HISTOGRAM)
		(void)snprintf(w->sample, sizeof(w->sample), "%s%s",
		    family->name, metric_kind_suffix(family->kind));
}

void metrics_family(
    struct metrics_writer *w, const struct metric_family *family)
{
	enum metric_kind kind = family->kind;

	end_family(w);

	w->family = family;
	begin_family(w);
	if (w->format == METRICS_PROMETHEUS && kind == METRIC_INFO)
		kind = METRIC_GAUGE;
	add_head(w, "TYPE", metric_kind_name(kind));
	if (*family->unit && w->format == METRICS_OPENMETRICS)
		add_head(w, "UNIT", family->unit);
	add_head(w, "HELP", family->help);
}

static void add_name(struct metrics_writer *w, const char *suffix,
    const struct metric_label *labels, uint32_t n_labels)
{
	strbuf_adds(w->out, w->family->name);
	strbuf_adds(w->out, suffix);
	for (uint32_t i = 0; i < n_labels; i++) {
		strbuf_addc(w->out, i ? ',' : '{');
		strbuf_adds(w->out, labels[i].name);
		strbuf_adds(w->out, "=\"");
		add_escaped(w->out, labels[i].value);
		strbuf_addc(w->out, '"');
	}
	if (n_labels)
		strbuf_addc(w->out, '}');
	strbuf_addc(w->out, ' ');
}

/* What other generations have of the sample whose name was added last, from
 * `at` on and with a space behind it. */
static struct tally_value more_of(struct metrics_writer *w, size_t at)
{
	struct tally_value value = {0};
	char *end = w->out->text + w->out->length - 1;

	if (!w->more)
		return value;
	*end = '\0';
	value = tally_take(w->more, w->out->text + at);
	*end = ' ';
	return value;
}

/* By hand, because a page has a hundred thousand of them. */
static void add_uint(struct strbuf *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	strbuf_add(out, digits + at, sizeof(digits) - at);
}

void metrics_uint(struct metrics_writer *w, const struct metric_label *labels,
    uint32_t n_labels, uint64_t value)
{
	size_t at = w->out->length;

	br_assert(w->family->kind != METRIC_HISTOGRAM);
	add_name(w, metric_kind_suffix(w->family->kind), labels, n_labels);
	add_uint(w->out, value + more_of(w, at).whole);
	strbuf_addc(w->out, '\n');
}

void metrics_double(struct metrics_writer *w, const struct metric_label *labels,
    uint32_t n_labels, double value)
{
	size_t at = w->out->length;
	struct tally_value more;

	br_assert(w->family->kind != METRIC_HISTOGRAM);
	add_name(w, metric_kind_suffix(w->family->kind), labels, n_labels);
	more = more_of(w, at);
	strbuf_addf(w->out, "%.15g\n", value + (double)more.whole + more.part);
}

/* Counts are exact up to 2^53, and so are their texts. */
static void histogram_sample(struct metrics_writer *w, const char *suffix,
    const struct metric_label *labels, uint32_t n_labels, double value)
{
	size_t at = w->out->length;
	struct tally_value more;

	add_name(w, suffix, labels, n_labels);
	more = more_of(w, at);
	strbuf_addf(w->out, "%.15g\n", value + (double)more.whole + more.part);
}

/* Buckets are cumulative here. Their bounds are powers of two in us; a value
 * equal to a bound counts one bucket higher, which us resolution allows. */
void metrics_histogram(struct metrics_writer *w,
    const uint64_t bucket[HISTOGRAM_BUCKETS], uint64_t sum_us)
{
	struct metric_label le = {.name = "le"};
	uint64_t count = 0;
	char bound[32];

	br_assert(w->family->kind == METRIC_HISTOGRAM);
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += bucket[i];
		(void)snprintf(bound, sizeof(bound), "%.9g",
		    (double)(UINT64_C(1) << i) / 1e6);
		le.value = i < HISTOGRAM_BUCKETS - 1 ? bound : "+Inf";
		histogram_sample(w, "_bucket", &le, 1, (double)count);
	}
	histogram_sample(w, "_count", NULL, 0, (double)count);
	histogram_sample(w, "_sum", NULL, 0, (double)sum_us / 1e6);
}

void metrics_end(struct metrics_writer *w)
{
	end_family(w);
	if (w->format == METRICS_OPENMETRICS)
		strbuf_adds(w->out, "# EOF\n");
	w->family = NULL;
}
