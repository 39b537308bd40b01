/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/draw.h"

#include "base/assert.h"
#include "base/rng.h"
#include "tests/unit/dnsd/share_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What every split is proven over, and what the rest is. */
#define KEYS 1000000u
#define FEW 100000u

/* Weights of a test, each POP in a domain of its own unless said. */
struct draw_case {
	struct draw_weights *w;
	uint64_t ids[DRAW_POPS_MAX];
};

static struct draw_case made(const uint64_t *weights, const uint32_t *domains,
    uint32_t n, uint32_t set_max)
{
	struct draw_case c = {.w = malloc(draw_weights_size(n))};
	uint32_t own[DRAW_POPS_MAX];
	struct rng rng;

	rng_seed(&rng, 99);
	for (uint32_t i = 0; i < DRAW_POPS_MAX; i++) {
		own[i] = i;
		c.ids[i] = rng_u64(&rng);
	}
	draw_weights_init(c.w, n, weights, domains ? domains : own, set_max);
	return c;
}

#define MADE(set_max, ...)                                                     \
	made((const uint64_t[]){__VA_ARGS__}, NULL,                            \
	    BR_COUNT(((const uint64_t[]){__VA_ARGS__})), set_max)

/* -- the logarithm ----------------------------------------------------- */

static double exact_log2(uint64_t v)
{
	return (double)(64 - log2l((long double)(v | 1)));
}

START_TEST(test_log2_error)
{
	double worst = 0, least = 0, worst_relative = 0;
	struct rng rng;

	rng_seed(&rng, 1);
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t v = rng_u64(&rng) >> rng_below(&rng, 60);

		/* Also near 1, where it is smallest. */
		if (i % 4 == 0)
			v = ~v;
		double is = (double)draw_log2(v) / (1 << 30);
		double off = is - exact_log2(v);

		least = off < least ? off : least;
		worst = off > worst ? off : worst;
		if (exact_log2(v) > 1e-5 &&
		    off / exact_log2(v) > worst_relative)
			worst_relative = off / exact_log2(v);
	}
	/* Chords lie below the curve of the logarithm, and are subtracted:
	 * never more than two steps too small. */
	ck_assert_double_ge(least, -2.0 / (1 << 30));
	ck_assert_double_le(worst, 7e-7);
	ck_assert_double_gt(worst, 6e-7);
	ck_assert_double_le(worst_relative, 1.1e-3);
}
END_TEST

START_TEST(test_log2_never_rises)
{
	uint64_t before = draw_log2(0);

	ck_assert_uint_eq(before, UINT64_C(64) << 30);
	for (unsigned shift = 0; shift < 64; shift++) {
		for (uint64_t m = 0; m < 200; m++) {
			uint64_t v = (UINT64_C(1) << shift) +
				     (((UINT64_C(1) << shift) - 1) / 200) * m;

			ck_assert_uint_le(draw_log2(v), before);
			before = draw_log2(v);
		}
	}
	ck_assert_uint_le(draw_log2(UINT64_MAX), 4);
	ck_assert_uint_eq(draw_log2(UINT64_C(1) << 63), UINT64_C(1) << 30);
}
END_TEST

/* Nodes of a fleet, also of another version, must agree. */
START_TEST(test_scores_stay_what_they_are)
{
	ck_assert_uint_eq(
	    draw_score(1, 2, UINT64_C(1) << 56), UINT64_C(0x5876dac50000000));
	ck_assert_uint_eq(
	    draw_score(UINT64_C(0xdeadbeef12345678),
		UINT64_C(0x0123456789abcdef), (UINT64_C(1) << 56) / 50),
	    UINT64_C(0x4e8709e051eb7a));
}
END_TEST

/* -- weights ----------------------------------------------------------- */

START_TEST(test_same_proportions_are_the_same)
{
	struct draw_case a = MADE(3, 50, 30, 20), b = MADE(3, 5, 3, 2),
			 c = MADE(3, 50000, 30000, 20000),
			 d = MADE(3, 50, 30, 21), e = MADE(2, 50, 30, 20);

	ck_assert(draw_weights_equal(a.w, b.w));
	ck_assert(draw_weights_equal(a.w, c.w));
	ck_assert(!draw_weights_equal(a.w, d.w));
	ck_assert_uint_eq(a.w->set_size, 2);
	ck_assert_uint_eq(e.w->set_size, 2);
	ck_assert_uint_eq(a.w->total, 10);
	free(a.w), free(b.w), free(c.w), free(d.w), free(e.w);
}
END_TEST

START_TEST(test_huge_weights_fit)
{
	struct draw_case c = MADE(3, UINT64_MAX / 64, 1, 0, UINT64_MAX / 128);

	ck_assert_uint_lt(c.w->pop[0].weight, 1u << DRAW_WEIGHT_BITS);
	ck_assert_uint_gt(c.w->pop[0].weight, 1u << (DRAW_WEIGHT_BITS - 2));
	ck_assert_uint_eq(c.w->pop[1].weight, 1);
	ck_assert_uint_eq(c.w->pop[2].weight, 0);
	ck_assert_uint_eq(c.w->n_positive, 3);
	free(c.w);
}
END_TEST

START_TEST(test_zero_weights)
{
	struct draw_case none = MADE(3, 0, 0), one = MADE(3, 0, 7, 0);
	uint64_t weights[DRAW_POPS_MAX];
	uint8_t got[DRAW_POPS_MAX];

	ck_assert_uint_eq(draw_first(none.w, none.ids, 5), 0);
	ck_assert_uint_eq(draw_order(none.w, none.ids, 5, 2, got), 0);
	ck_assert_uint_eq(draw_set(none.w, 5, got), 0);
	ck_assert_uint_eq(draw_split(none.w, 5, 2, got, weights), 0);
	for (uint64_t key = 0; key < 1000; key++) {
		ck_assert_uint_eq(draw_first(one.w, one.ids, key), 1);
		ck_assert_uint_eq(draw_order(one.w, one.ids, key, 3, got), 1);
		ck_assert_uint_eq(got[0], 1);
		ck_assert_uint_eq(draw_set(one.w, key, got), 1);
		ck_assert_uint_eq(got[0], 1);
		ck_assert_uint_eq(draw_split(one.w, key, 3, got, weights), 1);
		ck_assert_uint_eq(got[0], 1);
	}
	free(none.w), free(one.w);
}
END_TEST

/* -- order ------------------------------------------------------------- */

START_TEST(test_first_places_go_by_weight)
{
	static const uint64_t of_case[][DRAW_POPS_MAX] = {
	    {50, 30, 20},
	    {1, 1},
	    {1, 99},
	    {1, 1000, 0, 200000},
	    {9, 8, 7, 6, 5, 4, 3, 2},
	};
	static const uint32_t n_of_case[] = {3, 2, 2, 4, 8};
	struct draw_case c =
	    made(of_case[_i], NULL, n_of_case[_i], DRAW_POPS_MAX);
	uint64_t count[DRAW_POPS_MAX] = {0};

	for (uint64_t key = 0; key < KEYS; key++)
		count[draw_first(c.w, c.ids, key * 0x10001)]++;
	share_check(count, of_case[_i], n_of_case[_i]);
	free(c.w);
}
END_TEST

START_TEST(test_64_pops)
{
	uint64_t weights[DRAW_POPS_MAX], count[DRAW_POPS_MAX] = {0};
	struct draw_case c;

	for (uint32_t i = 0; i < DRAW_POPS_MAX; i++)
		weights[i] = 1 + i * i;
	c = made(weights, NULL, DRAW_POPS_MAX, 3);
	for (uint64_t key = 0; key < FEW; key++)
		count[draw_first(c.w, c.ids, key)]++;
	share_check(count, weights, DRAW_POPS_MAX);
	free(c.w);
}
END_TEST

/* The second place as the first among the others: P(i, j) is
 * w(i) / W * w(j) / (W - w(i)). */
START_TEST(test_later_places_go_by_weight)
{
	static const uint64_t w[] = {5, 3, 2};
	struct draw_case c = made(w, NULL, 3, 3);
	uint64_t count[9] = {0};
	double expected[9] = {0};
	uint32_t wrong = 0;
	uint8_t got[3];

	/* An assertion a key would take longer than all draws. */
	for (uint64_t key = 0; key < FEW; key++) {
		wrong += draw_order(c.w, c.ids, key, 3, got) != 3;
		wrong += got[0] + got[1] + got[2] != 3;
		wrong += draw_first(c.w, c.ids, key) != got[0];
		count[got[0] * 3 + got[1]]++;
	}
	ck_assert_uint_eq(wrong, 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			if (i != j)
				expected[i * 3 + j] = (double)w[i] / 10 *
						      (double)w[j] /
						      (10 - (double)w[i]);
	share_check_expected(count, expected, 9);
	free(c.w);
}
END_TEST

static uint32_t first_by_score(const struct draw_case *c, uint64_t key)
{
	uint64_t least = UINT64_MAX;
	uint32_t first = 0;

	for (uint32_t i = 0; i < c->w->n; i++) {
		uint64_t score =
		    draw_score(c->ids[i], key, c->w->pop[i].inverse);

		if (c->w->pop[i].weight && score < least) {
			least = score;
			first = i;
		}
	}
	return first;
}

/* Many of one weight are closest to each other. */
START_TEST(test_first_is_by_score)
{
	uint64_t weights[DRAW_POPS_MAX];
	struct draw_case c;
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < DRAW_POPS_MAX; i++)
		weights[i] = 1;
	c = made(weights, NULL, DRAW_POPS_MAX, 1);
	for (uint64_t key = 0; key < FEW; key++)
		wrong += draw_first(c.w, c.ids, key) != first_by_score(&c, key);
	ck_assert_uint_eq(wrong, 0);
	free(c.w);
}
END_TEST

/* The order is that of draw_score(), which shortcuts must not change. */
START_TEST(test_order_is_by_score)
{
	uint64_t weights[DRAW_POPS_MAX];
	struct draw_case c;
	uint32_t wrong = 0;
	uint8_t got[DRAW_POPS_MAX];

	for (uint32_t i = 0; i < DRAW_POPS_MAX; i++)
		weights[i] = i % 3 * i * i;
	c = made(weights, NULL, DRAW_POPS_MAX, 3);
	for (uint64_t key = 0; key < 2000; key++) {
		uint32_t n = 1 + (uint32_t)key % DRAW_POPS_MAX;
		uint32_t n_got = draw_order(c.w, c.ids, key, n, got);

		wrong += n_got != (n < c.w->n_positive ? n : c.w->n_positive);
		wrong += draw_first(c.w, c.ids, key) != got[0];
		/* Each that is not in it comes after the last that is. */
		for (uint32_t i = 0; i < c.w->n; i++) {
			uint32_t place = 0;

			while (place < n_got && got[place] != i)
				place++;
			if (!c.w->pop[i].weight || !place)
				continue;
			wrong +=
			    draw_score(c.ids[i], key, c.w->pop[i].inverse) <
			    draw_score(c.ids[got[place - 1]], key,
				c.w->pop[got[place - 1]].inverse);
		}
	}
	ck_assert_uint_eq(wrong, 0);
	free(c.w);
}
END_TEST

START_TEST(test_order_is_of_ids_not_of_places)
{
	static const uint64_t w[] = {5, 3, 2, 4}, moved[] = {4, 2, 5, 3};
	static const uint8_t was[] = {3, 2, 0, 1};
	struct draw_case a = made(w, NULL, 4, 4), b = made(moved, NULL, 4, 4);
	uint8_t got[4], other[4];

	for (int i = 0; i < 4; i++)
		b.ids[i] = a.ids[was[i]];
	for (uint64_t key = 0; key < 1000; key++) {
		for (uint32_t n = 1; n <= 4; n++) {
			ck_assert_uint_eq(
			    draw_order(a.w, a.ids, key, n, got), n);
			ck_assert_uint_eq(
			    draw_order(b.w, b.ids, key, n, other), n);
			for (uint32_t i = 0; i < n; i++)
				ck_assert_uint_eq(got[i], was[other[i]]);
		}
	}
	free(a.w), free(b.w);
}
END_TEST

/* What moves when weights change is what must, and little more. */
START_TEST(test_moved_keys)
{
	static const uint64_t of_case[][2][4] = {
	    {{50, 30, 20, 0}, {40, 40, 20, 0}},
	    {{50, 30, 20, 0}, {50, 30, 0, 0}},
	    {{25, 25, 25, 25}, {26, 25, 25, 24}},
	    {{10, 10, 10, 70}, {70, 10, 10, 10}},
	    {{1, 1, 1, 0}, {1, 1, 1, 1}},
	};
	struct draw_case a = made(of_case[_i][0], NULL, 4, 4),
			 b = made(of_case[_i][1], NULL, 4, 4);
	double variation = 0, moved = 0;

	for (int i = 0; i < 4; i++)
		variation +=
		    fabs((double)a.w->pop[i].weight / (double)a.w->total -
			 (double)b.w->pop[i].weight / (double)b.w->total) /
		    2;
	for (uint64_t key = 0; key < FEW; key++)
		moved +=
		    draw_first(a.w, a.ids, key) != draw_first(b.w, b.ids, key);
	moved /= FEW;
	/* 4 standard deviations of the count below what must move. */
	ck_assert_double_ge(moved, variation - 4 * sqrt(variation / FEW));
	ck_assert_double_le(moved, 1.3 * variation + 0.01);
	free(a.w), free(b.w);
}
END_TEST

/* -- sets -------------------------------------------------------------- */

START_TEST(test_sets_include_by_weight)
{
	static const uint64_t of_case[][8] = {
	    {50, 30, 20, 0, 10},
	    {1, 1, 1, 1, 1, 1, 1, 1},
	    {9, 8, 7, 6, 5, 4, 3, 2},
	    {10, 10, 10, 10, 10, 10, 10, 10},
	};
	static const uint32_t n_of_case[] = {5, 8, 8, 8};
	static const uint32_t domains[][8] = {
	    {0, 1, 2, 3, 4},
	    {0, 1, 2, 3, 4, 5, 6, 7},
	    {0, 1, 2, 3, 4, 5, 6, 7},
	    {0, 0, 1, 1, 2, 2, 2, 3},
	};
	static const uint32_t sizes[] = {2, 3, 3, 2};
	uint32_t n = n_of_case[_i];
	struct draw_case c = made(of_case[_i], domains[_i], n, 3);
	uint64_t count[8] = {0}, firsts[8] = {0};
	uint8_t got[DRAW_POPS_MAX];
	uint32_t wrong = 0;

	ck_assert_uint_eq(c.w->set_size, sizes[_i]);
	for (uint64_t key = 0; key < FEW; key++) {
		uint32_t seen = 0;

		wrong += draw_set(c.w, key, got) != sizes[_i];
		firsts[got[0]]++;
		for (uint32_t i = 0; i < sizes[_i]; i++) {
			uint32_t bit = 1u << domains[_i][got[i]];

			wrong += (seen & bit) != 0;
			seen |= bit;
			count[got[i]]++;
		}
	}
	ck_assert_uint_eq(wrong, 0);
	share_check(firsts, of_case[_i], n);
	/* Inclusion is size * weight / total: each POP's count is a binomial
	 * one, and 4.9 standard deviations are less likely than 1e-6. */
	for (uint32_t i = 0; i < n; i++) {
		double p =
		    (double)c.w->pop[i].weight * sizes[_i] / (double)c.w->total;
		double sd = sqrt(FEW * p * (1 - p));

		ck_assert_double_le(
		    fabs((double)count[i] - FEW * p), 4.9 * sd + 0.5);
	}
	free(c.w);
}
END_TEST

/* Each pair of the same weight may be together. */
START_TEST(test_sets_mix)
{
	struct draw_case c = MADE(2, 1, 1, 1, 1, 1, 1);
	uint32_t together[6][6] = {{0}};
	uint8_t got[DRAW_POPS_MAX];

	for (uint64_t key = 0; key < 60000; key++) {
		(void)draw_set(c.w, key, got);
		together[got[0]][got[1]]++;
	}
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			ck_assert(
			    i == j ? !together[i][j] : together[i][j] > 500);
	free(c.w);
}
END_TEST

/* A client that picks by the given weights: shares are exact on the whole. */
START_TEST(test_split_is_exact)
{
	static const uint64_t of_case[][6] = {{50, 30, 20}, {80, 10, 5, 5},
	    {1, 1, 1, 1, 1, 1}, {70, 1, 1, 1, 20, 7}, {70, 1, 1, 1, 1, 1}};
	static const uint32_t n_of_case[] = {3, 4, 6, 6, 6};
	uint32_t n_pops = n_of_case[_i / 4], n = (uint32_t)_i % 4 + 1;
	struct draw_case c = made(of_case[_i / 4], NULL, n_pops, 4);
	uint32_t n_got = n < n_pops ? n : n_pops;
	uint64_t weights[DRAW_POPS_MAX], count[6] = {0};
	uint8_t got[DRAW_POPS_MAX];
	uint32_t wrong = 0;
	struct rng rng;

	rng_seed(&rng, 3);
	for (uint64_t key = 0; key < FEW; key++) {
		uint64_t total = 0, at;
		uint32_t i = 0;

		wrong += draw_split(c.w, key, n, got, weights) != n_got;
		for (uint32_t k = 0; k < n_got; k++)
			total += weights[k];
		at = rng_below(&rng, (uint32_t)total);
		for (; at >= weights[i]; i++)
			at -= weights[i];
		count[got[i]]++;
	}
	ck_assert_uint_eq(wrong, 0);
	share_check(count, of_case[_i / 4], n_pops);
	free(c.w);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("draw");

	tcase_add_test(tcase, test_log2_error);
	tcase_add_test(tcase, test_log2_never_rises);
	tcase_add_test(tcase, test_scores_stay_what_they_are);
	tcase_add_test(tcase, test_same_proportions_are_the_same);
	tcase_add_test(tcase, test_huge_weights_fit);
	tcase_add_test(tcase, test_zero_weights);
	tcase_add_loop_test(tcase, test_first_places_go_by_weight, 0, 5);
	tcase_add_test(tcase, test_64_pops);
	tcase_add_test(tcase, test_later_places_go_by_weight);
	tcase_add_test(tcase, test_first_is_by_score);
	tcase_add_test(tcase, test_order_is_by_score);
	tcase_add_test(tcase, test_order_is_of_ids_not_of_places);
	tcase_add_loop_test(tcase, test_moved_keys, 0, 5);
	tcase_add_loop_test(tcase, test_sets_include_by_weight, 0, 4);
	tcase_add_test(tcase, test_sets_mix);
	tcase_add_loop_test(tcase, test_split_is_exact, 0, 20);
	return check_main(tcase);
}
