/* SPDX-License-Identifier: Apache-2.0 */
/* What agents say, on the board. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "fleet/pop_report.h"
#include "fleet/shares.h"
#include "probe/probe_target.h"

static void said_add(char *said, const char *word)
{
	size_t n = strlen(said);
	int length =
	    snprintf(said + n, BOARD_SAID_MAX - n, "%s%s", n ? " " : "", word);

	/* What does not fit is cut: a reason is for people. */
	br_assert(length >= 0);
}

/* The words that count, in an order of ours: nothing of what a remote program
 * sends gets into logs but its reason, which is made printable. */
static void said_compose(const struct agent_report *report, char *said)
{
	static const char *const admins[] = {
	    [AGENT_ADMIN_UNSAID] = NULL,
	    [AGENT_ADMIN_READY] = "ready",
	    [AGENT_ADMIN_DRAIN] = "drain",
	    [AGENT_ADMIN_MAINT] = "maint",
	};
	static const char *const healths[] = {
	    [AGENT_HEALTH_UNSAID] = NULL,
	    [AGENT_HEALTH_UP] = "up",
	    [AGENT_HEALTH_DOWN] = "down",
	    [AGENT_HEALTH_FAIL] = "fail",
	    [AGENT_HEALTH_STOPPED] = "stopped",
	};
	char word[AGENT_TEXT_REASON_MAX + 2];

	said[0] = '\0';
	if (admins[report->admin])
		said_add(said, admins[report->admin]);
	if (healths[report->health])
		said_add(said, healths[report->health]);
	if (report->has_percent) {
		(void)snprintf(word, sizeof(word), "%u%%", report->percent);
		said_add(said, word);
	}
	if (report->has_maxconn) {
		(void)snprintf(
		    word, sizeof(word), "maxconn:%u", report->maxconn);
		said_add(said, word);
	}
	if (report->reason[0]) {
		(void)snprintf(word, sizeof(word), "#%s", report->reason);
		said_add(said, word);
	}
}

/* What is not said is not changed. */
static void take_over(struct board_agent *agent,
    const struct agent_report *report, struct mono now)
{
	bool down = agent->down;

	switch (report->admin) {
	case AGENT_ADMIN_UNSAID:
		break;
	case AGENT_ADMIN_READY:
		agent->admin = BOARD_READY;
		break;
	case AGENT_ADMIN_DRAIN:
		agent->admin = BOARD_DRAIN;
		break;
	case AGENT_ADMIN_MAINT:
		agent->admin = BOARD_MAINT;
		break;
	}
	if (report->health != AGENT_HEALTH_UNSAID)
		agent->down = report->health != AGENT_HEALTH_UP;
	if (agent->down != down)
		agent->since_ns = now.ns;
	if (report->has_percent) {
		agent->has_percent = true;
		agent->percent = report->percent;
	}
	if (report->has_maxconn) {
		agent->has_maxconn = true;
		agent->maxconn = report->maxconn;
	}
	agent->heard_ns = now.ns;
	said_compose(report, agent->said);
}

static bool same_effect(
    const struct board_agent *a, const struct board_agent *b)
{
	return a->admin == b->admin && a->down == b->down &&
	       a->has_percent == b->has_percent && a->percent == b->percent &&
	       a->has_maxconn == b->has_maxconn && a->maxconn == b->maxconn;
}

/* What is not said is not changed; but of what was too old to count nothing is
 * left. */
static void take_report(struct board_agent *agent,
    const struct agent_report *report, struct mono now)
{
	if (!pop_report_counts(agent, now))
		*agent = (struct board_agent){.reports = true,
		    .asked = agent->asked,
		    .failed = agent->failed};
	agent->reports = true;
	take_over(agent, report, now);
}

/* The same words count again when the last were too old. */
static bool is_news(const struct board_agent *before,
    const struct board_agent *after, struct mono now)
{
	if (!same_effect(before, after))
		return true;
	return after->reports && pop_report_counts(after, now) &&
	       !pop_report_counts(before, now);
}

static void publish(struct probe_set *set, struct probe_pool *pool,
    struct server *server, const struct board_facts *before,
    struct board_facts *after)
{
	shares_note_return(before, after, set->now().ns);
	board_write(server->row, after);
	if (!is_news(&before->agent, &after->agent, set->now()))
		return;
	pool_changed(pool->pool);
	if (board_health_now(before) != board_health_now(after))
		counter_inc(&set->metrics->changes);
	probe_target_unsettle(set, pool);
	if (set->hooks.on_agent)
		set->hooks.on_agent(
		    set->hooks.context, pool->pool, server, before, after);
}

/* Of the words that a report can have, none. Kept as one it would say that the
 * POP is well, and a server of something else may stand at that port. */
static bool says_nothing(const struct agent_report *report)
{
	return report->admin == AGENT_ADMIN_UNSAID &&
	       report->health == AGENT_HEALTH_UNSAID && !report->has_percent;
}

/* Says the first of failures in a row. */
static void note_failure(struct probe_target *target, const char *cause)
{
	const struct probe_hooks *hooks = &target->set->hooks;

	if (!target->agent_fails && hooks->on_agent_failed)
		hooks->on_agent_failed(
		    hooks->context, target->pool->pool, target->server, cause);
	target->agent_fails = true;
}

static void judge_line(struct probe_target *target, struct mono now,
    const struct agent_report *line, struct board_agent *agent)
{
	bool reports = target->pool->pool->agent.reports;

	counter_add(&target->set->metrics->agent_unknown, line->unknown);
	if (reports && says_nothing(line)) {
		agent->failed++;
		counter_inc(&target->set->metrics->agent_failed);
		note_failure(target, "no word of its line is known");
		return;
	}
	target->agent_fails = false;
	if (reports)
		take_report(agent, line, now);
	else
		take_over(agent, line, now);
}

void probe_agent_judge(struct probe_target *target, struct mono now,
    const struct check_result *result)
{
	struct probe_set *set = target->set;
	struct board_facts before, after;

	board_read(target->server->row, &before);
	after = before;
	after.agent.asked++;
	counter_inc(&set->metrics->agent_checks);
	if (result->error) {
		after.agent.failed++;
		counter_inc(&set->metrics->agent_failed);
		note_failure(target, result->cause);
	} else {
		judge_line(target, now, result->report, &after.agent);
	}
	publish(set, target->pool, target->server, &before, &after);
	if (before.agent.admin != after.agent.admin)
		probe_set_admin_changed(set, target->server->row);
}

void probe_agent_forget(
    struct probe_set *set, struct probe_pool *pool, struct server *server)
{
	struct board_facts before, after;

	board_read(server->row, &before);
	if (!before.agent.heard_ns)
		return;
	after = before;
	after.agent = (struct board_agent){.asked = before.agent.asked,
	    .failed = before.agent.failed,
	    .since_ns = before.agent.down ? set->now().ns : 0};
	publish(set, pool, server, &before, &after);
}
