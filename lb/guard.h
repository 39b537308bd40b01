/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Who may have a connection at all: allow and deny lists of a listener and
 * its limits for each source.
 *
 *      accept ──> guard_accept ──> flow ──> ... ──> guard_release
 *      PROXY header ──> guard_flow (the address that the header names)
 *
 * Lists. Of all prefixes that cover an address the longest decides, allow or
 * deny; a prefix in both lists denies. Where none covers it, deny alone lets
 * it in, and any allow keeps it out. Unix clients are always let in.
 *
 * A refused connection costs an accept, a look and a close, and no memory of
 * a flow. What a listener counts of it is in its board row.
 *
 * Thread:  the worker that has the connection; the table of sources is shared
 *          by all without locks.
 * Memory:  none per connection but a slot of the shared table, whose number
 *          the flow keeps.
 * Errors:  BR_E_DENIED, BR_E_SOURCE_FULL, BR_E_SOURCE_FAST; -ENOTCONN: the
 *          client has left already, so nothing is known of it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct arena;
struct conf_listener;
struct flow;
struct flow_client;
struct listener;
struct prefix_map;
struct worker;

/* How a connection ends that is refused before it is a flow. */
enum guard_refusal {
	GUARD_RESET, /* leaves nothing behind on either side */
	GUARD_CLOSE, /* as an orderly end */
	GUARD_DROP, /* silently, as far as the process may */
};

/* Values of the map. Equal prefixes have the lower one. */
enum guard_rule { GUARD_DENY, GUARD_ALLOW };

struct guard {
	const struct prefix_map *prefixes; /* NULL: no lists */
	bool needs_allow; /* an address that no prefix covers is kept out */
	enum guard_refusal refusal;
	uint32_t connections, rate; /* of a source; 0: no limit */
};

/* Of a listener's configuration; maps are made in the arena. */
void guard_init(
    struct guard *guard, struct arena *arena, const struct conf_listener *conf);
/* Whether it asks for anything. */
static inline bool guard_is_on(const struct guard *guard)
{
	return guard->prefixes || guard->connections || guard->rate;
}

/* A connection that has just been accepted: says who it is, and takes a slot
 * of the table. After an error it is counted, and closing it is prepared as
 * the listener wants. */
int guard_accept(struct worker *worker, struct listener *listener, int fd,
    struct flow_client *ret_client, uint32_t *ret_slot) BR_MUST_CHECK;
/* The same for the client that a PROXY header has named; the slot is kept in
 * the flow. */
int guard_flow(struct flow *flow) BR_MUST_CHECK;
/* The slot's connection has ended; SOURCE_UNTRACKED is nothing. */
void guard_release(struct worker *worker, uint32_t slot);
