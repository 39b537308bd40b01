/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "profiler/record.h"

/* How often it may be replaced while one batch is written. */
#define RECORD_FILE_TURNS 8

enum record_result { RECORD_DONE, RECORD_FAILED, RECORD_AGAIN };

__attribute__((format(printf, 2, 3))) static enum record_result refuse(
    struct record_file *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(file->why, sizeof file->why, format, args);
	va_end(args);
	return RECORD_FAILED;
}

static void close_file(struct record_file *file)
{
	if (file->fd >= 0)
		close(file->fd); /* and so its lock ends */
	file->fd = -1;
	file->fits = false;
}

void record_file_init(
    struct record_file *file, const char *path, uint64_t limit_bytes)
{
	size_t room = strlen(path) + sizeof ".1";

	*file = (struct record_file){.fd = -1, .limit_bytes = limit_bytes};
	file->path = strdup(path);
	file->old_path = malloc(room);
	if (!file->path || !file->old_path)
		br_out_of_memory("a path", room);
	(void)snprintf(file->old_path, room, "%s.1", path);
}

void record_file_fini(struct record_file *file)
{
	close_file(file);
	free(file->path);
	free(file->old_path);
	file->path = file->old_path = NULL;
}

/* -- opening ----------------------------------------------------------- */

static enum record_result open_file(struct record_file *file)
{
	struct stat st;

	if (file->fd >= 0)
		return RECORD_DONE;
	/* A FIFO must not be waited for. */
	file->fd = open(file->path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0640);
	if (file->fd < 0)
		return refuse(file, "open: %s",
		    errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	if (fstat(file->fd, &st))
		return refuse(file, "open: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(file, "open: it is not a regular file");
	return RECORD_DONE;
}

static enum record_result lock_file(struct record_file *file)
{
	for (unsigned ms = 0; flock(file->fd, LOCK_EX | LOCK_NB); ms++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return refuse(file, "lock: %s", strerror(errno));
		if (ms == RECORD_FILE_LOCK_MS)
			return refuse(file, "another process has it locked");
		(void)usleep(1000);
	}
	return RECORD_DONE;
}

/* The size of what is open; RECORD_AGAIN when it has lost its name. */
static enum record_result measure(struct record_file *file, uint64_t *ret_size)
{
	struct stat opened, named;

	if (fstat(file->fd, &opened))
		return refuse(file, "stat: %s", strerror(errno));
	if (lstat(file->path, &named) || opened.st_ino != named.st_ino ||
	    opened.st_dev != named.st_dev)
		return RECORD_AGAIN;
	*ret_size = (uint64_t)opened.st_size;
	return RECORD_DONE;
}

/* -- what is in it already --------------------------------------------- */

/* The name of the first column, with its comma: a file that begins otherwise
 * was never written by any version. */
static bool has_our_beginning(int fd)
{
	char ours[RECORD_LINE_MAX], theirs[RECORD_LINE_MAX];
	size_t n;

	(void)record_format_header(ours);
	n = strcspn(ours, ",") + 1;
	return pread(fd, theirs, n, 0) == (ssize_t)n &&
	       memcmp(ours, theirs, n) == 0;
}

static bool has_our_columns(int fd, uint64_t size)
{
	char ours[RECORD_LINE_MAX], theirs[RECORD_LINE_MAX], last;
	size_t n = (size_t)record_format_header(ours);

	return size >= n && pread(fd, theirs, n, 0) == (ssize_t)n &&
	       memcmp(ours, theirs, n) == 0 &&
	       pread(fd, &last, 1, (off_t)size - 1) == 1 && last == '\n';
}

static enum record_result set_aside(struct record_file *file)
{
	static const char what[] = "it has other columns or a line that is cut";

	if (file->settled)
		return refuse(file, "%s", what);
	if (renameat2(AT_FDCWD, file->path, AT_FDCWD, file->old_path,
		RENAME_NOREPLACE)) {
		if (errno != EEXIST)
			return refuse(file, "rename: %s", strerror(errno));
		return refuse(file,
		    "%s, and NAME.1 is there already: move one of them away",
		    what);
	}
	log_event(LOG_INFO, "recorded flows are set aside",
	    "file=%s to=%s cause=%s", file->path, file->old_path, what);
	return RECORD_AGAIN;
}

static enum record_result look_inside(struct record_file *file, uint64_t size)
{
	if (!file->fits && size && !has_our_beginning(file->fd))
		return refuse(file,
		    "it is no file of recorded flows, and stays as it is: "
		    "name another");
	if (!file->fits && size && !has_our_columns(file->fd, size))
		return set_aside(file);
	file->fits = true;
	return RECORD_DONE;
}

/* -- writing ----------------------------------------------------------- */

static enum record_result write_lines(
    struct record_file *file, const char *lines, size_t length, uint64_t *size)
{
	char header[RECORD_LINE_MAX];
	size_t n = *size ? 0 : (size_t)record_format_header(header);
	struct iovec parts[] = {
	    {header, n}, {(void *)(uintptr_t)lines, length}};
	ssize_t written = writev(file->fd, parts, 2);

	if (written == (ssize_t)(n + length)) {
		*size += n + length;
		return RECORD_DONE;
	}
	(void)refuse(file, "write: %s", strerror(written < 0 ? errno : ENOSPC));
	/* Half a line would spoil the file for whoever reads it. */
	if (written > 0 && ftruncate(file->fd, (off_t)*size))
		file->settled = false; /* looked at again */
	return RECORD_FAILED;
}

static void rotate(struct record_file *file)
{
	if (rename(file->path, file->old_path))
		log_event(LOG_WARN, "recorded flows are not set aside",
		    "file=%s to=%s cause=%s", file->path, file->old_path,
		    strerror(errno));
	else
		close_file(file);
}

static enum record_result try_append(
    struct record_file *file, const char *lines, size_t length)
{
	enum record_result result = open_file(file);
	uint64_t size;

	if (!result)
		result = lock_file(file);
	if (!result)
		result = measure(file, &size);
	if (!result)
		result = look_inside(file, size);
	if (!result)
		result = write_lines(file, lines, length, &size);
	if (result) {
		close_file(file);
		return result;
	}
	file->settled = true;
	if (size >= file->limit_bytes)
		rotate(file);
	if (file->fd >= 0)
		(void)flock(file->fd, LOCK_UN);
	return RECORD_DONE;
}

bool record_file_append(
    struct record_file *file, const char *lines, size_t length)
{
	for (unsigned i = 0; i < RECORD_FILE_TURNS; i++) {
		enum record_result result = try_append(file, lines, length);

		if (result != RECORD_AGAIN)
			return result == RECORD_DONE;
	}
	(void)refuse(file, "it is replaced again and again");
	return false;
}
