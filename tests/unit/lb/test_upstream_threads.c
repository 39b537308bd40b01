/* SPDX-License-Identifier: Apache-2.0 */
/* Slots taken and given back by two threads at once: never above the limit,
 * none lost. Also run under the thread sanitizer. */
#include "lb/upstream.h"

#include "base/assert.h"
#include "tests/unit/lb/lb_check.h"

#include <pthread.h>
#include <sched.h>

#define ROUNDS 20000
#define SLOTS 3
#define SERVERS 2

struct side {
	struct worker worker; /* only index, rng and shared are used */
	pthread_t thread;
	uint32_t taken, refused;
};

static struct lb_pool p;
static struct upstream *upstream;
static struct lb_shared shared;
static uint32_t holders[SERVERS];

static void hold(const struct server *server)
{
	uint32_t now =
	    __atomic_add_fetch(&holders[server->index], 1, __ATOMIC_SEQ_CST);

	br_assert(now <= SLOTS);
}

static void *run(void *context)
{
	struct side *side = context;
	struct server *mine[SLOTS * SERVERS];
	uint32_t n = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct server *server;

		/* Takes until it is refused, then gives one back. */
		if (n < BR_COUNT(mine) &&
		    !upstream_choose(
			upstream, &side->worker, NULL, NULL, 0, &server)) {
			hold(server);
			mine[n++] = server;
			side->taken++;
			continue;
		}
		side->refused++;
		if (!n) {
			sched_yield();
			continue;
		}
		server = mine[--n];
		__atomic_sub_fetch(
		    &holders[server->index], 1, __ATOMIC_SEQ_CST);
		upstream_release(upstream, &side->worker, server);
	}
	while (n) {
		__atomic_sub_fetch(
		    &holders[mine[n - 1]->index], 1, __ATOMIC_SEQ_CST);
		upstream_release(upstream, &side->worker, mine[--n]);
	}
	return NULL;
}

START_TEST(test_two_workers)
{
	static struct side sides[2];

	p = lb_pool_open(CONF_BALANCE_P2C, SERVERS, NULL, SLOTS);
	upstream = upstream_new(p.pool, 2);
	ck_assert_ptr_nonnull(upstream);
	for (uint32_t i = 0; i < 2; i++) {
		sides[i].worker.index = i;
		sides[i].worker.shared = &shared;
		rng_seed(&sides[i].worker.rng, i + 1);
		ck_assert_int_eq(
		    pthread_create(&sides[i].thread, NULL, run, &sides[i]), 0);
	}
	for (uint32_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(sides[i].thread, NULL), 0);
	ck_assert_uint_gt(sides[0].taken + sides[1].taken, 0);
	ck_assert_uint_gt(sides[0].refused + sides[1].refused, 0);
	for (uint32_t i = 0; i < SERVERS; i++)
		ck_assert_uint_eq(board_slots_used(p.pool->servers[i].row), 0);
	upstream_free(upstream);
	lb_pool_close(&p);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("upstream_threads");

	tcase_add_test(tcase, test_two_workers);
	return lb_check_main(tcase);
}
