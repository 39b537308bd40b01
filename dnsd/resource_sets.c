/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/resource_parts.h"

#include "base/arena.h"
#include "base/assert.h"
#include "dnsd/rr_type.h"

void resource_put(struct answer_set *set, const uint8_t *rdata, uint32_t length)
{
	br_assert(set->n < ANSWER_SET_MAX);
	set->records[set->n++] =
	    (struct answer_record){rdata, (uint16_t)length};
}

void resource_put_addresses(
    struct answer_set *set, const struct pop *pop, uint16_t type)
{
	if (type == RR_A)
		for (uint32_t i = 0; i < pop->n_ipv4; i++)
			resource_put(set, pop->ipv4[i], 4);
	else
		for (uint32_t i = 0; i < pop->n_ipv6; i++)
			resource_put(set, pop->ipv6[i], 16);
}

/* Masks in numeric order, those with too many POPs left out. Of 8 POPs there
 * are 255, and of 1 to 3 of them 92. */
void resource_sets_make(struct resource_maker *m)
{
	struct resource *r = m->r;
	uint8_t number = 0;

	if (!r->is_signed || r->n_pops > CONF_SIGNED_POPS_MAX)
		return;
	r->set_number = arena_alloc(m->arena, (size_t)1 << r->n_pops);
	for (unsigned mask = 1; mask < 1u << r->n_pops; mask++)
		if ((unsigned)__builtin_popcount(mask) <= r->n)
			r->set_number[mask] = number++;
}

uint32_t resource_set_number(
    const struct resource *r, const struct resource_choice *choice)
{
	unsigned mask = 0;

	if (!r->set_number)
		return 0;
	for (uint32_t i = 0; i < choice->n; i++)
		mask |= 1u << choice->chosen[i];
	return r->set_number[mask];
}

uint32_t resource_set_count(const struct resource *r)
{
	uint32_t n = 0;

	for (unsigned mask = 1; mask < 1u << r->n_pops; mask++)
		n += (unsigned)__builtin_popcount(mask) <= r->n;
	return n;
}

void resource_set_unpack(
    const struct resource *r, uint32_t number, struct resource_choice *ret)
{
	unsigned mask = 1;

	while ((unsigned)__builtin_popcount(mask) > r->n ||
	       r->set_number[mask] != number)
		mask++;
	ret->n = 0;
	for (uint8_t i = 0; i < r->n_pops; i++)
		if (mask >> i & 1)
			ret->chosen[ret->n++] = i;
}
