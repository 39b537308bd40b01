/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/escape.h"

#include "base/decimal.h"

#include <string.h>

const char *escape_read(
    const char **at, const char *end, uint8_t *ret, bool *ret_escaped)
{
	const char *p = *at;
	unsigned value = 0;

	*ret_escaped = *p == '\\';
	if (!*ret_escaped) {
		*ret = (uint8_t)*p;
		*at = p + 1;
		return NULL;
	}
	p++;
	if (p == end)
		return "ends in the middle of an escape";
	if (*p < '0' || *p > '9') {
		*ret = (uint8_t)*p;
		*at = p + 1;
		return NULL;
	}
	for (int i = 0; i < 3; i++, p++) {
		if (p == end || *p < '0' || *p > '9')
			return "has an escape of less than three digits";
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (value > UINT8_MAX)
		return "has an escape above 255";
	*ret = (uint8_t)value;
	*at = p;
	return NULL;
}

size_t escape_write(
    uint8_t byte, const char *special, bool blank, char ret[ESCAPE_MAX])
{
	size_t n = 0;

	if (byte < ' ' || byte >= 0x7f || (byte == ' ' && !blank)) {
		ret[n++] = '\\';
		decimal_fixed(byte, ret + n, 3);
		return n + 3;
	}
	if (strchr(special, byte))
		ret[n++] = '\\';
	ret[n++] = (char)byte;
	return n;
}
