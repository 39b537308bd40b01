/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1, HTTP/2, TLS, and what web servers speak behind themselves. */
#include "profiler/dpi_detect.h"
#include "profiler/dpi.h"

#include "base/assert.h"

#include <string.h>

/* --- HTTP/1: RFC 9112 3 --- */

#define METHOD_BYTES_MAX 24

static bool is_method_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool is_registered_method(const uint8_t *bytes, size_t length)
{
	static const char *const methods[] = {"get", "head", "post", "put",
	    "delete", "options", "patch", "propfind", "report", NULL};

	return dpi_word_in((struct dpi_line){bytes, length}, methods);
}

/* Origin form, absolute form, asterisk; authority form for CONNECT alone
 * (RFC 9112 3.2). The first byte must do: the rest is judged by the version
 * behind it. */
static bool may_begin_target(uint8_t c, const uint8_t *method, size_t length)
{
	if (length == 7 && !memcmp(method, "CONNECT", 7))
		return c == '[' || dpi_is_digit(c) || dpi_is_alpha(c);
	return c == '/' || c == '*' || c == 'h' || c == 'H';
}

static enum dpi_answer read_method(
    const uint8_t *bytes, size_t length, size_t *ret_bytes)
{
	size_t n = 0;

	while (n < length && is_method_byte(bytes[n]))
		n++;
	if (n > METHOD_BYTES_MAX)
		return DPI_NO;
	if (n == length)
		return DPI_OPEN;
	if (n < 3 || bytes[n] != ' ')
		return DPI_NO;
	*ret_bytes = n;
	if (n + 1 == length)
		return DPI_OPEN;
	return may_begin_target(bytes[n + 1], bytes, n) ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_http_client(const uint8_t *bytes, size_t length)
{
	size_t method, at;
	enum dpi_answer answer;

	/* RFC 9112 2.2: an empty line before the request is ignored. */
	if (length >= 2 && bytes[0] == '\r' && bytes[1] == '\n') {
		bytes += 2;
		length -= 2;
	} else if (bytes[0] == '\r') {
		return length == 1 ? DPI_OPEN : DPI_NO;
	}
	if (!length)
		return DPI_OPEN;
	answer = read_method(bytes, length, &method);
	if (answer != DPI_YES)
		return answer;
	for (at = method + 1; at < length && bytes[at] > ' '; at++) {
		if (bytes[at] == 0x7f)
			return DPI_NO;
	}
	if (at == length) {
		/* A long target, as searches have it: the version comes
		 * behind what is looked at. */
		if (length >= DPI_BYTES_MAX - 2 && bytes[method + 1] == '/' &&
		    is_registered_method(bytes, method))
			return DPI_YES;
		return DPI_OPEN;
	}
	if (bytes[at] != ' ')
		return DPI_NO;
	answer = dpi_begins(bytes + at + 1, length - at - 1, "HTTP/1.");
	if (answer != DPI_YES)
		return answer;
	at += 8;
	if (at == length)
		return DPI_OPEN;
	return dpi_is_digit(bytes[at]) ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_http_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t status[] = {'H', 'T', 'T', 'P', '/', '1', '.',
	    DPI_ANY, ' ', DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, status);

	if (answer != DPI_YES)
		return answer;
	return dpi_is_digit(bytes[7]) && bytes[9] >= '1' && bytes[9] <= '9' &&
		       dpi_is_digit(bytes[10]) && dpi_is_digit(bytes[11])
		   ? DPI_YES
		   : DPI_NO;
}

/* --- HTTP/2: RFC 9113 3.4 --- */

#define HTTP2_FRAME_BYTES 9
#define HTTP2_SETTINGS_MAX 32
#define HTTP2_SETTING_ID_MAX 16

enum dpi_answer dpi_http2_client(const uint8_t *bytes, size_t length)
{
	return dpi_begins(bytes, length, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

/* The server's preface is a SETTINGS frame. An empty one is too little. */
enum dpi_answer dpi_http2_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t settings[] = {0, 0, DPI_ANY, 4, 0, 0, 0, 0, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, settings);
	size_t end;

	if (answer != DPI_YES)
		return answer;
	end = HTTP2_FRAME_BYTES + bytes[2];
	if (bytes[2] % 6 || bytes[2] / 6 > HTTP2_SETTINGS_MAX)
		return DPI_NO;
	for (size_t at = HTTP2_FRAME_BYTES; at < end; at += 6) {
		if (length < at + 2)
			return DPI_OPEN;
		if (!dpi_be16(bytes + at) ||
		    dpi_be16(bytes + at) > HTTP2_SETTING_ID_MAX)
			return DPI_NO;
	}
	if (length < end)
		return DPI_OPEN;
	return bytes[2] ? DPI_YES : DPI_MAYBE;
}

/* --- TLS: RFC 8446 4, 5.1 --- */

#define TLS_RECORD_MAX 16640
#define TLS_MESSAGE_LEAST 38 /* version, random, and empty lists */

/* A handshake record whose first message is of this type. A record that is
 * too short for the message's first bytes is judged by what is there. */
static enum dpi_answer begins_handshake(
    const uint8_t *bytes, size_t length, uint8_t type)
{
	const uint16_t record[] = {22, 3, DPI_ANY, DPI_ANY, DPI_ANY, type};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, record);
	unsigned size;

	if (answer == DPI_NO || (length > 2 && bytes[2] > 4))
		return DPI_NO;
	if (answer == DPI_OPEN)
		return DPI_OPEN;
	size = dpi_be16(bytes + 3);
	if (!size || size > TLS_RECORD_MAX)
		return DPI_NO;
	if (size < 6)
		return DPI_YES;
	if (length < 11)
		return DPI_OPEN;
	return bytes[9] == 3 && bytes[10] <= 4 &&
		       dpi_be24(bytes + 6) >= TLS_MESSAGE_LEAST
		   ? DPI_YES
		   : DPI_NO;
}

/* RFC 5246 E.2: a ClientHello in the form of SSL 2 that offers more. */
static enum dpi_answer begins_ssl2(const uint8_t *bytes, size_t length)
{
	static const uint16_t hello[] = {
	    0x80, DPI_ANY, 1, 3, DPI_ANY, 0, DPI_ANY, 0, DPI_ANY, 0, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, hello);

	if (answer != DPI_YES)
		return answer;
	return bytes[6] && bytes[6] % 3 == 0 && bytes[4] <= 3 &&
		       (bytes[8] == 0 || bytes[8] == 16) && bytes[10] >= 16 &&
		       bytes[10] <= 32 &&
		       bytes[1] == 9 + bytes[6] + bytes[8] + bytes[10]
		   ? DPI_YES
		   : DPI_NO;
}

enum dpi_answer dpi_tls_client(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0x80 ? begins_ssl2(bytes, length)
				: begins_handshake(bytes, length, 1);
}

enum dpi_answer dpi_tls_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t alert[] = {
	    21, 3, DPI_ANY, 0, 2, DPI_ANY, DPI_ANY};
	enum dpi_answer answer;

	if (bytes[0] == 22)
		return begins_handshake(bytes, length, 2);
	answer = DPI_PATTERN(bytes, length, alert);
	if (answer != DPI_YES)
		return answer;
	return bytes[2] <= 4 && (bytes[5] == 1 || bytes[5] == 2) &&
		       bytes[6] <= 121
		   ? DPI_YES
		   : DPI_NO;
}

/* --- AJP 1.3 --- */

#define AJP_METHOD_MAX 28

/* Forward Request: 0x1234, length, 2, method, protocol as a string. Or a
 * CPing, which is five bytes. */
enum dpi_answer dpi_ajp_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t ping[] = {0x12, 0x34, 0, 1, 10};
	static const uint16_t request[] = {0x12, 0x34, DPI_ANY, DPI_ANY, 2,
	    DPI_ANY, 0, 8, 'H', 'T', 'T', 'P', '/', '1', '.'};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, ping);

	if (answer != DPI_NO)
		return answer;
	answer = DPI_PATTERN(bytes, length, request);
	if (answer == DPI_NO || length <= 5)
		return answer;
	return bytes[5] && bytes[5] <= AJP_METHOD_MAX ? answer : DPI_NO;
}

/* Send Headers (4) with a status, or CPong. */
enum dpi_answer dpi_ajp_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t pong[] = {'A', 'B', 0, 1, 9};
	static const uint16_t headers[] = {
	    'A', 'B', DPI_ANY, DPI_ANY, 4, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, pong);
	unsigned status;

	if (answer != DPI_NO)
		return answer;
	answer = DPI_PATTERN(bytes, length, headers);
	if (answer != DPI_YES)
		return answer;
	status = dpi_be16(bytes + 5);
	return status >= 100 && status <= 599 ? DPI_YES : DPI_NO;
}

/* --- FastCGI 1.0 --- */

/* BEGIN_REQUEST: version 1, type 1, id, 8 bytes, no padding but at most 7;
 * role 1 to 3, flags, five zeros. */
enum dpi_answer dpi_fastcgi_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t begin[] = {1, 1, DPI_ANY, DPI_ANY, 0, 8, DPI_ANY,
	    0, 0, DPI_ANY, DPI_ANY, 0, 0, 0, 0, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, begin);

	if (answer != DPI_YES)
		return answer;
	return dpi_be16(bytes + 2) && bytes[6] < 8 && bytes[9] >= 1 &&
		       bytes[9] <= 3 && bytes[10] <= 1
		   ? DPI_YES
		   : DPI_NO;
}

/* STDOUT or STDERR: what the program says is text, mostly. */
enum dpi_answer dpi_fastcgi_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t out[] = {
	    1, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, 0};
	static const uint8_t names = 9; /* bytes that must be text */
	enum dpi_answer answer = DPI_PATTERN(bytes, length, out);

	if (length > 1 && bytes[1] != 6 && bytes[1] != 7)
		return DPI_NO;
	if (answer != DPI_YES)
		return answer;
	if (length < 8u + names)
		return DPI_OPEN;
	return dpi_be16(bytes + 2) && dpi_be16(bytes + 4) >= names &&
		       bytes[6] < 8 && dpi_printable(bytes + 8, names)
		   ? DPI_MAYBE
		   : DPI_NO;
}
