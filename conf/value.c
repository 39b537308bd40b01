/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct value_unit {
	const char *name;
	uint64_t factor;
};

static const struct value_unit value_times[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {0}};
static const struct value_unit value_sizes[] = {
    {"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {0}};
static const struct value_unit value_rates[] = {{"/s", 1}, {0}};
static const struct value_unit value_bandwidths[] = {{"bit/s", 1},
    {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000},
    {"Tbit/s", UINT64_C(1000000000000)}, {0}};
static const struct value_unit value_percents[] = {{"%", 1}, {0}};

/* Reads the digits and moves *text behind them. */
static int value_digits(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t v = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	*text = p;
	*ret = v;
	return 0;
}

static int value_with_unit(
    const char *text, const struct value_unit *units, uint64_t *ret)
{
	uint64_t v = 0;
	int rc = value_digits(&text, &v);

	if (rc < 0)
		return rc;
	for (; units->name; units++)
		if (strcmp(text, units->name) == 0) {
			if (__builtin_mul_overflow(v, units->factor, &v))
				return -ERANGE;
			*ret = v;
			return 0;
		}
	if (*text)
		return -EINVAL;
	if (v != 0)
		return -ENODATA;
	*ret = 0;
	return 0;
}

int value_integer(const char *text, uint64_t *ret)
{
	uint64_t v;
	int rc = value_digits(&text, &v);

	if (rc < 0)
		return rc;
	if (*text)
		return -EINVAL;
	*ret = v;
	return 0;
}

int value_duration(const char *text, uint64_t *ret_ms)
{
	return value_with_unit(text, value_times, ret_ms);
}

int value_size(const char *text, uint64_t *ret_bytes)
{
	return value_with_unit(text, value_sizes, ret_bytes);
}

int value_rate(const char *text, uint64_t *ret_per_s)
{
	return value_with_unit(text, value_rates, ret_per_s);
}

int value_percent(const char *text, uint64_t *ret_percent)
{
	return value_with_unit(text, value_percents, ret_percent);
}

int value_bandwidth(const char *text, uint64_t *ret_bps)
{
	return value_with_unit(text, value_bandwidths, ret_bps);
}

int value_decimal(const char *text, uint64_t *ret_milli)
{
	uint64_t whole, part = 0, place = 100;
	int rc = value_digits(&text, &whole);

	if (rc < 0)
		return rc;
	if (*text == '.') {
		text++;
		if (*text < '0' || *text > '9')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9' && place; text++) {
			part += (uint64_t)(*text - '0') * place;
			place /= 10;
		}
	}
	if (*text)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, UINT64_C(1000), &whole) ||
	    __builtin_add_overflow(whole, part, &whole))
		return -ERANGE;
	*ret_milli = whole;
	return 0;
}

static void value_add(
    struct strbuf *sb, const struct value_unit *units, uint64_t v)
{
	const struct value_unit *best = units;

	for (; v && units->name; units++)
		if (v % units->factor == 0)
			best = units;
	strbuf_addf(sb, "%" PRIu64 "%s", v / best->factor, v ? best->name : "");
}

void value_add_duration(struct strbuf *sb, uint64_t ms)
{
	value_add(sb, value_times, ms);
}

void value_add_size(struct strbuf *sb, uint64_t bytes)
{
	value_add(sb, value_sizes, bytes);
}

void value_add_bandwidth(struct strbuf *sb, uint64_t bps)
{
	value_add(sb, value_bandwidths, bps);
}

void value_add_decimal(struct strbuf *sb, uint64_t milli)
{
	char digits[4];
	int n = 3;

	strbuf_addf(sb, "%" PRIu64, milli / 1000);
	(void)snprintf(digits, sizeof digits, "%03u", (unsigned)(milli % 1000));
	while (n && digits[n - 1] == '0')
		n--;
	if (n)
		strbuf_addf(sb, ".%.*s", n, digits);
}
