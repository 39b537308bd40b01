/* SPDX-License-Identifier: Apache-2.0 */
/* Databases with a dialogue of their own: MySQL, PostgreSQL, SQL Server,
 * Oracle. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

#include <string.h>

/* --- MySQL, MariaDB: client/server protocol, connection phase --- */

#define MYSQL_VERSION_MAX 80
#define MYSQL_ERROR_LEAST 1000
#define MYSQL_ERROR_MOST 4999
#define MYSQL_PROTOCOL_41 0x200u
#define MYSQL_LOGIN_BYTES 32

/* Protocol 10: version text, 0, thread, 8 bytes, 0. */
static enum dpi_answer mysql_greeting(
    const uint8_t *bytes, size_t length, uint32_t size)
{
	size_t at = 5;

	while (at < length && bytes[at] && at < 5 + MYSQL_VERSION_MAX)
		at++;
	if (!dpi_printable(bytes + 5, at - 5))
		return DPI_NO;
	if (length > 5 && !dpi_is_digit(bytes[5]))
		return DPI_NO;
	if (at == length)
		return DPI_OPEN;
	if (bytes[at] || at < 8 || size < at + 13 - 4)
		return DPI_NO;
	at += 13;
	if (length <= at)
		return DPI_OPEN;
	return bytes[at] ? DPI_NO : DPI_YES;
}

/* "Host is blocked", "Too many connections", in place of a greeting. */
static enum dpi_answer mysql_error(
    const uint8_t *bytes, size_t length, uint32_t size)
{
	size_t end = size < 16 ? size + 4 : 20;
	unsigned code;

	if (length < 7)
		return DPI_OPEN;
	code = (unsigned)(bytes[6] << 8 | bytes[5]);
	if (code < MYSQL_ERROR_LEAST || code > MYSQL_ERROR_MOST || size < 8)
		return DPI_NO;
	if (length < end)
		return DPI_OPEN;
	return dpi_printable(bytes + 7, end - 7) ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_mysql_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {DPI_ANY, DPI_ANY, 0, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	uint32_t size;

	if (answer != DPI_YES || length < 5)
		return answer == DPI_YES ? DPI_OPEN : answer;
	size = dpi_le24(bytes);
	if (bytes[4] == 0xff)
		return mysql_error(bytes, length, size);
	return bytes[4] == 10 ? mysql_greeting(bytes, length, size) : DPI_NO;
}

/* The second packet: capabilities, sizes, character set, 19 zeros. */
enum dpi_answer dpi_mysql_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t login[] = {DPI_ANY, DPI_ANY, 0, 1, DPI_ANY,
	    DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY,
	    DPI_ANY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, login);

	if (answer != DPI_YES)
		return answer;
	return dpi_le24(bytes) >= MYSQL_LOGIN_BYTES &&
		       (dpi_le32(bytes + 4) & MYSQL_PROTOCOL_41)
		   ? DPI_YES
		   : DPI_NO;
}

/* --- PostgreSQL: frontend/backend protocol 3.x --- */

#define POSTGRESQL_SPECIAL 1234u
#define POSTGRESQL_START_MAX 10000
#define POSTGRESQL_CANCEL 5678
#define POSTGRESQL_TLS 5679
#define POSTGRESQL_GSS 5680

static bool is_parameter_byte(uint8_t c)
{
	return dpi_is_alpha(c) || c == '_' || c == '.' || dpi_is_digit(c);
}

/* Name and value pairs, each ended by 0; the first name is enough. */
static enum dpi_answer postgresql_parameters(
    const uint8_t *bytes, size_t length, size_t size)
{
	size_t at = 8;

	if (length > 8 && !dpi_is_alpha(bytes[8]))
		return DPI_NO;
	while (at < length && at < size && is_parameter_byte(bytes[at]))
		at++;
	if (at == size)
		return DPI_NO;
	if (at == length)
		return DPI_OPEN;
	return bytes[at] ? DPI_NO : DPI_YES;
}

enum dpi_answer dpi_postgresql_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {0, 0, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	unsigned major, minor;
	uint32_t size;

	if (answer != DPI_YES)
		return answer;
	size = dpi_be32(bytes);
	if (size < 8 || size > POSTGRESQL_START_MAX)
		return DPI_NO;
	if (length < 8)
		return DPI_OPEN;
	major = dpi_be16(bytes + 4);
	minor = dpi_be16(bytes + 6);
	if (major == POSTGRESQL_SPECIAL) {
		if (minor == POSTGRESQL_CANCEL)
			return size >= 16 && size <= 268 ? DPI_YES : DPI_NO;
		return size == 8 && (minor == POSTGRESQL_TLS ||
					minor == POSTGRESQL_GSS)
			   ? DPI_YES
			   : DPI_NO;
	}
	if (major != 3 || minor > 2)
		return DPI_NO;
	return postgresql_parameters(bytes, length, size);
}

/* Authentication request, error, or the one byte that agrees to TLS, and the
 * handshake behind it. */
enum dpi_answer dpi_postgresql_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t request[] = {
	    'R', 0, 0, 0, DPI_ANY, 0, 0, 0, DPI_ANY};
	static const uint16_t error[] = {'E', 0, 0, DPI_ANY, DPI_ANY, 'S'};
	enum dpi_answer answer;

	if (bytes[0] == 'S') {
		if (length == 1)
			return DPI_OPEN;
		return bytes[1] == 22 ? DPI_MAYBE : DPI_NO;
	}
	if (bytes[0] == 'R') {
		answer = DPI_PATTERN(bytes, length, request);
		if (answer != DPI_YES)
			return answer;
		return bytes[4] >= 8 && bytes[8] <= 12 ? DPI_YES : DPI_NO;
	}
	answer = DPI_PATTERN(bytes, length, error);
	if (answer != DPI_YES)
		return answer;
	answer = dpi_begins(bytes + 6, length - 6, "FATAL");
	return answer == DPI_NO ? dpi_begins(bytes + 6, length - 6, "ERROR")
				: answer;
}

/* --- SQL Server: MS-TDS 2.2.3.1, 2.2.6.4, 2.2.6.5 --- */

#define TDS_HEADER_BYTES 8
#define TDS_OPTION_BYTES 5
#define TDS_OPTIONS_MAX 9
#define TDS_END 0xff
#define TDS_PACKET_MAX 32767

/* Pre-login: options with offsets that lie in the packet, the version (six
 * bytes) first and right behind them. */
static enum dpi_answer tds_options(
    const uint8_t *bytes, size_t length, uint32_t size)
{
	size_t at = TDS_HEADER_BYTES, n = 0;
	unsigned offset = 0;

	for (;; n++, at += TDS_OPTION_BYTES) {
		if (at >= length)
			return DPI_OPEN;
		if (bytes[at] == TDS_END)
			break;
		if (n == TDS_OPTIONS_MAX || bytes[at] > TDS_OPTIONS_MAX)
			return DPI_NO;
		if (length < at + TDS_OPTION_BYTES)
			return DPI_OPEN;
		if (!n) {
			offset = dpi_be16(bytes + at + 1);
			if (bytes[at] || dpi_be16(bytes + at + 3) != 6)
				return DPI_NO;
		}
		if ((uint32_t)TDS_HEADER_BYTES + dpi_be16(bytes + at + 1) +
			dpi_be16(bytes + at + 3) >
		    size)
			return DPI_NO;
	}
	return n && offset == n * TDS_OPTION_BYTES + 1 ? DPI_YES : DPI_NO;
}

static enum dpi_answer tds(const uint8_t *bytes, size_t length, uint8_t type)
{
	const uint16_t head[] = {
	    type, 1, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	uint32_t size;

	if (answer != DPI_YES)
		return answer;
	size = dpi_be16(bytes + 2);
	if (size < 20 || size > TDS_PACKET_MAX || bytes[6] > 1)
		return DPI_NO;
	return tds_options(bytes, length, size);
}

/* Login without a pre-login: its own length, and a version 7.x. */
static enum dpi_answer tds_login(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {0x10, 1, DPI_ANY, DPI_ANY, 0, 0,
	    DPI_ANY, 0, DPI_ANY, DPI_ANY, DPI_ANY, 0, DPI_ANY, 0, DPI_ANY,
	    DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);

	if (answer != DPI_YES)
		return answer;
	return bytes[15] >= 0x70 && bytes[15] <= 0x75 &&
		       dpi_le32(bytes + 8) ==
			   dpi_be16(bytes + 2) - (uint32_t)TDS_HEADER_BYTES
		   ? DPI_YES
		   : DPI_NO;
}

enum dpi_answer dpi_mssql_client(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0x10 ? tds_login(bytes, length)
				: tds(bytes, length, 0x12);
}

enum dpi_answer dpi_mssql_server(const uint8_t *bytes, size_t length)
{
	return tds(bytes, length, 4);
}

/* --- Oracle: Transparent Network Substrate --- */

#define TNS_CONNECT 1
#define TNS_RESEND 11
#define TNS_VERSION_LEAST 300
#define TNS_VERSION_MOST 330
#define TNS_OFFSET_AT 26
#define TNS_OFFSET_LEAST 34
#define TNS_OFFSET_MOST 82

/* CONNECT: length, two checksums of 0; version and the oldest that will do;
 * where the connect data lies, which begins with a parenthesis. Data too long
 * for the packet comes behind it. */
enum dpi_answer dpi_oracle_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {DPI_ANY, DPI_ANY, 0, 0, TNS_CONNECT,
	    DPI_ANY, 0, 0, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	unsigned size, version, data, offset;

	if (answer != DPI_YES)
		return answer;
	size = dpi_be16(bytes);
	version = dpi_be16(bytes + 8);
	if (size < TNS_OFFSET_LEAST || version < TNS_VERSION_LEAST ||
	    version > TNS_VERSION_MOST || dpi_be16(bytes + 10) > version)
		return DPI_NO;
	if (length < TNS_OFFSET_AT + 2)
		return DPI_OPEN;
	data = dpi_be16(bytes + 24);
	offset = dpi_be16(bytes + TNS_OFFSET_AT);
	if (offset < TNS_OFFSET_LEAST || offset > TNS_OFFSET_MOST)
		return DPI_NO;
	if (size == offset && data)
		return DPI_YES;
	if (size != offset + data)
		return DPI_NO;
	if (length <= offset)
		return DPI_OPEN;
	return bytes[offset] == '(' ? DPI_YES : DPI_NO;
}

/* RESEND, which is the usual first answer, is only its header. */
enum dpi_answer dpi_oracle_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t resend[] = {
	    0, 8, 0, 0, TNS_RESEND, DPI_ANY, 0, 0};
	/* ACCEPT, REFUSE, REDIRECT */
	static const uint16_t other[] = {
	    DPI_ANY, DPI_ANY, 0, 0, DPI_ANY, DPI_ANY, 0, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, resend);

	if (answer != DPI_NO)
		return answer;
	answer = DPI_PATTERN(bytes, length, other);
	if (answer == DPI_NO || length < 5)
		return answer;
	if (bytes[4] != 2 && bytes[4] != 4 && bytes[4] != 5)
		return DPI_NO;
	return answer == DPI_YES ? DPI_MAYBE : answer;
}
