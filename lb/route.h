/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The routes of a listener: which rule is the first in file order that matches
 * a connection's source, TLS server name and ALPN. A rule matches when each
 * kind of condition that it has is met by one of its values.
 *
 *     source known      route_by_source()   decided | needs the ClientHello
 *     ClientHello read  route_by_hello()    decided
 *
 * Nothing waits for bytes that no rule needs: the first step decides unless a
 * rule with a name or a protocol stands before the first that matches by
 * source alone, and its own source condition, if any, is met.
 *
 * How: source-only rules are one map of ranges with the lowest position; so
 * are the source conditions of the others. Rules with a name hang at it in a
 * hash table (wildcards: at their suffix), rules with a protocol and no name
 * hang at that. Rules at one name or protocol are looked at one after the
 * other in file order, so only rules that share a name cost more together.
 *
 *     names   "www.example.com"  -> 3 -> 17        "*.example.com" covers
 *             "*.example.com"    -> 5              a.example.com and
 *             "*" (any name)     -> 40             a.b.example.com, not
 *     alpn    "h2"               -> 4              example.com
 *
 * Thread:  built by the clerk; any worker may read it.
 * Memory:  all of it in the caller's arena; a look-up allocates nothing.
 * Errors:  -EINVAL from route_name_check().
 * Limits:  positions are below ROUTE_DEFAULT.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"

struct arena;
struct client_hello;
struct route_table;

/* One rule; a condition with n 0 holds always. The strings and prefixes are
 * copied. Names are "host" or "*.suffix" or "*", in any case of letters;
 * route_name_check() has accepted them. */
struct route_rule {
	const struct prefix *sources;
	const char *const *names;
	const char *const *protocols; /* ALPN, exactly as on the wire */
	uint32_t n_sources, n_names, n_protocols;
};

/* Results beside the position of a rule. */
#define ROUTE_DEFAULT UINT32_C(0xfffffffe) /* none matches */
#define ROUTE_NEEDS_HELLO UINT32_C(0xfffffffd)

/* 0, or -EINVAL when it can match no host name. */
int route_name_check(const char *name) BR_MUST_CHECK;
/* 0, or -EINVAL: empty or longer than 255 bytes. */
int route_protocol_check(const char *protocol) BR_MUST_CHECK;

struct route_table *route_table_new(
    struct arena *arena, const struct route_rule *rules, uint32_t n);
/* Whether any rule needs a ClientHello, whatever the source. */
bool route_table_reads(const struct route_table *table);
/* Whether any rule looks at the source; where none does, it may be one of no
 * family. */
bool route_table_by_source(const struct route_table *table);
/* The position of the rule, ROUTE_DEFAULT or ROUTE_NEEDS_HELLO. */
uint32_t route_by_source(
    const struct route_table *table, const struct addr *source);
/* With a ClientHello, or NULL when it is known that none comes (another
 * protocol): the position of the rule or ROUTE_DEFAULT. */
uint32_t route_by_hello(const struct route_table *table,
    const struct addr *source, const struct client_hello *hello);
