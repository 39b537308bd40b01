/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct record_queue {
	uint32_t mask;
	size_t record_bytes;
	char *records;
	/* One writer each, on lines of their own. */
	uint32_t put __attribute__((aligned(64)));
	uint32_t taken __attribute__((aligned(64)));
};

struct record_queue *record_queue_new(uint32_t records, size_t record_bytes)
{
	struct record_queue *queue;

	br_assert(records && (records & (records - 1)) == 0);
	queue = aligned_alloc(64, sizeof *queue);
	if (!queue)
		return NULL;
	memset(queue, 0, sizeof *queue);
	queue->mask = records - 1;
	queue->record_bytes = record_bytes;
	queue->records = calloc(records, record_bytes);
	if (queue->records)
		return queue;
	free(queue);
	return NULL;
}

void record_queue_free(struct record_queue *queue)
{
	if (!queue)
		return;
	free(queue->records);
	free(queue);
}

static void *record_at(const struct record_queue *queue, uint32_t n)
{
	return queue->records + (n & queue->mask) * queue->record_bytes;
}

void *record_queue_room(struct record_queue *queue)
{
	uint32_t put = __atomic_load_n(&queue->put, __ATOMIC_RELAXED);
	uint32_t taken = __atomic_load_n(&queue->taken, __ATOMIC_ACQUIRE);

	return put - taken > queue->mask ? NULL : record_at(queue, put);
}

void record_queue_put(struct record_queue *queue)
{
	uint32_t put = __atomic_load_n(&queue->put, __ATOMIC_RELAXED);

	__atomic_store_n(&queue->put, put + 1, __ATOMIC_RELEASE);
}

uint32_t record_queue_count(const struct record_queue *queue)
{
	return __atomic_load_n(&queue->put, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&queue->taken, __ATOMIC_RELAXED);
}

const void *record_queue_peek(const struct record_queue *queue)
{
	uint32_t taken = __atomic_load_n(&queue->taken, __ATOMIC_RELAXED);
	uint32_t put = __atomic_load_n(&queue->put, __ATOMIC_ACQUIRE);

	return put == taken ? NULL : record_at(queue, taken);
}

void record_queue_drop(struct record_queue *queue)
{
	uint32_t taken = __atomic_load_n(&queue->taken, __ATOMIC_RELAXED);

	__atomic_store_n(&queue->taken, taken + 1, __ATOMIC_RELEASE);
}
