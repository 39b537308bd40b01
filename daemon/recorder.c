/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/record_queue.h"
#include "profiler/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct recorder {
	struct daemon *daemon;
	char *path; /* NULL: none */
	int fd; /* -1: not open */
	bool failed; /* said */
	struct mono retry_at;
	uint64_t file_bytes;
	size_t length; /* of the batch */
	char batch[RECORDER_BATCH];
};

struct recorder *recorder_new(struct daemon *daemon)
{
	struct recorder *recorder = calloc(1, sizeof *recorder);

	if (!recorder)
		br_out_of_memory("the recorder", sizeof *recorder);
	recorder->daemon = daemon;
	recorder->fd = -1;
	return recorder;
}

static void recorder_close(struct recorder *recorder)
{
	if (recorder->fd >= 0)
		close(recorder->fd);
	recorder->fd = -1;
	recorder->length = 0;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	recorder_close(recorder);
	free(recorder->path);
	free(recorder);
}

void recorder_set_path(struct recorder *recorder, const char *path)
{
	if (recorder->path && path && strcmp(recorder->path, path) == 0)
		return;
	recorder_close(recorder);
	free(recorder->path);
	recorder->path = path ? strdup(path) : NULL;
	if (path && !recorder->path)
		br_out_of_memory("a path", strlen(path));
	recorder->failed = false;
	recorder->retry_at = (struct mono){0};
}

static void recorder_fail(struct recorder *recorder, const char *what, int err)
{
	recorder_close(recorder);
	recorder->retry_at = mono_add_ms(mono_now(), RECORDER_RETRY_S * 1000);
	if (recorder->failed)
		return;
	recorder->failed = true;
	log_event(LOG_WARN, "flows are not recorded", "file=%s cause=%s: %s",
	    recorder->path, what, strerror(err));
}

static void recorder_write(struct recorder *recorder)
{
	ssize_t n;

	if (!recorder->length)
		return;
	n = write(recorder->fd, recorder->batch, recorder->length);
	if (n != (ssize_t)recorder->length) {
		/* A cut line would spoil the file for whoever reads it. */
		if (n > 0)
			(void)!ftruncate(
			    recorder->fd, (off_t)recorder->file_bytes);
		recorder_fail(recorder, "write", n < 0 ? errno : ENOSPC);
		return;
	}
	if (recorder->failed)
		log_event(LOG_INFO, "flows are recorded again", "file=%s",
		    recorder->path);
	recorder->failed = false;
	recorder->file_bytes += recorder->length;
	recorder->length = 0;
}

static void recorder_rotate(struct recorder *recorder)
{
	size_t room = strlen(recorder->path) + sizeof ".1";
	char *old = malloc(room);

	if (!old)
		br_out_of_memory("a path", room);
	(void)snprintf(old, room, "%s.1", recorder->path);
	recorder_close(recorder);
	if (rename(recorder->path, old))
		recorder_fail(recorder, "rename", errno);
	free(old);
}

static bool recorder_open(struct recorder *recorder)
{
	struct stat st;

	if (recorder->fd >= 0)
		return true;
	if (mono_diff_ns(mono_now(), recorder->retry_at) < 0)
		return false;
	recorder->fd = open(recorder->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (recorder->fd < 0 || fstat(recorder->fd, &st)) {
		recorder_fail(recorder, "open", errno);
		return false;
	}
	recorder->file_bytes = (uint64_t)st.st_size;
	recorder->length = 0;
	if (!recorder->file_bytes)
		recorder->length =
		    (size_t)record_format_header(recorder->batch);
	return true;
}

static void recorder_add(
    struct recorder *recorder, const struct record_row *row)
{
	char line[RECORD_LINE_MAX];
	size_t n;

	if (!recorder->path || !recorder_open(recorder))
		return;
	n = (size_t)record_format(row, line);
	if (recorder->length + n > sizeof recorder->batch)
		recorder_write(recorder);
	if (recorder->fd < 0)
		return;
	memcpy(recorder->batch + recorder->length, line, n);
	recorder->length += n;
}

bool recorder_drain(struct recorder *recorder)
{
	struct daemon *daemon = recorder->daemon;
	uint32_t rows = 0;

	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		struct record_queue *queue = daemon->row_queues[i];

		for (; rows < RECORDER_ROWS; rows++) {
			const struct record_row *row = record_queue_peek(queue);

			if (!row)
				break;
			recorder_add(recorder, row);
			record_queue_drop(queue);
		}
	}
	if (recorder->fd >= 0)
		recorder_write(recorder);
	if (recorder->fd >= 0 && recorder->file_bytes >= RECORDER_FILE_BYTES)
		recorder_rotate(recorder);
	return rows == RECORDER_ROWS;
}
