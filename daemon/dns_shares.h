/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rows in which answers of resources are counted, by zone, resource and the
 * POP that came first: the shares that weights have achieved.
 *
 *      zone_load ──dns_shares_row(cdn.example, shop, pop1)──> 17
 *                                                                   │
 *             dns_shares_keep() when it is published; dns_shares_drop()
 *                                                                   │
 *      resource: row of each POP ──query_facts.counter──> worker: shares[17]++
 *
 * A row belongs to its names for as long as the process lives, so that a
 * resource goes on counting after a reload, also when its zone is read anew or
 * had been gone; the sums over generations are by the names as well.
 *
 * Thread:  dns_shares_row(): whoever loads configurations, one at a time; the
 *          rest any.
 * Memory:  one table a process; dns_shares_end() frees it.
 * Limits:  DNS_SHARES_MAX rows; what has come later is one, DNS_SHARES_OTHER.
 */
#include <stdint.h>

#include "dnsd/dname.h"

#define DNS_SHARES_MAX 4096u
#define DNS_SHARES_OTHER DNS_SHARES_MAX

struct dns_share {
	const char *zone, *resource, *pop;
};

/* How a zone is called in labels: in lower case, without the last dot. */
const char *dns_shares_zone(const uint8_t *apex, char ret[DNAME_TEXT_MAX]);
/* The row of these names, which are copied. One that is new counts as soon as
 * what it was loaded for is kept. */
uint32_t dns_shares_row(
    const uint8_t *apex, const char *resource, const char *pop);
/* What has been loaded since dns_shares_keep() is going to be answered from; or
 * was refused and is gone, so that its rows are free for others. */
void dns_shares_keep(void);
void dns_shares_drop(void);
/* How many rows have names: 0, 1, ... */
uint32_t dns_shares_count(void);
/* Of DNS_SHARES_OTHER, too. */
struct dns_share dns_shares_at(uint32_t row);
void dns_shares_end(void);
