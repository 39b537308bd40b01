/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules between keys: references, addresses used twice, settings that work
 * against each other. What one key alone may hold is the schema's business.
 *
 * Thread:  one at a time.
 * Errors:  in draft->report; errors refuse the file, warnings do not.
 * Limits:  every rule is linear in the size of the file.
 */
#include "conf/addr_map.h"
#include "conf/draft.h"

/* Resolves the listeners' pools and applies all rules. */
void rules_apply(struct draft *draft);

/* Who listens where: found by address while the pools are checked. */
struct rules_bind {
	const struct scope *listener; /* NULL: api or control */
	const struct schema_row *row;
	struct conf_pos pos; /* line 0: by default */
};

/* rules_listeners.c: returns the map from address to struct rules_bind. */
struct addr_map *rules_listeners(struct draft *draft);
/* rules_pools.c */
void rules_pools(struct draft *draft, const struct addr_map *binds);
/* rules_profiler.c */
void rules_profiler(struct draft *draft);
/* rules_health.c: of the pool of that scope. */
void rules_health(struct draft *draft, const struct scope *scope);
/* rules_shards.c: likewise. */
void rules_shards(struct draft *draft, const struct scope *scope);
