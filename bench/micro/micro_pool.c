/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro_pool.h"

#include "base/assert.h"
#include "bench/micro/micro.h"

#include <stdio.h>
#include <stdlib.h>

struct micro_pool micro_pool_open(
    enum conf_balance balance, uint32_t n_servers, uint32_t n_workers)
{
	struct conf_server *servers = micro_alloc(n_servers, sizeof *servers);
	char(*names)[20] = micro_alloc(n_servers, sizeof *names);
	struct conf_pool conf = {.name = "origins",
	    .balance = balance,
	    .servers = servers,
	    .n_servers = n_servers};
	struct micro_pool ret = {.board = board_new(n_workers)};

	for (uint32_t i = 0; i < n_servers; i++) {
		(void)snprintf(names[i], sizeof names[i], "server%u", i);
		servers[i].name = names[i];
		servers[i].weight = 1 + i % 4;
		br_assert(!addr_parse(&servers[i].addr, "192.0.2.1:1"));
		addr_set_port(&servers[i].addr, (uint16_t)(i + 1));
	}
	ret.pool = pool_new(&conf, ret.board);
	free(servers);
	free(names);
	return ret;
}

void micro_pool_close(struct micro_pool *p)
{
	pool_free(p->pool, p->board);
	board_free(p->board);
}
