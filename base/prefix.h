/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Address prefixes as operators write them, "10.0.0.0/8" or "2001:db8::/32";
 * an address alone is a prefix of its full length.
 *
 * IPv4 written as IPv4-mapped IPv6 (::ffff:192.0.2.1, what a dual-stack
 * socket reports) is IPv4 everywhere here. "::/0" is all of IPv6 and no IPv4.
 *
 * Thread:  any (pure).
 * Errors:  -EINVAL malformed, -ERANGE a length beyond 32 or 128,
 *          -EDOM bits are set behind the prefix ("10.0.0.1/8"): probably a
 *          typing error, so it is not silently cut off.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct prefix {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
};

/* The longest text of a prefix with its terminator. */
#define PREFIX_TEXT_MAX 52

int prefix_parse(struct prefix *ret, const char *text) BR_MUST_CHECK;
/* As prefix_parse() reads it; returns the length. */
size_t prefix_format(const struct prefix *p, char ret[PREFIX_TEXT_MAX]);
/* The address as a prefix of full length; false for unix and none. */
bool prefix_of_addr(struct prefix *ret, const struct addr *a);
/* Keeps the first `bits` bits (at most those it has). */
void prefix_cut(struct prefix *p, uint8_t bits);
/* Whether all of `inner` lies in `outer`. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
