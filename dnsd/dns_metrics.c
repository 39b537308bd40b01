/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/dns_metrics.h"

#include "base/assert.h"

static unsigned type_row(uint16_t type)
{
	switch (type) {
#define X(name, number)                                                        \
	case number:                                                           \
		return DNS_TYPE_##name;
		DNS_TYPE_LIST(X)
#undef X
	default:
		return DNS_TYPE_other;
	}
}

static unsigned rcode_row(uint16_t rcode)
{
	switch (rcode) {
#define X(name, number)                                                        \
	case number:                                                           \
		return DNS_RCODE_##name;
		DNS_RCODE_LIST(X)
#undef X
	default:
		br_assert(false); /* not a code that the responder says */
		return 0;
	}
}

static void count_edns(struct dns_metrics *m, const struct query_facts *facts)
{
	counter_inc(&m->edns);
	if (facts->dnssec_ok)
		counter_inc(&m->dnssec_ok);
	if (facts->ecs)
		counter_inc(&m->subnet);
	if (facts->ecs_scope)
		counter_inc(&m->subnet_scoped);
	counter_inc(&m->cookies[facts->cookie]);
}

static void count_answer(
    struct dns_metrics *m, const struct query_facts *facts, size_t length)
{
	counter_add(&m->bytes_out, length);
	counter_inc(&m->rcodes[rcode_row(facts->rcode)]);
	if (facts->truncated)
		counter_inc(&m->truncated);
	if (facts->wildcard)
		counter_inc(&m->wildcard);
	if (m->pops && facts->pop < m->n_pops)
		counter_inc(&m->pops[facts->pop]);
}

void dns_metrics_count(struct dns_metrics *m, const struct query_facts *facts,
    enum dns_transport transport, size_t query_length, size_t answer_length)
{
	counter_inc(transport == DNS_UDP ? &m->queries_udp : &m->queries_tcp);
	counter_add(&m->bytes_in, query_length);
	counter_inc(&m->kinds[facts->kind]);
	if (facts->drop) {
		counter_inc(&m->drops[facts->drop]);
		return;
	}
	if (facts->name)
		counter_inc(&m->types[type_row(facts->type)]);
	if (facts->edns)
		count_edns(m, facts);
	if (answer_length)
		count_answer(m, facts, answer_length);
}

#define X(name, ...) #name,
static const char *const types[] = {DNS_TYPE_LIST(X) "other"};
static const char *const rcodes[] = {DNS_RCODE_LIST(X)};
static const char *const kinds[] = {DNS_KIND_LIST(X)};
static const char *const cookies[] = {DNS_COOKIE_LIST(X)};
static const char *const drops[] = {DNS_DROP_LIST(X)};
#undef X

const char *dns_type_name(unsigned row)
{
	br_assert(row < DNS_N_TYPES);
	return types[row];
}

const char *dns_rcode_name(unsigned row)
{
	br_assert(row < DNS_N_RCODES);
	return rcodes[row];
}

const char *dns_kind_name(unsigned kind)
{
	br_assert(kind < DNS_N_KINDS);
	return kinds[kind];
}

const char *dns_cookie_name(unsigned cookie)
{
	br_assert(cookie < DNS_N_COOKIES);
	return cookies[cookie];
}

const char *dns_drop_name(unsigned drop)
{
	br_assert(drop < DNS_N_DROPS);
	return drops[drop];
}
