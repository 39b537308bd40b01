/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick: the owner is an alias of one POP's target. RFC 1034 section 3.6.2 and
 * RFC 2181 section 10.1 allow one CNAME at a name and nothing beside it; which
 * one may differ between clients and times.
 */
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

static bool pick_choose(
    const struct resource *r, struct resource_choice *choice)
{
	choice->n = 1;
	choice->chosen[0] =
	    (uint8_t)draw_first(choice->weights, r->ids, choice->draw.hash);
	return choice->weights->n_positive > 1;
}

static void pick_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t type, struct answer_set *ret)
{
	const struct resource_target *to = &r->targets[choice->chosen[0]];

	(void)type;
	ret->variant = choice->chosen[0];
	ret->is_alias = true;
	ret->shared = to->shared;
	resource_put(ret, to->name, to->size);
}

static void pick_heaviest(
    const struct resource *r, struct resource_choice *choice)
{
	(void)r;
	choice->n = 1;
}

static uint32_t pick_count(const struct resource *r, uint16_t type)
{
	(void)type;
	return r->n_pops;
}

static void pick_unpack(const struct resource *r, uint16_t type,
    uint32_t variant, struct resource_choice *ret)
{
	(void)r;
	(void)type;
	ret->n = 1;
	ret->chosen[0] = (uint8_t)variant;
}

const struct resource_ops resource_pick_ops = {
    .alias = true,
    .has_targets = true,
    .type = RR_CNAME,
    .choose = pick_choose,
    .answer = pick_answer,
    .choose_heaviest = pick_heaviest,
    .count = pick_count,
    .unpack = pick_unpack,
};
