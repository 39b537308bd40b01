/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen of parked bytes, as `braidctl status` shows them, while one
 * worker has all of them and another asks for more: never above the limit. Also
 * run under the thread sanitizer. */
#include "lb/worker.h"

#include "tests/unit/lb/lb_check.h"

#include <pthread.h>

#define TRIES 2000000

static struct lb_shared shared = {.limits = {.parked_bytes = CHUNK_BYTES}};
static struct worker_metrics metrics[2];
static struct worker workers[2];
static uint32_t got;
static bool over; /* atomic */

static void *ask(void *context)
{
	for (uint32_t i = 0; i < TRIES; i++)
		got += worker_take_parked(context, CHUNK_BYTES);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(test_never_above_the_limit)
{
	uint64_t most = 0;
	pthread_t thread;

	for (uint32_t i = 0; i < 2; i++) {
		workers[i].shared = &shared;
		workers[i].metrics = &metrics[i];
	}
	ck_assert(worker_take_parked(&workers[0], CHUNK_BYTES));
	ck_assert_int_eq(pthread_create(&thread, NULL, ask, &workers[1]), 0);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		uint64_t now =
		    __atomic_load_n(&shared.parked, __ATOMIC_RELAXED);

		if (now > most)
			most = now;
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(got, 0);
	ck_assert_uint_le(most, CHUNK_BYTES);
	worker_give_parked(&workers[0], CHUNK_BYTES);
	ck_assert_uint_eq(shared.parked, 0);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("parked_threads");

	tcase_add_test(tcase, test_never_above_the_limit);
	return lb_check_main(tcase);
}
