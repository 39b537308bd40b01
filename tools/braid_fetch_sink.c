/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_sink.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

void fetch_sink_init(struct fetch_sink *sink, const char *path, bool append)
{
	*sink = (struct fetch_sink){.path = path, .fd = -1, .append = append};
}

int fetch_sink_size(const struct fetch_sink *sink, int64_t *ret_bytes)
{
	struct stat st;

	if (!stat(sink->path, &st)) {
		if (!S_ISREG(st.st_mode))
			return -ESPIPE;
		*ret_bytes = st.st_size;
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	*ret_bytes = 0;
	return 0;
}

int fetch_sink_open(struct fetch_sink *sink)
{
	if (sink->fd >= 0)
		return 0;
	if (!sink->path) {
		sink->fd = STDOUT_FILENO;
		return 0;
	}
	sink->fd = open(sink->path,
	    O_WRONLY | O_CREAT | O_CLOEXEC |
		(sink->append ? O_APPEND : O_TRUNC),
	    0666);
	return sink->fd < 0 ? -errno : 0;
}

/* The standard output may be one that does not block. */
static int wait_for_room(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	return poll(&polled, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int fetch_sink_write(struct fetch_sink *sink, const void *bytes, size_t length)
{
	const char *at = bytes;
	int err = 0;

	br_assert(sink->fd >= 0);
	while (length && !err) {
		ssize_t n = write(sink->fd, at, length);

		if (n >= 0) {
			at += n;
			length -= (size_t)n;
		} else if (errno == EAGAIN) {
			err = wait_for_room(sink->fd);
		} else if (errno != EINTR) {
			err = -errno;
		}
	}
	return err;
}

int fetch_sink_close(struct fetch_sink *sink)
{
	int fd = sink->fd;

	sink->fd = -1;
	if (fd < 0 || !sink->path)
		return 0; /* -w may still follow on the standard output */
	return close(fd) ? -errno : 0;
}
