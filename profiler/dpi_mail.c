/* SPDX-License-Identifier: Apache-2.0 */
/* SMTP, IMAP, POP3, NNTP, and FTP, which greets like the first. In all of them
 * the server begins. */
#include "profiler/dpi_detect.h"

#define IMAP_TAG_MAX 16

static enum dpi_answer read_command(const uint8_t *bytes, size_t length,
    const char *const *commands, struct dpi_line *ret_line)
{
	enum dpi_answer answer = dpi_command(bytes, length, commands);

	return answer == DPI_YES ? dpi_line(bytes, length, ret_line) : answer;
}

/* A greeting "CODE text" or "CODE-text": its line. */
static enum dpi_answer read_greeting(
    const uint8_t *bytes, size_t length, const char *code, struct dpi_line *ret)
{
	enum dpi_answer answer = dpi_begins(bytes, length, code);

	if (answer != DPI_YES)
		return answer;
	if (length == 3)
		return DPI_OPEN;
	if (bytes[3] != ' ' && bytes[3] != '-' && bytes[3] != '\r')
		return DPI_NO;
	return dpi_line(bytes, length, ret);
}

/* --- SMTP: RFC 5321; LMTP: RFC 2033 --- */

static bool names_smtp(struct dpi_line line)
{
	return dpi_line_has(line, "smtp") || dpi_line_has(line, "lmtp") ||
	       dpi_line_has(line, "postfix") || dpi_line_has(line, "sendmail");
}

enum dpi_answer dpi_smtp_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {"ehlo", "helo", "lhlo", NULL};
	struct dpi_line line, word;
	enum dpi_answer answer = read_command(bytes, length, commands, &line);

	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &word);
	return dpi_word(&line, &word) && !line.length ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_smtp_server(const uint8_t *bytes, size_t length)
{
	struct dpi_line line;
	enum dpi_answer answer = read_greeting(bytes, length, "220", &line);

	if (answer != DPI_YES)
		return answer;
	if (names_smtp(line))
		return DPI_YES;
	return dpi_line_has(line, "ftp") ? DPI_NO : DPI_MAYBE;
}

/* --- FTP: RFC 959, 2228, 2389 --- */

enum dpi_answer dpi_ftp_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {
	    "user", "auth", "feat", "syst", "opts", NULL};
	static const char *const mechanisms[] = {
	    "tls", "ssl", "tls-c", "tls-p", "gssapi", NULL};
	struct dpi_line line, command, argument = {0};
	enum dpi_answer answer = read_command(bytes, length, commands, &line);
	bool more;

	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &command);
	more = dpi_word(&line, &argument);
	if (dpi_word_is(command, "user"))
		return more && !line.length ? DPI_MAYBE : DPI_NO;
	if (dpi_word_is(command, "opts"))
		return more && dpi_word_is(argument, "utf8") ? DPI_YES : DPI_NO;
	if (dpi_word_is(command, "auth"))
		return more && dpi_word_in(argument, mechanisms) ? DPI_YES
								 : DPI_NO;
	return more ? DPI_NO : DPI_YES;
}

enum dpi_answer dpi_ftp_server(const uint8_t *bytes, size_t length)
{
	struct dpi_line line;
	enum dpi_answer answer = read_greeting(bytes, length, "220", &line);

	if (answer != DPI_YES)
		return answer;
	if (names_smtp(line))
		return DPI_NO;
	return dpi_line_has(line, "ftp") || dpi_line_has(line, "filezilla")
		   ? DPI_YES
		   : DPI_MAYBE;
}

/* --- NNTP: RFC 3977 --- */

enum dpi_answer dpi_nntp_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {"mode", "capabilities", "group",
	    "authinfo", "ihave", "listgroup", NULL};
	static const char *const arguments[] = {
	    "reader", "stream", "user", "pass", "sasl", NULL};
	struct dpi_line line, command, argument;
	enum dpi_answer answer = read_command(bytes, length, commands, &line);

	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &command);
	if (!dpi_word(&line, &argument))
		return dpi_word_is(command, "capabilities") ? DPI_YES : DPI_NO;
	if (dpi_word_is(command, "mode") || dpi_word_is(command, "authinfo"))
		return dpi_word_in(argument, arguments) ? DPI_YES : DPI_NO;
	if (dpi_word_is(command, "ihave"))
		return argument.at[0] == '<' ? DPI_YES : DPI_NO;
	return line.length ? DPI_NO : DPI_MAYBE;
}

enum dpi_answer dpi_nntp_server(const uint8_t *bytes, size_t length)
{
	static const char *const names[] = {
	    "nntp", "news", "innd", "inn 2", "leafnode", "usenet", NULL};
	struct dpi_line line;
	enum dpi_answer answer = dpi_begins(bytes, length, "20");

	if (answer != DPI_YES)
		return answer;
	answer = read_greeting(bytes, length,
	    length > 2 && bytes[2] == '1' ? "201" : "200", &line);
	if (answer != DPI_YES)
		return answer;
	for (const char *const *name = names; *name; name++) {
		if (dpi_line_has(line, *name))
			return DPI_YES;
	}
	return DPI_MAYBE;
}

/* --- POP3: RFC 1939, 2449, 2595 --- */

enum dpi_answer dpi_pop3_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {
	    "capa", "stls", "apop", "user", "auth", NULL};
	struct dpi_line line, command, argument;
	enum dpi_answer answer = read_command(bytes, length, commands, &line);
	bool more;

	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &command);
	more = dpi_word(&line, &argument);
	if (dpi_word_is(command, "capa") || dpi_word_is(command, "stls"))
		return more ? DPI_NO : DPI_YES;
	/* The digest is 32 hexadecimal digits. */
	if (dpi_word_is(command, "apop"))
		return more && line.length == 32 ? DPI_YES : DPI_NO;
	return DPI_MAYBE;
}

/* Redis says a bare "+OK". */
enum dpi_answer dpi_pop3_server(const uint8_t *bytes, size_t length)
{
	struct dpi_line line;
	enum dpi_answer answer = dpi_begins(bytes, length, "+OK");

	if (answer != DPI_YES)
		return answer;
	answer = dpi_line(bytes, length, &line);
	if (answer != DPI_YES)
		return answer;
	if (line.length == 3)
		return DPI_MAYBE;
	return line.at[3] == ' ' ? DPI_YES : DPI_NO;
}

/* --- IMAP: RFC 9051 --- */

static bool is_tag_byte(uint8_t c)
{
	return dpi_is_alpha(c) || dpi_is_digit(c) || c == '.' || c == '_' ||
	       c == '-';
}

enum dpi_answer dpi_imap_client(const uint8_t *bytes, size_t length)
{
	/* Without a digit in its tag, only what nobody else says. */
	static const char *const commands[] = {"capability", "login",
	    "starttls", "authenticate", "noop", "id", "logout", NULL};
	static const char *const sure[] = {
	    "capability", "login", "starttls", "authenticate", NULL};
	size_t n = 0, most = length < IMAP_TAG_MAX ? length : IMAP_TAG_MAX;
	struct dpi_line line, word;
	bool digit = false;
	enum dpi_answer answer;

	while (n < most && is_tag_byte(bytes[n]))
		digit |= dpi_is_digit(bytes[n++]);
	if (n == length)
		return DPI_OPEN;
	if (!n || bytes[n] != ' ')
		return DPI_NO;
	if (n + 1 == length)
		return DPI_OPEN;
	answer = dpi_command(bytes + n + 1, length - n - 1, commands);
	if (answer != DPI_YES)
		return answer;
	answer = dpi_line(bytes + n + 1, length - n - 1, &line);
	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &word);
	return digit || dpi_word_in(word, sure) ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_imap_server(const uint8_t *bytes, size_t length)
{
	static const char *const words[] = {"ok", "preauth", "bye", NULL};
	struct dpi_line line;
	enum dpi_answer answer = dpi_begins(bytes, length, "* ");

	if (answer != DPI_YES)
		return answer;
	if (length == 2)
		return DPI_OPEN;
	answer = dpi_command(bytes + 2, length - 2, words);
	return answer == DPI_YES ? dpi_line(bytes, length, &line) : answer;
}
