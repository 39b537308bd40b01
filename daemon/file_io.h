/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whole pieces of a file in memory (memfd), which is never short but when
 * somebody else has cut it.
 *
 * Thread:  any.
 * Errors:  -errno; BR_E_PROTOCOL when the file ends before the piece does.
 */
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

int file_write_at(
    int fd, const void *bytes, size_t length, off_t offset) BR_MUST_CHECK;
int file_read_at(int fd, void *ret, size_t length, off_t offset) BR_MUST_CHECK;
