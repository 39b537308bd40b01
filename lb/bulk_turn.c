/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/bulk_turn.h"

#include "lb/direction.h"
#include "lb/flow.h"
#include "lb/flow_profile.h"
#include "lb/worker.h"

bool bulk_takes_turns(const struct worker *worker)
{
	return worker->profiling && worker->profiling->acts;
}

static bool bulk_is_calm(const struct worker *worker)
{
	return worker_now(worker).ns - worker->small_at.ns > BULK_CALM_NS;
}

static uint32_t bulk_turn_bytes(const struct worker *worker)
{
	return bulk_is_calm(worker) ? worker->bulk_turn_bytes * BULK_CALM_FACTOR
				    : worker->bulk_turn_bytes;
}

uint32_t bulk_step_bytes(const struct worker *worker)
{
	if (!bulk_takes_turns(worker))
		return UINT32_MAX;
	if (bulk_is_calm(worker) || worker->bulk_turn_bytes < BULK_STEP_BYTES)
		return bulk_turn_bytes(worker);
	return BULK_STEP_BYTES;
}

void bulk_queue(struct worker *worker, struct direction *d)
{
	if (!list_linked(&d->wait_link))
		list_push_back(&worker->bulk_waiting, &d->wait_link);
}

void bulk_charge(struct worker *worker, uint64_t bytes)
{
	worker->bulk_left -=
	    bytes < worker->bulk_left ? (uint32_t)bytes : worker->bulk_left;
}

void bulk_serve(struct worker *worker)
{
	worker->bulk_left = bulk_turn_bytes(worker);
	if (list_empty(&worker->bulk_waiting))
		return;
	ring_submit(&worker->ring);
	while (worker->bulk_left) {
		struct list_node *node = list_pop_front(&worker->bulk_waiting);
		struct direction *d;
		uint32_t before = worker->bulk_left;

		if (!node)
			return;
		d = br_container_of(node, struct direction, wait_link);
		direction_take_turn(flow_of_direction(d), d);
		if (before - worker->bulk_left < BULK_STEP_LEAST_BYTES)
			bulk_charge(worker, BULK_STEP_LEAST_BYTES);
	}
	if (!list_empty(&worker->bulk_waiting))
		counter_inc(&worker->metrics->bulk_waits);
}
