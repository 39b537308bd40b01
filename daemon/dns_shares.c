/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_shares.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/strbuf.h"

#include <stdatomic.h>

/* Rows from `n` on are of a load under way, whose names stand in an arena of
 * their own. */
static struct {
	struct arena *arena; /* NULL: no row yet */
	struct strmap *rows; /* by the three names */
	struct arena *new_arena; /* NULL: none is new */
	struct strmap *new_rows;
	uint32_t n_new;
	struct dns_share at[DNS_SHARES_MAX];
	/* Names are written before it counts them. */
	_Atomic uint32_t n;
} shares;

/* None of the names can have a line feed. */
static void make_key(
    const char *zone, const char *resource, const char *pop, struct strbuf *key)
{
	strbuf_init(key);
	strbuf_addf(key, "%s\n%s\n%s", zone, resource, pop);
}

static void put(struct arena *arena, struct strmap *rows, struct dns_share *row,
    const char *zone, const char *resource, const char *pop)
{
	struct strbuf key;

	row->zone = arena_strdup(arena, zone);
	row->resource = arena_strdup(arena, resource);
	row->pop = arena_strdup(arena, pop);
	make_key(zone, resource, pop, &key);
	strmap_put(rows, arena_strdup(arena, strbuf_text(&key)), row);
	strbuf_fini(&key);
}

static uint32_t add(const char *zone, const char *resource, const char *pop)
{
	uint32_t row = atomic_load(&shares.n) + shares.n_new;

	if (row == DNS_SHARES_MAX)
		return DNS_SHARES_OTHER;
	if (!shares.new_arena) {
		shares.new_arena = arena_new();
		shares.new_rows = strmap_new(shares.new_arena);
	}
	put(shares.new_arena, shares.new_rows, &shares.at[row], zone, resource,
	    pop);
	shares.n_new++;
	return row;
}

void dns_shares_drop(void)
{
	if (shares.new_arena)
		arena_free(shares.new_arena);
	shares.new_arena = NULL;
	shares.new_rows = NULL;
	shares.n_new = 0;
}

void dns_shares_keep(void)
{
	uint32_t n = atomic_load(&shares.n);

	if (!shares.n_new)
		return;
	if (!shares.arena) {
		shares.arena = arena_new();
		shares.rows = strmap_new(shares.arena);
	}
	for (uint32_t i = n; i < n + shares.n_new; i++) {
		struct dns_share row = shares.at[i];

		put(shares.arena, shares.rows, &shares.at[i], row.zone,
		    row.resource, row.pop);
	}
	atomic_store(&shares.n, n + shares.n_new);
	dns_shares_drop();
}

const char *dns_shares_zone(const uint8_t *apex, char ret[DNAME_TEXT_MAX])
{
	uint8_t lower[DNAME_MAX];
	size_t length;

	(void)dname_lower(lower, apex);
	length = dname_to_text(lower, ret);
	/* The root is a dot alone. */
	if (length > 1)
		ret[length - 1] = '\0';
	return ret;
}

static const struct dns_share *find(const struct strmap *rows, const char *key)
{
	return rows ? strmap_get(rows, key) : NULL;
}

uint32_t dns_shares_row(
    const uint8_t *apex, const char *resource, const char *pop)
{
	char zone[DNAME_TEXT_MAX];
	const struct dns_share *found;
	struct strbuf key;

	make_key(dns_shares_zone(apex, zone), resource, pop, &key);
	found = find(shares.rows, strbuf_text(&key));
	if (!found)
		found = find(shares.new_rows, strbuf_text(&key));
	strbuf_fini(&key);
	return found ? (uint32_t)(found - shares.at) : add(zone, resource, pop);
}

uint32_t dns_shares_count(void)
{
	return atomic_load(&shares.n);
}

struct dns_share dns_shares_at(uint32_t row)
{
	static const struct dns_share other = {"other", "other", "other"};

	br_assert(row == DNS_SHARES_OTHER || row < dns_shares_count());
	return row == DNS_SHARES_OTHER ? other : shares.at[row];
}

void dns_shares_end(void)
{
	dns_shares_drop();
	if (shares.arena)
		arena_free(shares.arena);
	shares.arena = NULL;
	shares.rows = NULL;
	atomic_store(&shares.n, 0);
}
