/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The access log: one line for each flow that has ended. Workers put records
 * into their own rings; the clerk takes them here, composes lines in the
 * log's format and writes many of them by one system call, past the event
 * log's bounded queue.
 *
 *      worker 0 ──flow_log──┐
 *      worker 1 ──flow_log──┴─> clerk: format, batch ─write─> stderr
 *
 * A slow or broken stderr never holds up anybody: what it does not take is
 * lost and counted (log_dropped()), as are records that find a worker's ring
 * full (that worker's log_dropped).
 *
 * Thread:  clerk.
 * Memory:  one static batch of ACCESS_LOG_BATCH bytes. Records point to
 *          listeners, pools and servers, so the clerk drains until 0 before
 *          it frees any of these.
 * Limits:  ACCESS_LOG_TURN_MAX records a call and worker, so that a flood
 *          does not keep the clerk from its other work.
 */
#include <stdint.h>

#include "daemon/daemon.h"

#define ACCESS_LOG_BATCH 65536
#define ACCESS_LOG_TURN_MAX 4096u

/* Writes what is there; returns how many records were taken. */
uint32_t access_log_drain(struct daemon *daemon);
