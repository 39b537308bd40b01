/* SPDX-License-Identifier: Apache-2.0 */
#include "base/snapshot.h"

#include "base/assert.h"
#include "base/race.h"

#include <ck_epoch.h>
#include <stdlib.h>
#include <time.h>

#define CACHE_LINE 64

struct snapshot {
	void *current;
	uint32_t readers;
	ck_epoch_t epoch;
};

struct snapshot_reader {
	ck_epoch_record_t record; /* first: its list entry is its address */
	struct snapshot *snapshot;
};

_Static_assert(offsetof(struct snapshot_reader, record) == 0,
    "a record is converted to its reader");

struct snapshot *snapshot_new(void *initial)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->current = initial;
	ck_epoch_init(&s->epoch);
	return s;
}

/* Concurrency Kit never unlinks a record, so the memory of all readers that
 * ever were stays until here. */
void snapshot_free(struct snapshot *s)
{
	ck_stack_entry_t *entry, *next;

	if (!s)
		return;
	br_assert(__atomic_load_n(&s->readers, __ATOMIC_ACQUIRE) == 0);
	for (entry = CK_STACK_FIRST(&s->epoch.records); entry; entry = next) {
		next = CK_STACK_NEXT(entry);
		free(br_container_of(entry, ck_epoch_record_t, record_next));
	}
	free(s);
}

struct snapshot_reader *snapshot_reader_new(struct snapshot *s)
{
	struct snapshot_reader *reader;
	size_t bytes =
	    (sizeof(*reader) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);

	/* One that has been given back, if there is any. */
	reader =
	    (struct snapshot_reader *)(void *)ck_epoch_recycle(&s->epoch, NULL);
	if (!reader) {
		reader = aligned_alloc(CACHE_LINE, bytes);
		if (!reader)
			return NULL;
		ck_epoch_register(&s->epoch, &reader->record, NULL);
	}
	br_race_acquire(s);
	reader->snapshot = s;
	__atomic_fetch_add(&s->readers, 1, __ATOMIC_ACQ_REL);
	return reader;
}

void snapshot_reader_free(struct snapshot_reader *reader)
{
	struct snapshot *s;

	if (!reader)
		return;
	s = reader->snapshot;
	br_assert(reader->record.active == 0);
	br_race_release(s);
	ck_epoch_unregister(&reader->record);
	__atomic_fetch_sub(&s->readers, 1, __ATOMIC_ACQ_REL);
}

void *snapshot_enter(struct snapshot_reader *reader)
{
	br_assert(reader->record.active == 0);
	ck_epoch_begin(&reader->record, NULL);
	return __atomic_load_n(&reader->snapshot->current, __ATOMIC_ACQUIRE);
}

void snapshot_leave(struct snapshot_reader *reader)
{
	br_assert(reader->record.active == 1);
	br_race_release(reader->snapshot);
	(void)ck_epoch_end(&reader->record, NULL);
}

void *snapshot_current(const struct snapshot *s)
{
	return __atomic_load_n(&s->current, __ATOMIC_ACQUIRE);
}

void *snapshot_publish(struct snapshot *s, void *next)
{
	return __atomic_exchange_n(&s->current, next, __ATOMIC_ACQ_REL);
}

/* A reader is in its section for at most one turn of its loop: sleep rather
 * than spin on a core that it may need. */
static void wait_a_little(
    ck_epoch_t *epoch, ck_epoch_record_t *record, void *context)
{
	const struct timespec pause = {.tv_nsec = 50000};

	(void)epoch;
	(void)record;
	(void)context;
	(void)nanosleep(&pause, NULL);
}

/* Needs no record of its own: it only watches those of the readers. */
void snapshot_synchronize(struct snapshot *s)
{
	ck_epoch_synchronize_wait(&s->epoch, wait_a_little, NULL);
	br_race_acquire(s);
}
