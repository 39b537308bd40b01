/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of documents and of keys: MongoDB, Redis, memcached, Cassandra. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

#include <string.h>

/* --- MongoDB: wire protocol --- */

#define MONGODB_HEADER_BYTES 16
#define MONGODB_MESSAGE_MAX 48000000u
#define MONGODB_NAMESPACE_MAX 128
#define MONGODB_REPLY 1
#define MONGODB_QUERY 2004
#define MONGODB_COMPRESSED 2012
#define MONGODB_MSG 2013

/* Flags, one section of kind 0, and a document that fills the rest, but for a
 * checksum. */
static enum dpi_answer mongodb_msg(
    const uint8_t *bytes, size_t length, uint32_t size)
{
	uint32_t flags, document, before = MONGODB_HEADER_BYTES + 5;

	if (length < before + 4)
		return DPI_OPEN;
	flags = dpi_le32(bytes + MONGODB_HEADER_BYTES);
	document = dpi_le32(bytes + before);
	if (flags & ~UINT32_C(0x10003) || bytes[before - 1])
		return DPI_NO;
	return document >= 5 && document <= size - before ? DPI_YES : DPI_NO;
}

/* Flags, a name with a dot, two numbers, a document that fits. */
static enum dpi_answer mongodb_query(
    const uint8_t *bytes, size_t length, uint32_t size)
{
	size_t at = MONGODB_HEADER_BYTES + 4, begin = at;
	uint32_t document;

	while (at < length && bytes[at] && at - begin < MONGODB_NAMESPACE_MAX)
		at++;
	if (at > begin && !dpi_printable(bytes + begin, at - begin))
		return DPI_NO;
	if (at >= length)
		return DPI_OPEN;
	if (bytes[at] || !memchr(bytes + begin, '.', at - begin))
		return DPI_NO;
	at += 9;
	if (length < at + 4)
		return DPI_OPEN;
	document = dpi_le32(bytes + at);
	return document >= 5 && at + document <= size ? DPI_YES : DPI_NO;
}

static enum dpi_answer mongodb(const uint8_t *bytes, size_t length, bool answer)
{
	uint32_t size, code;

	if (length < 4)
		return DPI_OPEN;
	size = dpi_le32(bytes);
	if (size < MONGODB_HEADER_BYTES + 9 || size > MONGODB_MESSAGE_MAX)
		return DPI_NO;
	if (length < MONGODB_HEADER_BYTES)
		return DPI_OPEN;
	if (!answer && dpi_le32(bytes + 8))
		return DPI_NO;
	code = dpi_le32(bytes + 12);
	if (code == MONGODB_MSG)
		return mongodb_msg(bytes, length, size);
	if (code == MONGODB_QUERY && !answer)
		return mongodb_query(bytes, length, size);
	if (code == MONGODB_REPLY && answer) {
		if (length < MONGODB_HEADER_BYTES + 4)
			return DPI_OPEN;
		return dpi_le32(bytes + MONGODB_HEADER_BYTES) <= 15 ? DPI_YES
								    : DPI_NO;
	}
	if (code != MONGODB_COMPRESSED)
		return DPI_NO;
	if (length < MONGODB_HEADER_BYTES + 9)
		return DPI_OPEN;
	code = dpi_le32(bytes + MONGODB_HEADER_BYTES);
	return (code == MONGODB_MSG || code == MONGODB_QUERY ||
		   code == MONGODB_REPLY) &&
		       bytes[MONGODB_HEADER_BYTES + 8] <= 3
		   ? DPI_YES
		   : DPI_NO;
}

enum dpi_answer dpi_mongodb_client(const uint8_t *bytes, size_t length)
{
	return mongodb(bytes, length, false);
}

enum dpi_answer dpi_mongodb_server(const uint8_t *bytes, size_t length)
{
	return mongodb(bytes, length, true);
}

/* --- Redis: RESP --- */

#define REDIS_DIGITS_MAX 7
#define REDIS_COMMAND_MAX 32

/* A sign, digits, CR LF; *at goes behind them. */
static enum dpi_answer redis_number(const uint8_t *bytes, size_t length,
    uint8_t sign, size_t *at, uint32_t *ret)
{
	uint32_t value = 0;
	size_t begin = *at + 1;

	if (*at == length)
		return DPI_OPEN;
	if (bytes[*at] != sign)
		return DPI_NO;
	for (*at = begin; *at < length && dpi_is_digit(bytes[*at]); ++*at) {
		if (*at - begin == REDIS_DIGITS_MAX)
			return DPI_NO;
		value = value * 10 + bytes[*at] - '0';
	}
	if (*at == length)
		return DPI_OPEN;
	if (*at == begin || bytes[*at] != '\r')
		return DPI_NO;
	if (++*at == length)
		return DPI_OPEN;
	*ret = value;
	return bytes[(*at)++] == '\n' ? DPI_YES : DPI_NO;
}

/* An array of strings, of which the first is a command. */
static enum dpi_answer redis_array(const uint8_t *bytes, size_t length)
{
	uint32_t count, size;
	size_t at = 0;
	enum dpi_answer answer = redis_number(bytes, length, '*', &at, &count);

	if (answer == DPI_YES && !count)
		return DPI_NO;
	if (answer == DPI_YES)
		answer = redis_number(bytes, length, '$', &at, &size);
	if (answer != DPI_YES)
		return answer;
	if (!size || size > REDIS_COMMAND_MAX)
		return DPI_NO;
	for (uint32_t i = 0; i < size; i++) {
		if (at + i == length)
			return DPI_OPEN;
		if (!dpi_is_alpha(bytes[at + i]) && bytes[at + i] != '.')
			return DPI_NO;
	}
	return DPI_YES;
}

/* Or, typed by hand and by health checks, a line. */
enum dpi_answer dpi_redis_client(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {"ping", "hello", NULL};
	struct dpi_line line, command, argument;
	enum dpi_answer answer;

	if (bytes[0] == '*')
		return redis_array(bytes, length);
	answer = dpi_command(bytes, length, commands);
	if (answer == DPI_YES)
		answer = dpi_line(bytes, length, &line);
	if (answer != DPI_YES)
		return answer;
	(void)dpi_word(&line, &command);
	if (!dpi_word(&line, &argument))
		return dpi_word_is(command, "ping") ? DPI_YES : DPI_NO;
	return dpi_word_is(command, "hello") && argument.length == 1 &&
		       (argument.at[0] == '2' || argument.at[0] == '3')
		   ? DPI_YES
		   : DPI_NO;
}

enum dpi_answer dpi_redis_server(const uint8_t *bytes, size_t length)
{
	static const char *const sure[] = {
	    "+PONG\r\n", "-NOAUTH ", "-DENIED Redis", "-WRONGPASS ", NULL};
	static const uint8_t signs[] = "$*%:";
	bool open = false;
	uint32_t value;
	size_t at = 0;

	for (const char *const *text = sure; *text; text++) {
		enum dpi_answer answer = dpi_begins(bytes, length, *text);

		if (answer == DPI_YES)
			return DPI_YES;
		open |= answer == DPI_OPEN;
	}
	/* "+OK", "-ERR ...": also POP3's. */
	for (int i = 0; i < 2; i++) {
		enum dpi_answer answer =
		    dpi_begins(bytes, length, i ? "-ERR " : "+OK\r\n");

		if (answer == DPI_YES)
			return DPI_MAYBE;
		open |= answer == DPI_OPEN;
	}
	if (memchr(signs, bytes[0], sizeof(signs) - 1)) {
		enum dpi_answer answer =
		    redis_number(bytes, length, bytes[0], &at, &value);

		return answer == DPI_YES ? DPI_MAYBE : answer;
	}
	return open ? DPI_OPEN : DPI_NO;
}

/* --- memcached: protocol.txt, binary protocol --- */

#define MEMCACHED_KEY_MAX 250
#define MEMCACHED_OPCODE_MAX 0x26
#define MEMCACHED_HEADER_BYTES 24
#define MEMCACHED_BODY_MAX 0x100000u

static bool is_number(struct dpi_line word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (!dpi_is_digit(word.at[i]) &&
		    !(i == 0 && word.at[i] == '-' && word.length > 1))
			return false;
	}
	return word.length > 0;
}

/* "set key flags expiry bytes", perhaps "noreply". */
static bool is_store(struct dpi_line line)
{
	struct dpi_line word;

	if (!dpi_word(&line, &word) || word.length > MEMCACHED_KEY_MAX)
		return false;
	for (int i = 0; i < 3; i++) {
		if (!dpi_word(&line, &word) || !is_number(word))
			return false;
	}
	return true;
}

static enum dpi_answer memcached_line(const uint8_t *bytes, size_t length)
{
	static const char *const commands[] = {"get", "gets", "set", "add",
	    "replace", "append", "prepend", "cas", "stats", "version", "incr",
	    "decr", "delete", "touch", "mg", "ms", "mn", "flush_all", NULL};
	static const char *const stores[] = {
	    "set", "add", "replace", "append", "prepend", "cas", NULL};
	static const char *const bare[] = {
	    "stats", "version", "mn", "flush_all", NULL};
	static const char *const pairs[] = {"incr", "decr", "touch", NULL};
	struct dpi_line line, command, key;
	enum dpi_answer answer = dpi_command(bytes, length, commands);

	if (answer == DPI_YES)
		answer = dpi_line(bytes, length, &line);
	if (answer != DPI_YES)
		return answer;
	/* A request of HTTP in small letters is not one for several keys. */
	if (dpi_line_has(line, " http/"))
		return DPI_NO;
	(void)dpi_word(&line, &command);
	if (dpi_word_in(command, stores))
		return is_store(line) ? DPI_YES : DPI_NO;
	if (dpi_word_in(command, bare))
		return line.length && !dpi_word_is(command, "stats") ? DPI_NO
								     : DPI_YES;
	if (!dpi_word(&line, &key) || key.length > MEMCACHED_KEY_MAX)
		return DPI_NO;
	if (dpi_word_in(command, pairs))
		return is_number(line) ? DPI_YES : DPI_NO;
	return DPI_YES;
}

/* What the extras of each request weigh; 0xff: any. */
static unsigned memcached_extras(uint8_t opcode)
{
	switch (opcode) {
	case 0x01: /* set, add, replace */
	case 0x02:
	case 0x03:
		return 8;
	case 0x05: /* increment, decrement */
	case 0x06:
		return 20;
	case 0x1c: /* touch, get and touch */
	case 0x1d:
		return 4;
	default:
		return opcode > 0x19 || opcode == 0x08 ? 0xff : 0;
	}
}

static enum dpi_answer memcached_binary(
    const uint8_t *bytes, size_t length, bool answer)
{
	uint32_t key, body;

	if (length > 1 && bytes[1] > MEMCACHED_OPCODE_MAX)
		return DPI_NO;
	if (length > 5 && bytes[5])
		return DPI_NO;
	if (length < MEMCACHED_HEADER_BYTES)
		return DPI_OPEN;
	key = dpi_be16(bytes + 2);
	body = dpi_be32(bytes + 8);
	if (key > MEMCACHED_KEY_MAX || body > MEMCACHED_BODY_MAX ||
	    body < key + bytes[4])
		return DPI_NO;
	if (answer)
		return dpi_be16(bytes + 6) <= 0x86 ? DPI_YES : DPI_NO;
	if (dpi_be16(bytes + 6) > 0x3fff)
		return DPI_NO;
	return memcached_extras(bytes[1]) == 0xff ||
		       memcached_extras(bytes[1]) == bytes[4]
		   ? DPI_YES
		   : DPI_NO;
}

/* Commands are in lower case, which keeps HTTP's away. */
enum dpi_answer dpi_memcached_client(const uint8_t *bytes, size_t length)
{
	if (bytes[0] == 0x80)
		return memcached_binary(bytes, length, false);
	if (bytes[0] < 'a' || bytes[0] > 'z')
		return DPI_NO;
	return memcached_line(bytes, length);
}

enum dpi_answer dpi_memcached_server(const uint8_t *bytes, size_t length)
{
	static const char *const sure[] = {
	    "STORED\r\n", "NOT_STORED\r\n", "STAT ", "VERSION ", NULL};
	static const char *const perhaps[] = {
	    "END\r\n", "ERROR\r\n", "VALUE ", "NOT_FOUND\r\n", NULL};
	enum dpi_answer best = DPI_NO;

	if (bytes[0] == 0x81)
		return memcached_binary(bytes, length, true);
	for (const char *const *text = sure; *text; text++) {
		enum dpi_answer answer = dpi_begins(bytes, length, *text);

		if (answer > best)
			best = answer;
	}
	for (const char *const *text = perhaps; *text; text++) {
		enum dpi_answer answer = dpi_begins(bytes, length, *text);

		if (answer == DPI_YES)
			answer = DPI_MAYBE;
		if (answer > best)
			best = answer;
	}
	return best;
}

/* --- Cassandra: CQL native protocol; messages between nodes --- */

#define CQL_ERROR 0
#define CQL_STARTUP 1
#define CQL_READY 2
#define CQL_AUTHENTICATE 3
#define CQL_OPTIONS 5
#define CQL_SUPPORTED 6
#define CQL_FRAME_MAX 65536u

/* STARTUP is a map of strings: their number, and the first with its length. */
static enum dpi_answer cql_startup(
    const uint8_t *bytes, size_t length, size_t at, uint32_t size)
{
	unsigned count, key;

	if (length < at + 5)
		return DPI_OPEN;
	count = dpi_be16(bytes + at);
	key = dpi_be16(bytes + at + 2);
	if (!count || count > 16 || !key || key + 4u > size || key > 64)
		return DPI_NO;
	return bytes[at + 4] >= 'A' && bytes[at + 4] <= 'Z' ? DPI_YES : DPI_NO;
}

/* Versions 1 and 2 have a stream of one byte. */
enum dpi_answer dpi_cassandra_client(const uint8_t *bytes, size_t length)
{
	/* Nodes: a magic, flags, the sender's address and port with their
	 * length, a checksum. */
	static const uint16_t node[] = {0xca, 0x55, 0x2d, 0xfa, DPI_ANY,
	    DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY};
	size_t head = bytes[0] <= 2 ? 8 : 9;
	enum dpi_answer answer;
	uint32_t size;

	if (bytes[0] == 0xca) {
		answer = DPI_PATTERN(bytes, length, node);
		if (answer != DPI_YES)
			return answer;
		return bytes[8] == 6 || bytes[8] == 18 ? DPI_YES : DPI_NO;
	}
	if (!bytes[0] || bytes[0] > 5 || (length > 1 && bytes[1] > 0x1f))
		return DPI_NO;
	if (length < head)
		return DPI_OPEN;
	size = dpi_be32(bytes + head - 4);
	if (bytes[head - 5] == CQL_OPTIONS)
		return size ? DPI_NO : DPI_YES;
	if (bytes[head - 5] != CQL_STARTUP || size > CQL_FRAME_MAX)
		return DPI_NO;
	return cql_startup(bytes, length, head, size);
}

enum dpi_answer dpi_cassandra_server(const uint8_t *bytes, size_t length)
{
	unsigned version = bytes[0] & 0x7f;
	size_t head = version <= 2 ? 8 : 9;
	uint32_t size;

	if (!(bytes[0] & 0x80) || !version || version > 5 ||
	    (length > 1 && bytes[1] > 0x1f))
		return DPI_NO;
	if (length < head)
		return DPI_OPEN;
	size = dpi_be32(bytes + head - 4);
	switch (bytes[head - 5]) {
	case CQL_READY:
		return size ? DPI_NO : DPI_YES;
	case CQL_SUPPORTED:
	case CQL_AUTHENTICATE:
		return size >= 2 && size <= CQL_FRAME_MAX ? DPI_YES : DPI_NO;
	case CQL_ERROR:
		return size >= 6 && size <= CQL_FRAME_MAX ? DPI_MAYBE : DPI_NO;
	default:
		return DPI_NO;
	}
}
