/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dns_rate.h"

void dns_rate_note(struct dns_rate *rate, struct mono now, uint64_t count)
{
	rate->samples[rate->n++ % DNS_RATE_SAMPLES] =
	    (struct dns_rate_sample){now, count};
}

double dns_rate_of(const struct dns_rate *rate, struct mono now, uint64_t count)
{
	const struct dns_rate_sample *oldest =
	    &rate->samples[rate->n < DNS_RATE_SAMPLES
			       ? 0
			       : rate->n % DNS_RATE_SAMPLES];
	int64_t ns = mono_diff_ns(now, oldest->at);

	if (!rate->n || ns <= 0 || count < oldest->count)
		return 0;
	return (double)(count - oldest->count) * (double)NS_PER_S / (double)ns;
}
