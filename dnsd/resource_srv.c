/* SPDX-License-Identifier: Apache-2.0 */
/*
 * srv: up to n POPs at one priority, whose weights the client picks by (RFC
 * 2782), so that the split is made anew with each connection. When there are
 * more POPs than n, those whose share is large are in every answer and the
 * others are sampled, with weights that make up for it.
 *
 * In a signed zone weights cannot follow the policy, as signatures cover them:
 * there the POPs are sampled as for addrs, each with the same weight, which
 * gives the same shares.
 */
#include "base/hash.h"
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

#define SRV_PRIORITY 1u
#define SRV_WEIGHT_MAX 65535u

static void srv_make(struct resource_maker *m)
{
	if (!m->r->port)
		resource_wrong(m, "mode srv needs a port");
	if (m->r->n > RESOURCE_SRV_MAX)
		resource_wrong(m, "mode srv names at most %u POPs, n is %u",
		    RESOURCE_SRV_MAX, m->r->n);
	resource_sets_make(m);
}

static void write_16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* weights[choice->n], of any size. RFC 2782 wants 0 only where there is
 * nothing to choose. */
static void srv_records(const struct resource *r,
    struct resource_choice *choice, const uint64_t *weights)
{
	uint64_t heaviest = 0;

	for (uint32_t i = 0; i < choice->n; i++)
		heaviest = weights[i] > heaviest ? weights[i] : heaviest;
	for (uint32_t i = 0; i < choice->n; i++) {
		uint64_t weight = weights[i];
		uint8_t *to = choice->srv[i];

		if (heaviest > SRV_WEIGHT_MAX)
			weight = weight * SRV_WEIGHT_MAX / heaviest;
		write_16(to, SRV_PRIORITY);
		write_16(to + 2, (uint32_t)(weight ? weight : 1));
		write_16(to + 4, r->port);
		(void)dname_copy(to + 6, r->targets[choice->chosen[i]].name);
	}
}

static uint32_t srv_weight(const struct resource_choice *choice, uint32_t i)
{
	const uint8_t *at = choice->srv[i] + 2;

	return (uint32_t)at[0] << 8 | at[1];
}

static bool srv_choose(const struct resource *r, struct resource_choice *choice)
{
	const struct draw_weights *w = choice->weights;
	uint64_t weights[RESOURCE_POPS_MAX];

	if (!r->is_signed) {
		choice->n = (uint8_t)draw_split(
		    w, choice->draw.hash, r->n, choice->chosen, weights);
		srv_records(r, choice, weights);
		return w->n_positive > r->n;
	}
	choice->n = (uint8_t)draw_set(w, choice->draw.hash, choice->chosen);
	for (uint32_t i = 0; i < choice->n; i++)
		weights[i] = 1;
	srv_records(r, choice, weights);
	return w->n_positive > 1;
}

/* Purposes of the key's hash. */
#define SRV_SEED_COUNTED 0x737276

/* Each client draws by the weights itself. We do not see what comes out, but
 * drawn for each key likewise it comes out the same over all. */
static uint32_t srv_counted(const struct resource_choice *choice)
{
	uint64_t total = 0, point;
	uint32_t i = 0;

	for (uint32_t k = 0; k < choice->n; k++)
		total += srv_weight(choice, k);
	point = hash_u64(SRV_SEED_COUNTED, choice->draw.hash) % total;
	while (point >= srv_weight(choice, i))
		point -= srv_weight(choice, i++);
	return i;
}

static void srv_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t type, struct answer_set *ret)
{
	(void)type;
	for (uint32_t i = 0; i < choice->n; i++)
		resource_put(ret, choice->srv[i],
		    6u + r->targets[choice->chosen[i]].size);
	ret->variant = resource_set_number(r, choice);
}

static void srv_heaviest(
    const struct resource *r, struct resource_choice *choice)
{
	uint64_t weights[RESOURCE_POPS_MAX];

	if (r->is_signed)
		resource_addrs_ops.choose_heaviest(r, choice);
	else if (choice->n > r->n)
		choice->n = (uint8_t)r->n;
	for (uint32_t i = 0; i < choice->n; i++)
		weights[i] = r->is_signed
				 ? 1
				 : r->configured->pop[choice->chosen[i]].weight;
	srv_records(r, choice, weights);
}

static uint32_t srv_count(const struct resource *r, uint16_t type)
{
	(void)type;
	return resource_set_count(r);
}

static void srv_unpack(const struct resource *r, uint16_t type,
    uint32_t variant, struct resource_choice *ret)
{
	uint64_t weights[RESOURCE_POPS_MAX];

	(void)type;
	resource_set_unpack(r, variant, ret);
	for (uint32_t i = 0; i < ret->n; i++)
		weights[i] = 1;
	srv_records(r, ret, weights);
}

const struct resource_ops resource_srv_ops = {
    .has_targets = true,
    .type = RR_SRV,
    .make = srv_make,
    .choose = srv_choose,
    .counted = srv_counted,
    .answer = srv_answer,
    .choose_heaviest = srv_heaviest,
    .count = srv_count,
    .unpack = srv_unpack,
};
