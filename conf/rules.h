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
	const struct scope *listener; /* NULL: DNS or control's */
	const struct schema_row *row;
	struct conf_pos pos; /* line 0: by default */
};

/* rules_names.c: entries of one map by name, and what was spent on guesses of
 * what else might be meant. */
struct rules_names {
	struct draft *draft;
	const struct schema_row *map; /* "pools" */
	struct strmap *by_name;
	uint32_t guesses;
	bool silent; /* there are none, which was said already */
};

void rules_names_init(struct rules_names *names, struct draft *draft,
    const struct schema_row *map);
/* The element of that name; or NULL, after saying at that place that there is
 * none. */
void *rules_names_find(struct rules_names *names, const struct scope *scope,
    const struct schema_row *row, struct conf_pos pos, const char *name);

/* rules_dns.c */
void rules_dns(struct draft *draft);
/* rules_resources.c: of all zones. */
void rules_resources(struct draft *draft);
/* rules_pops.c: pops, regions, geo. */
void rules_pops(struct draft *draft);
/* rules_listeners.c: a socket that does not share its port, so the wildcard
 * address of one and any address of the other do not go together. */
bool rules_overlap(const struct addr *alone, const struct addr *bind);
/* Returns the map from address to struct rules_bind. */
struct addr_map *rules_listeners(struct draft *draft);
/* rules_pools.c */
void rules_pools(struct draft *draft, const struct addr_map *binds);
/* rules_profiler.c */
void rules_profiler(struct draft *draft);
/* rules_health.c: of the pool of that scope. */
void rules_health(struct draft *draft, const struct scope *scope);
/* Likewise, of the POP. */
void rules_health_pop(struct draft *draft, const struct scope *scope);
/* rules_shards.c: likewise. */
void rules_shards(struct draft *draft, const struct scope *scope);
