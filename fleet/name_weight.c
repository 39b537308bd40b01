/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/name_weight.h"

#include <stdbool.h>

/* What a weight of 1 is multiplied by beside a weight of 0. */
#define ZERO_SCALE 100u

uint32_t name_weight(const struct name_record *records, uint32_t n, uint32_t i,
    uint32_t server_weight)
{
	uint64_t most = 0, weight;
	bool zero = false;

	for (uint32_t k = 0; k < n; k++) {
		if (records[k].priority != records[i].priority)
			continue;
		if (records[k].weight > most)
			most = records[k].weight;
		zero |= records[k].weight == 0;
	}
	if (!most)
		return server_weight;
	weight = records[i].weight;
	if (zero) {
		weight = weight ? weight * ZERO_SCALE : 1;
		most *= ZERO_SCALE;
	}
	weight *= server_weight;
	most *= server_weight;
	if (most > NAME_WEIGHT_MAX) {
		weight = weight * NAME_WEIGHT_MAX / most;
		/* The server's own weight of 0 means none; a small share does
		 * not. */
		if (!weight)
			weight = 1;
	}
	return (uint32_t)weight;
}
