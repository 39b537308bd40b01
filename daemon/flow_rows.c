/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flow_rows.h"

#include "lb/flow_profile.h"
#include "lb/flow_steps.h"
#include "lb/shard_flow.h"
#include "lb/side.h"

#include <stdio.h>
#include <string.h>

static uint32_t parked_bytes(const struct direction *d)
{
	uint32_t bytes = 0;

	for (const struct chunk *c = d->parked_first; c; c = c->next)
		bytes += c->end - c->start;
	return bytes;
}

static void copy_name(char ret[CONF_NAME_MAX + 1], const char *name)
{
	(void)snprintf(ret, CONF_NAME_MAX + 1, "%s", name);
}

static void fill_tls(struct flow_row *row, const struct side *side)
{
	struct tls_facts facts;

	row->tls = NULL;
	(void)snprintf(row->sni, sizeof row->sni, "%.*s",
	    (int)sizeof row->sni - 1, side ? side->name : "");
	if (!side || !side->client_shaken)
		return;
	tls_session_facts(&side->client, &facts);
	row->tls = facts.version;
}

static void fill_class(struct flow_row *row, const struct profile *profile)
{
	row->class = flow_class_name((enum flow_class)profile->class);
	row->class_at = profile_origin_name(
	    profile->pinned, (enum profile_checkpoint)profile->checkpoint);
	row->sure = (uint8_t)(profile->confidence / 100u);
}

static void fill_row(struct flow_row *row, struct flow *flow, struct mono now)
{
	const struct server *server =
	    flow->server ? flow->server : flow->last_server;

	row->id = flow->id;
	copy_name(row->listener_name, flow->listener->name);
	copy_name(row->pool, flow->upstream ? flow->upstream->pool->name : "-");
	(void)snprintf(row->server, sizeof row->server, "%s",
	    server ? server->instance : "");
	/* Nothing else has asked for it. */
	if (!flow->client.family)
		flow_note_client(flow);
	row->client = flow->client;
	fill_tls(row, flow->side);
	row->class = NULL;
	if (flow->profile)
		fill_class(row, &flow->profile->profile);
	row->state = flow->state;
	row->mode_up = flow->up.mode;
	row->mode_down = flow->down.mode;
	row->retries = flow->retries;
	row->age_ns = mono_diff_ns(now, flow->accepted_at);
	row->idle_ns = mono_diff_ns(now, flow->active_at);
	row->bytes_up = flow->up.bytes;
	row->bytes_down = flow->down.bytes;
	row->parked_bytes = parked_bytes(&flow->up) + parked_bytes(&flow->down);
}

void flow_rows_fill(const struct worker *worker, struct listing *base)
{
	struct flow_listing *listing =
	    br_container_of(base, struct flow_listing, base);

	base->n = 0;
	base->complete = true;
	LIST_FOREACH (node, &worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		if (flow->id <= base->after && base->after)
			continue;
		if (base->n == FLOW_LISTING_ROWS) {
			base->complete = false;
			break;
		}
		fill_row(&listing->rows[base->n++], flow, worker_now(worker));
		base->last = flow->id;
	}
}

static bool is_killed(
    const struct server *server, const struct flow_killing *killing)
{
	return strcmp(server->name, killing->server) == 0 ||
	       strcmp(server->instance, killing->server) == 0;
}

/* A download that other servers bring, too, goes on from those. */
static bool has_only_killed(
    const struct flow *flow, const struct flow_killing *killing)
{
	struct shard_view view;

	if (!shard_describe(flow, &view))
		return false;
	for (uint32_t i = 0; i < view.n_lanes; i++)
		if (!view.lanes[i].server ||
		    !is_killed(view.lanes[i].server, killing))
			return false;
	return view.n_lanes > 0;
}

static bool is_wanted(
    const struct flow *flow, const struct flow_killing *killing)
{
	if (flow->state == FLOW_CLOSING)
		return false;
	if (killing->id)
		return flow->id == killing->id;
	if (!flow->upstream ||
	    strcmp(flow->upstream->pool->name, killing->pool) != 0)
		return false;
	return flow->server ? is_killed(flow->server, killing)
			    : has_only_killed(flow, killing);
}

void flow_rows_kill(struct worker *worker, struct flow_killing *killing)
{
	uint32_t n = 0;

	killing->complete = true;
	LIST_FOREACH_SAFE (node, following, &worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		if (!is_wanted(flow, killing))
			continue;
		if (n == FLOW_KILLING_STEP) {
			killing->complete = false;
			break;
		}
		flow_kill(flow, BR_E_KILLED);
		n++;
	}
	killing->killed += n;
	if (n)
		ring_hurry(&worker->ring);
}
