/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/plan_index.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

void plan_index_init(struct plan_index *index, uint32_t entries)
{
	uint32_t room = 16;

	/* At most half full, so that probing stays short. */
	while (room < 2 * (uint64_t)entries)
		room *= 2;
	index->mask = room - 1;
	index->places = malloc(room * sizeof *index->places);
	index->hashes = malloc(room * sizeof *index->hashes);
	if (!index->places || !index->hashes)
		br_out_of_memory("an index of a plan", room * 12);
	memset(index->places, 0xff, room * sizeof *index->places);
}

void plan_index_fini(struct plan_index *index)
{
	free(index->places);
	free(index->hashes);
}

void plan_index_add(struct plan_index *index, uint64_t hash, uint32_t place)
{
	uint32_t at = (uint32_t)hash & index->mask;

	while (index->places[at] != PLAN_INDEX_NONE)
		at = (at + 1) & index->mask;
	index->places[at] = place;
	index->hashes[at] = hash;
}

uint32_t plan_index_find(const struct plan_index *index, uint64_t hash,
    bool (*matches)(const void *context, uint32_t place), const void *context)
{
	uint32_t at = (uint32_t)hash & index->mask;

	for (; index->places[at] != PLAN_INDEX_NONE;
	     at = (at + 1) & index->mask)
		if (index->hashes[at] == hash &&
		    matches(context, index->places[at]))
			return index->places[at];
	return PLAN_INDEX_NONE;
}
