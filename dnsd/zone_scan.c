/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_scan.h"

#include "base/assert.h"
#include "dnsd/escape.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for less is made before it is read into. */
#define READ_MIN ((size_t)32 * 1024)
#define BUFFER_MIN (2 * READ_MIN)
#define NONE (-1)

/* Bytes at which a word may end or go on in another way. */
static const bool ends_run[256] = {
    ['\0'] = true,
    ['\t'] = true,
    ['\n'] = true,
    ['\r'] = true,
    [' '] = true,
    ['"'] = true,
    ['('] = true,
    [')'] = true,
    [';'] = true,
    ['\\'] = true,
};

/* -- errors ------------------------------------------------------------ */

static void show_byte(char byte, char *ret, size_t *n)
{
	*n += escape_write((uint8_t)byte, "", true, ret + *n);
}

const char *zone_scan_show(
    const struct scan_token *token, char ret[SCAN_SHOWN_MAX])
{
	static const char more[] = "...\"";
	size_t n = 0, i = 0;

	if (token->kind == SCAN_END || token->kind == SCAN_EOF)
		return "the end of the line";
	ret[n++] = '"';
	for (; i < token->length; i++) {
		if (n + ESCAPE_MAX + sizeof more > SCAN_SHOWN_MAX)
			break;
		show_byte(token->text[i], ret, &n);
	}
	memcpy(ret + n, i < token->length ? more : "\"",
	    i < token->length ? sizeof more : 2);
	return ret;
}

static void set_wrong(struct zone_scan *scan, uint32_t line, uint32_t column,
    const char *format, va_list args)
{
	scan->wrong_line = line;
	scan->wrong_column = column;
	(void)vsnprintf(scan->wrong, sizeof scan->wrong, format, args);
	for (char *p = scan->wrong; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '.';
}

int zone_scan_fail(struct zone_scan *scan, const struct scan_token *token,
    const char *format, ...)
{
	va_list args;

	if (scan->wrong_line)
		return BR_E_SYNTAX;
	va_start(args, format);
	set_wrong(scan, token->line, token->column, format, args);
	va_end(args);
	return BR_E_SYNTAX;
}

int zone_scan_refuse(
    struct zone_scan *scan, const struct scan_token *token, const char *why)
{
	char shown[SCAN_SHOWN_MAX];

	return zone_scan_fail(
	    scan, token, "%s %s", zone_scan_show(token, shown), why);
}

static uint32_t column_of(const struct zone_scan *scan, size_t at)
{
	return (uint32_t)(scan->before + (int64_t)at - scan->line_start + 1);
}

/* Where the scanner is, as a token. */
static struct scan_token here(const struct zone_scan *scan, enum scan_kind kind)
{
	return (struct scan_token){.kind = kind,
	    .line = scan->line,
	    .column = column_of(scan, scan->at),
	    .text = ""};
}

static void failed(struct scan_token *ret)
{
	ret->kind = SCAN_FAILED;
	ret->text = "";
	ret->length = 0;
}

/* Whatever else may be wrong with an entry that goes to the end of the file:
 * this is why it does. */
static void fail_open_paren(struct zone_scan *scan)
{
	struct scan_token paren = {
	    .line = scan->paren_line, .column = scan->paren_column};

	scan->wrong_line = 0;
	(void)zone_scan_fail(scan, &paren, "\"(\" is not closed");
}

/* -- bytes ------------------------------------------------------------- */

static void init(struct zone_scan *scan, int fd)
{
	*scan = (struct zone_scan){.fd = fd, .line = 1, .fresh = true};
}

static void set_room(struct zone_scan *scan, size_t room)
{
	scan->buffer = realloc(scan->buffer, room);
	if (!scan->buffer)
		br_out_of_memory("the buffer of a zone file", room);
	scan->room = room;
}

void zone_scan_open(struct zone_scan *scan, int fd)
{
	init(scan, fd);
	set_room(scan, BUFFER_MIN);
}

void zone_scan_open_text(struct zone_scan *scan, const char *text,
    size_t length, uint32_t line, uint32_t column)
{
	init(scan, NONE);
	scan->text = text;
	scan->end = length;
	scan->ended = true;
	scan->line = line;
	scan->line_start = 1 - (int64_t)column;
}

void zone_scan_close(struct zone_scan *scan)
{
	free(scan->buffer);
	scan->buffer = NULL;
}

/* Drops what is done with; a word that fills the buffer gets a larger one. */
static void make_room(struct zone_scan *scan)
{
	if (scan->room - scan->end >= READ_MIN)
		return;
	memmove(
	    scan->buffer, scan->buffer + scan->first, scan->end - scan->first);
	scan->before += (int64_t)scan->first;
	scan->at -= scan->first;
	scan->end -= scan->first;
	scan->first = 0;
	if (scan->room - scan->end < READ_MIN)
		set_room(scan, 2 * scan->room);
}

/* False: there is no more, or the token is too long. */
static bool fill(struct zone_scan *scan)
{
	struct scan_token token;
	ssize_t n;

	if (scan->ended || scan->end - scan->first > SCAN_TOKEN_MAX)
		return false;
	make_room(scan);
	do
		n = read(
		    scan->fd, scan->buffer + scan->end, scan->room - scan->end);
	while (n < 0 && errno == EINTR);
	scan->text = scan->buffer;
	if (n > 0) {
		scan->end += (size_t)n;
		return true;
	}
	scan->ended = true;
	if (n < 0) {
		token = here(scan, SCAN_FAILED);
		scan->wrong_line = 0;
		(void)zone_scan_fail(
		    scan, &token, "cannot be read: %s", br_strerror(-errno));
		scan->broken = true;
	}
	return false;
}

static inline int peek(struct zone_scan *scan)
{
	if (scan->at == scan->end && !fill(scan))
		return NONE;
	return (unsigned char)scan->text[scan->at];
}

/* -- tokens ------------------------------------------------------------ */

static void pass_line_end(struct zone_scan *scan)
{
	scan->at++;
	scan->line++;
	scan->line_start = scan->before + (int64_t)scan->at;
	scan->fresh = true;
}

static void pass_blanks(struct zone_scan *scan)
{
	int c;

	while (c = peek(scan), c == ' ' || c == '\t') {
		scan->at++;
		scan->first = scan->at;
	}
}

static void pass_comment(struct zone_scan *scan)
{
	do {
		const char *from = scan->text + scan->at;
		const char *end = memchr(from, '\n', scan->end - scan->at);

		scan->at = end ? (size_t)(end - scan->text) : scan->end;
		scan->first = scan->at;
		if (end)
			return;
	} while (peek(scan) != NONE);
}

/* A byte order mark; two bytes of one are UTF-16, which has a zero in every
 * second byte, and is refused at the first of them. */
static void pass_mark(struct zone_scan *scan)
{
	static const char mark[] = "\xef\xbb\xbf";

	scan->begun = true;
	if (peek(scan) == NONE || scan->end - scan->at < 3 ||
	    memcmp(scan->text + scan->at, mark, 3))
		return;
	scan->at += 3;
	scan->line_start += 3;
}

static void too_long(struct zone_scan *scan, struct scan_token *ret)
{
	(void)zone_scan_fail(scan, ret,
	    "a word or string of more than %zu bytes", (size_t)SCAN_TOKEN_MAX);
	failed(ret);
}

/* Past the byte after a backslash: whatever it is, it has no meaning. */
static bool pass_escaped(struct zone_scan *scan)
{
	int c;

	scan->at++;
	c = peek(scan);
	if (c == NONE || c == '\n' || c == '\r')
		return false;
	scan->at++;
	return true;
}

/* Up to the closing quote, which is not passed. */
static const char *pass_quoted(struct zone_scan *scan)
{
	int c;

	while (c = peek(scan), c != '"') {
		if (c == NONE || c == '\n')
			return "has no closing quote";
		if (c == '\0')
			return "has a byte 0 in it; \\000 is how to write one";
		if (c != '\\')
			scan->at++;
		else if (!pass_escaped(scan))
			return "has no closing quote";
	}
	return NULL;
}

/* Up to what ends a word, which is not passed. */
static const char *pass_word(struct zone_scan *scan)
{
	const char *wrong;
	int c;

	for (;;) {
		while (scan->at < scan->end &&
		       !ends_run[(unsigned char)scan->text[scan->at]])
			scan->at++;
		c = peek(scan);
		if (c == '\\') {
			if (!pass_escaped(scan))
				return "ends in the middle of an escape";
		} else if (c == '"' && scan->pairs) {
			scan->at++;
			wrong = pass_quoted(scan);
			if (wrong)
				return wrong;
			scan->at++;
		} else if (c == NONE || ends_run[c]) {
			return NULL;
		}
	}
}

static void take_word(struct zone_scan *scan, struct scan_token *ret)
{
	const char *wrong;

	*ret = here(scan, SCAN_WORD);
	if (*(scan->text + scan->at) == '"') {
		ret->kind = SCAN_QUOTED;
		scan->at++;
		wrong = pass_quoted(scan);
	} else {
		wrong = pass_word(scan);
	}
	if (scan->at - scan->first > SCAN_TOKEN_MAX) {
		too_long(scan, ret);
		return;
	}
	ret->text = scan->text + scan->first;
	ret->length = scan->at - scan->first;
	if (ret->kind == SCAN_QUOTED) {
		ret->text++;
		ret->length--;
		scan->at += !wrong;
	}
	if (wrong) {
		(void)zone_scan_refuse(scan, ret, wrong);
		failed(ret);
	}
	scan->first = scan->at;
}

static void open_paren(struct zone_scan *scan)
{
	if (!scan->depth) {
		scan->paren_line = scan->line;
		scan->paren_column = column_of(scan, scan->at);
	}
	if (scan->depth < UINT32_MAX)
		scan->depth++;
	scan->at++;
}

/* A byte that can stand nowhere, which is passed. */
static void take_wrong(
    struct zone_scan *scan, struct scan_token *ret, const char *wrong)
{
	*ret = here(scan, SCAN_FAILED);
	(void)zone_scan_fail(scan, ret, "%s", wrong);
	scan->at++;
}

/* Whether it is one that ends the entry. */
static bool take_line_end(struct zone_scan *scan, struct scan_token *ret)
{
	bool ends = scan->in_entry && !scan->depth;

	if (ends) {
		*ret = here(scan, SCAN_END);
		scan->in_entry = false;
	}
	pass_line_end(scan);
	return ends;
}

static void take_eof(struct zone_scan *scan, struct scan_token *ret)
{
	*ret = here(scan, SCAN_EOF);
	if (scan->broken) {
		failed(ret);
	} else if (scan->depth) {
		fail_open_paren(scan);
		failed(ret);
	} else if (scan->in_entry) {
		ret->kind = SCAN_END;
		scan->in_entry = false;
	}
	scan->broken = false;
	scan->depth = 0;
}

/* A carriage return alone is the line end of no system since 2001, and would
 * hide what follows it from whoever reads the file. */
static bool is_crlf(struct zone_scan *scan)
{
	scan->at++;
	if (peek(scan) == '\n')
		return true;
	scan->at--;
	return false;
}

/* Blanks at the beginning of an entry are a token, of an empty line not. */
static bool take_blanks(struct zone_scan *scan, struct scan_token *ret)
{
	bool begins = scan->fresh && !scan->depth && !scan->in_entry;
	int c;

	*ret = here(scan, SCAN_BLANK);
	pass_blanks(scan);
	c = peek(scan);
	return begins && c != NONE && c != '\n' && c != '\r' && c != ';';
}

/* At a byte that begins neither word nor string: whether it made a token. */
static bool take_special(struct zone_scan *scan, int c, struct scan_token *ret)
{
	switch (c) {
	case NONE:
		take_eof(scan, ret);
		return true;
	case ' ':
	case '\t':
		return take_blanks(scan, ret);
	case ';':
		pass_comment(scan);
		return false;
	case '(':
		open_paren(scan);
		return false;
	case ')':
		if (!scan->depth) {
			take_wrong(scan, ret, "\")\" closes no \"(\"");
			return true;
		}
		scan->depth--;
		scan->at++;
		return false;
	case '\r':
		if (!is_crlf(scan)) {
			take_wrong(scan, ret,
			    "a carriage return that no line feed follows");
			return true;
		}
		return take_line_end(scan, ret);
	case '\n':
		return take_line_end(scan, ret);
	default:
		take_wrong(scan, ret, "a byte 0: this is not a text file");
		return true;
	}
}

void zone_scan_next(struct zone_scan *scan, struct scan_token *ret)
{
	bool done = false;
	int c;

	if (scan->has_unread) {
		*ret = scan->unread;
		scan->has_unread = false;
		return;
	}
	if (!scan->begun)
		pass_mark(scan);
	while (!done) {
		scan->first = scan->at;
		c = peek(scan);
		if (c == '"' || c == '\\' || (c != NONE && !ends_run[c])) {
			take_word(scan, ret);
			done = true;
		} else {
			done = take_special(scan, c, ret);
		}
		if (c != '\n' && c != '\r')
			scan->fresh = false;
	}
	if (ret->kind != SCAN_END && ret->kind != SCAN_EOF)
		scan->in_entry = true;
}

void zone_scan_unread(struct zone_scan *scan, const struct scan_token *token)
{
	scan->unread = *token;
	scan->has_unread = true;
}

void zone_scan_skip_entry(struct zone_scan *scan)
{
	struct scan_token token;

	scan->has_unread = false;
	while (scan->in_entry)
		zone_scan_next(scan, &token);
}

/* -- words that several fields have ------------------------------------ */

bool zone_scan_number(
    const char *text, size_t length, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > max)
			return false;
	}
	*ret = (uint32_t)value;
	return length;
}

static uint32_t unit_s(char letter)
{
	switch (letter) {
	case 'w':
	case 'W':
		return 7 * 86400;
	case 'd':
	case 'D':
		return 86400;
	case 'h':
	case 'H':
		return 3600;
	case 'm':
	case 'M':
		return 60;
	case 's':
	case 'S':
		return 1;
	default:
		return 0;
	}
}

bool zone_scan_period(const char *text, size_t length, uint32_t *ret_s)
{
	uint64_t sum = 0;
	uint32_t number, unit;
	size_t digits;

	if (zone_scan_number(text, length, UINT32_MAX, ret_s))
		return true;
	if (!length)
		return false;
	for (; length; text += digits + 1, length -= digits + 1) {
		for (digits = 0; digits < length; digits++)
			if (text[digits] < '0' || text[digits] > '9')
				break;
		if (digits == length ||
		    !zone_scan_number(text, digits, UINT32_MAX, &number))
			return false;
		unit = unit_s(text[digits]);
		sum += (uint64_t)number * unit;
		if (!unit || sum > UINT32_MAX)
			return false;
	}
	*ret_s = (uint32_t)sum;
	return true;
}
