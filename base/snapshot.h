/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An immutable object published by pointer, with epoch-based reclamation
 * (ck_epoch; Fraser 2004). A reader brackets its use by enter and leave; the
 * section lasts at most one turn of its loop and covers only "load pointer,
 * take what is needed". What outlives the section needs a reference of its
 * own.
 *
 *      publisher:  publish(new) -> old ... retire(old) after a grace period
 *      reader:     enter, load, use, leave
 *
 * Thread:  one publisher; each reader thread registers once.
 * Memory:  the publisher owns old objects until retire's callback has run.
 * Limits:  readers never block; snapshot_synchronize() may (clerk only).
 */
#include <stdint.h>

#include "base/error.h"

struct snapshot;
struct snapshot_reader;

struct snapshot *snapshot_new(void *initial);
/* No reader may be registered. Does not free the object. */
void snapshot_free(struct snapshot *s);

struct snapshot_reader *snapshot_reader_new(struct snapshot *s);
void snapshot_reader_free(struct snapshot_reader *reader);
/* The current object; valid until leave. Sections do not nest. */
void *snapshot_enter(struct snapshot_reader *reader);
void snapshot_leave(struct snapshot_reader *reader);

/* The publisher: the current object. */
void *snapshot_current(const struct snapshot *s);
/* Makes `next` current and returns the object before. */
void *snapshot_publish(struct snapshot *s, void *next);
/* Returns when no reader can hold an object published before. Blocks. */
void snapshot_synchronize(struct snapshot *s);
