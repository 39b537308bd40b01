/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ejections.h"

#include "base/log.h"
#include "daemon/control_state.h"
#include "fleet/outlier.h"

#include <inttypes.h>

/* -- back -------------------------------------------------------------- */

static void bring_back(struct pool *pool, struct server *server,
    struct mono now, const char *cause)
{
	struct board_facts facts;

	board_read(server->row, &facts);
	if (!facts.ejected_until_ns)
		return;
	outlier_return(&facts, now.ns);
	__atomic_store_n(&server->row->failures, 0, __ATOMIC_RELAXED);
	board_write(server->row, &facts);
	pool_changed(pool);
	log_event(LOG_INFO, "server back after ejection",
	    "pool=%s server=%s address=%s out_for=%" PRId64 "ms cause=%s",
	    pool->name, server->name, server->addr_text,
	    (now.ns - facts.ejected_ns) / NS_PER_MS, cause);
}

void ejections_end(
    struct control *control, struct pool *pool, struct server *server)
{
	bring_back(pool, server, control_now(control), "operator");
}

/* -- out --------------------------------------------------------------- */

static void eject(struct pool *pool, struct server *server,
    struct board_facts *facts, struct mono now)
{
	outlier_eject(&pool->outlier, facts, now.ns);
	facts->eject_error =
	    __atomic_load_n(&server->row->last_failure, __ATOMIC_RELAXED);
	board_write(server->row, facts);
	pool_changed(pool);
	log_event(LOG_WARN, "server ejected",
	    "pool=%s server=%s address=%s for=%" PRId64 "ms failures=%u "
	    "cause=%s",
	    pool->name, server->name, server->addr_text,
	    (facts->ejected_until_ns - now.ns) / NS_PER_MS,
	    pool->outlier.errors, br_strerror(facts->eject_error));
}

/* Whether its failures in a row have not been looked at yet. */
static bool tripped(struct board_row *row)
{
	uint32_t trips = __atomic_load_n(&row->outlier_trips, __ATOMIC_ACQUIRE);

	if (trips == row->trips_seen)
		return false;
	row->trips_seen = trips;
	return true;
}

/* What may be counted against max_ejected: usable but for ejections. */
struct ejections_count {
	uint32_t n, n_out;
};

static bool would_serve(
    const struct server *server, const struct board_facts *facts)
{
	struct board_facts in = *facts;

	in.ejected_until_ns = 0;
	return server_weight_now(server, &in) > 0;
}

static struct ejections_count return_and_count(
    struct pool *pool, struct mono now)
{
	struct ejections_count count = {.n = 0};

	for (uint32_t i = 0; i < pool->n_servers; i++) {
		struct server *server = &pool->servers[i];
		struct board_facts facts;

		board_read(server->row, &facts);
		if (facts.ejected_until_ns &&
		    (now.ns >= facts.ejected_until_ns || !pool->outlier.errors))
			bring_back(pool, server, now,
			    pool->outlier.errors ? "its time is over"
						 : "no outlier block any more");
		else
			count.n_out += facts.ejected_until_ns != 0;
		count.n += would_serve(server, &facts);
	}
	return count;
}

static void note_next_return(struct pool *pool, int64_t until_ns)
{
	int64_t *next = &pool->row->next_return_ns;

	if (until_ns && (!*next || until_ns < *next))
		*next = until_ns;
}

static void review(struct pool *pool, struct mono now)
{
	struct ejections_count count = return_and_count(pool, now);

	pool->row->next_return_ns = 0;
	for (uint32_t i = 0; i < pool->n_servers; i++) {
		struct server *server = &pool->servers[i];
		struct board_facts facts;

		board_read(server->row, &facts);
		if (tripped(server->row) && pool->outlier.errors &&
		    server_weight_now(server, &facts)) {
			if (outlier_may_eject(
				&pool->outlier, count.n, count.n_out)) {
				eject(pool, server, &facts, now);
				count.n_out++;
			} else {
				log_event(LOG_DEBUG, "server not ejected",
				    "pool=%s server=%s out=%u of=%u most=%u%%",
				    pool->name, server->name, count.n_out,
				    count.n, pool->outlier.max_ejected_percent);
			}
		}
		note_next_return(pool, facts.ejected_until_ns);
	}
}

/* -- when -------------------------------------------------------------- */

/* The pool's count is read before those of its servers: a trip between the
 * two is seen now and looked for once more. */
static bool has_work(struct pool *pool, struct mono now)
{
	struct board_pool *row = pool->row;
	uint32_t trips = __atomic_load_n(&row->outlier_trips, __ATOMIC_ACQUIRE);

	if (trips != row->trips_seen) {
		row->trips_seen = trips;
		return true;
	}
	return row->next_return_ns && now.ns >= row->next_return_ns;
}

static void tick(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, ejections.timer);
	const struct plan *plan = control->plan;

	for (uint32_t i = 0; i < plan->n_upstreams; i++) {
		struct pool *pool = plan->upstreams[i]->pool;

		if (pool->outlier.errors && has_work(pool, now))
			review(pool, now);
	}
	timer_arm(&control->wheel, timer, mono_add_ms(now, OUTLIER_TICK_MS));
}

void ejections_init(struct control *control)
{
	timer_init(&control->ejections.timer, tick);
}

void ejections_sync(struct control *control)
{
	const struct plan *plan = control->plan;
	struct mono now = control_now(control);
	bool any = false;

	for (uint32_t i = 0; i < plan->n_upstreams; i++) {
		struct pool *pool = plan->upstreams[i]->pool;

		any |= pool->outlier.errors != 0;
		review(pool, now);
	}
	ejections_stop(control);
	if (any)
		timer_arm(&control->wheel, &control->ejections.timer,
		    mono_add_ms(now, OUTLIER_TICK_MS));
}

void ejections_stop(struct control *control)
{
	timer_disarm(&control->wheel, &control->ejections.timer);
}
