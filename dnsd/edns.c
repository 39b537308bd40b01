/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/edns.h"

#include "base/assert.h"

#include <string.h>

/* -- reading ----------------------------------------------------------- */

static uint8_t bytes_of(uint8_t bits)
{
	return (uint8_t)((bits + 7) / 8);
}

/* RFC 7871 section 6: as many bytes as the length in bits asks for, no bit
 * set behind it, and in a query no scope. Family 0, which is in no registry,
 * is what some programs send with no address at all. */
bool edns_subnet_read(struct edns_subnet *ret, struct cursor content)
{
	static const uint8_t bits[] = {0, 32, 128};
	struct edns_subnet subnet = {0};
	uint16_t family;
	uint8_t scope;

	if (!cursor_be16(&content, &family) ||
	    !cursor_u8(&content, &subnet.source) ||
	    !cursor_u8(&content, &scope))
		return false;
	if (family > EDNS_IPV6 || subnet.source > bits[family] || scope)
		return false;
	subnet.family = (uint8_t)family;
	uint8_t n = bytes_of(subnet.source);

	if (cursor_left(&content) != n ||
	    !cursor_copy(&content, subnet.address, n))
		return false;
	if (subnet.source % 8 &&
	    (uint8_t)(subnet.address[n - 1] << subnet.source % 8))
		return false;
	*ret = subnet;
	return true;
}

/* RFC 7873 section 5.2.2: 8 bytes of the client's, and none or 8 to 32 of the
 * server's. Behind the first the others are ignored (section 5.2). */
static bool read_cookie(struct edns *edns, struct cursor content)
{
	size_t length = cursor_left(&content);

	if (edns->cookie_length)
		return true;
	if (length != 8 && (length < 16 || length > 40))
		return false;
	edns->cookie = content.at;
	edns->cookie_length = (uint8_t)length;
	return true;
}

static bool read_option(struct edns *edns, uint16_t code, struct cursor content)
{
	switch (code) {
	case EDNS_NSID:
		edns->has_nsid = true;
		return true;
	case EDNS_SUBNET:
		if (edns->has_subnet)
			return true;
		edns->has_subnet = true;
		return edns_subnet_read(&edns->subnet, content);
	case EDNS_COOKIE:
		return read_cookie(edns, content);
	case EDNS_KEEPALIVE:
		edns->has_keepalive = true;
		return true;
	case EDNS_PADDING:
		edns->has_padding = true;
		return true;
	default:
		return true; /* RFC 6891 section 6.1.2 */
	}
}

bool edns_read(
    struct edns *ret, uint16_t class, uint32_t ttl, struct cursor options)
{
	/* RFC 6891 section 6.2.3: less than 512 is 512. */
	*ret = (struct edns){
	    .present = true,
	    .udp_size = class < 512 ? 512 : class,
	    .version = (uint8_t)(ttl >> 16),
	    .dnssec_ok = ttl & 0x8000,
	};
	if (ret->version)
		return true;
	while (cursor_left(&options)) {
		struct cursor content;
		uint16_t code, length;

		if (!cursor_be16(&options, &code) ||
		    !cursor_be16(&options, &length) ||
		    !cursor_take(&options, length, &content) ||
		    !read_option(ret, code, content))
			return false;
	}
	return true;
}

/* -- writing ----------------------------------------------------------- */

#define OPTION_HEAD 4u

static size_t nsid_size(const struct edns_reply *reply)
{
	return reply->nsid ? OPTION_HEAD + strlen(reply->nsid) : 0;
}

size_t edns_reply_size(const struct edns *query, const struct edns_reply *reply)
{
	size_t size = EDNS_FIXED_BYTES + nsid_size(reply);

	if (reply->subnet)
		size += OPTION_HEAD + 4u + bytes_of(query->subnet.source);
	if (reply->cookie)
		size += OPTION_HEAD + COOKIE_BYTES;
	if (reply->keepalive)
		size += OPTION_HEAD + 2u;
	if (reply->error != EDNS_ERROR_NONE)
		size += OPTION_HEAD + 2u;
	return size;
}

static bool put_head(struct cursor_out *out, uint16_t code, size_t length)
{
	return cursor_put_be16(out, code) &&
	       cursor_put_be16(out, (uint16_t)length);
}

/* RFC 7871 section 7.2.1: family, source and address as they came. */
static void put_subnet(
    struct cursor_out *out, const struct edns_subnet *subnet, uint8_t scope)
{
	uint8_t n = bytes_of(subnet->source);

	(void)put_head(out, EDNS_SUBNET, 4u + n);
	(void)cursor_put_be16(out, subnet->family);
	(void)cursor_put_u8(out, subnet->source);
	(void)cursor_put_u8(out, scope);
	(void)cursor_put(out, subnet->address, n);
}

static void put_options(const struct edns *query,
    const struct edns_reply *reply, struct cursor_out *out)
{
	if (reply->nsid) {
		(void)put_head(out, EDNS_NSID, strlen(reply->nsid));
		(void)cursor_put(out, reply->nsid, strlen(reply->nsid));
	}
	if (reply->subnet)
		put_subnet(out, &query->subnet, reply->scope);
	if (reply->cookie) {
		(void)put_head(out, EDNS_COOKIE, COOKIE_BYTES);
		(void)cursor_put(out, reply->cookie_bytes, COOKIE_BYTES);
	}
	if (reply->keepalive) {
		(void)put_head(out, EDNS_KEEPALIVE, 2);
		(void)cursor_put_be16(out, reply->keepalive_100ms);
	}
	if (reply->error != EDNS_ERROR_NONE) {
		(void)put_head(out, EDNS_ERROR, 2);
		(void)cursor_put_be16(out, (uint16_t)reply->error);
	}
}

/* Zeros up to a whole block, or up to the limit (RFC 8467 section 4.1). */
static void put_padding(struct cursor_out *out, size_t limit)
{
	size_t length = cursor_out_length(out) + OPTION_HEAD;
	size_t to = (length + EDNS_PADDING_BLOCK - 1) / EDNS_PADDING_BLOCK *
		    EDNS_PADDING_BLOCK;

	if (length > limit)
		return;
	if (to > limit)
		to = limit;
	(void)put_head(out, EDNS_PADDING, to - length);
	for (; length < to; length++)
		(void)cursor_put_u8(out, 0);
}

void edns_reply_write(const struct edns *query, const struct edns_reply *reply,
    size_t message_limit, struct cursor_out *out)
{
	struct cursor_out length;

	(void)cursor_put_u8(out, 0);
	(void)cursor_put_be16(out, EDNS_TYPE);
	(void)cursor_put_be16(out, EDNS_UDP_BYTES);
	(void)cursor_put_u8(out, (uint8_t)(reply->rcode >> 4));
	(void)cursor_put_u8(out, 0); /* version */
	(void)cursor_put_be16(out, reply->dnssec_ok ? 0x8000 : 0);
	length = cursor_out_of(out->at, 2);
	(void)cursor_put_be16(out, 0);
	put_options(query, reply, out);
	if (message_limit)
		put_padding(out, message_limit);
	(void)cursor_put_be16(&length, (uint16_t)(out->at - length.base - 2));
	br_assert(!out->failed);
}
