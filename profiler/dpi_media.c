/* SPDX-License-Identifier: Apache-2.0 */
/* RTMP, RTSP, STUN and TURN. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

/* --- RTMP 1.0 section 5.2 --- */

#define RTMP_BYTES 512 /* of 1537 */
#define RTMP_ZEROS_MAX 32

/* Version 3; a time; zeros, or the version of a player; then random bytes.
 * The first nine are too little, and others begin so: enough of the random
 * ones must be there, and look like it. */
enum dpi_answer dpi_rtmp(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {3, DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY,
	    DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);
	bool plain, player;
	unsigned zeros = 0;

	if (answer != DPI_YES)
		return answer;
	plain = !dpi_be32(bytes + 5);
	player = (bytes[5] >= 9 && bytes[5] <= 32 && bytes[6] <= 5) ||
		 (bytes[5] == 0x80 && !bytes[6]);
	if (!plain && !player)
		return DPI_NO;
	for (size_t i = BR_COUNT(head); i < length && i < RTMP_BYTES; i++)
		zeros += !bytes[i];
	if (zeros > RTMP_ZEROS_MAX)
		return DPI_NO;
	return length < RTMP_BYTES ? DPI_OPEN : DPI_YES;
}

/* --- RTSP: RFC 2326, 7826 --- */

#define RTSP_TARGET_MAX 400

enum dpi_answer dpi_rtsp_client(const uint8_t *bytes, size_t length)
{
	static const char *const methods[] = {"options", "describe", "announce",
	    "setup", "play", "record", "get_parameter", NULL};
	enum dpi_answer answer = dpi_command(bytes, length, methods);
	size_t at = 0, begin;

	if (answer != DPI_YES)
		return answer;
	while (bytes[at] > ' ')
		at++;
	if (bytes[at] != ' ')
		return DPI_NO;
	begin = ++at;
	while (at < length && bytes[at] > ' ' && at - begin < RTSP_TARGET_MAX)
		at++;
	if (at > begin && bytes[begin] != '*') {
		answer = dpi_begins_any_case(bytes + begin, at - begin, "rtsp");
		if (answer == DPI_NO)
			return DPI_NO;
	}
	if (at == length)
		return DPI_OPEN;
	if (bytes[at] != ' ')
		return DPI_NO;
	return dpi_begins(bytes + at + 1, length - at - 1, "RTSP/");
}

enum dpi_answer dpi_rtsp_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t status[] = {'R', 'T', 'S', 'P', '/', DPI_ANY, '.',
	    DPI_ANY, ' ', DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, status);

	if (answer != DPI_YES)
		return answer;
	return dpi_is_digit(bytes[5]) && dpi_is_digit(bytes[9]) &&
		       dpi_is_digit(bytes[10]) && dpi_is_digit(bytes[11])
		   ? DPI_YES
		   : DPI_NO;
}

/* --- STUN: RFC 8489 5, over TCP 6.2.2; framed as in RFC 4571 for ICE --- */

#define STUN_HEADER_BYTES 20

static enum dpi_answer stun(const uint8_t *bytes, size_t length)
{
	static const uint16_t head[] = {
	    DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY, 0x21, 0x12, 0xa4, 0x42};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, head);

	if (answer == DPI_NO || !length)
		return length ? DPI_NO : DPI_OPEN;
	/* Two zero bits; methods of the registry are below 0x100. */
	if (bytes[0] > 1)
		return DPI_NO;
	return length > 3 && bytes[3] % 4 ? DPI_NO : answer;
}

enum dpi_answer dpi_stun(const uint8_t *bytes, size_t length)
{
	enum dpi_answer answer = stun(bytes, length);

	if (answer != DPI_NO)
		return answer;
	if (length < 2)
		return DPI_OPEN;
	answer = stun(bytes + 2, length - 2);
	if (answer == DPI_NO || length < 6)
		return answer;
	return dpi_be16(bytes) == dpi_be16(bytes + 4) + STUN_HEADER_BYTES
		   ? answer
		   : DPI_NO;
}
