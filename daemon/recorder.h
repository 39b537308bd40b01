/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Writes what workers have recorded of flows to profiler.record, in the form
 * that braid-train reads. record_file.h says what happens to the file.
 *
 * A disk that is full, or a file that cannot be opened, costs rows, which are
 * counted, and a message at once and every RECORDER_SAY_S; it is tried again
 * every RECORDER_RETRY_S.
 *
 * Thread:  clerk.
 * Memory:  one buffer of RECORDER_BATCH bytes.
 * Limits:  RECORDER_ROWS rows a call.
 */
#include "daemon/daemon.h"

#define RECORDER_BATCH 65536
#define RECORDER_ROWS 512u
#define RECORDER_RETRY_S 10u
#define RECORDER_SAY_S 300

struct recorder;

struct recorder *recorder_new(struct daemon *daemon);
void recorder_free(struct recorder *recorder);
/* Where to write from now on, and at what size the file is renamed; a path of
 * NULL: nowhere, rows are dropped. */
void recorder_set_file(
    struct recorder *recorder, const char *path, uint64_t limit_bytes);
/* Takes and writes what is there; whether more may be. */
bool recorder_drain(struct recorder *recorder);
