/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_line.h"

#include "base/assert.h"
#include "base/decimal.h"
#include "base/json.h"

#include <string.h>

/* How one log line is composed: field by field, or from rendered fields that
 * are read back as pairs. The queue is in log.c. */

#define NUMBER_LENGTH_MAX 18

/* One pair; key and value point into the fields string. */
struct pair {
	const char *key, *value;
	int key_length, value_length;
	bool quoted; /* the value has escapes to undo and is never a number */
};

static bool put(struct log_line *line, const char *bytes, size_t n)
{
	if (n > (size_t)(line->room - line->tail - line->length))
		return false;
	memcpy(line->text + line->length, bytes, n);
	line->length += (int)n;
	return true;
}

static bool puts_line(struct log_line *line, const char *text)
{
	return put(line, text, strlen(text));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The logfmt form of the character at the start of `text`. What a terminal
 * would act upon, and what is not UTF-8, is written \xNN. */
static size_t logfmt_escape(
    const char *text, size_t left, char ret[6], size_t *ret_used)
{
	static const char digits[] = "0123456789abcdef";
	size_t length = json_utf8_length(text, left);
	unsigned char c = (unsigned char)text[0];
	const char *code = c ? strchr("\n\r\t\"\\", c) : NULL;

	*ret_used = 1;
	ret[0] = '\\';
	if (code) {
		ret[1] = "nrt\"\\"[code - strchr("\n\r\t\"\\", '\n')];
		return 2;
	}
	/* U+0080 to U+009F are control characters, too. */
	if (length == 0 || c < 0x20 || c == 0x7f ||
	    (c == 0xc2 && (unsigned char)text[1] < 0xa0)) {
		ret[1] = 'x';
		ret[2] = digits[c >> 4];
		ret[3] = digits[c & 15];
		return 4;
	}
	memcpy(ret, text, length);
	*ret_used = length;
	return length;
}

/* The text with the escapes of a quoted value undone; at most as long. */
static int unescape(char *ret, const char *text, int length)
{
	int n = 0;

	for (int i = 0; i < length; i++) {
		char c = text[i];

		if (c != '\\' || i + 1 >= length) {
			ret[n++] = c;
			continue;
		}
		c = text[++i];
		if (c == 'x' && i + 2 < length && hex_value(text[i + 1]) >= 0 &&
		    hex_value(text[i + 2]) >= 0) {
			ret[n++] = (char)(hex_value(text[i + 1]) << 4 |
					  hex_value(text[i + 2]));
			i += 2;
		} else {
			ret[n++] = (char)(c == 'n'   ? '\n'
					  : c == 'r' ? '\r'
					  : c == 't' ? '\t'
						     : c);
		}
	}
	return n;
}

/* Whether a text stands for itself: without quotes in logfmt, and within
 * those of JSON. */
static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return true;
}

/* Cut at a character where the room ends; the quotes always fit, or nothing
 * is put. */
static void put_quoted(
    struct log_line *line, bool json, const char *text, int length)
{
	size_t left = (size_t)length;

	if (line->length + 2 > line->room - line->tail)
		return;
	line->text[line->length++] = '"';
	line->tail++;
	if (is_plain(text, left) && put(line, text, left))
		left = 0;
	while (left > 0) {
		char form[6];
		size_t used, n;

		n = json ? json_escape(text, left, form, &used)
			 : logfmt_escape(text, left, form, &used);
		if (!put(line, form, n))
			break;
		text += used;
		left -= used;
	}
	line->tail--;
	line->text[line->length++] = '"';
}

static bool needs_quotes(const char *value, int length)
{
	return length == 0 || !is_plain(value, (size_t)length);
}

/* A number as RFC 8259 section 6 writes it, without exponent. What is longer
 * than an int64_t is no count but a name that happens to have digits only:
 * readers round it or refuse the whole line (section 6 on interoperability). */
static bool is_number(const char *value, int length)
{
	int i = length > 0 && value[0] == '-';
	int start = i;

	if (length > NUMBER_LENGTH_MAX)
		return false;
	while (i < length && value[i] >= '0' && value[i] <= '9')
		i++;
	if (i == start || (value[start] == '0' && i > start + 1))
		return false;
	if (i == length)
		return true;
	start = i + 1;
	if (value[i++] != '.')
		return false;
	while (i < length && value[i] >= '0' && value[i] <= '9')
		i++;
	return i == length && i > start;
}

static const char *skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* The length of the key that `p` begins with, 0 if there is no "key=". */
static int key_length(const char *p)
{
	const char *end = p;

	while (is_key_char(*end))
		end++;
	return *end == '=' && end - p < LOG_LINE_MAX ? (int)(end - p) : 0;
}

/* Whether a value may end at p: the end of all, or blanks and another key. */
static bool at_value_end(const char *p)
{
	if (!*p)
		return true;
	return is_blank(*p) &&
	       (key_length(skip_blanks(p)) > 0 || !*skip_blanks(p));
}

/* The closing quote of a value whose opening one is at p, or NULL. A quote in
 * the middle of the text, as from key="%s", does not close. */
static const char *closing_quote(const char *p)
{
	for (p++; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"' && at_value_end(p + 1))
			return p;
	}
	return NULL;
}

/* The next pair at *at, which moves past it. */
static bool next_pair(const char **at, struct pair *ret)
{
	const char *p = skip_blanks(*at);
	const char *end;

	if (!*p)
		return false;
	*ret = (struct pair){.key = p, .key_length = key_length(p)};
	if (ret->key_length) {
		p += ret->key_length + 1;
	} else {
		ret->key = "detail";
		ret->key_length = 6;
	}
	if (*p == '"') {
		/* Without its closing quote the text was cut: take the rest. */
		ret->quoted = true;
		end = closing_quote(p);
		p++;
		*at = end ? end + 1 : p + strlen(p);
		end = end ? end : *at;
	} else {
		for (end = p; !at_value_end(end);)
			end++;
		*at = end;
	}
	ret->value = p;
	ret->value_length = (int)(end - p);
	return true;
}

/* What stands before a value; false when there is no room for it and a pair
 * of quotes: the line ends here. */
static bool put_key(struct log_line *line, const char *key, size_t length)
{
	int start = line->length;

	line->full = !puts_line(line, line->json ? ",\"" : " ") ||
		     !put(line, key, length) ||
		     !puts_line(line, line->json ? "\":" : "=") ||
		     line->length + 2 > line->room - line->tail;
	if (line->full)
		line->length = start;
	return !line->full;
}

static void put_field(struct log_line *line, const char *key, size_t key_length,
    const char *value, size_t length, bool bare)
{
	int start = line->length;

	if (line->full || !put_key(line, key, key_length))
		return;
	if (!bare) {
		put_quoted(line, line->json, value, (int)length);
	} else if (!put(line, value, length)) {
		line->length = start;
		line->full = true;
	}
}

static void put_pair(struct log_line *line, const struct pair *pair)
{
	char plain[LOG_LINE_MAX];
	const char *value = pair->value;
	int length = pair->value_length;
	bool bare;

	if (length > (int)sizeof(plain))
		length = (int)sizeof(plain);
	if (pair->quoted) {
		length = unescape(plain, value, length);
		value = plain;
	}
	bare = line->json ? !pair->quoted && is_number(value, length)
			  : !needs_quotes(value, length);
	put_field(line, pair->key, (size_t)pair->key_length, value,
	    (size_t)length, bare);
}

void log_line_begin(struct log_line *line, char *ret, int room, struct wall now,
    const char *level, const char *message)
{
	bool json = log_format_current() == LOG_JSON;
	char ts[25];
	size_t length = wall_format(now, ts);

	br_assert(room >= LOG_LINE_MIN);
	*line = (struct log_line){
	    .text = ret, .room = room, .tail = json ? 2 : 1, .json = json};
	(void)puts_line(line, json ? "{\"ts\":\"" : "ts=");
	(void)put(line, ts, length);
	if (level) {
		(void)puts_line(line, json ? "\",\"level\":\"" : " level=");
		(void)puts_line(line, level);
	}
	(void)puts_line(line, json ? "\",\"msg\":" : " msg=");
	put_quoted(line, json, message, (int)strnlen(message, LOG_LINE_MAX));
}

void log_line_text_n(
    struct log_line *line, const char *key, const char *value, size_t length)
{
	if (length > LOG_LINE_MAX)
		length = LOG_LINE_MAX;
	put_field(line, key, strlen(key), value, length,
	    !line->json && !needs_quotes(value, (int)length));
}

void log_line_text(struct log_line *line, const char *key, const char *value)
{
	log_line_text_n(line, key, value, strnlen(value, LOG_LINE_MAX));
}

void log_line_number(struct log_line *line, const char *key, uint64_t v)
{
	char text[DECIMAL_MAX];

	put_field(line, key, strlen(key), text, decimal_format(v, text), true);
}

void log_line_ms(struct log_line *line, const char *key, int64_t ns)
{
	char text[DECIMAL_MAX + 4];
	uint64_t us = ((uint64_t)ns + 500) / 1000;
	size_t n;

	if (ns < 0) {
		log_line_text_n(line, key, "-", 1);
		return;
	}
	n = decimal_format(us / 1000, text);
	text[n] = '.';
	decimal_fixed(us, text + n + 1, 3);
	put_field(line, key, strlen(key), text, n + 4, true);
}

int log_line_end(struct log_line *line)
{
	line->tail = 0;
	(void)puts_line(line, line->json ? "}\n" : "\n");
	return line->length;
}

int log_compose(char *ret, int room, struct wall now, const char *level,
    const char *message, const char *fields)
{
	struct log_line line;
	struct pair pair;

	log_line_begin(&line, ret, room, now, level, message);
	while (fields && !line.full && next_pair(&fields, &pair))
		put_pair(&line, &pair);
	return log_line_end(&line);
}

int log_field(
    char *fields, int length, int room, const char *key, const char *value)
{
	struct log_line line = {
	    .text = fields, .length = length, .room = room, .tail = 1};
	int n = (int)strnlen(value, LOG_LINE_MAX);
	bool bare = !needs_quotes(value, n) && !is_number(value, n);

	br_assert(room > 0 && length >= 0 && length < room);
	if ((length > 0 && !puts_line(&line, " ")) || !puts_line(&line, key) ||
	    !puts_line(&line, "=") || line.length + 2 > room - 1) {
		fields[length] = '\0';
		return length;
	}
	if (!bare || !put(&line, value, (size_t)n))
		put_quoted(&line, false, value, n);
	fields[line.length] = '\0';
	return line.length;
}
