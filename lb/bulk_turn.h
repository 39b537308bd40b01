/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bulk takes turns where the profiler acts, so that small flows do not wait
 * behind it: the next step of a bulk direction is put off to the end of the
 * worker's turn, and there is only so much of it in one.
 *
 *      ring_turn()     small: handled at once, their sends prepared
 *                      bulk:  to the end of worker.bulk_waiting
 *      ring_submit()   the small ones' sends leave
 *      bulk_serve()    worker.bulk_waiting, oldest first: BULK_TURN_BYTES in all,
 *                      BULK_STEP_BYTES each; the rest in the next turn, which
 *                      does not sleep
 *
 * So a small turn waits for about BULK_TURN_BYTES of bulk at most, however
 * much of it there is; bulk gets its bytes in each turn, however many small
 * ones there are; and bulk directions go round robin.
 *
 * Small steps cost bulk more (iperf3, 8 streams: twice the CPU of 1 MiB each),
 * so they are for when somebody gains: while no small turn was seen for
 * BULK_CALM_NS, turns are four times as long and a step may be all of one.
 *
 * A step is one splice, or the arming of a receive (relay, TLS). While a
 * direction is in the list it has nothing armed.
 *
 * Thread:  the worker.
 * Memory:  none; the link that a starved direction uses (it has a receive in
 *          flight or is to arm one, so it is never both).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct direction;
struct worker;

#define BULK_TURN_BYTES (256u << 10)
#define BULK_STEP_BYTES (128u << 10)
#define BULK_CALM_FACTOR 4u
#define BULK_CALM_NS (100 * NS_PER_MS)
/* What a step costs at least: its calls. */
#define BULK_STEP_LEAST_BYTES (8u << 10)

/* Whether bulk takes turns here. */
bool bulk_takes_turns(const struct worker *worker);
/* What a splice may move at a time: all, where it takes no turns. */
uint32_t bulk_step_bytes(const struct worker *worker);
void bulk_queue(struct worker *worker, struct direction *d);
/* What a step has moved or may move. */
void bulk_charge(struct worker *worker, uint64_t bytes);
/* The end of the worker's turn. */
void bulk_serve(struct worker *worker);
