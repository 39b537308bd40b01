/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/quote.h"

#include <stdio.h>

const char *quote_bytes(
    const char *bytes, size_t length, char ret[QUOTE_TEXT_MAX])
{
	size_t n = length < QUOTE_BYTES_MAX ? length : QUOTE_BYTES_MAX;
	char shown[QUOTE_BYTES_MAX + 1];

	/* A line end at the end says nothing. */
	while (n == length && n > 0 &&
	       (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		length = --n;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		shown[i] = byte >= 0x20 && byte < 0x7f && byte != '"'
			       ? (char)byte
			       : '.';
	}
	shown[n] = '\0';
	(void)snprintf(
	    ret, QUOTE_TEXT_MAX, "\"%s\"%s", shown, n < length ? "..." : "");
	return ret;
}
