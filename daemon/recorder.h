/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Writes what workers have recorded of flows to profiler.record, in the form
 * that braid-train reads. A full file is renamed to NAME.1, in place of the
 * one before, and begun anew.
 *
 * A disk that is full, or a file that cannot be opened, costs rows and a
 * message, once; it is tried again every RECORDER_RETRY_S.
 *
 * Thread:  clerk.
 * Memory:  one buffer of RECORDER_BATCH bytes.
 * Limits:  RECORDER_FILE_BYTES a file, RECORDER_ROWS rows a call.
 */
#include "daemon/daemon.h"

#define RECORDER_BATCH 65536
#define RECORDER_FILE_BYTES (64u << 20)
#define RECORDER_ROWS 512u
#define RECORDER_RETRY_S 10

struct recorder;

struct recorder *recorder_new(struct daemon *daemon);
void recorder_free(struct recorder *recorder);
/* Where to write from now on; NULL: nowhere, rows are dropped. */
void recorder_set_path(struct recorder *recorder, const char *path);
/* Takes and writes what is there; whether more may be. */
bool recorder_drain(struct recorder *recorder);
