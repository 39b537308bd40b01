/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/file_stamp.h"

#include <sys/stat.h>

struct file_stamp file_stamp_of(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return (struct file_stamp){.device = 0};
	return (struct file_stamp){.device = st.st_dev,
	    .inode = st.st_ino,
	    .size = st.st_size,
	    .changed = st.st_mtim};
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}
