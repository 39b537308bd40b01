/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The board's container: a chained hash table whose entries also stand in two
 * lists, one in order of creation (so that /metrics does not shuffle) and one
 * of those that nobody refers to, oldest first.
 *
 * A third, single chain in order of creation is for readers on other threads:
 * it is only ever cut at one link, and a removed entry keeps its own, so a
 * reader that stands on it finds the way back. Removed entries wait until no
 * reader is inside:
 *
 *      writer:  cut the link ... are readers inside? no: free what waits
 *      reader:  say "inside" ... follow links ... say "outside"
 *
 * All four steps are sequentially consistent, so either the writer sees the
 * reader or the reader does not see the link.
 *
 * Thread:  the writer of the board; board_table_enter/leave/first/following:
 *          any.
 * Memory:  entries are part of the caller's objects; the table owns only its
 *          buckets. Out of memory ends the process with a message, as in an
 *          arena: this runs at boot and on reload, for bounded input.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct board_entry {
	struct board_entry *next; /* in its bucket */
	uint64_t hash;
	struct list_node all, idle;
	struct board_entry *following; /* shared */
	struct board_entry *waiting; /* next of those to be freed */
};

struct board_table {
	struct board_entry **buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_entries, n_idle;
	struct list all, idle;
	struct board_entry *first; /* shared: the readers' chain */
	struct board_entry *waiting; /* removed, not freed */
	uint32_t readers; /* shared */
};

void board_table_init(struct board_table *table);
void board_table_fini(struct board_table *table);
/* The first entry of that hash, or the one after `after`; NULL at the end. */
struct board_entry *board_table_find(const struct board_table *table,
    uint64_t hash, const struct board_entry *after);
/* The entry counts as referred to. */
void board_table_add(
    struct board_table *table, struct board_entry *entry, uint64_t hash);
/* Removes it; the caller frees it when board_table_reap() gives it back. */
void board_table_remove(struct board_table *table, struct board_entry *entry);
/* All removed entries, chained by `waiting`, if no reader is inside. */
struct board_entry *board_table_reap(struct board_table *table);
void board_table_set_idle(
    struct board_table *table, struct board_entry *entry, bool idle);

/* Readers: entries met between enter and leave stay valid until leave. */
void board_table_enter(struct board_table *table);
void board_table_leave(struct board_table *table);
struct board_entry *board_table_first(const struct board_table *table);
struct board_entry *board_table_following(const struct board_entry *entry);

/* Zeroed memory aligned to 64 bytes; never NULL; free() it. */
void *board_alloc(size_t bytes);
