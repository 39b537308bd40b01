/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "daemon/control_state.h"

#include <inttypes.h>

/*
 *   TERM ─> WAITING ──all flows ended──────────────> STOP to workers, done
 *              │ deadline, or a second TERM             ^
 *              └─> KILLING: flows are reset ────────────┘
 */

#define DRAIN_LOOK_MS 20
#define DRAIN_LINE_MS 1000
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
	log_event(LOG_WARN, "resetting the flows that are left",
	    "flows=%u cause=%s", control_connections(control), cause);
	control_post_workers(control, (struct message){.kind = DAEMON_KILL});
	look_again(control);
}

static void stop_accepting(struct control *control, const char *cause)
{
	const struct conf *conf = control->plan->conf;
	struct drain *drain = &control->drain;
	struct mono now = mono_now();

	drain->state = DRAIN_WAITING;
	drain->deadline = mono_add_ms(now, (int64_t)conf->global.drain_ms);
	drain->next_line = mono_add_ms(now, DRAIN_LINE_MS);
	atomic_store(&control->daemon->state, DAEMON_DRAINING);
	log_event(LOG_INFO, "draining",
	    "cause=%s flows=%u deadline=%" PRIu64 "ms", cause,
	    control_connections(control), conf->global.drain_ms);
	control_post_workers(control, (struct message){.kind = DAEMON_DRAIN});
	look_again(control);
}

static bool all_gone(struct control *control)
{
	/* A reload that was under way ends first; it takes milliseconds. */
	return !reload_running(control) &&
	       control->drain.n_drained == control->daemon->n_workers &&
	       control_connections(control) == 0;
}

static void on_timer(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, drain.timer);
	struct drain *drain = &control->drain;
	bool due = mono_diff_ns(now, drain->deadline) >= 0;

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
		drain->next_line = mono_add_ms(now, DRAIN_LINE_MS);
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
	control->drain.n_drained++;
}

void control_drain(struct control *control, const char *cause)
{
	if (control->drain.state == DRAIN_NONE)
		stop_accepting(control, cause);
}

void control_stop(struct control *control, const char *cause)
{
	if (control->drain.state == DRAIN_NONE)
		stop_accepting(control, cause);
	kill_flows(control, cause);
}

void drain_on_signal(struct control *control, const char *name)
{
	if (control->drain.state == DRAIN_NONE)
		control_drain(control, name);
	else
		control_stop(control, name);
}
