/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One-writer counters: a plain load, add and store without a locked
 * instruction, because only one thread ever writes; any thread may read.
 *
 * The names, kinds and help texts of all metrics are rows of the X-macros
 * in the folders that own them; daemon/metrics_text prints them.
 *
 * Thread:  one writer a counter, any readers.
 */
#include <stdint.h>

struct counter {
	uint64_t value;
};

static inline void counter_add(struct counter *c, uint64_t n)
{
	__atomic_store_n(&c->value,
	    __atomic_load_n(&c->value, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline void counter_inc(struct counter *c)
{
	counter_add(c, 1);
}

/* For gauges kept by one writer. */
static inline void counter_sub(struct counter *c, uint64_t n)
{
	__atomic_store_n(&c->value,
	    __atomic_load_n(&c->value, __ATOMIC_RELAXED) - n, __ATOMIC_RELAXED);
}

static inline void counter_set(struct counter *c, uint64_t v)
{
	__atomic_store_n(&c->value, v, __ATOMIC_RELAXED);
}

static inline uint64_t counter_read(const struct counter *c)
{
	return __atomic_load_n(&c->value, __ATOMIC_RELAXED);
}

/* Log2 histogram of durations: bucket i counts values below 2^i us; the last
 * takes the rest. One writer. */
#define HISTOGRAM_BUCKETS 28

struct histogram {
	struct counter bucket[HISTOGRAM_BUCKETS];
	struct counter sum_us;
};

void histogram_add_ns(struct histogram *h, int64_t ns);
/* Adds what `from` holds to the plain array and sum of the caller. */
void histogram_read(const struct histogram *from,
    uint64_t ret_bucket[HISTOGRAM_BUCKETS], uint64_t *ret_sum_us);
/* The value (us) below which `share` (0..1) of the counts lie, by linear
 * interpolation in its bucket. 0 when empty. */
double histogram_quantile_us(
    const uint64_t bucket[HISTOGRAM_BUCKETS], double share);
