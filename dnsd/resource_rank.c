/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rank: HTTPS records (RFC 9460) that name n POPs in the client's order as
 * SvcPriority 1 to n, each with its addresses as hints, and last the owner
 * itself, for clients that know no other target; its A and AAAA are those of
 * the first POP.
 *
 *      HTTPS 1 a--pop2 alpn=h2 ipv4hint=192.0.2.2
 *      HTTPS 2 a--pop1 alpn=h2 ipv4hint=192.0.2.1
 *      HTTPS 3 .       alpn=h2                       A 192.0.2.2
 *
 * All n are always there, POPs without weight last: so there are no more
 * orders than n of the POPs have, and each can be signed.
 */
#include "base/arena.h"
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

static void rank_make(struct resource_maker *m)
{
	static const uint8_t self[1];
	struct resource *r = m->r;

	if (r->n > RESOURCE_RANK_MAX) {
		resource_wrong(m, "mode rank names at most %u POPs, n is %u",
		    RESOURCE_RANK_MAX, r->n);
		return;
	}
	r->images =
	    arena_alloc(m->arena, (r->n * r->n_pops + 1) * sizeof *r->images);
	for (uint32_t i = 0; i < r->n * r->n_pops; i++) {
		uint32_t position = i % r->n_pops;

		r->images[i] = resource_https_image(m->arena, r,
		    (uint16_t)(1 + i / r->n_pops), r->targets[position].name,
		    r->pop[position]);
	}
	r->images[r->n * r->n_pops] =
	    resource_https_image(m->arena, r, (uint16_t)(r->n + 1), self, NULL);
}

static bool is_chosen(const struct resource_choice *choice, uint32_t position)
{
	for (uint32_t i = 0; i < choice->n; i++)
		if (choice->chosen[i] == position)
			return true;
	return false;
}

static bool rank_choose(
    const struct resource *r, struct resource_choice *choice)
{
	choice->n = (uint8_t)draw_order(
	    choice->weights, r->ids, choice->draw.hash, r->n, choice->chosen);
	for (uint8_t i = 0; choice->n < r->n; i++)
		if (!is_chosen(choice, i))
			choice->chosen[choice->n++] = i;
	return choice->weights->n_positive > 1;
}

/* Of n of the POPs in order: the first one's position, then each one's place
 * among those that are left. */
static uint32_t order_number(
    const struct resource *r, const struct resource_choice *choice)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t place = choice->chosen[i];

		for (uint32_t k = 0; k < i; k++)
			place -= choice->chosen[k] < choice->chosen[i];
		number = number * (r->n_pops - i) + place;
	}
	return number;
}

static void order_unpack(
    const struct resource *r, uint32_t number, struct resource_choice *ret)
{
	uint32_t places[RESOURCE_POPS_MAX];

	for (uint32_t i = r->n; i-- > 0; number /= r->n_pops - i)
		places[i] = number % (r->n_pops - i);
	ret->n = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		uint8_t position = 0;

		for (;; position++)
			if (!is_chosen(ret, position) && !places[i]--)
				break;
		ret->chosen[ret->n++] = position;
	}
}

static void rank_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t type, struct answer_set *ret)
{
	const struct resource_image *image;

	if (type != RR_HTTPS) {
		resource_put_addresses(ret, r->pop[choice->chosen[0]], type);
		ret->variant = choice->chosen[0];
		return;
	}
	for (uint32_t i = 0; i < choice->n; i++) {
		image = &r->images[i * r->n_pops + choice->chosen[i]];
		resource_put(ret, image->rdata, image->length);
	}
	image = &r->images[r->n * r->n_pops];
	resource_put(ret, image->rdata, image->length);
	ret->variant = r->is_signed ? order_number(r, choice) : 0;
}

static void rank_heaviest(
    const struct resource *r, struct resource_choice *choice)
{
	choice->n = (uint8_t)r->n;
}

static uint32_t rank_count(const struct resource *r, uint16_t type)
{
	uint32_t n = 1;

	if (type != RR_HTTPS)
		return r->n_pops;
	for (uint32_t i = 0; i < r->n; i++)
		n *= r->n_pops - i;
	return n;
}

static void rank_unpack(const struct resource *r, uint16_t type,
    uint32_t variant, struct resource_choice *ret)
{
	if (type == RR_HTTPS)
		order_unpack(r, variant, ret);
	else
		resource_pick_ops.unpack(r, type, variant, ret);
}

const struct resource_ops resource_rank_ops = {
    .holds_addresses = true,
    .has_targets = true,
    .type = RR_HTTPS,
    .make = rank_make,
    .choose = rank_choose,
    .answer = rank_answer,
    .choose_heaviest = rank_heaviest,
    .count = rank_count,
    .unpack = rank_unpack,
};
