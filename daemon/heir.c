/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/heir.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/api.h"
#include "daemon/control_state.h"
#include "daemon/ctl.h"
#include "daemon/generations.h"
#include "daemon/inherit.h"
#include "daemon/node_agent.h"
#include "daemon/notify.h"
#include "daemon/passed.h"
#include "daemon/upgrade_job.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

bool heir_waits(const struct control *control)
{
	const struct inherit *inherit = control->daemon->inherit;

	return inherit && !inherit->committed;
}

static void watch(struct control *control)
{
	ring_poll(&control->ring, &control->op, CONTROL_TAG_HEIR,
	    control->daemon->inherit->channel, POLLIN);
}

static int say_ready(const struct inherit *inherit)
{
	uint8_t text[CHANNEL_BYTES_MAX];
	uint32_t n = passed_taken(text + 1);

	text[0] = (uint8_t)((inherit->took_control ? UPGRADE_TOOK_CONTROL : 0) |
			    (inherit->took_api ? UPGRADE_TOOK_API : 0));
	return channel_send(
	    inherit->channel, CHANNEL_READY, text, n + 1, NULL, 0);
}

void heir_on_armed(struct control *control)
{
	struct inherit *inherit = control->daemon->inherit;
	int err;

	if (!inherit || ++inherit->n_armed < control->daemon->n_workers)
		return;
	err = say_ready(inherit);
	/* Its end comes through the channel, too. */
	if (err)
		log_event(LOG_WARN, "the old process does not listen",
		    "error=\"%s\"", br_strerror(err));
	passed_end();
	inherit->ready = true;
	watch(control);
}

/* -- after COMMIT ------------------------------------------------------ */

static void on_changed(void *context, struct server *server)
{
	struct control *control = context;

	probe_set_admin_changed(control->probes, server->row);
}

/* What operators have set while this process started. */
static int apply_state(struct control *control, int fd)
{
	struct manifest state;
	size_t length;
	void *bytes;
	int err = channel_file_read(fd, &bytes, &length);

	if (err)
		return err;
	err = manifest_decode(&state, bytes, length);
	if (!err) {
		inherit_servers(
		    &state, control->plan, false, on_changed, control);
		inherit_log(&state, control->plan);
		ejections_sync(control);
		/* POPs, too. */
		admin_pops_begin(control);
		dns_refresh_request(control);
		manifest_fini(&state);
	}
	free(bytes);
	return err;
}

static void adopt(struct control *control, const struct manifest_process *who,
    int *channel, int *counters)
{
	int err = generations_add(
	    control->daemon->generations, who, *channel, *counters);

	*channel = *counters = -1;
	if (err)
		log_event(LOG_WARN, "an old generation cannot be followed",
		    "pid=%u error=\"%s\"", who->pid, br_strerror(err));
}

static void adopt_generations(struct control *control)
{
	struct inherit *inherit = control->daemon->inherit;
	struct manifest *manifest = &inherit->manifest;

	for (uint32_t i = 0; i < manifest->n_older; i++)
		adopt(control, &manifest->older[i], &inherit->older[i][0],
		    &inherit->older[i][1]);
	adopt(
	    control, &manifest->process, &inherit->channel, &inherit->counters);
	upgrade_watch(control);
}

static void start_api(struct daemon *daemon)
{
	int err;

	if (daemon->api_fd < 0)
		return;
	err = api_start(daemon, daemon->api_fd, &daemon->api);
	if (err)
		log_event(
		    LOG_ERROR, "api.listen", "error=\"%s\"", br_strerror(err));
}

/* Files of sockets are this process's to remove from now on. */
static void own_files(struct control *control)
{
	struct plan *plan = control->plan;

	atomic_store(&control->daemon->control_given, false);
	for (uint32_t i = 0; i < plan->n_binds; i++)
		plan->binds[i].sockets->borrowed = false;
}

static void take_over(struct control *control, const char *how)
{
	struct daemon *daemon = control->daemon;
	struct inherit *inherit = daemon->inherit;
	struct manifest_process before = inherit->manifest.process;

	inherit->committed = true;
	if (control->drain.state == DRAIN_NONE)
		atomic_store(&daemon->state, DAEMON_SERVING);
	(void)!channel_send(
	    inherit->channel, CHANNEL_SERVING, NULL, 0, NULL, 0);
	own_files(control);
	adopt_generations(control);
	start_api(daemon);
	ctl_hold(control->ctl, false);
	node_agent_hold(control->agent, false);
	admin_pops_watch(control);
	(void)notify_send("READY=1");
	log_event(LOG_INFO, "took over",
	    "generation=%u from_pid=%u from_version=%s how=%s",
	    daemon->generations->self.number, before.pid, before.version, how);
	reload_go_on(control);
}

void heir_on_channel(struct control *control)
{
	static struct channel_message message;
	struct inherit *inherit = control->daemon->inherit;
	int err = channel_receive(inherit->channel, 0, &message);

	if (!err && message.type == CHANNEL_COMMIT) {
		err = message.n_fds == 1 ? apply_state(control, message.fds[0])
					 : BR_E_PROTOCOL;
		channel_drop(&message);
		if (err)
			log_event(LOG_WARN, "hand-over: late changes are lost",
			    "error=\"%s\"", br_strerror(err));
		take_over(control, "committed");
	} else if (err == BR_E_CLOSED) {
		/* Had it given this process up, it would have ended it. The
		 * sockets are ours, nobody else accepts. */
		take_over(control, "the old process has died");
	} else {
		if (!err)
			channel_drop(&message);
		watch(control);
	}
}
