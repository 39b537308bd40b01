/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which names are asked for, when, and what is known about them. It decides
 * only: who asks hands it the answers and the time.
 *
 *   want(names) ──> ready ──take──> asking ──answer──> resting
 *                     ^                                   │ due
 *                     └───────────────────────────────────┘
 *
 * One query is one (host, type). A name of the configuration needs A, AAAA or
 * both; a service needs SRV, and A and AAAA of every target of the answer.
 * Names that several pools have are asked for once.
 *
 * What is known is kept until something better comes:
 *
 *   an answer             replaces it; asked again when its TTL, within
 *                         min_ttl and max_ttl, is over
 *   no such name,         (from who should know) kept for `hold` after the
 *   no such record        first of these in a row, then given up
 *   no answer, SERVFAIL   kept for ever; asked again after 1, 2, 4 ...
 *                         NAME_RETRY_MAX_MS
 *
 * Thread:  one owner.
 * Memory:  its own; what hooks are given is valid during the call.
 * Limits:  NAME_ASKING_MAX queries at work at a time.
 */
#include "base/timer.h"
#include "fleet/name.h"
#include "fleet/name_view.h"

#define NAME_RETRY_MIN_MS 1000
#define NAME_RETRY_MAX_MS 30000
#define NAME_ASKING_MAX 64u

/* What the configuration wants to know. */
struct name_want {
	const char *host;
	bool srv;
	bool ipv4, ipv6;
};

struct name_rules {
	uint64_t min_ttl_ms, max_ttl_ms, hold_ms;
};

struct name_query {
	struct name_query *next; /* in its bucket */
	struct timer due;
	struct list_node ready;
	struct name_table *table;
	char host[NAME_HOST_MAX + 1];
	enum name_type type;
	bool wanted; /* by the configuration */
	bool asking, asked;
	bool ipv4, ipv6; /* of an SRV: which records of its targets */
	bool used; /* by the sweep under way */
	enum name_result last;
	uint32_t ttl_s;
	uint32_t n;
	struct name_record *records;
	uint32_t failures; /* in a row */
	struct mono absent_since; /* ns 0: not absent */
	struct mono due_at, answered;
	uint64_t counts[NAME_RESULTS];
};

enum name_event {
	NAME_EVENT_FAILING, /* the last result is a failure, as none before */
	NAME_EVENT_RECOVERED,
	NAME_EVENT_CHANGED, /* other records than before */
	NAME_EVENT_GIVEN_UP, /* held long enough: the records are gone */
};

struct name_hooks {
	void *context;
	void (*on_event)(void *context, const struct name_query *query,
	    enum name_event event);
};

struct name_table;

struct name_table *name_table_new(
    const struct name_hooks *hooks, struct mono now);
/* Queries that are still being asked are freed too: nobody may answer. */
void name_table_free(struct name_table *table);
void name_table_set_rules(
    struct name_table *table, const struct name_rules *rules);
/* Adds names; with `only`, all others are forgotten. */
void name_table_want(struct name_table *table, const struct name_want *wants,
    uint32_t n, bool only);
/* What another table has known about names that are wanted here and were never
 * asked. They are asked all the same, as soon as any; until then, and while
 * nobody answers, it is in use. */
void name_table_restore(
    struct name_table *table, const struct name_view *known);
/* Asks everything again soon: the resolvers are others now. */
void name_table_hurry(struct name_table *table);

/* The next query to ask, or NULL. It stays where it is until answered. */
struct name_query *name_table_take(struct name_table *table);
/* The end of a query, exactly one per name_table_take(); frees it if nobody
 * wants it any more. */
void name_table_answer(struct name_table *table, struct name_query *query,
    const struct name_answer *answer, struct mono now);

/* It was not asked after all: it waits for name_table_take() again. */
void name_table_put_back(struct name_table *table, struct name_query *query);

void name_table_advance(struct name_table *table, struct mono now);
int64_t name_table_sleep_ns(
    const struct name_table *table, struct mono now, int64_t max_ns);
/* Whether every query has been answered or has failed at least once. */
bool name_table_settled(const struct name_table *table);
uint64_t name_table_version(const struct name_table *table);
struct name_view *name_table_view(const struct name_table *table);
