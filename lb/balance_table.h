/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What hashing a client to a server needs of a pool, the same for all workers
 * and as long as the pool object lives: a seed per server, from its name, and
 * for balance: maglev the look-up table over all configured servers.
 *
 *      server a: 4 9 1 6 ...  a permutation of the places, from its name
 *      server b: 9 3 7 4 ...
 *      in turns, by weight, each takes its next place that is free
 *      table:    | a | b | a | a | b | ... |  `places` of them, a prime
 *
 * D. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load
 * Balancer", NSDI 2016, section 3.4; weights as turns that come less often.
 *
 * Thread:  built on the clerk or at boot; constant then.
 * Memory:  2 bytes a place and 8 a server; about 20 more a server while it is
 *          built. NULL on lack of memory.
 * Limits:  CONF_SERVERS_MAX servers, so an index fits 16 bits.
 */
#include "fleet/pool.h"

#define BALANCE_TABLE_PLACES 65537u

struct balance_table {
	uint32_t n_places; /* 0: seeds only */
	uint16_t *places; /* index of a server */
	uint64_t *seeds; /* [pool->n_servers] */
};

struct balance_table *balance_table_new(const struct pool *pool);
void balance_table_free(struct balance_table *table); /* also NULL */

/* The weight by which a server has places: those of weight 0, which may get
 * one at run time, have as of weight 1. */
static inline uint32_t balance_table_weight(const struct server *server)
{
	return server->weight ? server->weight : 1;
}
