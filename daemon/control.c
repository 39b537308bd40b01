/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/ctl.h"
#include "daemon/dns_counts.h"
#include "daemon/heir.h"
#include "daemon/node_agent.h"
#include "daemon/notify.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define CONTROL_WAIT_NS NS_PER_S
#define CONTROL_RETRY_NS NS_PER_MS
#define CONTROL_CQ_ENTRIES 4096
#define TICKET_LOOK_MS (60 * 1000)
/* Turns given to health checks and commands in flight at the end. */
#define CONTROL_END_TURNS 50

/* -- what others use --------------------------------------------------- */

struct daemon *control_daemon(struct control *control)
{
	return control->daemon;
}

struct ring *control_ring(struct control *control)
{
	return &control->ring;
}

struct timer_wheel *control_wheel(struct control *control)
{
	return &control->wheel;
}

struct mono control_now(const struct control *control)
{
	(void)control;
	return mono_now();
}

struct plan *control_plan(const struct control *control)
{
	return control->plan;
}

const struct probe_set *control_probes(const struct control *control)
{
	return control->probes;
}

void control_show_agent(const struct control *control, struct json *j)
{
	node_agent_show(control->agent, j);
}

void control_post(
    struct control *control, uint32_t member, struct message message)
{
	outbox_post(&control->outbox, member, message);
}

void control_post_workers(struct control *control, struct message message)
{
	for (uint32_t i = 0; i < control->daemon->n_workers; i++)
		control_post(control, i, message);
}

void control_list(struct control *control, struct listing *listing)
{
	br_assert(listing->worker < control->daemon->n_workers);
	control_post(control, listing->worker,
	    (struct message){.kind = DAEMON_LIST, .pointer = listing});
}

void control_kill_flows(struct control *control, struct flow_killing *killing)
{
	br_assert(killing->worker < control->daemon->n_workers);
	control_post(control, killing->worker,
	    (struct message){.kind = DAEMON_KILL_FLOWS, .pointer = killing});
}

uint32_t control_connections(const struct control *control)
{
	return shared_read(&control->daemon->shared.connections);
}

/* -- messages ---------------------------------------------------------- */

static void on_message(struct control *control, const struct message *message)
{
	struct listing *listing;
	struct flow_killing *killing;

	switch (message->kind) {
	case DAEMON_ADOPTED:
		reload_on_adopted(control, message->pointer);
		break;
	case DAEMON_LEFT:
		retire_on_left(control, message->pointer);
		break;
	case DAEMON_LISTED:
		listing = message->pointer;
		listing->on_listed(listing);
		break;
	case DAEMON_KILLED:
		killing = message->pointer;
		killing->on_killed(killing);
		break;
	case DAEMON_FENCED:
		retire_on_fenced(control, message->pointer);
		break;
	case DAEMON_DRAINED:
		drain_on_drained(control);
		break;
	case DAEMON_ARMED:
		heir_on_armed(control);
		break;
	case DAEMON_NAMES:
		reload_on_names(control);
		break;
	case DAEMON_LOADED:
		reload_on_loaded(control, message->pointer);
		break;
	case DAEMON_DNS_DONE:
		dns_refresh_on_done(control, message->pointer);
		break;
	case DAEMON_UNUSED:
		retire_on_unused(control, message->pointer);
		break;
	default:
		br_assert(false);
	}
}

static void watch_mail(struct control *control)
{
	const struct daemon *daemon = control->daemon;

	ring_read(&control->ring, &control->op, CONTROL_TAG_MAIL,
	    mailbox_eventfd(daemon->office, daemon->member_control),
	    &control->mail_count, sizeof control->mail_count);
}

static void receive(struct control *control)
{
	struct daemon *daemon = control->daemon;
	struct message message;

	control->mail = false;
	while (
	    mailbox_receive(daemon->office, daemon->member_control, &message))
		on_message(control, &message);
	watch_mail(control);
}

/* -- signals ----------------------------------------------------------- */

static void watch_signals(struct control *control)
{
	ring_read(&control->ring, &control->op, CONTROL_TAG_SIGNAL,
	    control->signal_fd, &control->signal, sizeof control->signal);
}

static void on_signal(struct control *control)
{
	const char *reason;

	switch (control->signal.ssi_signo) {
	case SIGHUP:
		if (reload_request(control, NULL, NULL) == -EBUSY)
			log_event(LOG_WARN, "reload refused", "cause=%s",
			    upgrade_running(control) ? "upgrading"
						     : "draining");
		break;
	case SIGUSR2:
		if (upgrade_request(control, NULL, NULL, NULL, &reason))
			log_event(LOG_WARN, "upgrade refused", "cause=\"%s\"",
			    reason);
		break;
	case SIGTERM:
		drain_on_signal(control, "SIGTERM");
		break;
	case SIGINT:
		drain_on_signal(control, "SIGINT");
		break;
	default:
		break;
	}
}

/* -- the loop ---------------------------------------------------------- */

static void on_complete(
    struct op_owner *owner, unsigned tag, struct op_result result)
{
	struct control *control = br_container_of(owner, struct control, op);

	switch ((enum control_tag)tag) {
	case CONTROL_TAG_MAIL:
		control->mail = true;
		break;
	case CONTROL_TAG_SIGNAL:
		if (result.res == sizeof control->signal)
			on_signal(control);
		watch_signals(control);
		break;
	case CONTROL_TAG_UPGRADE:
		upgrade_on_event(control);
		break;
	case CONTROL_TAG_CHANNEL:
		upgrade_on_channel(control);
		break;
	case CONTROL_TAG_HEIR:
		heir_on_channel(control);
		break;
	}
}

static const struct op_class control_class = {
    .magic = CONTROL_MAGIC,
    .name = "control",
    .on_complete = on_complete,
};

static void turn(struct control *control, int64_t most_ns)
{
	int64_t wait_ns = most_ns;

	if (!outbox_flush(&control->outbox) && wait_ns > CONTROL_RETRY_NS)
		wait_ns = CONTROL_RETRY_NS;
	wait_ns = timer_wheel_sleep_ns(&control->wheel, mono_now(), wait_ns);
	ring_turn(&control->ring, wait_ns);
	/* Not beyond what the ring has heard of. */
	timer_wheel_advance(&control->wheel, control->ring.now);
	if (control->mail)
		receive(control);
}

/* -- the service manager ----------------------------------------------- */

static void on_watchdog(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, watchdog);

	(void)notify_send("WATCHDOG=1");
	timer_arm(&control->wheel, timer,
	    mono_add_ms(now, (int64_t)notify_watchdog_ms()));
}

static void start_watchdog(struct control *control)
{
	if (notify_watchdog_ms())
		on_watchdog(&control->watchdog, mono_now());
}

/* Looked at by the minute, so that a clock that is set does no harm. */
static void look_at_tickets(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, ticket_timer);

	if (tls_process_rotate(&control->daemon->tls, wall_now().ns)) {
		control_post_workers(
		    control, (struct message){.kind = DAEMON_TICKET_KEYS});
		log_event(LOG_DEBUG, "TLS ticket keys changed", NULL);
	}
	timer_arm(&control->wheel, timer, mono_add_ms(now, TICKET_LOOK_MS));
}

static void start_tickets(struct control *control)
{
	timer_init(&control->ticket_timer, look_at_tickets);
	timer_arm(&control->wheel, &control->ticket_timer,
	    mono_add_ms(mono_now(), TICKET_LOOK_MS));
}

static void note_queries(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, rate_timer);
	struct daemon *daemon = control->daemon;

	dns_rate_note(&daemon->dns_rate, now,
	    dns_counts_queries(daemon->dns_counts, daemon->n_workers));
	timer_arm(&control->wheel, timer, mono_add_ns(now, DNS_RATE_STEP_NS));
}

static void start_rate(struct control *control)
{
	timer_init(&control->rate_timer, note_queries);
	note_queries(&control->rate_timer, mono_now());
}

/* As an old generation it hears of little. */
static void check_shrink(struct control *control)
{
	if (upgrade_given(control) && !control->shrunk)
		control->shrunk = ring_shrink(&control->ring) != -EAGAIN;
}

static void run(struct control *control)
{
	if (!control->daemon->inherit)
		(void)notify_send("READY=1");
	start_watchdog(control);
	watch_signals(control);
	receive(control);
	admin_sync_probes(control);
	ejections_sync(control);
	admin_pops_begin(control);
	admin_pops_watch(control);
	trouble_start(control);
	start_tickets(control);
	start_rate(control);
	while (!control->done) {
		turn(control, CONTROL_WAIT_NS);
		check_shrink(control);
	}
	timer_disarm(&control->wheel, &control->trouble.timer);
	timer_disarm(&control->wheel, &control->ticket_timer);
	timer_disarm(&control->wheel, &control->pop_timer);
	timer_disarm(&control->wheel, &control->rate_timer);
	ejections_stop(control);
	timer_disarm(&control->wheel, &control->watchdog);
	trouble_stop(control);
	upgrade_fini(control);
	probe_set_stop(control->probes);
	ctl_stop(control->ctl);
	node_agent_stop(control->agent);
	for (int i = 0; i < CONTROL_END_TURNS; i++) {
		if (probe_set_idle(control->probes) && ctl_done(control->ctl) &&
		    node_agent_done(control->agent) &&
		    outbox_flush(&control->outbox))
			break;
		turn(control, 2 * NS_PER_MS);
	}
}

static int prepare(struct control *control)
{
	struct ring_options options = {.cq_entries = CONTROL_CQ_ENTRIES};
	struct probe_options probe = {
	    .ring = &control->ring,
	    .wheel = &control->wheel,
	    .rng = &control->rng,
	    .hooks = admin_probe_hooks(control),
	    .metrics = &control->daemon->checks,
	};
	int err = ring_init(&control->ring, &options, &control->ring_metrics);

	if (err)
		return err;
	timer_wheel_init(&control->wheel, mono_now());
	rng_seed_random(&control->rng);
	drain_init(control);
	dns_refresh_init(control);
	admin_pops_init(control);
	ejections_init(control);
	upgrade_init(control);
	timer_init(&control->watchdog, on_watchdog);
	err = probe_set_new(&probe, &control->probes);
	if (!err)
		err = ctl_start(control, control->listen_fd, &control->ctl);
	if (!err && control->daemon->agent_fd >= 0)
		err = node_agent_start(
		    control, control->daemon->agent_fd, &control->agent);
	/* Commands are the old process's until it has committed. */
	if (!err && control->daemon->inherit)
		ctl_hold(control->ctl, true);
	else if (!err)
		node_agent_hold(control->agent, false);
	/* What was made here ends with the process, which does not start, and
	 * is reached from boot_run() until then. */
	return err;
}

static void finish(struct control *control)
{
	bool probes_idle = probe_set_idle(control->probes);
	bool ctl_idle = ctl_done(control->ctl);
	bool agent_idle = node_agent_done(control->agent);

	/* What the kernel still holds at this point keeps its memory. */
	ring_fini(&control->ring);
	if (probes_idle)
		probe_set_free(control->probes);
	if (ctl_idle)
		ctl_free(control->ctl);
	if (agent_idle)
		node_agent_free(control->agent);
}

static void *control_thread(void *argument)
{
	struct control *control = argument;
	int err;

	(void)pthread_setname_np(pthread_self(), "braid-control");
	err = prepare(control);
	if (!gate_arrive(control->gate, err))
		return NULL;
	run(control);
	finish(control);
	return NULL;
}

int control_start(struct control *control, struct daemon *daemon,
    struct plan *plan, int signal_fd, int listen_fd, struct gate *gate)
{
	memset(control, 0, sizeof *control);
	control->op.magic = CONTROL_MAGIC;
	control->op.class = &control_class;
	control->daemon = daemon;
	control->plan = plan;
	list_init(&control->superseded);
	control->signal_fd = signal_fd;
	control->listen_fd = listen_fd;
	control->gate = gate;
	outbox_init(&control->outbox, daemon->office, daemon->member_control);
	return -pthread_create(&control->thread, NULL, control_thread, control);
}

void control_join(struct control *control)
{
	(void)pthread_join(control->thread, NULL);
}
