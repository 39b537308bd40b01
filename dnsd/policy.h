/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Weights in force: for each resource and region the integer weights that
 * draws go by. An immutable snapshot, built from the configuration, the facts
 * about POPs and, where there is one, a forecast.
 *
 *      forecast ──────┐ until it expires
 *      facts of POPs ─┼─> policy_build() ──> policy ──> policy_find()
 *      configuration ─┘        ^                            │
 *                              └── policy_due(): when time  v
 *                                  alone changes it        row of weights
 *
 *  1 base      the forecast's weight for resource and region while it is
 *              valid, else the configured one; an operator may scale both
 *  2 board     0 at once for a POP that is down, draining, or has left as
 *              planned
 *  3 fail open less than 20 % of the configured weight that is not drained is
 *              up: the checks are likelier wrong than the POPs, so all that
 *              are not drained count as up (drained ones that are up as well,
 *              when no other is); when nothing else is left, all do
 *  4 load      the part of it that the POP's nodes report to be free for
 *              clients; what is healthy (3) is measured without it
 *  5 slow start  a POP that came back: from 10 % to all
 *
 * A policy that has outlived what it was built from falls back by itself, at
 * the moment of the look-up: forecast, until it expires; then the facts'
 * weights, until they are stale (policy_input.facts_until); then the
 * configured ones, which the resource has of its own.
 *
 * A planned large move (a POP leaves; the next forecast differs by more than
 * POLICY_MOVE_PERCENT points) cuts the TTL from two TTLs before until it has
 * happened, so that caches follow it.
 *
 * Thread:  built by control or the clerk; any may read.
 * Memory:  policy_build() allocates one object, freed in one piece. Nothing
 *          of its inputs is kept.
 * Units:   wall-clock ns; weights have none.
 * Errors:  none: what a forecast says of unknown resources or regions, or
 *          with a wrong number of POPs, is left out and counted.
 * Limits:  as of the configuration.
 */
#include "base/clock.h"
#include "conf/conf.h"
#include "dnsd/draw.h"
#include "fleet/pop.h"

#define POLICY_FAIL_OPEN_PERCENT 20u
#define POLICY_MOVE_PERCENT 20u
#define POLICY_TTL_CUT_S 5u

enum policy_source {
	POLICY_CONFIGURED, /* nothing else is known, or what was is stale */
	POLICY_REACTIVE, /* configured weights, by the facts about POPs */
	POLICY_FORECAST,
};

/* Weights of one resource for clients of one region. */
struct policy_forecast_row {
	uint64_t resource; /* resource_id() */
	uint32_t region; /* index, or REGION_NONE: clients of no region */
	uint32_t n; /* POPs of the resource */
	const uint32_t *weights; /* in the resource's order of POPs */
};

/* A forecast's snapshot; in any order. Pairs without a row go by the facts. */
struct policy_forecast {
	uint64_t epoch;
	struct wall valid_from, expires;
	uint32_t n_rows;
	const struct policy_forecast_row *rows;
};

struct policy_input {
	const struct conf *conf;
	const struct pops *pops; /* of that configuration */
	/* One a POP; NULL: nothing is known. */
	const struct pop_facts *facts;
	/* From then on the facts are stale; 0: never. */
	struct wall facts_until;
	/* In force, or NULL; and the one that follows it, or NULL. */
	const struct policy_forecast *forecast, *next;
	uint64_t epoch; /* of this policy: counts builds */
};

struct policy_found {
	/* NULL: the configured ones, which the resource has. */
	const struct draw_weights *weights;
	enum policy_source source;
	bool fails_open;
	/* Other regions have other weights, so the region decided, too. */
	bool regional;
	bool ttl_cut; /* a large move is planned, and near */
};

struct policy;

struct policy *policy_build(const struct policy_input *input, struct wall now);
void policy_free(struct policy *policy);

/* By the identity of a resource (resource_id()), so that one whose zone is
 * carried over a reload finds itself. `policy` NULL: nothing is known. */
struct policy_found policy_find(const struct policy *policy, uint64_t resource,
    uint32_t region, struct wall now);
/* When it must be built anew although nothing was said: a step of slow start,
 * a planned move, a report that is too old, a forecast that begins or ends. INT64_MAX: never. */
struct wall policy_due(const struct policy *policy);

/* TTLs are spread by 10 % to either side, by the hash of the client's key: what
 * expires everywhere at once is asked for again at once. In seconds. */
uint32_t policy_ttl_spread(uint32_t ttl, uint64_t hash);
/* The longest of them. */
uint32_t policy_ttl_max(uint32_t ttl);

struct policy_info {
	uint64_t epoch;
	uint64_t forecast_epoch; /* 0: none */
	struct wall built, valid_from, expires; /* of the forecast; 0: none */
	uint32_t resources, rows;
	uint32_t rows_ignored; /* of forecasts, that fit nothing */
	uint32_t failing_open; /* resources */
};
void policy_info(const struct policy *policy, struct policy_info *ret);
const char *policy_source_name(enum policy_source source);
