/* SPDX-License-Identifier: Apache-2.0 */
/* What agents say, on the board. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
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

static void publish(struct probe_set *set, struct probe_pool *pool,
    struct server *server, const struct board_facts *before,
    struct board_facts *after)
{
	shares_note_return(before, after, set->now().ns);
	board_write(server->row, after);
	if (same_effect(&before->agent, &after->agent))
		return;
	pool_changed(pool->pool);
	if (board_health_now(before) != board_health_now(after))
		counter_inc(&set->metrics->changes);
	probe_target_unsettle(set, pool);
	if (set->hooks.on_agent)
		set->hooks.on_agent(
		    set->hooks.context, pool->pool, server, before, after);
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
	} else {
		counter_add(
		    &set->metrics->agent_unknown, result->report->unknown);
		take_over(&after.agent, result->report, now);
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
