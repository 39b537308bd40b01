/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/sign.h"

#include "base/assert.h"
#include "dnsd/nsec.h"
#include "dnsd/rr_type.h"
#include "dnsd/rrsig.h"
#include "dnsd/sign_variant.h"
#include "dnsd/zone_builder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* -- time -------------------------------------------------------------- */

static int64_t offset_s(const uint8_t *apex)
{
	return dname_hash(apex, 0) % SIGN_PERIOD_S;
}

uint32_t sign_period(const uint8_t *apex, struct wall now)
{
	int64_t now_s = now.ns / NS_PER_S;

	return (uint32_t)((now_s - offset_s(apex)) / SIGN_PERIOD_S);
}

static int64_t start_s(const uint8_t *apex, uint32_t period)
{
	return (int64_t)period * SIGN_PERIOD_S + offset_s(apex);
}

struct wall sign_due(const uint8_t *apex, struct wall now)
{
	return (struct wall){
	    start_s(apex, sign_period(apex, now) + 1) * NS_PER_S};
}

struct rrsig_window sign_window(
    const uint8_t *apex, const uint8_t *owner, uint16_t type, struct wall now)
{
	int64_t start = start_s(apex, sign_period(apex, now));
	uint32_t jitter = dname_hash(owner, type) % SIGN_JITTER_S;

	return (struct rrsig_window){
	    .inception = (uint32_t)(start - SIGN_SKEW_S),
	    .expiration =
		(uint32_t)(start + SIGN_PERIOD_S + SIGN_LEFT_S + jitter),
	};
}

/* -- what a signed zone has more --------------------------------------- */

struct completing {
	const struct zone *zone;
	const struct sign_options *options;
	struct zone_builder *builder;
	uint32_t left_out; /* records of an earlier signing */
};

static void add_at_apex(const struct completing *completing, uint16_t type,
    const uint8_t *rdata, uint16_t length)
{
	const struct zone *zone = completing->zone;

	zone_builder_add(
	    completing->builder, &(struct dns_record){.owner = zone_apex(zone),
				     .type = type,
				     .ttl = zone_soa(zone)->ttl,
				     .rdata = rdata,
				     .length = length});
}

/* A file that has CDS or CDNSKEY of its own knows better: it is changing its
 * key, or leaving DNSSEC (RFC 8078 section 4). */
static bool has_cds(const struct zone *zone)
{
	const struct zone_node *apex = zone_apex_node(zone);

	return zone_rrset(zone, apex, RR_CDS) ||
	       zone_rrset(zone, apex, RR_CDNSKEY);
}

static void add_keys(const struct completing *completing)
{
	const struct dnskey *key = completing->options->key;
	uint8_t ds[DNSKEY_DS_BYTES];

	add_at_apex(
	    completing, RR_DNSKEY, dnskey_rdata(key), DNSKEY_RDATA_BYTES);
	if (has_cds(completing->zone))
		return;
	dnskey_ds(key, zone_apex(completing->zone), ds);
	add_at_apex(completing, RR_CDS, ds, sizeof ds);
	add_at_apex(
	    completing, RR_CDNSKEY, dnskey_rdata(key), DNSKEY_RDATA_BYTES);
}

static void put_serial(uint8_t *rdata, uint16_t length, uint32_t serial)
{
	uint8_t *at = rdata + length - 20;

	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(serial >> (24 - 8 * i));
}

static void add_soa(
    const struct completing *completing, const struct dns_record *record)
{
	const struct zone *zone = completing->zone;
	uint8_t rdata[2 * DNAME_MAX + 20];
	struct dns_record raised = *record;

	br_assert(record->length <= sizeof rdata);
	memcpy(rdata, record->rdata, record->length);
	put_serial(rdata, record->length,
	    zone_serial(zone) +
		sign_period(zone_apex(zone), completing->options->now));
	raised.rdata = rdata;
	zone_builder_add(completing->builder, &raised);
}

static bool on_record(void *context, const struct dns_record *record)
{
	struct completing *completing = context;

	if (record->type == RR_RRSIG || record->type == RR_NSEC)
		completing->left_out++;
	else if (record->type == RR_SOA)
		add_soa(completing, record);
	else
		zone_builder_add(completing->builder, record);
	return true;
}

static void add_resources(const struct zone *zone, struct zone_builder *builder)
{
	for (uint32_t i = 0; i < zone_n_nodes(zone); i++) {
		const struct zone_node *node = zone_node_at(zone, i);
		const struct zone_dynamic *dynamic = zone_dynamic(zone, node);
		struct zone_resource resource = {.name = "of the zone"};

		if (!dynamic)
			continue;
		resource.owner = zone_node_name(zone, node);
		resource.resource = dynamic->resource;
		resource.alias = dynamic->alias;
		resource.n_types = dynamic->n_types;
		memcpy(resource.types, dynamic->types, sizeof dynamic->types);
		zone_builder_add_resource(builder, &resource);
	}
}

/* -- the chain --------------------------------------------------------- */

/* RFC 4034 section 4 and RFC 4035 section 2.3: each name with authoritative
 * data, and each cut; not glue, not empty non-terminals, and not what only an
 * earlier signing knew. */
static bool is_in_chain(const struct zone *zone, const struct zone_node *node)
{
	const struct rrset *set = NULL;

	if (node->flags & ZONE_NODE_OCCLUDED)
		return false;
	if (node->flags & ZONE_NODE_DYNAMIC)
		return true;
	while ((set = zone_next_rrset(zone, node, set)))
		if (set->type != RR_NSEC)
			return true;
	return false;
}

static void add_types(const struct completing *completing,
    const struct zone_node *node, struct nsec_types *types)
{
	const struct zone *zone = completing->zone;
	const struct zone_dynamic *dynamic = zone_dynamic(zone, node);
	bool is_cut = node->flags & ZONE_NODE_CUT;
	const struct rrset *set = NULL;

	/* At a cut only NS and DS are the parent's (section 2.3). */
	while ((set = zone_next_rrset(zone, node, set)))
		if (!is_cut || set->type == RR_NS || set->type == RR_DS)
			nsec_add(types, set->type);
	for (int i = 0; dynamic && i < dynamic->n_types; i++)
		nsec_add(types, dynamic->types[i]);
	if (node->flags & ZONE_NODE_APEX) {
		nsec_add(types, RR_DNSKEY);
		if (!has_cds(zone)) {
			nsec_add(types, RR_CDS);
			nsec_add(types, RR_CDNSKEY);
		}
	}
	nsec_add(types, RR_RRSIG);
	nsec_add(types, RR_NSEC);
}

/* The TTL is that of negative answers (RFC 9077 section 3). */
static void add_nsec(const struct completing *completing,
    const struct zone_node *node, const struct zone_node *next)
{
	const struct zone *zone = completing->zone;
	struct nsec_types types = {0};
	uint8_t rdata[NSEC_RDATA_MAX];
	size_t length;

	add_types(completing, node, &types);
	length = nsec_write(&types, zone_node_name(zone, next), rdata);
	zone_builder_add(completing->builder,
	    &(struct dns_record){.owner = zone_node_name(zone, node),
		.type = RR_NSEC,
		.ttl = zone_negative_ttl(zone),
		.rdata = rdata,
		.length = (uint16_t)length});
}

static void add_chain(const struct completing *completing)
{
	const struct zone *zone = completing->zone;
	const struct zone_node *next = zone_apex_node(zone);

	/* Backwards: the last name leads to the apex. */
	for (uint32_t i = zone_n_nodes(zone); i-- > 0;) {
		const struct zone_node *node = zone_node_at(zone, i);

		if (!is_in_chain(zone, node))
			continue;
		add_nsec(completing, node, next);
		next = node;
	}
}

static struct zone *complete(struct zone *zone,
    const struct sign_options *options, struct zone_report *report)
{
	struct zone_report scratch; /* warnings were given before */
	struct completing completing = {.zone = zone, .options = options};
	struct zone *completed;

	zone_report_init(&scratch);
	completing.builder =
	    zone_builder_new(zone_apex(zone), zone_seed(zone), &scratch);
	(void)zone_walk(zone, on_record, &completing);
	add_resources(zone, completing.builder);
	add_keys(&completing);
	add_chain(&completing);
	completed = zone_builder_finish(completing.builder);
	if (completing.left_out)
		zone_report_add(report, ZONE_WARNING, NULL,
		    "%u RRSIG and NSEC of an earlier signing are left out, "
		    "since dnssec.key signs anew",
		    completing.left_out);
	zone_report_take_errors(report, &scratch);
	zone_report_fini(&scratch);
	return completed;
}

/* -- signatures -------------------------------------------------------- */

struct job {
	const struct zone_node *node;
	const struct rrset *set;
};

struct signing {
	const struct zone *zone;
	const struct sign_options *options;
	struct job *jobs;
	uint32_t n_jobs;
	/* RRSIG rdata by job. They are all of one length. */
	uint8_t *rdata;
	uint16_t stride;
};

struct share {
	const struct signing *signing;
	uint32_t from, to;
	pthread_t thread;
};

/* RFC 4035 section 2.2: not the NS of a cut, not glue. */
static bool is_signed(const struct zone_node *node, uint16_t type)
{
	if (node->flags & ZONE_NODE_OCCLUDED)
		return false;
	return !(node->flags & ZONE_NODE_CUT) || type == RR_DS ||
	       type == RR_NSEC;
}

static uint32_t list_jobs(const struct zone *zone, struct job *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < zone_n_nodes(zone); i++) {
		const struct zone_node *node = zone_node_at(zone, i);
		const struct rrset *set = NULL;

		while ((set = zone_next_rrset(zone, node, set))) {
			if (!is_signed(node, set->type))
				continue;
			if (ret)
				ret[n] = (struct job){node, set};
			n++;
		}
	}
	return n;
}

static void sign_job(
    const struct signing *signing, struct rrsig_maker *maker, uint32_t index)
{
	const struct zone *zone = signing->zone;
	const struct job *job = &signing->jobs[index];
	const uint8_t *owner = zone_node_name(zone, job->node);
	const uint8_t *at = rrset_records(job->set);
	struct rrsig_window window = sign_window(
	    zone_apex(zone), owner, job->set->type, signing->options->now);
	uint8_t rdata[RRSIG_RDATA_MAX];
	uint16_t length;

	rrsig_begin(maker, owner, job->set->type, job->set->ttl, &window);
	for (uint32_t i = 0; i < job->set->n; i++) {
		struct answer_record record = rrset_take(&at);

		rrsig_record(maker, record.rdata, record.length);
	}
	length = rrsig_end(maker, rdata);
	br_assert(length == signing->stride);
	memcpy(signing->rdata + (size_t)index * length, rdata, length);
}

static void *sign_share(void *context)
{
	const struct share *share = context;
	const struct signing *signing = share->signing;
	struct rrsig_maker maker;

	rrsig_init(&maker, signing->options->key, zone_apex(signing->zone));
	for (uint32_t i = share->from; i < share->to; i++)
		sign_job(signing, &maker, i);
	rrsig_fini(&maker);
	return NULL;
}

/* A thread that cannot be started leaves its share to this one. */
static void sign_jobs(const struct signing *signing)
{
	struct share shares[SIGN_THREADS_MAX];
	uint32_t n = signing->options->threads;
	bool started[SIGN_THREADS_MAX] = {false};

	if (n > SIGN_THREADS_MAX)
		n = SIGN_THREADS_MAX;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t jobs = signing->n_jobs;

		shares[i] = (struct share){.signing = signing,
		    .from = (uint32_t)(jobs * i / n),
		    .to = (uint32_t)(jobs * (i + 1) / n)};
		if (i)
			started[i] = !pthread_create(
			    &shares[i].thread, NULL, sign_share, &shares[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		if (!started[i])
			(void)sign_share(&shares[i]);
	for (uint32_t i = 0; i < n; i++)
		if (started[i])
			br_assert(!pthread_join(shares[i].thread, NULL));
}

static void *allocate(size_t count, size_t bytes)
{
	void *memory = calloc(count, bytes);

	if (!memory)
		br_out_of_memory("signatures", count * bytes);
	return memory;
}

/* -- together ---------------------------------------------------------- */

static bool copy_record(void *context, const struct dns_record *record)
{
	zone_builder_add(context, record);
	return true;
}

static void add_signatures(
    const struct signing *signing, struct zone_builder *builder)
{
	for (uint32_t i = 0; i < signing->n_jobs; i++) {
		const struct job *job = &signing->jobs[i];

		zone_builder_add(builder,
		    &(struct dns_record){
			.owner = zone_node_name(signing->zone, job->node),
			.type = RR_RRSIG,
			.ttl = job->set->ttl,
			.rdata = signing->rdata + (size_t)i * signing->stride,
			.length = signing->stride});
	}
}

static void add_variants(
    const struct signing *signing, struct zone_builder *builder)
{
	const struct zone *zone = signing->zone;

	for (uint32_t i = 0; i < zone_n_nodes(zone); i++)
		if (zone_node_at(zone, i)->flags & ZONE_NODE_DYNAMIC)
			sign_variant_all(zone, zone_node_at(zone, i),
			    signing->options, builder);
}

static struct zone *attach(const struct signing *signing, struct zone *from,
    struct zone_report *report)
{
	const struct zone *zone = signing->zone;
	struct zone_report scratch;
	struct zone_builder *builder;
	struct zone *done;

	zone_report_init(&scratch);
	builder = zone_builder_new(zone_apex(zone), zone_seed(zone), &scratch);
	(void)zone_walk(zone, copy_record, builder);
	add_resources(zone, builder);
	add_signatures(signing, builder);
	add_variants(signing, builder);
	zone_builder_keep_zone(builder, from);
	done = zone_builder_finish(builder);
	zone_report_take_errors(report, &scratch);
	zone_report_fini(&scratch);
	return done;
}

struct zone *sign_zone(struct zone *zone, const struct sign_options *options,
    struct zone_report *report)
{
	struct signing signing = {.options = options};
	struct zone *completed, *done;

	if (zone_base(zone))
		zone = zone_base(zone);
	completed = complete(zone, options, report);
	if (!completed)
		return NULL;
	signing.zone = completed;
	signing.n_jobs = list_jobs(completed, NULL);
	signing.jobs = allocate(signing.n_jobs, sizeof *signing.jobs);
	(void)list_jobs(completed, signing.jobs);
	signing.stride = (uint16_t)(18 + dname_size(zone_apex(zone)) +
				    DNSKEY_SIGNATURE_BYTES);
	signing.rdata = allocate(signing.n_jobs, signing.stride);
	sign_jobs(&signing);
	done = attach(&signing, zone, report);
	free(signing.jobs);
	free(signing.rdata);
	zone_unref(completed);
	return done;
}
