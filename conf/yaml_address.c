/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml_address.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

struct line {
	const char *text;
	size_t length;
};

static char line_at(const struct line *line, size_t at)
{
	return at < line->length ? line->text[at] : '\0';
}

static size_t line_digits(const struct line *line, size_t at)
{
	size_t n = 0;

	while (isdigit((unsigned char)line_at(line, at + n)))
		n++;
	return n;
}

/* How much from there on may be an IPv6 address, and its colons. */
static size_t line_hex(const struct line *line, size_t at, size_t *ret_colons)
{
	size_t n = 0;
	char c;

	*ret_colons = 0;
	while ((c = line_at(line, at + n)) &&
	       (isxdigit((unsigned char)c) || strchr(":.", c))) {
		*ret_colons += c == ':';
		n++;
	}
	return n;
}

/* "[2001:db8::1%eth0]:80" */
static size_t yaml_address_bracket(const struct line *line, size_t at)
{
	size_t colons, end = at + 1 + line_hex(line, at + 1, &colons);

	if (line_at(line, end) == '%')
		while (isalnum((unsigned char)line_at(line, ++end)))
			;
	if (colons < 2 || line_at(line, end) != ']')
		return 0;
	end++;
	if (line_at(line, end) == ':')
		end += 1 + line_digits(line, end + 1);
	return end - at;
}

static size_t yaml_address_length(const struct line *line, size_t at)
{
	size_t colons, n;

	switch (line_at(line, at)) {
	case '[':
		return yaml_address_bracket(line, at);
	case '*':
		n = line_at(line, at + 1) == ':' ? line_digits(line, at + 2)
						 : 0;
		return n ? n + 2 : 0;
	case ':':
		n = line_hex(line, at, &colons);
		return n > 1 ? n : 0;
	default:
		return 0;
	}
}

size_t yaml_address_find(const char *text, size_t length, size_t *ret_length)
{
	struct line line = {text, length};
	bool begins = true; /* nothing stands before it */
	char quote = '\0';

	for (size_t at = 0; at < length; at++) {
		char c = text[at];

		if (quote) {
			if (c == quote)
				quote = '\0';
			continue;
		}
		if (c == '#' && begins)
			break;
		if (c == '"' || c == '\'')
			quote = c;
		*ret_length = begins ? yaml_address_length(&line, at) : 0;
		if (*ret_length)
			return at;
		begins = strchr(" \t,[{", c) && c;
	}
	return length;
}
