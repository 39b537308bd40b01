/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_refresh.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"
#include "daemon/dns_store.h"
#include "daemon/dns_views.h"
#include "dnsd/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define NO_ZONE UINT32_MAX
/* Weights that ramp (a slow start) are stepped no oftener than this. */
#define REFRESH_STEP_NS (100 * NS_PER_MS)
/* How often it is looked at least whether something is due. */
#define REFRESH_LOOK_NS (60 * NS_PER_S)
/* Loads are reported by many, and caches follow much more slowly. */
#define REFRESH_SOON_NS NS_PER_S
/* After a failure. The old signatures hold for days (SIGN_LEFT_S). */
#define RESIGN_RETRY_NS (600 * NS_PER_S)

struct dns_job {
	struct plan *plan; /* in force when it began */
	struct dns_store *from; /* the plan's then */
	uint32_t zone; /* to be loaded or signed anew, or NO_ZONE */
	bool resign;
	uint64_t epoch;
	/* -- answers -- */
	struct dns_published *built; /* NULL: the zone is refused */
	struct dns_store *store; /* NULL: `from` is still the plan's */
	struct conf_errors errors;
	/* -- of whoever asked -- */
	dns_reload_on_done *on_done;
	void *context;
};

static void post(struct control *control, uint32_t kind, void *pointer)
{
	control_post(control, control->daemon->member_clerk,
	    (struct message){.kind = kind, .pointer = pointer});
}

static void start(struct control *control, uint32_t zone,
    dns_reload_on_done *on_done, void *context)
{
	struct dns_refresh *refresh = &control->dns;
	struct dns_job *job = calloc(1, sizeof *job);

	if (!job)
		br_out_of_memory("DNS", sizeof *job);
	job->plan = control->plan;
	job->from = control->plan->dns;
	job->zone = zone;
	job->epoch = ++refresh->epoch;
	job->on_done = on_done;
	job->context = context;
	conf_errors_init(&job->errors);
	refresh->job = job;
	refresh->again = false;
	post(control, DAEMON_DNS_DO, job);
}

void dns_refresh_request(struct control *control)
{
	if (!control->plan->dns)
		return;
	if (control->dns.job)
		control->dns.again = true;
	else
		start(control, NO_ZONE, NULL, NULL);
}

int dns_refresh_zone(struct control *control, uint32_t zone,
    dns_reload_on_done *on_done, void *context)
{
	/* A file's reload would load it as well; and which of the two came
	 * later could not be told. */
	if (control->dns.job || reload_running(control) ||
	    control->drain.state != DRAIN_NONE)
		return -EBUSY;
	br_assert(control->plan->dns);
	br_assert(zone < control->plan->conf->dns.n_zones);
	start(control, zone, on_done, context);
	return 0;
}

bool dns_refresh_loads(const struct control *control)
{
	return control->dns.job && control->dns.job->zone != NO_ZONE;
}

void dns_refresh_forget(struct control *control, void *context)
{
	struct dns_job *job = control->dns.job;

	if (job && job->context == context)
		job->on_done = NULL;
}

/* -- publishing -------------------------------------------------------- */

static struct control *dns_control(struct timer *timer)
{
	struct dns_refresh *refresh =
	    br_container_of(timer, struct dns_refresh, timer);

	return br_container_of(refresh, struct control, dns);
}

/* A zone whose signatures are due, else the weights. */
static void on_due(struct timer *timer, struct mono now)
{
	struct control *control = dns_control(timer);
	struct dns_refresh *refresh = &control->dns;
	uint32_t zone = 0;

	/* An old generation hears of no POP any more, and whoever still asks it
	 * gets what was last true; zones are the new one's to sign. */
	if (!control->plan->dns || upgrade_given(control))
		return;
	timer_arm(&control->wheel, timer, mono_add_ns(now, REFRESH_LOOK_NS));
	admin_pops_look(control);
	if (refresh->job || reload_running(control) ||
	    dns_store_due(control->plan->dns, &zone).ns > wall_now().ns) {
		dns_refresh_request(control);
		return;
	}
	start(control, zone, NULL, NULL);
	refresh->job->resign = true;
}

static void on_soon(struct timer *timer, struct mono now)
{
	struct dns_refresh *refresh =
	    br_container_of(timer, struct dns_refresh, soon);

	(void)now;
	dns_refresh_request(br_container_of(refresh, struct control, dns));
}

void dns_refresh_soon(struct control *control)
{
	struct timer *timer = &control->dns.soon;

	if (!timer_armed(timer))
		timer_arm(&control->wheel, timer,
		    mono_add_ns(control_now(control), REFRESH_SOON_NS));
}

void dns_refresh_init(struct control *control)
{
	timer_init(&control->dns.timer, on_due);
	timer_init(&control->dns.soon, on_soon);
	control->dns.epoch = 1;
	/* What was published before this thread began was not watched. */
	timer_arm(&control->wheel, &control->dns.timer,
	    mono_add_ns(control_now(control), NS_PER_S));
}

static void watch(
    struct control *control, const struct dns_published *published)
{
	struct timer *timer = &control->dns.timer;
	int64_t in_ns, due_ns = INT64_MAX;
	uint32_t zone;

	timer_disarm(&control->wheel, timer);
	if (published->policy)
		due_ns = policy_due(published->policy).ns;
	if (published->store &&
	    dns_store_due(published->store, &zone).ns < due_ns)
		due_ns = dns_store_due(published->store, &zone).ns;
	if (due_ns == INT64_MAX)
		return;
	in_ns = due_ns - wall_now().ns;
	if (in_ns < REFRESH_STEP_NS)
		in_ns = REFRESH_STEP_NS;
	/* The wall clock may be set meanwhile. */
	if (in_ns > REFRESH_LOOK_NS)
		in_ns = REFRESH_LOOK_NS;
	timer_arm(
	    &control->wheel, timer, mono_add_ns(control_now(control), in_ns));
}

void dns_refresh_publish(struct control *control, struct dns_published *next)
{
	struct dns_published *old =
	    snapshot_publish(control->daemon->dns, next);

	watch(control, next);
	post(control, DAEMON_DNS_FREE, old);
}

static void answer(struct dns_job *job, bool accepted)
{
	const char *lines[CONF_ERRORS_SHOWN_MAX + 2];
	uint32_t n = 0;

	if (!job->on_done)
		return;
	while (n < job->errors.n_errors && n < BR_COUNT(lines)) {
		lines[n] = job->errors.errors[n].text;
		n++;
	}
	job->on_done(job->context, accepted, lines, n);
}

static void take_store(struct control *control, struct dns_job *job)
{
	struct dns_store *old = control->plan->dns;
	const struct conf_zone *zone =
	    &control->plan->conf->dns.zones[job->zone];

	log_event(LOG_INFO, job->resign ? "zone signed anew" : "zone reloaded",
	    "zone=%s", zone->name);
	for (uint32_t i = 0; i < job->errors.n_errors; i++)
		reload_log_line(
		    &job->errors.errors[i], control->daemon->config_file, true);
	control->plan->dns = job->store;
	job->store = old; /* dropped with the job */
}

/* Nobody waits for an answer where a timer asked: the log has the reasons. */
static void refuse(struct control *control, struct dns_job *job, bool current)
{
	const struct conf_errors *errors = &job->errors;

	for (uint32_t i = 0; i < errors->n_errors; i++)
		reload_log_line(
		    &errors->errors[i], control->daemon->config_file, false);
	log_event(LOG_ERROR,
	    job->resign ? "zone could not be signed anew"
			: "zone refused, the old one stays",
	    "zone=%s errors=%u",
	    current ? control->plan->conf->dns.zones[job->zone].name : "-",
	    errors->n_errors - errors->n_warnings);
	if (job->resign && current)
		dns_store_put_off(control->plan->dns, job->zone,
		    (struct wall){.ns = wall_now().ns + RESIGN_RETRY_NS});
}

void dns_refresh_on_done(struct control *control, struct dns_job *job)
{
	struct dns_refresh *refresh = &control->dns;
	bool current = job->plan == control->plan;
	bool accepted = job->built != NULL, failed = false;

	br_assert(refresh->job == job);
	refresh->job = NULL;
	if (job->built && current) {
		if (job->store)
			take_store(control, job);
		dns_refresh_publish(control, job->built);
		job->built = NULL;
	} else if (job->zone != NO_ZONE && !job->built) {
		failed = true;
		refuse(control, job, current);
	}
	/* When it can be seen. */
	answer(job, accepted);
	post(control, DAEMON_DNS_DROP, job);
	/* Also for the timer, which goes by what is published. */
	if (refresh->again || !current || failed)
		dns_refresh_request(control);
	reload_go_on(control);
}

void dns_refresh_end(struct control *control)
{
	if (control->dns.job)
		dns_refresh_drop(control->dns.job);
}

/* -- the clerk --------------------------------------------------------- */

static int change_zone(struct dns_job *job)
{
	const struct conf *conf = job->plan->conf;

	return job->resign ? dns_store_resign(conf, job->from, job->zone,
				 &job->errors, &job->store)
			   : dns_store_reload(conf, job->from, job->zone,
				 &job->errors, &job->store);
}

void dns_refresh_do(struct daemon *daemon, struct dns_job *job)
{
	if (job->zone != NO_ZONE && change_zone(job))
		return;
	job->built = dns_published_new(job->store ? job->store : job->from,
	    job->plan->conf, daemon->board, job->epoch);
}

void dns_refresh_free(struct daemon *daemon, struct dns_published *published)
{
	snapshot_synchronize(daemon->dns);
	dns_published_free(published);
}

void dns_refresh_drop(struct dns_job *job)
{
	/* A thrown-away one was never published. */
	if (job->built)
		dns_published_free(job->built);
	dns_store_unref(job->store);
	conf_errors_fini(&job->errors);
	free(job);
}
