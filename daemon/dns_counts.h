/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What one worker counts of DNS, and the sum over all.
 *
 * Thread:  the worker writes, any may read.
 * Memory:  one a worker, made at boot, alive to the end.
 */
#include "daemon/dns_shares.h"
#include "dnsd/dns_metrics.h"
#include "dnsd/dns_server.h"

struct dns_counts {
	struct dns_server_metrics sockets;
	struct dns_metrics answers;
	/* Answers of resources, by what dns_shares_row() gave. */
	struct counter shares[DNS_SHARES_MAX + 1];
};

/* How many were asked; `workers` may be NULL. */
uint64_t dns_counts_queries(
    const struct dns_counts *workers, uint32_t n_workers);
/* About DNS_SHARES_MAX words: not for a stack. */
void dns_counts_sum(const struct dns_counts *workers, uint32_t n_workers,
    struct dns_counts *ret);
