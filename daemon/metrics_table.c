/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_table.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "dnsd/dns_metrics.h"
#include "dnsd/dns_server.h"
#include "fleet/board.h"
#include "io/tls.h"
#include "lb/worker.h"
#include "probe/probe_set.h"

static const struct metric_field worker_fields[] = {
#define X(name, help) {#name, help, offsetof(struct worker_metrics, name)},
    WORKER_METRIC_LIST(X)
#undef X
};

static const struct metric_field shard_fields[] = {
#define X(name, help)                                                          \
	{#name, help, offsetof(struct worker_metrics, shard.name)},
    SHARD_METRIC_LIST(X)
#undef X
};

static const struct metric_field ring_fields[] = {
#define X(name, help) {#name, help, offsetof(struct worker_metrics, ring.name)},
    RING_METRIC_LIST(X)
#undef X
};

static const struct metric_field server_fields[] = {
#define X(name, help) {#name, help, offsetof(struct server_metrics, name)},
    SERVER_METRIC_LIST(X)
#undef X
};

static const struct metric_field listener_fields[] = {
#define X(name, help) {#name, help, offsetof(struct listener_metrics, name)},
    LISTENER_METRIC_LIST(X)
#undef X
};

static const struct metric_field check_fields[] = {
#define X(name, help) {#name, help, offsetof(struct probe_metrics, name)},
    PROBE_METRIC_LIST(X)
#undef X
};

static const struct metric_field dns_fields[] = {
#define X(name, help) {#name, help, offsetof(struct dns_metrics, name)},
    DNS_METRIC_LIST(X)
#undef X
};

static const struct metric_field dns_socket_fields[] = {
#define X(name, help) {#name, help, offsetof(struct dns_server_metrics, name)},
    DNS_SERVER_METRIC_LIST(X)
#undef X
};

const struct metric_group metrics_worker = {
    "braid_worker_", "worker", worker_fields, BR_COUNT(worker_fields)};
const struct metric_group metrics_shard = {
    "braid_shard_", "worker", shard_fields, BR_COUNT(shard_fields)};
const struct metric_group metrics_ring = {
    "braid_ring_", "worker", ring_fields, BR_COUNT(ring_fields)};
const struct metric_group metrics_server = {
    "braid_server_", "pool, server", server_fields, BR_COUNT(server_fields)};
const struct metric_group metrics_listener = {
    "braid_listener_", "listener", listener_fields, BR_COUNT(listener_fields)};
const struct metric_group metrics_checks = {
    "braid_health_", "", check_fields, BR_COUNT(check_fields)};
const struct metric_group metrics_dns_answers = {
    "braid_dns_", "", dns_fields, BR_COUNT(dns_fields)};
const struct metric_group metrics_dns_sockets = {
    "braid_dns_socket_", "", dns_socket_fields, BR_COUNT(dns_socket_fields)};

const struct metric_family metrics_families[METRIC_IDS] = {
#define X(id, name, kind, unit, labels, help)                                  \
	[METRIC_ID_##id] = {name, METRIC_##kind, unit, labels, help},
    METRIC_LIST(X)
#undef X
};

void metric_group_family(
    const struct metric_group *group, uint32_t field, struct metric_family *ret)
{
	static const char unit_first[] = "bytes_";
	const struct metric_field *row = &group->fields[field];
	bool bytes = !strncmp(row->name, unit_first, strlen(unit_first));
	int n;

	br_assert(field < group->n_fields);
	*ret = (struct metric_family){.kind = METRIC_COUNTER,
	    .unit = bytes ? "bytes" : "",
	    .labels = group->labels,
	    .help = row->help};
	n = snprintf(ret->name, sizeof(ret->name), "%s%s%s", group->prefix,
	    bytes ? row->name + strlen(unit_first) : row->name,
	    bytes ? "_bytes" : "");
	br_assert(n > 0 && n < (int)sizeof(ret->name));
}

static void print_row(struct strbuf *ret, const struct metric_family *family)
{
	strbuf_addf(ret, "| `%s%s` | %s | %s | %s |\n", family->name,
	    metric_kind_suffix(family->kind), metric_kind_name(family->kind),
	    *family->labels ? family->labels : "", family->help);
}

static void print_group(struct strbuf *ret, const struct metric_group *group)
{
	struct metric_family family;

	for (uint32_t i = 0; i < group->n_fields; i++) {
		metric_group_family(group, i, &family);
		print_row(ret, &family);
	}
}

static void print_ids(
    struct strbuf *ret, enum metric_id from, enum metric_id to)
{
	for (enum metric_id id = from; id <= to; id++)
		print_row(ret, &metrics_families[id]);
}

static void print_title(struct strbuf *ret, const char *title)
{
	strbuf_addf(ret,
	    "\n## %s\n\n| name | type | labels | what |\n|---|---|---|---|\n",
	    title);
}

static void print_causes(struct strbuf *ret, const char *title, unsigned first,
    unsigned n, const char *(*name)(unsigned), const char *(*text)(unsigned))
{
	strbuf_addf(ret, "\n| %s | meaning |\n|---|---|\n", title);
	for (unsigned i = first; i < n; i++)
		strbuf_addf(ret, "| `%s` | %s |\n", name(i), text(i));
}

#define X(name, text) text,
static const char *const kind_texts[] = {DNS_KIND_LIST(X)};
static const char *const cookie_texts[] = {DNS_COOKIE_LIST(X)};
static const char *const drop_texts[] = {DNS_DROP_LIST(X)};
#undef X

static const char *kind_text(unsigned kind)
{
	return kind_texts[kind];
}

static const char *cookie_text(unsigned cookie)
{
	return cookie_texts[cookie];
}

static const char *drop_text(unsigned drop)
{
	return drop_texts[drop];
}

static void print_dns(struct strbuf *ret)
{
	print_title(ret, "DNS");
	print_ids(ret, METRIC_ID_D_ZONES, METRIC_ID_D_DROPS);
	print_group(ret, &metrics_dns_answers);
	print_group(ret, &metrics_dns_sockets);
	print_causes(ret, "`kind`", 0, DNS_N_KINDS, dns_kind_name, kind_text);
	print_causes(
	    ret, "`cookie`", 0, DNS_N_COOKIES, dns_cookie_name, cookie_text);
	print_causes(ret, "`cause` of a query without an answer", 1,
	    DNS_N_DROPS, dns_drop_name, drop_text);
}

static const char *class_name(unsigned class)
{
	return flow_class_name((enum flow_class) class);
}

static const char *class_text(unsigned class)
{
	return flow_class_text((enum flow_class) class);
}

static const char docs_head[] =
    "# Metrics\n"
    "\n"
    "<!-- Generated from the tables in the source by the test of\n"
    "     daemon/metrics_table.c: BRAID_UPDATE=1 ctest -R metrics_text -->\n"
    "\n"
    "`GET /metrics` at `api.listen` answers with [OpenMetrics](https://"
    "github.com/prometheus/OpenMetrics) 1.0\ntext, or with the older "
    "Prometheus text format for scrapers that do not ask for it. Times are\n"
    "in seconds, sizes in bytes. A histogram also has the samples `_bucket`, "
    "`_count` and `_sum`.\n"
    "\n"
    "Counters start at 0 with the process and survive reloads: a server or "
    "listener that has left\nthe configuration keeps its counters, so that "
    "rates and sums do not jump; its gauges are gone.\nA server that comes "
    "back under the same pool and name goes on counting, also at another\n"
    "address. A server whose address is a name is one series for all its "
    "addresses: sums, and of states\nthe best one. Labels take values from the "
    "configuration (listener, pool, pop, server,\nzone, resource, region), are "
    "numbers of workers, or come from a fixed list (cause, class, result,\ntype, "
    "rcode, kind, cookie), so their number is bounded. Answers of resources have "
    "4096 rows, and what\ncomes later is counted as `other`; 4096 zones have "
    "gauges, and 4096 weights are shown.\n";

void metrics_print_docs(struct strbuf *ret)
{
	strbuf_adds(ret, docs_head);
	print_title(ret, "Process");
	print_ids(ret, METRIC_ID_BUILD, METRIC_ID_FLOW_TIME);
	print_title(ret, "Health checks");
	print_group(ret, &metrics_checks);
	print_title(ret, "Names");
	print_ids(ret, METRIC_ID_N_ANSWERS, METRIC_ID_N_ANSWERS);
	print_title(ret, "Workers");
	print_ids(ret, METRIC_ID_W_FLOWS, METRIC_ID_W_PIPES);
	print_group(ret, &metrics_worker);
	print_title(ret, "TLS");
	print_ids(ret, METRIC_ID_T_CLIENT, METRIC_ID_T_SERVER);
	print_causes(
	    ret, "`cause`", 1, TLS_N_CAUSES, tls_cause_name, tls_cause_text);
	print_title(ret, "PROXY headers and ClientHellos");
	print_ids(ret, METRIC_ID_F_PROXY, METRIC_ID_F_HELLO);
	print_causes(ret, "`cause` of a PROXY header", 1, PROXY_N_CAUSES,
	    proxy_cause_name, proxy_cause_text);
	print_causes(ret, "`cause` of a ClientHello",
	    CLIENT_HELLO_CAUSES_COUNTED, CLIENT_HELLO_N_CAUSES,
	    client_hello_cause_name, client_hello_cause_text);
	print_title(ret, "Profiler");
	print_ids(ret, METRIC_ID_C_FLOWS, METRIC_ID_C_FLOWS);
	print_causes(ret, "`class`", 0, N_FLOW_CLASSES, class_name, class_text);
	print_title(ret, "Range shards");
	print_group(ret, &metrics_shard);
	print_ids(ret, METRIC_ID_R_MIGRATIONS, METRIC_ID_R_REFUSED);
	print_causes(ret, "`cause` of a migration", 0, SHARD_N_CAUSES,
	    shard_cause_name, shard_cause_text);
	print_causes(ret, "`cause` of a refusal", 0, SHARD_N_LIMITS,
	    shard_limit_name, shard_limit_text);
	print_title(ret, "Rings");
	print_group(ret, &metrics_ring);
	print_title(ret, "Listeners");
	print_ids(ret, METRIC_ID_L_CONNECTIONS, METRIC_ID_L_LIMIT);
	print_group(ret, &metrics_listener);
	print_title(ret, "Pools");
	print_ids(ret, METRIC_ID_P_SERVERS, METRIC_ID_P_LOCAL);
	print_title(ret, "POPs");
	print_ids(ret, METRIC_ID_O_UP, METRIC_ID_O_LEAVES);
	print_dns(ret);
	print_title(ret, "Servers");
	print_ids(ret, METRIC_ID_S_UP, METRIC_ID_S_EJECTIONS);
	print_group(ret, &metrics_server);
}
