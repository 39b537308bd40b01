/* SPDX-License-Identifier: Apache-2.0 */
#include "profiler/client_hello_body.h"

#include "base/cursor.h"

/* RFC 8446 4.1.2 */
#define RANDOM_BYTES 32
#define SESSION_ID_BYTES_MAX 32

/* IANA, TLS ExtensionType Values. */
enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_SESSION_TICKET = 35,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_EARLY_DATA = 42,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_ECH = 0xfe0d,
};

#define SERVER_NAME_HOST 0

/* A list whose length stands before it in one byte, or in two. */
static bool take_u8(struct cursor *c, struct cursor *ret)
{
	uint8_t length;

	return cursor_u8(c, &length) && cursor_take(c, length, ret);
}

static bool take_u16(struct cursor *c, struct cursor *ret)
{
	uint16_t length;

	return cursor_be16(c, &length) && cursor_take(c, length, ret);
}

/* One byte of a host name in lower case, or 0. "_" is in no host name (RFC
 * 952), but in many names that clients use. */
static char host_byte(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte - 'A' + 'a');
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
	    byte == '-' || byte == '_' || byte == '.')
		return (char)byte;
	return 0;
}

/* RFC 6066 3: without a final dot; some clients send it all the same. */
static bool host_copy(struct cursor name, struct client_hello *ret)
{
	size_t n = 0;
	uint8_t byte = 0;

	if (cursor_left(&name) > 1 && name.end[-1] == '.')
		name.end--;
	if (cursor_left(&name) > CLIENT_HELLO_NAME_MAX)
		return false;
	while (cursor_left(&name)) {
		bool begins = n == 0 || ret->name[n - 1] == '.';

		(void)cursor_u8(&name, &byte);
		ret->name[n] = host_byte(byte);
		if (!ret->name[n] || (begins && byte == '.'))
			return false;
		n++;
	}
	if (ret->name[n - 1] == '.')
		return false;
	ret->name[n] = '\0';
	ret->name_length = (uint8_t)n;
	return true;
}

/* RFC 6066 3: at most one name of a type; types to come begin with a length of
 * 16 bits, too. */
static bool read_server_name(struct cursor c, struct client_hello *ret)
{
	struct cursor list, name;
	bool seen = false;
	uint8_t type;

	if (!take_u16(&c, &list) || cursor_left(&c) || !cursor_left(&list))
		return false;
	while (cursor_left(&list)) {
		if (!cursor_u8(&list, &type) || !take_u16(&list, &name))
			return false;
		if (type != SERVER_NAME_HOST)
			continue;
		if (seen || !cursor_left(&name))
			return false;
		seen = true;
		if (!host_copy(name, ret)) {
			ret->name[0] = '\0';
			ret->name_odd = true;
		}
	}
	return true;
}

/* RFC 7301 3.1 */
static bool read_alpn(struct cursor c, struct client_hello *ret)
{
	struct cursor_out out = cursor_out_of(ret->alpn, sizeof(ret->alpn));
	struct cursor list, name;

	if (!take_u16(&c, &list) || cursor_left(&c) || !cursor_left(&list))
		return false;
	while (cursor_left(&list)) {
		size_t length;

		if (!take_u8(&list, &name) || !cursor_left(&name))
			return false;
		length = cursor_left(&name);
		if (ret->alpn_cut || length + 1 > (size_t)(out.end - out.at)) {
			ret->alpn_cut = true;
			continue;
		}
		(void)cursor_put_u8(&out, (uint8_t)length);
		(void)cursor_put(&out, name.at, length);
	}
	ret->alpn_length = (uint16_t)cursor_out_length(&out);
	return true;
}

static uint8_t version_bit(uint16_t version)
{
	switch (version) {
	case 0x0300:
		return CLIENT_HELLO_SSL3;
	case 0x0301:
		return CLIENT_HELLO_TLS10;
	case 0x0302:
		return CLIENT_HELLO_TLS11;
	case 0x0303:
		return CLIENT_HELLO_TLS12;
	case 0x0304:
		return CLIENT_HELLO_TLS13;
	default:
		return 0; /* also GREASE, RFC 8701 */
	}
}

/* RFC 8446 4.2.1: what it lists is all that is offered. */
static bool read_versions(struct cursor c, struct client_hello *ret)
{
	struct cursor list;
	uint16_t version;

	if (!take_u8(&c, &list) || cursor_left(&c) || !cursor_left(&list))
		return false;
	ret->versions = 0;
	while (cursor_left(&list)) {
		if (!cursor_be16(&list, &version))
			return false;
		ret->versions |= version_bit(version);
	}
	return true;
}

static enum client_hello_cause read_extension(
    uint16_t type, struct cursor body, struct client_hello *ret)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return read_server_name(body, ret)
			   ? CLIENT_HELLO_CAUSE_NONE
			   : CLIENT_HELLO_CAUSE_SERVER_NAME;
	case EXTENSION_ALPN:
		return read_alpn(body, ret) ? CLIENT_HELLO_CAUSE_NONE
					    : CLIENT_HELLO_CAUSE_ALPN;
	case EXTENSION_SUPPORTED_VERSIONS:
		return read_versions(body, ret) ? CLIENT_HELLO_CAUSE_NONE
						: CLIENT_HELLO_CAUSE_VERSIONS;
	case EXTENSION_SESSION_TICKET:
		ret->ticket = cursor_left(&body) > 0;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		ret->psk = true;
		break;
	case EXTENSION_EARLY_DATA:
		ret->early_data = true;
		break;
	case EXTENSION_ECH:
		ret->ech = true;
		break;
	default:
		break;
	}
	return CLIENT_HELLO_CAUSE_NONE;
}

/* A bit for each type that is read, 0 for the others. */
static uint8_t seen_bit(uint16_t type)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return 0x01;
	case EXTENSION_ALPN:
		return 0x02;
	case EXTENSION_SUPPORTED_VERSIONS:
		return 0x04;
	case EXTENSION_SESSION_TICKET:
		return 0x08;
	case EXTENSION_PRE_SHARED_KEY:
		return 0x10;
	case EXTENSION_EARLY_DATA:
		return 0x20;
	case EXTENSION_ECH:
		return 0x40;
	default:
		return 0;
	}
}

/* RFC 8446 4.2: none twice. Two names would let us and the server read
 * different ones. */
static enum client_hello_cause read_extensions(
    struct cursor list, struct client_hello *ret)
{
	uint8_t seen = 0;

	while (cursor_left(&list)) {
		enum client_hello_cause cause;
		struct cursor body;
		uint16_t type;

		if (!cursor_be16(&list, &type) || !take_u16(&list, &body) ||
		    seen & seen_bit(type))
			return CLIENT_HELLO_CAUSE_EXTENSIONS;
		seen |= seen_bit(type);
		cause = read_extension(type, body, ret);
		if (cause)
			return cause;
	}
	return CLIENT_HELLO_CAUSE_NONE;
}

/* All before the extensions. */
static bool read_front(struct cursor *c, struct client_hello *ret)
{
	struct cursor session_id, suites, compression;
	uint16_t version;

	if (!cursor_be16(c, &version) || version < 0x0300 || version > 0x03ff ||
	    !cursor_skip(c, RANDOM_BYTES) || !take_u8(c, &session_id) ||
	    !take_u16(c, &suites) || !take_u8(c, &compression))
		return false;
	if (cursor_left(&session_id) > SESSION_ID_BYTES_MAX ||
	    !cursor_left(&suites) || cursor_left(&suites) % 2 ||
	    !cursor_left(&compression))
		return false;
	ret->session_id = cursor_left(&session_id) > 0;
	/* Without the extension it is "at most this one", RFC 5246 E.1; 1.3
	 * cannot be asked for this way. */
	for (uint16_t v = 0x0300; v <= version && v <= 0x0303; v++)
		ret->versions |= version_bit(v);
	return true;
}

enum client_hello_cause client_hello_body_read(
    const uint8_t *bytes, size_t length, struct client_hello *ret)
{
	struct cursor c = cursor_of(bytes, length);
	struct cursor extensions;

	if (!read_front(&c, ret))
		return CLIENT_HELLO_CAUSE_BODY;
	if (!cursor_left(&c))
		return CLIENT_HELLO_CAUSE_NONE;
	if (!take_u16(&c, &extensions) || cursor_left(&c))
		return CLIENT_HELLO_CAUSE_EXTENSIONS;
	return read_extensions(extensions, ret);
}

bool client_hello_body_begun(
    const uint8_t *bytes, size_t length, struct client_hello *ret)
{
	struct cursor c = cursor_of(bytes, length);
	enum client_hello_cause cause;
	uint16_t list;

	if (!read_front(&c, ret) || !cursor_be16(&c, &list))
		return false;
	/* The extension may still come. */
	ret->versions = 0;
	cause = read_extensions(c, ret);
	/* The last one is cut, mostly. */
	return !cause || cause == CLIENT_HELLO_CAUSE_EXTENSIONS;
}
