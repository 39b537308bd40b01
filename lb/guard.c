/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/guard.h"

#include "base/arena.h"
#include "base/prefix_map.h"
#include "base/source_table.h"
#include "io/sock.h"
#include "lb/flow.h"
#include "lb/listener.h"
#include "lb/worker.h"

#include <errno.h>
#include <string.h>

void guard_init(
    struct guard *guard, struct arena *arena, const struct conf_listener *conf)
{
	uint32_t n = conf->allow.n + conf->deny.n;
	struct prefix_entry *entries;

	*guard = (struct guard){
	    .needs_allow = conf->allow.n > 0,
	    .refusal = conf->refuse == CONF_REFUSE_DROP    ? GUARD_DROP
		       : conf->refuse == CONF_REFUSE_CLOSE ? GUARD_CLOSE
							   : GUARD_RESET,
	    .connections = conf->source_connections,
	    .rate = conf->source_rate,
	};
	if (!n)
		return;
	entries = arena_alloc(arena, n * sizeof *entries);
	for (uint32_t i = 0; i < conf->allow.n; i++)
		entries[i] =
		    (struct prefix_entry){conf->allow.at[i], GUARD_ALLOW};
	for (uint32_t i = 0; i < conf->deny.n; i++)
		entries[conf->allow.n + i] =
		    (struct prefix_entry){conf->deny.at[i], GUARD_DENY};
	guard->prefixes = prefix_map_new(arena, entries, n, PREFIX_LONGEST);
}

static bool guard_lists_admit(
    const struct guard *guard, const struct addr *source)
{
	uint32_t rule;

	if (!guard->prefixes || addr_is_unix(source))
		return true;
	rule = prefix_map_find(guard->prefixes, source);
	return rule == PREFIX_NONE ? !guard->needs_allow : rule == GUARD_ALLOW;
}

/* An IPv4 address, or the first half of an IPv6 address, none of which begins
 * with 32 zero bits; 0 stands for neither. */
static uint64_t guard_example(const struct addr *source)
{
	uint64_t word = 0;

	if (source->sa.sa_family == AF_INET)
		return ntohl(source->in.sin_addr.s_addr);
	if (source->sa.sa_family != AF_INET6)
		return 0;
	for (uint32_t i = 0; i < 8; i++)
		word = word << 8 | source->in6.sin6_addr.s6_addr[i];
	return word;
}

static void guard_count(
    struct listener_metrics *metrics, int error, const struct addr *source)
{
	switch (error) {
	case BR_E_DENIED:
		counter_inc(&metrics->denied);
		break;
	case BR_E_SOURCE_FULL:
		counter_inc(&metrics->source_full);
		break;
	case BR_E_SOURCE_FAST:
		counter_inc(&metrics->source_fast);
		break;
	default:
		counter_inc(&metrics->source_gone);
		return;
	}
	counter_set(&metrics->refused_source, guard_example(source));
}

static int guard_limit(struct worker *worker, struct listener *listener,
    const struct addr *source, uint32_t *ret_slot)
{
	const struct guard *guard = &listener->guard;
	struct listener_metrics *metrics =
	    &listener->row->metrics[worker->index];
	struct source_limit limit = {guard->connections, guard->rate};
	struct source_admission admission;

	if ((!limit.connections && !limit.rate) || addr_is_unix(source))
		return 0;
	admission = source_admit(worker->shared->sources, listener->row->number,
	    source, &limit, worker_now(worker));
	if (admission.evicted)
		counter_inc(&metrics->source_evicted);
	switch (admission.verdict) {
	case SOURCE_TOO_MANY:
		return BR_E_SOURCE_FULL;
	case SOURCE_TOO_FAST:
		return BR_E_SOURCE_FAST;
	case SOURCE_ADMITTED:
		break;
	}
	if (admission.slot == SOURCE_UNTRACKED)
		counter_inc(&metrics->source_untracked);
	*ret_slot = admission.slot;
	return 0;
}

static int guard_look(struct worker *worker, struct listener *listener,
    const struct addr *source, uint32_t *ret_slot)
{
	int err = BR_E_DENIED;

	if (guard_lists_admit(&listener->guard, source))
		err = guard_limit(worker, listener, source, ret_slot);
	if (err)
		guard_count(
		    &listener->row->metrics[worker->index], err, source);
	return err;
}

int guard_accept(struct worker *worker, struct listener *listener, int fd,
    struct flow_client *ret_client, uint32_t *ret_slot)
{
	struct addr source;
	int err = sock_peer(fd, &source);

	if (err)
		guard_count(&listener->row->metrics[worker->index], err, NULL);
	else
		err = guard_look(worker, listener, &source, ret_slot);
	if (!err) {
		flow_client_set(ret_client, &source);
		return 0;
	}
	if (listener->guard.refusal == GUARD_DROP)
		(void)sock_set_silent_close(fd);
	else if (listener->guard.refusal == GUARD_RESET)
		(void)sock_set_reset_on_close(fd);
	return err;
}

int guard_flow(struct flow *flow)
{
	struct addr source;

	flow_client_addr(&flow->client, &source);
	return guard_look(
	    flow->worker, flow->listener, &source, &flow->source_slot);
}

void guard_release(struct worker *worker, uint32_t slot)
{
	if (slot != SOURCE_UNTRACKED)
		source_release(worker->shared->sources, slot);
}
