/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "fleet/shares.h"
#include "probe/probe_target.h"

/* How long a check waits that could not start for local reasons. */
#define POSTPONE_MS 250
#define JITTER_PERCENT 5

/* -- publishing -------------------------------------------------------- */

static void on_settle(struct timer *timer, struct mono now)
{
	struct probe_set *set =
	    br_container_of(timer, struct probe_set, settle);

	(void)now;
	for (uint32_t i = 0; i < set->n_pools; i++) {
		struct probe_pool *pool = &set->pools[i];
		bool open;

		if (!pool->unsettled)
			continue;
		pool->unsettled = false;
		open = pool_fails_open(pool->pool);
		if (open == pool->fails_open)
			continue;
		pool->fails_open = open;
		if (set->hooks.on_fail_open)
			set->hooks.on_fail_open(
			    set->hooks.context, pool->pool, open);
	}
}

/* Judging looks at every server of the pool, so it is done once for all the
 * changes of a moment: when a thousand servers die together, too. */
void probe_target_unsettle(struct probe_set *set, struct probe_pool *pool)
{
	pool->unsettled = true;
	if (!timer_armed(&set->settle) && !set->stopped)
		timer_arm(set->wheel, &set->settle,
		    mono_add_ms(set->now(), PROBE_SETTLE_MS));
}

void probe_target_publish(struct probe_set *set, struct probe_pool *pool,
    struct server *server, struct board_facts *facts, enum board_health health,
    const char *cause)
{
	struct board_facts before;

	board_read(server->row, &before);
	facts->health = health;
	facts->health_since_ns = set->now().ns;
	facts->changes++;
	shares_note_return(&before, facts, set->now().ns);
	snprintf(facts->cause, sizeof(facts->cause), "%s", cause);
	board_write(server->row, facts);
	pool_changed(pool->pool);
	counter_inc(&set->metrics->changes);
	probe_target_unsettle(set, pool);
	if (set->hooks.on_health)
		set->hooks.on_health(
		    set->hooks.context, pool->pool, server, &before, facts);
}

/* -- when -------------------------------------------------------------- */

void probe_target_rest_until(struct probe_target *target, struct mono due)
{
	target->due = due;
	timer_arm(target->set->wheel, &target->timer, due);
}

uint64_t probe_target_interval_ms(const struct probe_target *target)
{
	const struct pool *pool = target->pool->pool;

	return target->asks_agent ? pool->agent.interval_ms
				  : pool->health.interval_ms;
}

/* A random time between the two shares of the interval. */
static int64_t interval_part_ns(const struct probe_target *target,
    uint32_t from_percent, uint32_t to_percent)
{
	uint64_t percent_us = probe_target_interval_ms(target) * 1000 / 100;
	uint64_t spread_us = percent_us * (to_percent - from_percent) + 1;
	uint32_t bound =
	    spread_us < UINT32_MAX ? (uint32_t)spread_us : UINT32_MAX;

	return (int64_t)(percent_us * from_percent +
			 rng_below(target->set->rng, bound)) *
	       NS_PER_US;
}

/* The interval +-5 %, from the start of the check before. The first checks
 * come close together for a quick verdict, so the second ones are spread over
 * a whole interval. */
static void target_rest(struct probe_target *target, struct mono now)
{
	int64_t after_ns = target->spread
			       ? interval_part_ns(target, 0, 100)
			       : interval_part_ns(target, 100 - JITTER_PERCENT,
				     100 + JITTER_PERCENT);
	struct mono due = mono_add_ns(target->started, after_ns);

	target->spread = false;
	if (mono_diff_ns(due, now) < 0)
		due = now;
	probe_target_rest_until(target, due);
}

static void target_postpone(struct probe_target *target, struct mono now)
{
	counter_inc(&target->set->metrics->postponed);
	probe_target_rest_until(target,
	    mono_add_ms(
		now, POSTPONE_MS + rng_below(target->set->rng, POSTPONE_MS)));
}

/* -- results ----------------------------------------------------------- */

/* Counts one result and publishes what follows from it. */
static void target_judge(struct probe_target *target, struct mono now,
    const struct check_result *result)
{
	const struct conf_health *health = &target->pool->pool->health;
	struct probe_metrics *metrics = target->set->metrics;
	bool success = result->error == 0;
	enum board_health next;
	struct board_facts facts;

	board_read(target->server->row, &facts);
	if (board_admin_now(&facts) == BOARD_MAINT)
		return;
	facts.checked_ns = now.ns;
	facts.check_us =
	    (uint32_t)(mono_diff_ns(now, target->started) / NS_PER_US);
	facts.checks++;
	counter_inc(&metrics->checks);
	if (!success) {
		facts.checks_failed++;
		counter_inc(&metrics->checks_failed);
	}
	next = verdict_next(&target->verdict, facts.health, success,
	    health->rise, health->fall);
	if (next != facts.health) {
		probe_target_publish(target->set, target->pool, target->server,
		    &facts, next, result->cause);
		return;
	}
	/* Why it is down may change while it is. */
	if (next == BOARD_DOWN && !success)
		memcpy(facts.cause, result->cause, sizeof(facts.cause));
	board_write(target->server->row, &facts);
}

static bool target_was_late(const struct probe_target *target, struct mono now)
{
	int64_t late_ns = lateness_sum_ns(&target->set->lateness, now) -
			  target->late_before_ns;
	int64_t timeout_ns =
	    (int64_t)target->pool->pool->health.timeout_ms * NS_PER_MS;

	return late_ns > timeout_ns / 4;
}

static void on_verdict(
    void *context, void *for_target, const struct check_result *result)
{
	struct probe_set *set = context;
	struct probe_target *target = for_target;
	struct mono now = set->now();

	br_assert(target->check);
	target->check = NULL;
	if (check_is_local_trouble(result->error)) {
		target_postpone(target, now);
		return;
	}
	if (target->asks_agent)
		probe_agent_judge(target, now, result);
	else if (target_was_late(target, now))
		counter_inc(&set->metrics->late);
	else
		target_judge(target, now, result);
	target_rest(target, now);
}

/* -- starting ---------------------------------------------------------- */

/* It waited for its turn or for room, not for the server. */
static void target_note_delay(
    const struct probe_target *target, struct mono now)
{
	int64_t interval_ns =
	    (int64_t)probe_target_interval_ms(target) * NS_PER_MS;

	if (mono_diff_ns(now, target->due) > interval_ns / 2)
		counter_inc(&target->set->metrics->overdue);
}

static void target_check(struct probe_target *target, struct mono now)
{
	struct probe_set *set = target->set;
	struct check_request request;
	struct check_result result = {0};
	int err;

	target->started = now;
	err = probe_target_request(target, &request);
	if (!err)
		err = check_start(
		    &set->checker, &request, target, now, &target->check);
	if (!err) {
		target_note_delay(target, now);
		lateness_start(&set->lateness, now);
		target->late_before_ns = lateness_sum_ns(&set->lateness, now);
		return;
	}
	if (err == BR_E_LIMIT && set->checker.in_flight > 0) {
		counter_inc(&set->metrics->queued);
		list_push_back(&set->queue, &target->queued);
		return;
	}
	if (err == BR_E_LIMIT || check_is_local_trouble(err)) {
		target_postpone(target, now);
		return;
	}
	result.error = err;
	snprintf(
	    result.cause, sizeof(result.cause), "socket: %s", br_strerror(err));
	if (target->asks_agent)
		probe_agent_judge(target, now, &result);
	else
		target_judge(target, now, &result);
	target_rest(target, now);
}

/* Whether the operator or the agent has taken the server out; the result that
 * follows its coming back decides at once. An agent is always asked: it may be
 * who brings it back. */
static bool target_in_maintenance(struct probe_target *target)
{
	struct board_facts facts;
	bool maintenance;

	if (target->asks_agent)
		return false;
	board_read(target->server->row, &facts);
	maintenance = board_admin_now(&facts) == BOARD_MAINT;
	if (target->in_maintenance && !maintenance)
		target->verdict.fresh = true;
	target->in_maintenance = maintenance;
	return target->in_maintenance;
}

static void target_on_due(struct timer *timer, struct mono now)
{
	struct probe_target *target =
	    br_container_of(timer, struct probe_target, timer);

	br_assert(!target->check && !list_linked(&target->queued));
	if (target_in_maintenance(target)) {
		target->started = now;
		target_rest(target, now);
		return;
	}
	target_check(target, now);
}

/* A stall makes many due together, and starting one costs some 30 us: a
 * socket, a TLS session, a connect. The others start in the turns that follow.
 * Once there is a queue it takes them, and nobody is started here. */
static bool set_may_start(struct probe_set *set, struct mono now)
{
	if (!list_empty(&set->queue))
		return true;
	/* All timers of a turn have the same time. */
	if (set->turn.ns != now.ns) {
		set->turn = now;
		set->starts_left = PROBE_STARTS_A_TURN;
	}
	if (!set->starts_left)
		return false;
	set->starts_left--;
	return true;
}

void probe_target_on_timer(struct timer *timer, struct mono now)
{
	struct probe_target *target =
	    br_container_of(timer, struct probe_target, timer);

	if (set_may_start(target->set, now))
		target_on_due(timer, now);
	else
		timer_arm(
		    target->set->wheel, timer, mono_add_ns(now, TIMER_TICK_NS));
}

/* Room for one more: the first in the queue that can use it. One that cannot
 * (in maintenance by now, postponed) must not take the others' turn away. */
static void on_room(void *context)
{
	struct probe_set *set = context;
	struct list_node *node;

	while ((node = list_pop_front(&set->queue))) {
		struct probe_target *target =
		    br_container_of(node, struct probe_target, queued);

		target_on_due(&target->timer, set->now());
		if (target->check || list_linked(&target->queued))
			break;
	}
	if (set->checker.in_flight == 0)
		lateness_stop(&set->lateness);
}

/* -- the set ----------------------------------------------------------- */

void probe_target_halt(struct probe_target *target)
{
	timer_disarm(target->set->wheel, &target->timer);
	list_remove(&target->queued);
	if (target->check) {
		struct check *check = target->check;

		target->check = NULL;
		check_abandon(check);
	}
}

int probe_set_new(const struct probe_options *options, struct probe_set **ret)
{
	struct probe_set *set = calloc(1, sizeof(*set));
	int err;

	if (!set)
		return -ENOMEM;
	set->ring = options->ring;
	set->wheel = options->wheel;
	set->rng = options->rng;
	set->now = options->now ? options->now : mono_now;
	set->hooks = options->hooks;
	set->metrics = options->metrics;
	set->checker = (struct checker){
	    .ring = set->ring,
	    .wheel = set->wheel,
	    .context = set,
	    .on_verdict = on_verdict,
	    .on_room = on_room,
	    .work_clock = options->work_clock ? options->work_clock : mono_now,
	};
	err = checker_init(&set->checker, options->in_flight_max
					      ? options->in_flight_max
					      : PROBE_IN_FLIGHT_MAX);
	if (err) {
		free(set);
		return err;
	}
	lateness_init(&set->lateness, set->wheel);
	list_init(&set->queue);
	timer_init(&set->settle, on_settle);
	set->arena = arena_new();
	*ret = set;
	return 0;
}

void probe_set_stop(struct probe_set *set)
{
	set->stopped = true;
	probe_set_sync(set, NULL, 0);
	timer_disarm(set->wheel, &set->settle);
}

void probe_set_free(struct probe_set *set)
{
	if (!set->stopped)
		probe_set_stop(set);
	br_assert(probe_set_idle(set));
	lateness_stop(&set->lateness);
	checker_fini(&set->checker);
	probe_set_free_tls(set);
	arena_free(set->arena);
	free(set);
}

void probe_set_admin_changed(struct probe_set *set, const struct board_row *row)
{
	struct probe_target *target = probe_target_of_row(set, row, false);
	bool before;

	if (!target)
		return;
	probe_target_unsettle(set, target->pool);
	before = target->in_maintenance;
	if (target_in_maintenance(target) == before)
		return;
	/* Gone into maintenance or come back: as if the time had come. */
	probe_target_halt(target);
	probe_target_rest_until(target, set->now());
}

bool probe_set_idle(const struct probe_set *set)
{
	return set->checker.in_flight == 0;
}

uint32_t probe_set_in_flight(const struct probe_set *set)
{
	return set->checker.in_flight;
}

uint32_t probe_set_targets(const struct probe_set *set)
{
	return set->n_targets;
}

const struct probe_metrics *probe_set_metrics(const struct probe_set *set)
{
	return set->metrics;
}
