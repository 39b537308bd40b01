/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One zone, "cdn.example", with one resource "www" over POPs pop0, pop1 ...,
 * as the configuration would give them, for tests of policies and resources.
 *
 *      fixture_start(4) ── change f.conf, f.resource ──> fixture_made()
 *
 * POP i has the addresses 192.0.2.<i> and 2001:db8::<i>, weight 1, and a
 * failure domain of its own.
 *
 * Thread:  the main thread of a test program.
 * Memory:  until fixture_stop().
 */
#include "base/arena.h"
#include "dnsd/resource.h"
#include "tests/unit/base/check_main.h"

#include <arpa/inet.h>
#include <errno.h>

#include <stdio.h>
#include <string.h>

/* A moment far from 0, at which nothing special happens. */
#define FIXTURE_NOW ((struct wall){INT64_C(1790000000) * NS_PER_S})

#define FIXTURE_SLOT 7u

struct fixture {
	struct arena *arena;
	struct conf conf;
	struct conf_zone zone;
	struct conf_resource resource;
	struct pops *pops;
	struct pop_facts *facts;
	bool is_signed;
	char problems[4096]; /* a line each */
};

static struct fixture f;

static inline void fixture_pop(struct conf_pop *pop, uint32_t i)
{
	pop->name = arena_printf(f.arena, "pop%u", i);
	pop->n_addresses = 2;
	pop->addresses = arena_alloc(f.arena, 2 * sizeof *pop->addresses);
	ck_assert_int_eq(addr_parse_ip(&pop->addresses[0],
			     arena_printf(f.arena, "192.0.2.%u", i)),
	    0);
	ck_assert_int_eq(addr_parse_ip(&pop->addresses[1],
			     arena_printf(f.arena, "2001:db8::%x", i)),
	    0);
}

static inline void fixture_start(uint32_t n_pops)
{
	memset(&f, 0, sizeof f);
	f.arena = arena_new();
	f.conf.pops = arena_alloc(f.arena, n_pops * sizeof *f.conf.pops);
	f.conf.n_pops = n_pops;
	f.facts = arena_alloc(f.arena, n_pops * sizeof *f.facts);
	f.resource = (struct conf_resource){
	    .name = "www",
	    .pops = arena_alloc(f.arena, n_pops * sizeof(uint32_t)),
	    .n_pops = n_pops,
	    .weights = arena_alloc(f.arena, n_pops * sizeof(uint32_t)),
	    .n = n_pops < 3 ? n_pops : 3,
	    .ttl_ms = 30000,
	    .target = "{resource}--{pop}",
	    .ecs = true,
	};
	for (uint32_t i = 0; i < n_pops; i++) {
		fixture_pop(&f.conf.pops[i], i);
		f.resource.pops[i] = i;
		f.resource.weights[i] = 1;
		f.facts[i] = pop_facts_default();
		f.facts[i].known = true;
	}
	f.zone = (struct conf_zone){.name = "cdn.example",
	    .salt = "cdn.example",
	    .resources = &f.resource,
	    .n_resources = 1};
	f.conf.dns.zones = &f.zone;
	f.conf.dns.n_zones = 1;
}

static inline void fixture_stop(void)
{
	arena_free(f.arena);
}

#define fixture_weights(...)                                                   \
	memcpy(f.resource.weights, ((const uint32_t[]){__VA_ARGS__}),          \
	    sizeof((const uint32_t[]){__VA_ARGS__}))

static inline void fixture_on_error(void *context, const char *text)
{
	size_t length = strlen(f.problems);

	(void)context;
	(void)snprintf(
	    f.problems + length, sizeof f.problems - length, "%s\n", text);
}

/* NULL with f.problems. */
static inline struct resource *fixture_try(void)
{
	static const char apex_text[] = "cdn.example";
	struct resource_options options = {.conf = &f.resource,
	    .salt = f.zone.salt,
	    .is_signed = f.is_signed,
	    .slot = FIXTURE_SLOT,
	    .on_error = fixture_on_error};
	struct resource *r = NULL;
	uint8_t apex[DNAME_MAX];
	const char *wrong;

	ck_assert_int_eq(dname_from_text(apex_text, sizeof apex_text - 1, NULL,
			     apex, &wrong),
	    0);
	f.pops = pops_new(f.arena, f.conf.pops, f.conf.n_pops);
	options.apex = apex;
	options.pops = f.pops;
	f.problems[0] = '\0';
	ck_assert_int_eq(
	    resource_new(f.arena, &options, &r), f.problems[0] ? -EINVAL : 0);
	return r;
}

static inline struct resource *fixture_made(void)
{
	struct resource *r = fixture_try();

	ck_assert_str_eq(f.problems, "");
	return r;
}

static inline struct policy *fixture_policy(struct wall now)
{
	struct policy_input input = {
	    .conf = &f.conf, .pops = f.pops, .facts = f.facts, .epoch = 1};

	f.pops = pops_new(f.arena, f.conf.pops, f.conf.n_pops);
	input.pops = f.pops;
	return policy_build(&input, now);
}

static inline uint64_t fixture_id(void)
{
	uint8_t owner[DNAME_MAX];

	ck_assert_int_eq(
	    resource_owner_of(f.zone.name, f.resource.name, owner), 0);
	return resource_id(owner);
}

/* -- clients ----------------------------------------------------------- */

static inline struct addr fixture_address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

static inline struct prefix fixture_subnet(const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(&p, text), 0);
	return p;
}

/* The i-th of all 2^20 keys of IPv4 subnets, as a /24 of it. */
static inline struct prefix fixture_nth(uint32_t i)
{
	return (struct prefix){.family = AF_INET,
	    .bits = 24,
	    .bytes = {
		(uint8_t)(i >> 12), (uint8_t)(i >> 4), (uint8_t)(i << 4)}};
}

static inline void fixture_choose(const struct resource *r,
    const struct policy *policy, uint32_t i, struct resource_choice *ret)
{
	struct addr source = {.length = sizeof source.in};
	struct prefix from = fixture_nth(i);
	struct resource_client client = {&source, &from};

	source.in.sin_family = AF_INET;
	source.in.sin_addr.s_addr = htonl(0xc6336401); /* 198.51.100.1 */
	resource_choose(r, policy, NULL, &client, FIXTURE_NOW, ret);
}
