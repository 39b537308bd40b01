/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether counts are as they must be: the G-test (log-likelihood ratio, Sokal
 * and Rohlf, "Biometry", section 17.2). G = 2 sum O ln(O / E) is distributed
 * as chi-square with n - 1 degrees of freedom when the counts come from the
 * expected shares. Keys are fixed, so a test that passes once always passes.
 *
 * The critical value is that of 0.1 %, by Wilson and Hilferty's approximation:
 *     k (1 - 2 / 9k + 3.09023 sqrt(2 / 9k))^3
 * which is 10.8 for k = 1, 13.8 for 2, 24.3 for 7, 103.4 for 63 (tables: 10.83,
 * 13.82, 24.32, 103.44).
 *
 * Thread:  the main thread of a test program.
 */
#include <math.h>
#include <stdint.h>

#include "tests/unit/base/check_main.h"

#define SHARE_CHECK_MAX 64

/* expected[n]: probabilities that sum to 1; where one is 0, so is the count. */
static inline void share_check_expected(
    const uint64_t *count, const double *expected, uint32_t n)
{
	double g = 0, total = 0, k = -1, spread, critical;

	for (uint32_t i = 0; i < n; i++)
		total += (double)count[i];
	for (uint32_t i = 0; i < n; i++) {
		double o = (double)count[i];

		if (expected[i] <= 0) {
			ck_assert_uint_eq(count[i], 0);
			continue;
		}
		k++;
		if (o > 0)
			g += 2 * o * log(o / (expected[i] * total));
	}
	if (k < 1)
		return;
	spread = 2 / (9 * k);
	critical = k * pow(1 - spread + 3.09023 * sqrt(spread), 3);
	ck_assert_msg(
	    g <= critical, "G is %.2f, the critical value %.2f", g, critical);
}

static inline void share_check(
    const uint64_t *count, const uint64_t *weights, uint32_t n)
{
	double expected[SHARE_CHECK_MAX] = {0}, total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += (double)weights[i];
	for (uint32_t i = 0; i < n; i++)
		expected[i] = (double)weights[i] / total;
	share_check_expected(count, expected, n);
}
