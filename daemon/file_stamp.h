/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which bytes a file has, as far as its name tells: taken before the file is
 * read, so that what is written meanwhile is another stamp.
 *
 * Thread:  who may block.
 * Limits:  a write of the same length within the clock's step is not seen.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/* All zero when there is no such file, or no path (NULL). */
struct file_stamp file_stamp_of(const char *path);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
