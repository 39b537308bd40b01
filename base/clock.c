/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t now_ns(clockid_t id)
{
	struct timespec t;

	/* Cannot fail for these two clocks and a valid pointer. */
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct mono mono_now(void)
{
	return (struct mono){now_ns(CLOCK_MONOTONIC)};
}

struct wall wall_now(void)
{
	return (struct wall){now_ns(CLOCK_REALTIME)};
}

/* Days since 1970-01-01 to year, month, day of the Gregorian calendar
 * (Howard Hinnant, "chrono-compatible low-level date algorithms"). Not
 * gmtime_r(), which takes the C library's time zone lock. */
static void civil_from_days(
    int64_t days, uint32_t *ret_year, uint32_t *ret_month, uint32_t *ret_day)
{
	int64_t z = days + 719468; /* days from 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	uint32_t doe = (uint32_t)(z - era * 146097);
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153; /* month counted from March */

	*ret_day = doy - (153 * mp + 2) / 5 + 1;
	*ret_month = mp < 10 ? mp + 3 : mp - 9;
	*ret_year = (uint32_t)((int64_t)yoe + era * 400) + (*ret_month <= 2);
}

static char *put_digits(char *at, uint32_t v, int digits, char separator)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + v % 10);
		v /= 10;
	}
	at[digits] = separator;
	return at + digits + 1;
}

size_t wall_format(struct wall t, char ret[25])
{
	const int64_t day_ms = 86400 * INT64_C(1000);
	int64_t ms = t.ns / NS_PER_MS - (t.ns % NS_PER_MS < 0);
	int64_t days = ms / day_ms - (ms % day_ms < 0);
	uint32_t of_day = (uint32_t)(ms - days * day_ms);
	uint32_t year, month, day;
	char *at = ret;

	/* 64 bits of nanoseconds reach from 1677 to 2262: four digits. */
	civil_from_days(days, &year, &month, &day);
	at = put_digits(at, year, 4, '-');
	at = put_digits(at, month, 2, '-');
	at = put_digits(at, day, 2, 'T');
	at = put_digits(at, of_day / 3600000, 2, ':');
	at = put_digits(at, of_day / 60000 % 60, 2, ':');
	at = put_digits(at, of_day / 1000 % 60, 2, '.');
	at = put_digits(at, of_day % 1000, 3, 'Z');
	*at = '\0';
	return (size_t)(at - ret);
}
