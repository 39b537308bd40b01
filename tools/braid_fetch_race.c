/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/braid_fetch_race.h"

#include "base/assert.h"

#include <string.h>

void fetch_race_init(
    struct fetch_race *race, uint32_t n, int64_t stagger_ns, struct mono now)
{
	br_assert(n > 0 && n <= FETCH_RACE_MAX && stagger_ns >= 0);
	memset(race, 0, sizeof *race);
	race->n = n;
	race->stagger_ns = stagger_ns;
	race->due = now;
	race->winner = -1;
}

static bool may_start(const struct fetch_race *race)
{
	return race->winner < 0 && race->next < race->n;
}

int32_t fetch_race_start(struct fetch_race *race, struct mono now)
{
	uint32_t i = race->next;

	if (!may_start(race) || mono_diff_ns(race->due, now) > 0)
		return -1;
	race->runners[i] = RUNNER_RUNS;
	race->next++;
	race->due = mono_add_ns(now, race->stagger_ns);
	return (int32_t)i;
}

void fetch_race_failed(struct fetch_race *race, uint32_t i, struct mono now)
{
	br_assert(i < race->n && race->runners[i] == RUNNER_RUNS);
	race->runners[i] = RUNNER_FAILED;
	if (mono_diff_ns(race->due, now) > 0)
		race->due = now;
}

bool fetch_race_connected(struct fetch_race *race, uint32_t i)
{
	br_assert(i < race->n && race->runners[i] == RUNNER_RUNS);
	if (race->winner >= 0)
		return false;
	race->runners[i] = RUNNER_WON;
	race->winner = (int32_t)i;
	return true;
}

bool fetch_race_is_lost(const struct fetch_race *race)
{
	for (uint32_t i = 0; i < race->n; i++)
		if (race->runners[i] != RUNNER_FAILED)
			return false;
	return true;
}

int64_t fetch_race_wait_ns(const struct fetch_race *race, struct mono now)
{
	int64_t left;

	if (!may_start(race))
		return -1;
	left = mono_diff_ns(race->due, now);
	return left > 0 ? left : 0;
}
