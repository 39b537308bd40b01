/* SPDX-License-Identifier: Apache-2.0 */
/* source and maglev: who gets which client, and who moves when. */
#include "lb/balance.h"

#include "lb/balance_key.h"
#include "lb/balance_table.h"
#include "tests/unit/lb/lb_check.h"

#include <math.h>
#include <sys/socket.h>

#define KEYS 50000u
#define SERVERS_MAX 1000u
/* The first 16 clients over 8 servers, in base 8 (32 bits of it). */
#define KNOWN_SOURCE 1054284180u
#define KNOWN_MAGLEV 2149555154u

static const enum conf_balance kinds[] = {
    CONF_BALANCE_SOURCE, CONF_BALANCE_MAGLEV};
#define N_KINDS ((int)(sizeof kinds / sizeof kinds[0]))

static struct lb_pool p;
static struct balance_table *table;
static struct balance b;
static struct rng rng;
static uint32_t before[KEYS], after[KEYS], count[SERVERS_MAX];
static uint32_t keys = KEYS;
static int64_t now_ns = NS_PER_S;

static void start(enum conf_balance balance, uint32_t n,
    const uint32_t *weights, uint32_t max_connections)
{
	p = lb_pool_open(balance, n, weights, max_connections);
	table = balance_table_new(p.pool);
	ck_assert_ptr_nonnull(table);
	ck_assert_int_eq(balance_init(&b, p.pool, table), 0);
	rng_seed(&rng, 7);
	/* rendezvous looks at all servers for each key. */
	keys = n > 100 && balance == CONF_BALANCE_SOURCE ? KEYS / 5 : KEYS;
}

static void stop(void)
{
	balance_fini(&b);
	balance_table_free(table);
	lb_pool_close(&p);
}

static uint32_t where(uint32_t client, const uint32_t *tried, uint32_t n_tried)
{
	struct flow_client from = {.family = AF_INET};
	struct balance_ask ask = {
	    .tried = tried, .n_tried = n_tried, .now_ns = now_ns};
	const struct balance_entry *entry;
	bool full = false;

	memcpy(from.ip, &client, sizeof client);
	ask.key = balance_key(&from, &rng);
	entry = balance_pick(&b, &ask, &rng, &full);
	return entry ? entry->server->index : UINT32_MAX;
}

static void map(uint32_t *ret)
{
	memset(count, 0, sizeof count);
	for (uint32_t i = 0; i < keys; i++) {
		ret[i] = where(i, NULL, 0);
		ck_assert_uint_lt(ret[i], SERVERS_MAX);
		count[ret[i]]++;
	}
}

/* Pearson's statistic of the counts against these weights, as a number of
 * standard deviations from its mean. */
static double deviation(const uint32_t *weights, uint32_t n)
{
	double sum = 0, chi = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += weights ? weights[i] : 1;
	for (uint32_t i = 0; i < n; i++) {
		double want = keys * (weights ? weights[i] : 1) / sum;

		if (want > 0)
			chi += (count[i] - want) * (count[i] - want) / want;
		else
			ck_assert_uint_eq(count[i], 0);
	}
	return (chi - (n - 1)) / sqrt(2.0 * (n - 1));
}

/* -- shares ------------------------------------------------------------ */

/* Of 6,250 clients the shares may stray by 4 deviations; the table itself
 * is off by a place in 8,192. */
START_TEST(test_shares_are_by_weight)
{
	static const uint32_t equal[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	static const uint32_t uneven[8] = {1, 2, 3, 4, 10, 20, 0, 7};

	start(kinds[_i], 8, equal, 0);
	map(before);
	ck_assert_double_lt(deviation(equal, 8), 4);
	stop();
	start(kinds[_i], 8, uneven, 0);
	map(before);
	ck_assert_double_lt(deviation(uneven, 8), 4);
	stop();
}
END_TEST

START_TEST(test_weight_set_at_run_time)
{
	static const uint32_t then[5] = {1, 1, 1, 1, 6};

	start(kinds[_i], 5, NULL, 0);
	map(before);
	lb_set(&p, 4, BOARD_UP, BOARD_READY, 6);
	map(after);
	ck_assert_double_lt(deviation(then, 5), 4);
	/* Clients go to the server that gained, and nowhere else. */
	for (uint32_t i = 0; i < keys; i++)
		if (after[i] != before[i])
			ck_assert_uint_eq(after[i], 4);
	stop();
}
END_TEST

/* Weight 0 in the file, set at run time. */
START_TEST(test_weight_from_nothing)
{
	static const uint32_t weights[3] = {1, 1, 0}, then[3] = {1, 1, 2};

	start(kinds[_i], 3, weights, 0);
	map(before);
	ck_assert_uint_eq(count[2], 0);
	lb_set(&p, 2, BOARD_UP, BOARD_READY, 2);
	map(after);
	ck_assert_double_lt(deviation(then, 3), 4);
	stop();
}
END_TEST

/* A weight that only rendezvous hashing can still settle. */
START_TEST(test_extreme_weights)
{
	start(kinds[_i], 500, NULL, 0);
	keys = 10000;
	lb_set(&p, 99, BOARD_UP, BOARD_READY, 65535);
	map(before);
	ck_assert_uint_gt(count[99], 9800);
	stop();
}
END_TEST

/* -- who moves --------------------------------------------------------- */

/* Of 1,000 servers one goes: exactly its clients move, to many others, and
 * all come back. Ideal is its own share. */
START_TEST(test_only_the_clients_of_who_leaves_move)
{
	uint32_t moved = 0, gone;

	start(kinds[_i], 1000, NULL, 0);
	map(before);
	gone = count[123];
	lb_set(&p, 123, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	map(after);
	for (uint32_t i = 0; i < keys; i++) {
		ck_assert_uint_ne(after[i], 123);
		if (before[i] == 123)
			moved++;
		else
			ck_assert_uint_eq(after[i], before[i]);
	}
	ck_assert_uint_eq(moved, gone);
	ck_assert_uint_gt(moved, 0);
	lb_set(&p, 123, BOARD_UP, BOARD_READY, BOARD_WEIGHT_NONE);
	map(after);
	ck_assert_mem_eq(before, after, keys * sizeof before[0]);
	stop();
}
END_TEST

START_TEST(test_those_who_move_are_spread)
{
	static const uint32_t rest[8] = {0, 1, 1, 1, 1, 1, 1, 1};
	uint32_t n = 0;

	start(kinds[_i], 8, NULL, 0);
	map(before);
	lb_set(&p, 0, BOARD_UP, BOARD_DRAIN, BOARD_WEIGHT_NONE);
	memset(count, 0, sizeof count);
	for (uint32_t i = 0; i < keys; i++)
		if (before[i] == 0) {
			count[where(i, NULL, 0)]++;
			n++;
		}
	keys = n;
	ck_assert_double_lt(deviation(rest, 8), 4);
	stop();
}
END_TEST

/* Most are down: the ones left share alike, at whatever cost. */
START_TEST(test_few_are_left)
{
	static uint32_t weights[SERVERS_MAX];

	start(kinds[_i], 300, NULL, 0);
	keys = 20000;
	for (uint32_t i = 0; i < 300; i++) {
		weights[i] = i % 100 == 0;
		if (!weights[i])
			lb_set(
			    &p, i, BOARD_DOWN, BOARD_READY, BOARD_WEIGHT_NONE);
	}
	map(before);
	ck_assert_double_lt(deviation(weights, 300), 4);
	stop();
}
END_TEST

/* Step by step clients come back, and who is back stays. */
START_TEST(test_slow_start_draws_clients_back)
{
	struct board_facts facts;
	uint32_t last = 0;

	start(kinds[_i], 10, NULL, 0);
	keys = 20000;
	p.pool->slow_start_ms = 10000;
	map(before);
	board_read(p.pool->servers[3].row, &facts);
	facts.returned_ns = 100 * NS_PER_S;
	board_write(p.pool->servers[3].row, &facts);
	pool_changed(p.pool);
	memset(after, 0, sizeof after);
	for (int64_t at = 0; at <= 10; at++) {
		now_ns = 100 * NS_PER_S + at * NS_PER_S;
		memset(count, 0, sizeof count);
		for (uint32_t i = 0; i < keys; i++) {
			uint32_t now = where(i, NULL, 0);

			if (before[i] != 3)
				ck_assert_uint_eq(now, before[i]);
			else if (after[i])
				ck_assert_uint_eq(now, 3);
			after[i] |= now == 3;
			count[now]++;
		}
		ck_assert_uint_gt(count[3], last);
		last = count[3];
	}
	now_ns = NS_PER_S;
	map(after);
	ck_assert_mem_eq(before, after, keys * sizeof before[0]);
	stop();
}
END_TEST

/* -- full and tried ---------------------------------------------------- */

START_TEST(test_who_finds_it_full_goes_to_the_same_next)
{
	uint32_t client = 42, at, next;

	start(kinds[_i], 10, NULL, 1);
	at = where(client, NULL, 0);
	ck_assert_uint_eq(where(client, NULL, 0), at);
	ck_assert(board_slot_take(p.pool->servers[at].row, 1));
	next = where(client, NULL, 0);
	ck_assert_uint_ne(next, at);
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(where(client, NULL, 0), next);
	board_slot_release(p.pool->servers[at].row);
	ck_assert_uint_eq(where(client, NULL, 0), at);
	/* A connect that failed goes the same way. */
	ck_assert_uint_eq(where(client, &at, 1), next);
	stop();
}
END_TEST

START_TEST(test_all_are_used_before_none)
{
	start(kinds[_i], 50, NULL, 1);
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t at = where(7, NULL, 0);

		ck_assert_uint_lt(at, 50);
		ck_assert(board_slot_take(p.pool->servers[at].row, 1));
	}
	ck_assert_uint_eq(where(7, NULL, 0), UINT32_MAX);
	stop();
}
END_TEST

START_TEST(test_zones_keep_the_mapping)
{
	start(kinds[_i], 8, NULL, 1);
	p.pool->zoned = true;
	for (uint32_t i = 0; i < 4; i++)
		p.pool->servers[i].local = true;
	map(before);
	for (uint32_t i = 0; i < keys; i++)
		ck_assert_uint_lt(before[i], 4);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(board_slot_take(p.pool->servers[i].row, 1));
	/* The reserve, by the same hash each time. */
	map(before);
	map(after);
	ck_assert_mem_eq(before, after, keys * sizeof before[0]);
	for (uint32_t i = 4; i < 8; i++)
		ck_assert_uint_gt(count[i], keys / 5);
	stop();
}
END_TEST

/* -- stable ------------------------------------------------------------ */

/* Another worker, another process, another order in the file. */
START_TEST(test_the_same_everywhere)
{
	uint32_t known = 0;

	start(kinds[_i], 8, NULL, 0);
	map(before);
	for (uint32_t i = 0; i < 16; i++)
		known = known * 8 + before[i] % 8;
	stop();
	start(kinds[_i], 8, NULL, 0);
	rng_seed(&rng, 99);
	map(after);
	ck_assert_mem_eq(before, after, keys * sizeof before[0]);
	stop();
	/* A change of the hash is a change that every user of source or
	 * maglev feels: CHANGELOG. */
	ck_assert_uint_eq(known, _i ? KNOWN_MAGLEV : KNOWN_SOURCE);
}
END_TEST

START_TEST(test_keys)
{
	struct flow_client v4 = {.family = AF_INET, .ip = {192, 0, 2, 1}};
	struct flow_client mapped = {
	    .family = AF_INET6, .ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}};
	struct flow_client v6 = {.family = AF_INET6, .ip = {0x20, 0x01}};
	struct flow_client other = v6, none = {.family = AF_UNIX};

	rng_seed(&rng, 1);
	ck_assert_uint_eq(balance_key(&v4, &rng), balance_key(&mapped, &rng));
	v4.port = 5;
	ck_assert_uint_eq(balance_key(&v4, &rng), balance_key(&mapped, &rng));
	other.ip[15] = 1;
	ck_assert_uint_ne(balance_key(&v6, &rng), balance_key(&other, &rng));
	ck_assert_uint_ne(balance_key(&none, &rng), balance_key(&none, &rng));
	ck_assert_uint_ne(balance_key(NULL, &rng), balance_key(NULL, &rng));
}
END_TEST

/* -- the table --------------------------------------------------------- */

/* Section 3.4: places differ by one at most when weights are equal. */
START_TEST(test_table_is_even)
{
	uint32_t least = UINT32_MAX, most = 0;

	start(CONF_BALANCE_MAGLEV, 1000, NULL, 0);
	ck_assert_uint_eq(table->n_places, 65537);
	memset(count, 0, sizeof count);
	for (uint32_t i = 0; i < table->n_places; i++)
		count[table->places[i]]++;
	for (uint32_t i = 0; i < 1000; i++) {
		least = count[i] < least ? count[i] : least;
		most = count[i] > most ? count[i] : most;
	}
	ck_assert_uint_eq(most, 66);
	ck_assert_uint_eq(least, 65);
	stop();
}
END_TEST

START_TEST(test_table_follows_weights)
{
	static const uint32_t weights[4] = {1, 10, 100, 0};

	start(CONF_BALANCE_MAGLEV, 4, weights, 0);
	memset(count, 0, sizeof count);
	for (uint32_t i = 0; i < table->n_places; i++)
		count[table->places[i]]++;
	/* 0 is counted as 1: it may get a weight at run time. */
	for (uint32_t i = 0; i < 4; i++) {
		double want = 65537.0 * (weights[i] ? weights[i] : 1) / 112;

		ck_assert_double_le(fabs(count[i] - want), 1 + want / 100);
	}
	stop();
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("balance_keyed");

	tcase_add_loop_test(tcase, test_shares_are_by_weight, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_weight_set_at_run_time, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_weight_from_nothing, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_extreme_weights, 0, N_KINDS);
	tcase_add_loop_test(
	    tcase, test_only_the_clients_of_who_leaves_move, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_those_who_move_are_spread, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_few_are_left, 0, N_KINDS);
	tcase_add_loop_test(
	    tcase, test_slow_start_draws_clients_back, 0, N_KINDS);
	tcase_add_loop_test(
	    tcase, test_who_finds_it_full_goes_to_the_same_next, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_all_are_used_before_none, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_zones_keep_the_mapping, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_the_same_everywhere, 0, N_KINDS);
	tcase_add_test(tcase, test_keys);
	tcase_add_test(tcase, test_table_is_even);
	tcase_add_test(tcase, test_table_follows_weights);
	return lb_check_main(tcase);
}
