/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A sharded download as it is shown: which part of it is where.
 *
 * Thread:  filled by the flow's worker; a plain copy afterwards.
 * Memory:  servers' names point into the pool, which the flow pins; copy them
 *          before the turn is over.
 * Units:   bytes of the representation, bytes a second.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lb/shard_plan.h"

struct server;

#define SHARD_STEP_LIST(X)                                                     \
	X(CONNECTING, "connecting")                                            \
	X(ASKING, "asking") /* the request has not left yet */                 \
	X(ASKED, "asked") /* no answer yet */                                  \
	X(BODY, "body") /* the answer's body arrives, or waits */              \
	X(IDLE, "idle")

enum shard_step {
#define X(name, text) SHARD_##name,
	SHARD_STEP_LIST(X)
#undef X
	    SHARD_N_STEPS
};

struct shard_lane_view {
	const struct server *server;
	uint64_t from, to; /* the piece; both 0: none */
	uint64_t next; /* the first of its bytes that has not left */
	uint64_t arrived; /* behind the last that is here */
	uint64_t rate; /* 0: not known yet */
	enum shard_step step;
	bool turn; /* its bytes leave now */
};

struct shard_view {
	uint64_t first, next_out, frontier, end, total;
	uint64_t kernel_bytes; /* room of the lanes' receive buffers */
	uint32_t n_lanes, wanted; /* lanes[] that hold; how many are wanted */
	uint32_t pieces, migrations, stalls;
	struct shard_lane_view lanes[SHARD_LANES_MAX];
};

/* "connecting" and so on. */
const char *shard_step_name(unsigned step);
