/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The access log: one line for each flow that has ended. Workers put records
 * into their own rings; the clerk takes them here, composes lines in the
 * log's format and writes many of them by one system call.
 *
 *      worker 0 ──flow_log──┐
 *      worker 1 ──flow_log──┼─> clerk: oldest first, batch ─write─> stderr
 *      event log's queue ───┘
 *
 * All that was there when a call began is written in the order of the stamps.
 * What is put while it writes comes with the next call, so a line can stand
 * behind a younger one only if its thread was interrupted between taking the
 * time and putting the record.
 *
 * A slow or broken stderr never holds up anybody: what it does not take is
 * lost and counted (log_dropped()), as are records that find a worker's ring
 * full (that worker's log_dropped).
 *
 * Thread:  clerk.
 * Memory:  one static batch of ACCESS_LOG_BATCH bytes. Records point to
 *          listeners, pools and servers, so the clerk drains until 0 before
 *          it frees any of these.
 * Limits:  what was there at its begin is a call's work, at most what the
 *          rings hold, so that a flood does not keep the clerk from its other
 *          work.
 */
#include <stdint.h>

#include "daemon/daemon.h"

#define ACCESS_LOG_BATCH 65536
/* So many records a call: the next should come at once. */
#define ACCESS_LOG_BUSY 4096u

/* Writes what is there, with the event log's lines between the records;
 * returns how many records were taken. */
uint32_t access_log_drain(struct daemon *daemon);
