/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefix.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_TEXT_MAX 48 /* "[" IPv6 "]" and a terminator */

static uint8_t bits_max(const struct prefix *p)
{
	return p->family == AF_INET ? 32 : 128;
}

bool prefix_of_addr(struct prefix *ret, const struct addr *a)
{
	struct prefix p = {0};

	if (!a->length)
		return false;
	if (a->sa.sa_family == AF_INET) {
		p.family = AF_INET;
		memcpy(p.bytes, &a->in.sin_addr, 4);
	} else if (a->sa.sa_family != AF_INET6) {
		return false;
	} else if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		p.family = AF_INET;
		memcpy(p.bytes, &a->in6.sin6_addr.s6_addr[12], 4);
	} else {
		p.family = AF_INET6;
		memcpy(p.bytes, &a->in6.sin6_addr, 16);
	}
	p.bits = bits_max(&p);
	*ret = p;
	return true;
}

void prefix_cut(struct prefix *p, uint8_t bits)
{
	if (bits >= p->bits)
		return;
	p->bits = bits;
	if (bits % 8)
		p->bytes[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	for (unsigned i = (bits + 7u) / 8; i < sizeof(p->bytes); i++)
		p->bytes[i] = 0;
}

/* "0".."128" without sign, blank or leading zero. */
static int bits_parse(unsigned *ret, const char *text)
{
	unsigned v = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(*text - '0');
		if (v > 128)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

/* "::ffff:10.0.0.0/104" is 10.0.0.0/8, and "::ffff:0:0/90" is not IPv4. */
static int bits_of_mapped(
    struct prefix *p, unsigned *bits, const struct addr *a)
{
	if (a->sa.sa_family != AF_INET6 || p->family != AF_INET)
		return 0;
	if (*bits < 96)
		return -EDOM;
	*bits -= 96;
	return 0;
}

int prefix_parse(struct prefix *ret, const char *text)
{
	const char *slash = strchr(text, '/');
	char host[ADDRESS_TEXT_MAX];
	struct prefix p, cut;
	struct addr a;
	unsigned bits;
	int rc;

	if (!slash) {
		if (addr_parse_ip(&a, text) || strchr(text, '%') ||
		    !prefix_of_addr(&p, &a))
			return -EINVAL;
		*ret = p;
		return 0;
	}
	if ((size_t)(slash - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	/* A zone is no part of a prefix. */
	if (strchr(host, '%') || addr_parse_ip(&a, host) ||
	    !prefix_of_addr(&p, &a))
		return -EINVAL;
	rc = bits_parse(&bits, slash + 1);
	if (!rc)
		rc = bits_of_mapped(&p, &bits, &a);
	if (rc)
		return rc;
	if (bits > bits_max(&p))
		return -ERANGE;
	cut = p;
	prefix_cut(&cut, (uint8_t)bits);
	if (memcmp(cut.bytes, p.bytes, sizeof(p.bytes)) != 0)
		return -EDOM;
	*ret = cut;
	return 0;
}

size_t prefix_format(const struct prefix *p, char ret[PREFIX_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];
	struct addr a = {.length = sizeof(a.in6)};
	int length;

	if (p->family == AF_INET) {
		a.length = sizeof(a.in);
		a.in.sin_family = AF_INET;
		memcpy(&a.in.sin_addr, p->bytes, 4);
	} else {
		a.in6.sin6_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, p->bytes, 16);
	}
	(void)addr_format(&a, host);
	if (p->bits == bits_max(p))
		length = snprintf(ret, PREFIX_TEXT_MAX, "%.45s", host);
	else
		length =
		    snprintf(ret, PREFIX_TEXT_MAX, "%.45s/%u", host, p->bits);
	return (size_t)length;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	struct prefix cut = *inner;

	if (outer->family != inner->family || outer->bits > inner->bits)
		return false;
	prefix_cut(&cut, outer->bits);
	return memcmp(cut.bytes, outer->bytes, sizeof(cut.bytes)) == 0;
}
