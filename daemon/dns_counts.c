/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_counts.h"

#include <string.h>

static void add(struct counter *sum, const struct counter *more)
{
	counter_add(sum, counter_read(more));
}

static void add_all(
    struct counter *sums, const struct counter *more, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		add(&sums[i], &more[i]);
}

static void add_worker(struct dns_counts *sum, const struct dns_counts *worker)
{
	struct dns_metrics *to = &sum->answers;
	const struct dns_metrics *from = &worker->answers;

#define X(name, help) add(&sum->sockets.name, &worker->sockets.name);
	DNS_SERVER_METRIC_LIST(X)
#undef X
	add(&sum->sockets.tcp_open, &worker->sockets.tcp_open);
#define X(name, help) add(&to->name, &from->name);
	DNS_METRIC_LIST(X)
#undef X
	add_all(to->types, from->types, DNS_N_TYPES);
	add_all(to->rcodes, from->rcodes, DNS_N_RCODES);
	add_all(to->kinds, from->kinds, DNS_N_KINDS);
	add_all(to->cookies, from->cookies, DNS_N_COOKIES);
	add_all(to->drops, from->drops, DNS_N_DROPS);
	add_all(sum->shares, worker->shares, DNS_SHARES_MAX + 1);
}

void dns_counts_sum(const struct dns_counts *workers, uint32_t n_workers,
    struct dns_counts *ret)
{
	memset(ret, 0, sizeof *ret);
	for (uint32_t i = 0; i < n_workers; i++)
		add_worker(ret, &workers[i]);
}

uint64_t dns_counts_queries(
    const struct dns_counts *workers, uint32_t n_workers)
{
	uint64_t n = 0;

	for (uint32_t i = 0; workers && i < n_workers; i++)
		n += counter_read(&workers[i].answers.queries_udp) +
		     counter_read(&workers[i].answers.queries_tcp);
	return n;
}
