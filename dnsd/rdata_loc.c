/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rdata_field.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

/*
 * RFC 1876 section 2: version 0, size, two precisions (one digit and a power
 * of ten, in cm), latitude and longitude in thousandths of a second of arc
 * around 2^31, altitude in cm above 100 km below the sea.
 */
#define MIDDLE UINT32_C(0x80000000)
#define DEGREE_MS INT64_C(3600000)
#define ALTITUDE_BASE_CM INT64_C(10000000)
#define ALTITUDE_MAX_CM (INT64_C(4294967295) - ALTITUDE_BASE_CM)
#define SIZE_MAX_CM INT64_C(9000000000)

struct loc_axis {
	const char *plus, *minus;
	int64_t degrees_max;
};

static const struct loc_axis latitude = {"N", "S", 90};
static const struct loc_axis longitude = {"E", "W", 180};

/* -- reading ----------------------------------------------------------- */

/* "12" or "12.345": the value times 10^places. */
static bool read_decimal(
    const char *text, size_t length, unsigned places, int64_t *ret)
{
	int64_t value = 0;
	bool digits = false, dot = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && !dot) {
			dot = true;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || (dot && !places) ||
		    value > INT64_MAX / 100)
			return false;
		places -= dot;
		value = value * 10 + (text[i] - '0');
		digits = true;
	}
	for (; places; places--)
		value *= 10;
	*ret = value;
	return digits;
}

static bool is_letter(const struct scan_token *token, const char *letter)
{
	return token->kind == SCAN_WORD && token->length == 1 &&
	       (token->text[0] & ~0x20) == letter[0];
}

/* Degrees, minutes and seconds, as many as there are, and the letter. */
static int read_axis(
    struct zone_scan *scan, const struct loc_axis *axis, struct cursor_out *out)
{
	static const int64_t unit_ms[] = {DEGREE_MS, 60000, 1000};
	int64_t value, sum = 0;
	struct scan_token token;
	char shown[SCAN_SHOWN_MAX];

	for (unsigned i = 0; i < 4; i++) {
		bool plus, minus;

		zone_scan_next(scan, &token);
		plus = is_letter(&token, axis->plus);
		minus = is_letter(&token, axis->minus);
		if (i && (plus || minus)) {
			if (sum > axis->degrees_max * DEGREE_MS)
				break;
			cursor_put_be32(out, plus ? MIDDLE + (uint32_t)sum
						  : MIDDLE - (uint32_t)sum);
			return 0;
		}
		if (i == 3 || token.kind != SCAN_WORD ||
		    !read_decimal(
			token.text, token.length, i == 2 ? 3 : 0, &value) ||
		    value > (i == 0      ? axis->degrees_max
				: i == 1 ? 59
					 : 59999))
			break;
		sum += i == 2 ? value : value * unit_ms[i];
	}
	return zone_scan_fail(scan, &token,
	    "%s is not in place in degrees, minutes, seconds and %s or %s",
	    zone_scan_show(&token, shown), axis->plus, axis->minus);
}

/* Metres with up to two decimals and an optional "m", in cm. */
static bool read_metres(const struct scan_token *token, int64_t *ret_cm)
{
	const char *text = token->text;
	size_t length = token->length;
	bool minus = length && *text == '-';

	if (length && (text[length - 1] | 0x20) == 'm')
		length--;
	if (token->kind != SCAN_WORD ||
	    !read_decimal(text + minus, length - minus, 2, ret_cm))
		return false;
	if (minus)
		*ret_cm = -*ret_cm;
	return true;
}

/* One digit and a power of ten; what is lost is cut off. */
static uint8_t precision_of(int64_t cm)
{
	unsigned power = 0;

	for (; cm >= 10; cm /= 10)
		power++;
	return (uint8_t)((unsigned)cm << 4 | power);
}

static int not_metres(struct zone_scan *scan, const struct scan_token *token)
{
	char shown[SCAN_SHOWN_MAX];

	return zone_scan_fail(scan, token, "%s is not a length in metres",
	    zone_scan_show(token, shown));
}

int rdata_loc_read(struct zone_scan *scan, struct cursor_out *out)
{
	/* RFC 1876 section 3: 1 m, 10 km, 10 m. */
	uint8_t head[4] = {0, 0x12, 0x16, 0x13};
	uint8_t places[8];
	struct cursor_out axes = cursor_out_of(places, sizeof places);
	struct scan_token token;
	int64_t altitude_cm, cm;
	int error = read_axis(scan, &latitude, &axes);

	if (!error)
		error = read_axis(scan, &longitude, &axes);
	if (error)
		return error;
	zone_scan_next(scan, &token);
	if (!read_metres(&token, &altitude_cm) ||
	    altitude_cm < -ALTITUDE_BASE_CM || altitude_cm > ALTITUDE_MAX_CM)
		return not_metres(scan, &token);
	for (unsigned i = 1; i <= 4; i++) {
		zone_scan_next(scan, &token);
		if (token.kind == SCAN_END)
			break;
		if (i == 4 || !read_metres(&token, &cm) || cm < 0 ||
		    cm > SIZE_MAX_CM)
			return not_metres(scan, &token);
		head[i] = precision_of(cm);
	}
	cursor_put(out, head, sizeof head);
	cursor_put(out, places, sizeof places);
	cursor_put_be32(out, (uint32_t)(altitude_cm + ALTITUDE_BASE_CM));
	return 0;
}

/* -- checking and printing --------------------------------------------- */

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static bool axis_is_right(uint32_t value, const struct loc_axis *axis)
{
	return llabs((int64_t)value - MIDDLE) <= axis->degrees_max * DEGREE_MS;
}

const char *rdata_loc_wrong(const uint8_t *loc)
{
	if (loc[0])
		return "has a version other than 0";
	for (int i = 1; i < 4; i++)
		if (loc[i] >> 4 > 9 || (loc[i] & 15) > 9 ||
		    (!(loc[i] >> 4) && loc[i]))
			return "has a precision that is no digit and power";
	if (!axis_is_right(be32(loc + 4), &latitude) ||
	    !axis_is_right(be32(loc + 8), &longitude))
		return "lies outside of the earth's angles";
	return NULL;
}

static void print_axis(
    struct strbuf *out, uint32_t value, const struct loc_axis *axis)
{
	bool plus = value >= MIDDLE;
	uint32_t ms = plus ? value - MIDDLE : MIDDLE - value;

	strbuf_addf(out, "%u %u %u.%03u %s ", ms / 3600000, ms / 60000 % 60,
	    ms / 1000 % 60, ms % 1000, plus ? axis->plus : axis->minus);
}

static void print_metres(struct strbuf *out, int64_t cm, bool decimals)
{
	strbuf_addf(out, "%s%lld", cm < 0 ? "-" : "", llabs(cm) / 100);
	if (decimals)
		strbuf_addf(out, ".%02lld", llabs(cm) % 100);
	strbuf_addc(out, 'm');
}

static int64_t precision_cm(uint8_t precision)
{
	int64_t cm = precision >> 4;

	for (int power = precision & 15; power; power--)
		cm *= 10;
	return cm;
}

void rdata_loc_to_text(struct strbuf *out, const uint8_t *loc)
{
	print_axis(out, be32(loc + 4), &latitude);
	print_axis(out, be32(loc + 8), &longitude);
	print_metres(out, be32(loc + 12) - ALTITUDE_BASE_CM, true);
	for (int i = 1; i < 4; i++) {
		int64_t cm = precision_cm(loc[i]);

		strbuf_addc(out, ' ');
		print_metres(out, cm, cm < 100);
	}
}
