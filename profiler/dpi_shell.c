/* SPDX-License-Identifier: Apache-2.0 */
/* Shells and desktops of other machines: SSH, telnet, RDP, VNC. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

/* RFC 4253 4.2; 1.99 is a server that speaks both. */
enum dpi_answer dpi_ssh(const uint8_t *bytes, size_t length)
{
	enum dpi_answer two = dpi_begins(bytes, length, "SSH-2.0-");
	enum dpi_answer one = dpi_begins(bytes, length, "SSH-1.");

	if (two != DPI_NO)
		return two;
	if (one != DPI_YES)
		return one;
	if (length == 6)
		return DPI_OPEN;
	return dpi_is_digit(bytes[6]) ? DPI_YES : DPI_NO;
}

/* RFC 6143 7.1.1: "RFB 003.008", and the client answers the same. */
enum dpi_answer dpi_vnc(const uint8_t *bytes, size_t length)
{
	static const uint16_t version[] = {'R', 'F', 'B', ' ', '0', DPI_ANY,
	    DPI_ANY, '.', DPI_ANY, DPI_ANY, DPI_ANY, '\n'};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, version);

	if (answer != DPI_YES)
		return answer;
	for (size_t i = 5; i < 11; i++) {
		if (i != 7 && !dpi_is_digit(bytes[i]))
			return DPI_NO;
	}
	return DPI_YES;
}

/* --- telnet: RFC 854, 855 --- */

#define TELNET_IAC 255
#define TELNET_SE 240
#define TELNET_SB 250
#define TELNET_WILL 251
#define TELNET_COMMANDS_MAX 64

/* Options of the IANA list that somebody uses. */
static bool is_telnet_option(uint8_t option)
{
	return option <= 49 || (option >= 138 && option <= 140);
}

/* The length of the sub-negotiation that begins there, 0: not whole. */
static size_t telnet_sub(const uint8_t *bytes, size_t length)
{
	for (size_t i = 3; i + 1 < length; i++) {
		if (bytes[i] == TELNET_IAC && bytes[i + 1] == TELNET_SE)
			return i + 2;
	}
	return 0;
}

/* Two commands in a row; one alone may be other bytes. */
enum dpi_answer dpi_telnet(const uint8_t *bytes, size_t length)
{
	size_t at = 0, n = 0;

	while (
	    n < TELNET_COMMANDS_MAX && at < length && bytes[at] == TELNET_IAC) {
		if (at + 2 >= length)
			return n >= 2 ? DPI_YES : DPI_OPEN;
		if (bytes[at + 1] < TELNET_SB || bytes[at + 1] == TELNET_IAC ||
		    !is_telnet_option(bytes[at + 2]))
			return DPI_NO;
		n++;
		if (bytes[at + 1] >= TELNET_WILL) {
			at += 3;
			continue;
		}
		if (!telnet_sub(bytes + at, length - at))
			return n >= 2 ? DPI_YES : DPI_OPEN;
		at += telnet_sub(bytes + at, length - at);
	}
	if (n >= 2)
		return DPI_YES;
	return at == length ? DPI_OPEN : DPI_MAYBE;
}

/* --- RDP: MS-RDPBCGR 2.2.1.1 in X.224 in TPKT (RFC 1006) --- */

#define TPKT_BYTES 4
#define X224_BYTES 7 /* length, code, two references, class */
#define X224_REQUEST 0xe0
#define X224_CONFIRM 0xd0
#define RDP_NEGOTIATION_BYTES 8
#define RDP_REQUEST_MAX 512

static enum dpi_answer x224(const uint8_t *bytes, size_t length, uint8_t code)
{
	const uint16_t head[] = {
	    3, 0, DPI_ANY, DPI_ANY, DPI_ANY, code, 0, 0, DPI_ANY, DPI_ANY, 0};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	unsigned size;

	if (answer == DPI_NO || length < 5)
		return answer;
	size = dpi_be16(bytes + 2);
	if (size < TPKT_BYTES + X224_BYTES || size > RDP_REQUEST_MAX ||
	    bytes[4] != size - TPKT_BYTES - 1)
		return DPI_NO;
	if (answer == DPI_YES && length < size)
		return DPI_OPEN;
	return answer;
}

/* RDP_NEG_REQ, RSP or FAILURE: type, flags, 8 as little endian, a word. */
static bool is_negotiation(const uint8_t *bytes, uint8_t least, uint8_t most)
{
	return bytes[0] >= least && bytes[0] <= most && bytes[2] == 8 &&
	       !bytes[3] && !bytes[5] && !bytes[6] && !bytes[7];
}

/* A cookie or routing token, a negotiation, both, or neither of them. Other
 * users of X.224, such as S7, have parameters there. */
enum dpi_answer dpi_rdp_client(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer = x224(bytes, length, X224_REQUEST);
	const uint8_t *rest = bytes + TPKT_BYTES + X224_BYTES;
	size_t n;

	if (answer != DPI_YES)
		return answer;
	n = (size_t)dpi_be16(bytes + 2) - TPKT_BYTES - X224_BYTES;
	if (!n)
		return bytes[8] || bytes[9] ? DPI_NO : DPI_YES;
	if (dpi_begins(rest, n, "Cookie: ms") == DPI_YES)
		return DPI_YES;
	return n >= RDP_NEGOTIATION_BYTES && is_negotiation(rest, 1, 1)
		   ? DPI_YES
		   : DPI_NO;
}

enum dpi_answer dpi_rdp_server(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer = x224(bytes, length, X224_CONFIRM);
	const uint8_t *rest = bytes + TPKT_BYTES + X224_BYTES;
	size_t n;

	if (answer != DPI_YES)
		return answer;
	n = (size_t)dpi_be16(bytes + 2) - TPKT_BYTES - X224_BYTES;
	if (!n)
		return DPI_MAYBE;
	return n == RDP_NEGOTIATION_BYTES && is_negotiation(rest, 2, 3)
		   ? DPI_YES
		   : DPI_NO;
}
