/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the error log says of TLS that failed: how often, at which end, and the
 * cause that was the most frequent.
 *
 * A stream that ends without close_notify is not among it: many peers end
 * so, and nothing is lost but certainty. Nor are clients that end or tarry in
 * the handshake.
 *
 * Thread:  control.
 * Memory:  embedded in struct trouble.
 */
#include "base/clock.h"
#include "daemon/trouble_sum.h"
#include "io/tls.h"

struct worker_metrics;

struct trouble_tls_end {
	struct trouble_sum sum;
	uint64_t said[TLS_N_CAUSES]; /* of each cause, when it was last said */
};

struct trouble_tls {
	struct trouble_tls_end client, server;
};

void trouble_tls_look(struct trouble_tls *tls,
    const struct worker_metrics *metrics, uint32_t n_workers, struct mono now);
/* Whether a line is due for these counts of all causes; then *ret_new is how
 * many more there are, and *ret_cause the most frequent of them, *ret_most
 * times. Pure but for *end. */
bool trouble_tls_due(struct trouble_tls_end *end,
    const uint64_t counts[TLS_N_CAUSES], int64_t now_ns, uint64_t *ret_new,
    unsigned *ret_cause, uint64_t *ret_most);
