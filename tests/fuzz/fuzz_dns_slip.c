/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers cut down to "truncated", from bytes that are no answer: what comes
 * out is a part of what went in, says so itself, and does not change when it is
 * cut again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dnsd/slip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of their own size, so that a byte beyond is seen. */
	uint8_t *once = malloc(size ? size : 1), *twice;
	size_t length;

	br_assert(once);
	memcpy(once, data, size);
	length = slip_truncate(once, size);
	br_assert(length <= size);
	if (length) {
		br_assert(length >= 12 && once[2] & 2);
		br_assert(!once[7] && !once[9] && once[11] <= 1);
		twice = malloc(length);
		br_assert(twice);
		memcpy(twice, once, length);
		br_assert(slip_truncate(twice, length) == length);
		br_assert(!memcmp(once, twice, length));
		free(twice);
	}
	free(once);
	return 0;
}
