/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a pace is in the way of what it was made for. */
#include "profiler/pace.h"

#include "tests/unit/base/check_main.h"

#define RATE 1000000u

static struct pace pace;
static struct mono now;
static uint64_t bytes;

static void begin(void)
{
	now = (struct mono){7 * NS_PER_S};
	bytes = 12345;
	pace_start(&pace, RATE, bytes, now);
}

/* Reads of 10 ms at `rate`; how many until it is said, or 0. */
static unsigned reads(uint64_t rate, unsigned n)
{
	for (unsigned i = 1; i <= n; i++) {
		now = mono_add_ms(now, 10);
		bytes += rate / 100;
		if (pace_is_in_the_way(&pace, bytes, now))
			return i;
	}
	return 0;
}

START_TEST(test_a_stream_keeps_its_pace)
{
	/* As advised: the pace is some times the rate. */
	ck_assert_uint_eq(reads(RATE / 3, 1000), 0);
	ck_assert_uint_eq(reads(RATE * 7 / 10, 1000), 0);
}
END_TEST

START_TEST(test_who_fills_it_loses_it)
{
	ck_assert_uint_eq(reads(RATE, 1000), 50);
	begin();
	ck_assert_uint_eq(reads(RATE * 8 / 10, 1000), 50);
}
END_TEST

START_TEST(test_a_silence_before_does_not_count)
{
	now = mono_add_ms(now, 3600 * 1000);
	ck_assert_uint_ge(reads(RATE, 60), 50);
	/* Nor does a burst that is over at once. */
	begin();
	bytes += RATE / 4;
	ck_assert_uint_eq(reads(RATE / 10, 1000), 0);
}
END_TEST

START_TEST(test_the_largest)
{
	pace_start(&pace, UINT64_MAX, 0, now);
	now = mono_add_ms(now, 1000);
	ck_assert(!pace_is_in_the_way(&pace, UINT64_MAX / 2, now));
	now = mono_add_ms(now, 1000);
	ck_assert(!pace_is_in_the_way(&pace, UINT64_MAX, now));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("pace");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, test_a_stream_keeps_its_pace);
	tcase_add_test(tcase, test_who_fills_it_loses_it);
	tcase_add_test(tcase, test_a_silence_before_does_not_count);
	tcase_add_test(tcase, test_the_largest);
	return check_main(tcase);
}
