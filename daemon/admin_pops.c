/* SPDX-License-Identifier: Apache-2.0 */
/* POPs: what changes of them, for the log and for the weights of the
 * responder, and what an operator sets. */
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/dns_pops.h"

#include <inttypes.h>

/* Something that the weights go by may have changed. */
static void pop_changed(struct control *control, struct pool *pool)
{
	bool was_out = pool->row->out;

	dns_pops_note(pool, control_now(control));
	if (pool->row->out && !was_out)
		log_event(LOG_WARN, "POP out of service", "pop=%s",
		    dns_pops_name(pool));
	else if (was_out && !pool->row->out)
		log_event(LOG_INFO, "POP in service again", "pop=%s",
		    dns_pops_name(pool));
	dns_refresh_request(control);
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

void control_set_pop_admin(
    struct control *control, struct pool *pool, enum board_admin admin)
{
	enum board_admin before = admin;
	bool changed = false;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		changed |= admin_put_state(
		    control, pool, &pool->servers[i], admin, &before);
	if (!changed)
		return;
	log_event(LOG_INFO, "POP state set", "pop=%s state=%s before=%s",
	    dns_pops_name(pool), admin_state_name(admin),
	    admin_state_name(before));
	pop_changed(control, pool);
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
