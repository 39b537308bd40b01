/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/outlier.h"

#include "fleet/shares.h"

void outlier_failed(const struct pool *pool, struct board_row *row, int error)
{
	uint32_t errors = pool->outlier.errors, failures;

	if (!errors)
		return;
	__atomic_store_n(&row->last_failure, error, __ATOMIC_RELAXED);
	failures = __atomic_add_fetch(&row->failures, 1, __ATOMIC_RELAXED);
	if (failures % errors)
		return;
	/* The pool's count is looked at first, so it comes last. */
	__atomic_fetch_add(&row->outlier_trips, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&pool->row->outlier_trips, 1, __ATOMIC_RELEASE);
}

/* Read first: the word shares its cache line with the slots, and is almost
 * always 0. */
void outlier_answered(struct board_row *row)
{
	if (__atomic_load_n(&row->failures, __ATOMIC_RELAXED))
		__atomic_store_n(&row->failures, 0, __ATOMIC_RELAXED);
}

bool outlier_may_eject(
    const struct conf_outlier *conf, uint32_t n, uint32_t n_out)
{
	return ((uint64_t)n_out + 1) * 100 <=
	       (uint64_t)n * conf->max_ejected_percent;
}

uint32_t outlier_steps(const struct conf_outlier *conf,
    const struct board_facts *facts, int64_t now_ns)
{
	int64_t eject_ns = (int64_t)conf->eject_ms * NS_PER_MS;
	/* When the last one ended, had nothing cut it short. */
	int64_t end_ns = facts->ejected_ns + facts->eject_steps * eject_ns;
	int64_t back = now_ns > end_ns ? (now_ns - end_ns) / eject_ns : 0;
	int64_t steps = (int64_t)facts->eject_steps - back;

	if (steps < 0)
		steps = 0;
	return steps < OUTLIER_STEPS_MAX ? (uint32_t)steps + 1
					 : OUTLIER_STEPS_MAX;
}

void outlier_eject(
    const struct conf_outlier *conf, struct board_facts *facts, int64_t now_ns)
{
	facts->eject_steps = outlier_steps(conf, facts, now_ns);
	facts->ejections++;
	facts->ejected_ns = now_ns;
	facts->ejected_until_ns = now_ns + (int64_t)facts->eject_steps *
					       (int64_t)conf->eject_ms *
					       NS_PER_MS;
}

void outlier_return(struct board_facts *facts, int64_t now_ns)
{
	struct board_facts before = *facts;

	facts->ejected_until_ns = 0;
	shares_note_return(&before, facts, now_ns);
}
