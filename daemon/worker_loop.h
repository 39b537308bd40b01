/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A worker's thread: turns of lb/worker, and between them the messages of the
 * others.
 *
 *      start -> worker_init -> gate -> adopt first plan
 *                  ┌──────────────────────┘
 *                  v
 *               turn -> messages -> leaving, draining -> turn ...
 *                                        └─ stop: kill flows, end
 *
 * A plan is adopted at once and left later, when the acceptors that only the
 * old one had have emptied their queues.
 *
 * Thread:  start and join: boot; all else the worker's own.
 * Memory:  embedded by boot, alive until joined.
 */
#include <pthread.h>

#include "daemon/daemon.h"
#include "daemon/dns_worker.h"
#include "daemon/gate.h"
#include "daemon/outbox.h"

#define WORKER_LOOP_MAGIC 0xb1a1dd01
#define WORKER_LOOP_FENCES_MAX 8u

struct worker_loop {
	struct op_owner op; /* the mailbox's eventfd */
	uint64_t mail_count;
	bool mail;
	struct daemon *daemon;
	struct worker *worker;
	uint32_t index;
	struct plan *plan;
	struct list leaving; /* struct plan, by leaving[index] */
	struct dns_worker dns;
	struct outbox outbox;
	void *fences[WORKER_LOOP_FENCES_MAX];
	uint32_t n_fences;
	bool armed_said, draining, drained_said, shrunk, trimmed, stopping;
	struct mono stop_by;
	struct gate *gate;
	pthread_t thread;
} __attribute__((aligned(64)));

/* Makes the thread; how its own preparations went is said at the gate. */
int worker_loop_start(struct worker_loop *loop, struct daemon *daemon,
    uint32_t index, struct plan *plan, struct gate *gate) BR_MUST_CHECK;
void worker_loop_join(struct worker_loop *loop);
