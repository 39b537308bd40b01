/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/naptr_regexp.h"

#include "base/assert.h"

#include <stdbool.h>
#include <string.h>

#define TEXT_MAX 255u
#define BOUND_MAX 255u

/* A part of the text without the escapes of its delimiter. */
struct part {
	uint8_t bytes[TEXT_MAX + 1]; /* 0 behind the last */
	unsigned length;
};

/* What has just been read decides what may follow. */
enum behind {
	BEHIND_NOTHING, /* the beginning */
	BEHIND_OPEN, /* ( */
	BEHIND_BAR,
	BEHIND_ATOM,
	BEHIND_REPEAT, /* also behind ^ and $, which are not repeated */
};

struct expression {
	const uint8_t *at, *end;
	enum behind behind;
	unsigned open; /* groups that are not closed */
	unsigned groups;
};

/* -- brackets ---------------------------------------------------------- */

#define ANY_ELEMENT 256

/* "[:alpha:]" and its like, from the mark on; NULL: has no end. */
static const uint8_t *end_of_named(
    const uint8_t *at, const uint8_t *end, uint8_t mark)
{
	for (; at + 1 < end; at++)
		if (at[0] == mark && at[1] == ']')
			return at;
	return NULL;
}

static bool is_class(const uint8_t *name, size_t length)
{
	static const char *const names[] = {"alnum", "alpha", "blank", "cntrl",
	    "digit", "graph", "lower", "print", "punct", "space", "upper",
	    "xdigit"};

	for (size_t i = 0; i < BR_COUNT(names); i++)
		if (strlen(names[i]) == length &&
		    !memcmp(names[i], name, length))
			return true;
	return false;
}

/* One element; *ret is its byte, or ANY_ELEMENT where that is not to be
 * compared. `ends_range`: what is no single element cannot stand here. */
static bool read_element(struct expression *x, bool ends_range, int *ret)
{
	const uint8_t *name, *close;
	uint8_t mark;

	*ret = *x->at++;
	if (*ret != '[' || x->at == x->end || !strchr(".=:", *x->at))
		return true;
	mark = *x->at;
	name = x->at + 1;
	close = end_of_named(name, x->end, mark);
	if (!close || close == name || (ends_range && mark != '.') ||
	    (mark == ':' && !is_class(name, (size_t)(close - name))))
		return false;
	*ret = close - name == 1 ? *name : ANY_ELEMENT;
	x->at = close + 2;
	return true;
}

/* An element or a range of them. */
static bool read_elements(struct expression *x)
{
	int from, to;

	if (!read_element(x, false, &from))
		return false;
	if (x->at + 1 >= x->end || x->at[0] != '-' || x->at[1] == ']')
		return true;
	x->at++;
	if (!read_element(x, true, &to) ||
	    (from != ANY_ELEMENT && to != ANY_ELEMENT && to < from))
		return false;
	/* "a-b-c" means nothing. */
	return x->at == x->end || *x->at != '-';
}

static bool read_bracket(struct expression *x)
{
	if (x->at < x->end && *x->at == '^')
		x->at++;
	/* The first one is an element, also if it is a bracket. */
	do {
		if (x->at == x->end || !read_elements(x))
			return false;
	} while (x->at < x->end && *x->at != ']');
	if (x->at++ == x->end)
		return false;
	x->behind = BEHIND_ATOM;
	return true;
}

/* -- atoms ------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool read_number(struct expression *x, unsigned *ret)
{
	*ret = 0;
	for (; x->at < x->end && is_digit(*x->at); x->at++) {
		*ret = *ret * 10 + *x->at - '0';
		if (*ret > BOUND_MAX)
			return false;
	}
	return true;
}

static bool read_repeat(struct expression *x)
{
	if (x->behind != BEHIND_ATOM)
		return false;
	x->behind = BEHIND_REPEAT;
	return true;
}

/* "{2}", "{2,}" or "{2,4}", behind the brace. */
static bool read_bound(struct expression *x)
{
	unsigned least, most = BOUND_MAX;

	if (!read_repeat(x) || !read_number(x, &least))
		return false;
	if (x->at < x->end && *x->at == ',') {
		x->at++;
		if (x->at < x->end && is_digit(*x->at) &&
		    !read_number(x, &most))
			return false;
	}
	return x->at < x->end && *x->at++ == '}' && least <= most;
}

static bool read_escaped(struct expression *x)
{
	uint8_t c;

	if (x->at == x->end)
		return false;
	c = *x->at++;
	x->behind = BEHIND_ATOM;
	return c < '1' || c > '9' || c - '0' <= (int)x->groups;
}

static bool is_filled(const struct expression *x)
{
	return x->behind == BEHIND_ATOM || x->behind == BEHIND_REPEAT;
}

static bool read_open(struct expression *x)
{
	x->open++;
	x->groups++;
	x->behind = BEHIND_OPEN;
	return true;
}

static bool read_bar(struct expression *x)
{
	bool filled = is_filled(x);

	x->behind = BEHIND_BAR;
	return filled;
}

/* Where none is open it stands for itself. */
static bool read_close(struct expression *x)
{
	bool fits = !x->open || is_filled(x) || x->behind == BEHIND_OPEN;

	if (x->open)
		x->open--;
	x->behind = BEHIND_ATOM;
	return fits;
}

static bool read_one(struct expression *x)
{
	switch (*x->at++) {
	case '\\':
		return read_escaped(x);
	case '[':
		return read_bracket(x);
	case '(':
		return read_open(x);
	case ')':
		return read_close(x);
	case '|':
		return read_bar(x);
	case '*':
	case '+':
	case '?':
		return read_repeat(x);
	case '^':
	case '$':
		x->behind = BEHIND_REPEAT;
		return true;
	case '{':
		if (x->at < x->end && is_digit(*x->at))
			return read_bound(x);
		break;
	default:
		break;
	}
	x->behind = BEHIND_ATOM;
	return true;
}

static bool expression_is_good(const struct part *part, unsigned *ret_groups)
{
	struct expression x = {
	    .at = part->bytes, .end = part->bytes + part->length};

	while (x.at < x.end)
		if (!read_one(&x))
			return false;
	*ret_groups = x.groups;
	return is_filled(&x) && !x.open;
}

/* -- the whole --------------------------------------------------------- */

/* Each of \1 to \9 is a group that is there. */
static bool replacement_is_good(const struct part *part, unsigned groups)
{
	for (unsigned i = 0; i + 1 < part->length; i++) {
		if (part->bytes[i] != '\\')
			continue;
		i++;
		if (part->bytes[i] == '0' ||
		    (is_digit(part->bytes[i]) &&
			part->bytes[i] - '0' > (int)groups))
			return false;
	}
	return true;
}

/* Up to the delimiter, which is left out; false: there is none. */
static bool take_part(
    const uint8_t **at, const uint8_t *end, uint8_t delimiter, struct part *ret)
{
	ret->length = 0;
	while (*at < end && **at != delimiter) {
		if (**at == '\\') {
			if (++*at == end)
				return false;
			if (**at != delimiter)
				ret->bytes[ret->length++] = '\\';
		}
		ret->bytes[ret->length++] = *(*at)++;
	}
	ret->bytes[ret->length] = 0;
	return (*at)++ < end;
}

/* RFC 3402 section 3.2: delimiter, expression, delimiter, replacement,
 * delimiter, flags, of which there is one. */
const char *naptr_regexp_wrong(const uint8_t *text, unsigned length)
{
	static const char shape[] = "has a regexp that is not like !a!b!";
	const uint8_t *at = text + 1, *end = text + length;
	struct part expression, replacement;
	unsigned groups;

	br_assert(length <= TEXT_MAX);
	if (!length)
		return NULL;
	if (!*text || strchr("0123456789\\i", *text) ||
	    !take_part(&at, end, *text, &expression) ||
	    !take_part(&at, end, *text, &replacement))
		return shape;
	for (; at < end; at++)
		if ((*at | 0x20) != 'i')
			return shape;
	if (!expression_is_good(&expression, &groups))
		return "has a regexp that is no extended regular expression";
	if (!replacement_is_good(&replacement, groups))
		return "has a regexp that refers to a group that is not there";
	return NULL;
}
