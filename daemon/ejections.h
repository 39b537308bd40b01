/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Takes servers out that fail real connections, and brings them back: the
 * deciding half of fleet/outlier.h. Nothing runs while no pool has an
 * `outlier` block; a tick costs a look at one word per pool until a worker
 * has left a mark there.
 *
 * Thread:  control, the one writer of the facts.
 * Units:   as fleet/outlier.h.
 */
#include "base/timer.h"

struct control;
struct pool;
struct server;

struct ejections {
	struct timer timer;
};

void ejections_init(struct control *control);
/* After every change of the plan: ends the ejections of pools that have no
 * such block (any more), and ticks if any pool has one. */
void ejections_sync(struct control *control);
void ejections_stop(struct control *control);
/* The operator brings it back before its time; nothing if it is not out. */
void ejections_end(
    struct control *control, struct pool *pool, struct server *server);
