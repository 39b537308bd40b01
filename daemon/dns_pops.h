/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * POPs as the process keeps them: each is a pool of its addresses that no
 * listener leads to, so that the same checks, rows and words of an operator
 * serve for it as for servers.
 *
 *      conf_pop ──> pool "pop:NAME" ── servers "192.0.2.20", "2001:db8::20"
 *                       │ rows of the board: health, drain, weight
 *      health, operator │
 *          └────────────┴──> struct pop_facts ──> weights of the responder
 *
 * A POP is up while one of its addresses is, or nobody has looked yet. What an
 * operator sets holds for all of its addresses; its weight is in percent of
 * what the resources give it.
 *
 * Thread:  as said at each.
 * Memory:  pools belong to their plan; the name of a pool with a colon cannot
 *          be in the file, so no other has it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "fleet/pool.h"
#include "fleet/pop.h"

/* Before the POP's name in that of its pool. */
#define DNS_POPS_PREFIX "pop:"
#define DNS_POPS_NAME_MAX (sizeof(DNS_POPS_PREFIX) + CONF_NAME_MAX)
#define DNS_POPS_WEIGHT 100u
/* A node's word is worth nothing when it is older. */
#define DNS_POPS_REPORT_NS (30 * NS_PER_S)

/* What a node of the POP last said of it. */
struct dns_pops_report {
	struct wall heard; /* ns 0: never */
	bool up;
};

/* Its pool, with rows of the board: whoever may call pool_new(). */
struct pool *dns_pops_pool_new(const struct conf_pop *pop, struct board *board);
/* Whether a pool of that name is a POP's; any thread. */
bool dns_pops_is(const char *pool_name);
/* The name of the POP of such a pool. */
const char *dns_pops_name(const struct pool *pool);

/* Control, after health or the operator's part of a row has been written:
 * notes when the POP came back into service. */
void dns_pops_note(struct pool *pool, struct mono now);

/* When it is to be drained, monotonic; 0: that is not planned. Any thread. */
int64_t dns_pops_leaves(const struct pool *pool);
/* Of one POP; any thread. */
void dns_pops_read(const struct pool *pool, struct pop_facts *ret);
/* ret[conf->n_pops]. The clerk, or main at boot and at the end: reads the
 * board without a plan. */
void dns_pops_facts(
    const struct conf *conf, struct board *board, struct pop_facts *ret);

/* Down when the own checks say so, and the node's report as well or there is
 * none that is fresh. One that cannot be reached from here, but says itself
 * that it is well, goes on: the trouble may be ours. Pure. */
bool dns_pops_judge(
    bool own_up, const struct dns_pops_report *report, struct wall now);
