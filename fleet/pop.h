/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Points of presence: where clients can be sent. What a name's answers need
 * of them: addresses in wire form, the failure domain, and an identity that is
 * the same on every node; and beside it the facts that change.
 *
 *      configuration ──> struct pop (immutable)
 *      checks, reports, operators ──> struct pop_facts (a copy each time)
 *
 * Thread:  built by the clerk; any may read afterwards. Facts are copies.
 * Memory:  in the caller's arena, nothing of the configuration is kept.
 * Units:   wall-clock ns; weights have none.
 */
#include "base/clock.h"
#include "conf/conf.h"

struct arena;

/* No operator has said what its weights are to be multiplied by. */
#define POP_WEIGHT_CONFIGURED UINT32_MAX
/* More than that counts as that. */
#define POP_WEIGHT_PERCENT_MAX 10000u
#define POP_SLOW_START_FIRST_PERMILLE 100u
/* Weights are computed so many times while a POP starts slowly. */
#define POP_SLOW_START_STEPS 64u

struct pop {
	const char *name;
	uint64_t id; /* of the name */
	uint32_t index; /* in the configuration */
	/* POPs with the same number fail together. Of the domain's name. */
	uint32_t domain;
	uint32_t n_ipv4, n_ipv6;
	const uint8_t (*ipv4)[4]; /* network order, as configured */
	const uint8_t (*ipv6)[16];
	uint64_t slow_start_ms;
};

struct pops {
	uint32_t n;
	struct pop *pop; /* by index */
};

/* What is known of a POP now. */
struct pop_facts {
	bool known; /* false: nobody has said anything yet, it counts as up */
	bool up;
	bool draining; /* no new clients, whoever says so */
	/* Percent of its weights, 0: no new clients; or
	 * POP_WEIGHT_CONFIGURED. */
	uint32_t weight_override;
	/* Percent of its weights by the load that its nodes report, at most
	 * 100; 0: nothing is said of it. */
	uint32_t load_percent;
	/* When it came back into service; 0: has been for as long as known. */
	struct wall returned;
	/* When it will leave (a planned drain, a predicted outage): out of
	 * service from then on; 0: nothing is planned. */
	struct wall leaves;
	/* From then on a report counts no more, and the rest may be otherwise;
	 * 0: not by time alone. */
	struct wall until;
};

/* Nothing is known: in service, with the weight that is configured. */
struct pop_facts pop_facts_default(void);

struct pops *pops_new(
    struct arena *arena, const struct conf_pop *conf, uint32_t n);
/* The identity of a POP of that name. */
uint64_t pop_id(const char *name);
/* Whether it takes new clients now, as far as is known. */
bool pop_is_up(const struct pop_facts *facts);
/* Whether it is to take none, up or not: draining, left, or weight 0. */
bool pop_is_out(const struct pop_facts *facts, struct wall now);
/* By how much its weights are multiplied. */
uint32_t pop_weight_percent(const struct pop_facts *facts);
/* And by its load: 1..100. */
uint32_t pop_load_percent(const struct pop_facts *facts);
/* 100..1000: how far slow start has come. */
uint32_t pop_slow_start_permille(
    const struct pop *pop, const struct pop_facts *facts, struct wall now);
/* When that changes next; INT64_MAX: not by time alone. */
struct wall pop_slow_start_next(
    const struct pop *pop, const struct pop_facts *facts, struct wall now);
