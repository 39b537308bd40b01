/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which part of a download is asked of which server. One transfer is a row of
 * bytes that leaves in order; each lane, a connection to a server, fetches one
 * piece of it at a time, and the piece waits in the kernel until its turn.
 *
 *   first          next_out                        frontier          end
 *     |################|====....|======|____|====......|...............|
 *       sent            lane 2   lane 0  gap  lane 1     never asked
 *                       # sent  = arrived  . asked  _ lost, to be asked again
 *
 * Pieces are sized by time, not by bytes: each lane is asked for what it brings
 * within a slice, the same for all, so that all are done together whatever
 * their rates; and for four times as much as last time at most, since the rate of a
 * small piece is a guess. A piece must fit the lane's receive buffer, or else its server
 * is left waiting and gives up, unless it is its turn already.
 *
 * Each piece has a movable cut, `to`: bytes behind it are never read. What was
 * asked without an end (the answer that is split late) or is taken over by a
 * faster lane at the end of the transfer is cut so; such a connection cannot
 * be used again, and `closes` says so. Where who took it over fails before the
 * cut is reached, it goes back to whom it was taken from.
 *
 * A decider: it does no IO and reads no clock. The caller asks, reports what
 * came and went, and obeys.
 *
 * Thread:  the flow's worker.
 * Memory:  the caller's; nothing is allocated.
 * Units:   bytes, as offsets into the representation; rates in bytes a second.
 * Limits:  SHARD_LANES_MAX lanes; so many gaps and one.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SHARD_LANES_MAX 16u
#define SHARD_GAPS_MAX (SHARD_LANES_MAX + 1)
#define SHARD_PIECE_MIN (64u << 10)
/* A slice begins short, since rates are guesses, and grows with each piece. */
#define SHARD_SLICE_FIRST_NS (50 * NS_PER_MS)
#define SHARD_SLICE_LAST_NS (250 * NS_PER_MS)
/* Shorter where the fastest lane brings the largest piece sooner: it would wait
 * for the others. */
#define SHARD_SLICE_LEAST_NS (20 * NS_PER_MS)
/* A piece is not taken over from a lane for less than this. */
#define SHARD_TAKEOVER_NS (100 * NS_PER_MS)

enum shard_lane_state {
	SHARD_LANE_NONE,
	SHARD_LANE_IDLE,
	SHARD_LANE_ASKED, /* has a piece that has not all left */
};

struct shard_range {
	uint64_t from, to; /* to: the byte behind the last */
};

struct shard_lane {
	uint64_t next; /* the piece's next byte to leave */
	uint64_t to;
	uint64_t asked_from, asked_to; /* what its connection brings */
	uint64_t arrived; /* offset behind the last byte that is here */
	uint64_t rate; /* 0: unknown */
	uint64_t buffer_bytes; /* granted by the kernel */
	int64_t asked_ns, first_ns, last_ns; /* last: something arrived */
	uint32_t pieces; /* asked so far */
	uint8_t state; /* enum shard_lane_state */
	bool closes; /* was cut: its connection brings more than we read */
};

struct shard_plan {
	uint64_t first, end, next_out, frontier;
	uint64_t piece_max;
	int64_t slice_ns;
	uint32_t n_gaps, n_lanes;
	struct shard_range gaps[SHARD_GAPS_MAX]; /* in order, never touching */
	struct shard_lane lanes[SHARD_LANES_MAX];
};

/* The bytes from `first` to before `end`, in pieces of at most `piece_max`. */
void shard_plan_start(
    struct shard_plan *plan, uint64_t first, uint64_t end, uint64_t piece_max);
/* A new lane, idle. `rate`: what its server brought lately, 0 unknown. Its
 * number, or -ENOSPC. */
int shard_plan_open(
    struct shard_plan *plan, uint64_t rate, uint64_t buffer_bytes);
/* A lane that already brings what is before `to` from `first` on (all of it:
 * an answer that is split late); before anything else is asked. Its number. */
int shard_plan_home(struct shard_plan *plan, uint64_t to, uint64_t rate,
    uint64_t buffer_bytes, struct mono now);
/* The next piece for an idle lane. False: there is none now, or the lane is so
 * slow that the others would wait for it. */
bool shard_plan_ask(struct shard_plan *plan, unsigned lane, struct mono now,
    struct shard_range *ret);
/* `waiting` bytes of the lane's piece are in its receive buffer. Bytes behind
 * the cut do not count. */
void shard_plan_arrived(
    struct shard_plan *plan, unsigned lane, uint64_t waiting, struct mono now);
/* n bytes of the lane whose turn it is have left. True: its piece is done; the
 * lane is idle, or, where it closes, gone. */
bool shard_plan_moved(
    struct shard_plan *plan, unsigned lane, uint64_t n, struct mono now);
/* The lane brings nothing behind `to`, which is behind what has left: the rest
 * is asked again. `closes`: its connection is of no use afterwards. */
void shard_plan_shorten(
    struct shard_plan *plan, unsigned lane, uint64_t to, bool closes);
/* The lane is gone, or what it brought is not to be used: what has not left is
 * asked again, or goes back to the lane that it was taken from. */
void shard_plan_lost(struct shard_plan *plan, unsigned lane);
/* The lane whose piece leaves next; -1: it is in a gap or not asked yet. */
int shard_plan_turn(const struct shard_plan *plan);
/* How much of the lane's piece may leave once it is its turn. */
uint64_t shard_plan_left(const struct shard_plan *plan, unsigned lane);
/* Whether the lane still brings what another was asked instead. */
bool shard_plan_is_cut(const struct shard_plan *plan, unsigned lane);
/* Whether the next byte to leave has to be asked of somebody, and no lane is
 * free to be asked: one more is needed at once. */
bool shard_plan_starves(const struct shard_plan *plan);
bool shard_plan_done(const struct shard_plan *plan);
/* The lane's rate by what it brought so far, or of the pieces before. */
uint64_t shard_plan_rate(const struct shard_plan *plan, unsigned lane);
