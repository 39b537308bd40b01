/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record_queue.h"
#include "tests/unit/base/check_main.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#define RECORDS 8u
#define PASSED 200000u

struct record {
	uint32_t number, again;
};

static struct record_queue *queue;

static bool put(uint32_t number)
{
	struct record *record = record_queue_room(queue);

	if (!record)
		return false;
	*record = (struct record){number, ~number};
	record_queue_put(queue);
	return true;
}

static bool take(uint32_t number)
{
	const struct record *record = record_queue_peek(queue);

	if (!record)
		return false;
	ck_assert_uint_eq(record->number, number);
	ck_assert_uint_eq(record->again, ~number);
	record_queue_drop(queue);
	return true;
}

START_TEST(test_full_and_empty)
{
	queue = record_queue_new(RECORDS, sizeof(struct record));
	/* More rounds than the ring has places. */
	for (uint32_t n = 0; n < 3 * RECORDS; n += RECORDS) {
		for (uint32_t i = 0; i < RECORDS; i++)
			ck_assert(put(n + i));
		ck_assert(!put(99));
		ck_assert_uint_eq(record_queue_count(queue), RECORDS);
		for (uint32_t i = 0; i < RECORDS; i++)
			ck_assert(take(n + i));
		ck_assert(!take(99));
		ck_assert_uint_eq(record_queue_count(queue), 0);
	}
	record_queue_free(queue);
	record_queue_free(NULL);
}
END_TEST

static void *produce(void *unused)
{
	for (uint32_t i = 0; i < PASSED;)
		if (put(i))
			i++;
		else
			sched_yield();
	return unused;
}

START_TEST(test_two_threads)
{
	pthread_t thread;

	queue = record_queue_new(RECORDS, sizeof(struct record));
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, NULL), 0);
	for (uint32_t i = 0; i < PASSED;)
		if (take(i))
			i++;
		else
			sched_yield();
	pthread_join(thread, NULL);
	record_queue_free(queue);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("record_queue");

	tcase_add_test(tcase, test_full_and_empty);
	tcase_add_test(tcase, test_two_threads);
	return check_main(tcase);
}
