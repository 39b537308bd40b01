/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The board's container: a chained hash table whose entries also stand in two
 * lists, one in order of creation (so that /metrics does not shuffle) and one
 * of those that nobody refers to, oldest first.
 *
 * Thread:  the writer of the board.
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
};

struct board_table {
	struct board_entry **buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_entries, n_idle;
	struct list all, idle;
};

void board_table_init(struct board_table *table);
void board_table_fini(struct board_table *table);
/* The first entry of that hash, or the one after `after`; NULL at the end. */
struct board_entry *board_table_find(const struct board_table *table,
    uint64_t hash, const struct board_entry *after);
/* The entry counts as referred to. */
void board_table_add(
    struct board_table *table, struct board_entry *entry, uint64_t hash);
void board_table_remove(struct board_table *table, struct board_entry *entry);
void board_table_set_idle(
    struct board_table *table, struct board_entry *entry, bool idle);

/* Zeroed memory aligned to 64 bytes; never NULL; free() it. */
void *board_alloc(size_t bytes);
