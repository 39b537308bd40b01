/* SPDX-License-Identifier: Apache-2.0 */
/* `dns`: the zones, what was counted of answers, one zone loaded anew. */
#include "daemon/ctl_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/dns_counts.h"
#include "daemon/dns_refresh.h"
#include "daemon/dns_store.h"
#include "dnsd/zone.h"

/* A zone is loaded when a reload or the weights are done, which takes less. */
#define ZONE_WAIT_STEP_NS (10 * NS_PER_MS)
#define ZONE_WAITS_MAX 1000u

/* -- zones ------------------------------------------------------------- */

static bool has_dns(struct ctl_call *call)
{
	if (control_plan(call->control)->dns)
		return true;
	ctl_fail(call, CTL_NO_ENTRY,
	    "there is no `dns` in the configuration in force");
	return false;
}

const struct zone *ctl_find_zone(struct ctl_call *call, uint32_t *ret_number)
{
	const struct plan *plan = control_plan(call->control);
	const char *text = ctl_argument(call, 1), *wrong;
	uint8_t apex[DNAME_MAX];

	if (dname_from_text(text, strlen(text), NULL, apex, &wrong)) {
		ctl_fail(call, CTL_USAGE, "the name \"%s\" %s", text, wrong);
		return NULL;
	}
	for (uint32_t i = 0; i < plan->conf->dns.n_zones; i++) {
		const struct zone *zone = dns_store_zone(plan->dns, i);

		if (!dname_equal(zone_apex(zone), apex))
			continue;
		*ret_number = i;
		return zone;
	}
	ctl_fail(call, CTL_NO_ENTRY,
	    "no zone \"%s\" in the configuration in force", text);
	return NULL;
}

static void put_zone(struct ctl_call *call, const struct plan *plan, uint32_t i)
{
	const struct conf_zone *conf = &plan->conf->dns.zones[i];
	const struct zone *zone = dns_store_zone(plan->dns, i);
	struct wall loaded = dns_store_loaded_at(plan->dns, i);
	struct json *j = &call->json;
	char apex[DNAME_TEXT_MAX];

	(void)dname_to_text(zone_apex(zone), apex);
	json_object_begin(j, NULL);
	json_string(j, "zone", apex);
	json_uint(j, "serial", zone_serial(zone));
	json_uint(j, "names", zone_n_nodes(zone));
	json_uint(j, "resources", conf->n_resources);
	json_bool(j, "signed", zone_is_signed(zone));
	json_uint(j, "bytes", zone_bytes(zone));
	json_double(j, "loaded_since_seconds",
	    (double)(wall_now().ns - loaded.ns) / 1e9);
	if (conf->file)
		json_string(j, "file", conf->file);
	else
		json_null(j, "file");
	json_object_end(j);
}

/* Of this process; as old ones end theirs do. */
static void put_queries(struct ctl_call *call)
{
	const struct daemon *daemon = control_daemon(call->control);
	uint64_t queries =
	    dns_counts_queries(daemon->dns_counts, daemon->n_workers);

	json_uint(&call->json, "queries", queries);
	json_double(&call->json, "queries_per_second",
	    dns_rate_of(
		&daemon->dns_rate, control_now(call->control), queries));
}

static void zones_step(struct ctl_call *call)
{
	const struct plan *plan = control_plan(call->control);
	uint32_t rows = 0;
	bool failed;

	if (!call->plan_number && !has_dns(call))
		return;
	(void)ctl_same_plan(call, "zones", &failed);
	if (failed)
		return;
	for (; plan->dns && call->pool < plan->conf->dns.n_zones;
	     call->pool++) {
		if (rows++ == CTL_STEP_ROWS) {
			ctl_continue(call, zones_step);
			return;
		}
		put_zone(call, plan, call->pool);
	}
	json_array_end(&call->json);
	put_queries(call);
	ctl_end(call);
}

/* -- what was counted -------------------------------------------------- */

static void put_rows(struct json *j, const char *key,
    const struct counter *counters, unsigned n, const char *(*name)(unsigned))
{
	json_object_begin(j, key);
	for (unsigned i = 0; i < n; i++)
		json_uint(j, name(i), counter_read(&counters[i]));
	json_object_end(j);
}

static void put_shares(struct json *j, const struct dns_counts *sum)
{
	uint32_t n = dns_shares_count();

	json_array_begin(j, "resources");
	for (uint32_t i = 0; i <= n; i++) {
		uint32_t row = i < n ? i : DNS_SHARES_OTHER;
		uint64_t answers = counter_read(&sum->shares[row]);
		struct dns_share share = dns_shares_at(row);

		if (!answers)
			continue;
		json_object_begin(j, NULL);
		json_string(j, "zone", share.zone);
		json_string(j, "resource", share.resource);
		json_string(j, "pop", share.pop);
		json_uint(j, "answers", answers);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_stats(struct json *j, const struct dns_counts *sum)
{
	const struct dns_metrics *m = &sum->answers;

	json_object_begin(j, "answers");
#define X(name, help) json_uint(j, #name, counter_read(&m->name));
	DNS_METRIC_LIST(X)
#undef X
	json_object_end(j);
	json_object_begin(j, "sockets");
#define X(name, help) json_uint(j, #name, counter_read(&sum->sockets.name));
	DNS_SERVER_METRIC_LIST(X)
#undef X
	json_uint(j, "tcp_open", counter_read(&sum->sockets.tcp_open));
	json_object_end(j);
	put_rows(j, "types", m->types, DNS_N_TYPES, dns_type_name);
	put_rows(j, "rcodes", m->rcodes, DNS_N_RCODES, dns_rcode_name);
	put_rows(j, "kinds", m->kinds, DNS_N_KINDS, dns_kind_name);
	put_rows(j, "cookies", m->cookies, DNS_N_COOKIES, dns_cookie_name);
	put_rows(j, "drops", m->drops, DNS_N_DROPS, dns_drop_name);
	put_shares(j, sum);
}

static void stats(struct ctl_call *call)
{
	const struct daemon *daemon = control_daemon(call->control);
	struct dns_counts *sum = malloc(sizeof *sum);

	if (!sum)
		br_out_of_memory("DNS", sizeof *sum);
	dns_counts_sum(daemon->dns_counts, daemon->n_workers, sum);
	ctl_begin(call);
	put_stats(&call->json, sum);
	ctl_end(call);
	free(sum);
}

/* -- reload of one zone ------------------------------------------------ */

static void on_reloaded(
    void *context, bool accepted, const char *const *lines, uint32_t n_lines)
{
	struct ctl_call *call = context;
	const char *name = ctl_argument(call, 1);
	struct json *j = &call->json;
	char text[CTL_ARGUMENT_MAX + 64];

	call->on_abandon = NULL;
	if (accepted) {
		ctl_begin(call);
	} else {
		(void)snprintf(text, sizeof text,
		    "zone %s is refused, the old one stays", name);
		ctl_begin_error(call, CTL_CONFIG, text);
	}
	json_bool(j, "accepted", accepted);
	json_string(j, "zone", name);
	json_array_begin(j, "lines");
	for (uint32_t i = 0; i < n_lines; i++)
		json_string(j, NULL, lines[i]);
	json_array_end(j);
	ctl_end(call);
}

static void on_reload_abandoned(struct ctl_call *call)
{
	dns_refresh_forget(call->control, call);
}

static void reload_step(struct ctl_call *call)
{
	uint32_t number;

	call->on_abandon = NULL;
	/* A reload that was waited for may have taken it away. */
	if (!has_dns(call) || !ctl_find_zone(call, &number))
		return;
	if (!dns_refresh_zone(call->control, number, on_reloaded, call)) {
		call->on_abandon = on_reload_abandoned;
		return;
	}
	if (call->restarts++ == ZONE_WAITS_MAX) {
		ctl_fail(call, CTL_TEMPORARY,
		    "no reload of a zone now: another is under way, or the "
		    "process is ending");
		return;
	}
	call->step = reload_step;
	timer_arm(control_wheel(call->control), &call->timer,
	    mono_add_ns(control_now(call->control), ZONE_WAIT_STEP_NS));
}

/* -- which of them ----------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t min, max; /* arguments, its own name included */
	bool needs_dns;
	void (*run)(struct ctl_call *call);
} subcommands[] = {
    {"stats", 1, 1, false, stats},
    {"explain", 2, 5, true, ctl_dns_explain},
    {"reload", 2, 2, true, reload_step},
    {"dump", 2, 2, true, ctl_dns_dump},
};

void ctl_dns(struct ctl_call *call)
{
	const char *name = ctl_argument(call, 0);
	uint32_t n = call->request.n_arguments;

	if (!name) {
		zones_step(call);
		return;
	}
	for (size_t i = 0; i < BR_COUNT(subcommands); i++) {
		if (strcmp(subcommands[i].name, name) != 0)
			continue;
		if (n < subcommands[i].min || n > subcommands[i].max)
			ctl_usage(call);
		else if (!subcommands[i].needs_dns || has_dns(call))
			subcommands[i].run(call);
		return;
	}
	ctl_usage(call);
}
