/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same bytes in one piece and byte by byte, as a request and as an answer:
 * the results must not differ, and all spans lie in the head.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/http1_head.h"

#define SINGLE_BYTES_MAX 2048

static void check_span(struct http1_span span, size_t end)
{
	br_assert(span.at <= end && span.length <= end - span.at);
}

static enum http1_result read_in_steps(struct http1_head *head,
    const uint8_t *data, size_t size, size_t step, bool answer)
{
	enum http1_result result = HTTP1_MORE;
	size_t length = 0;

	http1_head_start(head, answer);
	while (result == HTTP1_MORE && length < size) {
		uint8_t *bytes;

		length = length + step < size ? length + step : size;
		bytes = malloc(length);
		br_assert(bytes);
		memcpy(bytes, data, length);
		result = http1_head_read(head, bytes, length);
		free(bytes);
	}
	br_assert(head->bytes <= size);
	check_span(head->method, head->bytes);
	check_span(head->target, head->bytes);
	for (unsigned i = 0; i < HTTP1_FIELD_COUNT; i++)
		check_span(head->known[i], size);
	br_assert(*http1_cause_text((enum http1_cause)head->cause));
	return result;
}

static void walk(const struct http1_head *head, const uint8_t *data)
{
	struct http1_span name, value;
	uint32_t at = head->fields_at;

	while (http1_field_next(head, data, &at, &name, &value)) {
		br_assert(name.length && at <= head->bytes);
		check_span(name, head->bytes);
		check_span(value, head->bytes);
	}
	/* All of it was walked but for the empty line. */
	br_assert(head->bytes - at <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int answer = 0; answer < 2; answer++) {
		struct http1_head whole, single;
		enum http1_result result =
		    read_in_steps(&whole, data, size, size, answer);

		if (result == HTTP1_DONE)
			walk(&whole, data);
		if (size > SINGLE_BYTES_MAX)
			continue;
		br_assert(
		    read_in_steps(&single, data, size, 1, answer) == result);
		br_assert(
		    !memcmp(whole.known, single.known, sizeof(whole.known)) &&
		    whole.shapes == single.shapes &&
		    whole.bytes == single.bytes &&
		    whole.status == single.status &&
		    whole.content_length == single.content_length);
	}
	return 0;
}
