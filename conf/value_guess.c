/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_guess.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* More parts ("1h30m10s5ms") nobody writes; a number has 9 digits at most
 * before and behind the point, so that nothing overflows 64 bits. */
#define GUESS_PARTS_MAX 4
#define GUESS_DIGITS_MAX 9

struct guess_unit {
	const char *name;
	uint64_t factor;
};

static const struct guess_unit guess_times[] = {{"ms", 1}, {"msec", 1},
    {"s", SECOND_MS}, {"sec", SECOND_MS}, {"secs", SECOND_MS},
    {"second", SECOND_MS}, {"seconds", SECOND_MS}, {"m", MINUTE_MS},
    {"min", MINUTE_MS}, {"mins", MINUTE_MS}, {"minute", MINUTE_MS},
    {"minutes", MINUTE_MS}, {"h", HOUR_MS}, {"hour", HOUR_MS},
    {"hours", HOUR_MS}, {"d", DAY_MS}, {"day", DAY_MS}, {"days", DAY_MS}, {0}};

static const struct guess_unit guess_sizes[] = {{"k", 1u << 10},
    {"kb", 1u << 10}, {"kib", 1u << 10}, {"m", 1u << 20}, {"mb", 1u << 20},
    {"mib", 1u << 20}, {"g", 1u << 30}, {"gb", 1u << 30}, {"gib", 1u << 30},
    {0}};

/* What stands before "/s", or means it. */
static const struct guess_unit guess_bandwidths[] = {{"bps", 1}, {"bit", 1},
    {"k", 1000}, {"kbps", 1000}, {"kbit", 1000}, {"m", 1000000},
    {"mbps", 1000000}, {"mbit", 1000000}, {"g", 1000000000},
    {"gbps", 1000000000}, {"gbit", 1000000000}, {0}};

/* Reads digits up to GUESS_DIGITS_MAX; the number of them. */
static size_t guess_digits(const char **text, uint64_t *ret)
{
	size_t n = strspn(*text, "0123456789");

	*ret = 0;
	if (n > GUESS_DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		*ret = *ret * 10 + (uint64_t)(*(*text)++ - '0');
	return n;
}

/* Reads letters after any blanks; 0 when they are no unit. */
static uint64_t guess_unit(const char **text, const struct guess_unit *units)
{
	const char *p = *text + strspn(*text, " ");
	size_t n = 0;

	while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z'))
		n++;
	for (; units->name; units++)
		if (strlen(units->name) == n &&
		    strncasecmp(units->name, p, n) == 0) {
			*text = p + n;
			return units->factor;
		}
	return 0;
}

/* One number with its unit, such as "1.5 s". */
static bool guess_part(
    const char **text, const struct guess_unit *units, uint64_t *ret)
{
	uint64_t whole, fraction = 0, factor, power = 1;
	size_t digits = 0;

	if (guess_digits(text, &whole) == 0)
		return false;
	if (**text == '.') {
		(*text)++;
		digits = guess_digits(text, &fraction);
		if (digits == 0)
			return false;
	}
	while (digits-- > 0)
		power *= 10;
	factor = guess_unit(text, units);
	if (factor == 0 || fraction * factor % power != 0)
		return false;
	*ret = whole * factor + fraction * factor / power;
	return true;
}

static bool guess(
    const char *text, const struct guess_unit *units, uint64_t *ret)
{
	uint64_t sum = 0, part;

	for (int i = 0; i < GUESS_PARTS_MAX; i++) {
		if (!guess_part(&text, units, &part))
			return false;
		sum += part;
		text += strspn(text, " ");
		if (!*text) {
			*ret = sum;
			return true;
		}
	}
	return false;
}

bool value_guess_duration(const char *text, uint64_t *ret_ms)
{
	return guess(text, guess_times, ret_ms);
}

bool value_guess_size(const char *text, uint64_t *ret_bytes)
{
	return guess(text, guess_sizes, ret_bytes);
}

bool value_guess_bandwidth(const char *text, uint64_t *ret_bps)
{
	uint64_t value;

	if (!guess_part(&text, guess_bandwidths, &value))
		return false;
	if (!strcmp(text, "/s"))
		text += 2;
	if (*text)
		return false;
	*ret_bps = value;
	return true;
}
