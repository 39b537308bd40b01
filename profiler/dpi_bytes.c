/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool dpi_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool dpi_is_alpha(uint8_t c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

enum dpi_answer dpi_begins(
    const uint8_t *bytes, size_t length, const char *text)
{
	size_t i;

	for (i = 0; text[i] && i < length; i++) {
		if (bytes[i] != (uint8_t)text[i])
			return DPI_NO;
	}
	return text[i] ? DPI_OPEN : DPI_YES;
}

enum dpi_answer dpi_begins_any_case(
    const uint8_t *bytes, size_t length, const char *lower_text)
{
	size_t i;

	for (i = 0; lower_text[i] && i < length; i++) {
		if (lower(bytes[i]) != (uint8_t)lower_text[i])
			return DPI_NO;
	}
	return lower_text[i] ? DPI_OPEN : DPI_YES;
}

enum dpi_answer dpi_pattern(
    const uint8_t *bytes, size_t length, const uint16_t *pattern, size_t count)
{
	size_t n = length < count ? length : count;

	for (size_t i = 0; i < n; i++) {
		if (pattern[i] != DPI_ANY && pattern[i] != bytes[i])
			return DPI_NO;
	}
	return length < count ? DPI_OPEN : DPI_YES;
}

uint32_t dpi_le24(const uint8_t *bytes)
{
	return (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

uint32_t dpi_le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[3] << 24 | dpi_le24(bytes);
}

uint16_t dpi_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

uint32_t dpi_be24(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 16 | dpi_be16(bytes + 1);
}

uint32_t dpi_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | dpi_be24(bytes + 1);
}

bool dpi_printable(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	}
	return true;
}

/* --- text --- */

/* Also bytes above 0x7f: greetings speak many languages. */
static bool is_text(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f)
			return false;
	}
	return true;
}

enum dpi_answer dpi_line(
    const uint8_t *bytes, size_t length, struct dpi_line *ret)
{
	size_t n = length < DPI_LINE_MAX ? length : DPI_LINE_MAX;
	const uint8_t *feed = memchr(bytes, '\n', n);
	size_t end = feed ? (size_t)(feed - bytes) : n;

	if (end && bytes[end - 1] == '\r')
		end--;
	if (!is_text(bytes, end))
		return DPI_NO;
	if (!feed)
		return length < DPI_LINE_MAX ? DPI_OPEN : DPI_NO;
	*ret = (struct dpi_line){bytes, end};
	return DPI_YES;
}

static void skip_blanks(struct dpi_line *line)
{
	while (line->length && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->length--;
	}
}

bool dpi_word(struct dpi_line *line, struct dpi_line *ret)
{
	size_t n = 0;

	skip_blanks(line);
	while (n < line->length && line->at[n] != ' ' && line->at[n] != '\t')
		n++;
	if (!n)
		return false;
	*ret = (struct dpi_line){line->at, n};
	line->at += n;
	line->length -= n;
	skip_blanks(line);
	return true;
}

bool dpi_word_is(struct dpi_line word, const char *lower_text)
{
	return word.length == strlen(lower_text) &&
	       dpi_begins_any_case(word.at, word.length, lower_text) == DPI_YES;
}

bool dpi_word_in(struct dpi_line word, const char *const *lower_texts)
{
	for (; *lower_texts; lower_texts++) {
		if (dpi_word_is(word, *lower_texts))
			return true;
	}
	return false;
}

bool dpi_line_has(struct dpi_line line, const char *lower_text)
{
	size_t n = strlen(lower_text);

	for (size_t i = 0; i + n <= line.length; i++) {
		if (dpi_begins_any_case(line.at + i, n, lower_text) == DPI_YES)
			return true;
	}
	return false;
}

enum dpi_answer dpi_command(
    const uint8_t *bytes, size_t length, const char *const *lower_texts)
{
	enum dpi_answer answer = DPI_NO;

	for (; *lower_texts; lower_texts++) {
		size_t n = strlen(*lower_texts);

		switch (dpi_begins_any_case(bytes, length, *lower_texts)) {
		case DPI_YES:
			if (length == n)
				answer = DPI_OPEN;
			else if (bytes[n] == ' ' || bytes[n] == '\r' ||
				 bytes[n] == '\n')
				return DPI_YES;
			break;
		case DPI_OPEN:
			answer = DPI_OPEN;
			break;
		default:
			break;
		}
	}
	return answer;
}
