/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Zones for the tests of dnsd, from the lines of a master file, each whole:
 *
 *      "@ 300 SOA ns.example. host.example. 1 2 3 4 60\n"
 *      "www 60 A 192.0.2.1\n"
 *      "x 60 TYPE65280 \\# 3 0102ff\n"
 *
 * Thread:  one at a time.
 * Memory:  the zone set is the caller's (zone_set_free()).
 * Errors:  end the process with what is wrong.
 */
#include "dnsd/zone_builder.h"
#include "dnsd/zone_set.h"

#define DNS_ZONE_SEED 7

/* One more zone in the set. */
void dns_zone_add(struct zone_set *set, const char *apex, const char *text);
/* The records of the text, into a builder of that apex. */
void dns_zone_records(
    struct zone_builder *builder, const uint8_t *apex, const char *text);
/* In wire form; `apex` NULL: absolute. Returns its size. */
size_t dns_zone_name(
    const char *text, const uint8_t *apex, uint8_t ret[DNAME_MAX]);
