/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

bool cursor_be32(struct cursor *c, uint32_t *ret)
{
	const uint8_t *p = cursor_advance(c, 4);

	if (!p)
		return false;
	*ret = load_be32(p);
	return true;
}

bool cursor_be64(struct cursor *c, uint64_t *ret)
{
	const uint8_t *p = cursor_advance(c, 8);

	if (!p)
		return false;
	*ret = (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
	return true;
}

bool cursor_copy(struct cursor *c, void *ret, size_t length)
{
	const uint8_t *p = cursor_advance(c, length);

	if (!p)
		return false;
	if (length)
		memcpy(ret, p, length);
	return true;
}

bool cursor_match(struct cursor *c, const char *text)
{
	size_t length = strlen(text);

	if (c->failed || length > cursor_left(c))
		return false;
	if (length && memcmp(c->at, text, length) != 0)
		return false;
	c->at += length;
	return true;
}

bool cursor_put_be32(struct cursor_out *c, uint32_t v)
{
	const uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	return cursor_put(c, bytes, sizeof(bytes));
}
