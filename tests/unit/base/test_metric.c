/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include "tests/unit/base/check_main.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

START_TEST(test_counter)
{
	struct counter c = {0};

	counter_inc(&c);
	counter_add(&c, 41);
	ck_assert_uint_eq(counter_read(&c), 42);
	counter_sub(&c, 2);
	ck_assert_uint_eq(counter_read(&c), 40);
	counter_set(&c, 7);
	ck_assert_uint_eq(counter_read(&c), 7);
}
END_TEST

static int bucket_of(int64_t ns)
{
	struct histogram h = {0};

	histogram_add_ns(&h, ns);
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (counter_read(&h.bucket[i]))
			return i;
	}
	return -1;
}

START_TEST(test_buckets)
{
	ck_assert_int_eq(bucket_of(-5), 0);
	ck_assert_int_eq(bucket_of(0), 0);
	ck_assert_int_eq(bucket_of(999), 0);
	for (int i = 1; i < HISTOGRAM_BUCKETS - 1; i++) {
		int64_t limit_ns = (INT64_C(1) << i) * 1000;

		ck_assert_int_eq(bucket_of(limit_ns - 1), i);
		ck_assert_int_eq(bucket_of(limit_ns), i + 1);
	}
	ck_assert_int_eq(bucket_of(INT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(test_read_adds)
{
	uint64_t bucket[HISTOGRAM_BUCKETS] = {0}, sum_us = 0;
	struct histogram a = {0}, b = {0};

	histogram_add_ns(&a, 3000);
	histogram_add_ns(&a, 3999);
	histogram_add_ns(&b, 2000);
	histogram_add_ns(&b, 100);
	histogram_read(&a, bucket, &sum_us);
	histogram_read(&b, bucket, &sum_us);
	ck_assert_uint_eq(sum_us, 8);
	ck_assert_uint_eq(bucket[0], 1);
	ck_assert_uint_eq(bucket[2], 3);
}
END_TEST

START_TEST(test_quantiles)
{
	uint64_t bucket[HISTOGRAM_BUCKETS] = {0};

	ck_assert_double_eq(histogram_quantile_us(bucket, 0.5), 0);
	/* 100 values in [8, 16). */
	bucket[4] = 100;
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0), 8, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0.5), 12, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 1), 16, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 7), 16, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, -1), 8, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, NAN), 8, 1e-9);
	/* And 100 more in [64, 128). */
	bucket[7] = 100;
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0.25), 12, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0.5), 16, 1e-9);
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0.75), 96, 1e-9);
	/* Below 1 us. */
	memset(bucket, 0, sizeof(bucket));
	bucket[0] = 10;
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 0.5), 0.5, 1e-9);
	/* In the last bucket. */
	memset(bucket, 0, sizeof(bucket));
	bucket[HISTOGRAM_BUCKETS - 1] = 1;
	ck_assert_double_eq_tol(histogram_quantile_us(bucket, 1),
	    (double)(UINT64_C(1) << (HISTOGRAM_BUCKETS - 1)), 1e-3);
}
END_TEST

#define ADDITIONS 50000

static struct histogram shared;

static void *writer_thread(void *argument)
{
	(void)argument;
	for (int i = 0; i < ADDITIONS; i++)
		histogram_add_ns(&shared, 1000);
	return NULL;
}

START_TEST(test_one_writer_and_a_reader)
{
	uint64_t last = 0;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, writer_thread, NULL), 0);
	while (last < ADDITIONS) {
		uint64_t bucket[HISTOGRAM_BUCKETS] = {0}, sum_us = 0;

		histogram_read(&shared, bucket, &sum_us);
		ck_assert_uint_ge(bucket[1], last);
		last = bucket[1];
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(counter_read(&shared.sum_us), ADDITIONS);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("metric");

	tcase_add_test(tcase, test_counter);
	tcase_add_test(tcase, test_buckets);
	tcase_add_test(tcase, test_read_adds);
	tcase_add_test(tcase, test_quantiles);
	tcase_add_test(tcase, test_one_writer_and_a_reader);
	return check_main(tcase);
}
