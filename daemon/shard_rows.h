/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A worker's sharded flows for an operator: rows of `braidctl shards`.
 *
 * Thread:  shard_rows_fill(): the worker.
 * Memory:  copies; the servers of `view` are not to be followed, their names
 *          stand in `servers`.
 * Limits:  SHARD_LISTING_ROWS rows and SHARD_LISTING_LOOKS flows a call, and
 *          as in flow_rows.h flows before are passed over by walking. A worker
 *          without sharded flows is not walked at all.
 */
#include "daemon/daemon.h"
#include "lb/shard_view.h"

#define SHARD_LISTING_ROWS 16u
#define SHARD_LISTING_LOOKS 4096u

struct shard_row {
	uint64_t id;
	struct flow_client client;
	char listener_name[CONF_NAME_MAX + 1], pool[CONF_NAME_MAX + 1];
	int64_t age_ns; /* of the flow */
	struct shard_view view;
	char servers[SHARD_LANES_MAX][CONF_INSTANCE_MAX + 1];
};

struct shard_listing {
	struct listing base;
	struct shard_row rows[SHARD_LISTING_ROWS];
};

/* listing.fill of a struct shard_listing. */
void shard_rows_fill(const struct worker *worker, struct listing *listing);
