/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of Range, Content-Range, ETag and dates: nothing is read beyond
 * the end, and what is taken keeps its own rules.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/http1_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http1_span value = {0, (uint32_t)size};
	struct http1_content_range content;
	uint8_t *copy = malloc(size ? size : 1);
	struct http1_range range;
	int64_t seconds;

	br_assert(copy);
	if (size)
		memcpy(copy, data, size);
	range = http1_range_read(copy, value);
	br_assert(
	    range.kind != HTTP1_RANGE_BOUNDED || range.first <= range.last);
	br_assert((range.kind == HTTP1_RANGE_NONE) == !size);
	if (http1_content_range_read(copy, value, &content))
		br_assert(content.unsatisfied ||
			  (content.first <= content.last &&
			      (!content.total_known ||
				  content.last < content.total)));
	if (http1_etag_is_strong(copy, value))
		br_assert(copy[0] == '"' && copy[size - 1] == '"');
	if (http1_date_read(copy, value, &seconds))
		br_assert(size == 29 && seconds > -62135596801);
	free(copy);
	return 0;
}
