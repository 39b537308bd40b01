/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The processes of one braidd through its upgrades: this one, and the older
 * ones that still have flows. Only the newest keeps this list; it hands it to
 * its successor.
 *
 *      generation 1 (dead) ──> counters are added to `dead`
 *      generation 2 ──channel, counters──┐
 *      generation 3 ──channel, counters──┴──> generation 4: this one
 *
 * Thread:  control changes the list (boot before it runs). generations_tally()
 *          any; generations_publish(): the upgrade's thread, and the clerk once
 *          the hand-over is done. The lock is for the text of the counters;
 *          control only tries it and comes back later.
 * Memory:  one, of boot.
 * Limits:  CONF_GENERATIONS_MAX.
 */
#include <pthread.h>

#include "daemon/channel.h"
#include "daemon/count_block.h"
#include "daemon/manifest.h"
#include "daemon/tally.h"

struct daemon;

struct generation {
	struct manifest_process who;
	int channel;
	struct count_block counters;
	struct strbuf last; /* of its counters that could be read */
};

struct generations {
	pthread_mutex_t lock;
	struct manifest_process self;
	uint32_t n; /* atomic for others than control */
	struct generation items[CONF_GENERATIONS_MAX]; /* oldest first */
	struct tally *dead;
	struct count_block own; /* fd -1 until an upgrade begins */
	bool frozen; /* a successor has been told who is there */
	_Atomic bool handed_over; /* this is an old generation now */
	bool watching;
};

void generations_init(struct generations *generations, uint32_t pid);
void generations_fini(struct generations *generations);
/* Takes both descriptors over, also after an error. */
int generations_add(struct generations *generations,
    const struct manifest_process *who, int channel,
    int counters) BR_MUST_CHECK;
static inline uint32_t generations_count(const struct generations *generations)
{
	return __atomic_load_n(&generations->n, __ATOMIC_RELAXED);
}
/* Takes those that have ended out of the list and logs it. */
void generations_look(struct generations *generations);
/* To all of them. */
void generations_tell(struct generations *generations, enum channel_type type);
/* How many connections this process still has, for its successors. */
void generations_note(const struct daemon *daemon);
/* This process takes nothing new any more; its successor is told. */
void generations_leave(struct generations *generations);
/* Whether each of the older ones has said so, or has ended. */
bool generations_have_left(const struct generations *generations);
/* The successor has the list now. */
void generations_give_up(struct generations *generations);

/* Counters of the dead ones, and of the living unless this one's own are to be
 * published. */
struct tally *generations_tally(struct generations *generations, bool living);
/* Writes the counters of this process, and of the dead ones before it. */
int generations_publish(struct daemon *daemon) BR_MUST_CHECK;
