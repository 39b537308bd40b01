/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/assert.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void json_init(struct json *j, struct strbuf *out)
{
	*j = (struct json){.out = out};
}

/* RFC 3629 section 4: no overlong forms, no surrogates, at most U+10FFFF. */
size_t json_utf8_length(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (length > left)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return length;
}

static size_t escape_control(unsigned char c, char ret[6])
{
	static const char digits[] = "0123456789abcdef";
	/* RFC 8259 section 7: the short forms. */
	static const char codes[] = "\b\t\n\f\r", letters[] = "btnfr";
	const char *code = c ? strchr(codes, c) : NULL;

	ret[0] = '\\';
	if (code) {
		ret[1] = letters[code - codes];
		return 2;
	}
	ret[1] = 'u';
	ret[2] = ret[3] = '0';
	ret[4] = digits[c >> 4];
	ret[5] = digits[c & 15];
	return 6;
}

size_t json_escape(const char *text, size_t left, char ret[6], size_t *ret_used)
{
	size_t length = json_utf8_length(text, left);
	unsigned char c = (unsigned char)text[0];

	*ret_used = length ? length : 1;
	if (length == 0) {
		memcpy(ret, "\xef\xbf\xbd", 3); /* U+FFFD */
		return 3;
	}
	if (length > 1) {
		memcpy(ret, text, length);
		return length;
	}
	if (c < 0x20 || c == 0x7f)
		return escape_control(c, ret);
	if (c == '"' || c == '\\') {
		ret[0] = '\\';
		ret[1] = (char)c;
		return 2;
	}
	ret[0] = (char)c;
	return 1;
}

static void put_quoted(struct strbuf *out, const char *text, size_t length)
{
	strbuf_addc(out, '"');
	while (length > 0) {
		char form[6];
		size_t used;
		size_t n = json_escape(text, length, form, &used);

		strbuf_add(out, form, n);
		text += used;
		length -= used;
	}
	strbuf_addc(out, '"');
}

/* What stands before each value. */
static void begin_value(struct json *j, const char *key)
{
	if (j->comma[j->depth])
		strbuf_addc(j->out, ',');
	j->comma[j->depth] = true;
	if (key) {
		put_quoted(j->out, key, strlen(key));
		strbuf_addc(j->out, ':');
	}
}

static void open_level(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	br_assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->comma[j->depth] = false;
	strbuf_addc(j->out, bracket);
}

static void close_level(struct json *j, char bracket)
{
	br_assert(j->depth > 0);
	j->depth--;
	strbuf_addc(j->out, bracket);
}

void json_object_begin(struct json *j, const char *key)
{
	open_level(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_level(j, '}');
}

void json_array_begin(struct json *j, const char *key)
{
	open_level(j, key, '[');
}

void json_array_end(struct json *j)
{
	close_level(j, ']');
}

void json_string(struct json *j, const char *key, const char *text)
{
	json_string_n(j, key, text, strlen(text));
}

void json_string_n(
    struct json *j, const char *key, const char *text, size_t length)
{
	begin_value(j, key);
	put_quoted(j->out, text, length);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	begin_value(j, key);
	strbuf_addf(j->out, "%" PRId64, v);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
	begin_value(j, key);
	strbuf_addf(j->out, "%" PRIu64, v);
}

void json_double(struct json *j, const char *key, double v)
{
	begin_value(j, key);
	/* %g drops trailing zeros; the process keeps the "C" locale. */
	if (isfinite(v))
		strbuf_addf(j->out, "%.6g", v);
	else
		strbuf_adds(j->out, "null");
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin_value(j, key);
	strbuf_adds(j->out, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	strbuf_adds(j->out, "null");
}
