/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/generations.h"
#include "daemon/notify.h"

#include <inttypes.h>

/*
 *   TERM ─> WAITING ──all flows ended──────────────> STOP to workers, done
 *              │ deadline, or a second TERM             ^
 *              └─> KILLING: flows are reset ────────────┘
 */

#define DRAIN_LOOK_MS 20
#define DRAIN_LINE_MS 1000
/* An old generation may wait for hours. */
#define DRAIN_LINE_GIVEN_MS 60000
/* Longer than anybody waits. */
#define DRAIN_UNLIMITED_MS (INT64_C(1000) * 3600 * 24 * 3650)
/* Killed flows end within some turns of their worker. */
#define DRAIN_KILL_MS 1000

static void look_again(struct control *control)
{
	timer_arm(&control->wheel, &control->drain.timer,
	    mono_add_ms(mono_now(), DRAIN_LOOK_MS));
}

static void end(struct control *control, const char *how)
{
	log_event(LOG_INFO, "stopped", "how=%s flows=%u", how,
	    control_connections(control));
	timer_disarm(&control->wheel, &control->drain.timer);
	control_post_workers(control, (struct message){.kind = DAEMON_STOP});
	control->done = true;
}

static void kill_flows(struct control *control, const char *cause)
{
	struct drain *drain = &control->drain;

	if (drain->state == DRAIN_KILLING)
		return;
	drain->state = DRAIN_KILLING;
	drain->deadline = mono_add_ms(mono_now(), DRAIN_KILL_MS);
	generations_tell(control->daemon->generations, CHANNEL_STOP);
	log_event(LOG_WARN, "resetting the flows that are left",
	    "flows=%u cause=%s", control_connections(control), cause);
	control_post_workers(control, (struct message){.kind = DAEMON_KILL});
	look_again(control);
}

/* A TERM, first or after the hand-over: the deadline is the usual one. */
static void begin(struct control *control, const char *cause)
{
	const struct conf *conf = control->plan->conf;
	struct drain *drain = &control->drain;
	struct mono now = mono_now();

	drain->handed_over = false;
	drain->deadline = mono_add_ms(now, (int64_t)conf->global.drain_ms);
	drain->next_line = mono_add_ms(now, DRAIN_LINE_MS);
	generations_tell(control->daemon->generations, CHANNEL_TERM);
	log_event(LOG_INFO, "draining",
	    "cause=%s flows=%u deadline=%" PRIu64 "ms", cause,
	    control_connections(control), conf->global.drain_ms);
}

static void stop_accepting(struct control *control)
{
	control->drain.state = DRAIN_WAITING;
	atomic_store(&control->daemon->state, DAEMON_DRAINING);
	upgrade_on_drain(control);
	control_post_workers(control, (struct message){.kind = DAEMON_DRAIN});
	look_again(control);
}

void drain_handed_over(struct control *control)
{
	uint64_t limit_ms = control->plan->conf->upgrade.drain_ms;
	struct drain *drain = &control->drain;
	struct mono now = mono_now();

	drain->handed_over = true;
	drain->deadline =
	    mono_add_ms(now, limit_ms ? (int64_t)limit_ms : DRAIN_UNLIMITED_MS);
	drain->next_line = mono_add_ms(now, DRAIN_LINE_GIVEN_MS);
	stop_accepting(control);
}

static bool all_gone(struct control *control)
{
	/* A reload that was under way ends first; it takes milliseconds. An
	 * upgrade is told to end. Older generations end with the newest. */
	return !reload_running(control) && !upgrade_running(control) &&
	       generations_count(control->daemon->generations) == 0 &&
	       control->drain.n_drained == control->daemon->n_workers &&
	       control_connections(control) == 0 &&
	       __atomic_load_n(&control->daemon->dns_tcp_connections,
		   __ATOMIC_RELAXED) == 0;
}

static void on_timer(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, drain.timer);
	struct drain *drain = &control->drain;
	bool due = mono_diff_ns(now, drain->deadline) >= 0;
	int64_t line_ms =
	    drain->handed_over ? DRAIN_LINE_GIVEN_MS : DRAIN_LINE_MS;

	generations_note(control->daemon);

	if (all_gone(control)) {
		end(control,
		    drain->state == DRAIN_KILLING ? "killed" : "drained");
		return;
	}
	if (drain->state == DRAIN_KILLING && due) {
		end(control, "killed");
		return;
	}
	if (due)
		kill_flows(control, "deadline");
	else if (drain->state == DRAIN_WAITING &&
		 mono_diff_ns(now, drain->next_line) >= 0) {
		drain->next_line = mono_add_ms(now, line_ms);
		log_event(LOG_INFO, "draining", "flows=%u left=%" PRId64 "s",
		    control_connections(control),
		    (mono_diff_ns(drain->deadline, now) + NS_PER_S / 2) /
			NS_PER_S);
	}
	look_again(control);
}

void drain_init(struct control *control)
{
	timer_init(&control->drain.timer, on_timer);
}

void drain_on_drained(struct control *control)
{
	if (++control->drain.n_drained == control->daemon->n_workers)
		generations_leave(control->daemon->generations);
}

void control_drain(struct control *control, const char *cause)
{
	struct drain *drain = &control->drain;

	if (drain->state != DRAIN_NONE && !drain->handed_over)
		return;
	if (!drain->handed_over)
		(void)notify_send("STOPPING=1");
	begin(control, cause);
	if (drain->state == DRAIN_NONE)
		stop_accepting(control);
}

void control_stop(struct control *control, const char *cause)
{
	control_drain(control, cause);
	kill_flows(control, cause);
}

void drain_on_signal(struct control *control, const char *name)
{
	if (control->drain.state == DRAIN_NONE || control->drain.handed_over)
		control_drain(control, name);
	else
		control_stop(control, name);
}
