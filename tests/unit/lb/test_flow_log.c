/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/flow_log.h"

#include "tests/unit/lb/lb_check.h"

#include <pthread.h>
#include <sched.h>

/* False when full. */
static bool put(struct record_queue *log, uint64_t id)
{
	struct flow_record *record = flow_log_room(log);

	if (!record)
		return false;
	record->id = id;
	record->bytes_down = id * 3;
	record_queue_put(log);
	return true;
}

START_TEST(test_full_and_in_order)
{
	struct record_queue *log = flow_log_new(4);
	struct flow_record got;

	ck_assert(!flow_log_take(log, &got));
	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t id = 0; id < 4; id++)
			ck_assert(put(log, id));
		ck_assert(!put(log, 4));
		for (uint64_t id = 0; id < 4; id++) {
			ck_assert(flow_log_take(log, &got));
			ck_assert_uint_eq(got.id, id);
		}
		ck_assert(!flow_log_take(log, &got));
	}
	record_queue_free(log);
	record_queue_free(NULL);
}
END_TEST

#define RECORDS 20000

static void *take_all(void *context)
{
	struct record_queue *log = context;
	uint64_t expected = 0;

	while (expected < RECORDS) {
		struct flow_record got;

		if (!flow_log_take(log, &got)) {
			sched_yield();
			continue;
		}
		/* Whole records: the last word belongs to the first. */
		if (got.id != expected || got.bytes_down != expected * 3)
			return context;
		expected++;
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	struct record_queue *log = flow_log_new(16);
	void *failed = log;
	pthread_t clerk;

	ck_assert_int_eq(pthread_create(&clerk, NULL, take_all, log), 0);
	for (uint64_t id = 0; id < RECORDS; id++)
		while (!put(log, id))
			sched_yield();
	ck_assert_int_eq(pthread_join(clerk, &failed), 0);
	ck_assert_ptr_null(failed);
	record_queue_free(log);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("flow_log");

	tcase_add_test(tcase, test_full_and_in_order);
	tcase_add_test(tcase, test_two_threads);
	return lb_check_main(tcase);
}
