/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/proxy_proto_v1.h"

#include "base/cursor.h"

#include <arpa/inet.h>

/* "PROXY UNKNOWN" CR LF */
#define LINE_BYTES_MIN 15
#define PORT_DIGITS_MAX 5

enum line_state { LINE_WHOLE, LINE_OPEN, LINE_BROKEN };

static enum proxy_result refuse(enum proxy_cause *ret, enum proxy_cause cause)
{
	*ret = cause;
	return PROXY_MALFORMED;
}

/* The line without CR LF. PP 2.1: neither ends it alone. */
static enum line_state line_find(
    const uint8_t *bytes, size_t length, struct cursor *ret)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			if (!i || bytes[i - 1] != '\r')
				return LINE_BROKEN;
			*ret = cursor_of(bytes, i - 1);
			return LINE_WHOLE;
		}
		if (i && bytes[i - 1] == '\r')
			return LINE_BROKEN;
	}
	return LINE_OPEN;
}

/* Whether an open line can still become one: what stands behind "PROXY ". */
static bool may_be_protocol(const uint8_t *bytes, size_t length)
{
	static const char *const protocols[] = {"TCP4 ", "TCP6 ", "UNKNOWN"};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t n = strlen(protocols[i]);

		if (memcmp(bytes, protocols[i], n < length ? n : length) == 0)
			return true;
	}
	return false;
}

static enum proxy_result line_open(const uint8_t *bytes, size_t length,
    uint32_t *ret_need, enum proxy_cause *ret_cause)
{
	const size_t signature = sizeof(PROXY_V1_SIGNATURE) - 1;
	size_t need;

	if (length < signature) {
		*ret_need = (uint32_t)signature;
		return PROXY_MORE;
	}
	if (!may_be_protocol(bytes + signature, length - signature))
		return refuse(ret_cause, PROXY_CAUSE_V1_LINE);
	need = length + (bytes[length - 1] == '\r' ? 1 : 2);
	if (need < LINE_BYTES_MIN)
		need = LINE_BYTES_MIN;
	if (need > PROXY_V1_BYTES_MAX)
		return refuse(ret_cause, PROXY_CAUSE_V1_LENGTH);
	*ret_need = (uint32_t)need;
	return PROXY_MORE;
}

/* The bytes up to the next blank, which is consumed, or to the end: they are
 * terminated in `ret`. */
static bool word_take(struct cursor *c, char *ret, size_t room, bool last)
{
	const uint8_t *blank = memchr(c->at, ' ', cursor_left(c));
	size_t length = blank ? (size_t)(blank - c->at) : cursor_left(c);

	if (!blank != last || !length || length >= room ||
	    !cursor_copy(c, ret, length))
		return false;
	ret[length] = '\0';
	return last || cursor_skip(c, 1);
}

static bool address_take(struct cursor *c, int family, struct addr *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct addr a = {.sa.sa_family = (sa_family_t)family};
	void *ip = family == AF_INET ? (void *)&a.in.sin_addr
				     : (void *)&a.in6.sin6_addr;

	/* inet_pton() takes no zone, no leading zeros and no short forms, and
	 * a zero byte in the text makes it shorter than what was consumed. */
	if (!word_take(c, text, sizeof(text), false))
		return false;
	a.length = family == AF_INET ? sizeof(a.in) : sizeof(a.in6);
	if (inet_pton(family, text, ip) != 1)
		return false;
	*ret = a;
	return true;
}

/* PP 2.1: 0..65535 without leading zeros. */
static bool port_take(struct cursor *c, struct addr *to, bool last)
{
	char text[PORT_DIGITS_MAX + 1];
	uint32_t port = 0;

	if (!word_take(c, text, sizeof(text), last) ||
	    (text[0] == '0' && text[1]))
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		port = port * 10 + (uint32_t)(*p - '0');
	}
	if (port > UINT16_MAX)
		return false;
	addr_set_port(to, (uint16_t)port);
	return true;
}

/* What stands behind the signature. */
static enum proxy_cause line_read(struct cursor c, struct proxy_header *ret)
{
	int family = AF_INET;

	/* PP 2.1: the rest of such a line is ignored. */
	if (cursor_match(&c, "UNKNOWN"))
		return cursor_left(&c) && *c.at != ' ' ? PROXY_CAUSE_V1_LINE
						       : PROXY_CAUSE_NONE;
	if (memchr(c.at, '\0', cursor_left(&c)))
		return PROXY_CAUSE_V1_LINE;
	if (cursor_match(&c, "TCP6 "))
		family = AF_INET6;
	else if (!cursor_match(&c, "TCP4 "))
		return PROXY_CAUSE_V1_LINE;
	if (!address_take(&c, family, &ret->source) ||
	    !address_take(&c, family, &ret->destination))
		return PROXY_CAUSE_V1_ADDRESS;
	if (!port_take(&c, &ret->source, false) ||
	    !port_take(&c, &ret->destination, true))
		return PROXY_CAUSE_V1_PORT;
	return PROXY_CAUSE_NONE;
}

enum proxy_result proxy_v1_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need, enum proxy_cause *ret_cause)
{
	struct proxy_header header = {.version = 1};
	enum proxy_cause cause;
	struct cursor line;

	if (length > PROXY_V1_BYTES_MAX)
		length = PROXY_V1_BYTES_MAX;
	switch (line_find(bytes, length, &line)) {
	case LINE_BROKEN:
		return refuse(ret_cause, PROXY_CAUSE_V1_LINE);
	case LINE_OPEN:
		return line_open(bytes, length, ret_need, ret_cause);
	case LINE_WHOLE:
		break;
	}
	header.bytes = (uint32_t)cursor_left(&line) + 2;
	if (!cursor_match(&line, PROXY_V1_SIGNATURE))
		return refuse(ret_cause, PROXY_CAUSE_V1_LINE);
	cause = line_read(line, &header);
	if (cause)
		return refuse(ret_cause, cause);
	*ret = header;
	return PROXY_DONE;
}
