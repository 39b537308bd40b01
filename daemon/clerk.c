/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clerk.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/access_log.h"
#include "daemon/dns_notify.h"
#include "daemon/dns_refresh.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "daemon/generations.h"
#include "daemon/load.h"
#include "daemon/profiling_open.h"
#include "daemon/recorder.h"
#include "daemon/resolver.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void say(struct clerk *clerk, uint32_t kind, void *pointer)
{
	outbox_post(&clerk->outbox, clerk->daemon->member_control,
	    (struct message){.kind = kind, .pointer = pointer});
}

/* Whether there is more than one turn's worth. */
static bool write_logs(struct clerk *clerk)
{
	return access_log_drain(clerk->daemon) >= ACCESS_LOG_BUSY;
}

/* All records that were put before: as many as the rings can hold. */
static void empty_logs(struct clerk *clerk)
{
	uint64_t most = (uint64_t)clerk->daemon->n_workers * FLOW_LOG_RECORDS;
	uint32_t records;

	do {
		records = access_log_drain(clerk->daemon);
		most -= records < most ? records : most;
	} while (records && most);
}

/* Rows of recorded flows, to where the plan in force wants them. */
static bool write_rows(struct clerk *clerk)
{
	const struct plan *plan = snapshot_enter(clerk->plan);

	recorder_set_file(clerk->recorder,
	    plan->profiling ? plan->conf->profiler.record : NULL,
	    plan->conf->profiler.record_bytes);
	snapshot_leave(clerk->plan);
	return recorder_drain(clerk->recorder);
}

/* -- retired plans ----------------------------------------------------- */

static struct plan *plan_of(struct list_node *node)
{
	return br_container_of(node, struct plan, retired);
}

static void free_plan(struct clerk *clerk, struct plan *plan)
{
	struct daemon *daemon = clerk->daemon;

	log_event(LOG_DEBUG, "plan freed", "number=%" PRIu64, plan->number);
	list_remove(&plan->retired);
	/* Records name listeners and servers; api may be reading the plan. */
	empty_logs(clerk);
	snapshot_synchronize(daemon->plan);
	plan_free(plan, daemon->board);
}

/* All workers have left it: what flows do not pin goes now. */
static void on_retire(struct clerk *clerk, struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_gone; i++)
		plan_sockets_close(plan->gone[i]);
	profiling_close(plan->profiling);
	plan->profiling = NULL;
	list_push_back(&clerk->retired, &plan->retired);
}

/* One plan at a time, so that what two of them share is judged by the last
 * that has it. */
static void look_for_unused(struct clerk *clerk)
{
	if (clerk->fencing)
		return;
	LIST_FOREACH (node, &clerk->retired) {
		struct plan *plan = plan_of(node);
		bool pinned = plan_pinned(plan);

		/* Twice in a row: while one worker hands a flow over to
		 * another, a single look might miss it. */
		if (!pinned && plan->unused) {
			clerk->fencing = plan;
			say(clerk, DAEMON_UNUSED, plan);
			return;
		}
		plan->unused = !pinned;
	}
}

static void on_fenced(struct clerk *clerk, struct plan *plan)
{
	br_assert(clerk->fencing == plan);
	clerk->fencing = NULL;
	plan->unused = false;
	if (!plan_pinned(plan))
		free_plan(clerk, plan);
}

/* -- an old generation's counters -------------------------------------- */

/* The newest shows them beside its own. */
static void publish(struct clerk *clerk, bool last)
{
	struct daemon *daemon = clerk->daemon;
	struct mono now = mono_now();

	if (!atomic_load(&daemon->generations->handed_over))
		return;
	if (!last && mono_diff_ns(now, clerk->publish_at) < 0)
		return;
	(void)!generations_publish(daemon);
	/* A page of a huge configuration takes its time. */
	clerk->publish_at = mono_add_ns(mono_now(),
	    CLERK_PUBLISH_MS * NS_PER_MS + 20 * mono_diff_ns(mono_now(), now));
}

/* -- loading ----------------------------------------------------------- */

/* New names are asked for before they are needed; meanwhile the clerk has
 * other things to do. */
static void on_load(struct clerk *clerk, struct load_job *job)
{
	if (load_start(job))
		resolver_add(clerk->daemon->resolver, job->conf, job);
	else
		say(clerk, DAEMON_LOADED, job);
}

static void on_resolved(struct clerk *clerk, struct load_job *job)
{
	struct resolver *resolver = clerk->daemon->resolver;
	struct name_view *view = resolver_view(resolver);

	load_finish(job, view);
	name_view_unref(view);
	resolver_keep(
	    resolver, load_origin(job->plan ? job->plan : job->before));
	say(clerk, DAEMON_LOADED, job);
}

/* -- secondaries ------------------------------------------------------- */

/* `before` is NULL at first. What is published now may be newer than what
 * replaced it; then nothing has changed when the next one is freed. */
static void notify_of_changes(
    struct clerk *clerk, const struct dns_published *before)
{
	const struct dns_published *now = snapshot_enter(clerk->dns);
	struct dns_store *store = dns_store_ref(now->store);

	snapshot_leave(clerk->dns);
	dns_notify_changed(clerk->notify, before ? before->store : NULL, store);
	dns_store_unref(store);
}

/* A secondary that is told asks at once, and an older process that still takes
 * questions would tell it that nothing is new. */
static void notify_at_first(struct clerk *clerk)
{
	if (clerk->told || !atomic_load(&clerk->daemon->alone))
		return;
	clerk->told = true;
	notify_of_changes(clerk, NULL);
}

/* -- the loop ---------------------------------------------------------- */

static void on_message(struct clerk *clerk, const struct message *message)
{
	struct plan *plan = message->pointer;

	switch (message->kind) {
	case DAEMON_LOAD:
		on_load(clerk, message->pointer);
		break;
	case DAEMON_RESOLVED:
		on_resolved(clerk, message->pointer);
		break;
	case DAEMON_RETIRE:
		on_retire(clerk, plan);
		break;
	case DAEMON_FREE:
		on_fenced(clerk, plan);
		break;
	case DAEMON_DNS_DO:
		dns_refresh_do(clerk->daemon, message->pointer);
		say(clerk, DAEMON_DNS_DONE, message->pointer);
		break;
	case DAEMON_DNS_DROP:
		dns_refresh_drop(message->pointer);
		break;
	case DAEMON_DNS_FREE:
		if (clerk->told)
			notify_of_changes(clerk, message->pointer);
		dns_refresh_free(clerk->daemon, message->pointer);
		break;
	default:
		br_assert(false);
	}
}

static void wait_for_mail(struct clerk *clerk, int wait_ms)
{
	struct daemon *daemon = clerk->daemon;
	int fd = mailbox_eventfd(daemon->office, daemon->member_clerk);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	uint64_t count;

	if (poll(&poll_fd, 1, wait_ms) > 0)
		(void)!read(fd, &count, sizeof count);
}

static void receive(struct clerk *clerk)
{
	struct daemon *daemon = clerk->daemon;
	struct message message;

	while (mailbox_receive(daemon->office, daemon->member_clerk, &message))
		on_message(clerk, &message);
}

static void *clerk_thread(void *argument)
{
	struct clerk *clerk = argument;
	struct list_node *node;
	bool more = false;

	(void)pthread_setname_np(pthread_self(), "braid-clerk");
	while (!atomic_load(&clerk->stop)) {
		wait_for_mail(clerk, more ? 0 : CLERK_PERIOD_MS);
		receive(clerk);
		more = write_logs(clerk);
		more |= write_rows(clerk);
		look_for_unused(clerk);
		notify_at_first(clerk);
		dns_notify_turn(clerk->notify, mono_now());
		publish(clerk, false);
		(void)outbox_flush(&clerk->outbox);
	}
	receive(clerk);
	empty_logs(clerk);
	while (write_rows(clerk))
		;
	publish(clerk, true);
	while ((node = list_first(&clerk->retired)) != NULL)
		free_plan(clerk, plan_of(node));
	return NULL;
}

int clerk_start(struct clerk *clerk, struct daemon *daemon)
{
	memset(clerk, 0, sizeof *clerk);
	clerk->daemon = daemon;
	list_init(&clerk->retired);
	clerk->plan = snapshot_reader_new(daemon->plan);
	clerk->recorder = recorder_new(daemon);
	clerk->notify = dns_notify_new();
	clerk->dns = snapshot_reader_new(daemon->dns);
	outbox_init(&clerk->outbox, daemon->office, daemon->member_clerk);
	return -pthread_create(&clerk->thread, NULL, clerk_thread, clerk);
}

void clerk_stop(struct clerk *clerk)
{
	atomic_store(&clerk->stop, true);
	(void)pthread_join(clerk->thread, NULL);
	recorder_free(clerk->recorder);
	dns_notify_free(clerk->notify);
	snapshot_reader_free(clerk->dns);
	snapshot_reader_free(clerk->plan);
}
