/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http1_range.h"

#include "base/cursor.h"

#include <string.h>
#include <strings.h>

/* More digits than any file has bytes; and no sum of two overflows. */
#define POSITION_DIGITS_MAX 18

static struct cursor cursor_of_span(const void *bytes, struct http1_span span)
{
	return cursor_of((const uint8_t *)bytes + span.at, span.length);
}

static bool read_position(struct cursor *c, uint64_t *ret)
{
	const uint8_t *begin = c->at;
	uint64_t value = 0;
	uint8_t digit = 0;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
		if (c->at - begin == POSITION_DIGITS_MAX)
			return false;
		(void)cursor_u8(c, &digit);
		value = value * 10 + (uint64_t)(digit - '0');
	}
	*ret = value;
	return c->at > begin;
}

/* Units are compared without case (RFC 9110 14.1). */
static bool read_unit(struct cursor *c, const char *unit)
{
	size_t length = strlen(unit);

	if (cursor_left(c) < length ||
	    strncasecmp((const char *)c->at, unit, length) != 0)
		return false;
	return cursor_skip(c, length);
}

static struct http1_range read_single(struct cursor c)
{
	struct http1_range range = {.kind = HTTP1_RANGE_OTHER};

	if (cursor_match(&c, "-")) {
		if (read_position(&c, &range.last) && !cursor_left(&c))
			range.kind = HTTP1_RANGE_SUFFIX;
		return range;
	}
	if (!read_position(&c, &range.first) || !cursor_match(&c, "-"))
		return range;
	if (!cursor_left(&c)) {
		range.kind = HTTP1_RANGE_OPEN;
		return range;
	}
	if (read_position(&c, &range.last) && !cursor_left(&c) &&
	    range.first <= range.last)
		range.kind = HTTP1_RANGE_BOUNDED;
	return range;
}

struct http1_range http1_range_read(const void *bytes, struct http1_span value)
{
	struct cursor c = cursor_of_span(bytes, value);
	struct http1_range range = {.kind = HTTP1_RANGE_NONE};

	if (!value.length)
		return range;
	range.kind = HTTP1_RANGE_OTHER;
	if (!read_unit(&c, "bytes="))
		return range;
	if (memchr(c.at, ',', cursor_left(&c))) {
		range.kind = HTTP1_RANGE_SEVERAL;
		return range;
	}
	return read_single(c);
}

bool http1_content_range_read(
    const void *bytes, struct http1_span value, struct http1_content_range *ret)
{
	struct cursor c = cursor_of_span(bytes, value);
	struct http1_content_range range = {0};

	if (!read_unit(&c, "bytes "))
		return false;
	range.unsatisfied = cursor_match(&c, "*");
	if (!range.unsatisfied &&
	    (!read_position(&c, &range.first) || !cursor_match(&c, "-") ||
		!read_position(&c, &range.last)))
		return false;
	if (!cursor_match(&c, "/"))
		return false;
	range.total_known = !cursor_match(&c, "*");
	if ((range.total_known && !read_position(&c, &range.total)) ||
	    cursor_left(&c))
		return false;
	/* RFC 9110 14.4: what is invalid must not be put together. */
	if (range.unsatisfied
		? !range.total_known
		: range.first > range.last ||
		      (range.total_known && range.last >= range.total))
		return false;
	*ret = range;
	return true;
}

/* RFC 9110 8.8.3: a DQUOTE, etagc without another one, a DQUOTE. */
bool http1_etag_is_strong(const void *bytes, struct http1_span value)
{
	const uint8_t *at = (const uint8_t *)bytes + value.at;

	if (value.length < 2 || at[0] != '"' || at[value.length - 1] != '"')
		return false;
	for (uint32_t i = 1; i < value.length - 1; i++) {
		if (at[i] <= ' ' || at[i] == '"' || at[i] == 0x7f)
			return false;
	}
	return true;
}

/* --- dates --- */

static bool read_digits(struct cursor *c, unsigned count, unsigned *ret)
{
	unsigned value = 0;
	uint8_t digit = 0;

	while (count--) {
		if (!cursor_u8(c, &digit) || digit < '0' || digit > '9')
			return false;
		value = value * 10 + digit - '0';
	}
	*ret = value;
	return true;
}

/* One of names of three letters: its place. */
static bool read_name(struct cursor *c, const char *names, unsigned *ret)
{
	char name[4] = {0};
	const char *found;

	if (!cursor_copy(c, name, 3))
		return false;
	found = strlen(name) == 3 ? strstr(names, name) : NULL;
	if (!found || (found - names) % 3)
		return false;
	*ret = (unsigned)(found - names) / 3;
	return true;
}

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
	static const uint16_t before[12] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t past = (int64_t)year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 - 719162 +
	       before[month] + (month > 1 && is_leap(year) ? 1 : 0) + day - 1;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year) ? 1u : 0u);
}

bool http1_date_read(
    const void *bytes, struct http1_span value, int64_t *ret_seconds)
{
	unsigned weekday, day, month, year, hour, minute, second;
	struct cursor c = cursor_of_span(bytes, value);
	int64_t days;

	if (!read_name(&c, "ThuFriSatSunMonTueWed", &weekday) ||
	    !cursor_match(&c, ", ") || !read_digits(&c, 2, &day) ||
	    !cursor_match(&c, " ") ||
	    !read_name(&c, "JanFebMarAprMayJunJulAugSepOctNovDec", &month) ||
	    !cursor_match(&c, " ") || !read_digits(&c, 4, &year) ||
	    !cursor_match(&c, " ") || !read_digits(&c, 2, &hour) ||
	    !cursor_match(&c, ":") || !read_digits(&c, 2, &minute) ||
	    !cursor_match(&c, ":") || !read_digits(&c, 2, &second) ||
	    !cursor_match(&c, " GMT") || cursor_left(&c))
		return false;
	if (!year || !day || day > month_days(year, month) || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	days = days_since_1970(year, month, day);
	/* The first of January 1970 was a Thursday. */
	if ((days % 7 + 7) % 7 != (int64_t)weekday)
		return false;
	*ret_seconds =
	    days * 86400 + (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* --- fields --- */

bool http1_field_find(const struct http1_head *head, const void *bytes,
    const char *name, struct http1_span *ret_value)
{
	struct http1_span field, value, found = {0};
	size_t length = strlen(name);
	uint32_t at = head->fields_at;
	unsigned n = 0;

	while (http1_field_next(head, bytes, &at, &field, &value)) {
		if (field.length != length ||
		    strncasecmp((const char *)bytes + field.at, name, length) !=
			0)
			continue;
		found = value;
		n++;
	}
	if (n != 1)
		return false;
	*ret_value = found;
	return true;
}
