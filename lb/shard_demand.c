/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_demand.h"

#include "base/assert.h"

static uint64_t rate_of(uint64_t bytes, int64_t ns)
{
	return ns > 0 ? (uint64_t)((__uint128_t)bytes * NS_PER_S / (uint64_t)ns)
		      : 0;
}

static void window_open(struct shard_demand *demand, struct mono now)
{
	demand->window_ns = now.ns;
	demand->window_bytes = demand->bytes;
	for (unsigned i = 0; i < 3; i++)
		demand->spent_ns[i] = 0;
}

void shard_demand_start(struct shard_demand *demand, uint32_t lanes,
    uint32_t lanes_max, struct mono now)
{
	br_assert(lanes >= 1 && lanes <= lanes_max);
	*demand = (struct shard_demand){
	    .lanes = lanes,
	    .lanes_max = lanes_max,
	    .since_ns = now.ns,
	    .rest_ns = SHARD_REST_FIRST_NS,
	};
	window_open(demand, now);
}

static void client_spend(struct shard_demand *demand, struct mono now)
{
	demand->spent_ns[demand->client] += now.ns - demand->since_ns;
	demand->since_ns = now.ns;
}

void shard_demand_client(
    struct shard_demand *demand, enum shard_client client, struct mono now)
{
	client_spend(demand, now);
	demand->client = (uint8_t)client;
}

static void trial_end(struct shard_demand *demand, struct mono now)
{
	uint64_t rate = rate_of(
	    demand->bytes - demand->trial_bytes, now.ns - demand->trial_ns);
	uint64_t wanted = demand->rate_before +
			  demand->rate_before * SHARD_GAIN_PERMILLE / 1000;

	demand->on_trial = false;
	if (rate >= wanted) {
		demand->rest_ns = SHARD_REST_FIRST_NS;
		return;
	}
	demand->lanes--;
	demand->rest_until_ns = now.ns + demand->rest_ns;
	demand->rest_ns *= 2;
	if (demand->rest_ns > SHARD_REST_LAST_NS)
		demand->rest_ns = SHARD_REST_LAST_NS;
}

static void trial_begin(
    struct shard_demand *demand, struct mono now, int64_t window_ns)
{
	demand->on_trial = true;
	demand->begun_ns = demand->trial_ns = now.ns;
	demand->trial_bytes = demand->bytes;
	demand->rate_before =
	    rate_of(demand->bytes - demand->window_bytes, window_ns);
	demand->lanes++;
}

/* A window is over. */
static void window_judge(struct shard_demand *demand, struct mono now)
{
	const int64_t *spent = demand->spent_ns;
	int64_t window_ns = now.ns - demand->window_ns;

	if (spent[SHARD_CLIENT_FULL] * 1000 >=
	    window_ns * (int64_t)SHARD_FULL_PERMILLE) {
		/* The trial has found nothing: there was nothing to find. */
		demand->on_trial = false;
		if (demand->lanes > 1)
			demand->lanes--;
	} else if (!demand->on_trial && demand->lanes < demand->lanes_max &&
		   now.ns >= demand->rest_until_ns &&
		   spent[SHARD_CLIENT_WAITS] >= SHARD_WAITED_NS) {
		trial_begin(demand, now, window_ns);
	}
	window_open(demand, now);
}

void shard_demand_hold(struct shard_demand *demand, struct mono now)
{
	if (!demand->on_trial || now.ns - demand->begun_ns > SHARD_HOLD_NS)
		return;
	demand->trial_ns = now.ns;
	demand->trial_bytes = demand->bytes;
}

uint32_t shard_demand_review(struct shard_demand *demand, struct mono now)
{
	client_spend(demand, now);
	if (demand->on_trial && now.ns - demand->trial_ns >= SHARD_TRIAL_NS)
		trial_end(demand, now);
	if (now.ns - demand->window_ns >= SHARD_WINDOW_NS)
		window_judge(demand, now);
	return demand->lanes;
}

uint32_t shard_demand_verdict(const struct shard_demand *demand)
{
	return demand->lanes - (demand->on_trial ? 1u : 0u);
}
