/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The clerk: the one thread that may block. It writes the logs, loads
 * configurations and frees plans that no flow needs any more.
 *
 *      every CLERK_PERIOD_MS, or when a message comes:
 *          access records and log lines -> stderr
 *          DAEMON_LOAD     -> load_start()  -> resolver
 *          DAEMON_RESOLVED -> load_finish() -> DAEMON_LOADED
 *          counters, once a second, when this is an old generation
 *          retired plans -> unpinned?   -> DAEMON_UNUSED .. DAEMON_FREE
 *
 * Thread:  start, stop: boot; the rest its own.
 * Memory:  embedded by boot. Plans that are still retired at the end are
 *          freed by the stop, when no worker runs any more.
 */
#include <pthread.h>

#include "daemon/daemon.h"
#include "daemon/outbox.h"

#define CLERK_PERIOD_MS 50
#define CLERK_PUBLISH_MS 1000

struct clerk {
	struct daemon *daemon;
	struct outbox outbox;
	struct list retired; /* struct plan, oldest first */
	struct plan *fencing; /* the one that control fences now */
	struct snapshot_reader *plan; /* the one in force */
	struct recorder *recorder;
	struct dns_notify *notify;
	struct snapshot_reader *dns; /* what is published */
	bool told; /* secondaries, at the start */
	struct mono publish_at; /* the counters of an old generation */
	_Atomic bool stop;
	pthread_t thread;
};

int clerk_start(struct clerk *clerk, struct daemon *daemon) BR_MUST_CHECK;
/* Empties the logs and frees retired plans; workers and control have ended. */
void clerk_stop(struct clerk *clerk);
