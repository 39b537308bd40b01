/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/shard_room.h"

#include <string.h>

#include "tests/unit/base/check_main.h"

struct world {
	struct lb_shared shared;
	struct worker_metrics metrics[2];
	struct worker workers[2];
};

static struct world world;

static void start(struct lb_limits limits)
{
	memset(&world, 0, sizeof world);
	world.shared.limits = limits;
	for (int i = 0; i < 2; i++) {
		world.workers[i].shared = &world.shared;
		world.workers[i].metrics = &world.metrics[i];
	}
}

START_TEST(test_places_are_shared_by_workers)
{
	struct worker *a = &world.workers[0], *b = &world.workers[1];

	start((struct lb_limits){.sharded_flows = 2, .shard_connections = 1});
	ck_assert(shard_room_take_flow(a));
	ck_assert(shard_room_take_flow(b));
	ck_assert(!shard_room_take_flow(a) && !shard_room_has_flow(a));
	shard_room_force_flow(b);
	ck_assert(!shard_room_has_flow(a));
	shard_room_give_flow(b);
	ck_assert(!shard_room_has_flow(a));
	ck_assert_uint_eq(counter_read(&a->metrics->shard.open_flows), 1);
	shard_room_give_flow(b);
	ck_assert_uint_eq(counter_read(&b->metrics->shard.open_flows), 0);
	ck_assert(shard_room_has_flow(b));
	ck_assert(shard_room_take_flow(a));
	ck_assert(shard_room_take_connection(b));
	ck_assert(!shard_room_take_connection(a));
	shard_room_give_connection(b);
	ck_assert(shard_room_take_connection(a));
	ck_assert_uint_eq(world.shared.sharded_flows, 2);
	ck_assert_uint_eq(world.shared.shard_connections, 1);
	ck_assert_uint_eq(counter_read(&a->metrics->shard.open_connections), 1);
	ck_assert_uint_eq(counter_read(&b->metrics->shard.open_connections), 0);
}
END_TEST

START_TEST(test_kernel_memory)
{
	struct worker *a = &world.workers[0], *b = &world.workers[1];

	start((struct lb_limits){.shard_kernel_bytes = 1000});
	ck_assert(shard_room_take_kernel(a, 600));
	ck_assert(!shard_room_take_kernel(b, 401));
	ck_assert(shard_room_take_kernel(b, 400));
	ck_assert(!shard_room_take_kernel(b, 1));
	shard_room_give_kernel(a, 600);
	ck_assert_uint_eq(world.shared.shard_kernel, 400);
	ck_assert_uint_eq(counter_read(&a->metrics->shard.kernel_bytes), 0);
	ck_assert_uint_eq(counter_read(&b->metrics->shard.kernel_bytes), 400);
}
END_TEST

/* Zero is a limit too, not the absence of one. */
START_TEST(test_none_at_all)
{
	start((struct lb_limits){0});
	ck_assert(!shard_room_take_flow(&world.workers[0]));
	ck_assert(!shard_room_take_connection(&world.workers[0]));
	ck_assert(!shard_room_take_kernel(&world.workers[0], 1));
	ck_assert_uint_eq(world.shared.sharded_flows, 0);
	ck_assert_uint_eq(world.shared.shard_connections, 0);
	ck_assert_uint_eq(world.shared.shard_kernel, 0);
	for (int i = 0; i < SHARD_N_LIMITS; i++)
		ck_assert_uint_eq(
		    counter_read(&world.metrics[0].shard.refused[i]), 1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("shard_room");

	tcase_add_test(tcase, test_places_are_shared_by_workers);
	tcase_add_test(tcase, test_kernel_memory);
	tcase_add_test(tcase, test_none_at_all);
	return check_main(tcase);
}
