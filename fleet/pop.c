/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pop.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/siphash.h"

#include <string.h>

uint64_t pop_id(const char *name)
{
	/* No secret: a name for the name. */
	static const struct siphash_key key = {0, 3};

	return siphash_2_4(&key, name, strlen(name));
}

struct pop_facts pop_facts_default(void)
{
	return (struct pop_facts){
	    .up = true, .weight_override = POP_WEIGHT_CONFIGURED};
}

static void copy_addresses(
    struct arena *arena, struct pop *pop, const struct conf_pop *conf)
{
	uint8_t(*ipv4)[4] =
	    arena_alloc(arena, conf->n_addresses * sizeof *ipv4);
	uint8_t(*ipv6)[16] =
	    arena_alloc(arena, conf->n_addresses * sizeof *ipv6);

	for (uint32_t i = 0; i < conf->n_addresses; i++) {
		struct prefix p;

		/* The schema lets no other address pass. */
		br_assert(prefix_of_addr(&p, &conf->addresses[i]));
		if (p.family == AF_INET)
			memcpy(ipv4[pop->n_ipv4++], p.bytes, 4);
		else
			memcpy(ipv6[pop->n_ipv6++], p.bytes, 16);
	}
	pop->ipv4 = (const uint8_t(*)[4])ipv4;
	pop->ipv6 = (const uint8_t(*)[16])ipv6;
}

/* Of the name, so that nodes whose files are in another order agree. */
static uint32_t domain_of(const struct conf_pop *conf)
{
	static const struct siphash_key shared = {0, 4}, own = {0, 5};
	const char *text = conf->domain ? conf->domain : conf->name;

	return (uint32_t)siphash_2_4(
	    conf->domain ? &shared : &own, text, strlen(text));
}

struct pops *pops_new(
    struct arena *arena, const struct conf_pop *conf, uint32_t n)
{
	struct pops *ret = arena_alloc(arena, sizeof *ret);

	ret->n = n;
	ret->pop = arena_alloc(arena, n * sizeof *ret->pop);
	for (uint32_t i = 0; i < n; i++) {
		struct pop *pop = &ret->pop[i];

		pop->name = arena_strdup(arena, conf[i].name);
		pop->id = pop_id(pop->name);
		pop->index = i;
		pop->domain = domain_of(&conf[i]);
		pop->slow_start_ms = conf[i].slow_start_ms;
		copy_addresses(arena, pop, &conf[i]);
	}
	return ret;
}

bool pop_is_up(const struct pop_facts *facts)
{
	return facts->up || !facts->known;
}

bool pop_is_out(const struct pop_facts *facts, struct wall now)
{
	return facts->draining || !facts->weight_override ||
	       (facts->leaves.ns && now.ns >= facts->leaves.ns);
}

uint32_t pop_weight_percent(const struct pop_facts *facts)
{
	if (facts->weight_override == POP_WEIGHT_CONFIGURED)
		return 100;
	return facts->weight_override < POP_WEIGHT_PERCENT_MAX
		   ? facts->weight_override
		   : POP_WEIGHT_PERCENT_MAX;
}

uint32_t pop_load_percent(const struct pop_facts *facts)
{
	return facts->load_percent && facts->load_percent < 100
		   ? facts->load_percent
		   : 100;
}

/* A step takes 1 ns at least, so that the next one is never now. */
static int64_t step_ns(const struct pop *pop)
{
	int64_t all = (int64_t)pop->slow_start_ms * NS_PER_MS;

	return all / POP_SLOW_START_STEPS + 1;
}

/* Steps since the return; POP_SLOW_START_STEPS: it is over. A clock that was
 * set back does not stop a POP from returning. */
static int64_t steps_done(
    const struct pop *pop, const struct pop_facts *facts, struct wall now)
{
	int64_t since = now.ns - facts->returned.ns, steps;

	if (!facts->returned.ns || !pop->slow_start_ms)
		return POP_SLOW_START_STEPS;
	steps = since > 0 ? since / step_ns(pop) : 0;
	return steps < POP_SLOW_START_STEPS ? steps : POP_SLOW_START_STEPS;
}

uint32_t pop_slow_start_permille(
    const struct pop *pop, const struct pop_facts *facts, struct wall now)
{
	uint32_t steps = (uint32_t)steps_done(pop, facts, now);
	uint32_t rest = 1000 - POP_SLOW_START_FIRST_PERMILLE;

	return POP_SLOW_START_FIRST_PERMILLE +
	       rest * steps / POP_SLOW_START_STEPS;
}

struct wall pop_slow_start_next(
    const struct pop *pop, const struct pop_facts *facts, struct wall now)
{
	int64_t steps = steps_done(pop, facts, now);

	if (steps == POP_SLOW_START_STEPS)
		return (struct wall){INT64_MAX};
	return (struct wall){facts->returned.ns + (steps + 1) * step_ns(pop)};
}
