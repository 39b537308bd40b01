/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"
#include "base/crc32c.h"
#include "base/cursor.h"
#include "lb/proxy_proto_v2.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/* One end of the connection as it is said. */
struct end {
	int family; /* AF_UNSPEC when it is not an IP address */
	uint8_t ip[16]; /* IPv4 in the first four */
	uint16_t port;
};

/* IPv4-mapped addresses, which a dual-stack socket reports, are IPv4. */
static struct end end_of(const struct addr *a)
{
	struct end e = {.family = AF_UNSPEC, .port = addr_port(a)};
	struct cursor_out out = cursor_out_of(e.ip, sizeof(e.ip));

	if (!a->length)
		return e;
	if (a->sa.sa_family == AF_INET) {
		e.family = AF_INET;
		(void)cursor_put(&out, &a->in.sin_addr, 4);
	} else if (a->sa.sa_family != AF_INET6) {
		return e;
	} else if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		e.family = AF_INET;
		(void)cursor_put(&out, &a->in6.sin6_addr.s6_addr[12], 4);
	} else {
		e.family = AF_INET6;
		(void)cursor_put(&out, &a->in6.sin6_addr, 16);
	}
	return e;
}

/* The family that can say both ends; AF_UNSPEC when none can. */
static int family_of(const struct end *source, const struct end *destination)
{
	if (!source->family || !destination->family)
		return AF_UNSPEC;
	return source->family == destination->family ? source->family
						     : AF_INET6;
}

/* PP 2.1. inet_ntop() would write an IPv4-mapped address with dots, which is
 * not in the grammar of TCP6. */
static void text_of(const struct end *e, int family, char ret[INET6_ADDRSTRLEN])
{
	if (family == AF_INET6 && e->family == AF_INET) {
		(void)snprintf(ret, INET6_ADDRSTRLEN, "::ffff:%x:%x",
		    (unsigned)(e->ip[0] << 8 | e->ip[1]),
		    (unsigned)(e->ip[2] << 8 | e->ip[3]));
		return;
	}
	br_assert(inet_ntop(family, e->ip, ret, INET6_ADDRSTRLEN));
}

int proxy_build_v1(uint8_t *ret, size_t room, const struct proxy_out *out)
{
	struct end source = end_of(&out->source);
	struct end destination = end_of(&out->destination);
	int family = family_of(&source, &destination);
	struct cursor_out c = cursor_out_of(ret, room);
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	char line[PROXY_V1_BYTES_MAX + 1];
	int length;

	if (!family) {
		length = snprintf(line, sizeof(line), "PROXY UNKNOWN\r\n");
	} else {
		text_of(&source, family, from);
		text_of(&destination, family, to);
		length =
		    snprintf(line, sizeof(line), "PROXY TCP%c %s %s %u %u\r\n",
			family == AF_INET ? '4' : '6', from, to, source.port,
			destination.port);
	}
	br_assert(length > 0 && length <= PROXY_V1_BYTES_MAX);
	return cursor_put(&c, line, (size_t)length) ? length : -ENOBUFS;
}

static void in6_put(struct cursor_out *c, const struct end *e)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (e->family == AF_INET)
		(void)cursor_put(c, mapped, sizeof(mapped));
	(void)cursor_put(c, e->ip, e->family == AF_INET ? 4 : 16);
}

static void un_put(struct cursor_out *c, const struct addr *a)
{
	static const uint8_t zeros[PROXY_V2_UNIX_BYTES];
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t n = a->length > start ? a->length - start : 0;

	if (n > PROXY_V2_UNIX_BYTES)
		n = PROXY_V2_UNIX_BYTES;
	(void)cursor_put(c, a->un.sun_path, n);
	(void)cursor_put(c, zeros, PROXY_V2_UNIX_BYTES - n);
}

/* What stands between the signature and the addresses. The length is set at
 * the end. */
static void head_put(struct cursor_out *c, enum proxy_v2_family family)
{
	bool none = family == PROXY_V2_UNSPEC;

	(void)cursor_put_u8(c, none ? PROXY_V2_LOCAL : PROXY_V2_PROXY);
	(void)cursor_put_u8(
	    c, none ? 0 : (uint8_t)((unsigned)family << 4 | PROXY_V2_STREAM));
	(void)cursor_put_be16(c, 0);
}

static void addresses_put(struct cursor_out *c, const struct proxy_out *out)
{
	struct end source = end_of(&out->source);
	struct end destination = end_of(&out->destination);
	int family = family_of(&source, &destination);

	if (out->unix_addresses && addr_is_unix(&out->source) &&
	    addr_is_unix(&out->destination)) {
		head_put(c, PROXY_V2_UNIX);
		un_put(c, &out->source);
		un_put(c, &out->destination);
		return;
	}
	if (!family) {
		head_put(c, PROXY_V2_UNSPEC);
		return;
	}
	if (family == AF_INET) {
		head_put(c, PROXY_V2_INET);
		(void)cursor_put(c, source.ip, 4);
		(void)cursor_put(c, destination.ip, 4);
	} else {
		head_put(c, PROXY_V2_INET6);
		in6_put(c, &source);
		in6_put(c, &destination);
	}
	(void)cursor_put_be16(c, source.port);
	(void)cursor_put_be16(c, destination.port);
}

static void tlv_put(
    struct cursor_out *c, enum proxy_tlv_type type, struct proxy_slice value)
{
	if (!value.length)
		return;
	/* Longer ones have no room in any header. */
	if (value.length > PROXY_V2_BYTES_MAX) {
		c->failed = true;
		return;
	}
	(void)cursor_put_u8(c, (uint8_t)type);
	(void)cursor_put_be16(c, (uint16_t)value.length);
	(void)cursor_put(c, value.at, value.length);
}

/* A length that was left open: of what stands behind its two bytes. */
static void length_set(const struct cursor_out *c, uint8_t *at)
{
	struct cursor_out field = cursor_out_of(at, 2);

	if (!c->failed)
		(void)cursor_put_be16(&field, (uint16_t)(c->at - at - 2));
}

static void ssl_put(struct cursor_out *c, const struct proxy_ssl *ssl)
{
	uint8_t *length_at;

	if (!ssl->present)
		return;
	(void)cursor_put_u8(c, PROXY_TLV_SSL);
	length_at = c->at;
	(void)cursor_put_be16(c, 0);
	(void)cursor_put_u8(c, ssl->client);
	(void)cursor_put_be32(c, ssl->verify);
	tlv_put(c, PROXY_TLV_SSL_VERSION, ssl->version);
	tlv_put(c, PROXY_TLV_SSL_CN, ssl->cn);
	tlv_put(c, PROXY_TLV_SSL_CIPHER, ssl->cipher);
	tlv_put(c, PROXY_TLV_SSL_SIG_ALG, ssl->sig_alg);
	tlv_put(c, PROXY_TLV_SSL_KEY_ALG, ssl->key_alg);
	length_set(c, length_at);
}

/* PP 2.2.3: summed when all else stands, with zeros in its place. */
static void crc_set(const struct cursor_out *c)
{
	uint32_t sum = crc32c(0, c->base, cursor_out_length(c));
	struct cursor_out field = cursor_out_of(c->at - 4, 4);

	(void)cursor_put_be32(&field, sum);
}

int proxy_build_v2(uint8_t *ret, size_t room, const struct proxy_out *out)
{
	struct cursor_out c = cursor_out_of(
	    ret, room < PROXY_V2_BYTES_MAX ? room : PROXY_V2_BYTES_MAX);

	if (out->unique_id.length > PROXY_UNIQUE_ID_MAX)
		return -EINVAL;
	(void)cursor_put(
	    &c, PROXY_V2_SIGNATURE, sizeof(PROXY_V2_SIGNATURE) - 1);
	if (out->local) {
		head_put(&c, PROXY_V2_UNSPEC);
		return c.failed ? -ENOBUFS : (int)cursor_out_length(&c);
	}
	addresses_put(&c, out);
	tlv_put(&c, PROXY_TLV_ALPN, out->alpn);
	tlv_put(&c, PROXY_TLV_AUTHORITY, out->authority);
	tlv_put(&c, PROXY_TLV_UNIQUE_ID, out->unique_id);
	ssl_put(&c, &out->ssl);
	if (out->crc32c) {
		(void)cursor_put_u8(&c, PROXY_TLV_CRC32C);
		(void)cursor_put_be16(&c, 4);
		(void)cursor_put_be32(&c, 0);
	}
	if (c.failed)
		return -ENOBUFS;
	length_set(&c, ret + PROXY_V2_LENGTH_AT);
	if (out->crc32c)
		crc_set(&c);
	return (int)cursor_out_length(&c);
}
