/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages that found a full mailbox, kept in order until there is room: the
 * sender's loop tries again each turn, so daemon/ never loses a message and
 * never waits for a slow receiver.
 *
 * Thread:  the member `from`.
 * Limits:  OUTBOX_MAX messages. Every kind of message that daemon/ sends is
 *          bounded by what it acknowledges, far below that: running over is
 *          a bug of ours and asserted.
 */
#include <stdbool.h>

#include "base/mailbox.h"

#define OUTBOX_MAX 1024u

struct outbox_item {
	uint32_t to;
	struct message message;
};

struct outbox {
	struct post_office *office;
	uint32_t from;
	uint32_t n;
	struct outbox_item items[OUTBOX_MAX];
};

void outbox_init(
    struct outbox *outbox, struct post_office *office, uint32_t from);
void outbox_post(struct outbox *outbox, uint32_t to, struct message message);
/* Tries again what waits; false while something still does. */
bool outbox_flush(struct outbox *outbox);
