/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/convert_bytes.h"

#include "conf/text.h"
#include "conf/value_bytes.h"

#include <errno.h>
#include <inttypes.h>

static int bytes_refuse(const struct convert *c)
{
	strbuf_adds(c->why, "want ");
	convert_add_want(c->why, c->row);
	strbuf_adds(c->why, ", not ");
	text_quote(c->why, c->text, c->length);
	return -EINVAL;
}

static int bytes_put(const struct convert *c, char *bytes, size_t length)
{
	struct conf_bytes *to = (void *)((char *)c->element + c->row->offset);

	if (length > c->row->max) {
		strbuf_addf(c->why, "%zu bytes, want at most %" PRIu64, length,
		    c->row->max);
		return -EINVAL;
	}
	*to = (struct conf_bytes){.at = bytes, .n = (uint32_t)length};
	return 0;
}

int convert_escaped(const struct convert *c)
{
	char *bytes = arena_alloc(c->arena, c->length + 1);
	size_t length = 0;

	if (value_escaped(c->text, c->length, bytes, &length) || !length)
		return bytes_refuse(c);
	return bytes_put(c, bytes, length);
}

int convert_hex(const struct convert *c)
{
	char *bytes = arena_alloc(c->arena, c->length + 1);
	size_t length = 0;

	if (value_hex(c->text, c->length, bytes, &length) || !length)
		return bytes_refuse(c);
	return bytes_put(c, bytes, length);
}
