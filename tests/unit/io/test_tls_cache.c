/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_cache.h"

#include "base/assert.h"
#include "tests/unit/io/io_check.h"

#include <pthread.h>

static struct tls_cache *cache;

static void setup(void)
{
	ck_assert_int_eq(tls_cache_new(1024, &cache), 0);
}

static void teardown(void)
{
	tls_cache_free(cache);
}

START_TEST(test_put_get_remove)
{
	char got[TLS_CACHE_SESSION_MAX];

	ck_assert(tls_cache_put(cache, "id", 2, "session", 7, 100, 200));
	ck_assert_uint_eq(
	    tls_cache_get(cache, "id", 2, got, sizeof(got), 150), 7);
	ck_assert_mem_eq(got, "session", 7);
	/* Another id, though equal when padded. */
	ck_assert_uint_eq(
	    tls_cache_get(cache, "id\0", 3, got, sizeof(got), 150), 0);
	/* No room, and too late. */
	ck_assert_uint_eq(tls_cache_get(cache, "id", 2, got, 6, 150), 0);
	ck_assert_uint_eq(
	    tls_cache_get(cache, "id", 2, got, sizeof(got), 200), 0);
	/* Again under the same id. */
	ck_assert(tls_cache_put(cache, "id", 2, "other", 5, 150, 300));
	ck_assert_uint_eq(
	    tls_cache_get(cache, "id", 2, got, sizeof(got), 250), 5);
	tls_cache_remove(cache, "id", 2);
	ck_assert_uint_eq(
	    tls_cache_get(cache, "id", 2, got, sizeof(got), 250), 0);
	tls_cache_remove(cache, "id", 2);
}
END_TEST

START_TEST(test_what_is_not_stored)
{
	char long_one[TLS_CACHE_SESSION_MAX + 1] = {1};
	char got[sizeof(long_one)];

	ck_assert(!tls_cache_put(cache, "a", 0, "x", 1, 1, 2));
	ck_assert(!tls_cache_put(cache, long_one, 33, "x", 1, 1, 2));
	ck_assert(!tls_cache_put(cache, "a", 1, "x", 0, 1, 2));
	ck_assert(
	    !tls_cache_put(cache, "a", 1, long_one, sizeof(long_one), 1, 2));
	ck_assert(!tls_cache_put(cache, "a", 1, "x", 1, 2, 2));
	ck_assert(tls_cache_put(
	    cache, long_one, 32, long_one, TLS_CACHE_SESSION_MAX, 1, 2));
	ck_assert_uint_eq(
	    tls_cache_get(cache, long_one, 32, got, sizeof(got), 1),
	    TLS_CACHE_SESSION_MAX);
}
END_TEST

/* Ten times what fits: the table stays what it is, and of what was put last
 * most is there. */
START_TEST(test_bounded)
{
	uint64_t got;
	uint32_t found = 0;

	for (uint64_t i = 1; i <= 10240; i++)
		ck_assert(tls_cache_put(
		    cache, &i, sizeof(i), &i, sizeof(i), 0, (int64_t)i));
	for (uint64_t i = 10240 - 511; i <= 10240; i++) {
		if (!tls_cache_get(cache, &i, sizeof(i), &got, sizeof(got), 0))
			continue;
		ck_assert_uint_eq(got, i);
		found++;
	}
	ck_assert_uint_ge(found, 400);
	found = 0;
	for (uint64_t i = 1; i <= 10240; i++)
		found += tls_cache_get(
			     cache, &i, sizeof(i), &got, sizeof(got), 0) != 0;
	ck_assert_uint_le(found, 1024);
	/* Expired ones make room before any that still holds. */
	for (uint64_t i = 20000; i < 20100; i++)
		ck_assert(tls_cache_put(
		    cache, &i, sizeof(i), &i, sizeof(i), 10240 + 1, 20000));
	for (uint64_t i = 20000; i < 20100; i++)
		found += tls_cache_get(cache, &i, sizeof(i), &got, sizeof(got),
			     10240 + 1) == 0;
	ck_assert_uint_le(found, 1024 + 2);
}
END_TEST

/* Threads that write and read few ids all the time: what is read is always
 * what one of them wrote, whole. */
static void *hammer(void *argument)
{
	uint64_t words[TLS_CACHE_SESSION_MAX / 8], seed = *(uint64_t *)argument;

	for (uint64_t round = 0; round < 200000; round++) {
		uint64_t id = (round * 2654435761u + seed) % 8;
		size_t n = 1 + (round + seed) % BR_COUNT(words), length;

		for (size_t i = 0; i < n; i++)
			words[i] = id << 48 | seed << 32 | (uint32_t)round;
		if (round % 3 == 0)
			tls_cache_put(
			    cache, &id, sizeof(id), words, n * 8, 0, 10);
		else if (round % 97 == 0)
			tls_cache_remove(cache, &id, sizeof(id));
		length = tls_cache_get(
		    cache, &id, sizeof(id), words, sizeof(words), 1);
		for (size_t i = 0; i < length / 8; i++) {
			br_assert(words[i] >> 48 == id);
			br_assert(words[i] == words[0]);
		}
	}
	return NULL;
}

START_TEST(test_threads)
{
	static uint64_t seeds[] = {1, 2, 3};
	pthread_t threads[3];

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, hammer, &seeds[i]), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cache");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_put_get_remove);
	tcase_add_test(tests, test_what_is_not_stored);
	tcase_add_test(tests, test_bounded);
	tcase_add_test(tests, test_threads);
	return io_check_main(tests);
}
