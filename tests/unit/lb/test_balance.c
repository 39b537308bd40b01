/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/balance.h"

#include "lb/balance_table.h"

#include "tests/unit/lb/lb_check.h"

#define SERVERS_MAX 10000
#define MANY_PICKS 70000

static struct lb_pool p;
static struct balance b;
static struct balance_table *table;
static uint64_t key;
static int64_t now_ns;
static struct rng rng;
static uint32_t picked[SERVERS_MAX];

static void start(enum conf_balance balance, uint32_t n,
    const uint32_t *weights, uint32_t max_connections)
{
	p = lb_pool_open(balance, n, weights, max_connections);
	table = balance_table_new(p.pool);
	ck_assert_int_eq(balance_init(&b, p.pool, table), 0);
	rng_seed(&rng, 7);
	memset(picked, 0, sizeof picked);
}

static void stop(void)
{
	balance_fini(&b);
	balance_table_free(table);
	lb_pool_close(&p);
}

static int pick_but(const uint32_t *tried, uint32_t n_tried)
{
	struct balance_ask ask = {
	    .tried = tried, .n_tried = n_tried, .key = key, .now_ns = now_ns};
	bool full = false;
	const struct balance_entry *entry = balance_pick(&b, &ask, &rng, &full);

	if (!entry)
		return full ? -2 : -1;
	picked[entry->server->index]++;
	return (int)entry->server->index;
}

static int pick(void)
{
	return pick_but(NULL, 0);
}

static void take(uint32_t server, uint32_t n)
{
	while (n--)
		ck_assert(board_slot_take(p.pool->servers[server].row, 0));
}

/* -- round robin ------------------------------------------------------- */

START_TEST(test_rr_equal_takes_turns)
{
	start(CONF_BALANCE_RR, 4, NULL, 0);
	for (int i = 0; i < 4000; i++)
		ck_assert_int_eq(pick(), i % 4);
	stop();
}
END_TEST

/* Exact counts in every full round, and never more than one turn off the
 * ideal share within it. */
START_TEST(test_rr_weighted)
{
	static const uint32_t weights[] = {5, 1, 1, 3};

	start(CONF_BALANCE_RR, 4, weights, 0);
	for (uint32_t n = 1; n <= 10000; n++) {
		ck_assert_int_ge(pick(), 0);
		for (uint32_t i = 0; i < 4; i++) {
			double ideal = n * weights[i] / 10.0;

			ck_assert_double_le(picked[i] - ideal, 1.0);
			ck_assert_double_le(ideal - picked[i], 1.0);
			if (n % 10 == 0)
				ck_assert_uint_eq(
				    picked[i], n / 10 * weights[i]);
		}
	}
	stop();
}
END_TEST

START_TEST(test_rr_is_smooth)
{
	static const uint32_t weights[] = {5, 1, 1};
	int run = 0, longest = 0;

	start(CONF_BALANCE_RR, 3, weights, 0);
	for (int i = 0; i < 700; i++) {
		run = pick() == 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	ck_assert_int_le(longest, 3);
	stop();
}
END_TEST

/* A server that comes back does not get the turns it missed. */
START_TEST(test_rr_return_without_catching_up)
{
	start(CONF_BALANCE_RR, 2, NULL, 0);
	(void)pick();
	lb_set(&p, 1, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(pick(), 0);
	lb_set(&p, 1, BOARD_UP, BOARD_READY, BOARD_WEIGHT_NONE);
	memset(picked, 0, sizeof picked);
	for (int i = 0; i < 100; i++)
		ck_assert_int_ge(pick(), 0);
	ck_assert_uint_ge(picked[0], 49);
	ck_assert_uint_ge(picked[1], 49);
	stop();
}
END_TEST

START_TEST(test_rr_full_without_catching_up)
{
	start(CONF_BALANCE_RR, 2, NULL, 1);
	take(1, 1);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(pick(), 0);
	board_slot_release(p.pool->servers[1].row);
	memset(picked, 0, sizeof picked);
	for (int i = 0; i < 100; i++)
		ck_assert_int_ge(pick(), 0);
	ck_assert_uint_ge(picked[0], 49);
	ck_assert_uint_ge(picked[1], 49);
	stop();
}
END_TEST

/* -- least ------------------------------------------------------------- */

START_TEST(test_least_evens_out_by_weight)
{
	static const uint32_t weights[] = {1, 2, 4};

	start(CONF_BALANCE_LEAST, 3, weights, 0);
	take(0, 3);
	for (int i = 0; i < 697; i++)
		take((uint32_t)pick(), 1);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t used = board_slots_used(p.pool->servers[i].row);

		ck_assert_uint_ge(used, 100 * weights[i] - 1);
		ck_assert_uint_le(used, 100 * weights[i] + 1);
	}
	stop();
}
END_TEST

START_TEST(test_least_equals_share_alike)
{
	start(CONF_BALANCE_LEAST, 5, NULL, 0);
	for (int i = 0; i < 5000; i++)
		(void)pick();
	for (uint32_t i = 0; i < 5; i++) {
		ck_assert_uint_gt(picked[i], 850);
		ck_assert_uint_lt(picked[i], 1150);
	}
	stop();
}
END_TEST

/* -- the better of two ------------------------------------------------- */

/* Without load the draw decides: sum of (seen - want)^2 / want over k = 4
 * shares exceeds 30 in far less than one of 10^5 runs; the seed is fixed. */
START_TEST(test_p2c_equal_shares)
{
	double chi = 0, want = MANY_PICKS / 5.0;

	start(CONF_BALANCE_P2C, 5, NULL, 0);
	for (int i = 0; i < MANY_PICKS; i++)
		ck_assert_int_ge(pick(), 0);
	for (uint32_t i = 0; i < 5; i++)
		chi += (picked[i] - want) * (picked[i] - want) / want;
	ck_assert_double_lt(chi, 30.0);
	stop();
}
END_TEST

/* With connections that stay, load for its weight evens out. */
START_TEST(test_p2c_follows_weights)
{
	static const uint32_t weights[] = {1, 2, 3, 4};

	start(CONF_BALANCE_P2C, 4, weights, 0);
	for (int i = 0; i < 10000; i++)
		take((uint32_t)pick(), 1);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_gt(picked[i], 1000 * weights[i] * 9 / 10);
		ck_assert_uint_lt(picked[i], 1000 * weights[i] * 11 / 10);
	}
	stop();
}
END_TEST

START_TEST(test_p2c_avoids_the_loaded)
{
	start(CONF_BALANCE_P2C, 10, NULL, 0);
	take(3, 1000);
	for (int i = 0; i < 10000; i++)
		(void)pick();
	/* Only when both draws hit it, four times out of four. */
	ck_assert_uint_lt(picked[3], 20);
	stop();
}
END_TEST

/* -- all --------------------------------------------------------------- */

static const enum conf_balance kinds[] = {
    CONF_BALANCE_RR, CONF_BALANCE_LEAST, CONF_BALANCE_P2C};
#define N_KINDS 3

START_TEST(test_full_and_none)
{
	start(kinds[_i], 3, NULL, 2);
	take(0, 2);
	take(2, 2);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(pick(), 1);
	take(1, 2);
	ck_assert_int_eq(pick(), -2);
	for (uint32_t i = 0; i < 3; i++)
		lb_set(&p, i, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	ck_assert_int_eq(pick(), -1);
	stop();
}
END_TEST

START_TEST(test_tried_are_not_picked)
{
	static const uint32_t tried[] = {2, 0, 4};

	start(kinds[_i], 5, NULL, 0);
	for (int i = 0; i < 500; i++)
		ck_assert_int_ge(pick_but(tried, 3), 0);
	ck_assert_uint_eq(picked[0] + picked[2] + picked[4], 0);
	ck_assert_uint_gt(picked[1], 0);
	ck_assert_uint_gt(picked[3], 0);
	stop();
	start(kinds[_i], 1, NULL, 0);
	ck_assert_int_eq(pick_but(tried + 1, 1), -1);
	stop();
}
END_TEST

START_TEST(test_health_drain_maintenance_weight)
{
	start(kinds[_i], 5, NULL, 0);
	(void)pick();
	lb_set(&p, 0, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	lb_set(&p, 1, BOARD_UP, BOARD_DRAIN, BOARD_WEIGHT_NONE);
	lb_set(&p, 2, BOARD_UP, BOARD_MAINT, BOARD_WEIGHT_NONE);
	lb_set(&p, 3, BOARD_UP, BOARD_READY, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(pick(), 4);
	lb_set(&p, 0, BOARD_UP, BOARD_READY, BOARD_WEIGHT_NONE);
	memset(picked, 0, sizeof picked);
	for (int i = 0; i < 100; i++)
		ck_assert_int_ge(pick(), 0);
	ck_assert_uint_gt(picked[0], 20);
	ck_assert_uint_eq(picked[0] + picked[4], 100);
	stop();
}
END_TEST

START_TEST(test_configured_weight_zero)
{
	static const uint32_t weights[] = {0, 3, 0};

	start(kinds[_i], 3, weights, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(pick(), 1);
	lb_set(&p, 0, BOARD_UP, BOARD_READY, 3);
	for (int i = 0; i < 100; i++)
		(void)pick();
	ck_assert_uint_gt(picked[0], 20);
	stop();
}
END_TEST

/* When less than the share is healthy, all serve, but not who is drained. */
START_TEST(test_fails_open)
{
	start(kinds[_i], 4, NULL, 0);
	p.pool->health.fail_open_percent = 50;
	lb_set(&p, 3, BOARD_UP, BOARD_DRAIN, BOARD_WEIGHT_NONE);
	lb_set(&p, 0, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	for (int i = 0; i < 100; i++)
		(void)pick();
	ck_assert_uint_eq(picked[0], 0);
	lb_set(&p, 1, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	for (int i = 0; i < 300; i++)
		(void)pick();
	ck_assert_uint_gt(picked[0], 50);
	ck_assert_uint_gt(picked[1], 50);
	ck_assert_uint_eq(picked[3], 0);
	ck_assert(balance_may_pick(&b, &p.pool->servers[0], 0));
	ck_assert(!balance_may_pick(&b, &p.pool->servers[3], 0));
	lb_set(&p, 1, BOARD_UP, BOARD_READY, BOARD_WEIGHT_NONE);
	ck_assert(!balance_may_pick(&b, &p.pool->servers[0], 0));
	stop();
}
END_TEST

START_TEST(test_ten_thousand_servers)
{
	uint32_t served = 0;

	start(kinds[_i], SERVERS_MAX, NULL, 1);
	/* least looks at all of them each time. */
	for (uint32_t i = 0; i < (_i == 1 ? 500 : 9000); i++) {
		int server = pick();

		ck_assert_int_ge(server, 0);
		ck_assert(board_slot_take(p.pool->servers[server].row, 1));
		served++;
	}
	for (uint32_t i = 0; i < SERVERS_MAX; i++) {
		ck_assert_uint_le(picked[i], 1);
		served -= picked[i];
	}
	ck_assert_uint_eq(served, 0);
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("balance");

	tcase_add_test(tcase, test_rr_equal_takes_turns);
	tcase_add_test(tcase, test_rr_weighted);
	tcase_add_test(tcase, test_rr_is_smooth);
	tcase_add_test(tcase, test_rr_return_without_catching_up);
	tcase_add_test(tcase, test_rr_full_without_catching_up);
	tcase_add_test(tcase, test_least_evens_out_by_weight);
	tcase_add_test(tcase, test_least_equals_share_alike);
	tcase_add_test(tcase, test_p2c_equal_shares);
	tcase_add_test(tcase, test_p2c_follows_weights);
	tcase_add_test(tcase, test_p2c_avoids_the_loaded);
	tcase_add_loop_test(tcase, test_full_and_none, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_tried_are_not_picked, 0, N_KINDS);
	tcase_add_loop_test(
	    tcase, test_health_drain_maintenance_weight, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_configured_weight_zero, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_fails_open, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_ten_thousand_servers, 0, N_KINDS);
	return lb_check_main(tcase);
}
