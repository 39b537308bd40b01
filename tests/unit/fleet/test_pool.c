/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/pool.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct board *board;

static void setup(void)
{
	board = board_new(1);
}

static void teardown(void)
{
	board_free(board);
}

static void conf_fill(struct conf_pool *conf, struct conf_server servers[3])
{
	static const char *const names[3] = {"a", "b", "c"};

	memset(conf, 0, sizeof(*conf));
	memset(servers, 0, 3 * sizeof(*servers));
	for (uint32_t i = 0; i < 3; i++) {
		servers[i].name = names[i];
		servers[i].weight = 1;
		ck_assert_int_eq(
		    addr_parse(&servers[i].addr, "127.0.0.1:9000"), 0);
		addr_set_port(&servers[i].addr, (uint16_t)(9001 + i));
	}
	conf->name = "origins";
	conf->servers = servers;
	conf->n_servers = 3;
	conf->balance = CONF_BALANCE_LEAST;
	conf->connect_timeout_ms = 2000;
	conf->connect_retries = 3;
	conf->queue_length = 5;
	conf->queue_timeout_ms = 6000;
	conf->health.fail_open_percent = 20;
}

static void set_facts(struct pool *pool, uint32_t index,
    enum board_health health, enum board_admin admin)
{
	struct board_facts facts;

	board_read(pool->servers[index].row, &facts);
	facts.health = health;
	facts.admin = admin;
	board_write(pool->servers[index].row, &facts);
}

START_TEST(test_pool_outlives_its_conf)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *pool;
	char name[] = "origins", server[] = "a", path[] = "/up", host[] = "h";

	conf_fill(&conf, servers);
	conf.name = name;
	servers[0].name = server;
	servers[0].max_connections = 9;
	conf.health.path = path;
	conf.health.host = host;
	pool = pool_new(&conf, board);
	memset(&conf, 0xaa, sizeof(conf));
	memset(servers, 0xaa, sizeof(servers));
	memset(name, 'x', sizeof(name) - 1);
	memset(server, 'x', sizeof(server) - 1);
	memset(path, 'x', sizeof(path) - 1);
	memset(host, 'x', sizeof(host) - 1);
	ck_assert_str_eq(pool->name, "origins");
	ck_assert_uint_eq(pool->n_servers, 3);
	ck_assert_int_eq(pool->balance, CONF_BALANCE_LEAST);
	ck_assert_uint_eq(pool->connect_timeout_ms, 2000);
	ck_assert_uint_eq(pool->connect_retries, 3);
	ck_assert_uint_eq(pool->queue_length, 5);
	ck_assert_uint_eq(pool->queue_timeout_ms, 6000);
	ck_assert_str_eq(pool->health.path, "/up");
	ck_assert_str_eq(pool->health.host, "h");
	ck_assert_str_eq(pool->servers[0].name, "a");
	ck_assert_str_eq(pool->servers[0].addr_text, "127.0.0.1:9001");
	ck_assert_uint_eq(pool->servers[0].max_connections, 9);
	ck_assert_uint_eq(pool->servers[2].index, 2);
	ck_assert_str_eq(pool->servers[2].row->server, "c");
	pool_free(pool, board);
}
END_TEST

START_TEST(test_rows_are_shared_between_generations)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *before, *after;

	conf_fill(&conf, servers);
	before = pool_new(&conf, board);
	after = pool_new(&conf, board);
	ck_assert_ptr_eq(before->servers[1].row, after->servers[1].row);
	ck_assert_uint_eq(after->servers[1].row->references, 2);
	pool_free(before, board);
	ck_assert_uint_eq(after->servers[1].row->references, 1);
	pool_free(after, board);
}
END_TEST

START_TEST(test_weight_now)
{
	struct server server = {
	    .weight = 7, .addr = {.length = sizeof(struct sockaddr_in)}};
	struct board_facts facts = {.weight_override = BOARD_WEIGHT_NONE};

	ck_assert_uint_eq(server_weight_now(&server, &facts), 7);
	facts.health = BOARD_UP;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 7);
	facts.weight_override = 0;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 0);
	facts.weight_override = 100;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 100);
	facts.health = BOARD_DOWN;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 0);
	facts.health = BOARD_UP;
	facts.admin = BOARD_DRAIN;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 0);
	facts.admin = BOARD_MAINT;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 0);
	facts = (struct board_facts){.weight_override = 9};
	ck_assert_uint_eq(server_weight_now(&server, &facts), 9);
	/* Of its name no address is known: nothing gives it a weight. */
	server.addr.length = 0;
	ck_assert_uint_eq(server_weight_now(&server, &facts), 0);
	ck_assert_uint_eq(server_weight_in_force(&server, &facts), 0);
}
END_TEST

START_TEST(test_fail_open)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *pool;

	conf_fill(&conf, servers);
	servers[0].weight = 20;
	servers[1].weight = 40;
	servers[2].weight = 40;
	pool = pool_new(&conf, board);
	ck_assert(!pool_fails_open(pool)); /* unknown is healthy */
	set_facts(pool, 1, BOARD_DOWN, BOARD_READY);
	set_facts(pool, 2, BOARD_DOWN, BOARD_READY);
	ck_assert(!pool_fails_open(pool)); /* exactly 20 % */
	pool->health.fail_open_percent = 21;
	ck_assert(pool_fails_open(pool));
	pool->health.fail_open_percent = 0;
	set_facts(pool, 0, BOARD_DOWN, BOARD_READY);
	ck_assert(!pool_fails_open(pool)); /* switched off */
	pool_free(pool, board);
}
END_TEST

START_TEST(test_fail_open_leaves_drained_out)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *pool;

	conf_fill(&conf, servers);
	pool = pool_new(&conf, board);
	/* Two of three taken out by the operator: the third is all there is. */
	set_facts(pool, 0, BOARD_UP, BOARD_DRAIN);
	set_facts(pool, 1, BOARD_UP, BOARD_MAINT);
	set_facts(pool, 2, BOARD_UP, BOARD_READY);
	ck_assert(!pool_fails_open(pool));
	set_facts(pool, 2, BOARD_DOWN, BOARD_READY);
	ck_assert(pool_fails_open(pool));
	/* Nothing left to open for. */
	set_facts(pool, 2, BOARD_DOWN, BOARD_MAINT);
	ck_assert(!pool_fails_open(pool));
	pool_free(pool, board);
}
END_TEST

START_TEST(test_fail_open_uses_weight_in_force)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *pool;
	struct board_facts facts;

	conf_fill(&conf, servers);
	pool = pool_new(&conf, board);
	board_read(pool->servers[0].row, &facts);
	facts.weight_override = 0; /* up, but set to serve nobody */
	facts.health = BOARD_UP;
	board_write(pool->servers[0].row, &facts);
	set_facts(pool, 1, BOARD_DOWN, BOARD_READY);
	set_facts(pool, 2, BOARD_DOWN, BOARD_READY);
	ck_assert(pool_fails_open(pool));
	pool_free(pool, board);
}
END_TEST

START_TEST(test_find_server_and_generation)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *pool;
	uint32_t before;

	conf_fill(&conf, servers);
	pool = pool_new(&conf, board);
	ck_assert_ptr_eq(pool_find_server(pool, "b", NULL), &pool->servers[1]);
	ck_assert_ptr_null(pool_find_server(pool, "d", NULL));
	before = pool_generation(pool);
	pool_changed(pool);
	ck_assert_uint_ne(pool_generation(pool), before);
	pool_free(pool, board);
}
END_TEST

/* Flows that wait in the object before a reload hear of what control says to
 * the one after it. */
START_TEST(test_objects_of_one_name_share_the_generation)
{
	struct conf_server servers[3];
	struct conf_pool conf;
	struct pool *old, *new, *other;
	uint32_t before, others;

	conf_fill(&conf, servers);
	old = pool_new(&conf, board);
	new = pool_new(&conf, board);
	conf.name = "another";
	other = pool_new(&conf, board);
	before = pool_generation(old);
	others = pool_generation(other);
	pool_changed(new);
	ck_assert_uint_ne(pool_generation(old), before);
	ck_assert_uint_eq(pool_generation(other), others);
	pool_free(new, board);
	before = pool_generation(old);
	pool_changed(old);
	ck_assert_uint_ne(pool_generation(old), before);
	pool_free(old, board);
	pool_free(other, board);
}
END_TEST

START_TEST(test_pool_without_servers)
{
	struct conf_pool conf = {.name = "empty"};
	struct pool *pool = pool_new(&conf, board);

	conf.health.fail_open_percent = 50;
	ck_assert_uint_eq(pool->n_servers, 0);
	ck_assert(!pool_fails_open(pool));
	ck_assert_ptr_null(pool_find_server(pool, "a", NULL));
	pool_free(pool, board);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = tcase_create("pool");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_pool_outlives_its_conf);
	tcase_add_test(tcase, test_rows_are_shared_between_generations);
	tcase_add_test(tcase, test_weight_now);
	tcase_add_test(tcase, test_fail_open);
	tcase_add_test(tcase, test_fail_open_leaves_drained_out);
	tcase_add_test(tcase, test_fail_open_uses_weight_in_force);
	tcase_add_test(tcase, test_find_server_and_generation);
	tcase_add_test(tcase, test_objects_of_one_name_share_the_generation);
	tcase_add_test(tcase, test_pool_without_servers);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
