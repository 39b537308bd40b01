/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How much of its weight this node can take, in percent, by what it uses of
 * what it has: the larger of two, connections of global.max_connections, and
 * processor time of that of its workers.
 *
 *      percent
 *      100 |---------------.
 *          |                 `.
 *       30 |                    `---
 *          |________________________
 *          0              70    100   % used
 *
 * What is reported moves clients, and what they make is reported again, later
 * by as long as answers are cached: a loop that swings when it is steep or
 * quick. So the line ends at HEADROOM_FLOOR_PERCENT, and what is used is an
 * exponential mean, over 60 s unless set otherwise. In a model of the loop
 * (tests/unit/daemon/test_headroom.c) three nodes at 90 % with a TTL of 30 s
 * then keep within 2 points; with a line down to 1 and a mean of 10 s they swing
 * by 27 points when sessions last a minute, and by 73 when 10 s.
 *
 * Thread:  control.
 * Memory:  plain data, all zero before the first sample.
 * Units:   nanoseconds; parts of what there is, 0..1.
 */
#include <stdint.h>

#include "base/clock.h"

#define HEADROOM_MARK 0.7
#define HEADROOM_FLOOR_PERCENT 30u

struct headroom {
	uint32_t cpus; /* that can be used, at least 1 */
	uint32_t connections_max;
	uint32_t n; /* samples so far */
	int64_t at_ns, cpu_ns; /* of the last */
	double cpu, connections; /* used, means */
};

/* What the process has used until now, each second or so. smooth_ms: time
 * constant of the means; 0: none. */
void headroom_add(struct headroom *headroom, struct mono now, int64_t cpu_ns,
    uint32_t connections, uint64_t smooth_ms);
/* HEADROOM_FLOOR_PERCENT..100, by how much is used. */
uint32_t headroom_percent(double used);
/* By the larger of the two. */
uint32_t headroom_percent_now(const struct headroom *headroom);
