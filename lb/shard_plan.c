/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_plan.h"

#include "base/assert.h"

#include <errno.h>
#include <string.h>

/* How much of a piece must have come before its rate says something. */
#define RATE_BYTES_MIN (16u << 10)
#define PIECE_GROWS 4

static struct shard_lane *plan_lane(struct shard_plan *plan, unsigned lane)
{
	br_assert(lane < SHARD_LANES_MAX);
	br_assert(plan->lanes[lane].state != SHARD_LANE_NONE);
	return &plan->lanes[lane];
}

void shard_plan_start(
    struct shard_plan *plan, uint64_t first, uint64_t end, uint64_t piece_max)
{
	br_assert(first < end && piece_max >= SHARD_PIECE_MIN);
	memset(plan, 0, sizeof *plan);
	plan->first = plan->next_out = plan->frontier = first;
	plan->end = end;
	plan->piece_max = piece_max;
	plan->slice_ns = SHARD_SLICE_FIRST_NS;
}

int shard_plan_open(
    struct shard_plan *plan, uint64_t rate, uint64_t buffer_bytes)
{
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (plan->lanes[i].state != SHARD_LANE_NONE)
			continue;
		plan->lanes[i] = (struct shard_lane){.state = SHARD_LANE_IDLE,
		    .rate = rate,
		    .buffer_bytes = buffer_bytes};
		plan->n_lanes++;
		return (int)i;
	}
	return -ENOSPC;
}

static void lane_close(struct shard_plan *plan, struct shard_lane *lane)
{
	lane->state = SHARD_LANE_NONE;
	plan->n_lanes--;
}

static void lane_ask(
    struct shard_lane *lane, struct shard_range piece, struct mono now)
{
	lane->state = SHARD_LANE_ASKED;
	lane->next = lane->arrived = lane->asked_from = piece.from;
	lane->to = lane->asked_to = piece.to;
	lane->asked_ns = now.ns;
	lane->first_ns = lane->last_ns = 0;
	lane->pieces++;
}

int shard_plan_home(struct shard_plan *plan, uint64_t to, uint64_t rate,
    uint64_t buffer_bytes, struct mono now)
{
	int lane = shard_plan_open(plan, rate, buffer_bytes);

	br_assert(lane >= 0 && plan->frontier == plan->first && !plan->n_gaps);
	br_assert(to > plan->first && to <= plan->end);
	lane_ask(
	    &plan->lanes[lane], (struct shard_range){plan->first, to}, now);
	plan->frontier = to;
	return lane;
}

/* -- gaps -------------------------------------------------------------- */

static void gaps_remove(struct shard_plan *plan, unsigned i)
{
	struct shard_range *gaps = plan->gaps;

	plan->n_gaps--;
	memmove(&gaps[i], &gaps[i + 1], (plan->n_gaps - i) * sizeof *gaps);
}

static void gaps_add(struct shard_plan *plan, struct shard_range gap)
{
	struct shard_range *gaps = plan->gaps;
	unsigned i = 0;

	if (gap.from == gap.to)
		return;
	while (i < plan->n_gaps && gaps[i].from < gap.from)
		i++;
	br_assert(i == 0 || gaps[i - 1].to <= gap.from);
	br_assert(i == plan->n_gaps || gap.to <= gaps[i].from);
	if (i && gaps[i - 1].to == gap.from) {
		gaps[--i].to = gap.to;
	} else {
		/* Between two gaps there is a lane's piece. */
		br_assert(plan->n_gaps < SHARD_GAPS_MAX);
		memmove(
		    &gaps[i + 1], &gaps[i], (plan->n_gaps - i) * sizeof *gaps);
		gaps[i] = gap;
		plan->n_gaps++;
	}
	if (i + 1 < plan->n_gaps && gaps[i].to == gaps[i + 1].from) {
		gaps[i].to = gaps[i + 1].to;
		gaps_remove(plan, i + 1);
	}
}

/* The first gap loses its first bytes. */
static void gaps_take(struct shard_plan *plan, uint64_t n)
{
	struct shard_range *gaps = plan->gaps;

	br_assert(plan->n_gaps && n <= gaps[0].to - gaps[0].from);
	gaps[0].from += n;
	if (gaps[0].from == gaps[0].to)
		gaps_remove(plan, 0);
}

/* The gap that begins at `from` goes back to a lane that was cut there. */
static void gaps_return(struct shard_plan *plan, uint64_t from)
{
	unsigned gap = 0;

	while (gap < plan->n_gaps && plan->gaps[gap].from != from)
		gap++;
	if (gap == plan->n_gaps)
		return;
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct shard_lane *lane = &plan->lanes[i];

		if (!shard_plan_is_cut(plan, i) || lane->to != from)
			continue;
		if (lane->asked_to < plan->gaps[gap].to) {
			lane->to = plan->gaps[gap].from = lane->asked_to;
		} else {
			lane->to = plan->gaps[gap].to;
			gaps_remove(plan, gap);
		}
		lane->closes = lane->to < lane->asked_to;
		return;
	}
}

/* -- sizes ------------------------------------------------------------- */

static uint64_t bytes_in(uint64_t rate, int64_t ns)
{
	return (uint64_t)((__uint128_t)rate * (uint64_t)ns / NS_PER_S);
}

static int64_t time_of(uint64_t bytes, uint64_t rate)
{
	__uint128_t ns =
	    rate ? (__uint128_t)bytes * NS_PER_S / rate : INT64_MAX;

	return ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

static uint64_t lane_rate(const struct shard_lane *lane)
{
	uint64_t came = lane->arrived - lane->asked_from;
	int64_t took = lane->last_ns - lane->asked_ns;
	uint64_t now;

	/* The first of a lane's pieces pays for its connection too, and what
	 * was there when it was first looked at came at nobody knows which
	 * rate: from then on counts where that is most of it. */
	if (lane->state != SHARD_LANE_ASKED || came < RATE_BYTES_MIN ||
	    took <= 0)
		return lane->rate;
	now = (uint64_t)((__uint128_t)came * NS_PER_S / (uint64_t)took);
	return lane->rate ? (lane->rate + now) / 2 : now;
}

uint64_t shard_plan_rate(const struct shard_plan *plan, unsigned lane)
{
	br_assert(lane < SHARD_LANES_MAX);
	return lane_rate(&plan->lanes[lane]);
}

static int64_t plan_slice_ns(const struct shard_plan *plan)
{
	int64_t slice_ns = plan->slice_ns;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		const struct shard_lane *lane = &plan->lanes[i];
		uint64_t most = plan->piece_max;
		int64_t ns;

		if (lane->state == SHARD_LANE_NONE)
			continue;
		if (most > lane->buffer_bytes)
			most = lane->buffer_bytes;
		ns = time_of(most, lane->rate);
		if (ns < slice_ns)
			slice_ns = ns;
	}
	return slice_ns > SHARD_SLICE_LEAST_NS ? slice_ns
					       : SHARD_SLICE_LEAST_NS;
}

/* What the lane is to be asked for where `most` are to be had from `from`. */
static uint64_t piece_bytes(const struct shard_plan *plan,
    const struct shard_lane *lane, uint64_t from, uint64_t most)
{
	uint64_t n = bytes_in(lane->rate, plan_slice_ns(plan));
	uint64_t last = lane->asked_to - lane->asked_from;

	if (lane->pieces && n > PIECE_GROWS * last)
		n = PIECE_GROWS * last;
	if (n < SHARD_PIECE_MIN)
		n = SHARD_PIECE_MIN;
	if (n > plan->piece_max)
		n = plan->piece_max;
	if (from != plan->next_out && n > lane->buffer_bytes)
		n = lane->buffer_bytes;
	/* No crumbs behind it. */
	if (n > most || most - n < SHARD_PIECE_MIN / 2)
		n = most;
	return n;
}

/* -- asking ------------------------------------------------------------ */

/* When the lane will have brought its piece. */
static int64_t lane_left_ns(const struct shard_lane *lane)
{
	return time_of(lane->to - lane->arrived, lane_rate(lane));
}

/* At the end of a transfer, and where one answer was asked for everything: the
 * lane that will be last gives a part of what has not arrived. */
static struct shard_lane *plan_last(struct shard_plan *plan)
{
	struct shard_lane *last = NULL;

	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		struct shard_lane *lane = &plan->lanes[i];

		if (lane->state != SHARD_LANE_ASKED ||
		    lane->to - lane->arrived < 2ull * SHARD_PIECE_MIN)
			continue;
		if (!last || lane_left_ns(lane) > lane_left_ns(last))
			last = lane;
	}
	return last;
}

static bool plan_take_over(struct shard_plan *plan,
    const struct shard_lane *lane, struct shard_range *ret)
{
	struct shard_lane *last = plan_last(plan);
	uint64_t left, theirs, mine, rate;

	if (!last || lane_left_ns(last) < SHARD_TAKEOVER_NS)
		return false;
	rate = lane_rate(last);
	left = last->to - last->arrived;
	mine = lane->rate ? lane->rate : rate;
	/* So much each that both are done together. */
	theirs = rate + mine
		     ? (uint64_t)((__uint128_t)left * rate / (rate + mine))
		     : left / 2;
	/* The one that had all goes on for a slice; the rest is dealt out. */
	if (theirs > bytes_in(rate, plan->slice_ns))
		theirs = bytes_in(rate, plan->slice_ns);
	if (theirs < SHARD_PIECE_MIN)
		theirs = SHARD_PIECE_MIN;
	*ret = (struct shard_range){last->arrived + theirs, last->to};
	last->to = ret->from;
	last->closes = true;
	return true;
}

/* A server that needs several slices for the least piece makes all others wait
 * for it. The first piece of each is asked all the same: it tells its rate. */
static bool lane_is_of_use(
    const struct shard_plan *plan, const struct shard_lane *lane)
{
	if (!lane->pieces ||
	    bytes_in(lane->rate, SHARD_SLICE_LAST_NS) >= SHARD_PIECE_MIN)
		return true;
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (plan->lanes[i].state != SHARD_LANE_NONE &&
		    plan->lanes[i].rate > lane->rate)
			return false;
	}
	return true;
}

bool shard_plan_ask(struct shard_plan *plan, unsigned index, struct mono now,
    struct shard_range *ret)
{
	struct shard_lane *lane = plan_lane(plan, index);
	struct shard_range piece;
	uint64_t n;

	br_assert(lane->state == SHARD_LANE_IDLE);
	if (!lane_is_of_use(plan, lane))
		return false;
	if (!plan->n_gaps && plan->frontier == plan->end) {
		struct shard_range taken;

		if (!plan_take_over(plan, lane, &taken))
			return false;
		gaps_add(plan, taken);
	}
	piece = plan->n_gaps ? plan->gaps[0]
			     : (struct shard_range){plan->frontier, plan->end};
	n = piece_bytes(plan, lane, piece.from, piece.to - piece.from);
	piece.to = piece.from + n;
	if (plan->n_gaps)
		gaps_take(plan, n);
	else
		plan->frontier += n;
	lane_ask(lane, piece, now);
	if (plan->slice_ns < SHARD_SLICE_LAST_NS)
		plan->slice_ns += plan->slice_ns / 4;
	if (plan->slice_ns > SHARD_SLICE_LAST_NS)
		plan->slice_ns = SHARD_SLICE_LAST_NS;
	*ret = piece;
	return true;
}

/* -- what came and went ------------------------------------------------ */

static void lane_saw(struct shard_lane *lane, uint64_t arrived, struct mono now)
{
	if (arrived > lane->to)
		arrived = lane->to;
	if (arrived <= lane->arrived)
		return;
	lane->arrived = arrived;
	lane->last_ns = now.ns;
	if (!lane->first_ns)
		lane->first_ns = now.ns;
}

void shard_plan_arrived(
    struct shard_plan *plan, unsigned index, uint64_t waiting, struct mono now)
{
	struct shard_lane *lane = plan_lane(plan, index);

	if (lane->state == SHARD_LANE_ASKED)
		lane_saw(lane, lane->next + waiting, now);
}

bool shard_plan_moved(
    struct shard_plan *plan, unsigned index, uint64_t n, struct mono now)
{
	struct shard_lane *lane = plan_lane(plan, index);

	br_assert(lane->state == SHARD_LANE_ASKED);
	br_assert(lane->next == plan->next_out && n <= lane->to - lane->next);
	lane->next += n;
	plan->next_out += n;
	lane_saw(lane, lane->next, now);
	if (lane->next < lane->to)
		return false;
	lane->rate = lane_rate(lane);
	if (lane->closes)
		lane_close(plan, lane);
	else
		lane->state = SHARD_LANE_IDLE;
	return true;
}

void shard_plan_shorten(
    struct shard_plan *plan, unsigned index, uint64_t to, bool closes)
{
	struct shard_lane *lane = plan_lane(plan, index);

	br_assert(lane->state == SHARD_LANE_ASKED);
	br_assert(to > lane->next && to <= lane->to);
	gaps_add(plan, (struct shard_range){to, lane->to});
	lane->to = lane->asked_to = to;
	if (lane->arrived > to)
		lane->arrived = to;
	lane->closes |= closes;
}

void shard_plan_lost(struct shard_plan *plan, unsigned index)
{
	struct shard_lane *lane = plan_lane(plan, index);
	bool asked = lane->state == SHARD_LANE_ASKED;

	if (asked)
		gaps_add(plan, (struct shard_range){lane->next, lane->to});
	lane_close(plan, lane);
	if (asked)
		gaps_return(plan, lane->next);
}

/* -- questions --------------------------------------------------------- */

int shard_plan_turn(const struct shard_plan *plan)
{
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (plan->lanes[i].state == SHARD_LANE_ASKED &&
		    plan->lanes[i].next == plan->next_out)
			return (int)i;
	}
	return -1;
}

uint64_t shard_plan_left(const struct shard_plan *plan, unsigned lane)
{
	br_assert(plan->lanes[lane].state == SHARD_LANE_ASKED);
	return plan->lanes[lane].to - plan->lanes[lane].next;
}

bool shard_plan_starves(const struct shard_plan *plan)
{
	if (shard_plan_done(plan) || shard_plan_turn(plan) >= 0)
		return false;
	for (unsigned i = 0; i < SHARD_LANES_MAX; i++) {
		if (plan->lanes[i].state == SHARD_LANE_IDLE &&
		    lane_is_of_use(plan, &plan->lanes[i]))
			return false;
	}
	return true;
}

bool shard_plan_is_cut(const struct shard_plan *plan, unsigned lane)
{
	return plan->lanes[lane].state == SHARD_LANE_ASKED &&
	       plan->lanes[lane].to < plan->lanes[lane].asked_to;
}

bool shard_plan_done(const struct shard_plan *plan)
{
	return plan->next_out == plan->end;
}
