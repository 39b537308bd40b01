/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trouble.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/control_state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* What a worker counts that an operator must hear of. */
struct trouble_kind {
	size_t counter; /* in struct worker_metrics */
	const char *message;
	const char *hint;
};

#define KIND(field, message, hint)                                             \
	{                                                                      \
		offsetof(struct worker_metrics, field), message, hint          \
	}

static const struct trouble_kind kinds[] = {
    KIND(no_server, "flows refused: no usable server",
	"servers are down, drained, in maintenance, or without weight or "
	"address; see braidctl servers"),
    KIND(queue_refused, "flows refused: all servers are full",
	"raise servers.max_connections or queue.length"),
    KIND(queue_timeouts, "flows waited in vain for a server",
	"queue.timeout passed before a slot came free"),
    KIND(connect_shortages, "connects to servers could not be made",
	"no descriptors, local ports or memory left"),
    KIND(parked_full, "flows ended: limits.parked_total reached",
	"clients or servers do not read"),
    KIND(proxy_untrusted, "connections refused: not from proxy_from",
	"somebody reaches the port past the proxy, or a proxy is missing in "
	"proxy_from"),
    KIND(proxy_malformed, "connections closed: malformed PROXY header",
	"a proxy does not send headers, or others that are no proxy connect; "
	"braid_proxy_header_failures_total counts by cause"),
    KIND(hello_malformed, "connections closed: malformed TLS ClientHello",
	"broken or hostile clients; braid_client_hello_failures_total counts "
	"by cause"),
    KIND(first_bytes_timeouts, "clients too slow: timeout.first_bytes",
	"no whole PROXY header or ClientHello came in time"),
    KIND(handshake_timeouts, "clients too slow: timeout.handshake",
	"no TLS handshake was done in time"),
    KIND(log_dropped, "access log records lost",
	"standard error is not read fast enough"),
    KIND(ring.cq_overflows, "completion queue overflowed",
	"a worker is overloaded"),
};

_Static_assert(BR_COUNT(kinds) <= TROUBLE_KINDS_MAX, "room for all kinds");

bool trouble_due(
    struct trouble_sum *sum, uint64_t count, int64_t now_ns, uint64_t *ret_new)
{
	/* Counters of what was replaced may have started anew. */
	if (count < sum->said)
		sum->said = count;
	if (count == sum->said)
		return false;
	if (sum->said_ns &&
	    now_ns - sum->said_ns < TROUBLE_QUIET_MS * NS_PER_MS)
		return false;
	*ret_new = count - sum->said;
	sum->said = count;
	sum->said_ns = now_ns;
	return true;
}

static uint64_t sum_of_kind(
    const struct daemon *daemon, const struct trouble_kind *kind)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < daemon->n_workers; i++) {
		const char *metrics = (const char *)&daemon->shared.metrics[i];

		sum += counter_read(
		    (const struct counter *)(const void *)(metrics +
							   kind->counter));
	}
	return sum;
}

static void look_at_kinds(struct control *control, struct mono now)
{
	for (size_t i = 0; i < BR_COUNT(kinds); i++) {
		uint64_t count = sum_of_kind(control->daemon, &kinds[i]), more;

		if (trouble_due(
			&control->trouble.kinds[i], count, now.ns, &more))
			log_event(LOG_WARN, kinds[i].message,
			    "count=%" PRIu64 " hint=\"%s\"", more,
			    kinds[i].hint);
	}
}

/* The servers' health is older than the configuration promises. */
static void look_at_checks(struct control *control, struct mono now)
{
	const struct probe_metrics *checks = &control->daemon->checks;
	uint64_t count =
	    counter_read(&checks->overdue) + counter_read(&checks->late);
	uint64_t more;

	if (trouble_due(&control->trouble.checks, count, now.ns, &more))
		log_event(LOG_WARN, "health checks are behind",
		    "count=%" PRIu64
		    " hint=\"too many for their health.interval\"",
		    more);
}

static uint64_t sum_of_pool(const struct pool *pool, uint32_t n_workers)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < pool->n_servers; i++)
		for (uint32_t w = 0; w < n_workers; w++) {
			const struct server_metrics *metrics =
			    &pool->servers[i].row->metrics[w];

			sum += counter_read(&metrics->connect_errors) +
			       counter_read(&metrics->connect_timeouts);
		}
	return sum;
}

static void look_at_plan(struct control *control, struct mono now)
{
	const struct plan *plan = control->plan;
	struct trouble *trouble = &control->trouble;
	uint32_t n = plan->n_workers;

	for (uint32_t i = 0; i < plan->n_upstreams; i++) {
		const struct pool *pool = plan->upstreams[i]->pool;
		uint64_t more;

		if (trouble_due(&trouble->pools[i], sum_of_pool(pool, n),
			now.ns, &more))
			log_event(LOG_WARN, "connects to servers failed",
			    "pool=%s count=%" PRIu64
			    " hint=\"braidctl servers %s\"",
			    pool->name, more, pool->name);
	}
	trouble_listeners_look(&trouble->listeners, plan, now);
}

/* A new plan has other pools in another order: what was said before is not
 * said again, since the counters live on in the board. */
static bool follow_plan(struct control *control)
{
	const struct plan *plan = control->plan;
	struct trouble *trouble = &control->trouble;
	uint32_t n = plan->n_workers;

	if (trouble->plan_number == plan->number)
		return true;
	free(trouble->pools);
	trouble->pools = calloc(plan->n_upstreams + 1, sizeof *trouble->pools);
	if (!trouble->pools ||
	    !trouble_listeners_follow(&trouble->listeners, plan)) {
		trouble_stop(control);
		return false;
	}
	for (uint32_t i = 0; i < plan->n_upstreams; i++)
		trouble->pools[i].said =
		    sum_of_pool(plan->upstreams[i]->pool, n);
	trouble->plan_number = plan->number;
	return true;
}

static void look(struct timer *timer, struct mono now)
{
	struct control *control =
	    br_container_of(timer, struct control, trouble.timer);

	look_at_kinds(control, now);
	look_at_checks(control, now);
	trouble_tls_look(&control->trouble.tls, control->daemon->shared.metrics,
	    control->daemon->n_workers, now);
	if (follow_plan(control))
		look_at_plan(control, now);
	timer_arm(&control->wheel, timer, mono_add_ms(now, TROUBLE_LOOK_MS));
}

void trouble_start(struct control *control)
{
	timer_init(&control->trouble.timer, look);
	(void)follow_plan(control);
	timer_arm(&control->wheel, &control->trouble.timer,
	    mono_add_ms(mono_now(), TROUBLE_LOOK_MS));
}

void trouble_stop(struct control *control)
{
	struct trouble *trouble = &control->trouble;

	free(trouble->pools);
	trouble_listeners_end(&trouble->listeners);
	trouble->pools = NULL;
	trouble->plan_number = 0;
}
