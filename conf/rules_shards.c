/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of pools.*.shard. */
#include "conf/rules.h"

#include "conf/schema_equal.h"

#include <string.h>

/* Who writes a default down anyway is not mistaken. */
static void rules_shards_off(struct draft *draft, const struct scope *scope)
{
	const struct schema_row *parent = schema_find("pools.*.shard");
	const struct schema_row *range = schema_find("pools.*.shard.range");
	const struct schema_row *row = NULL;

	while ((row = schema_next_child(parent, row))) {
		if (row == range || row->when != SCHEMA_NOW ||
		    schema_value_equal(
			row, draft->templates[MAP_POOLS], scope->element))
			continue;
		draft_warning(draft, scope, row, *draft_seen(scope, row),
		    "has no effect while shard.range is off");
	}
}

void rules_shards(struct draft *draft, const struct scope *scope)
{
	const struct conf_pool *pool = scope->element;
	const struct conf_pool *usual = draft->templates[MAP_POOLS];
	const struct schema_row *range;

	/* Looking rows up takes its time, and most pools do not shard. */
	if (scope->bad ||
	    memcmp(&pool->shard, &usual->shard, sizeof pool->shard) == 0)
		return;
	if (pool->shard.range == CONF_SHARD_OFF) {
		rules_shards_off(draft, scope);
		return;
	}
	range = schema_find("pools.*.shard.range");
	if (pool->tls.verify != CONF_TLS_OFF)
		draft_warning(draft, scope, range, *draft_seen(scope, range),
		    "splits nothing with tls towards the servers, in this "
		    "version");
}
