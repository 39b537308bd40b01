/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/limits.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct limits_input input(uint64_t descriptors, uint32_t n_workers)
{
	return (struct limits_input){
	    .descriptors = descriptors,
	    .n_workers = n_workers,
	    .sockets = 4,
	    .parked_bytes = 1 << 20,
	    .pipe_user_bytes = UINT64_C(16384) * 4096,
	};
}

static struct lb_limits compute(
    const struct limits_input *in, struct limits_clamped *clamped)
{
	struct lb_limits limits;

	ck_assert_int_eq(limits_compute(in, &limits, clamped), 0);
	return limits;
}

START_TEST(test_auto_is_what_the_design_says)
{
	struct limits_input in = input(20000, 2);
	struct limits_clamped clamped = {.connections = true};
	struct lb_limits limits = compute(&in, &clamped);

	ck_assert(!clamped.connections);
	ck_assert_uint_eq(
	    limits.max_connections, (20000 - 256 - 2 * 2 * limits.pipes) / 2);
	ck_assert_uint_eq(limits.n_workers, 2);
	ck_assert_uint_eq(limits.parked_bytes, 1 << 20);
}
END_TEST

START_TEST(test_configured_is_kept_or_clamped)
{
	struct limits_input in = input(20000, 2);
	struct limits_clamped clamped;
	uint32_t most = compute(&in, &clamped).max_connections;

	in.max_connections = 100;
	ck_assert_uint_eq(compute(&in, &clamped).max_connections, 100);
	ck_assert(!clamped.connections);
	in.max_connections = most;
	ck_assert_uint_eq(compute(&in, &clamped).max_connections, most);
	ck_assert(!clamped.connections);
	in.max_connections = most + 1;
	ck_assert_uint_eq(compute(&in, &clamped).max_connections, most);
	ck_assert(clamped.connections);
}
END_TEST

START_TEST(test_auto_stops_at_a_million)
{
	struct limits_input in = input(UINT64_C(1) << 30, 64);
	struct limits_clamped clamped;

	ck_assert_uint_eq(compute(&in, &clamped).max_connections,
	    LIMITS_CONNECTIONS_AUTO_MAX);
	ck_assert(!clamped.connections);
	in.max_connections = 5000000;
	ck_assert_uint_eq(compute(&in, &clamped).max_connections, 5000000);
}
END_TEST

START_TEST(test_too_few_descriptors)
{
	struct limits_input in = input(64, 1);
	struct lb_limits limits;
	struct limits_clamped clamped;

	ck_assert_int_eq(limits_compute(&in, &limits, &clamped), -EMFILE);
	in.descriptors = limits_descriptors_min(&in) - 1;
	ck_assert_int_eq(limits_compute(&in, &limits, &clamped), -EMFILE);
}
END_TEST

/* However few descriptors: at the minimum it still serves the least number
 * of connections, also with many workers, because pipes give way. */
START_TEST(test_pipes_give_way_first)
{
	for (uint32_t workers = 1; workers <= 64; workers++) {
		struct limits_input in = input(0, workers);
		struct lb_limits limits;
		struct limits_clamped clamped;

		in.pipe_user_bytes = UINT64_MAX;
		in.descriptors = limits_descriptors_min(&in);
		limits = compute(&in, &clamped);
		ck_assert_uint_ge(
		    limits.max_connections, LIMITS_CONNECTIONS_MIN);
		/* Nor does one descriptor more mean fewer connections than
		 * the least. */
		for (int i = 0; i < 600; i++) {
			in.descriptors++;
			limits = compute(&in, &clamped);
			ck_assert_uint_ge(
			    limits.max_connections, LIMITS_CONNECTIONS_MIN);
		}
	}
}
END_TEST

START_TEST(test_listening_sockets_beyond_the_reserve_count)
{
	struct limits_input in = input(4096, 1);
	struct limits_clamped clamped;
	uint32_t few = compute(&in, &clamped).max_connections;

	in.sockets = LIMITS_SOCKETS_FREE;
	ck_assert_uint_eq(compute(&in, &clamped).max_connections, few);
	in.sockets = LIMITS_SOCKETS_FREE + 200;
	ck_assert_uint_lt(compute(&in, &clamped).max_connections, few - 80);
}
END_TEST

START_TEST(test_smaller_pipes_before_fewer)
{
	struct limits_input in = input(20000, 2);
	struct limits_clamped clamped;
	struct lb_limits limits = compute(&in, &clamped);

	/* 48 MiB of 64 for two workers: 24 full-sized pipes each. */
	ck_assert_uint_eq(limits.pipe_bytes, LIMITS_PIPE_BYTES);
	ck_assert_uint_eq(limits.pipes, 24);
	in.n_workers = 8;
	limits = compute(&in, &clamped);
	ck_assert_uint_lt(limits.pipe_bytes, LIMITS_PIPE_BYTES);
	ck_assert_uint_ge(limits.pipes, LIMITS_PIPES_FULL);
	ck_assert_uint_le(
	    (uint64_t)limits.pipes * limits.pipe_bytes * 8, in.pipe_user_bytes);
	in.n_workers = 64;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.pipe_bytes, LIMITS_PIPE_BYTES_MIN);
	ck_assert_uint_gt(limits.pipes, 0);
}
END_TEST

START_TEST(test_unlimited_pipes)
{
	struct limits_input in = input(20000, 4);
	struct lb_limits limits;
	struct limits_clamped clamped;

	in.pipe_user_bytes = UINT64_MAX;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.pipes, LIMITS_PIPES_MAX);
	ck_assert_uint_eq(limits.pipe_bytes, LIMITS_PIPE_BYTES);
}
END_TEST

/* Kept free only where a pool shards; else taken of what happens to be. */
START_TEST(test_shards_are_kept_free)
{
	struct limits_input in = input(20256, 2);
	struct limits_clamped clamped;
	struct lb_limits limits = compute(&in, &clamped);
	uint32_t without = limits.max_connections;

	ck_assert_uint_eq(limits.shard_connections, 20000 / 8);
	in.shards = true;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.shard_connections, 20000 / 8);
	ck_assert_uint_eq(limits.max_connections, without - 20000 / 8 / 2);
	in.shard_connections = 100;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.shard_connections, 100);
	ck_assert_uint_eq(limits.max_connections, without - 100 / 2);
	ck_assert(!clamped.shard_connections);
	in.shard_connections = 2501;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.shard_connections, 2500);
	ck_assert(clamped.shard_connections);
	in.shard_connections = 0;
	in.descriptors = UINT64_C(1) << 30;
	ck_assert_uint_eq(
	    compute(&in, &clamped).shard_connections, LIMITS_SHARDS_MAX);
}
END_TEST

START_TEST(test_shards_give_way_to_connections)
{
	struct limits_input in = input(0, 1);
	struct limits_clamped clamped;
	struct lb_limits limits;

	in.shards = true;
	in.descriptors = limits_descriptors_min(&in);
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.max_connections, LIMITS_CONNECTIONS_MIN);
	ck_assert_uint_eq(limits.shard_connections, 0);
}
END_TEST

START_TEST(test_shards_have_a_part_of_tcps_memory)
{
	struct limits_input in = input(20000, 1);
	struct limits_clamped clamped;
	struct lb_limits limits;

	in.tcp_pressure_bytes = UINT64_C(500) << 30;
	in.shard_kernel_percent = 10;
	in.sharded_flows = 7;
	limits = compute(&in, &clamped);
	ck_assert_uint_eq(limits.sharded_flows, 7);
	ck_assert_uint_eq(
	    limits.shard_kernel_bytes, (UINT64_C(500) << 30) / 100 * 10);
	ck_assert_uint_ge(limits_tcp_pressure_bytes(), 1u << 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = tcase_create("limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_auto_is_what_the_design_says);
	tcase_add_test(tcase, test_configured_is_kept_or_clamped);
	tcase_add_test(tcase, test_auto_stops_at_a_million);
	tcase_add_test(tcase, test_too_few_descriptors);
	tcase_add_test(tcase, test_pipes_give_way_first);
	tcase_add_test(tcase, test_shards_are_kept_free);
	tcase_add_test(tcase, test_shards_give_way_to_connections);
	tcase_add_test(tcase, test_shards_have_a_part_of_tcps_memory);
	tcase_add_test(tcase, test_listening_sockets_beyond_the_reserve_count);
	tcase_add_test(tcase, test_smaller_pipes_before_fewer);
	tcase_add_test(tcase, test_unlimited_pipes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
