/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration: conf_parse() must refuse or accept, and what
 * it says must hold together. A tree that was accepted is compared with
 * itself, which touches every value.
 *
 *     fuzz_conf -dict=tests/fuzz/seeds/conf.dict CORPUS tests/conf
 */
#include "conf/diff.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdint.h>
#include <string.h>

/* libFuzzer has no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_conf_check_errors(int rc, const struct conf_errors *errors)
{
	br_assert(errors->n_warnings <= errors->n_errors);
	br_assert((rc == 0) == (errors->n_errors == errors->n_warnings));
	for (uint32_t i = 0; i < errors->n_errors; i++) {
		const struct conf_error *e = &errors->errors[i];

		br_assert(!strncmp(e->text, "fuzz:", 5));
		br_assert(!strpbrk(e->text, "\n\r"));
		br_assert(e->pos.line > 0);
		br_assert(
		    i == 0 || errors->errors[i - 1].pos.line <= e->pos.line);
	}
}

static void fuzz_conf_check_resource(
    const struct conf *conf, const struct conf_resource *r)
{
	uint32_t sum = 0;

	br_assert(r->n_pops > 0 && r->n_pops <= CONF_RESOURCE_POPS_MAX);
	br_assert(r->n > 0 && r->n <= r->n_pops);
	br_assert(r->ttl_ms && r->ttl_ms % 1000 == 0);
	br_assert(strstr(r->target, "{pop}"));
	br_assert((r->mode == CONF_MODE_LITERAL) <= (r->allow.n > 0));
	for (uint32_t i = 0; i < r->n_pops; i++) {
		br_assert(r->pops[i] < conf->n_pops);
		sum += r->weights[i];
	}
	br_assert(sum > 0);
}

static void fuzz_conf_check_dns(const struct conf *conf)
{
	br_assert(conf->dns.n_binds > 0 && conf->dns.n_zones > 0);
	for (uint32_t i = 0; i < conf->dns.n_binds; i++)
		br_assert(addr_port(&conf->dns.binds[i].addr) > 0);
	for (uint32_t i = 0; i < conf->dns.n_zones; i++) {
		const struct conf_zone *zone = &conf->dns.zones[i];

		br_assert(zone->salt && (zone->file || zone->records.n));
		br_assert(!zone->tsig_name == !zone->tsig_key_file);
		for (uint32_t k = 0; k < zone->n_resources; k++)
			fuzz_conf_check_resource(conf, &zone->resources[k]);
	}
}

static void fuzz_conf_check_places(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_pops; i++) {
		const struct conf_pop *pop = &conf->pops[i];

		br_assert(pop->n_addresses > 0);
		br_assert(
		    pop->health.port || pop->health.type == CONF_HEALTH_NONE);
		for (uint32_t k = 0; k < pop->n_rtts; k++)
			br_assert(pop->rtts[k].region < conf->n_regions);
	}
	for (uint32_t i = 0; i < conf->n_regions; i++)
		br_assert(conf->regions[i].prefixes.n + conf->regions[i].geo.n);
}

static void fuzz_conf_check_tree(const struct conf *conf)
{
	struct arena *arena = arena_new();
	struct conf_diff diff;

	if (conf->dns.present)
		fuzz_conf_check_dns(conf);
	else
		br_assert(conf->n_listeners > 0);
	br_assert(conf->n_pools > 0 || !conf->n_listeners);
	fuzz_conf_check_places(conf);
	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		br_assert(conf->listeners[i].n_binds > 0);
		br_assert(conf->listeners[i].pool < conf->n_pools);
	}
	for (uint32_t i = 0; i < conf->n_pools; i++)
		br_assert(conf->pools[i].n_servers > 0);
	conf_diff(conf, conf, arena, &diff);
	br_assert(diff.n_restart_keys == 0);
	br_assert(diff.n_pools_removed + diff.n_listeners_removed == 0);
	for (uint32_t i = 0; i < conf->n_pools; i++)
		br_assert(diff.pools[i] == CONF_SAME);
	for (uint32_t i = 0; i < conf->n_listeners; i++)
		br_assert(diff.listeners[i] == CONF_SAME);
	for (uint32_t i = 0; i < conf->dns.n_zones; i++)
		br_assert(diff.zones.change[i] == CONF_SAME);
	for (uint32_t i = 0; i < conf->n_pops; i++)
		br_assert(diff.pops.change[i] == CONF_SAME);
	br_assert(!diff.zones.n_removed && !diff.pops.n_removed);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors;
	struct conf *conf;
	int rc;

	conf_errors_init(&errors);
	rc = conf_parse("fuzz", (const char *)data, size, &conf, &errors);
	br_assert(rc == 0 || rc == BR_E_CONFIG);
	fuzz_conf_check_errors(rc, &errors);
	if (rc == 0) {
		fuzz_conf_check_tree(conf);
		conf_free(conf);
	}
	conf_errors_fini(&errors);
	return 0;
}
