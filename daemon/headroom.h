/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How much of its weight this node can take, in percent, by what it uses of
 * what it has: the larger of two, connections of global.max_connections, and
 * the processor time of the last HEADROOM_WINDOW_S seconds of that of its
 * workers.
 *
 *      percent
 *      100 |---------------.
 *          |                 `.
 *        1 |___________________`.___
 *          0              70    100   % used
 *
 * Thread:  control.
 * Memory:  plain data, all zero before the first sample.
 * Units:   nanoseconds; thousandths of what there is.
 */
#include <stdint.h>

#include "base/clock.h"

#define HEADROOM_WINDOW_S 10
/* One a second, and the one that the window begins with. */
#define HEADROOM_SAMPLES (HEADROOM_WINDOW_S + 1)
#define HEADROOM_MARK_PERMILLE 700u

struct headroom {
	uint32_t cpus; /* that can be used, at least 1 */
	uint32_t connections_max;
	uint32_t connections; /* now */
	uint32_t n; /* samples so far */
	struct headroom_sample {
		int64_t at_ns, cpu_ns;
	} samples[HEADROOM_SAMPLES];
};

/* What the process has used until now, each second. */
void headroom_add(struct headroom *headroom, struct mono now, int64_t cpu_ns,
    uint32_t connections);
/* Of what can be used, 0..1000. 0 before the second sample. */
uint32_t headroom_cpu_permille(const struct headroom *headroom);
uint32_t headroom_connections_permille(const struct headroom *headroom);
/* 1..100, by how much is used. */
uint32_t headroom_percent(uint32_t used_permille);
/* By the larger of the two. */
uint32_t headroom_percent_now(const struct headroom *headroom);
