/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the error log says of each listener: connections that its rules
 * refused, by cause and with one of their addresses, and pauses of accepting.
 *
 * Thread:  control.
 * Memory:  embedded in struct trouble; one entry a listener of the plan.
 */
#include "base/clock.h"
#include "daemon/trouble_sum.h"

struct plan;

/* Refused by lists, by number, by rate; accepting paused. */
#define TROUBLE_LISTENER_SUMS 4

struct trouble_listener {
	uint32_t number; /* of its board row, which outlives plans */
	struct trouble_sum sums[TROUBLE_LISTENER_SUMS];
};

struct trouble_listeners {
	uint32_t n;
	struct trouble_listener *at; /* in the order of the plan */
};

/* For another plan: what it has as well goes on, new ones begin with nothing
 * to say. False: no memory, nothing has changed. */
bool trouble_listeners_follow(
    struct trouble_listeners *listeners, const struct plan *plan);
void trouble_listeners_look(struct trouble_listeners *listeners,
    const struct plan *plan, struct mono now);
void trouble_listeners_end(struct trouble_listeners *listeners);
