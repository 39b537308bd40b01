/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/file_io.h"

#include <errno.h>
#include <unistd.h>

int file_write_at(int fd, const void *bytes, size_t length, off_t offset)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = pwrite(fd, at, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

int file_read_at(int fd, void *ret, size_t length, off_t offset)
{
	char *at = ret;

	while (length) {
		ssize_t n = pread(fd, at, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : BR_E_PROTOCOL;
		at += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}
