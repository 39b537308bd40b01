/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message's head and what follows it, as a request and as an answer to each
 * kind of request. The body in one piece, byte by byte, and with its data
 * skipped: the message ends at the same place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/http1_body.h"

enum way { IN_ONE, BY_BYTE, SKIPPING, WAYS };

struct outcome {
	enum http1_result result;
	size_t taken;
	uint64_t data;
};

static enum http1_result take(struct http1_body *body, const uint8_t *bytes,
    size_t length, size_t *ret_taken)
{
	uint8_t *copy = malloc(length);
	enum http1_result result;

	br_assert(copy);
	memcpy(copy, bytes, length);
	result = http1_body_take(body, copy, length, ret_taken);
	br_assert(*ret_taken <= length);
	br_assert(result != HTTP1_MORE || *ret_taken == length);
	free(copy);
	return result;
}

static struct outcome follow(
    struct http1_body body, const uint8_t *bytes, size_t length, enum way way)
{
	struct outcome outcome = {body.done ? HTTP1_DONE : HTTP1_MORE, 0, 0};

	while (outcome.result == HTTP1_MORE && outcome.taken < length) {
		size_t left = length - outcome.taken, taken;
		uint64_t opaque = http1_body_opaque(&body);

		if (way == SKIPPING && opaque) {
			taken = opaque < left ? (size_t)opaque : left;
			http1_body_skip(&body, taken);
			outcome.taken += taken;
			outcome.result = body.done ? HTTP1_DONE : HTTP1_MORE;
			continue;
		}
		outcome.result = take(&body, bytes + outcome.taken,
		    way == IN_ONE ? left : 1, &taken);
		outcome.taken += taken;
	}
	outcome.data = body.data;
	return outcome;
}

static void follow_all(const struct http1_head *head, enum http1_asked asked,
    const uint8_t *bytes, size_t length)
{
	enum http1_framing framing = http1_framing(head, asked);
	struct outcome outcomes[WAYS];
	struct http1_body body;

	if (framing == HTTP1_TUNNEL || framing == HTTP1_UNCLEAR)
		return;
	http1_body_start(&body, head, framing);
	for (int way = 0; way < WAYS; way++) {
		outcomes[way] = follow(body, bytes, length, (enum way)way);
		br_assert(outcomes[way].result == outcomes[0].result &&
			  outcomes[way].taken == outcomes[0].taken &&
			  outcomes[way].data == outcomes[0].data);
	}
	br_assert(outcomes[0].data <= outcomes[0].taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int answer = 0; answer < 2; answer++) {
		struct http1_head head;

		http1_head_start(&head, answer);
		if (http1_head_read(&head, data, size) != HTTP1_DONE)
			continue;
		if (!answer)
			(void)http1_asked(&head, data);
		for (int asked = HTTP1_ASKED_OTHER;
		     asked <= (answer ? HTTP1_ASKED_CONNECT : 0); asked++)
			follow_all(&head, (enum http1_asked)asked,
			    data + head.bytes, size - head.bytes);
	}
	return 0;
}
