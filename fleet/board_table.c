/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/board_table.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 256

void *board_alloc(size_t bytes)
{
	size_t rounded = (bytes + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, rounded);

	if (!memory) {
		fprintf(stderr, "braid: out of memory (board)\n");
		abort();
	}
	memset(memory, 0, rounded);
	return memory;
}

void board_table_init(struct board_table *table)
{
	memset(table, 0, sizeof(*table));
	table->n_buckets = BUCKETS_FIRST;
	table->buckets = board_alloc(BUCKETS_FIRST * sizeof(*table->buckets));
	list_init(&table->all);
	list_init(&table->idle);
}

void board_table_fini(struct board_table *table)
{
	br_assert(table->n_entries == 0 && !table->waiting);
	free(table->buckets);
	table->buckets = NULL;
}

static struct board_entry **bucket_of(
    const struct board_table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

struct board_entry *board_table_find(const struct board_table *table,
    uint64_t hash, const struct board_entry *after)
{
	struct board_entry *entry =
	    after ? after->next : *bucket_of(table, hash);

	while (entry && entry->hash != hash)
		entry = entry->next;
	return entry;
}

static void grow(struct board_table *table)
{
	struct board_entry **before = table->buckets;

	table->n_buckets *= 2;
	table->buckets =
	    board_alloc(table->n_buckets * sizeof(*table->buckets));
	LIST_FOREACH (node, &table->all) {
		struct board_entry *entry =
		    br_container_of(node, struct board_entry, all);
		struct board_entry **bucket = bucket_of(table, entry->hash);

		entry->next = *bucket;
		*bucket = entry;
	}
	free(before);
}

/* Where the readers' chain points to what stands before `node` in `all`. */
static struct board_entry **link_to_next(
    struct board_table *table, const struct list_node *node)
{
	if (node->prev == &table->all.head)
		return &table->first;
	return &br_container_of(node->prev, struct board_entry, all)->following;
}

void board_table_add(
    struct board_table *table, struct board_entry *entry, uint64_t hash)
{
	struct board_entry **bucket;

	if (table->n_entries >= table->n_buckets)
		grow(table);
	entry->hash = hash;
	bucket = bucket_of(table, hash);
	entry->next = *bucket;
	*bucket = entry;
	__atomic_store_n(
	    link_to_next(table, &table->all.head), entry, __ATOMIC_SEQ_CST);
	list_push_back(&table->all, &entry->all);
	list_node_init(&entry->idle);
	table->n_entries++;
}

void board_table_remove(struct board_table *table, struct board_entry *entry)
{
	struct board_entry **at = bucket_of(table, entry->hash);

	while (*at != entry) {
		br_assert(*at);
		at = &(*at)->next;
	}
	*at = entry->next;
	__atomic_store_n(link_to_next(table, &entry->all), entry->following,
	    __ATOMIC_SEQ_CST);
	list_remove(&entry->all);
	board_table_set_idle(table, entry, false);
	table->n_entries--;
	entry->waiting = table->waiting;
	table->waiting = entry;
}

struct board_entry *board_table_reap(struct board_table *table)
{
	struct board_entry *removed = table->waiting;

	if (!removed || __atomic_load_n(&table->readers, __ATOMIC_SEQ_CST))
		return NULL;
	table->waiting = NULL;
	return removed;
}

void board_table_enter(struct board_table *table)
{
	__atomic_fetch_add(&table->readers, 1, __ATOMIC_SEQ_CST);
}

void board_table_leave(struct board_table *table)
{
	uint32_t before =
	    __atomic_fetch_sub(&table->readers, 1, __ATOMIC_SEQ_CST);

	br_assert(before > 0);
}

struct board_entry *board_table_first(const struct board_table *table)
{
	return __atomic_load_n(&table->first, __ATOMIC_SEQ_CST);
}

struct board_entry *board_table_following(const struct board_entry *entry)
{
	return __atomic_load_n(&entry->following, __ATOMIC_SEQ_CST);
}

void board_table_set_idle(
    struct board_table *table, struct board_entry *entry, bool idle)
{
	if (idle == list_linked(&entry->idle))
		return;
	if (idle) {
		list_push_back(&table->idle, &entry->idle);
		table->n_idle++;
	} else {
		list_remove(&entry->idle);
		table->n_idle--;
	}
}
