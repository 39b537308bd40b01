/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "daemon/boot_state.h"

#include <stdio.h>

#define LOG_QUEUE_LINES 4096

static void log_serving(struct boot *boot)
{
	const struct daemon *daemon = &boot->daemon;
	const struct lb_limits *limits = &boot->limits;

	log_event(LOG_INFO, "serving",
	    "version=%s pid=%d user=%s workers=%u max_connections=%u pipes=%u "
	    "pipe_bytes=%u ktls=%s listeners=%u addresses=%u pools=%u "
	    "config=%s",
	    BRAID_VERSION, daemon->pid, boot->privileges.user,
	    daemon->n_workers, limits->max_connections,
	    limits->pipes * limits->n_workers, limits->pipe_bytes, daemon->ktls,
	    boot->plan->n_listeners, boot->plan->n_binds,
	    boot->plan->n_upstreams, daemon->config_file);
	for (uint32_t i = 0; i < boot->plan->n_binds; i++)
		log_event(LOG_DEBUG, "listening", "listener=%s address=%s",
		    boot->plan->binds[i].listener->name,
		    boot->plan->binds[i].text);
	if (boot->plan->n_dns_binds)
		log_event(LOG_INFO, "answering DNS", "addresses=%u zones=%u",
		    boot->plan->n_dns_binds, boot->plan->conf->dns.n_zones);
	for (uint32_t i = 0; i < boot->n_warnings; i++)
		log_event(
		    LOG_WARN, "start", "%s=%s", "warning", boot->warnings[i]);
}

/* Returns how many threads will come to the gate. */
static uint32_t start_at_gate(struct boot *boot, int *ret_error)
{
	struct daemon *daemon = &boot->daemon;
	uint32_t n = 0;
	int err = 0;

	while (n < daemon->n_workers && !err) {
		err = worker_loop_start(
		    &boot->loops[n], daemon, n, boot->plan, &boot->gate);
		n += !err;
	}
	*ret_error = err;
	return n;
}

static int run_all(struct boot *boot)
{
	struct daemon *daemon = &boot->daemon;
	int err, control_err;
	uint32_t n = start_at_gate(boot, &err);

	control_err = control_start(&boot->control, daemon, boot->plan,
	    boot->signal_fd, boot->control_fd, &boot->gate);
	if (!err)
		err = control_err;
	if (!err)
		err = gate_wait(&boot->gate, n + 1);
	if (!err) {
		boot->control_fd = boot->agent_fd = -1; /* control's */
		/* After an upgrade the old process says when. */
		if (boot->inherit)
			plan_open_beside(boot->plan);
		else
			atomic_store(&daemon->state, DAEMON_SERVING);
		log_serving(boot);
	}
	gate_decide(&boot->gate, !err);
	if (!control_err)
		control_join(&boot->control);
	for (uint32_t i = 0; i < n; i++)
		worker_loop_join(&boot->loops[i]);
	if (!err) {
		/* Later plans were control's to publish. */
		boot->plan = boot->control.plan;
		return EXIT_CODE_OK;
	}
	return boot_fail(EXIT_CODE_UNAVAILABLE,
	    "a thread could not be set up (%s): %s", br_strerror(err),
	    ring_explain(err));
}

static int start_api(struct boot *boot)
{
	int err;

	if (boot->api_fd < 0)
		return EXIT_CODE_OK;
	/* Until then /metrics is the old process's. */
	if (boot->inherit) {
		boot->api_fd = -1; /* control's */
		return EXIT_CODE_OK;
	}
	err = api_start(&boot->daemon, boot->api_fd, &boot->daemon.api);
	if (err)
		return boot_fail(
		    EXIT_CODE_UNAVAILABLE, "api.listen: %s", br_strerror(err));
	boot->api_fd = -1; /* the api's */
	return EXIT_CODE_OK;
}

int boot_threads(struct boot *boot)
{
	int code, err;

	gate_init(&boot->gate);
	err = log_start_queue(LOG_QUEUE_LINES);
	if (!err)
		err = clerk_start(&boot->clerk, &boot->daemon);
	if (err) {
		log_stop_queue();
		return boot_fail(
		    EXIT_CODE_UNAVAILABLE, "clerk: %s", br_strerror(err));
	}
	code = start_api(boot);
	if (!code)
		code = run_all(boot);
	api_stop(boot->daemon.api);
	clerk_stop(&boot->clerk);
	upgrade_leave(&boot->control);
	log_stop_queue();
	gate_fini(&boot->gate);
	return code;
}
