/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A strict JSON checker for tests, written without a look at the writer: it
 * accepts exactly one value of RFC 8259 in well-formed UTF-8.
 *
 * Thread:  any.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static inline const char *json_check_value(const char *p, int depth);

static inline const char *json_check_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* One UTF-8 character of two to four bytes, by value. */
static inline const char *json_check_utf8(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	int n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	unsigned long v = p[0] & (0xffU >> (n + 1));

	if (p[0] < 0xc0 || p[0] > 0xf7)
		return NULL;
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return NULL;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return NULL;
	return text + n;
}

static inline const char *json_check_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (p && *p != '"') {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20)
			return NULL;
		if (c >= 0x80) {
			p = json_check_utf8(p);
		} else if (c != '\\') {
			p++;
		} else if (p[1] == 'u') {
			for (int i = 2; i < 6; i++) {
				if (!isxdigit((unsigned char)p[i]))
					return NULL;
			}
			p += 6;
		} else {
			if (!p[1] || !strchr("\"\\/bfnrt", p[1]))
				return NULL;
			p += 2;
		}
	}
	return p ? p + 1 : NULL;
}

static inline const char *json_check_digits(const char *p)
{
	if (!isdigit((unsigned char)*p))
		return NULL;
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

static inline const char *json_check_number(const char *p)
{
	if (*p == '-')
		p++;
	p = *p == '0' ? p + 1 : json_check_digits(p);
	if (p && *p == '.')
		p = json_check_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E')) {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		p = json_check_digits(p);
	}
	return p;
}

/* The members between the brackets of an object or array. */
static inline const char *json_check_members(
    const char *p, char close, int depth)
{
	p = json_check_blanks(p);
	if (*p == close)
		return p + 1;
	for (;;) {
		if (close == '}') {
			p = json_check_string(json_check_blanks(p));
			if (!p || *json_check_blanks(p) != ':')
				return NULL;
			p = json_check_blanks(p) + 1;
		}
		p = json_check_value(p, depth + 1);
		if (!p)
			return NULL;
		p = json_check_blanks(p);
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

/* Past the value, or NULL. */
static inline const char *json_check_value(const char *p, int depth)
{
	if (depth > 100)
		return NULL;
	p = json_check_blanks(p);
	if (*p == '{')
		return json_check_members(p + 1, '}', depth);
	if (*p == '[')
		return json_check_members(p + 1, ']', depth);
	if (*p == '"')
		return json_check_string(p);
	if (!strncmp(p, "true", 4) || !strncmp(p, "null", 4))
		return p + 4;
	if (!strncmp(p, "false", 5))
		return p + 5;
	return json_check_number(p);
}

static inline bool json_valid(const char *text)
{
	const char *end = json_check_value(text, 0);

	return end && !*json_check_blanks(end);
}
