/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen of limits that workers share, as `braidctl status` shows them,
 * while one worker has all there is and another asks for more: never above the
 * limit. Also run under the thread sanitizer. */
#include "lb/worker.h"

#include "tests/unit/lb/lb_check.h"

#include <pthread.h>

#define TRIES 2000000

static struct lb_shared shared = {.limits = {.parked_bytes = CHUNK_BYTES}};
static struct worker_metrics metrics[2];
static struct worker workers[2];
static uint32_t places, got;
static bool over; /* atomic */

static void *ask(void *context)
{
	for (uint32_t i = 0; i < TRIES; i++) {
		got += worker_take_parked(context, CHUNK_BYTES);
		got += shared_take(&places, 1);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(test_never_above_the_limit)
{
	uint64_t most_bytes = 0;
	uint32_t most_places = 0;
	pthread_t thread;

	for (uint32_t i = 0; i < 2; i++) {
		workers[i].shared = &shared;
		workers[i].metrics = &metrics[i];
	}
	ck_assert(worker_take_parked(&workers[0], CHUNK_BYTES));
	ck_assert(shared_take(&places, 1));
	ck_assert_int_eq(pthread_create(&thread, NULL, ask, &workers[1]), 0);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		uint64_t bytes =
		    __atomic_load_n(&shared.parked, __ATOMIC_RELAXED);
		uint32_t now = shared_read(&places);

		if (bytes > most_bytes)
			most_bytes = bytes;
		if (now > most_places)
			most_places = now;
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(got, 0);
	ck_assert_uint_le(most_bytes, CHUNK_BYTES);
	ck_assert_uint_le(most_places, 1);
	worker_give_parked(&workers[0], CHUNK_BYTES);
	shared_give(&places);
	ck_assert_uint_eq(shared.parked, 0);
	ck_assert_uint_eq(places, 0);
	/* 0: no limit. */
	ck_assert(shared_take(&places, 0) && shared_take(&places, 0));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("shared_limits");

	tcase_add_test(tcase, test_never_above_the_limit);
	return lb_check_main(tcase);
}
