/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What answering DNS counts, a row each: field, exposition and help. One
 * struct a worker; dns_metrics_count() is called once a query, after the
 * answer went out or was dropped.
 *
 * Thread:  the worker writes, any may read.
 * Memory:  plain, zeroed by its owner; `pops` is an array of the owner's.
 * Units:   sizes in bytes.
 */
#include <stddef.h>

#include "base/metric.h"
#include "dnsd/query_facts.h"
#include "dnsd/responder.h"

#define DNS_METRIC_LIST(X)                                                     \
	X(queries_udp, "Queries over UDP, those that were dropped included")   \
	X(queries_tcp, "Queries over TCP")                                     \
	X(bytes_in, "Bytes of queries, without headers of the transport")      \
	X(bytes_out, "Bytes of answers, without headers of the transport")     \
	X(truncated, "Answers with TC: the client comes again over TCP")       \
	X(edns, "Queries with an OPT record")                                  \
	X(dnssec_ok, "Queries that ask for signatures (DO)")                   \
	X(subnet, "Queries with a client subnet (RFC 7871)")                   \
	X(subnet_scoped, "Answers that hold for a part of all clients only")   \
	X(wildcard, "Answers whose name a wildcard made")

/* Types that are counted by name; all others are one. */
#define DNS_TYPE_LIST(X)                                                       \
	X(a, 1)                                                                \
	X(ns, 2)                                                               \
	X(cname, 5)                                                            \
	X(soa, 6)                                                              \
	X(ptr, 12)                                                             \
	X(mx, 15)                                                              \
	X(txt, 16)                                                             \
	X(aaaa, 28)                                                            \
	X(srv, 33)                                                             \
	X(naptr, 35)                                                           \
	X(ds, 43)                                                              \
	X(dnskey, 48)                                                          \
	X(tlsa, 52)                                                            \
	X(svcb, 64)                                                            \
	X(https, 65)                                                           \
	X(ixfr, 251)                                                           \
	X(axfr, 252)                                                           \
	X(any, 255)                                                            \
	X(caa, 257)

enum dns_type_row {
#define X(name, number) DNS_TYPE_##name,
	DNS_TYPE_LIST(X)
#undef X
	    DNS_TYPE_other,
	DNS_N_TYPES
};

#define DNS_RCODE_LIST(X)                                                      \
	X(noerror, 0)                                                          \
	X(formerr, 1)                                                          \
	X(servfail, 2)                                                         \
	X(nxdomain, 3)                                                         \
	X(notimp, 4)                                                           \
	X(refused, 5)                                                          \
	X(yxdomain, 6)                                                         \
	X(notauth, 9)                                                          \
	X(badvers, 16)                                                         \
	X(badcookie, 23)

enum dns_rcode_row {
#define X(name, number) DNS_RCODE_##name,
	DNS_RCODE_LIST(X)
#undef X
	    DNS_N_RCODES
};

struct dns_metrics {
#define X(name, help) struct counter name;
	DNS_METRIC_LIST(X)
#undef X
	struct counter types[DNS_N_TYPES];
	struct counter rcodes[DNS_N_RCODES];
	struct counter kinds[DNS_N_KINDS];
	struct counter cookies[DNS_N_COOKIES];
	struct counter drops[DNS_N_DROPS];
	/* Answers by the POP that a resource chose first; NULL: not counted.
	 * What lies beyond n_pops is not either. */
	struct counter *pops;
	uint32_t n_pops;
};

/* `answer_length` 0: nothing was sent. */
void dns_metrics_count(struct dns_metrics *m, const struct query_facts *facts,
    enum dns_transport transport, size_t query_length, size_t answer_length);

/* For expositions: names of rows, "other" for the types without one. */
const char *dns_type_name(unsigned row);
const char *dns_rcode_name(unsigned row);
const char *dns_kind_name(unsigned kind);
const char *dns_cookie_name(unsigned cookie);
const char *dns_drop_name(unsigned drop);
