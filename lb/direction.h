/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One way of a flow: bytes from a source socket to a sink socket.
 *
 *                    8 small turns              bulk
 *      oneshot ───────────────────> many ──> stopping ──> splice
 *         ^  ^                       │  cancel sent,       │ slow for 5 s,
 *         │  └──── stopping <────────┘  completions still  │ pipe empty
 *         │                             arriving queue up  │
 *         └────────────────────────────────────────────────┘
 *
 * oneshot: one receive in flight; when it completes nothing is armed, so a
 *          change of mode needs no cancel.
 * many:    multishot receive: no re-arming for request-response traffic.
 * splice:  readiness by poll through the ring, then splice(2) on the worker
 *          itself; nothing is copied.
 * shard:   the engine of range shards writes to the sink; nothing is read
 *          here (shard_flow.h).
 * stopping: a multishot receive was cancelled; what still completes is
 *          queued, and the mode is left only when the terminal completion is
 *          in and the queue is sent.
 *
 * Data that a full sink refuses moves to parked chunks and its ring buffers
 * go back at once; the source is not read until the chunks have drained.
 *
 * Where an end speaks TLS, all data passes through chunks, and the direction
 * is never spliced; the source is read on while the sink takes all.
 *
 * Where the kernel encrypts for the sink (path_ktls.c) a bulk direction goes on
 * as if that end were plain, for good. Its end waits until the sink's peer has
 * acknowledged all before it.
 *
 * End of stream is passed on when all before it is sent; the other direction
 * goes on. Errors end the flow: flow_fail(). An error of the server lets its
 * answer through before (flow_server_broke): the kernel keeps what came in
 * ahead of a reset.
 *
 * A source is not read while its sink is full, so a client's reset is not
 * seen; it is looked for once a second meanwhile (direction_review).
 *
 * Thread:  the worker that owns the flow.
 * Memory:  part of struct flow; chunks and pipes from the worker's pools.
 * Limits:  DIRECTION_HELD_MAX ring buffers in a queue before reading stops.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "io/op.h"
#include "lb/bulk_rule.h"

struct worker;
struct flow;
struct chunk;
struct pipe;

enum direction_mode {
	DIR_IDLE, /* not started, or over */
	DIR_ONESHOT,
	DIR_MANY,
	DIR_STOPPING,
	DIR_SPLICE,
	DIR_SHARD,
};

#define DIRECTION_SMALL_TURNS 8u
#define DIRECTION_HELD_MAX 8u
/* TLS in bulk reads this much behind a full ring buffer: doubled with each
 * step up to the last, from the beginning when the sink is full. */
#define DIRECTION_MORE_BYTES (16u << 10)
#define DIRECTION_BULK_STEPS 4u
#define DIRECTION_BLOCKED_LOOK_NS NS_PER_S
/* How often an end that waits is looked after. */
#define DIRECTION_ENDING_LOOK_NS (10 * NS_PER_MS)
#define DIRECTION_SLOW_BPS (16u << 10) /* for 5 s: back to relay */
#define DIRECTION_SLOW_WINDOW_NS (5 * NS_PER_S)

struct direction {
	uint8_t mode, next_mode; /* next_mode: while stopping */
	bool up; /* client to server */
	bool reading : 1; /* a receive is in flight */
	bool sending : 1; /* a send is in flight */
	bool parked_send : 1; /* ... from a parked chunk */
	bool sink_full : 1; /* the chunks wait for room; else only for a turn */
	bool tls : 1; /* either end of the flow speaks TLS */
	bool end_said : 1; /* close_notify is among the chunks */
	bool eof : 1; /* the source has ended */
	bool fin_passed : 1; /* and the sink was told */
	bool more_to_read : 1; /* the last receive said so */
	bool poll_in : 1, poll_out : 1; /* splice: polls in flight */
	bool sent_before : 1, nodelay_set : 1;
	bool spliced : 1; /* ever, for the log */
	bool bulk : 1; /* it was in its last window */
	bool ktls : 1; /* the kernel encrypts what its sink gets */
	bool abandoned : 1; /* its sink is gone: what arrives is dropped */
	bool last_waits : 1; /* relay_send_last(): for the send in flight */
	bool framed : 1; /* http mode follows its messages: http_flow.h */
	bool paused : 1; /* ... and does not want it to be read now */
	uint8_t small_turns : 4;
	uint8_t bulk_step : 4; /* TLS: how much is read at a time in bulk */
	uint16_t held_first, held_last, n_held; /* ring buffers to send */
	uint32_t send_length; /* of the send in flight */
	struct chunk *parked_first, *parked_last;
	struct pipe *pipe;
	struct list_node wait_link; /* worker.starved or worker.bulk_waiting */
	uint64_t bytes; /* received in all */
	struct bulk_track track; /* in relay; spliced: of the pace */
};

void direction_init(struct direction *d, bool up);
void direction_start(struct flow *flow, struct direction *d);
/* Completions, routed by flow. */
void direction_on_receive(
    struct flow *flow, struct direction *d, struct op_result result);
void direction_on_sent(
    struct flow *flow, struct direction *d, struct op_result result);
void direction_on_poll(
    struct flow *flow, struct direction *d, bool out, struct op_result result);
/* From the worker's list of bulk: one step (bulk_turn.h). */
void direction_take_turn(struct flow *flow, struct direction *d);
/* From the worker's list of those that starved. */
void direction_resume(struct flow *flow, struct direction *d);
/* Bytes arrived from the source, by whatever path; NULL where they never were
 * in our memory. */
void direction_count(
    struct flow *flow, struct direction *d, const void *bytes, uint32_t n);
/* Once a while (the flow's timer): leaves splice when it has become slow.
 * Returns when to look again, INT64_MAX: no need. */
int64_t direction_review(struct flow *flow, struct direction *d);
/* The sink is gone for good, but the other direction goes on. */
void direction_abandon(struct flow *flow, struct direction *d);
/* Gives back all it holds; nothing may be in flight. */
void direction_release(struct flow *flow, struct direction *d);
/* Its source is not to be read, from the next moment on at which that can be
 * had; and again, from the next direction_resume() on. */
void direction_pause(struct flow *flow, struct direction *d);
void direction_unpause(struct direction *d);
/* The sink is full: has the source looked after. */
void direction_blocked(struct flow *flow, const struct direction *d);
/* Nothing received remains unsent. */
bool direction_drained(const struct direction *d);
const char *direction_mode_name(unsigned mode);
