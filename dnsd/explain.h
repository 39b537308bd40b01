/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Why a client gets the answer that it gets: each step of a resource's
 * decision with what went into it, for `braidctl dns explain`.
 *
 *      client ─> region ─> weights ─> key ─> scores ─> order, TTL, scope
 *
 * The decision is made by resource_choose() itself; what is added are only the
 * numbers that it does not keep.
 *
 * Thread:  control and tools; not for workers.
 * Memory:  the caller's; points into the resource, which must live as long.
 * Units:   scores are -log2(u) / weight, the least first; shares in percent.
 */
#include "base/json.h"
#include "base/strbuf.h"
#include "dnsd/resource.h"

struct explain_pop {
	const struct pop *pop;
	uint32_t weight;
	double share; /* of the weight; percent */
	/* What the order is by; 0 in modes that sample, and without weight. */
	double score;
	uint32_t place; /* in the answer, from 1; 0: not in it */
};

struct explain {
	const struct resource *resource;
	struct prefix client; /* the prefix by which the region was found */
	bool subnet; /* a resolver gave it */
	uint32_t region;
	const char *region_name; /* NULL: in none */
	uint32_t region_depth; /* bits that decided the region */
	struct policy_info policy; /* all 0: none is in force */
	uint32_t ttl_configured;
	int64_t period_left_ns; /* INT64_MAX: the key never draws anew */
	struct resource_choice choice;
	uint32_t n_pops;
	struct explain_pop pops[RESOURCE_POPS_MAX]; /* in configured order */
};

/* As resource_choose(); `conf` names the regions, NULL: they have no names. */
void explain_make(struct explain *ret, const struct resource *resource,
    const struct policy *policy, const struct region_map *regions,
    const struct conf *conf, const struct resource_client *client,
    struct wall now);

/* One object, under `key` or at the top. */
void explain_json(
    const struct explain *explain, struct json *json, const char *key);
/* Lines for a person, each ended. */
void explain_text(const struct explain *explain, struct strbuf *out);
