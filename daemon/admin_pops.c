/* SPDX-License-Identifier: Apache-2.0 */
/* POPs: what changes of them, for the log and for the weights of the
 * responder, and what an operator sets. */
#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/dns_pops.h"
#include "daemon/heir.h"

#include <errno.h>
#include <inttypes.h>

static const char *up_or_down(bool up)
{
	return up ? "up" : "down";
}

/* Of a POP with an agent: that nobody reports of it any more, and that its
 * checks and its report contradict each other; once each. */
static void say_report(struct control *control, struct pool *pool)
{
	struct dns_pops_state now = dns_pops_state(pool, control_now(control));
	struct board_pool *row = pool->row;

	if (row->reported && !now.report.n && pool->agent.port)
		log_event(LOG_WARN, "POP report too old", "pop=%s checks=%s",
		    dns_pops_name(pool),
		    now.own == POP_CHECKS_NONE ? "none" : up_or_down(now.up));
	if (now.differs && !row->differs)
		log_event(LOG_WARN, "POP goes on: checks and report differ",
		    "pop=%s checks=%s report=%s", dns_pops_name(pool),
		    up_or_down(now.own == POP_CHECKS_UP),
		    up_or_down(now.report.n_up));
	else if (row->differs && !now.differs)
		log_event(LOG_INFO, "POP checks and report differ no more",
		    "pop=%s", dns_pops_name(pool));
	row->reported = now.report.n;
	row->differs = now.differs;
}

static void note(struct control *control, struct pool *pool)
{
	bool was_out = pool->row->out;

	say_report(control, pool);
	dns_pops_note(pool, control_now(control));
	if (pool->row->out && !was_out)
		log_event(LOG_WARN, "POP out of service", "pop=%s",
		    dns_pops_name(pool));
	else if (was_out && !pool->row->out)
		log_event(LOG_INFO, "POP in service again", "pop=%s",
		    dns_pops_name(pool));
}

/* Something that the weights go by may have changed. */
static void pop_changed(struct control *control, struct pool *pool)
{
	note(control, pool);
	dns_refresh_request(control);
}

void admin_pops_begin(struct control *control)
{
	const struct plan *plan = control->plan;
	struct mono now = control_now(control);

	for (uint32_t i = 0; i < plan->n_pops; i++) {
		struct pool *pool = plan->pops[i];
		struct dns_pops_state state = dns_pops_state(pool, now);

		pool->row->reported = state.report.n;
		pool->row->differs = state.differs;
		pool->row->out = dns_pops_is_out(&state);
	}
}

void admin_pops_look(struct control *control)
{
	for (uint32_t i = 0; i < control->plan->n_pops; i++)
		note(control, control->plan->pops[i]);
}

static int64_t seconds_in(
    const struct board_facts *before, const struct board_facts *after)
{
	return (after->health_since_ns - before->health_since_ns) / NS_PER_S;
}

void admin_pop_health(struct control *control, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	struct pool *known = plan_any_pool(control->plan, pool->name);

	if (after->health == BOARD_DOWN)
		log_event(LOG_WARN, "POP address down",
		    "pop=%s address=%s up_for=%" PRId64 "s cause=%s",
		    dns_pops_name(pool), server->addr_text,
		    before->health == BOARD_UP ? seconds_in(before, after) : 0,
		    after->cause);
	else if (after->health == BOARD_UP && before->health == BOARD_DOWN)
		log_event(LOG_INFO, "POP address up",
		    "pop=%s address=%s down_for=%" PRId64 "s cause=%s",
		    dns_pops_name(pool), server->addr_text,
		    seconds_in(before, after), after->cause);
	else
		log_event(LOG_DEBUG, "POP address health",
		    "pop=%s address=%s health=%s cause=%s", dns_pops_name(pool),
		    server->addr_text,
		    after->health == BOARD_UP ? "up" : "unknown", after->cause);
	if (known)
		pop_changed(control, known);
}

/* Only the load is another: that may wait for what others say. */
static bool is_load_alone(const struct board_agent *before,
    const struct board_agent *after, struct mono now)
{
	return pop_report_counts(before, now) &&
	       before->admin == after->admin && before->down == after->down &&
	       (!before->has_percent || before->percent) &&
	       (!after->has_percent || after->percent);
}

void admin_pop_report(struct control *control, const struct pool *pool,
    const struct server *server, const struct board_facts *before,
    const struct board_facts *after)
{
	struct pool *known = plan_any_pool(control->plan, pool->name);
	bool load_alone =
	    is_load_alone(&before->agent, &after->agent, control_now(control));
	char said[ADMIN_SAID_FIELD_MAX];

	admin_said_field(&after->agent, "said", said);
	log_event(load_alone ? LOG_DEBUG : LOG_INFO, "POP report",
	    "pop=%s address=%s %s", dns_pops_name(pool), server->addr_text,
	    said);
	if (!known)
		return;
	if (load_alone)
		dns_refresh_soon(control);
	else
		pop_changed(control, known);
}

static bool put_leave(
    struct control *control, struct pool *pool, int64_t leaves_ns)
{
	bool changed = false;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		changed |= admin_put_leave(
		    control, pool, &pool->servers[i], leaves_ns);
	return changed;
}

static void set_admin(struct control *control, struct pool *pool,
    enum board_admin admin, const char *cause)
{
	enum board_admin before = admin;
	bool ended = put_leave(control, pool, 0), changed = false;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		changed |= admin_put_state(
		    control, pool, &pool->servers[i], admin, &before);
	if (changed)
		log_event(LOG_INFO, "POP state set",
		    "pop=%s state=%s before=%s cause=%s", dns_pops_name(pool),
		    admin_state_name(admin), admin_state_name(before), cause);
	else if (ended)
		log_event(LOG_INFO, "POP drain cancelled", "pop=%s",
		    dns_pops_name(pool));
	else
		return;
	pop_changed(control, pool);
}

void control_set_pop_admin(
    struct control *control, struct pool *pool, enum board_admin admin)
{
	set_admin(control, pool, admin, "operator");
	admin_pops_watch(control);
}

int control_plan_pop_drain(
    struct control *control, struct pool *pool, uint64_t in_ms)
{
	/* One that drains itself may end that before. */
	if (dns_pops_state(pool, control_now(control)).set_out)
		return -EALREADY;
	if (!put_leave(control, pool,
		mono_add_ms(control_now(control), (int64_t)in_ms).ns))
		return 0;
	log_event(LOG_INFO, "POP drain planned", "pop=%s in=%" PRIu64 "s",
	    dns_pops_name(pool), in_ms / 1000);
	pop_changed(control, pool);
	admin_pops_watch(control);
	return 0;
}

/* -- planned drains ---------------------------------------------------- */

/* Drains what is due; returns when the next one is, INT64_MAX: none is. */
static int64_t drain_due(struct control *control, struct mono now)
{
	const struct plan *plan = control->plan;
	int64_t next_ns = INT64_MAX;

	for (uint32_t i = 0; i < plan->n_pops; i++) {
		int64_t leaves_ns = dns_pops_leaves(plan->pops[i]);

		if (!leaves_ns)
			continue;
		if (leaves_ns <= now.ns)
			set_admin(
			    control, plan->pops[i], BOARD_DRAIN, "planned");
		else if (leaves_ns < next_ns)
			next_ns = leaves_ns;
	}
	return next_ns;
}

void admin_pops_watch(struct control *control)
{
	int64_t next_ns;

	timer_disarm(&control->wheel, &control->pop_timer);
	/* One process does it for both, once. */
	if (heir_waits(control) || upgrade_hands_over(control))
		return;
	next_ns = drain_due(control, control_now(control));
	if (next_ns != INT64_MAX)
		timer_arm(&control->wheel, &control->pop_timer,
		    (struct mono){next_ns});
}

static void on_due(struct timer *timer, struct mono now)
{
	(void)now;
	admin_pops_watch(br_container_of(timer, struct control, pop_timer));
}

void admin_pops_init(struct control *control)
{
	timer_init(&control->pop_timer, on_due);
}

void control_set_pop_weight(
    struct control *control, struct pool *pool, uint32_t percent)
{
	bool changed = false;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		changed |=
		    admin_put_weight(control, pool, &pool->servers[i], percent);
	if (!changed)
		return;
	if (percent == BOARD_WEIGHT_NONE)
		log_event(LOG_INFO, "POP weight reset", "pop=%s",
		    dns_pops_name(pool));
	else
		log_event(LOG_INFO, "POP weight set", "pop=%s weight=%u%%",
		    dns_pops_name(pool), percent);
	pop_changed(control, pool);
}
