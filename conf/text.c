/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/text.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at p (RFC 3629 section 4), 0 when invalid. */
static size_t text_sequence(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (left < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What YAML 1.1 section 4.1.1 leaves out: C0, DEL, C1 but NEL, U+FFFE/F. */
static bool text_is_control(const unsigned char *p)
{
	if (p[0] < 0x80)
		return (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' &&
			   p[0] != '\r') ||
		       p[0] == 0x7f;
	if (p[0] == 0xc2)
		return p[1] < 0xa0 && p[1] != 0x85;
	return p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

size_t text_check(const char *text, size_t length, bool *ret_control)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0;

	while (i < length) {
		size_t n = p[i] < 0x80 ? 1 : text_sequence(p + i, length - i);

		*ret_control = n && text_is_control(p + i);
		if (n == 0 || *ret_control)
			return i;
		i += n;
	}
	return length;
}

void text_quote(struct strbuf *sb, const char *text, size_t length)
{
	size_t shown = length;

	if (length > TEXT_QUOTED_MAX) {
		shown = TEXT_QUOTED_MAX;
		/* Never half a character. */
		while (shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
			shown--;
	}
	strbuf_addc(sb, '"');
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			strbuf_addf(sb, "\\x%02x", c);
		else
			strbuf_addc(sb, (char)c);
	}
	strbuf_adds(sb, shown < length ? "...\"" : "\"");
}

void text_nearest_init(struct text_nearest *nearest, const char *wanted)
{
	size_t length = strlen(wanted);

	*nearest = (struct text_nearest){.wanted = wanted};
	/* One slip for a short word, up to three for a long one. */
	nearest->distance = length < 3   ? 1
			    : length < 6 ? 2
			    : length < 9 ? 3
					 : 4;
	if (length == 0 || length > TEXT_WORD_MAX)
		nearest->distance = 0;
}

static bool text_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Whether one of the two begins with the other, of which there is enough. */
static bool text_is_prefix(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && b[i] && text_same(a[i], b[i]))
		i++;
	return i >= TEXT_PREFIX_MIN && (!a[i] || !b[i]);
}

void text_nearest_offer(struct text_nearest *nearest, const char *candidate)
{
	size_t a = strlen(nearest->wanted), b = strlen(candidate);
	unsigned distance;

	if (text_is_prefix(nearest->wanted, candidate))
		distance = 1;
	else if ((a > b ? a - b : b - a) < nearest->distance)
		distance = text_distance(nearest->wanted, candidate);
	else
		return;
	/* A word that shares no letter is not what was meant. */
	if (distance < nearest->distance && distance < b) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}

static unsigned text_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
	unsigned rows[3][TEXT_WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t n = strlen(a), m = strlen(b);

	if (n > TEXT_WORD_MAX || m > TEXT_WORD_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= m; j++)
		last[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			bool same = text_same(a[i - 1], b[j - 1]);

			now[j] = text_min(last[j - 1] + !same,
			    text_min(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && text_same(a[i - 1], b[j - 2]) &&
			    text_same(a[i - 2], b[j - 1]))
				now[j] = text_min(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}
