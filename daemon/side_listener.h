/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A listening socket of control's own, such as that of its commands: it waits
 * for readiness and accepts by hand, as long as its owner has room, so that
 * connections beyond a bound stay in the kernel's queue.
 *
 *      poll ──ready──> accept, while has_room() ──fd──> on_accepted()
 *       ^                 │ out of descriptors: a pause
 *       └─────────────────┘
 *
 * Thread:  control.
 * Memory:  embedded in its owner, which is freed when side_listener_closed().
 * Errors:  of accept: said in the log, and tried again.
 */
#include <stdbool.h>

#include "base/log.h"
#include "base/timer.h"
#include "io/op.h"

struct control;
struct side_listener;

struct side_listener_ops {
	const char *trouble; /* the event in the log when accepting fails */
	bool (*has_room)(struct side_listener *listener);
	/* Takes the descriptor over. */
	void (*on_accepted)(struct side_listener *listener, int fd);
};

struct side_listener {
	struct op_owner op; /* readiness */
	const struct side_listener_ops *ops;
	struct control *control;
	int fd; /* -1: closed */
	bool stopping, held;
	struct timer retry; /* when accepting failed */
	struct log_limit failed_limit;
} __attribute__((aligned(64)));

/* Takes the descriptor over; accepts nobody before side_listener_more(). */
void side_listener_init(struct side_listener *listener,
    const struct side_listener_ops *ops, struct control *control, int fd);
/* There is room, maybe again. */
void side_listener_more(struct side_listener *listener);
/* Stops accepting, or goes on: who waits in the queue is another generation's
 * to answer. */
void side_listener_hold(struct side_listener *listener, bool hold);
/* Closes the socket, at the latest when the ring has been turned. */
void side_listener_stop(struct side_listener *listener);
static inline bool side_listener_closed(const struct side_listener *listener)
{
	return listener->fd < 0;
}
