/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/board.h"

#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "fleet/board_table.h"

/* Enough for any writer that runs; beyond it the writer has been preempted,
 * and on a machine with few processors it may need ours. */
#define READ_SPINS 1000

struct row_entry {
	struct board_row row; /* first, so that its alignment is the block's */
	struct board_entry entry;
	char names[]; /* pool, 0, server, 0 */
};

struct listener_entry {
	struct board_listener row;
	struct board_entry entry;
	char name[];
};

struct pool_entry {
	struct board_pool row;
	struct board_entry entry;
	char name[];
};

struct board {
	uint32_t workers;
	uint32_t listeners_made;
	struct board_table rows, listeners, pools;
};

struct board *board_new(uint32_t workers)
{
	struct board *board = board_alloc(sizeof(*board));

	br_assert(workers > 0);
	board->workers = workers;
	board_table_init(&board->rows);
	board_table_init(&board->listeners);
	board_table_init(&board->pools);
	return board;
}

static struct row_entry *row_of(struct board_entry *entry)
{
	return br_container_of(entry, struct row_entry, entry);
}

static struct listener_entry *listener_of(struct board_entry *entry)
{
	return br_container_of(entry, struct listener_entry, entry);
}

/* Frees what was removed, unless a reader may still stand on it. */
static void rows_reap(struct board *board)
{
	struct board_entry *entry = board_table_reap(&board->rows);

	while (entry) {
		struct row_entry *row = row_of(entry);

		entry = entry->waiting;
		free(row->row.metrics);
		free(row);
	}
}

static void listeners_reap(struct board *board)
{
	struct board_entry *entry = board_table_reap(&board->listeners);

	while (entry) {
		struct listener_entry *row = listener_of(entry);

		entry = entry->waiting;
		free(row->row.metrics);
		free(row);
	}
}

void board_free(struct board *board)
{
	LIST_FOREACH_SAFE (node, following, &board->rows.all) {
		board_table_remove(&board->rows,
		    br_container_of(node, struct board_entry, all));
	}
	LIST_FOREACH_SAFE (node, following, &board->listeners.all) {
		board_table_remove(&board->listeners,
		    br_container_of(node, struct board_entry, all));
	}
	rows_reap(board);
	listeners_reap(board);
	/* Pools go with their last reference: there is none. */
	br_assert(board->pools.n_entries == 0);
	board_table_fini(&board->rows);
	board_table_fini(&board->listeners);
	board_table_fini(&board->pools);
	free(board);
}

/* The seed is fixed: names and addresses come from our own configuration. */
static uint64_t row_hash(
    const char *pool, const char *server, const struct addr *addr)
{
	uint64_t hash = hash_bytes(pool, strlen(pool), 1);

	hash = hash_bytes(server, strlen(server), hash);
	return addr_hash(addr, hash);
}

static struct row_entry *row_find(struct board *board, uint64_t hash,
    const char *pool, const char *server, const struct addr *addr)
{
	struct board_entry *entry = NULL;

	while ((entry = board_table_find(&board->rows, hash, entry))) {
		struct row_entry *row = row_of(entry);

		if (!strcmp(row->row.pool, pool) &&
		    !strcmp(row->row.server, server) &&
		    addr_equal(&row->row.addr, addr))
			return row;
	}
	return NULL;
}

static struct row_entry *row_make(struct board *board, uint64_t hash,
    const char *pool, const char *server, const struct addr *addr)
{
	size_t pool_room = strlen(pool) + 1, server_room = strlen(server) + 1;
	struct row_entry *row =
	    board_alloc(sizeof(*row) + pool_room + server_room);

	memcpy(row->names, pool, pool_room);
	memcpy(row->names + pool_room, server, server_room);
	row->row.pool = row->names;
	row->row.server = row->names + pool_room;
	row->row.addr = *addr;
	row->row.facts.weight_override = BOARD_WEIGHT_NONE;
	row->row.metrics =
	    board_alloc(board->workers * sizeof(*row->row.metrics));
	board_table_add(&board->rows, &row->entry, hash);
	return row;
}

struct board_row *board_row_get(struct board *board, const char *pool,
    const char *server, const struct addr *addr)
{
	uint64_t hash = row_hash(pool, server, addr);
	struct row_entry *row = row_find(board, hash, pool, server, addr);

	if (!row)
		row = row_make(board, hash, pool, server, addr);
	board_table_set_idle(&board->rows, &row->entry, false);
	row->row.references++;
	return &row->row;
}

/* Keeps the bound on rows without a reference, oldest first. */
static void rows_shrink(struct board *board)
{
	while (board->rows.n_idle > BOARD_IDLE_ROWS_MAX) {
		struct list_node *oldest = list_first(&board->rows.idle);

		board_table_remove(&board->rows,
		    br_container_of(oldest, struct board_entry, idle));
	}
	rows_reap(board);
}

void board_row_unref(struct board *board, struct board_row *row)
{
	struct row_entry *entry = br_container_of(row, struct row_entry, row);

	br_assert(row->references > 0);
	if (--row->references)
		return;
	board_table_set_idle(&board->rows, &entry->entry, true);
	rows_shrink(board);
}

/*
 * The facts as words. The usual sequence lock orders relaxed accesses by
 * fences; here the words themselves are loaded with acquire and stored with
 * release, which gives the same order (a reader that sees one new word also
 * sees the odd number before it), costs nothing on x86, and is understood by
 * the thread sanitizer, which does not know fences. H.-J. Boehm, "Can seqlocks
 * get along with programming language memory models?" (2012), section 5.
 */
#define FACT_WORDS (sizeof(struct board_facts) / sizeof(uint64_t))
_Static_assert(sizeof(struct board_facts) % sizeof(uint64_t) == 0,
    "facts are copied in words");
_Static_assert(offsetof(struct board_row, facts) % sizeof(uint64_t) == 0,
    "facts are copied in words");

static bool read_once(const struct board_row *row, struct board_facts *ret)
{
	const uint64_t *from = (const uint64_t *)(const void *)&row->facts;
	uint64_t words[FACT_WORDS];
	uint32_t before = __atomic_load_n(&row->sequence, __ATOMIC_ACQUIRE);

	if (before & 1)
		return false;
	for (size_t i = 0; i < FACT_WORDS; i++)
		words[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&row->sequence, __ATOMIC_RELAXED) != before)
		return false;
	memcpy(ret, words, sizeof(words));
	return true;
}

void board_read(const struct board_row *row, struct board_facts *ret)
{
	for (uint32_t spins = 1; !read_once(row, ret); spins++) {
		if (spins % READ_SPINS == 0)
			sched_yield();
	}
}

void board_write(struct board_row *row, const struct board_facts *facts)
{
	uint64_t *to = (uint64_t *)(void *)&row->facts;
	uint64_t words[FACT_WORDS];
	uint32_t sequence = __atomic_load_n(&row->sequence, __ATOMIC_RELAXED);

	br_assert(!(sequence & 1));
	memcpy(words, facts, sizeof(words));
	__atomic_store_n(&row->sequence, sequence + 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < FACT_WORDS; i++)
		__atomic_store_n(&to[i], words[i], __ATOMIC_RELEASE);
	__atomic_store_n(&row->sequence, sequence + 2, __ATOMIC_RELEASE);
}

void board_reset(struct board_row *row)
{
	struct board_facts before,
	    fresh = {.weight_override = BOARD_WEIGHT_NONE};

	board_read(row, &before);
	fresh.changes = before.changes;
	fresh.checks = before.checks;
	fresh.checks_failed = before.checks_failed;
	fresh.ejections = before.ejections;
	__atomic_store_n(&row->failures, 0, __ATOMIC_RELAXED);
	fresh.agent.asked = before.agent.asked;
	fresh.agent.failed = before.agent.failed;
	board_write(row, &fresh);
}

bool board_slot_take(struct board_row *row, uint32_t max)
{
	uint32_t used;

	if (max == 0) {
		__atomic_fetch_add(&row->slots_used, 1, __ATOMIC_SEQ_CST);
		return true;
	}
	used = __atomic_load_n(&row->slots_used, __ATOMIC_SEQ_CST);
	do {
		if (used >= max)
			return false;
	} while (!__atomic_compare_exchange_n(&row->slots_used, &used, used + 1,
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

void board_slot_release(struct board_row *row)
{
	uint32_t before =
	    __atomic_fetch_sub(&row->slots_used, 1, __ATOMIC_SEQ_CST);

	br_assert(before > 0);
}

static struct listener_entry *listener_find(
    struct board *board, uint64_t hash, const char *name)
{
	struct board_entry *entry = NULL;

	while ((entry = board_table_find(&board->listeners, hash, entry))) {
		if (!strcmp(listener_of(entry)->row.name, name))
			return listener_of(entry);
	}
	return NULL;
}

static struct listener_entry *listener_make(
    struct board *board, uint64_t hash, const char *name)
{
	size_t room = strlen(name) + 1;
	struct listener_entry *row = board_alloc(sizeof(*row) + room);

	memcpy(row->name, name, room);
	row->row.name = row->name;
	row->row.number = ++board->listeners_made;
	row->row.metrics =
	    board_alloc(board->workers * sizeof(*row->row.metrics));
	board_table_add(&board->listeners, &row->entry, hash);
	return row;
}

struct board_listener *board_listener_get(struct board *board, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name), 1);
	struct listener_entry *row = listener_find(board, hash, name);

	if (!row)
		row = listener_make(board, hash, name);
	board_table_set_idle(&board->listeners, &row->entry, false);
	row->row.references++;
	return &row->row;
}

void board_listener_unref(struct board *board, struct board_listener *row)
{
	struct listener_entry *entry =
	    br_container_of(row, struct listener_entry, row);

	br_assert(row->references > 0);
	if (--row->references)
		return;
	board_table_set_idle(&board->listeners, &entry->entry, true);
	while (board->listeners.n_idle > BOARD_IDLE_LISTENERS_MAX) {
		struct list_node *oldest = list_first(&board->listeners.idle);

		board_table_remove(&board->listeners,
		    br_container_of(oldest, struct board_entry, idle));
	}
	listeners_reap(board);
}

static struct pool_entry *pool_of(struct board_entry *entry)
{
	return br_container_of(entry, struct pool_entry, entry);
}

struct board_pool *board_pool_get(struct board *board, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name), 1);
	size_t room = strlen(name) + 1;
	struct board_entry *entry = NULL;
	struct pool_entry *pool;

	while ((entry = board_table_find(&board->pools, hash, entry))) {
		pool = pool_of(entry);
		if (!strcmp(pool->name, name)) {
			pool->row.references++;
			return &pool->row;
		}
	}
	pool = board_alloc(sizeof(*pool) + room);
	memcpy(pool->name, name, room);
	pool->row.name = pool->name;
	pool->row.references = 1;
	board_table_add(&board->pools, &pool->entry, hash);
	return &pool->row;
}

void board_pool_unref(struct board *board, struct board_pool *row)
{
	struct pool_entry *pool = br_container_of(row, struct pool_entry, row);
	struct board_entry *entry;

	br_assert(row->references > 0);
	if (--row->references)
		return;
	board_table_remove(&board->pools, &pool->entry);
	/* Nobody walks this table from another thread. */
	entry = board_table_reap(&board->pools);
	br_assert(entry == &pool->entry && !entry->waiting);
	free(pool);
}

void board_enter(struct board *board)
{
	board_table_enter(&board->rows);
	board_table_enter(&board->listeners);
}

void board_leave(struct board *board)
{
	board_table_leave(&board->rows);
	board_table_leave(&board->listeners);
}

void board_each(struct board *board,
    void (*on_row)(void *context, struct board_row *row), void *context)
{
	struct board_entry *entry = board_table_first(&board->rows);

	for (; entry; entry = board_table_following(entry))
		on_row(context, &row_of(entry)->row);
}

void board_each_listener(struct board *board,
    void (*on_row)(void *context, struct board_listener *row), void *context)
{
	struct board_entry *entry = board_table_first(&board->listeners);

	for (; entry; entry = board_table_following(entry))
		on_row(context, &listener_of(entry)->row);
}
