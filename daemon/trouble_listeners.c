/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trouble_listeners.h"

#include "base/assert.h"
#include "base/log.h"
#include "daemon/plan.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* What is counted at a listener and said with its name. */
struct listener_kind {
	size_t counter; /* in struct listener_metrics */
	const char *cause;
};

#define LISTENER_KIND(field, cause)                                            \
	{                                                                      \
		offsetof(struct listener_metrics, field), cause                \
	}

/* Connections refused by a rule of the listener. Behind them in its sums comes
 * that of what pauses accepting. */
static const struct listener_kind refusals[] = {
    LISTENER_KIND(denied, "allow or deny"),
    LISTENER_KIND(source_full, "per_source.connections"),
    LISTENER_KIND(source_fast, "per_source.rate"),
};

#define PAUSES BR_COUNT(refusals)

_Static_assert(PAUSES + 1 == TROUBLE_LISTENER_SUMS, "one more for pauses");

static uint64_t sum_of_listener(
    const struct board_listener *row, uint32_t n_workers, size_t counter)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < n_workers; w++) {
		const char *metrics = (const char *)&row->metrics[w];

		sum += counter_read(
		    (const struct counter *)(const void *)(metrics + counter));
	}
	return sum;
}

static uint64_t sum_of_pauses(
    const struct board_listener *row, uint32_t n_workers)
{
	return sum_of_listener(row, n_workers,
		   offsetof(struct listener_metrics, accept_pauses)) +
	       sum_of_listener(
		   row, n_workers, offsetof(struct listener_metrics, refused));
}

/* One of those that were refused last, for somebody to begin with. */
static const char *example_of(
    const struct board_listener *row, uint32_t n_workers, char ret[64])
{
	uint64_t word = 0;

	for (uint32_t w = 0; w < n_workers && !word; w++)
		word = counter_read(&row->metrics[w].refused_source);
	if (word > UINT32_MAX)
		(void)snprintf(ret, 64, "%x:%x:%x:%x::/64",
		    (unsigned)(word >> 48), (unsigned)(word >> 32 & 0xffff),
		    (unsigned)(word >> 16 & 0xffff), (unsigned)(word & 0xffff));
	else
		(void)snprintf(ret, 64, "%u.%u.%u.%u", (unsigned)(word >> 24),
		    (unsigned)(word >> 16 & 0xff), (unsigned)(word >> 8 & 0xff),
		    (unsigned)(word & 0xff));
	return ret;
}

static void look_at_listener(struct trouble_sum *sums,
    const struct board_listener *row, uint32_t n_workers, struct mono now)
{
	uint64_t more;
	char example[64];

	for (size_t i = 0; i < BR_COUNT(refusals); i++)
		if (trouble_due(&sums[i],
			sum_of_listener(row, n_workers, refusals[i].counter),
			now.ns, &more))
			log_event(LOG_WARN, "connections refused",
			    "listener=%s cause=\"%s\" count=%" PRIu64
			    " example=%s",
			    row->name, refusals[i].cause, more,
			    example_of(row, n_workers, example));
	if (trouble_due(
		&sums[PAUSES], sum_of_pauses(row, n_workers), now.ns, &more))
		log_event(LOG_WARN, "accepting pauses",
		    "listener=%s count=%" PRIu64 " refused=%" PRIu64
		    " hint=\"max_connections reached, or no "
		    "descriptors or memory\"",
		    row->name, more,
		    sum_of_listener(row, n_workers,
			offsetof(struct listener_metrics, refused)));
}

/* As if all of it had been said. */
static void skip_listener(struct trouble_sum *sums,
    const struct board_listener *row, uint32_t n_workers)
{
	for (size_t i = 0; i < BR_COUNT(refusals); i++)
		sums[i].said =
		    sum_of_listener(row, n_workers, refusals[i].counter);
	sums[PAUSES].said = sum_of_pauses(row, n_workers);
}

void trouble_listeners_look(struct trouble_listeners *listeners,
    const struct plan *plan, struct mono now)
{
	br_assert(listeners->n == plan->n_listeners);
	for (uint32_t i = 0; i < plan->n_listeners; i++)
		look_at_listener(listeners->at[i].sums, plan->listeners[i]->row,
		    plan->n_workers, now);
}

static const struct trouble_listener *find_before(
    const struct trouble_listeners *listeners, uint32_t number)
{
	for (uint32_t i = 0; i < listeners->n; i++)
		if (listeners->at[i].number == number)
			return &listeners->at[i];
	return NULL;
}

bool trouble_listeners_follow(
    struct trouble_listeners *listeners, const struct plan *plan)
{
	struct trouble_listener *next =
	    calloc(plan->n_listeners + 1, sizeof *next);

	if (!next)
		return false;
	for (uint32_t i = 0; i < plan->n_listeners; i++) {
		const struct board_listener *row = plan->listeners[i]->row;
		const struct trouble_listener *before =
		    find_before(listeners, row->number);

		next[i].number = row->number;
		if (before)
			next[i] = *before;
		else
			skip_listener(next[i].sums, row, plan->n_workers);
	}
	free(listeners->at);
	listeners->at = next;
	listeners->n = plan->n_listeners;
	return true;
}

void trouble_listeners_end(struct trouble_listeners *listeners)
{
	free(listeners->at);
	*listeners = (struct trouble_listeners){0};
}
