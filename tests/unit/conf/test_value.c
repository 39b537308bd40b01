/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"
#include "conf/value_guess.h"

#include "tests/unit/conf/conf_check.h"

#include <errno.h>

typedef int value_fn(const char *text, uint64_t *ret);

static void expect(value_fn *fn, const char *text, uint64_t want)
{
	uint64_t got = 12345;

	ck_assert_msg(fn(text, &got) == 0, "%s", text);
	ck_assert_msg(got == want, "%s: %llu", text, (unsigned long long)got);
}

static void expect_error(value_fn *fn, const char *text, int want)
{
	uint64_t got = 12345;
	int rc = fn(text, &got);

	ck_assert_msg(rc == want, "%s: %d", text, rc);
	ck_assert_uint_eq(got, 12345);
}

START_TEST(integers)
{
	expect(value_integer, "0", 0);
	expect(value_integer, "18446744073709551615", UINT64_MAX);
	expect_error(value_integer, "18446744073709551616", -ERANGE);
	expect_error(value_integer, "99999999999999999999999", -ERANGE);
	expect_error(value_integer, "", -EINVAL);
	expect_error(value_integer, "-1", -EINVAL);
	expect_error(value_integer, "+1", -EINVAL);
	expect_error(value_integer, " 1", -EINVAL);
	expect_error(value_integer, "1 ", -EINVAL);
	expect_error(value_integer, "007", -EINVAL);
	expect_error(value_integer, "1.0", -EINVAL);
}
END_TEST

START_TEST(durations)
{
	expect(value_duration, "0", 0);
	expect(value_duration, "0s", 0);
	expect(value_duration, "500ms", 500);
	expect(value_duration, "2s", 2000);
	expect(value_duration, "5m", 300000);
	expect(value_duration, "1h", 3600000);
	expect_error(value_duration, "5", -ENODATA);
	expect_error(value_duration, "s", -EINVAL);
	expect_error(value_duration, "5d", -EINVAL);
	expect_error(value_duration, "1m30s", -EINVAL);
	expect_error(value_duration, "5S", -EINVAL);
	expect_error(value_duration, "18446744073709551615h", -ERANGE);
}
END_TEST

START_TEST(guesses)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} times[] = {{"1m30s", 90000}, {"1h 30m 10s 5ms", 5410005},
	    {"1.5s", 1500}, {"0.25h", 900000}, {"5 minutes", 300000},
	    {"1d", 86400000}, {"60S", 60000}, {"999999999.999999999h", 0},
	    {"999999999d", 86399999913600000}, {"1.0005s", 0},
	    {"1h1h1h1h1h", 0}, {"1", 0}, {"s", 0}, {"", 0}, {"1.s", 0},
	    {"-1s", 0}, {"1000000000s", 0}, {"1 fortnight", 0}};
	uint64_t v;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		v = 0;
		ck_assert_msg(value_guess_duration(times[i].text, &v) ==
				  (times[i].ms != 0),
		    "%s", times[i].text);
		ck_assert_msg(v == times[i].ms, "%s: %llu", times[i].text,
		    (unsigned long long)v);
	}
	ck_assert(value_guess_size("0.5GiB", &v) && v == 512u << 20);
	ck_assert(value_guess_size("256MB", &v) && v == 256u << 20);
	ck_assert(value_guess_size("64k", &v) && v == 64u << 10);
	ck_assert(!value_guess_size("1TB", &v) && !value_guess_size("1s", &v));
}
END_TEST

START_TEST(sizes)
{
	expect(value_size, "4096", 4096);
	expect(value_size, "64KiB", 65536);
	expect(value_size, "16MiB", 16u << 20);
	expect(value_size, "1GiB", 1u << 30);
	expect_error(value_size, "1KB", -EINVAL);
	expect_error(value_size, "1k", -EINVAL);
	expect_error(value_size, "18446744073709551615KiB", -ERANGE);
}
END_TEST

START_TEST(rates_and_percentages)
{
	expect(value_rate, "100/s", 100);
	expect(value_rate, "0", 0);
	expect_error(value_rate, "100", -ENODATA);
	expect_error(value_rate, "100/m", -EINVAL);
	expect(value_percent, "20%", 20);
	expect(value_percent, "0", 0);
	expect_error(value_percent, "20", -ENODATA);
	expect_error(value_percent, "20 %", -EINVAL);
}
END_TEST

START_TEST(printing)
{
	struct strbuf sb;

	strbuf_init(&sb);
	value_add_duration(&sb, 0);
	strbuf_addc(&sb, ' ');
	value_add_duration(&sb, 1500);
	strbuf_addc(&sb, ' ');
	value_add_duration(&sb, 90000);
	strbuf_addc(&sb, ' ');
	value_add_duration(&sb, 7200000);
	strbuf_addc(&sb, ' ');
	value_add_size(&sb, 1000);
	strbuf_addc(&sb, ' ');
	value_add_size(&sb, 1u << 20);
	ck_assert_str_eq(sb.text, "0 1500ms 90s 2h 1000 1MiB");
	strbuf_fini(&sb);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("value");

	tcase_add_test(tcase, integers);
	tcase_add_test(tcase, durations);
	tcase_add_test(tcase, guesses);
	tcase_add_test(tcase, sizes);
	tcase_add_test(tcase, rates_and_percentages);
	tcase_add_test(tcase, printing);
	return conf_check_main(tcase);
}
