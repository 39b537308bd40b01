/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the responder serves by one configuration: its zones, regions and
 * secrets, read and checked by who may block. A zone that is the same in the
 * configuration before, and whose file has not been touched since, is shared
 * with it: a reload costs only what has changed.
 *
 *      conf ──files──> dns_store_load ──> struct dns_store
 *                          │                 │ zones, regions, secrets
 *      errors with the     │                 v
 *      file's line    <────┘              dns_views
 *
 * A zone whose file includes others is read anew each time.
 *
 * Thread:  the clerk, or main at boot and at the end.
 * Memory:  counted; freed with the last reference.
 * Errors:  BR_E_CONFIG, and every problem in `errors`, as `FILE:LINE: what`.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "conf/conf.h"

struct cookie_secrets;
struct dns_store;
struct dns_zone_key;
struct pops;
struct prefix_map;
struct region_map;
struct tsig_key;
struct zone;
struct zone_set;

/* *ret is NULL where the configuration has no `dns`. `before` is that of the
 * configuration `conf_before`; both may be NULL. */
int dns_store_load(const struct conf *conf, const struct dns_store *before,
    const struct conf *conf_before, struct conf_errors *errors,
    struct dns_store **ret) BR_MUST_CHECK;
/* The same with one zone, by its number in the configuration, read anew. */
int dns_store_reload(const struct conf *conf, const struct dns_store *before,
    uint32_t zone, struct conf_errors *errors,
    struct dns_store **ret) BR_MUST_CHECK;
/* The same with one zone signed anew. */
int dns_store_resign(const struct conf *conf, const struct dns_store *before,
    uint32_t zone, struct conf_errors *errors,
    struct dns_store **ret) BR_MUST_CHECK;
/* When the first of the zones is to be signed anew, and which it is; INT64_MAX:
 * none is signed here. */
struct wall dns_store_due(const struct dns_store *store, uint32_t *ret_zone);
/* That zone is not due before then: one that cannot be signed must not keep
 * the others from it. The thread that calls dns_store_due(). A store made from
 * this one knows nothing of it. */
void dns_store_put_off(
    struct dns_store *store, uint32_t zone, struct wall until);
struct dns_store *dns_store_ref(struct dns_store *store);
/* NULL is ignored. */
void dns_store_unref(struct dns_store *store);

const struct zone_set *dns_store_zones(const struct dns_store *store);
/* How many there are. */
uint32_t dns_store_count(const struct dns_store *store);
/* The zone with that number in the configuration. */
const struct zone *dns_store_zone(const struct dns_store *store, uint32_t i);
struct wall dns_store_loaded_at(const struct dns_store *store, uint32_t i);
/* NULL: there are none. */
const struct region_map *dns_store_regions(const struct dns_store *store);
const struct pops *dns_store_pops(const struct dns_store *store);
const struct cookie_secrets *dns_store_cookies(const struct dns_store *store);
/* Who may have a whole zone. */
struct dns_store_transfer {
	struct zone *zone;
	const struct prefix_map *allow; /* NULL: nobody */
	struct tsig_key *key; /* NULL: who may need not sign */
	const struct addr *notify; /* whom changes are told */
	uint32_t n_notify;
};
/* NULL: it is no zone of the store. */
const struct dns_store_transfer *dns_store_transfer(
    const struct dns_store *store, const struct zone *zone);
/* Where what is sent to that address comes from: the first of dns.bind that is
 * an address and no wildcard, without its port. Length 0: there is none. */
const struct addr *dns_store_source(
    const struct dns_store *store, const struct addr *to);
/* Somebody may have some zone. */
bool dns_store_transfers(const struct dns_store *store);
/* [*ret_n]: zones with a key. */
const struct dns_zone_key *dns_store_keys(
    const struct dns_store *store, uint32_t *ret_n);
/* How many zones of `store` are not those of `before` (which may be NULL). */
uint32_t dns_store_changed(
    const struct dns_store *store, const struct dns_store *before);
/* The first file that this process is not allowed to read now, or NULL: it may
 * have been root when it loaded them. */
const char *dns_store_forbidden(const struct conf *conf);
