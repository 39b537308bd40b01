/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a reload changed, in words: counts, and names where they are few.
 *
 *     nothing changed
 *     1 listener changed (web), 2 servers added (origins/c, origins/d)
 *     1 listener's TLS files changed (web), the profiler's model changed
 *
 * Thread:  any; pure.
 * Memory:  scratch from the arena.
 * Limits:  names of a kind only up to CHANGES_NAMES_MAX; the text is cut at
 *          room.
 */
#include <stddef.h>

#include "conf/diff.h"
#include "daemon/tls_store.h"

struct dns_store;

#define CHANGES_NAMES_MAX 4

/* What was loaded of files for either configuration. */
struct changes_files {
	const struct tls_store *tls_before, *tls_after;
	const struct dns_store *dns_before, *dns_after; /* or NULL */
	bool model; /* the profiler's is another */
};

void changes_describe(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, const struct changes_files *files,
    struct arena *arena, char *ret, size_t room);
