/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "tests/unit/base/check_main.h"

#include <stdio.h>
#include <time.h>

static void expect_text(int64_t ns, const char *text)
{
	char buffer[25];

	ck_assert_uint_eq(wall_format((struct wall){ns}, buffer), 24);
	ck_assert_str_eq(buffer, text);
}

START_TEST(test_wall_format)
{
	expect_text(0, "1970-01-01T00:00:00.000Z");
	expect_text(INT64_C(1767323045678999999), "2026-01-02T03:04:05.678Z");
	expect_text(INT64_C(951782399) * NS_PER_S, "2000-02-28T23:59:59.000Z");
	expect_text(INT64_C(951782400) * NS_PER_S, "2000-02-29T00:00:00.000Z");
	expect_text(-1, "1969-12-31T23:59:59.999Z");
	expect_text(INT64_MAX, "2262-04-11T23:47:16.854Z");
	expect_text(INT64_MIN, "1677-09-21T00:12:43.145Z");
}
END_TEST

/* Against the C library, over three centuries in odd steps. */
START_TEST(test_wall_format_agrees_with_gmtime)
{
	for (int64_t s = INT64_C(-4000000000); s < INT64_C(6000000000);
	     s += 1234567) {
		time_t t = (time_t)s;
		char text[32];
		struct tm tm;

		ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
		ck_assert_uint_gt(
		    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm),
		    0);
		expect_text(s * NS_PER_S, text);
	}
}
END_TEST

START_TEST(test_mono)
{
	struct mono a = mono_now(), b = mono_now();

	ck_assert_int_ge(mono_diff_ns(b, a), 0);
	ck_assert_int_eq(mono_diff_ns(mono_add_ms(a, 3), a), 3000000);
	ck_assert_int_eq(mono_diff_ns(a, mono_add_ns(a, 7)), -7);
}
END_TEST

START_TEST(test_wall_now_is_the_time_of_day)
{
	time_t before = time(NULL);
	int64_t s = wall_now().ns / NS_PER_S;

	/* time() may lag by the kernel's coarse clock. */
	ck_assert_int_ge(s, before);
	ck_assert_int_le(s, time(NULL) + 1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("clock");

	tcase_add_test(tcase, test_wall_format);
	tcase_add_test(tcase, test_wall_format_agrees_with_gmtime);
	tcase_add_test(tcase, test_mono);
	tcase_add_test(tcase, test_wall_now_is_the_time_of_day);
	return check_main(tcase);
}
