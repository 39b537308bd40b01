/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_bytes.h"

#include <errno.h>

/* 0..15, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two digits; 0..255, or -1. */
static int hex_byte(const char *at, size_t left)
{
	int high = left >= 2 ? hex_digit(at[0]) : -1;
	int low = left >= 2 ? hex_digit(at[1]) : -1;

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* What stands behind a backslash: its byte or -1, and how much it takes. */
static int escape_byte(const char *at, size_t left, size_t *ret_taken)
{
	*ret_taken = 1;
	if (!left)
		return -1;
	switch (*at) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '0':
		return '\0';
	case '\\':
		return '\\';
	case 'x':
		*ret_taken = 3;
		return hex_byte(at + 1, left - 1);
	default:
		return -1;
	}
}

int value_escaped(
    const char *text, size_t length, char *ret, size_t *ret_length)
{
	size_t n = 0, taken = 1;

	for (size_t i = 0; i < length; i += taken) {
		int byte = (unsigned char)text[i];

		taken = 1;
		if (byte == '\\') {
			byte =
			    escape_byte(text + i + 1, length - i - 1, &taken);
			taken++;
		}
		if (byte < 0)
			return -EINVAL;
		ret[n++] = (char)byte;
	}
	*ret_length = n;
	return 0;
}

int value_hex(const char *text, size_t length, char *ret, size_t *ret_length)
{
	size_t n = 0, taken = 1;

	for (size_t i = 0; i < length; i += taken) {
		int byte;

		taken = 1;
		if (text[i] == ' ')
			continue;
		byte = hex_byte(text + i, length - i);
		if (byte < 0)
			return -EINVAL;
		ret[n++] = (char)byte;
		taken = 2;
	}
	*ret_length = n;
	return 0;
}
