/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pop_report.h"

bool pop_report_counts(const struct board_agent *agent, struct mono now)
{
	return agent->heard_ns && now.ns - agent->heard_ns <= POP_REPORT_NS;
}

static uint32_t percent_of(const struct board_agent *agent)
{
	if (!agent->has_percent || agent->percent > POP_REPORT_PERCENT_MAX)
		return POP_REPORT_PERCENT_MAX;
	return agent->percent;
}

void pop_report_add(
    struct pop_report *report, const struct board_agent *agent, struct mono now)
{
	bool drained = agent->admin != BOARD_READY || !percent_of(agent);

	if (!pop_report_counts(agent, now))
		return;
	if (!report->n || agent->heard_ns > report->youngest_ns)
		report->youngest_ns = agent->heard_ns;
	if (!report->n || agent->heard_ns < report->oldest_ns)
		report->oldest_ns = agent->heard_ns;
	report->n++;
	report->n_drained += drained;
	if (agent->down)
		return;
	report->n_up++;
	if (drained)
		return;
	report->n_taking++;
	report->percents += percent_of(agent);
}

bool pop_report_drains(const struct pop_report *report)
{
	return report->n_drained && !report->n_taking;
}

uint32_t pop_report_percent(const struct pop_report *report)
{
	/* Rounded up: who takes clients keeps some weight. */
	return report->n_up
		   ? (report->percents + report->n_up - 1) / report->n_up
		   : 0;
}

struct mono pop_report_until(const struct pop_report *report)
{
	if (!report->n)
		return (struct mono){INT64_MAX};
	return (struct mono){report->oldest_ns + POP_REPORT_NS + 1};
}

bool pop_report_judge(enum pop_checks own, const struct pop_report *report)
{
	if (!report->n)
		return own != POP_CHECKS_DOWN;
	return own == POP_CHECKS_UP || report->n_up;
}

bool pop_report_differs(enum pop_checks own, const struct pop_report *report)
{
	if (!report->n || own == POP_CHECKS_NONE)
		return false;
	return (own == POP_CHECKS_UP) != (report->n_up > 0);
}
