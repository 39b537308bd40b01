/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/access_log.h"

#include "base/log.h"

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

static void batch_add(struct batch *batch, const struct flow_record *record)
{
	char fields[LOG_LINE_MAX];

	if (batch->length > sizeof(batch->text) - LOG_LINE_MAX)
		batch_write(batch);
	(void)flow_record_format(record, fields, (int)sizeof(fields));
	batch->length += (size_t)log_compose(batch->text + batch->length,
	    LOG_LINE_MAX, record->ended_at, "info", "flow", fields);
}

uint32_t access_log_drain(struct daemon *daemon)
{
	static struct batch batch;
	struct flow_record record;
	uint32_t taken = 0;

	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		struct flow_log *log = daemon->flow_logs[i];
		uint32_t n = 0;

		while (n < ACCESS_LOG_TURN_MAX && flow_log_take(log, &record)) {
			batch_add(&batch, &record);
			n++;
		}
		taken += n;
	}
	batch_write(&batch);
	return taken;
}
