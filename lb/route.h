/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The routes of a listener: which rule is the first in file order that matches
 * a connection's source, protocol, TLS server name and ALPN. A rule matches
 * when each kind of condition that it has is met by one of its values.
 *
 *     source known      route_by_source()     decided | needs bytes
 *     bytes have come   route_by_protocol()   decided | needs more
 *     no more come      route_by_hello()      decided
 *
 * Nothing waits for bytes that no rule needs: a step decides unless a rule that
 * may still match stands before the first that does. What a rule about
 * protocols may still do is known by the set of those that the bytes may be
 * (profiler/dpi.h); one with a name or ALPN may match as long as TLS is one.
 *
 * A client that stays silent may speak any protocol in which the server
 * begins: PROTOCOL_SILENT stands for it, and a rule that lists such a protocol
 * lists silence.
 *
 * How: source-only rules are one map of ranges with the lowest position; so
 * are the source conditions of the others. Rules with a name hang at it in a
 * hash table (wildcards: at their suffix), rules with an ALPN and no name
 * hang at that. Rules at one name or ALPN are looked at one after the
 * other in file order, so only rules that share a name cost more together.
 * Rules with protocols alone are grouped by their set of them.
 *
 *     names   "www.example.com"  -> 3 -> 17        "*.example.com" covers
 *             "*.example.com"    -> 5              a.example.com and
 *             "*" (any name)     -> 40             a.b.example.com, not
 *     alpn    "h2"               -> 4              example.com
 *     groups  {ssh, silent}      -> 7 (any source), 2 (of 10.0.0.0/8)
 *
 * Thread:  built by the clerk; any worker may read it.
 * Memory:  all of it in the caller's arena; a look-up allocates nothing.
 * Errors:  -EINVAL from route_name_check().
 * Limits:  positions are below ROUTE_DEFAULT.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "conf/protocol.h"

struct arena;
struct client_hello;
struct route_table;

/* One rule; a condition with n 0 holds always. The strings and prefixes are
 * copied. Names are "host" or "*.suffix" or "*", in any case of letters;
 * route_name_check() has accepted them. */
struct route_rule {
	const struct prefix *sources;
	const char *const *names;
	const char *const *alpns; /* exactly as on the wire */
	uint32_t n_sources, n_names, n_alpns;
	protocol_set protocols; /* 0: no condition */
};

/* Results beside the position of a rule. */
#define ROUTE_DEFAULT UINT32_C(0xfffffffe) /* none matches */
#define ROUTE_NEEDS_BYTES UINT32_C(0xfffffffd)

/* 0, or -EINVAL when it can match no host name. */
int route_name_check(const char *name) BR_MUST_CHECK;
/* 0, or -EINVAL: empty or longer than 255 bytes. */
int route_alpn_check(const char *alpn) BR_MUST_CHECK;

struct route_table *route_table_new(
    struct arena *arena, const struct route_rule *rules, uint32_t n);
/* Whether any rule needs bytes, whatever the source. */
bool route_table_reads(const struct route_table *table);
/* Whether any has a name or ALPN. */
bool route_table_names(const struct route_table *table);
/* Whether any rule looks at the source; where none does, it may be one of no
 * family. */
bool route_table_by_source(const struct route_table *table);
/* The position of the rule, ROUTE_DEFAULT or ROUTE_NEEDS_BYTES. */
uint32_t route_by_source(
    const struct route_table *table, const struct addr *source);
/* The same when the connection is known to speak one of these protocols.
 * `hello`: a ClientHello with names may still come; an old one in the form of
 * SSL 2 is TLS, but has none. */
uint32_t route_by_protocol(const struct route_table *table,
    const struct addr *source, protocol_set possible, bool hello);
/* With a ClientHello, or NULL when none comes (another protocol): the position
 * of the rule or ROUTE_DEFAULT. `protocol` is one bit. */
uint32_t route_by_hello(const struct route_table *table,
    const struct addr *source, protocol_set protocol,
    const struct client_hello *hello);
