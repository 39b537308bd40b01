/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The zones of a server, found by the longest apex at or above a name.
 *
 * Thread:  made by one, then read by any.
 * Memory:  holds its zones (zone_ref) until zone_set_free().
 * Errors:  -EEXIST when a zone of that apex is there already.
 */
#include "dnsd/zone.h"

struct zone_set;

/* All zones were built with this seed. */
struct zone_set *zone_set_new(uint32_t seed);
/* NULL is ignored. */
void zone_set_free(struct zone_set *set);
int zone_set_add(struct zone_set *set, struct zone *zone) BR_MUST_CHECK;

/* What keys for the look-ups below are made with. */
uint32_t zone_set_seed(const struct zone_set *set);
uint32_t zone_set_count(const struct zone_set *set);
/* In the order they were added. */
const struct zone *zone_set_at(const struct zone_set *set, uint32_t index);
/* NULL: none of these zones has authority for the name. */
const struct zone *zone_set_find(
    const struct zone_set *set, const struct dname_key *key);
/* The same among the zones above the name: the DS of a zone's apex is the
 * parent's (RFC 4035 section 3.1.4.1). */
const struct zone *zone_set_find_above(
    const struct zone_set *set, const struct dname_key *key);
/* The zone of exactly this apex, or NULL. */
const struct zone *zone_set_get(
    const struct zone_set *set, const uint8_t *apex);
