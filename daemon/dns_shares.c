/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_shares.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/strbuf.h"

#include <stdatomic.h>

static struct {
	struct arena *arena; /* NULL: no row yet */
	struct strmap *rows; /* by the three names */
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

static uint32_t add(
    const char *key, const char *zone, const char *resource, const char *pop)
{
	uint32_t n = atomic_load(&shares.n);
	struct dns_share *row = &shares.at[n];

	if (n == DNS_SHARES_MAX)
		return DNS_SHARES_OTHER;
	row->zone = arena_strdup(shares.arena, zone);
	row->resource = arena_strdup(shares.arena, resource);
	row->pop = arena_strdup(shares.arena, pop);
	strmap_put(shares.rows, arena_strdup(shares.arena, key), row);
	atomic_store(&shares.n, n + 1);
	return n;
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

uint32_t dns_shares_row(
    const uint8_t *apex, const char *resource, const char *pop)
{
	char zone[DNAME_TEXT_MAX];
	struct dns_share *found;
	struct strbuf key;
	uint32_t row;

	if (!shares.arena) {
		shares.arena = arena_new();
		shares.rows = strmap_new(shares.arena);
	}
	make_key(dns_shares_zone(apex, zone), resource, pop, &key);
	found = strmap_get(shares.rows, strbuf_text(&key));
	row = found ? (uint32_t)(found - shares.at)
		    : add(strbuf_text(&key), zone, resource, pop);
	strbuf_fini(&key);
	return row;
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
	if (shares.arena)
		arena_free(shares.arena);
	shares.arena = NULL;
	shares.rows = NULL;
	atomic_store(&shares.n, 0);
}
