/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for pieces and answers made of heads: whatever came, what is made is
 * a whole head with no shape that two readers could see differently, and never
 * two Ranges or lengths.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/http1_body.h"
#include "io/http1_edit.h"

#define ADDED_BYTES 512

static void check_made(
    const struct cursor_out *out, bool answer, const struct http1_head *from)
{
	struct http1_head head;
	struct http1_span value;
	enum http1_framing framing;

	http1_head_start(&head, answer);
	br_assert(http1_head_read(&head, out->base, cursor_out_length(out)) ==
		  HTTP1_DONE);
	br_assert(head.bytes == cursor_out_length(out));
	framing = http1_framing(&head, HTTP1_ASKED_OTHER);
	br_assert(framing == (answer ? HTTP1_BY_LENGTH : HTTP1_NO_BODY));
	br_assert(!(head.shapes & (HTTP1_HAS_CODING | HTTP1_UPGRADES)));
	/* HTTP/1.0 needs none, what is made is 1.1. */
	if (from->minor)
		br_assert((head.shapes & HTTP1_NO_HOST) ==
			  (from->shapes & HTTP1_NO_HOST));
	if (!answer)
		br_assert(http1_field_find(&head, out->base, "range", &value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http1_piece piece = {5, 9, "\"t\"", 3};
	static const struct http1_whole whole = {0, 999, 1000, false, true};
	size_t room = 2 * size + ADDED_BYTES;
	uint8_t *made = malloc(room);

	br_assert(made);
	for (int answer = 0; answer < 2; answer++) {
		struct cursor_out out = cursor_out_of(made, room);
		struct http1_head head;

		http1_head_start(&head, answer);
		if (http1_head_read(&head, data, size) != HTTP1_DONE ||
		    http1_framing(&head, HTTP1_ASKED_OTHER) == HTTP1_UNCLEAR)
			continue;
		if (answer)
			br_assert(http1_edit_answer(&head, data, &whole, &out));
		else
			br_assert(
			    http1_edit_request(&head, data, &piece, &out));
		check_made(&out, answer, &head);
	}
	free(made);
	return 0;
}
