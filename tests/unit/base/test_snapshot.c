/* SPDX-License-Identifier: Apache-2.0 */
#include "base/snapshot.h"

#include "base/assert.h"
#include "tests/unit/base/check_main.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

START_TEST(test_publish_and_enter)
{
	int a = 1, b = 2;
	struct snapshot *s = snapshot_new(&a);
	struct snapshot_reader *reader = snapshot_reader_new(s);

	ck_assert_ptr_eq(snapshot_enter(reader), &a);
	ck_assert_ptr_eq(snapshot_publish(s, &b), &a);
	snapshot_leave(reader);
	ck_assert_ptr_eq(snapshot_enter(reader), &b);
	snapshot_leave(reader);
	/* Without a reader inside it returns. */
	snapshot_synchronize(s);
	snapshot_reader_free(reader);
	snapshot_synchronize(s);
	snapshot_free(s);
	snapshot_free(NULL);
}
END_TEST

START_TEST(test_readers_come_and_go)
{
	int a = 1;
	struct snapshot *s = snapshot_new(&a);

	for (int i = 0; i < 100; i++) {
		struct snapshot_reader *one = snapshot_reader_new(s);
		struct snapshot_reader *two = snapshot_reader_new(s);

		ck_assert_ptr_ne(one, two);
		ck_assert_ptr_eq(snapshot_enter(one), &a);
		ck_assert_ptr_eq(snapshot_enter(two), &a);
		snapshot_leave(two);
		snapshot_leave(one);
		snapshot_synchronize(s);
		snapshot_reader_free(one);
		snapshot_reader_free(two);
	}
	snapshot_free(s);
}
END_TEST

static void free_with_a_reader(void)
{
	struct snapshot *s = snapshot_new(NULL);

	br_assert(snapshot_reader_new(s) != NULL);
	snapshot_free(s);
}

static void enter_twice(void)
{
	struct snapshot *s = snapshot_new(NULL);
	struct snapshot_reader *reader = snapshot_reader_new(s);

	(void)snapshot_enter(reader);
	(void)snapshot_enter(reader);
}

START_TEST(test_misuse_ends_the_process)
{
	char text[512];

	ck_assert(
	    WIFSIGNALED(run_in_child(free_with_a_reader, text, sizeof(text))));
	ck_assert_ptr_nonnull(strstr(text, "assertion failed"));
	ck_assert(WIFSIGNALED(run_in_child(enter_twice, text, sizeof(text))));
	ck_assert_ptr_nonnull(strstr(text, "assertion failed"));
}
END_TEST

/* -- threads ------------------------------------------------------------- */

static struct snapshot *shared;
static bool synchronized;

static void *synchronize_thread(void *argument)
{
	(void)argument;
	snapshot_synchronize(shared);
	__atomic_store_n(&synchronized, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(test_synchronize_waits_for_who_is_inside)
{
	const struct timespec a_while = {.tv_nsec = 20000000};
	int a = 1, b = 2;
	struct snapshot_reader *reader;
	pthread_t thread;

	shared = snapshot_new(&a);
	reader = snapshot_reader_new(shared);
	synchronized = false;
	ck_assert_ptr_eq(snapshot_enter(reader), &a);
	(void)snapshot_publish(shared, &b);
	ck_assert_int_eq(
	    pthread_create(&thread, NULL, synchronize_thread, NULL), 0);
	/* Time for a wrong one to return; a right one cannot fail here. */
	(void)nanosleep(&a_while, NULL);
	ck_assert(!__atomic_load_n(&synchronized, __ATOMIC_ACQUIRE));
	snapshot_leave(reader);
	pthread_join(thread, NULL);
	ck_assert(synchronized);
	snapshot_reader_free(reader);
	snapshot_free(shared);
}
END_TEST

#define READERS 3
#define PUBLICATIONS 400
#define FIELDS 16

/* Plain memory: only the snapshot orders who writes and who reads it. */
struct object {
	uint64_t fields[FIELDS];
};

static uint32_t sections;
static bool stop;

static struct object *object_new(uint64_t v)
{
	struct object *o = malloc(sizeof(*o));

	br_assert(o != NULL);
	for (int i = 0; i < FIELDS; i++)
		o->fields[i] = v;
	return o;
}

static void *reader_thread(void *argument)
{
	struct snapshot_reader *reader = snapshot_reader_new(shared);
	uint64_t last = 0;

	(void)argument;
	br_assert(reader != NULL);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		const struct object *o = snapshot_enter(reader);
		uint64_t v = o->fields[0];

		/* Never an older one than before, never a dead one. */
		br_assert(v >= last && v != UINT64_MAX);
		last = v;
		for (int i = 1; i < FIELDS; i++)
			br_assert(o->fields[i] == v);
		snapshot_leave(reader);
		__atomic_fetch_add(&sections, 1, __ATOMIC_RELAXED);
	}
	snapshot_reader_free(reader);
	return NULL;
}

START_TEST(test_no_reader_sees_a_freed_object)
{
	pthread_t threads[READERS];
	struct object *old;

	shared = snapshot_new(object_new(1));
	stop = false;
	sections = 0;
	for (int i = 0; i < READERS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, reader_thread, NULL), 0);
	for (uint64_t v = 2; v < PUBLICATIONS; v++) {
		uint32_t before = __atomic_load_n(&sections, __ATOMIC_RELAXED);

		old = snapshot_publish(shared, object_new(v));
		snapshot_synchronize(shared);
		memset(old, 0xff, sizeof(*old));
		free(old);
		/* Let readers in between two publications. */
		while (__atomic_load_n(&sections, __ATOMIC_RELAXED) == before)
			sched_yield();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	old = snapshot_publish(shared, NULL);
	snapshot_free(shared);
	free(old);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("snapshot");

	tcase_add_test(tcase, test_publish_and_enter);
	tcase_add_test(tcase, test_readers_come_and_go);
	tcase_add_test(tcase, test_misuse_ends_the_process);
	tcase_add_test(tcase, test_synchronize_waits_for_who_is_inside);
	tcase_add_test(tcase, test_no_reader_sees_a_freed_object);
	return check_main(tcase);
}
