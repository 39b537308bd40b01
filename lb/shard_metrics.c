/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_metrics.h"

#include "base/assert.h"

struct shard_word {
	const char *name, *text;
};

static const struct shard_word shard_causes[] = {
#define X(name, text) {#name, text},
    SHARD_CAUSE_LIST(X)
#undef X
};

static const struct shard_word shard_limits[] = {
#define X(name, text) {#name, text},
    SHARD_LIMIT_LIST(X)
#undef X
};

const char *shard_cause_name(unsigned cause)
{
	br_assert(cause < SHARD_N_CAUSES);
	return shard_causes[cause].name;
}

const char *shard_cause_text(unsigned cause)
{
	br_assert(cause < SHARD_N_CAUSES);
	return shard_causes[cause].text;
}

const char *shard_limit_name(unsigned limit)
{
	br_assert(limit < SHARD_N_LIMITS);
	return shard_limits[limit].name;
}

const char *shard_limit_text(unsigned limit)
{
	br_assert(limit < SHARD_N_LIMITS);
	return shard_limits[limit].text;
}
