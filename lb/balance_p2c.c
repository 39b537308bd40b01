/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power of two choices (Mitzenmacher, "The Power of Two Choices in Randomized
 * Load Balancing", 1996): draw two servers by weight and take the one with
 * less load for its weight. Nearly as even as a full scan, at O(log n), and
 * without the herd that follows a stale minimum.
 */
#include "lb/balance.h"

/* Draws that find only full or tried servers before a scan settles it. */
#define P2C_TRIES 4

/* A place drawn with probability weight / sum, by binary search. */
static uint32_t p2c_draw(const struct balance *b, struct rng *rng)
{
	uint32_t point = rng_below(rng, b->view[b->n - 1].sum);
	uint32_t low = 0, high = b->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (point < b->view[middle].sum)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The second draw must differ, else it is no choice; with very uneven
 * weights it may take a few attempts, and equal is then an answer too. */
static uint32_t p2c_draw_other(
    const struct balance *b, uint32_t first, struct rng *rng)
{
	uint32_t place = first;

	for (int i = 0; i < P2C_TRIES && place == first; i++)
		place = p2c_draw(b, rng);
	return place;
}

static uint32_t p2c_scan(
    const struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	uint32_t place = p2c_draw(b, rng);

	for (uint32_t i = 0; i < b->n; i++) {
		if (balance_eligible(&b->view[place], ask))
			return place;
		if (++place == b->n)
			place = 0;
	}
	return BALANCE_NONE;
}

static uint32_t p2c_pick(
    struct balance *b, const struct balance_ask *ask, struct rng *rng)
{
	for (int i = 0; i < P2C_TRIES; i++) {
		uint32_t one = p2c_draw(b, rng);
		uint32_t two = p2c_draw_other(b, one, rng);
		bool good_one = balance_eligible(&b->view[one], ask);
		bool good_two =
		    two != one && balance_eligible(&b->view[two], ask);

		if (good_one && good_two)
			return balance_lighter(&b->view[two], &b->view[one])
				   ? two
				   : one;
		if (good_one)
			return one;
		if (good_two)
			return two;
	}
	return p2c_scan(b, ask, rng);
}

const struct balance_ops balance_p2c = {
    .name = "p2c",
    .pick = p2c_pick,
};
