/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/proxy_proto_v2.h"

#include "base/crc32c.h"
#include "base/cursor.h"

#include <stddef.h>

/* The fixed part, as far as it says anything. */
struct head {
	bool local;
	uint8_t family, transport;
	uint32_t bytes; /* of the whole header */
};

static enum proxy_result refuse(enum proxy_cause *ret, enum proxy_cause cause)
{
	*ret = cause;
	return PROXY_MALFORMED;
}

/* PP 2.2: what is not assigned is dropped at once. */
static enum proxy_result head_read(struct cursor c, struct head *ret,
    uint32_t *ret_need, enum proxy_cause *ret_cause)
{
	const size_t signature = sizeof(PROXY_V2_SIGNATURE) - 1;
	uint8_t command, family;
	uint16_t length;

	*ret_need = PROXY_V2_HEAD_BYTES;
	if (!cursor_skip(&c, signature)) {
		*ret_need = (uint32_t)signature + 1;
		return PROXY_MORE;
	}
	if (!cursor_u8(&c, &command))
		return PROXY_MORE;
	if (command != PROXY_V2_LOCAL && command != PROXY_V2_PROXY)
		return refuse(ret_cause, PROXY_CAUSE_V2_COMMAND);
	ret->local = command == PROXY_V2_LOCAL;
	if (!cursor_u8(&c, &family))
		return PROXY_MORE;
	ret->family = family >> 4;
	ret->transport = family & 0x0f;
	/* With LOCAL the family is ignored. */
	if (!ret->local &&
	    (ret->family > PROXY_V2_UNIX || ret->transport > PROXY_V2_DGRAM))
		return refuse(ret_cause, PROXY_CAUSE_V2_FAMILY);
	if (!cursor_be16(&c, &length))
		return PROXY_MORE;
	ret->bytes = PROXY_V2_HEAD_BYTES + (uint32_t)length;
	if (ret->bytes > PROXY_V2_BYTES_MAX)
		return refuse(ret_cause, PROXY_CAUSE_V2_LENGTH);
	return PROXY_DONE;
}

static bool in_read(struct cursor *c, struct proxy_header *ret)
{
	struct addr from = {.in.sin_family = AF_INET}, to = from;

	from.length = to.length = sizeof(from.in);
	if (!cursor_copy(c, &from.in.sin_addr, 4) ||
	    !cursor_copy(c, &to.in.sin_addr, 4) ||
	    !cursor_copy(c, &from.in.sin_port, 2) ||
	    !cursor_copy(c, &to.in.sin_port, 2))
		return false;
	ret->source = from;
	ret->destination = to;
	return true;
}

static bool in6_read(struct cursor *c, struct proxy_header *ret)
{
	struct addr from = {.in6.sin6_family = AF_INET6}, to = from;

	from.length = to.length = sizeof(from.in6);
	if (!cursor_copy(c, &from.in6.sin6_addr, 16) ||
	    !cursor_copy(c, &to.in6.sin6_addr, 16) ||
	    !cursor_copy(c, &from.in6.sin6_port, 2) ||
	    !cursor_copy(c, &to.in6.sin6_port, 2))
		return false;
	ret->source = from;
	ret->destination = to;
	return true;
}

/* 108 bytes: a path ends at its first zero, an abstract name (a leading zero)
 * at its last byte that is none; nothing but zeros is a socket without name. */
static bool un_read(struct cursor *c, struct addr *ret)
{
	struct addr a = {.un.sun_family = AF_UNIX};
	size_t n = PROXY_V2_UNIX_BYTES;

	_Static_assert(sizeof(a.un.sun_path) == PROXY_V2_UNIX_BYTES,
	    "PP 2.2 took it from there");
	if (!cursor_copy(c, a.un.sun_path, PROXY_V2_UNIX_BYTES))
		return false;
	if (a.un.sun_path[0]) {
		n = strnlen(a.un.sun_path, PROXY_V2_UNIX_BYTES);
		/* What stands behind the path says nothing. */
		for (size_t i = n; i < PROXY_V2_UNIX_BYTES; i++)
			a.un.sun_path[i] = '\0';
		n += n < PROXY_V2_UNIX_BYTES;
	} else {
		while (n && !a.un.sun_path[n - 1])
			n--;
	}
	a.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	*ret = a;
	return true;
}

static bool addresses_read(
    struct cursor *c, const struct head *head, struct proxy_header *ret)
{
	switch (head->family) {
	case PROXY_V2_INET:
		return in_read(c, ret);
	case PROXY_V2_INET6:
		return in6_read(c, ret);
	case PROXY_V2_UNIX:
		return un_read(c, &ret->source) &&
		       un_read(c, &ret->destination);
	default:
		return true;
	}
}

/* PP 2.2.6 */
static bool ssl_read(struct proxy_slice value, struct proxy_ssl *ret)
{
	struct cursor c = cursor_of(value.at, value.length);
	struct proxy_ssl ssl = {.present = true};
	struct proxy_slice subs, sub;
	uint8_t type;

	if (!cursor_u8(&c, &ssl.client) || !cursor_be32(&c, &ssl.verify))
		return false;
	subs = (struct proxy_slice){c.at, (uint32_t)cursor_left(&c)};
	while (proxy_tlv_next(&subs, &type, &sub)) {
		switch (type) {
		case PROXY_TLV_SSL_VERSION:
			ssl.version = sub;
			break;
		case PROXY_TLV_SSL_CN:
			ssl.cn = sub;
			break;
		case PROXY_TLV_SSL_CIPHER:
			ssl.cipher = sub;
			break;
		case PROXY_TLV_SSL_SIG_ALG:
			ssl.sig_alg = sub;
			break;
		case PROXY_TLV_SSL_KEY_ALG:
			ssl.key_alg = sub;
			break;
		default:
			break;
		}
	}
	*ret = ssl;
	return subs.length == 0;
}

/* PP 2.2.3: the sum is over the whole header with the field as zeros. */
static bool crc_right(const uint8_t *header, uint32_t bytes, const uint8_t *at)
{
	static const uint8_t zeros[4];
	struct cursor c = cursor_of(at, sizeof(zeros));
	uint32_t before = (uint32_t)(at - header);
	uint32_t behind = before + (uint32_t)sizeof(zeros);
	uint32_t said = 0, sum;

	(void)cursor_be32(&c, &said);
	sum = crc32c(0, header, before);
	sum = crc32c(sum, zeros, sizeof(zeros));
	sum = crc32c(sum, header + behind, bytes - behind);
	return sum == said;
}

/* One TLV; of several of one type the last holds. */
static enum proxy_cause tlv_read(uint8_t type, struct proxy_slice value,
    struct proxy_header *ret, struct proxy_slice *ret_crc)
{
	switch (type) {
	case PROXY_TLV_ALPN:
		ret->alpn = value;
		break;
	case PROXY_TLV_AUTHORITY:
		ret->authority = value;
		break;
	case PROXY_TLV_UNIQUE_ID:
		if (value.length > PROXY_UNIQUE_ID_MAX)
			return PROXY_CAUSE_V2_TLV;
		ret->unique_id = value;
		break;
	case PROXY_TLV_SSL:
		if (!ssl_read(value, &ret->ssl))
			return PROXY_CAUSE_V2_TLV;
		break;
	case PROXY_TLV_CRC32C:
		/* With two no sum could be right. */
		if (value.length != 4 || ret_crc->at)
			return PROXY_CAUSE_V2_TLV;
		*ret_crc = value;
		break;
	default:
		break;
	}
	return PROXY_CAUSE_NONE;
}

static enum proxy_cause tlvs_read(
    const uint8_t *header, struct cursor c, struct proxy_header *ret)
{
	struct proxy_slice left = {c.at, (uint32_t)cursor_left(&c)};
	struct proxy_slice value, crc = {0};
	uint8_t type;

	ret->tlvs = left;
	while (proxy_tlv_next(&left, &type, &value)) {
		enum proxy_cause cause = tlv_read(type, value, ret, &crc);

		if (cause)
			return cause;
	}
	if (left.length)
		return PROXY_CAUSE_V2_TLV;
	if (crc.at && !crc_right(header, ret->bytes, crc.at))
		return PROXY_CAUSE_V2_CRC32C;
	return PROXY_CAUSE_NONE;
}

/* PP 2.2 leaves open what stands behind AF_UNSPEC; senders put TLVs there, so
 * anything else is malformed. */
static enum proxy_cause block_read(
    const uint8_t *bytes, const struct head *head, struct proxy_header *ret)
{
	struct cursor c = cursor_of(bytes, head->bytes);

	(void)cursor_skip(&c, PROXY_V2_HEAD_BYTES);
	if (!addresses_read(&c, head, ret))
		return PROXY_CAUSE_V2_ADDRESS;
	ret->datagram = head->transport == PROXY_V2_DGRAM;
	if (head->family == PROXY_V2_UNSPEC || !head->transport)
		ret->source = ret->destination = (struct addr){0};
	return tlvs_read(bytes, c, ret);
}

enum proxy_result proxy_v2_parse(const uint8_t *bytes, size_t length,
    struct proxy_header *ret, uint32_t *ret_need, enum proxy_cause *ret_cause)
{
	struct proxy_header header = {.version = 2};
	enum proxy_result result;
	enum proxy_cause cause;
	struct head head;

	result =
	    head_read(cursor_of(bytes, length), &head, ret_need, ret_cause);
	if (result != PROXY_DONE)
		return result;
	if (length < head.bytes) {
		*ret_need = head.bytes;
		return PROXY_MORE;
	}
	header.bytes = head.bytes;
	header.local = head.local;
	/* PP 2.2: with LOCAL the block is discarded whatever it holds. */
	cause =
	    head.local ? PROXY_CAUSE_NONE : block_read(bytes, &head, &header);
	if (cause)
		return refuse(ret_cause, cause);
	*ret = header;
	return PROXY_DONE;
}
