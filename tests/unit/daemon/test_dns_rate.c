/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_rate.h"

#include <check.h>
#include <stdlib.h>

static struct mono at(int64_t s)
{
	return (struct mono){(1000 + s) * NS_PER_S};
}

START_TEST(nothing_is_known)
{
	struct dns_rate rate = {.n = 0};

	ck_assert_double_eq(dns_rate_of(&rate, at(0), 7), 0);
	dns_rate_note(&rate, at(0), 7);
	ck_assert_double_eq(dns_rate_of(&rate, at(0), 7), 0);
	/* A count that fell: there is nothing to say. */
	ck_assert_double_eq(dns_rate_of(&rate, at(1), 6), 0);
}
END_TEST

START_TEST(the_last_seconds)
{
	struct dns_rate rate = {.n = 0};

	dns_rate_note(&rate, at(0), 100);
	ck_assert_double_eq(dns_rate_of(&rate, at(2), 140), 20);
	/* 20 a second for a minute, then 5. */
	for (int64_t s = 1; s <= 60; s++)
		dns_rate_note(&rate, at(s), 100 + 20 * (uint64_t)s);
	ck_assert_double_eq(dns_rate_of(&rate, at(61), 1320), 20);
	for (int64_t s = 61; s <= 70; s++)
		dns_rate_note(&rate, at(s), 1300 + 5 * (uint64_t)(s - 60));
	ck_assert_double_eq(dns_rate_of(&rate, at(71), 1355), 5);
	ck_assert_double_eq(dns_rate_of(&rate, at(81), 1350), 2.25);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_rate");
	TCase *tcase = tcase_create("dns_rate");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, nothing_is_known);
	tcase_add_test(tcase, the_last_seconds);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
