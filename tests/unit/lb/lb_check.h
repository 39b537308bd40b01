/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pools of n servers for the tests of this folder, and their main().
 *
 * Thread:  the main thread of a test program.
 * Memory:  lb_pool_open() to lb_pool_close().
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/pool.h"

struct lb_pool {
	struct board *board;
	struct pool *pool;
};

static inline struct lb_pool lb_pool_open(enum conf_balance balance, uint32_t n,
    const uint32_t *weights, uint32_t max_connections)
{
	struct conf_server *servers = calloc(n, sizeof *servers);
	char(*names)[16] = calloc(n, sizeof *names);
	struct conf_pool conf = {.name = "origins",
	    .balance = balance,
	    .servers = servers,
	    .n_servers = n,
	    .queue_length = 100};
	struct lb_pool ret = {.board = board_new(2)};

	ck_assert(servers && names);
	for (uint32_t i = 0; i < n; i++) {
		(void)snprintf(names[i], sizeof names[i], "s%u", i);
		servers[i].name = names[i];
		servers[i].weight = weights ? weights[i] : 1;
		servers[i].max_connections = max_connections;
		ck_assert_int_eq(
		    addr_parse(&servers[i].addr, "192.0.2.1:9000"), 0);
		addr_set_port(&servers[i].addr, (uint16_t)(1 + i));
	}
	ret.pool = pool_new(&conf, ret.board);
	free(servers);
	free(names);
	return ret;
}

static inline void lb_pool_close(struct lb_pool *p)
{
	pool_free(p->pool, p->board);
	board_free(p->board);
}

static inline void lb_set(struct lb_pool *p, uint32_t server,
    enum board_health health, enum board_admin admin, uint32_t weight)
{
	struct board_facts facts;

	board_read(p->pool->servers[server].row, &facts);
	facts.health = health;
	facts.admin = admin;
	facts.weight_override = weight;
	board_write(p->pool->servers[server].row, &facts);
	pool_changed(p->pool);
}

static inline int lb_check_main(TCase *tcase)
{
	Suite *suite = suite_create("lb");
	SRunner *runner;
	int failed;

	/* ctest has the time limit. */
	tcase_set_timeout(tcase, 0);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
