/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the nodes of a POP say of it, all together, and what follows from that
 * and from the checks of our own.
 *
 *      checks from here    report, at most POP_REPORT_NS old
 *                          none       up           down
 *      up                  up         up           up, they differ
 *      down                down       up, differ   down
 *      nobody has looked   up         up           down
 *
 * A POP that cannot be reached from here, but says itself that it is well, goes
 * on: the trouble may be ours. So does one that we reach and that says it is
 * down. Drain and load are believed at once. Each address has a report of its
 * own; those that are heard count, so a path that is broken does no harm:
 *
 *      up       one of them says so
 *      drain    none of them takes clients, and one of them because of a drain
 *      percent  the mean of those that are not down, a drained one as 0
 *
 * Thread:  any (pure).
 * Memory:  the caller's; nothing is kept.
 * Units:   monotonic ns; percent of the weights, at most 100: a node can shed
 *          clients, not attract them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "fleet/board.h"

/* A node's word is worth nothing when it is older. */
#define POP_REPORT_NS (30 * NS_PER_S)
#define POP_REPORT_PERCENT_MAX 100u

/* All zero: nobody is heard. */
struct pop_report {
	uint32_t n; /* reports that count */
	uint32_t n_up, n_drained, n_taking;
	uint32_t percents; /* sum of those that are up */
	int64_t youngest_ns, oldest_ns; /* when they were heard */
};

/* Whether what the agent said last still counts. */
bool pop_report_counts(const struct board_agent *agent, struct mono now);
/* One more address of the POP; what does not count is left out. */
void pop_report_add(struct pop_report *report, const struct board_agent *agent,
    struct mono now);
bool pop_report_drains(const struct pop_report *report);
/* 1..POP_REPORT_PERCENT_MAX, or 0: nothing is said of load. */
uint32_t pop_report_percent(const struct pop_report *report);
/* From then on one of them counts no more; INT64_MAX: there is none. */
struct mono pop_report_until(const struct pop_report *report);

enum pop_checks { POP_CHECKS_NONE, POP_CHECKS_UP, POP_CHECKS_DOWN };

/* Whether the POP is up, by the table above. */
bool pop_report_judge(enum pop_checks own, const struct pop_report *report);
/* The two say the opposite, and the POP goes on. */
bool pop_report_differs(enum pop_checks own, const struct pop_report *report);
