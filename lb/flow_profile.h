/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A flow and the profiler: what bytes pass is told to it, and what it advises
 * is done. A flow gets its profile with its first byte, so idle connections
 * have none; without a model in force, or without room, flows live without.
 *
 *      direction_count() ──> flow_profile_bytes() ──> profile_judge()
 *                                                       │ at checkpoints
 *                                  struct bulk_rule, socket options
 *      end of the flow   ──> history, recorder's rows
 *
 * A flow has a profile from its first byte or never. What was advised is taken
 * back with the plan that wanted it.
 *
 * Thread:  the flow's worker.
 * Memory:  a slab of the worker; the recorder's vectors in another, and first
 *          bytes that may go on in a third, where they stay until they say all
 *          or HINTS_KEPT_MAX are there. Without room for them the first read
 *          counts alone.
 */
#include "lb/flow.h"
#include "profiler/pace.h"
#include "profiler/profile.h"

struct hints_kept;

/* What a plan wants of the profiler; workers hold it from adopt to adopt. None
 * at all: the profiler is off. */
struct profiling {
	const struct model *model; /* NULL: none, classes stay unknown */
	bool acts; /* else verdicts are only shown */
	/* One flow in this many is recorded; 0: none. */
	uint32_t record_share;
	bool records_addresses; /* else networks */
	struct conf_pins pins;
};

/* Sampled vectors of one flow, a row for each verdict. */
struct recorded_row {
	uint8_t checkpoint, class;
	uint16_t confidence;
	int32_t vector[N_FEATURES];
};

struct recorded {
	uint32_t n;
	struct recorded_row rows[N_PROFILE_CHECKPOINTS];
};

/* Rows that the clerk has not taken yet. */
#define RECORD_QUEUE_ROWS 1024u

/* Of a flow with a profile. */
struct flow_profile {
	struct profile profile;
	struct recorded *recorded; /* NULL: this one is not */
	struct bulk_rule rule; /* as advised, else the default */
	struct hints_kept *kept; /* NULL: nothing, as of most flows */
	uint32_t unsent_bytes; /* of the client's socket; 0: as it was */
	bool paced : 1; /* likewise */
	bool advised : 1; /* something is other than without a profiler */
	bool outgrew_pace : 1; /* none is set again */
	struct pace pace; /* while paced */
};

/* n bytes came from one side; `bytes` are they, or NULL where they never were
 * in our memory. */
void flow_profile_bytes(
    struct flow *flow, bool up, const void *bytes, uint32_t n);
/* What was advised of bulk did not help: the counter of all decides, until the
 * next verdict. */
void flow_forget_advice(struct flow *flow);
/* The flow ends: remembers what it was. */
void flow_profile_end(struct flow *flow);
