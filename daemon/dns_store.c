/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_store.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/rng.h"
#include "conf/diff.h"
#include "daemon/dns_serial.h"
#include "daemon/dns_shares.h"
#include "daemon/dns_world.h"
#include "daemon/file_stamp.h"
#include "daemon/geo.h"
#include "dnsd/cookie_secrets.h"
#include "dnsd/responder.h"
#include "dnsd/sign.h"
#include "dnsd/tsig.h"
#include "dnsd/zone_load.h"
#include "dnsd/zone_set.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Beside the clerk; the workers go on meanwhile. */
#define DNS_SIGNING_THREADS 2u

struct stored_zone {
	struct zone *zone;
	struct file_stamp file, key; /* of its files, before they were read */
	bool includes;
	struct wall loaded_at;
	struct wall due; /* to be signed anew */
};

struct dns_store {
	uint32_t references;
	uint32_t seed; /* of the zones' hashes, a secret of the process */
	struct zone_set *zones;
	struct stored_zone *items; /* [n], as in the configuration */
	/* [n] Beside the items, which the clerk copies at any time. */
	struct wall *put_off;
	uint32_t n;
	struct dns_world *world;
	struct cookie_secrets *cookies;
	struct arena *arena; /* of the rest */
	struct dns_store_transfer *transfers; /* [n] */
	struct dns_zone_key *keys;
	uint32_t n_keys;
	bool some_transfer;
	struct addr source4, source6;
};

static uint32_t make_seed(void)
{
	struct rng rng;

	rng_seed_random(&rng);
	return (uint32_t)rng_u64(&rng);
}

static void release_world(void *world)
{
	dns_world_unref(world);
}

/* -- the store --------------------------------------------------------- */

static struct dns_store *store_new(
    const struct conf *conf, const struct dns_store *before)
{
	struct dns_store *store = calloc(1, sizeof *store);

	if (!store)
		br_out_of_memory("DNS", sizeof *store);
	store->references = 1;
	store->seed = before ? before->seed : make_seed();
	store->zones = zone_set_new(store->seed);
	store->n = conf->dns.n_zones;
	store->items = calloc(store->n ? store->n : 1, sizeof *store->items);
	if (!store->items)
		br_out_of_memory("DNS zones", store->n * sizeof *store->items);
	store->put_off =
	    calloc(store->n ? store->n : 1, sizeof *store->put_off);
	if (!store->put_off)
		br_out_of_memory(
		    "DNS zones", store->n * sizeof *store->put_off);
	store->arena = arena_new();
	store->transfers =
	    arena_alloc(store->arena, store->n * sizeof *store->transfers + 1);
	store->keys =
	    arena_alloc(store->arena, store->n * sizeof *store->keys + 1);
	return store;
}

struct dns_store *dns_store_ref(struct dns_store *store)
{
	if (store)
		store->references++;
	return store;
}

void dns_store_unref(struct dns_store *store)
{
	if (!store)
		return;
	br_assert(store->references > 0);
	if (--store->references)
		return;
	zone_set_free(store->zones);
	for (uint32_t i = 0; i < store->n; i++)
		zone_unref(store->items[i].zone);
	dns_world_unref(store->world);
	cookie_secrets_unref(store->cookies);
	for (uint32_t i = 0; i < store->n; i++)
		tsig_key_free(store->transfers[i].key);
	arena_free(store->arena);
	free(store->items);
	free(store->put_off);
	free(store);
}

/* -- zones ------------------------------------------------------------- */

static const struct stored_zone *find_before(const struct conf *conf,
    uint32_t i, const struct dns_store *before, const struct conf *conf_before)
{
	const struct conf_zone *zone = &conf->dns.zones[i];

	for (uint32_t k = 0; before && k < before->n; k++) {
		/* Mostly in the same place. */
		uint32_t j = (i + k) % before->n;

		if (conf_zone_equal(
			conf, zone, conf_before, &conf_before->dns.zones[j]))
			return &before->items[j];
	}
	return NULL;
}

static bool is_untouched(
    const struct stored_zone *before, const struct conf_zone *zone)
{
	struct file_stamp file = file_stamp_of(zone->file),
			  key = file_stamp_of(zone->key);

	return !before->includes && file_stamp_equal(&before->file, &file) &&
	       file_stamp_equal(&before->key, &key);
}

static void add_problems(const struct conf *conf, const struct conf_zone *zone,
    const struct zone_report *report, struct conf_errors *errors)
{
	for (uint32_t i = 0; i < report->n_problems; i++)
		conf_errors_add(errors, conf->file, zone->pos,
		    report->problems[i].severity == ZONE_WARNING,
		    "dns.zones.%s: %s", zone->name, report->problems[i].text);
}

static struct zone_load_input load_input(
    const struct dns_store *store, const struct conf *conf, uint32_t i)
{
	return (struct zone_load_input){.conf = &conf->dns.zones[i],
	    .conf_file = conf->file,
	    .pops = store->world->pops,
	    .seed = store->seed,
	    .now = wall_now(),
	    .threads = DNS_SIGNING_THREADS,
	    .counter_of = dns_shares_row};
}

/* Signatures are of this moment, until sign_due() of it. */
static void note_signed(struct stored_zone *item, struct wall now)
{
	item->due.ns = INT64_MAX;
	if (item->zone && zone_base(item->zone))
		item->due = sign_due(zone_apex(item->zone), now);
}

static const struct zone *zone_before(
    const struct dns_store *before, const struct zone *zone)
{
	return before ? zone_set_get(before->zones, zone_apex(zone)) : NULL;
}

static int read_zone(struct dns_store *store, const struct conf *conf,
    uint32_t i, const struct dns_store *before, struct conf_errors *errors)
{
	const struct conf_zone *zone = &conf->dns.zones[i];
	struct stored_zone *item = &store->items[i];
	struct zone_load_input input = load_input(store, conf, i);
	struct zone_report report;

	zone_report_init(&report);
	item->file = file_stamp_of(zone->file);
	item->key = file_stamp_of(zone->key);
	item->loaded_at = input.now;
	item->zone = zone_load(&input, &report, &item->includes);
	if (item->zone)
		zone_hold(
		    item->zone, dns_world_ref(store->world), release_world);
	note_signed(item, input.now);
	add_problems(conf, zone, &report, errors);
	zone_report_fini(&report);
	if (!item->zone)
		return BR_E_CONFIG;
	dns_serial_check(
	    conf, zone, zone_before(before, item->zone), item->zone, errors);
	return 0;
}

static int put_zone(struct dns_store *store, const struct conf *conf,
    uint32_t i, const struct dns_store *before, const struct conf *conf_before,
    struct conf_errors *errors)
{
	const struct conf_zone *zone = &conf->dns.zones[i];
	const struct stored_zone *same =
	    find_before(conf, i, before, conf_before);
	int err = 0;

	if (same && is_untouched(same, zone)) {
		store->items[i] = *same;
		(void)zone_ref(same->zone);
	} else {
		err = read_zone(store, conf, i, before, errors);
	}
	if (!err && zone_set_add(store->zones, store->items[i].zone)) {
		conf_errors_add(errors, conf->file, zone->pos, false,
		    "dns.zones.%s: the same zone is there twice", zone->name);
		err = BR_E_CONFIG;
	}
	return err;
}

/* All of them, also after an error: the operator wants to know all. */
static int put_zones(struct dns_store *store, const struct conf *conf,
    const struct dns_store *before, const struct conf *conf_before,
    struct conf_errors *errors)
{
	int err = 0;

	for (uint32_t i = 0; i < store->n; i++)
		err |= put_zone(store, conf, i, before, conf_before, errors);
	return err ? BR_E_CONFIG : 0;
}

/* -- transfers --------------------------------------------------------- */

static const struct prefix_map *map_of(
    struct dns_store *store, const struct conf_prefixes *prefixes)
{
	struct arena *scratch = arena_new();
	struct prefix_entry *entries =
	    arena_alloc(scratch, prefixes->n * sizeof *entries + 1);
	struct prefix_map *map;

	for (uint32_t i = 0; i < prefixes->n; i++)
		entries[i] = (struct prefix_entry){prefixes->at[i], 0};
	map = prefix_map_new(store->arena, entries, prefixes->n, PREFIX_LOWEST);
	arena_free(scratch);
	return map;
}

/* Keys are read each time: they are small, and their files change without the
 * configuration. */
static int put_transfer(struct dns_store *store, const struct conf *conf,
    uint32_t i, struct conf_errors *errors)
{
	const struct conf_zone *zone = &conf->dns.zones[i];
	struct dns_store_transfer *transfer = &store->transfers[i];
	const char *wrong;
	int err;

	struct addr *notify =
	    arena_alloc(store->arena, zone->n_notify * sizeof *notify + 1);

	for (uint32_t k = 0; k < zone->n_notify; k++)
		notify[k] = zone->notify[k].addr;
	transfer->notify = notify;
	transfer->n_notify = zone->n_notify;
	transfer->zone = store->items[i].zone;
	if (zone->transfer_to.n)
		transfer->allow = map_of(store, &zone->transfer_to);
	store->some_transfer |= zone->transfer_to.n > 0;
	if (!zone->tsig_name)
		return 0;
	err = tsig_key_load(
	    zone->tsig_name, zone->tsig_key_file, &transfer->key, &wrong);
	if (err) {
		conf_errors_add(errors, conf->file, zone->tsig_key_file_pos,
		    false, "dns.zones.%s.transfer: the key file %s %s%s%s",
		    zone->name, zone->tsig_key_file, wrong,
		    err > -1000 ? ": " : "",
		    err > -1000 ? br_strerror(err) : "");
		return BR_E_CONFIG;
	}
	store->keys[store->n_keys++] =
	    (struct dns_zone_key){transfer->zone, transfer->key};
	return 0;
}

static void put_source(struct dns_store *store, const struct addr *bind)
{
	struct addr *source =
	    bind->sa.sa_family == AF_INET ? &store->source4 : &store->source6;

	if (source->length || addr_is_any(bind))
		return;
	*source = *bind;
	addr_set_port(source, 0);
}

/* All zones are there. */
static int put_transfers(struct dns_store *store, const struct conf *conf,
    struct conf_errors *errors)
{
	int err = 0;

	for (uint32_t i = 0; i < conf->dns.n_binds; i++)
		put_source(store, &conf->dns.binds[i].addr);
	for (uint32_t i = 0; i < store->n; i++)
		err |= put_transfer(store, conf, i, errors);
	return err ? BR_E_CONFIG : 0;
}

/* -- what is beside the zones ------------------------------------------ */

static int put_cookies(struct dns_store *store, const struct conf *conf,
    const struct dns_store *before, const struct conf *conf_before,
    struct conf_errors *errors)
{
	const struct conf_dns *dns = &conf->dns;
	const char *why = NULL;

	if (!dns->cookie_secret) {
		/* One of its own is as good for one process, and clients that
		 * have a cookie of it keep that over a reload. */
		bool has = before && !conf_before->dns.cookie_secret;

		store->cookies = has ? cookie_secrets_ref(before->cookies)
				     : cookie_secrets_random();
		return 0;
	}
	store->cookies = cookie_secrets_load(dns->cookie_secret, &why);
	if (store->cookies)
		return 0;
	conf_errors_add(errors, conf->file, dns->cookie_secret_pos, false,
	    "dns.cookies.secret: %s: %s", dns->cookie_secret, why);
	return BR_E_CONFIG;
}

int dns_store_load(const struct conf *conf, const struct dns_store *before,
    const struct conf *conf_before, struct conf_errors *errors,
    struct dns_store **ret)
{
	struct dns_store *store;
	int err;

	*ret = NULL;
	if (!conf->dns.present)
		return 0;
	store = store_new(conf, before);
	store->world = dns_world_new(conf);
	err = put_zones(store, conf, before, conf_before, errors);
	err |= put_cookies(store, conf, before, conf_before, errors);
	err |= put_transfers(store, conf, errors);
	err |= geo_load(conf, errors, &store->world->regions);
	if (err) {
		dns_store_unref(store);
		dns_shares_drop();
		return BR_E_CONFIG;
	}
	*ret = store;
	return 0;
}

/* All that `before` has, but for one zone. */
static struct dns_store *store_but(
    const struct conf *conf, const struct dns_store *before, uint32_t zone)
{
	struct dns_store *store = store_new(conf, before);

	br_assert(zone < store->n && before->n == store->n);
	store->world = dns_world_ref(before->world);
	store->cookies = cookie_secrets_ref(before->cookies);
	for (uint32_t i = 0; i < store->n; i++) {
		if (i == zone)
			continue;
		store->items[i] = before->items[i];
		(void)zone_ref(before->items[i].zone);
	}
	return store;
}

/* In the order of the configuration. */
static int fill_set(struct dns_store *store)
{
	int err = 0;

	for (uint32_t i = 0; i < store->n && !err; i++)
		err = zone_set_add(store->zones, store->items[i].zone);
	return err;
}

static int end_change(struct dns_store *store, const struct conf *conf, int err,
    struct conf_errors *errors, struct dns_store **ret)
{
	if (!err)
		err = fill_set(store);
	if (!err)
		err = put_transfers(store, conf, errors);
	if (!err) {
		*ret = store;
		return 0;
	}
	dns_store_unref(store);
	dns_shares_drop();
	return err;
}

int dns_store_reload(const struct conf *conf, const struct dns_store *before,
    uint32_t zone, struct conf_errors *errors, struct dns_store **ret)
{
	struct dns_store *store = store_but(conf, before, zone);

	return end_change(store, conf,
	    read_zone(store, conf, zone, before, errors), errors, ret);
}

int dns_store_resign(const struct conf *conf, const struct dns_store *before,
    uint32_t zone, struct conf_errors *errors, struct dns_store **ret)
{
	struct dns_store *store = store_but(conf, before, zone);
	struct stored_zone *item = &store->items[zone];
	struct zone_load_input input = load_input(store, conf, zone);
	struct zone_report report;

	*item = before->items[zone];
	item->key = file_stamp_of(input.conf->key);
	zone_report_init(&report);
	item->zone = zone_resign(&input, before->items[zone].zone, &report);
	note_signed(item, input.now);
	add_problems(conf, input.conf, &report, errors);
	zone_report_fini(&report);
	return end_change(
	    store, conf, item->zone ? 0 : BR_E_CONFIG, errors, ret);
}

struct wall dns_store_due(const struct dns_store *store, uint32_t *ret_zone)
{
	struct wall due = {.ns = INT64_MAX};

	for (uint32_t i = 0; i < store->n; i++) {
		struct wall at = store->items[i].due;

		if (at.ns < store->put_off[i].ns)
			at = store->put_off[i];
		if (at.ns < due.ns) {
			due = at;
			*ret_zone = i;
		}
	}
	return due;
}

void dns_store_put_off(
    struct dns_store *store, uint32_t zone, struct wall until)
{
	br_assert(zone < store->n);
	store->put_off[zone] = until;
}

/* -- looks ------------------------------------------------------------- */

const struct zone_set *dns_store_zones(const struct dns_store *store)
{
	return store->zones;
}

uint32_t dns_store_count(const struct dns_store *store)
{
	return store->n;
}

const struct zone *dns_store_zone(const struct dns_store *store, uint32_t i)
{
	br_assert(i < store->n);
	return store->items[i].zone;
}

struct wall dns_store_loaded_at(const struct dns_store *store, uint32_t i)
{
	br_assert(i < store->n);
	return store->items[i].loaded_at;
}

const struct region_map *dns_store_regions(const struct dns_store *store)
{
	return store->world->regions;
}

const struct pops *dns_store_pops(const struct dns_store *store)
{
	return store->world->pops;
}

const struct cookie_secrets *dns_store_cookies(const struct dns_store *store)
{
	return store->cookies;
}

const struct dns_store_transfer *dns_store_transfer(
    const struct dns_store *store, const struct zone *zone)
{
	for (uint32_t i = 0; i < store->n; i++)
		if (store->transfers[i].zone == zone)
			return &store->transfers[i];
	return NULL;
}

const struct addr *dns_store_source(
    const struct dns_store *store, const struct addr *to)
{
	return to->sa.sa_family == AF_INET ? &store->source4 : &store->source6;
}

bool dns_store_transfers(const struct dns_store *store)
{
	return store->some_transfer;
}

const struct dns_zone_key *dns_store_keys(
    const struct dns_store *store, uint32_t *ret_n)
{
	*ret_n = store->n_keys;
	return store->keys;
}

static bool has_zone(const struct dns_store *store, const struct zone *zone)
{
	for (uint32_t i = 0; i < store->n; i++)
		if (store->items[i].zone == zone)
			return true;
	return false;
}

uint32_t dns_store_changed(
    const struct dns_store *store, const struct dns_store *before)
{
	uint32_t n = 0;

	for (uint32_t i = 0; store && i < store->n; i++)
		n += !before || !has_zone(before, store->items[i].zone);
	return n;
}

static bool is_forbidden(const char *path)
{
	return path && access(path, R_OK) && (errno == EACCES);
}

const char *dns_store_forbidden(const struct conf *conf)
{
	const struct conf_dns *dns = &conf->dns;

	if (is_forbidden(dns->cookie_secret))
		return dns->cookie_secret;
	for (uint32_t i = 0; i < dns->n_zones; i++) {
		if (is_forbidden(dns->zones[i].file))
			return dns->zones[i].file;
		if (is_forbidden(dns->zones[i].key))
			return dns->zones[i].key;
		if (is_forbidden(dns->zones[i].tsig_key_file))
			return dns->zones[i].tsig_key_file;
	}
	if (is_forbidden(conf->geo.file))
		return conf->geo.file;
	return is_forbidden(conf->geo.asn) ? conf->geo.asn : NULL;
}
