/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reload.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/heir.h"
#include "daemon/load.h"
#include "daemon/notify.h"
#include "io/tls_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start(struct control *control, enum load_kind kind)
{
	struct reload *reload = &control->reload;
	struct daemon *daemon = control->daemon;

	if (kind == LOAD_FILE)
		(void)notify_reloading();
	reload->state = RELOAD_LOADING;
	/* What is known about names is looked at in either case. */
	reload->names = false;
	if (kind == LOAD_FILE) {
		reload->now = reload->next;
		reload->next.n = 0;
		reload->again = false;
	}
	reload->job = load_job_new(daemon, control->plan, kind);
	reload->job->dns_epoch = ++control->dns.epoch;
	control_post(control, daemon->member_clerk,
	    (struct message){.kind = DAEMON_LOAD, .pointer = reload->job});
}

/* Reads no file while control is busy with something else (a zone that is being
 * loaded is not the plan's yet: the next plan would have the one before), nor
 * before a new process has taken over: what it took away then would still be
 * the old one's, which forgets it later. */
static void start_waiting(struct control *control)
{
	struct reload *reload = &control->reload;

	if (reload->state != RELOAD_IDLE || upgrade_running(control) ||
	    control->drain.state != DRAIN_NONE || dns_refresh_loads(control))
		return;
	if (reload->again && !heir_waits(control))
		start(control, LOAD_FILE);
	else if (reload->names)
		start(control, LOAD_NAMES);
}

int reload_request(
    struct control *control, reload_on_done *on_done, void *context)
{
	struct reload *reload = &control->reload;

	if (control->drain.state != DRAIN_NONE || upgrade_running(control))
		return -EBUSY;
	if (on_done) {
		if (reload->next.n == RELOAD_WAITERS_MAX)
			return BR_E_LIMIT;
		reload->next.items[reload->next.n++] =
		    (struct reload_waiter){on_done, context};
	}
	if (heir_waits(control))
		log_event(LOG_INFO, "reload waits",
		    "cause=\"the old process has not handed over yet\"");
	reload->again = true;
	start_waiting(control);
	return 0;
}

void reload_on_names(struct control *control)
{
	control->reload.names = true;
	start_waiting(control);
}

void reload_go_on(struct control *control)
{
	start_waiting(control);
}

static void forget(struct reload_waiters *waiters, const void *context)
{
	for (uint32_t i = 0; i < waiters->n; i++)
		if (waiters->items[i].context == context)
			waiters->items[i].on_done = NULL;
}

void reload_forget(struct control *control, void *context)
{
	forget(&control->reload.now, context);
	forget(&control->reload.next, context);
}

bool reload_running(const struct control *control)
{
	return control->reload.state != RELOAD_IDLE;
}

/* -- the verdict ------------------------------------------------------- */

/* What a command prints: errors and warnings of the file, what could not be
 * opened, keys that wait for a restart. */
static uint32_t collect_lines(struct load_job *job, const char ***ret)
{
	uint32_t most = job->errors.n_errors + 1 + job->diff.n_restart_keys;
	const char **lines = calloc(most, sizeof(const char *));
	uint32_t n = 0;

	if (!lines)
		br_out_of_memory("a reload's answer", most * sizeof *lines);
	for (uint32_t i = 0; i < job->errors.n_errors; i++)
		lines[n++] = job->errors.errors[i].text;
	if (job->plan_error.text[0])
		lines[n++] = job->plan_error.text;
	for (uint32_t i = 0; i < job->diff.n_restart_keys; i++)
		lines[n++] = arena_printf(job->arena,
		    "warning: %s: changes with the next restart only",
		    job->diff.restart_keys[i]);
	*ret = lines;
	return n;
}

static void answer(struct control *control, bool accepted)
{
	struct reload *reload = &control->reload;
	const char **lines;
	struct reload_result result = {
	    .accepted = accepted,
	    .number = control->plan->number,
	    .summary = reload->job->summary,
	    .n_lines = collect_lines(reload->job, &lines),
	};

	result.lines = lines;
	for (uint32_t i = 0; i < reload->now.n; i++) {
		const struct reload_waiter *waiter = &reload->now.items[i];

		if (waiter->on_done)
			waiter->on_done(waiter->context, &result);
	}
	free(lines);
}

/* Ends this run and starts the next if one was asked for. */
static void conclude(struct control *control, bool accepted)
{
	struct reload *reload = &control->reload;

	answer(control, accepted);
	load_job_free(reload->job);
	reload->job = NULL;
	reload->now.n = 0;
	reload->state = RELOAD_IDLE;
	(void)notify_send("READY=1");
	start_waiting(control);
}

/* "FILE:LINE:COLUMN: [warning: ]what": the place into fields of their own, the
 * sentence is the message. A line without that place is said as it is. */
void reload_log_line(
    const struct conf_error *error, const char *file, bool accepted)
{
	char place[LOG_LINE_MAX], fields[LOG_LINE_MAX] = "";
	const char *text = error->text;
	bool warning;
	int n;

	n = snprintf(place, sizeof place, "%s:%" PRIu32 ":%" PRIu32 ": ", file,
	    error->pos.line, error->pos.column);
	if (n < (int)sizeof place && !strncmp(text, place, (size_t)n)) {
		text += n;
		n = log_field(fields, 0, sizeof fields, "file", file);
		(void)snprintf(fields + n, sizeof fields - (size_t)n,
		    " line=%" PRIu32 " column=%" PRIu32, error->pos.line,
		    error->pos.column);
	}
	warning = !strncmp(text, "warning: ", 9);
	log_event(warning || accepted ? LOG_WARN : LOG_ERROR,
	    warning ? text + 9 : text, "%s", fields);
}

static void log_lines(const struct load_job *job, const char *file)
{
	for (uint32_t i = 0; i < job->errors.n_errors; i++)
		reload_log_line(
		    &job->errors.errors[i], file, job->plan != NULL);
	if (job->plan_error.text[0])
		log_event(LOG_ERROR, "configuration", "cause=%s",
		    job->plan_error.text);
}

static void refuse(struct control *control)
{
	struct daemon *daemon = control->daemon;

	atomic_fetch_add(&daemon->reloads_refused, 1);
	log_event(LOG_ERROR, "reload refused, the old configuration stays",
	    "file=%s number=%" PRIu64 " errors=%u", daemon->config_file,
	    control->plan->number,
	    control->reload.job->errors.n_errors -
		control->reload.job->errors.n_warnings +
		(control->reload.job->plan_error.text[0] ? 1 : 0));
	conclude(control, false);
}

/* -- from one plan to the next ----------------------------------------- */

static void apply_globals(
    struct control *control, const struct conf_global *before)
{
	const struct conf_global *now = &control->plan->conf->global;

	/* What was set at run time (log level) stays until its key changes. */
	if (now->log_format != before->log_format ||
	    now->log_level != before->log_level)
		log_configure(now->log_format, now->log_level);
	atomic_store(&control->daemon->shared.log_access, now->log_access);
	tls_memory_set_cap(control->plan->conf->limits.tls_memory_bytes);
}

static void publish(struct control *control, struct plan *next)
{
	struct daemon *daemon = control->daemon;
	struct plan *old = control->plan;
	struct mono began = mono_now();

	plan_supersede(old, next);
	list_push_back(&control->superseded, &old->retired);
	control->plan = next;
	(void)snapshot_publish(daemon->plan, next);
	dns_refresh_publish(control, control->reload.job->published);
	atomic_store(&daemon->plan_number, next->number);
	apply_globals(control, &old->conf->global);
	admin_start_afresh(next, old);
	admin_end_overrides(control, control->reload.job->reweighted,
	    control->reload.job->n_reweighted);
	admin_sync_probes(control);
	ejections_sync(control);
	/* What was published above goes by rows that were made anew since. */
	admin_pops_look(control);
	dns_refresh_request(control);
	control->reload.n_adopted = 0;
	control->reload.state = RELOAD_ADOPTING;
	control_post_workers(control,
	    (struct message){
		.kind = DAEMON_ADOPT, .pointer = next, .pointer2 = old});
	/* The one step whose length depends on the configuration's size. */
	log_event(LOG_DEBUG, "plan published", "number=%" PRIu64 " us=%" PRId64,
	    next->number, mono_diff_ns(mono_now(), began) / NS_PER_US);
}

void reload_on_loaded(struct control *control, struct load_job *job)
{
	br_assert(control->reload.state == RELOAD_LOADING);
	br_assert(control->reload.job == job);
	log_lines(job, control->daemon->config_file);
	if (job->plan)
		publish(control, job->plan);
	else if (job->kind == LOAD_FILE)
		refuse(control);
	else
		/* Nothing has changed, or it was said why it could not be
		 * done: the next change of a name tries again. */
		conclude(control, job->same);
}

static void log_summary(struct control *control)
{
	struct load_job *job = control->reload.job;
	int64_t took = mono_diff_ns(mono_now(), job->started);

	log_event(LOG_INFO,
	    job->kind == LOAD_FILE ? "reloaded" : "addresses of names changed",
	    "number=%" PRIu64 " changes=\"%s\" took_ms=%" PRId64,
	    control->plan->number, job->summary, took / NS_PER_MS);
	for (uint32_t i = 0; i < job->diff.n_restart_keys; i++)
		log_event(LOG_WARN, "this key needs a restart", "key=%s",
		    job->diff.restart_keys[i]);
}

void reload_on_adopted(struct control *control, const struct plan *plan)
{
	struct reload *reload = &control->reload;

	br_assert(reload->state == RELOAD_ADOPTING && plan == control->plan);
	if (++reload->n_adopted < control->daemon->n_workers)
		return;
	atomic_fetch_add(reload->job->kind == LOAD_FILE
			     ? &control->daemon->reloads
			     : &control->daemon->name_changes,
	    1);
	log_summary(control);
	conclude(control, true);
}
