/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addrs: the owner holds the addresses of several POPs, sampled such that a
 * client who takes any of them goes by weight, no two of one failure domain.
 */
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

static void addrs_make(struct resource_maker *m)
{
	const struct resource *r = m->r;
	uint32_t most = 0;

	for (uint32_t i = 0; i < r->n_pops; i++) {
		const struct pop *pop = r->pop[i];

		most = pop->n_ipv4 > most ? pop->n_ipv4 : most;
		most = pop->n_ipv6 > most ? pop->n_ipv6 : most;
	}
	if (most * r->n > ANSWER_SET_MAX)
		resource_wrong(m,
		    "an answer could have %u addresses (n is %u), %u at most",
		    most * r->n, r->n, ANSWER_SET_MAX);
	resource_sets_make(m);
}

static bool addrs_choose(
    const struct resource *r, struct resource_choice *choice)
{
	(void)r;
	choice->n = (uint8_t)draw_set(
	    choice->weights, choice->draw.hash, choice->chosen);
	return choice->weights->n_positive > 1;
}

static void addrs_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t type, struct answer_set *ret)
{
	for (uint32_t i = 0; i < choice->n; i++)
		resource_put_addresses(ret, r->pop[choice->chosen[i]], type);
	ret->variant = resource_set_number(r, choice);
}

/* As many as a draw gives, no two of one domain. */
static void addrs_heaviest(
    const struct resource *r, struct resource_choice *choice)
{
	const struct draw_weights *w = r->configured;
	uint32_t n = 0;

	for (uint32_t i = 0; i < choice->n && n < w->set_size; i++) {
		uint8_t position = choice->chosen[i];
		bool taken = false;

		for (uint32_t k = 0; k < n; k++)
			taken |= w->pop[choice->chosen[k]].domain ==
				 w->pop[position].domain;
		if (!taken)
			choice->chosen[n++] = position;
	}
	choice->n = (uint8_t)n;
}

static uint32_t addrs_count(const struct resource *r, uint16_t type)
{
	(void)type;
	return resource_set_count(r);
}

static void addrs_unpack(const struct resource *r, uint16_t type,
    uint32_t variant, struct resource_choice *ret)
{
	(void)type;
	resource_set_unpack(r, variant, ret);
}

const struct resource_ops resource_addrs_ops = {
    .holds_addresses = true,
    .make = addrs_make,
    .choose = addrs_choose,
    .answer = addrs_answer,
    .choose_heaviest = addrs_heaviest,
    .count = addrs_count,
    .unpack = addrs_unpack,
};
