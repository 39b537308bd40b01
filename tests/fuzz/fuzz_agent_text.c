/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent's line comes in pieces: once a prefix has a result, every longer
 * one has the same, and the end of the connection makes any text a line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "probe/agent_text.h"

#define BYTES_MAX (AGENT_TEXT_BYTES_MAX + 64)

static void check_report(const struct agent_report *report)
{
	br_assert(report->percent <= AGENT_TEXT_PERCENT_MAX);
	br_assert(report->maxconn <= AGENT_TEXT_MAXCONN_MAX);
	br_assert(strnlen(report->reason, AGENT_TEXT_REASON_MAX) <
		  AGENT_TEXT_REASON_MAX);
	for (const char *p = report->reason; *p; p++)
		br_assert((unsigned char)*p >= ' ' && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_report last = {0};
	int result = 0;

	if (size > BYTES_MAX)
		return 0;
	for (size_t length = 0; length <= size; length++) {
		/* A block of its own, so that reading beyond it is seen. */
		char *bytes = malloc(length + !length);
		struct agent_report open = {0}, ended = {0};
		int now, at_end;

		br_assert(bytes);
		if (length)
			memcpy(bytes, data, length);
		now = agent_text_parse(bytes, length, false, &open);
		at_end = agent_text_parse(bytes, length, true, &ended);
		free(bytes);
		br_assert(now == 0 || now == 1 || now == BR_E_PROTOCOL);
		br_assert(at_end == (now ? now : 1));
		br_assert(!result || (now == result &&
					 !memcmp(&open, &last, sizeof(open))));
		br_assert(now != 1 || !memcmp(&open, &ended, sizeof(open)));
		check_report(&ended);
		result = now;
		last = open;
	}
	return 0;
}
