/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The file of recorded flows: whole lines are appended, under a lock, since
 * two generations of an upgrade write one file. Whatever is done to it
 * meanwhile (moved, deleted, another put there), the next lines go to the file
 * that has the name.
 *
 *      append ──> lock ──> has the name? ──> header if empty ──> lines
 *                                                    │ full: NAME ──> NAME.1
 *
 * A file that does not begin as ours do is somebody's: it stays, and nothing
 * is recorded. One whose columns are others than ours, or whose last line is cut, is
 * found only when a process first opens it: it becomes NAME.1 if there is none
 * yet, and else stays, and nothing is recorded. Found later it stays too: a
 * younger generation of another version has begun it.
 *
 * Thread:  clerk.
 * Memory:  record_file_init() to record_file_fini().
 * Errors:  false, with the reason in `why`; nothing of the lines is then in the
 *          file, so no reader finds half a line.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define RECORD_FILE_WHY_MAX 256
/* Processes that have it locked let go of it in microseconds. */
#define RECORD_FILE_LOCK_MS 20

struct record_file {
	char *path, *old_path;
	int fd; /* -1: not open */
	uint64_t limit_bytes;
	bool fits; /* what is open has our columns */
	bool settled; /* lines of this process are in a file of that name */
	char why[RECORD_FILE_WHY_MAX];
};

void record_file_init(
    struct record_file *file, const char *path, uint64_t limit_bytes);
void record_file_fini(struct record_file *file);
/* Whole lines. */
bool record_file_append(
    struct record_file *file, const char *lines, size_t length) BR_MUST_CHECK;
