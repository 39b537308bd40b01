/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_log.h"

#include "base/assert.h"
#include "base/error.h"
#include "io/sock.h"
#include "lb/flow_profile.h"
#include "lb/listener.h"
#include "lb/side.h"
#include "lb/worker.h"

#include <stdlib.h>
#include <string.h>

bool flow_log_take(struct record_queue *log, struct flow_record *ret)
{
	const struct flow_record *next = flow_log_peek(log);

	if (!next)
		return false;
	*ret = *next;
	record_queue_drop(log);
	return true;
}

/* From one moment of the flow to a later one; -1 when it did not come. */
static int64_t flow_phase_ns(struct mono from, struct mono to)
{
	return from.ns && to.ns ? mono_diff_ns(to, from) : -1;
}

/* Where the client wanted to go: not always to an address of ours. */
static void flow_record_wanted(struct flow_client *ret, const struct flow *flow)
{
	struct addr addr;

	if (!flow->listener->transparent)
		return;
	if (flow->side && flow->side->destination.family)
		*ret = flow->side->destination;
	else if (!sock_local(flow->client_fd, &addr))
		flow_client_set(ret, &addr);
}

/* Names come from anybody: what could be mistaken for something else in a log
 * is left out of them. */
static void flow_name_copy(char *ret, size_t max, const char *name)
{
	static const char other[] = "-._:*/";
	size_t n = 0;

	for (; name[n] && n < max; n++) {
		char c = name[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr(other, c);

		ret[n] = plain ? c : '?';
	}
	ret[n] = '\0';
}

static void flow_record_side(struct flow_record *ret, const struct flow *flow)
{
	const struct side *side = flow->side;

	ret->routed = flow->listener->n_routes && flow->upstream;
	ret->route = side->route;
	ret->cause = side->cause;
	ret->proxy = side->proxy;
	if (side->client_shaken) {
		struct tls_facts facts;

		tls_session_facts(&side->client, &facts);
		ret->tls = facts.version;
	}
	flow_name_copy(ret->sni, FLOW_RECORD_SNI_MAX, side->name);
	flow_name_copy(ret->alpn, FLOW_RECORD_ALPN_MAX, side->alpn);
}

static void flow_record_times(struct flow_record *ret, const struct flow *flow)
{
	ret->ended_at = wall_now();
	ret->queue_ns = flow_phase_ns(flow->accepted_at, flow->chosen_at);
	ret->connect_ns = flow_phase_ns(flow->chosen_at, flow->connected_at);
	ret->first_byte_ns =
	    flow_phase_ns(flow->connected_at, flow->first_byte_at);
	ret->total_ns =
	    mono_diff_ns(worker_now(flow->worker), flow->accepted_at);
}

static void flow_record_profile(
    struct flow_record *ret, const struct profile *profile)
{
	ret->profiled = true;
	ret->pinned = profile->pinned;
	ret->class = profile->class;
	ret->first_class = profile->first_class;
	ret->checkpoint = profile->checkpoint;
	ret->confidence = profile->confidence;
}

void flow_record_fill(struct flow_record *ret, const struct flow *flow)
{
	/* Names are terminated, not wiped: what lies behind is not touched. */
	memset(ret, 0, offsetof(struct flow_record, alpn));
	ret->alpn[0] = ret->sni[0] = ret->method[0] = ret->target[0] = '\0';
	ret->id = flow->id;
	ret->listener = flow->listener;
	ret->pool = flow->upstream ? flow->upstream->pool : NULL;
	ret->server = flow->last_server;
	ret->client = flow->client;
	ret->worker = flow->worker->index;
	ret->error = flow->error;
	ret->end_by = flow->end_by;
	ret->end_phase = flow->end_phase;
	ret->retries = flow->retries;
	ret->n_failed = flow->n_failed;
	memcpy(ret->failed, flow->tried, sizeof ret->failed);
	ret->spliced_up = flow->up.spliced;
	ret->spliced_down = flow->down.spliced;
	ret->bytes_up = flow->up.bytes;
	ret->bytes_down = flow->down.bytes;
	flow_record_times(ret, flow);
	flow_record_wanted(&ret->wanted, flow);
	if (flow->profile)
		flow_record_profile(ret, &flow->profile->profile);
	if (flow->side)
		flow_record_side(ret, flow);
}

/* Visible ASCII passes, so that a target can be looked for as it was asked; a
 * blank or what a shell or a reader of logs may stumble over does not. */
static void flow_request_copy(
    char *ret, size_t max, const char *text, size_t length)
{
	size_t n = length < max ? length : max;

	for (size_t i = 0; i < n; i++)
		ret[i] = text[i] > ' ' && text[i] < 0x7f && text[i] != '"' &&
				 text[i] != '\\'
			     ? text[i]
			     : '?';
	ret[n] = '\0';
}

/* The first request waited for its server as the flow did. Later ones have one
 * already, unless it was lost. */
static void flow_request_times(struct flow_record *ret, const struct flow *flow,
    const struct flow_request *request)
{
	if (request->number > 1) {
		bool chosen =
		    mono_diff_ns(flow->chosen_at, request->begun_at) >= 0;

		if (!chosen)
			ret->connect_ns = -1;
		ret->queue_ns =
		    chosen ? flow_phase_ns(request->begun_at, flow->chosen_at)
			   : -1;
	}
	ret->first_byte_ns =
	    flow_phase_ns(request->sent_at, request->answered_at);
	ret->total_ns =
	    mono_diff_ns(worker_now(flow->worker), request->begun_at);
}

void flow_record_add_request(struct flow_record *ret, const struct flow *flow,
    const struct flow_request *request)
{
	br_assert(request->number && request->begun_at.ns);
	ret->request = request->number;
	ret->status = request->status;
	ret->shards = request->shards;
	ret->pieces = request->pieces;
	ret->migrations = request->migrations;
	/* Of what is small, or an error, nobody wonders. */
	if (!request->shards && request->bytes_down >= SHARD_SURVIVES_BYTES &&
	    (request->status == 200 || request->status == 206))
		ret->bar = (uint8_t)request->bar;
	ret->bytes_up = request->bytes_up;
	ret->bytes_down = request->bytes_down;
	flow_request_times(ret, flow, request);
	flow_request_copy(ret->method, FLOW_RECORD_METHOD_MAX, request->method,
	    request->method_bytes);
	flow_request_copy(ret->target, FLOW_RECORD_TARGET_MAX, request->target,
	    request->target_bytes);
}
