/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/headroom.h"

static double bounded(double part)
{
	if (part < 0)
		return 0;
	return part > 1 ? 1 : part;
}

static double cpu_since(
    const struct headroom *headroom, struct mono now, int64_t cpu_ns)
{
	int64_t passed_ns = now.ns - headroom->at_ns;

	if (passed_ns <= 0)
		return headroom->cpu;
	return bounded((double)(cpu_ns - headroom->cpu_ns) /
		       ((double)passed_ns * headroom->cpus));
}

static double connections_of(const struct headroom *headroom, uint32_t n)
{
	if (!headroom->connections_max)
		return 0;
	return bounded((double)n / headroom->connections_max);
}

void headroom_add(struct headroom *headroom, struct mono now, int64_t cpu_ns,
    uint32_t connections, uint64_t smooth_ms)
{
	double cpu = cpu_since(headroom, now, cpu_ns);
	double part = connections_of(headroom, connections);
	double passed_ns = (double)(now.ns - headroom->at_ns);
	double all_ns = passed_ns + (double)smooth_ms * NS_PER_MS;
	/* The first measure of each is where its mean begins. */
	double new = headroom->n < 2 || all_ns <= 0 ? 1 : passed_ns / all_ns;

	headroom->connections += (part - headroom->connections) * new;
	if (headroom->n)
		headroom->cpu += (cpu - headroom->cpu) * new;
	headroom->at_ns = now.ns;
	headroom->cpu_ns = cpu_ns;
	headroom->n++;
}

uint32_t headroom_percent(double used)
{
	double left = bounded((1 - used) / (1 - HEADROOM_MARK));
	double percent =
	    HEADROOM_FLOOR_PERCENT + (100 - HEADROOM_FLOOR_PERCENT) * left;

	return (uint32_t)(percent + 0.5);
}

uint32_t headroom_percent_now(const struct headroom *headroom)
{
	return headroom_percent(headroom->cpu > headroom->connections
				    ? headroom->cpu
				    : headroom->connections);
}
