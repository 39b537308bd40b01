/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Servers that fail real connections are taken out for a while. Workers count
 * failures in a row in one shared word per server; at every multiple of
 * outlier.errors they leave a mark (a trip), and control decides.
 *
 *      worker ──failure──> row.failures + 1 ──= errors──> row, pool: trip
 *      worker ──answer───> row.failures = 0                   │
 *                                                             v
 *      control, every OUTLIER_TICK_MS:  new trips? may it be ejected?
 *              facts.ejected_until_ns <── now + eject * steps
 *              ... and back to 0 when that time has come
 *
 * The row of failures is one over all workers, and a trip is never lost to a
 * success that follows it at once: what was seen is decided on. A trip that
 * max_ejected forbids is dropped; the next comes after as many failures
 * again.
 *
 * The longer a server keeps failing, the longer it is out, as in Envoy: the
 * n-th ejection lasts n times outlier.eject, at most OUTLIER_STEPS_MAX times;
 * each outlier.eject that it then stays in takes one step back.
 *
 * Thread:  outlier_failed, outlier_answered: any worker. The rest: pure.
 */
#include "fleet/pool.h"

#define OUTLIER_TICK_MS 100
#define OUTLIER_STEPS_MAX 10

/* A flow failed at this server through no fault of ours or the client's. */
void outlier_failed(const struct pool *pool, struct board_row *row, int error);
/* The server has answered a flow, or ended one in order. */
void outlier_answered(struct board_row *row);

/* Whether one more may go out: of `n` servers that would be usable but for
 * ejections, `n_out` are out. Never more than the share, rounded down. */
bool outlier_may_eject(
    const struct conf_outlier *conf, uint32_t n, uint32_t n_out);
/* How many times outlier.eject this ejection lasts. */
uint32_t outlier_steps(const struct conf_outlier *conf,
    const struct board_facts *facts, int64_t now_ns);
/* The facts of a server that is ejected now, or comes back. */
void outlier_eject(
    const struct conf_outlier *conf, struct board_facts *facts, int64_t now_ns);
void outlier_return(struct board_facts *facts, int64_t now_ns);
