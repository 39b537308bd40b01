/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics_dns.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "daemon/daemon.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "daemon/metrics_table.h"
#include "dnsd/policy.h"
#include "dnsd/resource.h"
#include "dnsd/zone.h"

/* -- reading ----------------------------------------------------------- */

static void *rows_of(uint32_t n, size_t bytes)
{
	void *rows = calloc(n + 1, bytes);

	if (!rows)
		br_out_of_memory("metrics", n * bytes);
	return rows;
}

static const char *zone_name(struct metrics_dns *dns, const uint8_t *apex)
{
	char text[DNAME_TEXT_MAX];

	return arena_strdup(dns->arena, dns_shares_zone(apex, text));
}

static void read_zones(struct metrics_dns *dns, const struct dns_store *store)
{
	uint32_t n = dns_store_count(store);

	dns->n_zones = n;
	dns->n_shown = n < METRICS_DNS_ROWS_MAX ? n : METRICS_DNS_ROWS_MAX;
	dns->zones = rows_of(dns->n_shown, sizeof *dns->zones);
	for (uint32_t i = 0; i < dns->n_shown; i++) {
		const struct zone *zone = dns_store_zone(store, i);

		dns->zones[i] = (struct metrics_dns_zone){
		    .name = zone_name(dns, zone_apex(zone)),
		    .serial = zone_serial(zone),
		    .names = zone_n_nodes(zone),
		    .bytes = zone_bytes(zone),
		    .loaded_seconds =
			(double)dns_store_loaded_at(store, i).ns / 1e9,
		};
	}
}

/* What one resource's weights are looked up with. */
struct weighed {
	struct metrics_dns *dns;
	const struct conf *conf;
	const struct conf_resource *resource;
	const char *zone;
	uint64_t id;
	const struct policy *policy;
	struct wall now;
};

static void add_weights(
    const struct weighed *w, const struct policy_found *found, uint32_t region)
{
	struct metrics_dns *dns = w->dns;
	const struct conf_resource *r = w->resource;
	double total = 0;

	/* The policy may be a moment older than the plan. */
	if (found->weights && found->weights->n != r->n_pops)
		return;
	for (uint32_t i = 0; i < r->n_pops; i++)
		total += found->weights ? found->weights->pop[i].weight
					: r->weights[i];
	for (uint32_t i = 0; i < r->n_pops; i++) {
		double weight = found->weights ? found->weights->pop[i].weight
					       : r->weights[i];

		if (dns->n_weights == METRICS_DNS_ROWS_MAX)
			return;
		dns->weights[dns->n_weights++] = (struct metrics_dns_weight){
		    .zone = w->zone,
		    .resource = arena_strdup(dns->arena, r->name),
		    .pop = arena_strdup(
			dns->arena, w->conf->pops[r->pops[i]].name),
		    .region = region == REGION_NONE
				  ? ""
				  : arena_strdup(dns->arena,
					w->conf->regions[region].name),
		    .share = total > 0 ? weight / total : 0,
		};
	}
}

static void read_resource(const struct weighed *w)
{
	struct policy_found found =
	    policy_find(w->policy, w->id, REGION_NONE, w->now);

	add_weights(w, &found, REGION_NONE);
	for (uint32_t i = 0; found.regional && i < w->conf->n_regions; i++) {
		struct policy_found there =
		    policy_find(w->policy, w->id, i, w->now);

		if (w->dns->n_weights == METRICS_DNS_ROWS_MAX)
			return;
		add_weights(w, &there, i);
	}
}

static void read_weights(struct metrics_dns *dns, const struct plan *plan,
    const struct policy *policy)
{
	const struct conf *conf = plan->conf;
	struct weighed w = {
	    .dns = dns, .conf = conf, .policy = policy, .now = wall_now()};

	dns->weights = rows_of(METRICS_DNS_ROWS_MAX, sizeof *dns->weights);
	for (uint32_t i = 0; i < conf->dns.n_zones; i++) {
		const struct conf_zone *zone = &conf->dns.zones[i];
		uint8_t owner[DNAME_MAX];

		if (!zone->n_resources ||
		    resource_owner_of(zone->name, "@", owner))
			continue;
		w.zone = zone_name(dns, owner);
		for (uint32_t j = 0; j < zone->n_resources; j++) {
			w.resource = &zone->resources[j];
			if (dns->n_weights == METRICS_DNS_ROWS_MAX)
				return;
			if (resource_owner_of(
				zone->name, w.resource->name, owner))
				continue;
			w.id = resource_id(owner);
			read_resource(&w);
		}
	}
}

static void read_published(
    struct metrics_dns *dns, struct daemon *daemon, const struct plan *plan)
{
	struct snapshot_reader *reader = snapshot_reader_new(daemon->dns);
	const struct dns_published *now;

	if (!reader)
		br_out_of_memory("metrics", 1);
	now = snapshot_enter(reader);
	if (now && now->store) {
		dns->epoch = now->epoch;
		read_zones(dns, now->store);
		if (plan)
			read_weights(dns, plan, now->policy);
	}
	snapshot_leave(reader);
	snapshot_reader_free(reader);
}

void metrics_dns_read(
    struct metrics_dns *ret, struct daemon *daemon, const struct plan *plan)
{
	*ret = (struct metrics_dns){.arena = arena_new()};
	ret->sum = rows_of(0, sizeof *ret->sum);
	if (daemon->dns_counts)
		dns_counts_sum(daemon->dns_counts, daemon->n_workers, ret->sum);
	if (daemon->dns)
		read_published(ret, daemon, plan);
}

void metrics_dns_fini(struct metrics_dns *dns)
{
	arena_free(dns->arena);
	free(dns->sum);
	free(dns->zones);
	free(dns->weights);
}

/* -- printing ---------------------------------------------------------- */

static void family(struct metrics_writer *w, enum metric_id id)
{
	metrics_family(w, &metrics_families[id]);
}

static void print_group(struct metrics_writer *w,
    const struct metric_group *group, const void *counters)
{
	struct metric_family f;

	for (uint32_t field = 0; field < group->n_fields; field++) {
		metric_group_family(group, field, &f);
		metrics_family(w, &f);
		metrics_uint(
		    w, NULL, 0, metric_field_read(group, field, counters));
	}
}

static void print_rows(struct metrics_writer *w, enum metric_id id,
    const char *label, const struct counter *counters, unsigned first,
    unsigned n, const char *(*name)(unsigned))
{
	family(w, id);
	for (unsigned i = first; i < n; i++) {
		struct metric_label l = {label, name(i)};

		metrics_uint(w, &l, 1, counter_read(&counters[i]));
	}
}

static void print_counts(struct metrics_writer *w, const struct dns_counts *sum)
{
	const struct dns_metrics *m = &sum->answers;

	print_group(w, &metrics_dns_answers, m);
	print_rows(w, METRIC_ID_D_TYPES, "type", m->types, 0, DNS_N_TYPES,
	    dns_type_name);
	print_rows(w, METRIC_ID_D_RCODES, "rcode", m->rcodes, 0, DNS_N_RCODES,
	    dns_rcode_name);
	print_rows(w, METRIC_ID_D_KINDS, "kind", m->kinds, 0, DNS_N_KINDS,
	    dns_kind_name);
	print_rows(w, METRIC_ID_D_COOKIES, "cookie", m->cookies, 0,
	    DNS_N_COOKIES, dns_cookie_name);
	/* The first is none. */
	print_rows(w, METRIC_ID_D_DROPS, "cause", m->drops, 1, DNS_N_DROPS,
	    dns_drop_name);
	print_group(w, &metrics_dns_sockets, &sum->sockets);
}

static void print_share(
    struct metrics_writer *w, const struct dns_counts *sum, uint32_t row)
{
	struct dns_share share = dns_shares_at(row);
	struct metric_label labels[3] = {{"zone", share.zone},
	    {"resource", share.resource}, {"pop", share.pop}};

	metrics_uint(w, labels, 3, counter_read(&sum->shares[row]));
}

static void print_shares(struct metrics_writer *w, const struct dns_counts *sum)
{
	uint32_t n = dns_shares_count();

	family(w, METRIC_ID_D_ANSWERS);
	for (uint32_t i = 0; i < n; i++)
		print_share(w, sum, i);
	if (counter_read(&sum->shares[DNS_SHARES_OTHER]))
		print_share(w, sum, DNS_SHARES_OTHER);
}

static void print_weights(
    struct metrics_writer *w, const struct metrics_dns *dns)
{
	family(w, METRIC_ID_D_WEIGHT);
	for (uint32_t i = 0; i < dns->n_weights; i++) {
		const struct metrics_dns_weight *row = &dns->weights[i];
		struct metric_label labels[4] = {{"zone", row->zone},
		    {"resource", row->resource}, {"pop", row->pop},
		    {"region", row->region}};

		metrics_double(w, labels, 4, row->share);
	}
}

static void print_zone_gauge(struct metrics_writer *w, enum metric_id id,
    const struct metric_label *label, const struct metrics_dns_zone *zone)
{
	switch (id) {
	case METRIC_ID_D_SERIAL:
		metrics_uint(w, label, 1, zone->serial);
		break;
	case METRIC_ID_D_NAMES:
		metrics_uint(w, label, 1, zone->names);
		break;
	case METRIC_ID_D_BYTES:
		metrics_uint(w, label, 1, zone->bytes);
		break;
	default:
		br_assert(id == METRIC_ID_D_LOADED);
		metrics_double(w, label, 1, zone->loaded_seconds);
		break;
	}
}

static void print_zones(struct metrics_writer *w, const struct metrics_dns *dns)
{
	for (enum metric_id id = METRIC_ID_D_SERIAL; id <= METRIC_ID_D_LOADED;
	     id++) {
		family(w, id);
		for (uint32_t i = 0; i < dns->n_shown; i++) {
			struct metric_label label = {
			    "zone", dns->zones[i].name};

			print_zone_gauge(w, id, &label, &dns->zones[i]);
		}
	}
}

void metrics_dns_print(struct metrics_writer *w, const struct metrics_dns *dns)
{
	family(w, METRIC_ID_D_ZONES);
	metrics_uint(w, NULL, 0, dns->n_zones);
	family(w, METRIC_ID_D_EPOCH);
	metrics_uint(w, NULL, 0, dns->epoch);
	family(w, METRIC_ID_D_TCP);
	metrics_uint(w, NULL, 0, counter_read(&dns->sum->sockets.tcp_open));
	print_zones(w, dns);
	print_weights(w, dns);
	print_shares(w, dns->sum);
	print_counts(w, dns->sum);
}
