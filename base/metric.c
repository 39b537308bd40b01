/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

void histogram_add_ns(struct histogram *h, int64_t ns)
{
	/* A clock step between two readings must not make a huge value. */
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
	uint32_t bucket = us ? 64 - (uint32_t)__builtin_clzll(us) : 0;

	if (bucket >= HISTOGRAM_BUCKETS)
		bucket = HISTOGRAM_BUCKETS - 1;
	counter_inc(&h->bucket[bucket]);
	counter_add(&h->sum_us, us);
}

void histogram_read(const struct histogram *from,
    uint64_t ret_bucket[HISTOGRAM_BUCKETS], uint64_t *ret_sum_us)
{
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		ret_bucket[i] += counter_read(&from->bucket[i]);
	*ret_sum_us += counter_read(&from->sum_us);
}

double histogram_quantile_us(
    const uint64_t bucket[HISTOGRAM_BUCKETS], double share)
{
	double total = 0, below = 0, wanted;
	int last = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		total += (double)bucket[i];
		if (bucket[i])
			last = i;
	}
	if (total <= 0)
		return 0;
	/* Written so that NaN becomes 0. */
	wanted = share > 0 ? (share < 1 ? share : 1) * total : 0;
	for (int i = 0; i < last; i++) {
		double n = (double)bucket[i];
		double low = i ? (double)(UINT64_C(1) << (i - 1)) : 0;
		double high = (double)(UINT64_C(1) << i);

		if (n > 0 && wanted <= below + n)
			return low + (high - low) * (wanted - below) / n;
		below += n;
	}
	double low = last ? (double)(UINT64_C(1) << (last - 1)) : 0;
	double high = (double)(UINT64_C(1) << last);
	double part = (wanted - below) / (double)bucket[last];

	return low + (high - low) * (part < 1 ? part : 1);
}
