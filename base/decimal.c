/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <string.h>

/* Two digits a step: a division is what it costs. */
static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

size_t decimal_format(uint64_t v, char ret[DECIMAL_MAX])
{
	char text[DECIMAL_MAX];
	size_t at = sizeof(text), length;

	while (v >= 100) {
		at -= 2;
		memcpy(text + at, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(text + at, pairs + v * 2, 2);
	} else {
		text[--at] = (char)('0' + v);
	}
	length = sizeof(text) - at;
	memcpy(ret, text + at, length);
	return length;
}

void decimal_fixed(uint64_t v, char *ret, size_t digits)
{
	while (digits) {
		ret[--digits] = (char)('0' + v % 10);
		v /= 10;
	}
}

size_t decimal_ipv4(const uint8_t ip[4], char ret[DECIMAL_IPV4_MAX])
{
	size_t n = decimal_format(ip[0], ret);

	for (int i = 1; i < 4; i++) {
		ret[n++] = '.';
		n += decimal_format(ip[i], ret + n);
	}
	return n;
}
