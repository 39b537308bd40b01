/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where a body goes: the standard output, or a file that is opened when the
 * first answer comes, so that a fetch that fails before leaves no empty one.
 *
 * Thread:  the only one.
 * Memory:  the path is the caller's.
 * Errors:  -errno. A full disk is one, also at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fetch_sink {
	const char *path; /* NULL: the standard output */
	int fd; /* -1: not open */
	bool append;
};

void fetch_sink_init(struct fetch_sink *sink, const char *path, bool append);
/* The size of what is there, 0 for nothing. */
int fetch_sink_size(
    const struct fetch_sink *sink, int64_t *ret_bytes) BR_MUST_CHECK;
int fetch_sink_open(struct fetch_sink *sink) BR_MUST_CHECK;
/* All of it. */
int fetch_sink_write(
    struct fetch_sink *sink, const void *bytes, size_t length) BR_MUST_CHECK;
int fetch_sink_close(struct fetch_sink *sink) BR_MUST_CHECK;
