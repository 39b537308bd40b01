/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_profile.h"

#include "base/hash.h"
#include "base/record_queue.h"
#include "fleet/pool.h"
#include "io/sock.h"
#include "lb/bulk_turn.h"
#include "lb/flow_steps.h"
#include "lb/listener.h"
#include "lb/side.h"
#include "lb/worker.h"
#include "profiler/hints.h"
#include "profiler/record.h"

#include <stdio.h>
#include <string.h>

/* TCP_INFO costs a call: asked where a verdict decides about much. */
#define PROFILE_SOCKET_BYTES (16u << 10)

static bool profile_begin(struct flow *flow)
{
	struct worker *worker = flow->worker;
	const struct profiling *profiling = worker->profiling;
	struct flow_profile *own;

	if (!profiling || flow->unprofiled)
		return false;
	/* Not from the middle of its life: it would be told wrong, and recorded
	 * so. */
	own = flow->up.bytes || flow->down.bytes
		  ? NULL
		  : slab_new(&worker->profile_slab);
	if (!own) {
		flow->unprofiled = true;
		return false;
	}
	flow->profile = own;
	own->recorded = NULL;
	own->kept = NULL;
	own->rule = bulk_rules[CONF_SPLICE_AUTO];
	/* The operator's word goes before any verdict. */
	if (flow->upstream->pool->splice == CONF_SPLICE_AUTO)
		flow->bulk_rule = &own->rule;
	own->unsent_bytes = 0;
	own->paced = own->outgrew_pace = own->advised = false;
	profile_start(&own->profile, flow->connected_at);
	/* Asked for at the accept only where something else needs it, such as
	 * the access log. */
	if (!flow->client.family)
		flow_note_client(flow);
	features_set_ends(&own->profile.features, flow->client.family,
	    flow->client.ip, flow->client.port, flow->listener->port);
	if (profiling->record_share &&
	    !rng_below(&worker->rng, profiling->record_share))
		own->recorded = slab_new(&worker->recorded_slab);
	if (own->recorded)
		own->recorded->n = 0;
	return true;
}

static uint32_t profile_duration_ms(const struct features *features)
{
	int64_t ms = (features->last_ns - features->began_ns) / NS_PER_MS;

	if (ms < 0)
		return 0;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* -- acting on it ------------------------------------------------------ */

/* 0: none. */
static void profile_set_pace(
    struct flow *flow, uint64_t rate_bps, struct mono now)
{
	struct flow_profile *own = flow->profile;

	own->paced = rate_bps != 0;
	pace_start(&own->pace, rate_bps, own->profile.features.bytes[1], now);
	(void)sock_set_pacing(flow->client_fd, rate_bps);
}

static void profile_limit_unsent(struct flow *flow, uint32_t bytes)
{
	struct flow_profile *own = flow->profile;

	if (bytes == own->unsent_bytes)
		return;
	own->unsent_bytes = bytes;
	(void)sock_set_unsent(flow->client_fd, bytes);
}

static void profile_act(struct flow *flow, struct mono now)
{
	struct flow_profile *own = flow->profile;
	struct profile_advice advice;

	profile_advise(&own->profile, &advice);
	own->rule.counter = advice.counter;
	own->advised = true;
	profile_limit_unsent(flow, advice.unsent_bytes);
	if ((advice.pacing_bps || own->paced) && !own->outgrew_pace)
		profile_set_pace(flow, advice.pacing_bps, now);
}

/* As if there had been no advice. */
static void profile_take_back(struct flow *flow, struct mono now)
{
	struct flow_profile *own = flow->profile;

	own->advised = false;
	flow_forget_advice(flow);
	profile_limit_unsent(flow, 0);
	if (own->paced)
		profile_set_pace(flow, 0, now);
}

/* A verdict that was wrong must not hold a transfer down to its end. */
static void profile_look_at_pace(struct flow *flow, struct mono now)
{
	struct flow_profile *own = flow->profile;

	if (!pace_is_in_the_way(
		&own->pace, own->profile.features.bytes[1], now))
		return;
	own->outgrew_pace = true;
	profile_set_pace(flow, 0, now);
}

static void profile_keep_row(
    const struct flow_profile *own, const int32_t vector[N_FEATURES])
{
	struct recorded *recorded = own->recorded;
	struct recorded_row *row;

	if (recorded->n == N_PROFILE_CHECKPOINTS)
		return;
	row = &recorded->rows[recorded->n++];
	row->checkpoint = own->profile.checkpoint;
	row->class = own->profile.class;
	row->confidence = own->profile.confidence;
	memcpy(row->vector, vector, sizeof row->vector);
}

static void profile_look(struct flow *flow, struct mono now)
{
	struct worker *worker = flow->worker;
	struct flow_profile *own = flow->profile;
	const struct features *features = &own->profile.features;
	struct features_socket socket;
	int32_t vector[N_FEATURES];
	bool asks =
	    features->bytes[0] + features->bytes[1] >= PROFILE_SOCKET_BYTES &&
	    !sock_measured(
		flow->client_fd, &socket.rtt_us, &socket.delivery_bps);

	profile_judge(&own->profile, worker->profiling->model, &worker->history,
	    asks ? &socket : NULL, now, vector);
	if (worker->profiling->acts)
		profile_act(flow, now);
	if (own->recorded)
		profile_keep_row(own, vector);
}

/* -- bytes ------------------------------------------------------------- */

/* The kind of flow, once the client has spoken. A name that a handshake or a
 * PROXY header has told counts before the one in the bytes. */
static void profile_set_key(struct flow *flow, const struct hints_name *name)
{
	struct profile *profile = &flow->profile->profile;
	const struct pool *pool = flow->upstream->pool;
	const struct side *side = flow->side;
	bool told = side && side->name_length;

	profile->key = history_key(&flow->worker->history,
	    hash_bytes(pool->name, strlen(pool->name), 0),
	    told ? side->name : name->text,
	    told ? side->name_length : name->length, profile->hints.http_path,
	    flow->client.family, flow->client.ip);
	profile->keyed = true;
}

/* All that one side has said so far. True: more of it may say more. */
static bool profile_read(
    struct flow *flow, bool up, const void *bytes, uint32_t n)
{
	struct features_hints *hints = &flow->profile->profile.hints;
	struct hints_name name;
	bool more;

	if (!up)
		return hints_of_server(hints, bytes, n);
	more = hints_of_client(hints, bytes, n, &name);
	profile_set_key(flow, &name);
	return more;
}

/* Most flows never come here: their first read says all. */
static void profile_keep(
    struct flow *flow, bool up, const void *bytes, uint32_t n)
{
	struct flow_profile *own = flow->profile;

	if (n >= HINTS_KEPT_MAX)
		return;
	if (!own->kept) {
		own->kept = slab_new(&flow->worker->kept_slab);
		if (!own->kept)
			return;
		hints_kept_start(own->kept);
	}
	own->kept->open[!up] = hints_kept_add(own->kept, up, bytes, n);
}

static void profile_drop_kept(struct flow *flow)
{
	struct flow_profile *own = flow->profile;

	if (own->kept)
		slab_free(&flow->worker->kept_slab, own->kept);
	own->kept = NULL;
}

static void profile_read_on(
    struct flow *flow, bool up, const void *bytes, uint32_t n)
{
	struct hints_kept *kept = flow->profile->kept;
	bool *open = &kept->open[!up];

	/* What is spliced leaves a hole. */
	*open = bytes && hints_kept_add(kept, up, bytes, n);
	if (bytes &&
	    !profile_read(flow, up, kept->bytes[!up], kept->length[!up]))
		*open = false;
	if (!kept->open[0] && !kept->open[1])
		profile_drop_kept(flow);
}

/* The first bytes of one side, in as many reads as they take: nothing waits
 * for the rest, but what it says counts from then on. */
static void profile_first(
    struct flow *flow, bool up, const void *bytes, uint32_t n)
{
	const struct profiling *profiling = flow->worker->profiling;
	struct flow_profile *own = flow->profile;
	uint8_t before = own->profile.hints.protocol;
	bool first = !own->profile.features.reads[!up];

	if (!first) {
		if (!own->kept || !own->kept->open[!up])
			return;
		profile_read_on(flow, up, bytes, n);
	} else if (bytes && profile_read(flow, up, bytes, n)) {
		profile_keep(flow, up, bytes, n);
	}
	if (!profiling)
		return;
	/* A reload has no say in what was pinned before. */
	if (first || own->profile.hints.protocol != before)
		profile_pin_by(&own->profile, &profiling->pins);
	if (profiling->acts)
		profile_expect(&own->profile, up, &own->rule.known[!up]);
}

void flow_profile_bytes(
    struct flow *flow, bool up, const void *bytes, uint32_t n)
{
	struct mono now = worker_now(flow->worker);
	const struct profiling *profiling = flow->worker->profiling;
	struct profile *profile;
	uint8_t class;

	if (!flow->profile && !profile_begin(flow))
		return;
	profile = &flow->profile->profile;
	class = profile->class;
	profile_first(flow, up, bytes, n);
	features_on_read(&profile->features, up, n, now);
	if (flow->profile->paced && !up)
		profile_look_at_pace(flow, now);
	/* Switched off by a reload, what is known stays as it is. */
	if (profiling && profile_is_due(profile, now))
		profile_look(flow, now);
	/* Pinned between two verdicts. */
	else if (profiling && profiling->acts && profile->class != class)
		profile_act(flow, now);
	if (flow->profile->advised && !bulk_takes_turns(flow->worker))
		profile_take_back(flow, now);
}

void flow_forget_advice(struct flow *flow)
{
	if (flow->profile)
		flow->profile->rule = bulk_rules[CONF_SPLICE_AUTO];
}

/* -- recording --------------------------------------------------------- */

static void record_fill(struct record_row *row, const struct flow *flow,
    const struct recorded_row *recorded)
{
	const struct features *features = &flow->profile->profile.features;
	const struct profiling *profiling = flow->worker->profiling;
	/* Networks too where it was switched off meanwhile. */
	bool whole_address = profiling && profiling->records_addresses;
	struct mono now = worker_now(flow->worker);

	row->ended_at = wall_now();
	row->flow = flow->id;
	(void)snprintf(
	    row->listener, sizeof row->listener, "%s", flow->listener->name);
	(void)snprintf(
	    row->pool, sizeof row->pool, "%s", flow->upstream->pool->name);
	record_network(
	    flow->client.family, flow->client.ip, whole_address, row->network);
	row->checkpoint = recorded->checkpoint;
	row->class = recorded->class;
	row->confidence = recorded->confidence;
	row->observed = (uint8_t)profile_observed(features, now);
	row->up_bytes = features->bytes[0];
	row->down_bytes = features->bytes[1];
	row->duration_ms = profile_duration_ms(features);
	memcpy(row->vector, recorded->vector, sizeof row->vector);
}

static void profile_record(struct flow *flow)
{
	struct worker *worker = flow->worker;
	const struct recorded *recorded = flow->profile->recorded;

	for (uint32_t i = 0; i < recorded->n; i++) {
		struct record_row *row =
		    worker->records ? record_queue_room(worker->records) : NULL;

		if (!row) {
			counter_inc(&worker->metrics->record_dropped);
			continue;
		}
		record_fill(row, flow, &recorded->rows[i]);
		record_queue_put(worker->records);
	}
}

void flow_profile_end(struct flow *flow)
{
	struct worker *worker = flow->worker;
	struct flow_profile *own = flow->profile;
	const struct features *features;

	if (!own)
		return;
	features = &own->profile.features;
	counter_inc(&worker->metrics->classes[own->profile.class]);
	if (own->profile.keyed)
		history_add(&worker->history, own->profile.key,
		    &(struct history_flow){
			.bytes = features->bytes[0] + features->bytes[1],
			.duration_ms = profile_duration_ms(features),
			.large = profile_was_large(features),
		    },
		    (uint32_t)(worker_now(worker).ns / NS_PER_S));
	if (own->recorded) {
		profile_record(flow);
		slab_free(&worker->recorded_slab, own->recorded);
	}
	flow->bulk_rule = &bulk_rules[CONF_SPLICE_AUTO];
	profile_drop_kept(flow);
	slab_free(&worker->profile_slab, own);
	flow->profile = NULL;
}
