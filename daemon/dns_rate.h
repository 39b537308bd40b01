/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Queries a second, as they have been lately: a count that grows is noted once
 * a second, and compared with what it was some seconds ago.
 *
 * Thread:  control.
 * Memory:  the caller's; all zero is a good beginning.
 * Units:   1/s, over DNS_RATE_SAMPLES seconds at most.
 */
#include <stdint.h>

#include "base/clock.h"

#define DNS_RATE_SAMPLES 10u
#define DNS_RATE_STEP_NS NS_PER_S

struct dns_rate {
	uint64_t n; /* noted so far */
	struct dns_rate_sample {
		struct mono at;
		uint64_t count;
	} samples[DNS_RATE_SAMPLES];
};

void dns_rate_note(struct dns_rate *rate, struct mono now, uint64_t count);
/* 0 while nothing has been noted. */
double dns_rate_of(
    const struct dns_rate *rate, struct mono now, uint64_t count);
