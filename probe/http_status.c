/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/http_status.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* "HTTP/1.x " */
static int parse_version(struct cursor *c)
{
	static const char version[] = "HTTP/1.";
	uint8_t byte;

	for (const char *want = version; *want; want++) {
		if (!cursor_u8(c, &byte))
			return 0;
		if (byte != (uint8_t)*want)
			return BR_E_PROTOCOL;
	}
	if (!cursor_u8(c, &byte))
		return 0;
	if (!is_digit(byte))
		return BR_E_PROTOCOL;
	if (!cursor_u8(c, &byte))
		return 0;
	return byte == ' ' ? 0 : BR_E_PROTOCOL;
}

/* Three digits, the first not 0. */
static int parse_code(struct cursor *c, int *ret_code)
{
	int code = 0;

	for (int i = 0; i < 3; i++) {
		uint8_t byte;

		if (!cursor_u8(c, &byte))
			return 0;
		if (!is_digit(byte) || (i == 0 && byte == '0'))
			return BR_E_PROTOCOL;
		code = code * 10 + (byte - '0');
	}
	*ret_code = code;
	return 0;
}

/* What stands between the code and the end of the line, and the end. */
static int parse_reason(struct cursor *c)
{
	uint8_t byte;

	if (!cursor_u8(c, &byte))
		return 0;
	if (byte != ' ' && byte != '\r' && byte != '\n')
		return BR_E_PROTOCOL;
	while (byte != '\n') {
		if (!cursor_u8(c, &byte))
			return 0;
		if (byte == '\0')
			return BR_E_PROTOCOL;
	}
	return 0;
}

/* The fields of an interim answer, up to and with the empty line. */
static void skip_fields(struct cursor *c)
{
	uint32_t line_bytes = 0;
	uint8_t byte;

	while (cursor_u8(c, &byte)) {
		if (byte == '\n') {
			if (line_bytes == 0)
				return;
			line_bytes = 0;
		} else if (byte != '\r') {
			line_bytes++;
		}
	}
}

static int parse_line(struct cursor *c, int *ret_code)
{
	int err = parse_version(c);

	if (!err && !c->failed)
		err = parse_code(c, ret_code);
	if (!err && !c->failed)
		err = parse_reason(c);
	return err;
}

int http_status_parse(const char *bytes, size_t length)
{
	struct cursor c = cursor_of(bytes, length);

	/* Each round takes at least a line, so the bytes bound the loop. */
	for (;;) {
		int code = 0;
		int err = parse_line(&c, &code);

		if (err)
			return err;
		if (c.failed)
			return HTTP_STATUS_PARTIAL;
		if (code >= 200 || code == 101)
			return code;
		skip_fields(&c);
	}
}
