/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status line of an answer arrives in pieces, so beside memory safety this
 * checks that pieces do not matter: once a prefix has a result, every longer
 * prefix has the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "probe/http_status.h"

#define BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int result = HTTP_STATUS_PARTIAL;

	if (size > BYTES_MAX)
		return 0;
	for (size_t length = 0; length <= size; length++) {
		/* A block of its own, so that reading beyond it is seen. */
		char *bytes = malloc(length + !length);
		int now;

		br_assert(bytes);
		if (length)
			memcpy(bytes, data, length);
		now = http_status_parse(bytes, length);
		free(bytes);
		br_assert(now == HTTP_STATUS_PARTIAL || now == BR_E_PROTOCOL ||
			  (now >= 101 && now <= 999));
		br_assert(result == HTTP_STATUS_PARTIAL || now == result);
		result = now;
	}
	return 0;
}
