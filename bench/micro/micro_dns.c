/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

#include "base/arena.h"
#include "base/assert.h"
#include "dnsd/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clients whose turn comes one after the other, more than a cache has. */
#define CLIENTS 65536u
#define NOW ((struct wall){INT64_C(1790000000) * NS_PER_S})

/* -- regions ----------------------------------------------------------- */

struct regions {
	struct region_map *map;
	struct prefix client[CLIENTS];
	uint32_t next;
};

/* As registries give them out: IPv4 /12 to /24 over all of it, IPv6 /29 to /48
 * within 2000::/5. */
static struct prefix random_prefix(struct rng *rng, bool ipv6)
{
	struct prefix p = {
	    .family = ipv6 ? AF_INET6 : AF_INET, .bits = ipv6 ? 56 : 24};

	for (unsigned i = 0; i < p.bits / 8u; i++)
		p.bytes[i] = (uint8_t)rng_below(rng, 256);
	if (ipv6)
		p.bytes[0] = (uint8_t)(0x20 | (p.bytes[0] & 7));
	return p;
}

static struct region_entry *entries_of(uint32_t n, bool ipv6)
{
	struct region_entry *entries = micro_alloc(n, sizeof *entries);
	struct rng rng;

	rng_seed(&rng, 5);
	for (uint32_t i = 0; i < n; i++) {
		struct prefix p = random_prefix(&rng, ipv6);
		uint32_t bits =
		    ipv6 ? 29 + rng_below(&rng, 20)
			 : 24 - rng_below(&rng, 13) * (rng_below(&rng, 4) == 0);

		prefix_cut(&p, (uint8_t)bits);
		/* By the prefix, so that equal ones agree. */
		entries[i] = (struct region_entry){
		    p, (uint16_t)(p.bytes[1] ^ p.bytes[2]), REGION_FROM_GEO};
	}
	return entries;
}

static struct region_map *map_of(uint32_t n, bool ipv6)
{
	struct region_entry *entries = entries_of(n, ipv6);
	struct region_map *map = NULL;
	struct region_clash clash;

	br_assert(!region_map_new(entries, n, &map, &clash));
	free(entries);
	return map;
}

/* IPv6 in the size's lowest bit. */
static void *regions_open(uint32_t size)
{
	struct regions *b = micro_alloc(1, sizeof *b);
	bool ipv6 = size & 1;
	struct rng rng;

	b->map = map_of(size & ~1u, ipv6);
	rng_seed(&rng, 6);
	for (uint32_t i = 0; i < CLIENTS; i++)
		b->client[i] = random_prefix(&rng, ipv6);
	return b;
}

static void regions_find(void *state, uint64_t n)
{
	struct regions *b = state;
	struct region_found found;

	for (uint64_t i = 0; i < n; i++) {
		found = region_find(b->map, &b->client[b->next++ % CLIENTS]);
		br_assert(found.depth <= 128);
		micro_use(found.region);
	}
}

static void regions_close(void *state)
{
	struct regions *b = state;

	region_map_free(b->map);
	free(b);
}

struct map_builds {
	struct region_entry *entries;
	uint32_t n;
};

static void *builds_open(uint32_t size)
{
	struct map_builds *b = micro_alloc(1, sizeof *b);

	b->n = size;
	b->entries = entries_of(size, false);
	return b;
}

static void builds_run(void *state, uint64_t n)
{
	struct map_builds *b = state;
	struct region_clash clash;

	for (uint64_t i = 0; i < n; i++) {
		struct region_map *map = NULL;

		br_assert(!region_map_new(b->entries, b->n, &map, &clash));
		region_map_free(map);
	}
}

static void builds_close(void *state)
{
	struct map_builds *b = state;

	free(b->entries);
	free(b);
}

/* -- resources --------------------------------------------------------- */

struct bench {
	struct arena *arena;
	struct resource *resource;
	struct policy *policy;
	struct region_map *map;
	struct addr source;
	struct prefix client[CLIENTS];
	struct resource_choice choice;
	uint32_t next;
};

/* No resource of these is refused. */
static void on_error(void *context, const char *text)
{
	(void)context;
	br_assert(!text);
}

static void conf_pops(struct arena *arena, struct conf *conf, uint32_t n)
{
	conf->pops = arena_alloc(arena, n * sizeof *conf->pops);
	conf->n_pops = n;
	for (uint32_t i = 0; i < n; i++) {
		conf->pops[i].name = arena_printf(arena, "pop%u", i);
		conf->pops[i].n_addresses = 1;
		conf->pops[i].addresses =
		    arena_alloc(arena, sizeof(struct addr));
		br_assert(!addr_parse_ip(conf->pops[i].addresses, "192.0.2.1"));
	}
}

static void conf_resource(
    struct arena *arena, struct conf_resource *conf, uint32_t n)
{
	*conf = (struct conf_resource){.name = "www",
	    .n_pops = n,
	    .n = 3,
	    .pops = arena_alloc(arena, n * sizeof(uint32_t)),
	    .weights = arena_alloc(arena, n * sizeof(uint32_t)),
	    .ttl_ms = 30000,
	    .target = "{resource}--{pop}",
	    .ecs = true};
	for (uint32_t i = 0; i < n; i++) {
		conf->pops[i] = i;
		conf->weights[i] = 1 + i % 4;
	}
}

/* The mode above, the number of POPs in the low byte. */
static void *bench_open(uint32_t size)
{
	static const uint8_t apex[] = "\3cdn\7example";
	struct bench *b = micro_alloc(1, sizeof *b);
	struct arena *arena = b->arena = arena_new();
	struct conf_resource resource;
	struct conf_zone zone = {.name = "cdn.example",
	    .salt = "salt",
	    .resources = &resource,
	    .n_resources = 1};
	struct conf conf = {.dns = {.zones = &zone, .n_zones = 1}};
	struct policy_input input = {.conf = &conf};
	struct resource_options options = {.apex = apex,
	    .conf = &resource,
	    .salt = zone.salt,
	    .on_error = on_error};
	struct rng rng;

	conf_pops(arena, &conf, size & 0xff);
	conf_resource(arena, &resource, size & 0xff);
	resource.mode = (enum conf_mode)(size >> 8);
	input.pops = options.pops = pops_new(arena, conf.pops, conf.n_pops);
	br_assert(!resource_new(arena, &options, &b->resource));
	b->policy = policy_build(&input, NOW);
	b->map = map_of(100000, false);
	br_assert(!addr_parse_ip(&b->source, "198.51.100.1"));
	rng_seed(&rng, 6);
	for (uint32_t i = 0; i < CLIENTS; i++)
		b->client[i] = random_prefix(&rng, false);
	return b;
}

static void bench_choose(void *state, uint64_t n)
{
	struct bench *b = state;
	struct answer_set set;

	for (uint64_t i = 0; i < n; i++) {
		struct resource_client client = {
		    &b->source, &b->client[b->next++ % CLIENTS]};

		resource_choose(
		    b->resource, b->policy, b->map, &client, NOW, &b->choice);
		resource_answer(b->resource, &b->choice, 1, &set);
		br_assert(set.n);
		micro_use(set.records[0].length);
	}
}

static void bench_close(void *state)
{
	struct bench *b = state;

	policy_free(b->policy);
	region_map_free(b->map);
	arena_free(b->arena);
	free(b);
}

/* -- policies ---------------------------------------------------------- */

struct policies {
	struct arena *arena;
	struct conf conf;
	struct conf_zone zone;
	struct pop_facts facts[8];
	struct policy_input input;
};

static void *policies_open(uint32_t size)
{
	struct policies *b = micro_alloc(1, sizeof *b);
	struct conf_resource *resources;

	b->arena = arena_new();
	resources = arena_alloc(b->arena, size * sizeof *resources);
	conf_pops(b->arena, &b->conf, BR_COUNT(b->facts));
	for (uint32_t i = 0; i < size; i++) {
		conf_resource(b->arena, &resources[i], BR_COUNT(b->facts));
		resources[i].name = arena_printf(b->arena, "www%u", i);
	}
	for (uint32_t i = 0; i < BR_COUNT(b->facts); i++)
		b->facts[i] = pop_facts_default();
	b->zone = (struct conf_zone){
	    .name = "cdn.example", .resources = resources, .n_resources = size};
	b->conf.dns.zones = &b->zone;
	b->conf.dns.n_zones = 1;
	b->input = (struct policy_input){.conf = &b->conf,
	    .pops = pops_new(b->arena, b->conf.pops, b->conf.n_pops),
	    .facts = b->facts};
	return b;
}

static void policies_build(void *state, uint64_t n)
{
	struct policies *b = state;

	for (uint64_t i = 0; i < n; i++)
		policy_free(policy_build(&b->input, NOW));
}

static void policies_close(void *state)
{
	struct policies *b = state;

	arena_free(b->arena);
	free(b);
}

/* -- draws alone ------------------------------------------------------- */

struct draws {
	struct draw_weights *weights;
	uint64_t ids[DRAW_POPS_MAX];
	uint64_t key;
};

static void *draws_open(uint32_t n)
{
	struct draws *d = micro_alloc(1, sizeof *d);
	uint64_t weights[DRAW_POPS_MAX];
	uint32_t domains[DRAW_POPS_MAX];
	struct rng rng;

	rng_seed(&rng, 7);
	for (uint32_t i = 0; i < n; i++) {
		weights[i] = 1 + i % 4;
		domains[i] = i;
		d->ids[i] = rng_u64(&rng);
	}
	d->weights = micro_alloc(1, draw_weights_size(n));
	draw_weights_init(d->weights, n, weights, domains, 3);
	return d;
}

static void draws_first(void *state, uint64_t n)
{
	struct draws *d = state;

	for (uint64_t i = 0; i < n; i++)
		micro_use(draw_first(d->weights, d->ids, d->key++));
}

static void draws_order(void *state, uint64_t n)
{
	struct draws *d = state;
	uint8_t got[DRAW_POPS_MAX];

	for (uint64_t i = 0; i < n; i++)
		br_assert(
		    draw_order(d->weights, d->ids, d->key++, 3, got) == 3);
}

static void draws_set(void *state, uint64_t n)
{
	struct draws *d = state;
	uint8_t got[DRAW_POPS_MAX];

	for (uint64_t i = 0; i < n; i++)
		br_assert(draw_set(d->weights, d->key++, got));
}

static void draws_close(void *state)
{
	struct draws *d = state;

	free(d->weights);
	free(d);
}

#define DRAWS(what, n)                                                         \
	{                                                                      \
		"draw: " #what " of " #n, draws_open, draws_##what,            \
		    draws_close, n, MICRO_CPU                                  \
	}
#define MODE(text, mode, n)                                                    \
	{                                                                      \
		text " of " #n " POPs", bench_open, bench_choose, bench_close, \
		    (uint32_t)(mode) << 8 | n, MICRO_CPU                       \
	}

static const struct micro_case cases[] = {
    DRAWS(first, 3),
    DRAWS(first, 8),
    DRAWS(first, 64),
    DRAWS(order, 3),
    DRAWS(order, 8),
    DRAWS(order, 64),
    DRAWS(set, 8),
    DRAWS(set, 64),
    MODE("pick", CONF_MODE_PICK, 3),
    MODE("pick", CONF_MODE_PICK, 8),
    MODE("pick", CONF_MODE_PICK, 64),
    MODE("rank", CONF_MODE_RANK, 8),
    MODE("addrs", CONF_MODE_ADDRS, 8),
    {"region_find, 1,000,000 IPv4 prefixes", regions_open, regions_find,
	regions_close, 1000000, MICRO_CPU},
    {"region_find, 1,000,000 IPv6 prefixes", regions_open, regions_find,
	regions_close, 1000001, MICRO_CPU},
    {"region_find, 10,000 IPv4 prefixes", regions_open, regions_find,
	regions_close, 10000, MICRO_CPU},
    {"region_map_new, 100,000 IPv4 prefixes", builds_open, builds_run,
	builds_close, 100000, MICRO_CPU},
    {"policy_build, 10,000 resources of 8 POPs", policies_open, policies_build,
	policies_close, 10000, MICRO_CPU},
};

int main(int argc, char **argv)
{
	return micro_main(argc, argv, cases, BR_COUNT(cases));
}
