/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A pool of n servers with rows on a board of its own, for the benches of
 * fleet, lb and daemon.
 *
 * Memory:  micro_pool_open() to micro_pool_close().
 * Limits:  65,535 servers: they differ by their ports.
 */
#include "fleet/pool.h"

struct micro_pool {
	struct board *board;
	struct pool *pool;
};

/* Weights are 1 to 4 in turn, connections are not limited. */
struct micro_pool micro_pool_open(
    enum conf_balance balance, uint32_t n_servers, uint32_t n_workers);
void micro_pool_close(struct micro_pool *p);
