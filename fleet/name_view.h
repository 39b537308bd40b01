/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is known about names at one moment, in a form that never changes and
 * that any thread may hold.
 *
 * Thread:  made by the thread of the name table; read by any. References are
 *          counted atomically.
 * Memory:  one arena; freed with the last reference.
 */
#include <stdbool.h>

#include "base/clock.h"
#include "fleet/name.h"

struct arena;

/* One question and what is known about it. */
struct name_view_row {
	const char *host;
	enum name_type type;
	uint32_t n;
	const struct name_record *records;
	bool asked; /* some answer or failure has come */
	bool wanted; /* by the configuration, not by an SRV record */
	enum name_result last; /* if asked */
	uint32_t ttl_s; /* in force, of the last answer */
	struct mono due; /* asked again; ns 0: being asked now */
	struct mono answered; /* the last success; ns 0: never */
	struct mono absent_since; /* ns 0: it is there, as far as known */
	uint64_t counts[NAME_RESULTS];
};

struct name_view {
	struct arena *arena;
	uint32_t references; /* atomic */
	/* Changes with the records of any row, and only then. */
	uint64_t version;
	uint64_t counts[NAME_RESULTS]; /* also of questions that are gone */
	uint32_t n;
	struct name_view_row *rows; /* by host, then type */
};

/* With one reference, the caller's, and no row. */
struct name_view *name_view_new(void);
struct name_view *name_view_ref(struct name_view *view);
void name_view_unref(struct name_view *view);
/* Puts the rows in order, after which they may be looked for. */
void name_view_sort(struct name_view *view);
/* Whether the last answer was none, or a failure; that a host has addresses of
 * one family only is neither. */
bool name_view_failing(const struct name_view_row *row);
/* NULL: nobody has asked for it. The host's letter case does not matter. */
const struct name_view_row *name_view_find(
    const struct name_view *view, const char *host, enum name_type type);
