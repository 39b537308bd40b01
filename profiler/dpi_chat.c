/* SPDX-License-Identifier: Apache-2.0 */
/* IRC and XMPP. */
#include "profiler/dpi_detect.h"

/* --- IRC: RFC 1459, 2812, IRCv3 capability negotiation --- */

static unsigned words_of(struct dpi_line line)
{
	struct dpi_line word;
	unsigned n = 0;

	while (dpi_word(&line, &word))
		n++;
	return n;
}

static enum dpi_answer judge_irc_line(struct dpi_line line)
{
	static const char *const capability[] = {
	    "ls", "req", "end", "list", NULL};
	struct dpi_line command, argument;
	unsigned n = words_of(line);

	if (!dpi_word(&line, &command) || !dpi_word(&line, &argument))
		return DPI_NO;
	if (dpi_word_is(command, "nick"))
		return n <= 3 ? DPI_YES : DPI_NO;
	/* USER name mode unused :real name */
	if (dpi_word_is(command, "user"))
		return n >= 5 || (n >= 4 && dpi_line_has(line, ":")) ? DPI_YES
								     : DPI_NO;
	if (dpi_word_is(command, "cap"))
		return dpi_word_in(argument, capability) ? DPI_YES : DPI_NO;
	return DPI_MAYBE;
}

/* PASS comes before the others. */
enum dpi_answer dpi_irc_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {
	    "nick", "user", "cap", "pass", NULL};
	enum dpi_answer answer = DPI_MAYBE;

	for (int i = 0; i < 2 && answer == DPI_MAYBE; i++) {
		struct dpi_line line;

		if (!length)
			return DPI_OPEN;
		answer = dpi_command(bytes, length, commands);
		if (answer == DPI_YES)
			answer = dpi_line(bytes, length, &line);
		if (answer != DPI_YES)
			return answer;
		answer = judge_irc_line(line);
		while (length && bytes[0] != '\n') {
			bytes++;
			length--;
		}
		bytes++;
		length--;
	}
	return answer;
}

static bool is_numeric(struct dpi_line word)
{
	return word.length == 3 && dpi_is_digit(word.at[0]) &&
	       dpi_is_digit(word.at[1]) && dpi_is_digit(word.at[2]);
}

enum dpi_answer dpi_irc_server(const uint8_t *bytes, size_t length)
{
	static const char *const said[] = {
	    "notice", "cap", "error", "ping", NULL};
	static const char *const bare[] = {"notice", "error", "ping", NULL};
	bool prefixed = bytes[0] == ':';
	struct dpi_line line, word;
	enum dpi_answer answer = DPI_YES;

	if (!prefixed)
		answer = dpi_command(bytes, length, bare);
	if (answer == DPI_YES)
		answer = dpi_line(bytes, length, &line);
	if (answer != DPI_YES)
		return answer;
	if (prefixed) {
		if (!dpi_word(&line, &word) || !dpi_word(&line, &word))
			return DPI_NO;
		return dpi_word_in(word, said) || is_numeric(word) ? DPI_YES
								   : DPI_NO;
	}
	(void)dpi_word(&line, &word);
	if (dpi_word_is(word, "notice"))
		return words_of(line) >= 2 ? DPI_YES : DPI_NO;
	return line.length && line.at[0] == ':' ? DPI_YES : DPI_NO;
}

/* --- XMPP: RFC 6120 4 --- */

#define XML_DECLARATION_MAX 128

static bool is_xml_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An XML declaration, which may be missing, and the stream's tag. */
enum dpi_answer dpi_xmpp(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer = dpi_begins(bytes, length, "<?xml");
	size_t at = 0;

	if (answer == DPI_YES) {
		while (at + 1 < length && at < XML_DECLARATION_MAX &&
		       !(bytes[at] == '?' && bytes[at + 1] == '>' && at > 1))
			at++;
		if (at + 1 >= length)
			return DPI_OPEN;
		if (at == XML_DECLARATION_MAX)
			return DPI_NO;
		at += 2;
		while (at < length && is_xml_blank(bytes[at]))
			at++;
		if (at == length)
			return DPI_OPEN;
	} else if (answer == DPI_OPEN && length > 1) {
		return DPI_OPEN;
	}
	answer = dpi_begins(bytes + at, length - at, "<stream:stream");
	if (answer != DPI_YES)
		return answer;
	at += 14;
	if (at == length)
		return DPI_OPEN;
	return is_xml_blank(bytes[at]) ? DPI_YES : DPI_NO;
}
