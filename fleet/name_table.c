/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_table.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUCKETS 4096u /* a power of two */

struct name_table {
	struct name_hooks hooks;
	struct name_rules rules;
	struct timer_wheel wheel;
	struct list ready;
	uint32_t n_asking;
	uint32_t n_queries;
	uint32_t n_unasked; /* of those used */
	bool sweep; /* what is wanted has changed since the last one */
	uint64_t version;
	uint64_t counts[NAME_RESULTS];
	struct name_query *buckets[BUCKETS];
};

#define FOREACH_QUERY(query, table)                                            \
	for (uint32_t bucket_ = 0; bucket_ < BUCKETS; bucket_++)               \
		for (struct name_query *query = (table)->buckets[bucket_];     \
		     query; query = query->next)

/* -- records in a fixed order, so that sets can be compared ------------ */

static int compare_ips(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET)
		return memcmp(&a->in.sin_addr, &b->in.sin_addr, 4);
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16);
}

static int compare_records(const void *a, const void *b)
{
	const struct name_record *x = a, *y = b;
	int order;

	if (!x->target[0])
		return compare_ips(&x->addr, &y->addr);
	if (x->priority != y->priority)
		return (int)x->priority - (int)y->priority;
	order = strcasecmp(x->target, y->target);
	if (order)
		return order;
	if (x->port != y->port)
		return (int)x->port - (int)y->port;
	return (int)x->weight - (int)y->weight;
}

/* A sorted copy without doubles. */
static struct name_record *records_copy(
    const struct name_record *from, uint32_t n_from, uint32_t *ret_n)
{
	struct name_record *records = calloc(n_from, sizeof *records);
	uint32_t n = 0;

	if (!records)
		br_out_of_memory("records of a name", n_from * sizeof *records);
	memcpy(records, from, n_from * sizeof *records);
	qsort(records, n_from, sizeof *records, compare_records);
	for (uint32_t i = 1; i < n_from; i++)
		if (compare_records(&records[n], &records[i]))
			records[++n] = records[i];
	*ret_n = n + 1;
	return records;
}

static bool records_same(const struct name_query *query,
    const struct name_record *records, uint32_t n)
{
	if (query->n != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (compare_records(&query->records[i], &records[i]))
			return false;
	return true;
}

/* -- queries ----------------------------------------------------------- */

static struct name_query **bucket_of(
    struct name_table *table, const char *host, enum name_type type)
{
	char lower[NAME_HOST_MAX + 1];
	size_t length = strnlen(host, NAME_HOST_MAX);

	for (size_t i = 0; i < length; i++)
		lower[i] = (char)tolower((unsigned char)host[i]);
	return &table->buckets[hash_bytes(lower, length, type) & (BUCKETS - 1)];
}

static void make_ready(struct name_query *query)
{
	if (!query->asking && !list_linked(&query->ready))
		list_push_back(&query->table->ready, &query->ready);
}

static void on_due(struct timer *timer, struct mono now)
{
	(void)now;
	make_ready(br_container_of(timer, struct name_query, due));
}

static struct name_query *query_new(struct name_table *table,
    struct name_query **bucket, const char *host, enum name_type type)
{
	struct name_query *query = calloc(1, sizeof *query);

	if (!query)
		br_out_of_memory("a name", sizeof *query);
	memcpy(query->host, host, strnlen(host, NAME_HOST_MAX));
	query->type = type;
	query->table = table;
	timer_init(&query->due, on_due);
	list_node_init(&query->ready);
	query->next = *bucket;
	*bucket = query;
	table->n_queries++;
	make_ready(query);
	return query;
}

static struct name_query *query_get(
    struct name_table *table, const char *host, enum name_type type)
{
	struct name_query **bucket = bucket_of(table, host, type);

	for (struct name_query *query = *bucket; query; query = query->next)
		if (query->type == type && !strcasecmp(query->host, host))
			return query;
	return query_new(table, bucket, host, type);
}

static void query_free(struct name_query *query)
{
	struct name_table *table = query->table;
	struct name_query **at = bucket_of(table, query->host, query->type);

	while (*at != query)
		at = &(*at)->next;
	*at = query->next;
	timer_disarm(&table->wheel, &query->due);
	if (list_linked(&query->ready))
		list_remove(&query->ready);
	table->n_queries--;
	free(query->records);
	free(query);
}

/* -- what is wanted ---------------------------------------------------- */

/* The hosts that an SRV answer names. New ones stand in front of their
 * bucket, so a walk over all may or may not meet them: either is fine. */
static void use_targets(struct name_query *srv)
{
	struct name_table *table = srv->table;

	for (uint32_t i = 0; i < srv->n; i++) {
		const char *target = srv->records[i].target;

		if (srv->ipv4)
			query_get(table, target, NAME_A)->used = true;
		if (srv->ipv6)
			query_get(table, target, NAME_AAAA)->used = true;
	}
}

/* Forgets what neither the configuration nor an SRV record names. */
static void sweep(struct name_table *table)
{
	struct name_query *next;

	table->sweep = false;
	FOREACH_QUERY(query, table)
	query->used = query->wanted;
	FOREACH_QUERY(query, table)
	if (query->wanted && query->type == NAME_SRV)
		use_targets(query);
	table->n_unasked = 0;
	for (uint32_t i = 0; i < BUCKETS; i++)
		for (struct name_query *query = table->buckets[i]; query;
		     query = next) {
			next = query->next;
			if (query->used)
				table->n_unasked += !query->asked;
			else if (!query->asking)
				query_free(query);
		}
}

void name_table_want(struct name_table *table, const struct name_want *wants,
    uint32_t n, bool only)
{
	if (only)
		FOREACH_QUERY(query, table)
	query->wanted = query->ipv4 = query->ipv6 = false;
	for (uint32_t i = 0; i < n; i++) {
		const struct name_want *want = &wants[i];

		if (want->srv) {
			struct name_query *query =
			    query_get(table, want->host, NAME_SRV);

			query->wanted = true;
			query->ipv4 |= want->ipv4;
			query->ipv6 |= want->ipv6;
			continue;
		}
		if (want->ipv4)
			query_get(table, want->host, NAME_A)->wanted = true;
		if (want->ipv6)
			query_get(table, want->host, NAME_AAAA)->wanted = true;
	}
	sweep(table);
}

void name_table_hurry(struct name_table *table)
{
	FOREACH_QUERY(query, table)
	{
		timer_disarm(&table->wheel, &query->due);
		make_ready(query);
	}
}

/* -- what was known elsewhere ------------------------------------------ */

static struct name_query *find_unasked(
    struct name_table *table, const struct name_view_row *row)
{
	struct name_query *query = *bucket_of(table, row->host, row->type);

	while (query && (query->type != row->type ||
			    strcasecmp(query->host, row->host) != 0))
		query = query->next;
	return query && !query->asked ? query : NULL;
}

static void restore_row(
    struct name_query *query, const struct name_view_row *row)
{
	query->asked = row->asked;
	query->last = row->last;
	query->ttl_s = row->ttl_s;
	query->answered = row->answered;
	query->absent_since = row->absent_since;
	if (!row->n)
		return;
	free(query->records);
	query->records = records_copy(row->records, row->n, &query->n);
	query->table->version++;
}

static void restore_rows(
    struct name_table *table, const struct name_view *known, bool services)
{
	for (uint32_t i = 0; i < known->n; i++) {
		const struct name_view_row *row = &known->rows[i];
		struct name_query *query;

		if ((row->type == NAME_SRV) != services)
			continue;
		query = find_unasked(table, row);
		if (query)
			restore_row(query, row);
	}
	sweep(table);
}

/* Services first: the hosts that they name are wanted only then. */
void name_table_restore(struct name_table *table, const struct name_view *known)
{
	restore_rows(table, known, true);
	restore_rows(table, known, false);
}

/* -- answers ----------------------------------------------------------- */

static void tell(const struct name_query *query, enum name_event event)
{
	const struct name_hooks *hooks = &query->table->hooks;

	if (hooks->on_event)
		hooks->on_event(hooks->context, query, event);
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	if (value > high)
		value = high;
	return value < low ? low : value;
}

static void rest(struct name_query *query, uint64_t ms, struct mono now)
{
	query->due_at = mono_add_ms(now, (int64_t)ms);
	timer_arm(&query->table->wheel, &query->due, query->due_at);
}

/* Takes over `records`. */
static void replace(
    struct name_query *query, struct name_record *records, uint32_t n)
{
	free(query->records);
	query->records = records;
	query->n = n;
	query->table->version++;
	if (query->type == NAME_SRV)
		query->table->sweep = true;
}

static void on_records(
    struct name_query *query, const struct name_answer *answer, struct mono now)
{
	const struct name_rules *rules = &query->table->rules;
	struct name_record *records;
	uint32_t n;

	query->answered = now;
	query->failures = 0;
	query->absent_since.ns = 0;
	query->ttl_s = answer->ttl_s;
	records = records_copy(answer->records, answer->n, &n);
	if (records_same(query, records, n)) {
		free(records);
	} else {
		replace(query, records, n);
		tell(query, NAME_EVENT_CHANGED);
	}
	rest(query,
	    clamp((uint64_t)answer->ttl_s * 1000, rules->min_ttl_ms,
		rules->max_ttl_ms),
	    now);
}

/* Somebody who should know says that there is nothing. It may be a slip of
 * whoever edits the zone, so what is known is held for a while. */
static void on_absent(
    struct name_query *query, const struct name_answer *answer, struct mono now)
{
	const struct name_rules *rules = &query->table->rules;
	uint64_t wait_ms = clamp((uint64_t)answer->ttl_s * 1000,
	    rules->min_ttl_ms, rules->max_ttl_ms);
	int64_t held_ms;

	query->failures = 0;
	query->ttl_s = answer->ttl_s;
	if (!query->absent_since.ns)
		query->absent_since = now;
	held_ms = mono_diff_ns(now, query->absent_since) / NS_PER_MS;
	if (query->n && (uint64_t)held_ms >= rules->hold_ms) {
		replace(query, NULL, 0);
		tell(query, NAME_EVENT_GIVEN_UP);
	}
	/* While it is held it is asked again often enough to end in time. */
	if (query->n)
		wait_ms = clamp(wait_ms, rules->min_ttl_ms,
		    rules->hold_ms - (uint64_t)held_ms + 1);
	rest(query, wait_ms, now);
}

static void on_failure(struct name_query *query, struct mono now)
{
	uint64_t wait_ms = NAME_RETRY_MIN_MS;

	for (uint32_t i = 0; i < query->failures && wait_ms < NAME_RETRY_MAX_MS;
	     i++)
		wait_ms *= 2;
	query->failures++;
	/* The absence was not confirmed in a row. */
	query->absent_since.ns = 0;
	rest(query, clamp(wait_ms, NAME_RETRY_MIN_MS, NAME_RETRY_MAX_MS), now);
}

/* That a host has addresses of one family only is no failure, and usual. */
static bool counts_as_failing(const struct name_query *query)
{
	if (!query->asked || query->last == NAME_ANSWER)
		return false;
	return query->last != NAME_NODATA || query->type == NAME_SRV ||
	       query->n;
}

static void note_result(struct name_query *query, enum name_result result)
{
	struct name_table *table = query->table;

	query->counts[result]++;
	table->counts[result]++;
	query->last = result;
	if (!query->asked && query->used) {
		br_assert(table->n_unasked > 0);
		table->n_unasked--;
	}
	query->asked = true;
}

void name_table_answer(struct name_table *table, struct name_query *query,
    const struct name_answer *answer, struct mono now)
{
	bool failing = counts_as_failing(query);

	br_assert(query->asking && answer->result < NAME_RESULTS);
	query->asking = false;
	table->n_asking--;
	if (!query->used) {
		query_free(query);
		return;
	}
	note_result(query, answer->result);
	if (answer->result == NAME_ANSWER)
		on_records(query, answer, now);
	else if (answer->result == NAME_NXDOMAIN ||
		 answer->result == NAME_NODATA)
		on_absent(query, answer, now);
	else
		on_failure(query, now);
	if (counts_as_failing(query) != failing)
		tell(
		    query, failing ? NAME_EVENT_RECOVERED : NAME_EVENT_FAILING);
}

void name_table_put_back(struct name_table *table, struct name_query *query)
{
	br_assert(query->asking);
	query->asking = false;
	table->n_asking--;
	if (query->used)
		make_ready(query);
	else
		query_free(query);
}

struct name_query *name_table_take(struct name_table *table)
{
	struct list_node *node;
	struct name_query *query;

	if (table->n_asking >= NAME_ASKING_MAX)
		return NULL;
	node = list_pop_front(&table->ready);
	if (!node)
		return NULL;
	query = br_container_of(node, struct name_query, ready);
	query->asking = true;
	query->due_at.ns = 0;
	table->n_asking++;
	return query;
}

/* -- the table --------------------------------------------------------- */

struct name_table *name_table_new(
    const struct name_hooks *hooks, struct mono now)
{
	struct name_table *table = calloc(1, sizeof *table);

	if (!table)
		br_out_of_memory("names", sizeof *table);
	table->hooks = *hooks;
	table->rules = (struct name_rules){
	    .min_ttl_ms = 1000,
	    .max_ttl_ms = 3600 * 1000,
	    .hold_ms = NAME_HOLD_DEFAULT_MS,
	};
	timer_wheel_init(&table->wheel, now);
	list_init(&table->ready);
	return table;
}

void name_table_free(struct name_table *table)
{
	for (uint32_t i = 0; i < BUCKETS; i++)
		while (table->buckets[i])
			query_free(table->buckets[i]);
	free(table);
}

void name_table_set_rules(
    struct name_table *table, const struct name_rules *rules)
{
	table->rules = *rules;
}

void name_table_advance(struct name_table *table, struct mono now)
{
	(void)timer_wheel_advance(&table->wheel, now);
	if (table->sweep)
		sweep(table);
}

int64_t name_table_sleep_ns(
    const struct name_table *table, struct mono now, int64_t max_ns)
{
	if (table->sweep ||
	    (!list_empty(&table->ready) && table->n_asking < NAME_ASKING_MAX))
		return 0;
	return timer_wheel_sleep_ns(&table->wheel, now, max_ns);
}

bool name_table_settled(const struct name_table *table)
{
	return !table->sweep && !table->n_unasked;
}

uint64_t name_table_version(const struct name_table *table)
{
	return table->version;
}

static void fill_row(struct arena *arena, struct name_view_row *row,
    const struct name_query *query)
{
	struct name_record *records =
	    arena_alloc(arena, query->n * sizeof *records + 1);

	if (query->n)
		memcpy(records, query->records, query->n * sizeof *records);
	*row = (struct name_view_row){
	    .host = arena_strdup(arena, query->host),
	    .type = query->type,
	    .n = query->n,
	    .records = records,
	    .asked = query->asked,
	    .wanted = query->wanted,
	    .last = query->last,
	    .ttl_s = query->ttl_s,
	    .due = query->due_at,
	    .answered = query->answered,
	    .absent_since = query->absent_since,
	};
	memcpy(row->counts, query->counts, sizeof row->counts);
}

struct name_view *name_table_view(const struct name_table *table)
{
	struct name_view *view = name_view_new();

	view->version = table->version;
	memcpy(view->counts, table->counts, sizeof view->counts);
	view->rows =
	    arena_alloc(view->arena, table->n_queries * sizeof *view->rows + 1);
	FOREACH_QUERY(query, table)
	if (query->used)
		fill_row(view->arena, &view->rows[view->n++], query);
	name_view_sort(view);
	return view;
}
