/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/csv.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More digits than a double has, an exponent and a sign. */
#define NUMBER_BYTES_MAX 40

/* Reads one field in quotes from behind the first of them. Returns where it
 * ends in the line, NULL if it does not, and writes it to `to`. */
static char *unquote(char *at, char *end, char **to)
{
	while (at < end) {
		if (*at != '"') {
			*(*to)++ = *at++;
		} else if (at + 1 < end && at[1] == '"') {
			*(*to)++ = '"';
			at += 2;
		} else {
			return at + 1;
		}
	}
	return NULL;
}

int csv_split(char *line, size_t length, char **ret_fields, uint32_t room,
    uint32_t *ret_n)
{
	char *at = line, *end = line + length;
	uint32_t n = 0;

	if (memchr(line, '\0', length))
		return BR_E_SYNTAX;
	/* Unquoting only makes a field shorter, so what is written never
	 * reaches what is still to be read. */
	for (;;) {
		char *to = at, *field = at;

		if (n == room)
			return BR_E_LIMIT;
		if (at < end && *at == '"') {
			at = unquote(at + 1, end, &to);
			if (!at || (at < end && *at != ','))
				return BR_E_SYNTAX;
		} else {
			while (at < end && *at != ',') {
				if (*at == '"')
					return BR_E_SYNTAX;
				at++;
			}
			to = at;
		}
		ret_fields[n++] = field;
		if (at == end) {
			*to = '\0';
			break;
		}
		*to = '\0';
		at++;
	}
	*ret_n = n;
	return 0;
}

void csv_skip_mark(char **line, size_t *length)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t n = sizeof mark - 1;

	if (*length < n || memcmp(*line, mark, n) != 0)
		return;
	*line += n;
	*length -= n;
}

int csv_int32(const char *field, int32_t *ret)
{
	bool negative = *field == '-';
	int64_t value = 0;

	field += negative;
	if (!*field)
		return BR_E_SYNTAX;
	for (; *field; field++) {
		if (*field < '0' || *field > '9')
			return BR_E_SYNTAX;
		/* Stays where it is out of range, however long it goes on. */
		if (value <= INT32_MAX)
			value = value * 10 + (*field - '0');
	}
	value = negative ? -value : value;
	if (value < INT32_MIN || value > INT32_MAX)
		return -ERANGE;
	*ret = (int32_t)value;
	return 0;
}

int csv_number(const char *field, double *ret)
{
	size_t length = strlen(field);
	char *end;
	double value;

	/* Neither hexadecimal nor names of what is no number. */
	if (!length || length > NUMBER_BYTES_MAX ||
	    strspn(field, "0123456789.eE+-") != length)
		return BR_E_SYNTAX;
	value = strtod(field, &end);
	if (*end)
		return BR_E_SYNTAX;
	if (!isfinite(value))
		return -ERANGE;
	*ret = value;
	return 0;
}
