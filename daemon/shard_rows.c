/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/shard_rows.h"

#include "lb/flow_steps.h"
#include "lb/listener.h"
#include "lb/shard_flow.h"

#include <stdio.h>

/* False: the flow is not sharded now. */
static bool fill_row(struct shard_row *row, struct flow *flow, struct mono now)
{
	if (!shard_describe(flow, &row->view))
		return false;
	row->id = flow->id;
	(void)snprintf(row->listener_name, sizeof row->listener_name, "%s",
	    flow->listener->name);
	(void)snprintf(
	    row->pool, sizeof row->pool, "%s", flow->upstream->pool->name);
	/* Nothing else has asked for it. */
	if (!flow->client.family)
		flow_note_client(flow);
	row->client = flow->client;
	row->age_ns = mono_diff_ns(now, flow->accepted_at);
	for (uint32_t i = 0; i < row->view.n_lanes; i++) {
		const struct server *server = row->view.lanes[i].server;

		(void)snprintf(row->servers[i], sizeof row->servers[i], "%s",
		    server ? server->instance : "");
		row->view.lanes[i].server = NULL;
	}
	return true;
}

void shard_rows_fill(const struct worker *worker, struct listing *base)
{
	struct shard_listing *listing =
	    br_container_of(base, struct shard_listing, base);
	uint64_t sharded = counter_read(&worker->metrics->shard.open_flows);
	uint32_t looks = 0;

	base->n = 0;
	base->complete = true;
	if (!sharded)
		return;
	LIST_FOREACH (node, &worker->flows) {
		struct flow *flow = br_container_of(node, struct flow, link);

		if (flow->id <= base->after && base->after)
			continue;
		if (base->n == SHARD_LISTING_ROWS ||
		    looks++ == SHARD_LISTING_LOOKS) {
			base->complete = false;
			break;
		}
		base->last = flow->id;
		if (fill_row(&listing->rows[base->n], flow, worker_now(worker)))
			base->n++;
	}
}
