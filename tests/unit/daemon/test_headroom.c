/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/headroom.h"

#include "tests/unit/base/check_main.h"

START_TEST(test_formula)
{
	uint32_t before = 100;

	ck_assert_uint_eq(headroom_percent(0), 100);
	ck_assert_uint_eq(headroom_percent(700), 100);
	ck_assert_uint_eq(headroom_percent(850), 51);
	ck_assert_uint_eq(headroom_percent(999), 1);
	ck_assert_uint_eq(headroom_percent(1000), 1);
	ck_assert_uint_eq(headroom_percent(UINT32_MAX), 1);
	for (uint32_t used = 0; used <= 1100; used++) {
		uint32_t percent = headroom_percent(used);

		ck_assert_uint_le(percent, before);
		ck_assert_uint_ge(percent, 1);
		/* No jump: a thousandth more takes one point at most. */
		ck_assert_uint_le(before - percent, 1);
		before = percent;
	}
}
END_TEST

static struct mono at(int64_t seconds)
{
	return (struct mono){(500 + seconds) * NS_PER_S};
}

START_TEST(test_processor_time)
{
	struct headroom h = {.cpus = 2};
	int64_t cpu_ns = 77 * NS_PER_S;

	ck_assert_uint_eq(headroom_cpu_permille(&h), 0);
	headroom_add(&h, at(0), cpu_ns, 0);
	ck_assert_uint_eq(headroom_cpu_permille(&h), 0);
	/* One of two processors, from the second sample on. */
	for (int64_t s = 1; s <= 30; s++) {
		cpu_ns += NS_PER_S;
		headroom_add(&h, at(s), cpu_ns, 0);
		ck_assert_uint_eq(headroom_cpu_permille(&h), 500);
	}
	/* Idle: the window forgets within its length, evenly. */
	for (int64_t s = 1; s <= 10; s++) {
		headroom_add(&h, at(30 + s), cpu_ns, 0);
		ck_assert_uint_eq(
		    headroom_cpu_permille(&h), (uint32_t)(500 - 50 * s));
	}
	ck_assert_uint_eq(headroom_percent_now(&h), 100);
	/* More than there is cannot be: threads of the kernel, a clock. */
	headroom_add(&h, at(41), cpu_ns + 100 * NS_PER_S, 0);
	ck_assert_uint_eq(headroom_cpu_permille(&h), 1000);
	ck_assert_uint_eq(headroom_percent_now(&h), 1);
	/* Nor less, nor two samples of one moment. */
	headroom_add(&h, at(42), 0, 0);
	ck_assert_uint_eq(headroom_cpu_permille(&h), 0);
	h = (struct headroom){.cpus = 1};
	headroom_add(&h, at(1), 5, 0);
	headroom_add(&h, at(1), 9, 0);
	ck_assert_uint_eq(headroom_cpu_permille(&h), 0);
}
END_TEST

START_TEST(test_the_larger_counts)
{
	struct headroom h = {.cpus = 1, .connections_max = 1000};

	headroom_add(&h, at(0), 0, 850);
	ck_assert_uint_eq(headroom_connections_permille(&h), 850);
	ck_assert_uint_eq(headroom_percent_now(&h), 51);
	headroom_add(&h, at(1), 940 * NS_PER_MS, 850);
	ck_assert_uint_eq(headroom_cpu_permille(&h), 940);
	ck_assert_uint_eq(headroom_percent_now(&h), headroom_percent(940));
	/* The limit was lowered below what is open. */
	headroom_add(&h, at(2), 940 * NS_PER_MS, 2000);
	ck_assert_uint_eq(headroom_connections_permille(&h), 1000);
	h.connections_max = 0;
	ck_assert_uint_eq(headroom_connections_permille(&h), 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("headroom");

	tcase_add_test(tcase, test_formula);
	tcase_add_test(tcase, test_processor_time);
	tcase_add_test(tcase, test_the_larger_counts);
	return check_main(tcase);
}
