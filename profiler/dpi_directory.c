/* SPDX-License-Identifier: Apache-2.0 */
/* SMB, DNS over TCP, LDAP, Kerberos. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

/* --- SMB: MS-SMB2 2.1, 2.2.1, MS-CIFS; NetBIOS sessions: RFC 1002 4.3 --- */

#define SMB_MESSAGE_MAX 0x1ffff
#define SMB_HEADER_BYTES 32
#define NETBIOS_NAME_BYTES 32

/* Session request: the names of both sides, 34 bytes each. */
static enum dpi_answer netbios_request(const uint8_t *bytes, size_t length)
{
	static const uint16_t request[] = {
	    0x81, 0, 0, 2 * (NETBIOS_NAME_BYTES + 2), NETBIOS_NAME_BYTES};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, request);
	size_t end = BR_COUNT(request) + NETBIOS_NAME_BYTES;

	for (size_t i = BR_COUNT(request); i < end && i < length; i++) {
		if (bytes[i] < 'A' || bytes[i] > 'P')
			return DPI_NO;
	}
	return answer == DPI_YES && length < end ? DPI_OPEN : answer;
}

/* SMB 1 begins by negotiating (0x72); the header of SMB 2 has 64 bytes. */
enum dpi_answer dpi_smb(const uint8_t *bytes, size_t length)
{
	static const uint16_t one[] = {
	    0, DPI_ANY, DPI_ANY, DPI_ANY, 0xff, 'S', 'M', 'B', 0x72};
	static const uint16_t two[] = {
	    0, DPI_ANY, DPI_ANY, DPI_ANY, 0xfe, 'S', 'M', 'B', 64, 0};
	enum dpi_answer answer;
	uint32_t size;

	if (bytes[0] == 0x81)
		return netbios_request(bytes, length);
	answer = DPI_PATTERN(bytes, length, one);
	if (answer == DPI_NO)
		answer = DPI_PATTERN(bytes, length, two);
	if (answer == DPI_NO || length < 4)
		return answer;
	size = dpi_be24(bytes + 1);
	return size >= SMB_HEADER_BYTES && size <= SMB_MESSAGE_MAX ? answer
								   : DPI_NO;
}

/* --- DNS: RFC 1035 4, over TCP 4.2.2 --- */

#define DNS_HEADER_BYTES 12
#define DNS_QUERY_MAX 4096
#define DNS_LABEL_MAX 63
#define DNS_NAME_MAX 255
#define DNS_TYPE_OPT 41
#define DNS_TYPE_TSIG 250
#define DNS_ADDITIONAL_MAX 4
#define DNS_CODE_MAX 11

/* The name at *at: labels, no compression. */
static enum dpi_answer dns_name(const uint8_t *bytes, size_t length, size_t *at)
{
	size_t begin = *at;

	for (;;) {
		if (*at >= length)
			return DPI_OPEN;
		if (!bytes[*at])
			break;
		if (bytes[*at] > DNS_LABEL_MAX)
			return DPI_NO;
		*at += 1u + bytes[*at];
		if (*at - begin >= DNS_NAME_MAX)
			return DPI_NO;
	}
	++*at;
	return DPI_YES;
}

static bool is_dns_class(unsigned class)
{
	/* RFC 6762 5.4: the top bit asks for a unicast answer. */
	class &= 0x7fff;
	return class == 1 || class == 3 || class == 4 || class == 254 ||
	       class == 255;
}

/* What stands behind the question of a query: nothing, or OPT or TSIG. */
static enum dpi_answer dns_rest(const uint8_t *bytes, size_t length, size_t at,
    size_t size, unsigned records)
{
	unsigned type;

	if (!records)
		return at == size + 2 ? DPI_YES : DPI_NO;
	if (length < at + 3)
		return DPI_OPEN;
	type = dpi_be16(bytes + at + 1);
	if (!bytes[at] && type == DNS_TYPE_OPT)
		return DPI_YES;
	return bytes[at] && bytes[at] <= DNS_LABEL_MAX && at + 11 <= size + 2
		   ? DPI_MAYBE
		   : DPI_NO;
}

/* The flags, and how many records of each kind there are. */
static enum dpi_answer dns_header(
    const uint8_t *bytes, size_t length, bool answer)
{
	unsigned flags, opcode, code;

	if (length < 6)
		return DPI_OPEN;
	flags = dpi_be16(bytes + 4);
	opcode = flags >> 11 & 15;
	code = flags & 15;
	if (flags >> 15 != answer || (flags & 0x40) ||
	    code > (answer ? DNS_CODE_MAX : 0))
		return DPI_NO;
	/* QUERY, NOTIFY, UPDATE */
	if (opcode != 0 && opcode != 4 && opcode != 5)
		return DPI_NO;
	if (length < 8)
		return DPI_OPEN;
	if (dpi_be16(bytes + 6) != 1)
		return DPI_NO;
	if (length < 2 + DNS_HEADER_BYTES)
		return DPI_OPEN;
	if (answer)
		return DPI_YES;
	return !dpi_be16(bytes + 8) && dpi_be16(bytes + 10) <= 1 &&
		       dpi_be16(bytes + 12) <= DNS_ADDITIONAL_MAX
		   ? DPI_YES
		   : DPI_NO;
}

static enum dpi_answer dns(const uint8_t *bytes, size_t length, bool answer)
{
	size_t size, at = 2 + DNS_HEADER_BYTES;
	enum dpi_answer part;

	if (length < 2)
		return DPI_OPEN;
	size = dpi_be16(bytes);
	if (size < DNS_HEADER_BYTES + 5 || (!answer && size > DNS_QUERY_MAX))
		return DPI_NO;
	part = dns_header(bytes, length, answer);
	if (part != DPI_YES)
		return part;
	part = dns_name(bytes, length, &at);
	if (part != DPI_YES)
		return part;
	at += 4;
	if (at > size + 2)
		return DPI_NO;
	if (length < at)
		return DPI_OPEN;
	if (!dpi_be16(bytes + at - 4) ||
	    !is_dns_class(dpi_be16(bytes + at - 2)))
		return DPI_NO;
	if (answer)
		return DPI_YES;
	return dns_rest(bytes, length, at, size,
	    (unsigned)(dpi_be16(bytes + 10) + dpi_be16(bytes + 12)));
}

enum dpi_answer dpi_dns_client(const uint8_t *bytes, size_t length)
{
	return dns(bytes, length, false);
}

enum dpi_answer dpi_dns_server(const uint8_t *bytes, size_t length)
{
	return dns(bytes, length, true);
}

/* --- BER, as far as the two below need it: X.690 8.1 --- */

/* A header of this tag: its length, and `inner` behind it. */
static enum dpi_answer ber(struct cursor *c, uint8_t tag, uint32_t *ret_length)
{
	uint8_t byte, more;
	uint32_t length;

	if (!cursor_u8(c, &byte))
		return DPI_OPEN;
	if (byte != tag)
		return DPI_NO;
	if (!cursor_u8(c, &byte))
		return DPI_OPEN;
	length = byte;
	if (byte & 0x80) {
		if (byte < 0x81 || byte > 0x84)
			return DPI_NO;
		length = 0;
		for (int i = 0; i < (byte & 7); i++) {
			if (!cursor_u8(c, &more))
				return DPI_OPEN;
			length = length << 8 | more;
		}
	}
	*ret_length = length;
	return DPI_YES;
}

/* A header that must fit exactly, or at least, into what is around it. */
static enum dpi_answer ber_in(
    struct cursor *c, uint8_t tag, uint32_t *left, bool whole)
{
	size_t before = cursor_left(c);
	uint32_t length, header;
	enum dpi_answer answer = ber(c, tag, &length);

	if (answer != DPI_YES)
		return answer;
	header = (uint32_t)(before - cursor_left(c));
	if (*left < header || length > *left - header ||
	    (whole && length != *left - header))
		return DPI_NO;
	*left = length;
	return DPI_YES;
}

static enum dpi_answer expect(
    struct cursor *c, const uint8_t *bytes, size_t count)
{
	uint8_t byte;

	for (size_t i = 0; i < count; i++) {
		if (!cursor_u8(c, &byte))
			return DPI_OPEN;
		if (byte != bytes[i])
			return DPI_NO;
	}
	return DPI_YES;
}

/* --- LDAP: RFC 4511 4 --- */

#define LDAP_MESSAGE_MAX (1u << 20)
#define LDAP_BIND 0x60
#define LDAP_BOUND 0x61
#define LDAP_SEARCH 0x63
#define LDAP_EXTENDED 0x77
#define LDAP_EXTENDED_ANSWER 0x78

/* The message's sequence and its identifier; then *ret_tag is the operation's
 * and *left what is left of the message from it on. */
static enum dpi_answer ldap_message(
    struct cursor *c, uint8_t *ret_tag, uint32_t *left)
{
	uint32_t size, id;
	uint8_t byte;
	enum dpi_answer answer = ber(c, 0x30, left);

	if (answer != DPI_YES)
		return answer;
	if (*left < 8 || *left > LDAP_MESSAGE_MAX)
		return DPI_NO;
	size = *left;
	id = *left;
	answer = ber_in(c, 2, &id, false);
	if (answer != DPI_YES)
		return answer;
	if (id < 1 || id > 4)
		return DPI_NO;
	*left = size - 2 - id;
	for (uint32_t i = 0; i < id; i++) {
		if (!cursor_u8(c, &byte))
			return DPI_OPEN;
		if (!i && (byte & 0x80))
			return DPI_NO;
	}
	if (!cursor_left(c))
		return DPI_OPEN;
	*ret_tag = *c->at;
	return DPI_YES;
}

/* Bind: the version (2 or 3) and a name; search: a base; extended: an OID. */
enum dpi_answer dpi_ldap_client(const uint8_t *bytes, size_t length)
{
	static const uint8_t three[] = {2, 1, 3}, two[] = {2, 1, 2};
	struct cursor c = cursor_of(bytes, length), at;
	enum dpi_answer answer;
	uint32_t left;
	uint8_t tag;

	answer = ldap_message(&c, &tag, &left);
	if (answer != DPI_YES)
		return answer;
	if (tag != LDAP_BIND && tag != LDAP_SEARCH && tag != LDAP_EXTENDED)
		return DPI_NO;
	/* Controls may follow the operation. */
	answer = ber_in(&c, tag, &left, false);
	if (answer != DPI_YES)
		return answer;
	if (tag == LDAP_SEARCH)
		return ber_in(&c, 4, &left, false);
	if (tag == LDAP_EXTENDED)
		return ber_in(&c, 0x80, &left, false);
	at = c;
	answer = expect(&c, three, sizeof(three));
	if (answer == DPI_NO) {
		c = at;
		answer = expect(&c, two, sizeof(two));
	}
	if (answer != DPI_YES || left < sizeof(three))
		return answer;
	left -= (uint32_t)sizeof(three);
	return ber_in(&c, 4, &left, false);
}

enum dpi_answer dpi_ldap_server(const uint8_t *bytes, size_t length)
{
	static const uint8_t code[] = {10, 1};
	struct cursor c = cursor_of(bytes, length);
	enum dpi_answer answer;
	uint32_t left;
	uint8_t tag;

	answer = ldap_message(&c, &tag, &left);
	if (answer != DPI_YES)
		return answer;
	if (tag != LDAP_BOUND && tag != LDAP_EXTENDED_ANSWER)
		return DPI_NO;
	answer = ber_in(&c, tag, &left, false);
	return answer == DPI_YES ? expect(&c, code, sizeof(code)) : answer;
}

/* --- Kerberos: RFC 4120 5.4, over TCP 7.2.2 --- */

#define KERBEROS_MESSAGE_MAX 0xffff

/* Four bytes of length; an application tag and a sequence, which fill it;
 * then [first] version 5 and [first + 1] the type of message, which is the
 * tag's number. */
static enum dpi_answer kerberos(const uint8_t *bytes, size_t length,
    const uint8_t *types, size_t n_types, uint8_t first)
{
	const uint8_t head[] = {
	    first, 3, 2, 1, 5, (uint8_t)(first + 1), 3, 2, 1};
	struct cursor c = cursor_of(bytes, length);
	enum dpi_answer answer;
	uint32_t left;
	uint8_t type;

	if (length < 4)
		return bytes[0] ? DPI_NO : DPI_OPEN;
	(void)cursor_be32(&c, &left);
	if (left < 16 || left > KERBEROS_MESSAGE_MAX)
		return DPI_NO;
	if (!cursor_left(&c))
		return DPI_OPEN;
	for (size_t i = 0;; i++) {
		if (i == n_types)
			return DPI_NO;
		if (*c.at == (0x60 | types[i])) {
			type = types[i];
			break;
		}
	}
	answer = ber_in(&c, 0x60 | type, &left, true);
	if (answer == DPI_YES)
		answer = ber_in(&c, 0x30, &left, true);
	if (answer == DPI_YES)
		answer = expect(&c, head, sizeof(head));
	return answer == DPI_YES ? expect(&c, &type, 1) : answer;
}

/* AS-REQ, TGS-REQ */
enum dpi_answer dpi_kerberos_client(const uint8_t *bytes, size_t length)
{
	static const uint8_t types[] = {10, 12};

	return kerberos(bytes, length, types, BR_COUNT(types), 0xa1);
}

/* AS-REP, TGS-REP, KRB-ERROR */
enum dpi_answer dpi_kerberos_server(const uint8_t *bytes, size_t length)
{
	static const uint8_t types[] = {11, 13, 30};

	return kerberos(bytes, length, types, BR_COUNT(types), 0xa0);
}
