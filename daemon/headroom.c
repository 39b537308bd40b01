/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/headroom.h"

void headroom_add(struct headroom *headroom, struct mono now, int64_t cpu_ns,
    uint32_t connections)
{
	headroom->samples[headroom->n % HEADROOM_SAMPLES] =
	    (struct headroom_sample){now.ns, cpu_ns};
	headroom->n++;
	headroom->connections = connections;
}

static uint32_t bounded(int64_t permille)
{
	if (permille < 0)
		return 0;
	return permille > 1000 ? 1000 : (uint32_t)permille;
}

uint32_t headroom_cpu_permille(const struct headroom *headroom)
{
	const struct headroom_sample *first, *last;
	int64_t all_ns;

	if (headroom->n < 2)
		return 0;
	last = &headroom->samples[(headroom->n - 1) % HEADROOM_SAMPLES];
	first = &headroom->samples[headroom->n > HEADROOM_SAMPLES
				       ? headroom->n % HEADROOM_SAMPLES
				       : 0];
	all_ns = (last->at_ns - first->at_ns) * headroom->cpus;
	if (all_ns <= 0)
		return 0;
	return bounded((last->cpu_ns - first->cpu_ns) * 1000 / all_ns);
}

uint32_t headroom_connections_permille(const struct headroom *headroom)
{
	if (!headroom->connections_max)
		return 0;
	return bounded(
	    (int64_t)headroom->connections * 1000 / headroom->connections_max);
}

uint32_t headroom_percent(uint32_t used_permille)
{
	const uint32_t span = 1000 - HEADROOM_MARK_PERMILLE;
	uint32_t left;

	if (used_permille >= 1000)
		return 1;
	if (used_permille <= HEADROOM_MARK_PERMILLE)
		return 100;
	left = 1000 - used_permille;
	return 1 + (99 * left + span / 2) / span;
}

uint32_t headroom_percent_now(const struct headroom *headroom)
{
	uint32_t cpu = headroom_cpu_permille(headroom);
	uint32_t connections = headroom_connections_permille(headroom);

	return headroom_percent(cpu > connections ? cpu : connections);
}
