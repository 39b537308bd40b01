/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/resolver.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "daemon/outbox.h"
#include "daemon/resolver_dns.h"
#include "fleet/name_expand.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURN_MAX_NS NS_PER_S
/* A full mailbox is tried again. */
#define RETRY_NS (10 * NS_PER_MS)
/* The copy for others is at most that old, and made anew at once for who
 * waits. */
#define VIEW_PERIOD_NS (200 * NS_PER_MS)

/* What somebody has asked the thread to do, with all it needs. */
struct request {
	struct list_node link;
	struct arena *arena;
	struct conf_global settings;
	struct name_want *wants;
	uint32_t n;
	bool only;
	void *pointer; /* for DAEMON_RESOLVED */
	struct name_view *known; /* may be NULL */
	struct mono deadline;
};

struct resolver {
	struct daemon *daemon;
	struct name_table *table;
	struct resolver_dns *dns;
	struct outbox outbox;
	struct list waiting; /* requests whose names are not settled */
	uint64_t noted_version; /* control has heard of it */
	struct mono noted, viewed, refreshed;
	bool view_due;
	bool said; /* that all is settled, since the last request */
	pthread_t thread;
	int wake;
	_Atomic bool stop;
	/* -- under the lock -- */
	pthread_mutex_t lock;
	pthread_cond_t settled_changed;
	struct list requests;
	struct name_view *view;
	bool settled; /* no request is open, every name has been asked */
};

/* -- what others call -------------------------------------------------- */

static void wake(struct resolver *resolver)
{
	uint64_t one = 1;

	(void)!write(resolver->wake, &one, sizeof one);
}

static struct request *request_new(const struct conf *conf, bool only)
{
	struct arena *arena = arena_new();
	struct request *request = arena_alloc(arena, sizeof *request);
	struct name_want *wants;

	request->arena = arena;
	list_node_init(&request->link);
	request->settings = conf->global;
	request->only = only;
	request->n = name_wants_of(conf, &wants);
	request->wants =
	    arena_alloc(arena, request->n * sizeof *request->wants + 1);
	for (uint32_t i = 0; i < request->n; i++) {
		request->wants[i] = wants[i];
		request->wants[i].host = arena_strdup(arena, wants[i].host);
	}
	free(wants);
	request->deadline = mono_add_ms(mono_now(), RESOLVER_WAIT_MS);
	return request;
}

static void request_free(struct request *request)
{
	if (request->known)
		name_view_unref(request->known);
	arena_free(request->arena);
}

static void hand_over(struct resolver *resolver, struct request *request)
{
	(void)pthread_mutex_lock(&resolver->lock);
	list_push_back(&resolver->requests, &request->link);
	resolver->settled = false;
	(void)pthread_mutex_unlock(&resolver->lock);
	wake(resolver);
}

void resolver_add(
    struct resolver *resolver, const struct conf *conf, void *pointer)
{
	struct request *request = request_new(conf, false);

	request->pointer = pointer;
	hand_over(resolver, request);
}

void resolver_keep(struct resolver *resolver, const struct conf *conf)
{
	hand_over(resolver, request_new(conf, true));
}

void resolver_begin(
    struct resolver *resolver, const struct conf *conf, struct name_view *known)
{
	struct request *request = request_new(conf, true);

	request->known = known ? name_view_ref(known) : NULL;
	hand_over(resolver, request);
}

void resolver_await(struct resolver *resolver, int64_t timeout_ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	(void)pthread_mutex_lock(&resolver->lock);
	while (!resolver->settled &&
	       !pthread_cond_timedwait(
		   &resolver->settled_changed, &resolver->lock, &until))
		;
	(void)pthread_mutex_unlock(&resolver->lock);
}

struct name_view *resolver_view(struct resolver *resolver)
{
	struct name_view *view;

	(void)pthread_mutex_lock(&resolver->lock);
	view = name_view_ref(resolver->view);
	(void)pthread_mutex_unlock(&resolver->lock);
	return view;
}

/* -- the log ----------------------------------------------------------- */

static void on_event(
    void *context, const struct name_query *query, enum name_event event)
{
	const char *type = name_type_text(query->type);

	(void)context;
	switch (event) {
	case NAME_EVENT_FAILING:
		log_event(LOG_WARN, "name not resolved",
		    "name=%s type=%s cause=%s records_kept=%u", query->host,
		    type, name_result_text(query->last), query->n);
		break;
	case NAME_EVENT_RECOVERED:
		log_event(LOG_INFO, "name resolved again",
		    "name=%s type=%s result=%s records=%u", query->host, type,
		    name_result_text(query->last), query->n);
		break;
	case NAME_EVENT_CHANGED:
		log_event(LOG_DEBUG, "name has other records",
		    "name=%s type=%s records=%u ttl=%us", query->host, type,
		    query->n, query->ttl_s);
		break;
	case NAME_EVENT_GIVEN_UP:
		log_event(LOG_WARN, "records of a name given up",
		    "name=%s type=%s cause=%s", query->host, type,
		    name_result_text(query->last));
		break;
	}
}

/* -- the thread -------------------------------------------------------- */

static void on_answer(
    void *context, struct name_query *query, const struct name_answer *answer)
{
	struct resolver *resolver = context;

	if (answer)
		name_table_answer(resolver->table, query, answer, mono_now());
	else
		name_table_put_back(resolver->table, query);
	resolver->view_due = true;
}

static void apply(struct resolver *resolver, struct request *request)
{
	const struct conf_global *settings = &request->settings;
	struct name_rules rules = {
	    .min_ttl_ms = settings->resolve_min_ttl_ms,
	    .max_ttl_ms = settings->resolve_max_ttl_ms,
	    .hold_ms = settings->resolve_hold_ms,
	};

	if (resolver_dns_configure(resolver->dns, settings))
		name_table_hurry(resolver->table);
	name_table_set_rules(resolver->table, &rules);
	name_table_want(
	    resolver->table, request->wants, request->n, request->only);
	if (request->known)
		name_table_restore(resolver->table, request->known);
	resolver->view_due = true;
	if (request->pointer)
		list_push_back(&resolver->waiting, &request->link);
	else
		request_free(request);
}

static void take_requests(struct resolver *resolver)
{
	struct list_node *node;
	struct list taken;

	list_init(&taken);
	(void)pthread_mutex_lock(&resolver->lock);
	list_splice_back(&taken, &resolver->requests);
	(void)pthread_mutex_unlock(&resolver->lock);
	while ((node = list_pop_front(&taken))) {
		resolver->said = false;
		apply(resolver, br_container_of(node, struct request, link));
	}
}

static void ask(struct resolver *resolver, struct mono now)
{
	struct name_query *query;

	if (mono_diff_ns(now, resolver->refreshed) >= NS_PER_S) {
		resolver->refreshed = now;
		if (resolver_dns_refresh(resolver->dns))
			name_table_hurry(resolver->table);
	}
	while ((query = name_table_take(resolver->table)))
		resolver_dns_ask(resolver->dns, query);
}

/* Gives the others a new copy of what is known. */
static void publish(struct resolver *resolver, struct mono now)
{
	struct name_view *next = name_table_view(resolver->table), *before;

	resolver->view_due = false;
	resolver->viewed = now;
	(void)pthread_mutex_lock(&resolver->lock);
	before = resolver->view;
	resolver->view = next;
	(void)pthread_mutex_unlock(&resolver->lock);
	name_view_unref(before);
}

static void say_settled(struct resolver *resolver, struct mono now)
{
	if (resolver->said || !name_table_settled(resolver->table))
		return;
	if (resolver->view_due)
		publish(resolver, now);
	(void)pthread_mutex_lock(&resolver->lock);
	if (list_empty(&resolver->requests)) {
		resolver->said = resolver->settled = true;
		(void)pthread_cond_broadcast(&resolver->settled_changed);
	}
	(void)pthread_mutex_unlock(&resolver->lock);
}

/* Those whose names are settled, or who have waited long enough. */
static void answer_waiting(struct resolver *resolver, struct mono now)
{
	bool settled = name_table_settled(resolver->table);

	LIST_FOREACH_SAFE (node, following, &resolver->waiting) {
		struct request *request =
		    br_container_of(node, struct request, link);

		if (!settled && mono_diff_ns(request->deadline, now) > 0)
			continue;
		if (resolver->view_due)
			publish(resolver, now);
		list_remove(&request->link);
		outbox_post(&resolver->outbox, resolver->daemon->member_clerk,
		    (struct message){
			.kind = DAEMON_RESOLVED, .pointer = request->pointer});
		request_free(request);
	}
}

/* Tells control that servers may have other addresses now. */
static void note_change(struct resolver *resolver, struct mono now)
{
	uint64_t version = name_table_version(resolver->table);

	if (version == resolver->noted_version || resolver->view_due ||
	    mono_diff_ns(now, resolver->noted) < RESOLVER_PERIOD_MS * NS_PER_MS)
		return;
	resolver->noted_version = version;
	resolver->noted = now;
	outbox_post(&resolver->outbox, resolver->daemon->member_control,
	    (struct message){.kind = DAEMON_NAMES});
}

/* How long nothing has to be done, as far as the clock is concerned. */
static int64_t rest_ns(struct resolver *resolver, struct mono now)
{
	int64_t most = name_table_sleep_ns(resolver->table, now, TURN_MAX_NS);
	uint64_t version = name_table_version(resolver->table);
	int64_t left;

	if (!outbox_flush(&resolver->outbox) && most > RETRY_NS)
		most = RETRY_NS;
	left = VIEW_PERIOD_NS - mono_diff_ns(now, resolver->viewed);
	if (resolver->view_due && most > left)
		most = left;
	left =
	    RESOLVER_PERIOD_MS * NS_PER_MS - mono_diff_ns(now, resolver->noted);
	if (version != resolver->noted_version && !resolver->view_due &&
	    most > left)
		most = left;
	LIST_FOREACH (node, &resolver->waiting) {
		left = mono_diff_ns(
		    br_container_of(node, struct request, link)->deadline, now);
		if (most > left)
			most = left;
	}
	return most > 0 ? most : 0;
}

static void wait_for_events(struct resolver *resolver, int64_t timeout_ns)
{
	struct pollfd polled[1 + RESOLVER_SOCKETS_MAX] = {
	    {.fd = resolver->wake, .events = POLLIN}};
	struct timespec timeout;
	uint64_t count;
	nfds_t n = resolver_dns_prepare(resolver->dns, polled + 1, &timeout_ns);

	timeout.tv_sec = timeout_ns / NS_PER_S;
	timeout.tv_nsec = timeout_ns % NS_PER_S;
	/* Who was stopped meanwhile, or slept for long, looks before time is
	 * said to have run out: answers may have come. */
	if (ppoll(polled, n + 1, &timeout, NULL) <= 0)
		(void)poll(polled, n + 1, 0);
	if (polled[0].revents & POLLIN)
		(void)!read(resolver->wake, &count, sizeof count);
	resolver_dns_process(resolver->dns, polled + 1, n);
}

static void turn(struct resolver *resolver)
{
	struct mono now = mono_now();

	take_requests(resolver);
	name_table_advance(resolver->table, now);
	ask(resolver, now);
	if (resolver->view_due &&
	    mono_diff_ns(now, resolver->viewed) >= VIEW_PERIOD_NS)
		publish(resolver, now);
	say_settled(resolver, now);
	answer_waiting(resolver, now);
	note_change(resolver, now);
	wait_for_events(resolver, rest_ns(resolver, now));
}

static void *resolver_thread(void *argument)
{
	struct resolver *resolver = argument;

	(void)pthread_setname_np(pthread_self(), "braid-resolver");
	while (!atomic_load(&resolver->stop))
		turn(resolver);
	return NULL;
}

/* -- start and end ----------------------------------------------------- */

static struct resolver *resolver_new(struct daemon *daemon)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	struct name_hooks hooks = {.on_event = on_event};
	pthread_condattr_t attributes;

	if (!resolver)
		br_out_of_memory("the resolver", sizeof *resolver);
	resolver->daemon = daemon;
	resolver->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	list_init(&resolver->waiting);
	list_init(&resolver->requests);
	resolver->table = name_table_new(&hooks, mono_now());
	resolver->dns = resolver_dns_new(on_answer, resolver);
	resolver->view = name_view_new();
	resolver->settled = true;
	outbox_init(&resolver->outbox, daemon->office, daemon->member_resolver);
	(void)pthread_mutex_init(&resolver->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&resolver->settled_changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return resolver;
}

static void resolver_free(struct resolver *resolver)
{
	struct list_node *node;

	take_requests(resolver);
	while ((node = list_pop_front(&resolver->waiting)))
		request_free(br_container_of(node, struct request, link));
	resolver_dns_free(resolver->dns);
	name_table_free(resolver->table);
	name_view_unref(resolver->view);
	(void)pthread_cond_destroy(&resolver->settled_changed);
	(void)pthread_mutex_destroy(&resolver->lock);
	if (resolver->wake >= 0)
		close(resolver->wake);
	free(resolver);
}

int resolver_start(struct daemon *daemon, struct resolver **ret)
{
	struct resolver *resolver = resolver_new(daemon);
	int err = resolver->wake < 0 ? -EMFILE : 0;

	if (!err)
		err = -pthread_create(
		    &resolver->thread, NULL, resolver_thread, resolver);
	if (err)
		resolver_free(resolver);
	else
		*ret = resolver;
	return err;
}

void resolver_stop(struct resolver *resolver)
{
	if (!resolver)
		return;
	atomic_store(&resolver->stop, true);
	wake(resolver);
	(void)pthread_join(resolver->thread, NULL);
	resolver_free(resolver);
}
