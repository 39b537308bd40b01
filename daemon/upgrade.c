/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upgrade.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/ctl.h"
#include "daemon/generations.h"
#include "daemon/node_agent.h"
#include "daemon/notify.h"
#include "daemon/upgrade_job.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Old generations that have ended leave the list within this time. */
#define LOOK_MS 100
/* Older versions do not say that they have left. */
#define LEFT_AT_LATEST_MS 5000

static struct generations *generations_of(struct control *control)
{
	return control->daemon->generations;
}

static void on_look(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, upgrade.look);

	(void)now;
	generations_look(generations_of(control));
	upgrade_watch(control);
}

void upgrade_init(struct control *control)
{
	control->upgrade.event_fd = control->upgrade.channel = -1;
	timer_init(&control->upgrade.look, on_look);
}

/* For what must not be said while somebody else may still say the opposite. */
static void look_alone(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	struct mono now = mono_now();

	if (atomic_load(&control->daemon->alone))
		return;
	if (!upgrade->alone_by.ns)
		upgrade->alone_by = mono_add_ms(now, LEFT_AT_LATEST_MS);
	if (generations_have_left(generations_of(control)) ||
	    mono_diff_ns(now, upgrade->alone_by) >= 0)
		atomic_store(&control->daemon->alone, true);
}

void upgrade_watch(struct control *control)
{
	look_alone(control);
	if (generations_count(generations_of(control)))
		timer_arm(&control->wheel, &control->upgrade.look,
		    mono_add_ms(mono_now(), LOOK_MS));
}

bool upgrade_running(const struct control *control)
{
	return control->upgrade.state == UPGRADE_RUNNING ||
	       control->upgrade.state == UPGRADE_COMMITTING;
}

bool upgrade_hands_over(const struct control *control)
{
	return control->upgrade.state == UPGRADE_COMMITTING ||
	       upgrade_given(control);
}

bool upgrade_given(const struct control *control)
{
	return control->upgrade.state == UPGRADE_GIVEN;
}

/* -- the request ------------------------------------------------------- */

static int refuse(const char **ret_reason, int err, const char *reason)
{
	*ret_reason = reason;
	return err;
}

static int check(struct control *control, const char **ret_reason)
{
	const struct generations *generations = generations_of(control);
	uint32_t most = control->plan->conf->upgrade.generations;

	if (upgrade_given(control))
		return refuse(ret_reason, -EBUSY,
		    "this process has handed over already; ask the new one");
	if (control->drain.state != DRAIN_NONE)
		return refuse(ret_reason, -EBUSY, "draining");
	if (upgrade_running(control))
		return refuse(ret_reason, -EBUSY, "an upgrade is under way");
	if (atomic_load(&control->daemon->state) != DAEMON_SERVING)
		return refuse(ret_reason, -EBUSY, "starting");
	if (reload_running(control))
		return refuse(ret_reason, -EBUSY,
		    "a reload is under way; try again when it has ended");
	if (generations_count(generations) >= most)
		return refuse(ret_reason, BR_E_LIMIT,
		    "as many old processes as upgrade.generations allows still "
		    "have flows; wait, end one by a signal, or allow more");
	return 0;
}

static void watch_events(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;

	ring_read(&control->ring, &control->op, CONTROL_TAG_UPGRADE,
	    upgrade->event_fd, &upgrade->events, sizeof upgrade->events);
}

/* What a failed attempt leaves, and one that did not even begin. */
static void clean_up(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	struct generations *generations = generations_of(control);

	if (upgrade->event_fd >= 0)
		close(upgrade->event_fd);
	upgrade->event_fd = -1;
	if (upgrade->state == UPGRADE_GIVEN)
		return;
	count_block_close(&generations->own);
	generations->frozen = false;
	upgrade->state = UPGRADE_IDLE;
}

static int start(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	struct generations *generations = generations_of(control);
	uint64_t timeout_ms = control->plan->conf->upgrade.timeout_ms;
	int err = count_block_new(&generations->own);

	if (err)
		return err;
	/* Blocking: it is read through the ring, which then waits for it. */
	upgrade->event_fd = eventfd(0, EFD_CLOEXEC);
	if (upgrade->event_fd < 0)
		return -errno;
	generations->frozen = true;
	upgrade->started = mono_now();
	upgrade->job = upgrade_job_start(control->daemon, control->plan,
	    upgrade->binary, timeout_ms, upgrade->event_fd);
	return upgrade->job ? 0 : -EAGAIN;
}

int upgrade_request(struct control *control, const char *binary,
    upgrade_on_done *on_done, void *context, const char **ret_reason)
{
	struct upgrade *upgrade = &control->upgrade;
	int err = check(control, ret_reason);

	if (err)
		return err;
	if (!binary)
		binary = control->daemon->binary;
	if (snprintf(upgrade->binary, sizeof upgrade->binary, "%s", binary) >=
	    (int)sizeof upgrade->binary)
		return refuse(
		    ret_reason, -ENAMETOOLONG, "the path is too long");
	err = start(control);
	if (err) {
		clean_up(control);
		return refuse(ret_reason, err, br_strerror(err));
	}
	upgrade->state = UPGRADE_RUNNING;
	upgrade->on_done = on_done;
	upgrade->context = context;
	log_event(LOG_INFO, "upgrade", "binary=%s", upgrade->binary);
	watch_events(control);
	return 0;
}

void upgrade_forget(struct control *control, const void *context)
{
	if (control->upgrade.context == context)
		control->upgrade.on_done = NULL;
}

/* -- its end ----------------------------------------------------------- */

static void answer(struct control *control, struct upgrade_result *result)
{
	struct upgrade *upgrade = &control->upgrade;
	upgrade_on_done *on_done = upgrade->on_done;

	upgrade->on_done = NULL;
	if (on_done)
		on_done(upgrade->context, result);
}

static void fail(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	struct upgrade_result result = {.text = upgrade->job->text};

	log_event(LOG_ERROR, "upgrade failed, this process goes on",
	    "binary=%s cause=\"%s\"", upgrade->binary, upgrade->job->text);
	clean_up(control);
	ctl_hold(control->ctl, false);
	node_agent_hold(control->agent, false);
	admin_pops_watch(control);
	answer(control, &result);
	reload_go_on(control);
}

/* From here on these files are the new process's to remove. */
static void forget_files(struct control *control)
{
	const struct upgrade_job *job = control->upgrade.job;
	struct plan *plan = control->plan;

	for (uint32_t i = 0; i < plan->n_binds; i++)
		if (upgrade_job_took(job, i))
			plan->binds[i].sockets->inode = 0;
	if (job->taken_flags & UPGRADE_TOOK_CONTROL)
		atomic_store(&control->daemon->control_given, true);
}

static void watch_channel(struct control *control)
{
	ring_poll(&control->ring, &control->op, CONTROL_TAG_CHANNEL,
	    control->upgrade.channel, POLLIN);
}

static void succeed(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	struct generations *generations = generations_of(control);
	struct upgrade_result result = {.done = true,
	    .pid = upgrade->job->pid,
	    .generation = generations->self.number + 1,
	    .flows_left = control_connections(control),
	    .took_ms = mono_diff_ns(mono_now(), upgrade->started) / NS_PER_MS};

	/* From the main process, which is the one that systemd believes. */
	(void)notify_send("MAINPID=%d", (int)result.pid);
	upgrade->state = UPGRADE_GIVEN;
	upgrade->channel = upgrade->job->channel;
	forget_files(control);
	generations_give_up(generations);
	clean_up(control);
	watch_channel(control);
	/* Of servers the new process hears for both. */
	probe_set_stop(control->probes);
	node_agent_stop(control->agent);
	log_event(LOG_INFO, "handed over",
	    "pid=%d generation=%u flows=%u took_ms=%" PRId64, (int)result.pid,
	    result.generation, result.flows_left, result.took_ms);
	answer(control, &result);
	/* Told to end while it could not be undone: the new one, too. */
	if (control->drain.state != DRAIN_NONE)
		(void)kill(result.pid, SIGTERM);
	else
		drain_handed_over(control);
}

static void conclude(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;

	/* An event of before may have brought us here, while the last one is
	 * still to be written to what is closed below. */
	upgrade_job_join(upgrade->job);
	if (upgrade->job->err)
		fail(control);
	else
		succeed(control);
	upgrade_job_end(upgrade->job);
	upgrade->job = NULL;
}

void upgrade_on_event(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;
	int phase = atomic_load(&upgrade->job->phase);

	if (phase == UPGRADE_DONE) {
		conclude(control);
		return;
	}
	if (phase == UPGRADE_READY && upgrade->state == UPGRADE_RUNNING) {
		upgrade->state = UPGRADE_COMMITTING;
		if (upgrade->job->taken_flags & UPGRADE_TOOK_CONTROL)
			ctl_hold(control->ctl, true);
		node_agent_hold(control->agent, true);
		upgrade_job_go(upgrade->job);
	}
	watch_events(control);
}

/* -- as an old generation ---------------------------------------------- */

void upgrade_on_channel(struct control *control)
{
	static struct channel_message message;
	struct upgrade *upgrade = &control->upgrade;
	int err = channel_receive(upgrade->channel, 0, &message);

	if (err == BR_E_CLOSED) {
		/* The newest has died or ended; our flows live on. */
		close(upgrade->channel);
		upgrade->channel = -1;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		return;
	}
	if (!err) {
		channel_drop(&message);
		if (message.type == CHANNEL_TERM)
			control_drain(control, "the newest generation ends");
		else if (message.type == CHANNEL_STOP)
			control_stop(control, "the newest generation ends");
	}
	watch_channel(control);
}

void upgrade_on_drain(struct control *control)
{
	if (control->upgrade.state == UPGRADE_RUNNING)
		upgrade_job_abort(control->upgrade.job);
}

void upgrade_fini(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;

	timer_disarm(&control->wheel, &upgrade->look);
	if (upgrade->job) {
		upgrade_job_abort(upgrade->job);
		upgrade_job_go(upgrade->job);
		upgrade_job_end(upgrade->job);
		upgrade->job = NULL;
	}
}

void upgrade_leave(struct control *control)
{
	struct upgrade *upgrade = &control->upgrade;

	/* Only then has it begun, and is this a descriptor. */
	if (upgrade_given(control) && upgrade->channel >= 0)
		close(upgrade->channel);
}
