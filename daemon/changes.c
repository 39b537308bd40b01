/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/changes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "conf/schema_equal.h"
#include "daemon/dns_store.h"
#include "dnsd/cookie_secrets.h"
#include "dnsd/tsig.h"
#include "fleet/region.h"

enum kind { ADDED, CHANGED, REMOVED, N_KINDS };

static const char *const kind_words[] = {"added", "changed", "removed"};

struct text {
	char *to;
	size_t length, room;
};

/* One noun: how many there are of each kind, and the first of them. */
struct group {
	const char *noun, *nouns;
	uint32_t n[N_KINDS];
	const char *names[N_KINDS][CHANGES_NAMES_MAX];
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(
	    text->to + text->length, text->room - text->length, format, args);
	va_end(args);
	text->length += n > 0 ? (size_t)n : 0;
	if (text->length >= text->room)
		text->length = text->room - 1;
}

static void note(struct group *group, enum kind kind, const char *name)
{
	if (group->n[kind] < CHANGES_NAMES_MAX)
		group->names[kind][group->n[kind]] = name;
	group->n[kind]++;
}

static void say(struct text *text, const struct group *group)
{
	for (uint32_t k = 0; k < N_KINDS; k++) {
		uint32_t n = group->n[k];

		if (!n)
			continue;
		add(text, "%s%u %s %s", text->length ? ", " : "", n,
		    n == 1 ? group->noun : group->nouns, kind_words[k]);
		for (uint32_t i = 0; n <= CHANGES_NAMES_MAX && i < n; i++)
			add(text, "%s%s", i ? ", " : " (", group->names[k][i]);
		if (n <= CHANGES_NAMES_MAX)
			add(text, ")");
	}
}

/* Values outside listeners and pools. */
static void note_settings(
    const struct conf *before, const struct conf *after, struct group *settings)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next_below(NULL, row))) {
		if (strchr(row->path, '*') || row->type == SCHEMA_MAP ||
		    row->when != SCHEMA_NOW || row->restart ||
		    schema_value_equal(row, before, after))
			continue;
		note(settings, CHANGED, row->path);
	}
}

static void note_listeners(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, struct group *listeners)
{
	for (uint32_t i = 0; i < after->n_listeners; i++)
		if (diff->listeners[i] != CONF_SAME)
			note(listeners,
			    diff->listeners[i] == CONF_ADDED ? ADDED : CHANGED,
			    after->listeners[i].name);
	for (uint32_t i = 0; i < diff->n_listeners_removed; i++)
		note(listeners, REMOVED,
		    before->listeners[diff->listeners_removed[i]].name);
}

/* A pool of which only servers differ is told by these. */
static bool differs_itself(
    const struct conf_pool *before, const struct conf_pool *after)
{
	return !schema_entry_equal(schema_find("pools.*"), before, after);
}

static void note_server(struct group *servers, enum kind kind, const char *pool,
    const char *server, struct arena *arena)
{
	note(servers, kind,
	    servers->n[kind] < CHANGES_NAMES_MAX
		? arena_printf(arena, "%s/%s", pool, server)
		: NULL);
}

static struct strmap *servers_of(
    const struct conf_pool *pool, struct arena *arena)
{
	struct strmap *names = strmap_new(arena);

	for (uint32_t i = 0; i < pool->n_servers; i++)
		strmap_put(names, conf_server_instance(&pool->servers[i]),
		    &pool->servers[i]);
	return names;
}

/* By name; a server of another place in the list is no change to speak of. */
static void note_servers(const struct conf_pool *before,
    const struct conf_pool *after, struct arena *arena, struct group *servers)
{
	const struct schema_row *row = schema_find("pools.*.servers.*");
	struct strmap *old = servers_of(before, arena);
	struct strmap *new = servers_of(after, arena);

	for (uint32_t i = 0; i < after->n_servers; i++) {
		const struct conf_server *server = &after->servers[i];
		const char *name = conf_server_instance(server);
		const struct conf_server *was = strmap_get(old, name);

		if (!was)
			note_server(servers, ADDED, after->name, name, arena);
		else if (!schema_entry_equal(row, was, server))
			note_server(servers, CHANGED, after->name, name, arena);
	}
	for (uint32_t i = 0; i < before->n_servers; i++) {
		const char *name = conf_server_instance(&before->servers[i]);

		if (!strmap_get(new, name))
			note_server(servers, REMOVED, after->name, name, arena);
	}
}

static void note_pools(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, struct arena *arena, struct group *pools,
    struct group *servers)
{
	for (uint32_t i = 0; i < after->n_pools; i++) {
		const struct conf_pool *pool = &after->pools[i], *was;

		if (diff->pools[i] == CONF_ADDED)
			note(pools, ADDED, pool->name);
		if (diff->pools[i] != CONF_CHANGED)
			continue;
		was = &before->pools[diff->pool_before[i]];
		if (differs_itself(was, pool))
			note(pools, CHANGED, pool->name);
		note_servers(was, pool, arena, servers);
	}
	for (uint32_t i = 0; i < diff->n_pools_removed; i++)
		note(
		    pools, REMOVED, before->pools[diff->pools_removed[i]].name);
}

static const char *zone_at(const struct conf *conf, uint32_t i)
{
	return conf->dns.zones[i].name;
}

static const char *pop_at(const struct conf *conf, uint32_t i)
{
	return conf->pops[i].name;
}

static const char *region_at(const struct conf *conf, uint32_t i)
{
	return conf->regions[i].name;
}

static void note_changes(const struct conf *before, const struct conf *after,
    uint32_t n_after, const struct conf_changes *changes,
    const char *(*name)(const struct conf *, uint32_t), struct group *group)
{
	for (uint32_t i = 0; i < n_after; i++)
		if (changes->change[i] != CONF_SAME)
			note(group,
			    changes->change[i] == CONF_ADDED ? ADDED : CHANGED,
			    name(after, i));
	for (uint32_t i = 0; i < changes->n_removed; i++)
		note(group, REMOVED, name(before, changes->removed[i]));
}

static void say_dns(struct text *text, const struct conf *before,
    const struct conf *after, const struct conf_diff *diff)
{
	struct group regions = {.noun = "region", .nouns = "regions"};
	struct group zones = {.noun = "zone", .nouns = "zones"};
	struct group pops = {.noun = "POP", .nouns = "POPs"};

	note_changes(
	    before, after, after->dns.n_zones, &diff->zones, zone_at, &zones);
	note_changes(before, after, after->n_pops, &diff->pops, pop_at, &pops);
	note_changes(before, after, after->n_regions, &diff->regions, region_at,
	    &regions);
	say(text, &zones);
	say(text, &pops);
	say(text, &regions);
}

static const struct tsig_key *tsig_key_at(
    const struct dns_store *store, uint32_t zone)
{
	const struct dns_store_transfer *transfer =
	    dns_store_transfer(store, dns_store_zone(store, zone));

	return transfer ? transfer->key : NULL;
}

/* Where the configuration is the same, but what its files hold is not. */
static void note_zone_files(const struct conf *after,
    const struct conf_diff *diff, const struct changes_files *files,
    struct group *zones, struct group *keys)
{
	const struct dns_store *old = files->dns_before,
			       *new = files->dns_after;

	for (uint32_t i = 0; old && new &&i < after->dns.n_zones; i++) {
		uint32_t was = diff->zones.before[i];

		if (diff->zones.change[i] != CONF_SAME)
			continue;
		if (dns_store_zone(new, i) != dns_store_zone(old, was))
			note(zones, CHANGED, zone_at(after, i));
		if (!tsig_key_equal(tsig_key_at(new, i), tsig_key_at(old, was)))
			note(keys, CHANGED, zone_at(after, i));
	}
}

/* Where the configuration is the same, but what its files hold is not. */
static void note_files(const struct conf *after, const struct conf_diff *diff,
    const struct changes_files *files, struct group *listeners,
    struct group *pools)
{
	for (uint32_t i = 0; i < after->n_listeners; i++)
		if (diff->listeners[i] == CONF_SAME &&
		    !tls_store_same_listener(files->tls_after, i,
			files->tls_before, diff->listener_before[i]))
			note(listeners, CHANGED, after->listeners[i].name);
	for (uint32_t i = 0; i < after->n_pools; i++)
		if (diff->pools[i] == CONF_SAME &&
		    !tls_store_same_pool(files->tls_after, i, files->tls_before,
			diff->pool_before[i]))
			note(pools, CHANGED, after->pools[i].name);
}

/* Regions that are the same in the configuration, and are not by its databases.
 * A map knows regions by their numbers. */
static bool is_geo_changed(
    const struct conf_diff *diff, uint32_t n, const struct changes_files *files)
{
	if (!files->dns_before || !files->dns_after || diff->regions.n_removed)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (diff->regions.change[i] != CONF_SAME ||
		    diff->regions.before[i] != i)
			return false;
	return !region_map_equal(dns_store_regions(files->dns_before),
	    dns_store_regions(files->dns_after));
}

void changes_describe(const struct conf *before, const struct conf *after,
    const struct conf_diff *diff, const struct changes_files *files,
    struct arena *arena, char *ret, size_t room)
{
	struct group listener_files = {
	    .noun = "listener's TLS files", .nouns = "listeners' TLS files"};
	struct group pool_files = {
	    .noun = "pool's TLS files", .nouns = "pools' TLS files"};
	struct group zone_files = {
	    .noun = "zone's file", .nouns = "zones' files"};
	struct group zone_keys = {
	    .noun = "zone's TSIG key", .nouns = "zones' TSIG keys"};
	struct group settings = {.noun = "setting", .nouns = "settings"};
	struct group listeners = {.noun = "listener", .nouns = "listeners"};
	struct group pools = {.noun = "pool", .nouns = "pools"};
	struct group servers = {.noun = "server", .nouns = "servers"};
	struct text text = {.to = ret, .room = room};

	*ret = '\0';
	note_settings(before, after, &settings);
	note_listeners(before, after, diff, &listeners);
	note_pools(before, after, diff, arena, &pools, &servers);
	note_files(after, diff, files, &listener_files, &pool_files);
	say(&text, &settings);
	say(&text, &listeners);
	say(&text, &listener_files);
	say(&text, &pools);
	say(&text, &pool_files);
	say(&text, &servers);
	say_dns(&text, before, after, diff);
	note_zone_files(after, diff, files, &zone_files, &zone_keys);
	say(&text, &zone_files);
	say(&text, &zone_keys);
	if (files->dns_before && files->dns_after &&
	    !cookie_secrets_equal(dns_store_cookies(files->dns_before),
		dns_store_cookies(files->dns_after)))
		add(&text, "%sthe secrets of cookies changed",
		    text.length ? ", " : "");
	if (is_geo_changed(diff, after->n_regions, files))
		add(&text, "%sthe databases of regions changed",
		    text.length ? ", " : "");
	if (files->model &&
	    strcmp(before->profiler.model, after->profiler.model) == 0 &&
	    before->profiler.mode == after->profiler.mode)
		add(&text, "%sthe profiler's model changed",
		    text.length ? ", " : "");
	if (diff->n_restart_keys)
		add(&text, "%s%u setting%s with the next restart",
		    text.length ? ", " : "nothing changed but ",
		    diff->n_restart_keys, diff->n_restart_keys == 1 ? "" : "s");
	else if (!text.length)
		add(&text, "nothing changed");
}
