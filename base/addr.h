/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Socket addresses: IPv4, IPv6 (with zone index) and unix paths, parsed from
 * and printed as operators write them:
 *     "192.0.2.1:80"  "[2001:db8::1]:80"  "[fe80::1%eth0]:80"  "unix:/path"
 *
 * It lives in base/, not in io/, because conf/ needs it too and folders of
 * one layer do not include each other. No system call but if_nametoindex().
 *
 * Thread:  any.
 * Errors:  -EINVAL malformed (also a host name), -ENAMETOOLONG unix path,
 *          -ERANGE port, -ENODEV unknown zone, BR_E_VERSION for "udp:".
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

struct addr {
	socklen_t length; /* 0: none */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

/* The longest text of any address with its terminator. */
#define ADDR_TEXT_MAX 128

/* With a port of 1..65535, or unix: "unix:/path", abstract "unix:@name". */
int addr_parse(struct addr *ret, const char *text) BR_MUST_CHECK;
/* An IP address without a port: the port becomes 0. Brackets allowed. */
int addr_parse_ip(struct addr *ret, const char *text) BR_MUST_CHECK;
/* As addr_parse() reads it, with the zone as a number; without ":port" when
 * that is 0; "-" for none. Returns the length. Never a control byte. */
size_t addr_format(const struct addr *a, char ret[ADDR_TEXT_MAX]);
bool addr_equal(const struct addr *a, const struct addr *b);
uint16_t addr_port(const struct addr *a); /* host order; 0 for unix */
void addr_set_port(struct addr *a, uint16_t port);
/* 0.0.0.0 or ::, whatever the port. */
bool addr_is_any(const struct addr *a);
/* 127.0.0.0/8, ::1 or unix. */
bool addr_is_loopback(const struct addr *a);
uint64_t addr_hash(const struct addr *a, uint64_t seed);
static inline bool addr_is_unix(const struct addr *a)
{
	return a->length && a->sa.sa_family == AF_UNIX;
}
