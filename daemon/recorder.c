/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/record_queue.h"
#include "daemon/privileges.h"
#include "daemon/record_file.h"
#include "profiler/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct recorder {
	struct daemon *daemon;
	struct record_file file;
	bool records; /* file is set */
	bool failed; /* since then rows are lost */
	struct mono retry_at, say_at;
	uint64_t lost; /* rows, since it failed */
	uint32_t rows; /* in the batch */
	size_t length; /* of the batch */
	char batch[RECORDER_BATCH];
};

struct recorder *recorder_new(struct daemon *daemon)
{
	struct recorder *recorder = calloc(1, sizeof *recorder);

	if (!recorder)
		br_out_of_memory("the recorder", sizeof *recorder);
	recorder->daemon = daemon;
	return recorder;
}

static void recorder_close(struct recorder *recorder)
{
	if (recorder->records)
		record_file_fini(&recorder->file);
	recorder->records = recorder->failed = false;
	recorder->retry_at = recorder->say_at = (struct mono){0};
	recorder->lost = 0;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	recorder_close(recorder);
	free(recorder);
}

void recorder_set_file(
    struct recorder *recorder, const char *path, uint64_t limit_bytes)
{
	if (recorder->records && path &&
	    strcmp(recorder->file.path, path) == 0) {
		recorder->file.limit_bytes = limit_bytes;
		return;
	}
	recorder_close(recorder);
	recorder->records = path != NULL;
	if (path)
		record_file_init(&recorder->file, path, limit_bytes);
}

/* -- what goes wrong --------------------------------------------------- */

static void recorder_lose(struct recorder *recorder)
{
	recorder->lost += recorder->rows;
	atomic_fetch_add(&recorder->daemon->rows_lost, recorder->rows);
}

static void recorder_fail(struct recorder *recorder, struct mono now)
{
	char user[64];

	recorder->retry_at = mono_add_ms(now, RECORDER_RETRY_S * 1000);
	if (recorder->failed && mono_diff_ns(now, recorder->say_at) < 0)
		return;
	recorder->failed = true;
	privileges_self(user, sizeof user);
	recorder->say_at = mono_add_ms(now, RECORDER_SAY_S * 1000);
	log_event(LOG_WARN, "flows are not recorded",
	    "file=%s cause=%s user=%s retry=%us rows_lost=%" PRIu64,
	    recorder->file.path, recorder->file.why, user, RECORDER_RETRY_S,
	    recorder->lost);
}

static void recorder_recover(struct recorder *recorder)
{
	if (recorder->failed)
		log_event(LOG_INFO, "flows are recorded again",
		    "file=%s rows_lost=%" PRIu64, recorder->file.path,
		    recorder->lost);
	recorder->failed = false;
	recorder->lost = 0;
}

/* -- rows -------------------------------------------------------------- */

static void recorder_write(struct recorder *recorder)
{
	struct mono now = mono_now();

	if (!recorder->rows)
		return;
	if (recorder->failed && mono_diff_ns(now, recorder->retry_at) < 0) {
		recorder_lose(recorder);
	} else if (record_file_append(
		       &recorder->file, recorder->batch, recorder->length)) {
		atomic_fetch_add(
		    &recorder->daemon->rows_recorded, recorder->rows);
		recorder_recover(recorder);
	} else {
		recorder_lose(recorder);
		recorder_fail(recorder, now);
	}
	recorder->length = recorder->rows = 0;
}

static void recorder_add(
    struct recorder *recorder, const struct record_row *row)
{
	if (!recorder->records)
		return;
	if (recorder->length + RECORD_LINE_MAX > sizeof recorder->batch)
		recorder_write(recorder);
	recorder->length +=
	    (size_t)record_format(row, recorder->batch + recorder->length);
	recorder->rows++;
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
	recorder_write(recorder);
	return rows == RECORDER_ROWS;
}
