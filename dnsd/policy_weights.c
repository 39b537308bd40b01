/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/policy_weights.h"

#include "dnsd/policy.h"

/* In hundredths, as all weights here. */
static uint64_t weight_in_force(const struct policy_weights *w, uint32_t i)
{
	return (uint64_t)w->configured[i] * pop_weight_percent(w->facts[i]);
}

static bool is_out(const struct policy_weights *w, uint32_t i)
{
	return pop_is_out(w->facts[i], w->now);
}

static bool is_up(const struct policy_weights *w, uint32_t i)
{
	return pop_is_up(w->facts[i]);
}

/* The weight of those that are not drained: all of it, and what is up. */
static void measure(
    const struct policy_weights *w, uint64_t *ret_all, uint64_t *ret_up)
{
	*ret_all = *ret_up = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		if (is_out(w, i))
			continue;
		*ret_all += weight_in_force(w, i);
		*ret_up += is_up(w, i) ? weight_in_force(w, i) : 0;
	}
}

/* Everybody who is up is drained: rather them than nobody; and if nobody is
 * up, who is to say. */
static void usable_of_drained(const struct policy_weights *w, bool *ret)
{
	bool any = false;

	for (uint32_t i = 0; i < w->n; i++)
		any |= ret[i] = is_up(w, i) && w->base[i];
	for (uint32_t i = 0; !any && i < w->n; i++)
		ret[i] = true;
}

static void find_usable(struct policy_weights *w, bool *ret)
{
	uint64_t all, up;

	measure(w, &all, &up);
	if (!all) {
		usable_of_drained(w, ret);
		return;
	}
	w->fails_open = up * 100 < all * POLICY_FAIL_OPEN_PERCENT;
	for (uint32_t i = 0; i < w->n; i++) {
		if (is_out(w, i))
			ret[i] = w->fails_open && !up && is_up(w, i) &&
				 w->facts[i]->weight_override;
		else
			ret[i] = w->fails_open || is_up(w, i);
	}
}

/* 0 percent says that the POP is out, which is_out() has seen to; that it
 * comes here is a last resort, which goes by the configured weight. */
static uint64_t base_of(const struct policy_weights *w, uint32_t i)
{
	uint32_t percent = pop_weight_percent(w->facts[i]);

	return (uint64_t)w->base[i] * (percent ? percent : 100);
}

void policy_weights_now(struct policy_weights *w)
{
	bool usable[DRAW_POPS_MAX];

	w->any = w->fails_open = false;
	find_usable(w, usable);
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t permille = 1000;

		w->ret[i] = 0;
		if (!usable[i])
			continue;
		if (!w->fails_open)
			permille = pop_slow_start_permille(
			    w->pop[i], w->facts[i], w->now);
		/* Below 2^32 times 10^7; and over 0, as base is: the factors
		 * make 100 at least. */
		w->ret[i] = base_of(w, i) * permille *
			    pop_load_percent(w->facts[i]) / 100;
		w->any |= w->ret[i] > 0;
	}
}
