/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535
/* An IPv6 address with its zone; any IPv4 address is shorter. */
#define HOST_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE)

_Static_assert(
    ADDR_TEXT_MAX > HOST_MAX + sizeof("[]:65535"), "any IP address fits");
_Static_assert(ADDR_TEXT_MAX > sizeof(((struct sockaddr_un *)0)->sun_path) + 6,
    "any unix address fits");

/* Copies a piece of the input so that it ends in a terminator. */
static bool piece_copy(char *ret, size_t room, const char *text, size_t length)
{
	if (length >= room)
		return false;
	memcpy(ret, text, length);
	ret[length] = '\0';
	return true;
}

/* Decimal digits only, all of the text; -EINVAL otherwise. What is larger
 * than `max` is -ERANGE. */
static int digits_parse(uint32_t *ret, const char *text, uint32_t max)
{
	uint64_t v = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
	}
	for (; *text; text++) {
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return -ERANGE;
	}
	*ret = (uint32_t)v;
	return 0;
}

static int port_parse(uint16_t *ret, const char *text)
{
	uint32_t port = 0;
	int rc = digits_parse(&port, text, PORT_MAX);

	if (rc)
		return rc;
	if (port == 0)
		return -ERANGE;
	*ret = (uint16_t)port;
	return 0;
}

static int unix_parse(struct addr *ret, const char *path)
{
	struct addr a = {.un.sun_family = AF_UNIX};
	size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length < 2)
		return -EINVAL;
	/* An abstract name has no terminator but its leading zero takes the
	 * place of '@', so the limit is the same for both. */
	if (length >= sizeof(a.un.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.un.sun_path, path, length);
	if (path[0] == '@')
		a.un.sun_path[0] = '\0';
	a.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
			       (path[0] == '@' ? 0 : 1));
	*ret = a;
	return 0;
}

static int in_parse(struct addr *ret, const char *host)
{
	struct addr a = {.in.sin_family = AF_INET};

	if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1)
		return -EINVAL;
	a.length = sizeof(a.in);
	*ret = a;
	return 0;
}

/* An interface name, or its index. */
static int zone_parse(uint32_t *ret, const char *zone)
{
	uint32_t index = 0;
	int rc = digits_parse(&index, zone, INT32_MAX);

	if (rc == -ERANGE || !*zone)
		return -EINVAL;
	if (rc)
		index = if_nametoindex(zone);
	if (!index)
		return rc ? -ENODEV : -EINVAL;
	*ret = index;
	return 0;
}

static int in6_parse(struct addr *ret, const char *text, size_t length)
{
	struct addr a = {.in6.sin6_family = AF_INET6};
	char host[HOST_MAX];
	char *zone;
	int rc;

	if (!piece_copy(host, sizeof(host), text, length))
		return -EINVAL;
	zone = strchr(host, '%');
	if (zone) {
		*zone++ = '\0';
		rc = zone_parse(&a.in6.sin6_scope_id, zone);
		if (rc)
			return rc;
	}
	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		return -EINVAL;
	a.length = sizeof(a.in6);
	*ret = a;
	return 0;
}

static int ip_port_parse(struct addr *ret, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[HOST_MAX];
	uint16_t port = 0;
	struct addr a;
	int rc;

	if (!colon)
		return -EINVAL;
	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (!close || close + 1 != colon)
			return -EINVAL;
		rc = in6_parse(&a, text + 1, (size_t)(close - text - 1));
	} else if (piece_copy(
		       host, sizeof(host), text, (size_t)(colon - text))) {
		rc = in_parse(&a, host);
	} else {
		rc = -EINVAL;
	}
	if (!rc)
		rc = port_parse(&port, colon + 1);
	if (rc)
		return rc;
	addr_set_port(&a, port);
	*ret = a;
	return 0;
}

int addr_parse(struct addr *ret, const char *text)
{
	if (!strncmp(text, "udp:", 4))
		return BR_E_VERSION;
	if (!strncmp(text, "unix:", 5))
		return unix_parse(ret, text + 5);
	return ip_port_parse(ret, text);
}

int addr_parse_ip(struct addr *ret, const char *text)
{
	size_t length = strlen(text);

	if (text[0] == '[') {
		if (text[length - 1] != ']' || length < 2)
			return -EINVAL;
		return in6_parse(ret, text + 1, length - 2);
	}
	if (strchr(text, ':'))
		return in6_parse(ret, text, length);
	return in_parse(ret, text);
}

/* What the kernel gives as a peer's name may hold any bytes, or none. */
static size_t unix_format(const struct addr *a, char ret[ADDR_TEXT_MAX])
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t length = a->length > start ? a->length - start : 0;
	size_t at = strlen("unix:");

	if (length > sizeof(a->un.sun_path))
		length = sizeof(a->un.sun_path);
	memcpy(ret, "unix:", at);
	for (size_t i = 0; i < length; i++) {
		char c = a->un.sun_path[i];

		if (i == 0 && c == '\0')
			c = '@';
		else if (a->un.sun_path[0] && c == '\0')
			break; /* the end of a path */
		else if (c <= ' ' || c > '~')
			c = '?';
		ret[at++] = c;
	}
	ret[at] = '\0';
	return at;
}

static size_t in6_format(const struct addr *a, char ret[ADDR_TEXT_MAX])
{
	uint16_t port = addr_port(a);
	char host[INET6_ADDRSTRLEN];
	char zone[16] = "";
	int length;

	if (!inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host)))
		host[0] = '\0';
	/* As a number: the name would take a system call. */
	if (a->in6.sin6_scope_id)
		(void)snprintf(
		    zone, sizeof(zone), "%%%u", a->in6.sin6_scope_id);
	if (port)
		length = snprintf(ret, ADDR_TEXT_MAX, "[%s%s]:%u", host, zone,
		    (unsigned)port);
	else
		length = snprintf(ret, ADDR_TEXT_MAX, "%s%s", host, zone);
	return (size_t)length;
}

static size_t in_format(const struct addr *a, char ret[ADDR_TEXT_MAX])
{
	uint32_t ip = ntohl(a->in.sin_addr.s_addr);
	uint16_t port = addr_port(a);
	int length;

	length = snprintf(ret, ADDR_TEXT_MAX, "%u.%u.%u.%u", ip >> 24,
	    ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	if (port)
		length += snprintf(ret + length, ADDR_TEXT_MAX - (size_t)length,
		    ":%u", (unsigned)port);
	return (size_t)length;
}

size_t addr_format(const struct addr *a, char ret[ADDR_TEXT_MAX])
{
	switch (a->length ? a->sa.sa_family : AF_UNSPEC) {
	case AF_INET:
		return in_format(a, ret);
	case AF_INET6:
		return in6_format(a, ret);
	case AF_UNIX:
		return unix_format(a, ret);
	default:
		memcpy(ret, "-", 2);
		return 1;
	}
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	if (!a->length || !b->length)
		return a->length == b->length;
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		/* Not the flow label: it names no other endpoint. */
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
			   sizeof(a->in6.sin6_addr));
	default:
		return a->length == b->length &&
		       !memcmp(&a->sa, &b->sa, a->length);
	}
}

uint64_t addr_hash(const struct addr *a, uint64_t seed)
{
	switch (a->length ? a->sa.sa_family : AF_UNSPEC) {
	case AF_UNSPEC:
		return hash_u64(0, seed);
	case AF_INET:
		return hash_u64(
		    (uint64_t)a->in.sin_addr.s_addr << 16 | a->in.sin_port,
		    seed);
	case AF_INET6:
		seed = hash_u64(
		    (uint64_t)a->in6.sin6_scope_id << 16 | a->in6.sin6_port,
		    seed);
		return hash_bytes(
		    &a->in6.sin6_addr, sizeof(a->in6.sin6_addr), seed);
	default:
		return hash_bytes(&a->sa, a->length, seed);
	}
}

uint16_t addr_port(const struct addr *a)
{
	if (!a->length)
		return 0;
	if (a->sa.sa_family == AF_INET)
		return ntohs(a->in.sin_port);
	if (a->sa.sa_family == AF_INET6)
		return ntohs(a->in6.sin6_port);
	return 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (!a->length)
		return;
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}

bool addr_is_any(const struct addr *a)
{
	if (!a->length)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool addr_is_loopback(const struct addr *a)
{
	if (!a->length)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		/* Also 127.0.0.0/8 as an IPv4-mapped address, which is what a
		 * dual-stack socket reports. */
		if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
			return a->in6.sin6_addr.s6_addr[12] == 127;
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	default:
		return a->sa.sa_family == AF_UNIX;
	}
}
