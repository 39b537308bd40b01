/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_room.h"

#include "base/assert.h"
#include "conf/conf.h"
#include "lb/shard_plan.h"

_Static_assert(CONF_SHARDS_MAX == SHARD_LANES_MAX,
    "a transfer has a lane for each shard that a pool may ask for");

bool shard_room_take_flow(struct worker *worker)
{
	struct lb_shared *shared = worker->shared;
	struct shard_metrics *metrics = &worker->metrics->shard;

	if (!shared->limits.sharded_flows ||
	    !shared_take(
		&shared->sharded_flows, shared->limits.sharded_flows)) {
		counter_inc(&metrics->refused[SHARD_LIMIT_flows]);
		return false;
	}
	counter_inc(&metrics->open_flows);
	return true;
}

bool shard_room_has_flow(const struct worker *worker)
{
	const struct lb_shared *shared = worker->shared;

	return shared_read(&shared->sharded_flows) <
	       shared->limits.sharded_flows;
}

void shard_room_force_flow(struct worker *worker)
{
	(void)shared_take(&worker->shared->sharded_flows, 0);
	counter_inc(&worker->metrics->shard.open_flows);
}

void shard_room_give_flow(struct worker *worker)
{
	br_assert(counter_read(&worker->metrics->shard.open_flows));
	counter_sub(&worker->metrics->shard.open_flows, 1);
	shared_give(&worker->shared->sharded_flows);
}

bool shard_room_take_connection(struct worker *worker)
{
	struct lb_shared *shared = worker->shared;
	struct shard_metrics *metrics = &worker->metrics->shard;

	if (!shared->limits.shard_connections ||
	    !shared_take(
		&shared->shard_connections, shared->limits.shard_connections)) {
		counter_inc(&metrics->refused[SHARD_LIMIT_connections]);
		return false;
	}
	counter_inc(&metrics->open_connections);
	return true;
}

void shard_room_give_connection(struct worker *worker)
{
	br_assert(counter_read(&worker->metrics->shard.open_connections));
	counter_sub(&worker->metrics->shard.open_connections, 1);
	shared_give(&worker->shared->shard_connections);
}

bool shard_room_take_kernel(struct worker *worker, uint64_t bytes)
{
	struct lb_shared *shared = worker->shared;
	struct shard_metrics *metrics = &worker->metrics->shard;
	uint64_t before =
	    __atomic_fetch_add(&shared->shard_kernel, bytes, __ATOMIC_RELAXED);

	if (before + bytes <= shared->limits.shard_kernel_bytes) {
		counter_add(&metrics->kernel_bytes, bytes);
		return true;
	}
	__atomic_fetch_sub(&shared->shard_kernel, bytes, __ATOMIC_RELAXED);
	counter_inc(&metrics->refused[SHARD_LIMIT_kernel_bytes]);
	return false;
}

void shard_room_give_kernel(struct worker *worker, uint64_t bytes)
{
	br_assert(counter_read(&worker->metrics->shard.kernel_bytes) >= bytes);
	counter_sub(&worker->metrics->shard.kernel_bytes, bytes);
	__atomic_fetch_sub(
	    &worker->shared->shard_kernel, bytes, __ATOMIC_RELAXED);
}
