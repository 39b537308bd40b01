/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal: n CNAMEs in the client's order, for clients that know what to do
 * with them. It breaks RFC 2181 section 10.1: resolvers refuse such answers,
 * or take the first or the last. So only sources of `allow` get it, everybody
 * else gets pick, and a signed zone refuses it: a signature would cover a set
 * that validators have to reject.
 */
#include "base/arena.h"
#include "dnsd/resource_parts.h"
#include "dnsd/rr_type.h"

static void literal_make(struct resource_maker *m)
{
	const struct conf_prefixes *allow = &m->options->conf->allow;
	struct prefix_entry *entries =
	    arena_alloc(m->arena, (allow->n + 1) * sizeof *entries);

	if (m->r->is_signed)
		resource_wrong(m, "mode literal cannot be in a signed zone");
	for (uint32_t i = 0; i < allow->n; i++)
		entries[i] = (struct prefix_entry){allow->at[i], 0};
	m->r->allow =
	    prefix_map_new(m->arena, entries, allow->n, PREFIX_LONGEST);
}

static bool literal_choose(
    const struct resource *r, struct resource_choice *choice)
{
	if (choice->mode == CONF_MODE_PICK)
		return resource_pick_ops.choose(r, choice);
	choice->n = (uint8_t)draw_order(
	    choice->weights, r->ids, choice->draw.hash, r->n, choice->chosen);
	return choice->weights->n_positive > 1;
}

static void literal_answer(const struct resource *r,
    const struct resource_choice *choice, uint16_t type, struct answer_set *ret)
{
	(void)type;
	for (uint32_t i = 0; i < choice->n; i++) {
		const struct resource_target *to =
		    &r->targets[choice->chosen[i]];

		resource_put(ret, to->name, to->size);
	}
}

/* A transfer gets what everybody gets. */
static void literal_heaviest(
    const struct resource *r, struct resource_choice *choice)
{
	(void)r;
	choice->mode = CONF_MODE_PICK;
	choice->n = 1;
}

const struct resource_ops resource_literal_ops = {
    .alias = true,
    .has_targets = true,
    .type = RR_CNAME,
    .make = literal_make,
    .choose = literal_choose,
    .answer = literal_answer,
    .choose_heaviest = literal_heaviest,
};
