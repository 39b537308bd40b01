/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Places found by hash: an open-addressing index over an array of the
 * caller's, so that comparing two plans costs what their sizes add up to.
 *
 * Thread:  one at a time.
 * Memory:  allocated for a fixed number of entries; running out of memory
 *          ends the process with a message (boot and reload, bounded input).
 */
#include <stdbool.h>
#include <stdint.h>

#define PLAN_INDEX_NONE UINT32_MAX

struct plan_index {
	uint32_t mask;
	uint32_t *places; /* PLAN_INDEX_NONE: free */
	uint64_t *hashes;
};

void plan_index_init(struct plan_index *index, uint32_t entries);
void plan_index_fini(struct plan_index *index);
void plan_index_add(struct plan_index *index, uint64_t hash, uint32_t place);
/* The first place (of several with that hash, each in turn) for which
 * matches() says yes, or PLAN_INDEX_NONE. */
uint32_t plan_index_find(const struct plan_index *index, uint64_t hash,
    bool (*matches)(const void *context, uint32_t place), const void *context);
