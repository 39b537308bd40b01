/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/slip.h"

#include "base/cursor.h"

#include <stdbool.h>
#include <string.h>

#define HEADER_BYTES 12u
#define TC 0x02 /* in the third byte */
#define TYPE_OPT 41u

static bool skip_name(struct cursor *c)
{
	uint8_t length;

	for (;;) {
		if (!cursor_u8(c, &length))
			return false;
		if (length >= 0xc0) /* a pointer is a name's end */
			return cursor_skip(c, 1);
		if (!length)
			return true;
		if (!cursor_skip(c, length))
			return false;
	}
}

/* A record: owner, type, class, TTL, length, rdata. */
static bool skip_record(struct cursor *c, uint16_t *ret_type)
{
	uint16_t length;

	return skip_name(c) && cursor_be16(c, ret_type) && cursor_skip(c, 6) &&
	       cursor_be16(c, &length) && cursor_skip(c, length);
}

/* OPT's bytes among `n` records; 0 of them when there is none. */
static struct cursor find_opt(struct cursor c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *start = c.at;
		uint16_t type;

		if (!skip_record(&c, &type))
			break;
		if (type == TYPE_OPT)
			return cursor_of(start, (size_t)(c.at - start));
	}
	return cursor_of(c.at, 0);
}

size_t slip_truncate(uint8_t *answer, size_t length)
{
	struct cursor c = cursor_of(answer, length), opt;
	uint16_t counts[4];
	size_t question_end;

	if (!cursor_skip(&c, 4) || !cursor_be16(&c, &counts[0]) ||
	    !cursor_be16(&c, &counts[1]) || !cursor_be16(&c, &counts[2]) ||
	    !cursor_be16(&c, &counts[3]) || counts[0] > 1)
		return 0;
	if (counts[0] && !(skip_name(&c) && cursor_skip(&c, 4)))
		return 0;
	question_end = length - cursor_left(&c);
	opt = find_opt(c, (uint32_t)counts[1] + counts[2] + counts[3]);
	if (cursor_left(&opt))
		memmove(answer + question_end, opt.at, cursor_left(&opt));
	answer[2] |= TC;
	memset(answer + 6, 0, HEADER_BYTES - 6);
	answer[HEADER_BYTES - 1] = cursor_left(&opt) > 0;
	return question_end + cursor_left(&opt);
}
