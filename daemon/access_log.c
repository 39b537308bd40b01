/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/access_log.h"

#include <string.h>

#include "base/log.h"
#include "lb/flow_line.h"

/* Whole lines that wait for one write. */
struct batch {
	size_t length;
	char text[ACCESS_LOG_BATCH];
};

static void batch_write(struct batch *batch)
{
	if (batch->length)
		log_write_lines(batch->text, batch->length);
	batch->length = 0;
}

/* Where the next line may be composed. */
static char *batch_room(struct batch *batch)
{
	if (batch->length > sizeof(batch->text) - LOG_LINE_MAX)
		batch_write(batch);
	return batch->text + batch->length;
}

static void batch_add_record(
    struct batch *batch, const struct flow_record *record)
{
	char *room = batch_room(batch);

	batch->length += (size_t)flow_line_compose(record, room, LOG_LINE_MAX);
}

static void batch_add_text(struct batch *batch, const char *text, size_t length)
{
	memcpy(batch_room(batch), text, length);
	batch->length += length;
}

/* What is left of what was there at the begin. */
struct merge {
	const struct daemon *daemon;
	struct batch *batch;
	uint32_t records[CONF_WORKERS_MAX], lines;
};

/* The worker whose next record is the oldest; n_workers: none has one. */
static uint32_t oldest_worker(const struct merge *merge)
{
	uint32_t n = merge->daemon->n_workers, found = n;
	int64_t oldest_ns = INT64_MAX;

	for (uint32_t i = 0; i < n; i++) {
		const struct flow_record *next;

		if (!merge->records[i])
			continue;
		next = flow_log_peek(merge->daemon->flow_logs[i]);
		if (found == n || next->ended_at.ns < oldest_ns) {
			found = i;
			oldest_ns = next->ended_at.ns;
		}
	}
	return found;
}

static bool write_oldest(struct merge *merge)
{
	uint32_t worker = oldest_worker(merge);
	const struct flow_record *record = NULL;
	struct record_queue *log = NULL;
	const char *text;
	struct wall at;
	size_t length;

	if (worker < merge->daemon->n_workers) {
		log = merge->daemon->flow_logs[worker];
		record = flow_log_peek(log);
	}
	if (merge->lines && log_peek(&at, &text, &length) &&
	    (!record || at.ns <= record->ended_at.ns)) {
		batch_add_text(merge->batch, text, length);
		log_drop();
		merge->lines--;
		return true;
	}
	if (!record)
		return false;
	batch_add_record(merge->batch, record);
	record_queue_drop(log);
	merge->records[worker]--;
	return true;
}

uint32_t access_log_drain(struct daemon *daemon)
{
	static struct batch batch;
	struct merge merge = {
	    .daemon = daemon, .batch = &batch, .lines = log_waiting()};
	uint32_t records = 0;

	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		merge.records[i] = record_queue_count(daemon->flow_logs[i]);
		records += merge.records[i];
	}
	while (write_oldest(&merge))
		;
	batch_write(&batch);
	return records;
}
