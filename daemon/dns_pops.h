/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * POPs as the process keeps them: each is a pool of its addresses that no
 * listener leads to, so that the same checks, rows and words of an operator
 * serve for it as for servers.
 *
 *      conf_pop ──> pool "pop:NAME" ── servers "192.0.2.20", "2001:db8::20"
 *                       │ rows of the board: health, drain, weight, report
 *      health, operator,│
 *      report of nodes  │
 *          └────────────┴──> struct pop_facts ──> weights of the responder
 *
 * A POP is up while one of its addresses is, or nobody has looked yet; what
 * its nodes report of it has a say (fleet/pop_report.h). What an
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
#include "fleet/pop_report.h"

/* Before the POP's name in that of its pool. */
#define DNS_POPS_PREFIX "pop:"
#define DNS_POPS_NAME_MAX (sizeof(DNS_POPS_PREFIX) + CONF_NAME_MAX)
#define DNS_POPS_WEIGHT 100u

/* What the rows of all addresses say together. */
struct dns_pops_state {
	bool known, up; /* by our checks and the report */
	bool drained; /* by an operator or the report */
	bool set_out; /* by an operator */
	bool differs; /* checks and report, so it goes on */
	enum pop_checks own;
	struct pop_report report;
	uint32_t weight; /* what an operator has set, or none */
	/* When the first of those that are up came back; 0: it never left. */
	int64_t returned_ns;
	int64_t leaves_ns; /* monotonic, 0: not planned; set for all */
};

/* Its pool, with rows of the board: whoever may call pool_new(). */
struct pool *dns_pops_pool_new(const struct conf_pop *pop, struct board *board);
/* Whether a pool of that name is a POP's; any thread. */
bool dns_pops_is(const char *pool_name);
/* The name of the POP of such a pool. */
const char *dns_pops_name(const struct pool *pool);

/* As of that moment; any thread. */
struct dns_pops_state dns_pops_state(const struct pool *pool, struct mono now);
/* Whether it is to have no new clients. */
bool dns_pops_is_out(const struct dns_pops_state *state);
/* Control, after a row has been written, or when a report may be too old:
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
