/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include "base/rng.h"
#include "tests/unit/base/check_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void expect(uint64_t v)
{
	char want[DECIMAL_MAX + 1], got[DECIMAL_MAX + 1];
	size_t n;

	memset(got, '!', sizeof got);
	n = decimal_format(v, got);
	(void)snprintf(want, sizeof want, "%" PRIu64, v);
	ck_assert_uint_eq(n, strlen(want));
	ck_assert_int_eq(memcmp(got, want, n), 0);
	/* What lies behind is not touched. */
	for (size_t i = n; i < sizeof got; i++)
		ck_assert_int_eq(got[i], '!');
}

START_TEST(test_format)
{
	uint64_t power = 1;
	struct rng rng;

	expect(UINT64_MAX);
	for (int i = 0; i < DECIMAL_MAX; i++, power *= 10) {
		expect(power - 1);
		expect(power);
		expect(power + 1);
	}
	rng_seed(&rng, 3);
	for (int i = 0; i < 10000; i++)
		expect(rng_u64(&rng) >> rng_below(&rng, 64));
}
END_TEST

START_TEST(test_fixed)
{
	char text[8] = "1234567";

	decimal_fixed(5, text, 3);
	ck_assert_str_eq(text, "0054567");
	decimal_fixed(98765, text, 3);
	ck_assert_str_eq(text, "7654567");
	decimal_fixed(9, text, 0);
	ck_assert_str_eq(text, "7654567");
}
END_TEST

START_TEST(test_ipv4)
{
	static const uint8_t longest[] = {255, 254, 100, 199};
	static const uint8_t any[] = {0, 0, 0, 0};
	char text[DECIMAL_IPV4_MAX + 1] = "";

	ck_assert_uint_eq(decimal_ipv4(any, text), 7);
	ck_assert_int_eq(memcmp(text, "0.0.0.0", 8), 0);
	ck_assert_uint_eq(decimal_ipv4(longest, text), 15);
	ck_assert_int_eq(memcmp(text, "255.254.100.199", 16), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("decimal");

	tcase_add_test(tcase, test_format);
	tcase_add_test(tcase, test_fixed);
	tcase_add_test(tcase, test_ipv4);
	return check_main(tcase);
}
