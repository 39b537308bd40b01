/* SPDX-License-Identifier: Apache-2.0 */
/* BitTorrent, rsync, git, SOCKS, and Braid itself. */
#include "profiler/dpi_detect.h"
#include "profiler/dpi.h"

#include "base/assert.h"

#include <string.h>

/* BEP 3: the length of a name, and the name. */
enum dpi_answer dpi_bittorrent(const uint8_t *bytes, size_t length)
{
	return dpi_begins(bytes, length,
	    "\x13"
	    "BitTorrent protocol");
}

/* The daemon's greeting, which both sides say without waiting. */
enum dpi_answer dpi_rsync(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer = dpi_begins(bytes, length, "@RSYNCD: ");

	if (answer != DPI_YES)
		return answer;
	if (length == 9)
		return DPI_OPEN;
	return dpi_is_digit(bytes[9]) ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_braid(const uint8_t *bytes, size_t length)
{
	return dpi_begins(bytes, length, DPI_BRAID_PREFACE);
}

/* --- git: gitprotocol-pack --- */

#define PKT_HEAD_BYTES 4
#define GIT_NAME_BYTES 40

static bool is_hex(uint8_t c)
{
	return dpi_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Four hexadecimal digits of length. */
static enum dpi_answer pkt_head(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < PKT_HEAD_BYTES; i++) {
		if (i == length)
			return DPI_OPEN;
		if (!is_hex(bytes[i]))
			return DPI_NO;
	}
	return length == PKT_HEAD_BYTES ? DPI_OPEN : DPI_YES;
}

enum dpi_answer dpi_git_client(const uint8_t *bytes, size_t length)
{
	static const char *const requests[] = {"git-upload-pack /",
	    "git-receive-pack /", "git-upload-archive /", NULL};
	enum dpi_answer best = pkt_head(bytes, length);

	if (best != DPI_YES)
		return best;
	best = DPI_NO;
	for (const char *const *text = requests; *text; text++) {
		enum dpi_answer answer = dpi_begins(
		    bytes + PKT_HEAD_BYTES, length - PKT_HEAD_BYTES, *text);

		if (answer > best)
			best = answer;
	}
	return best;
}

/* The first reference, or the version. */
enum dpi_answer dpi_git_server(const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes + PKT_HEAD_BYTES;
	enum dpi_answer answer = pkt_head(bytes, length);
	size_t n = 0;

	if (answer != DPI_YES)
		return answer;
	length -= PKT_HEAD_BYTES;
	answer = dpi_begins(at, length, "version ");
	if (answer != DPI_NO)
		return answer;
	while (n < length && n < GIT_NAME_BYTES && is_hex(at[n]))
		n++;
	if (n == length)
		return DPI_OPEN;
	return n == GIT_NAME_BYTES && at[n] == ' ' ? DPI_YES : DPI_NO;
}

/* --- SOCKS 5: RFC 1928 3; SOCKS 4 and 4a --- */

#define SOCKS_METHODS_MAX 16
#define SOCKS_METHOD_MAX 9 /* of the registry; private ones are not taken */
#define SOCKS_USER_MAX 255

/* Methods that differ, and nothing behind them: the client waits. A later look
 * finds the request there, and by then the server has answered. */
static enum dpi_answer socks5(const uint8_t *bytes, size_t length)
{
	unsigned seen = 0;
	size_t end;

	if (length < 2)
		return DPI_OPEN;
	if (!bytes[1] || bytes[1] > SOCKS_METHODS_MAX)
		return DPI_NO;
	end = 2u + bytes[1];
	for (size_t i = 2; i < end && i < length; i++) {
		if (bytes[i] > SOCKS_METHOD_MAX || seen >> bytes[i] & 1)
			return DPI_NO;
		seen |= 1u << bytes[i];
	}
	if (length < end)
		return DPI_OPEN;
	return length == end ? DPI_YES : DPI_MAYBE;
}

/* A text ended by 0; *at goes behind it. */
static enum dpi_answer socks_text(
    const uint8_t *bytes, size_t length, size_t *at)
{
	size_t begin = *at;

	while (*at < length && bytes[*at]) {
		if (bytes[*at] < ' ' || bytes[*at] > '~' ||
		    *at - begin == SOCKS_USER_MAX)
			return DPI_NO;
		++*at;
	}
	if (*at == length)
		return DPI_OPEN;
	++*at;
	return DPI_YES;
}

/* Connect or bind, a port, an address; a user. With the address 0.0.0.x, a
 * name behind it (4a). */
static enum dpi_answer socks4(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer;
	size_t at = 8;

	if (length > 1 && bytes[1] != 1 && bytes[1] != 2)
		return DPI_NO;
	if (length < at)
		return DPI_OPEN;
	if (!dpi_be16(bytes + 2) || !dpi_be32(bytes + 4))
		return DPI_NO;
	answer = socks_text(bytes, length, &at);
	if (answer == DPI_YES && !dpi_be24(bytes + 4)) {
		size_t name = at;

		answer = socks_text(bytes, length, &at);
		if (answer == DPI_YES && at == name + 1)
			return DPI_NO;
	}
	if (answer != DPI_YES)
		return answer;
	return length == at ? DPI_YES : DPI_MAYBE;
}

enum dpi_answer dpi_socks_client(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 5 ? socks5(bytes, length) : socks4(bytes, length);
}

/* The method chosen, or SOCKS 4's verdict. Two bytes are little. */
enum dpi_answer dpi_socks_server(const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return DPI_OPEN;
	if (bytes[0] == 5)
		return bytes[1] <= SOCKS_METHOD_MAX || bytes[1] == 0xff
			   ? DPI_MAYBE
			   : DPI_NO;
	return bytes[1] >= 90 && bytes[1] <= 93 ? DPI_MAYBE : DPI_NO;
}
